"""Whether a backbone is measured before a training, so that what it will take is known when it can still be refused."""

from __future__ import annotations

from collections.abc import Callable

from hubstudio.core import speeds
from hubstudio.core.cancel import CancelToken
from hubstudio.core.cost import views_of
from hubstudio.core.engine import Engine
from hubstudio.core.errors import StudioError
from hubstudio.core.plan import Mode, Plan

_MANY_PHOTOS = 2000
_LARGE_SIDE = 448
"""Pixels: from there on, what a backbone holds of a photo is no longer little beside the program itself."""


def measure_if_worth_it(
    engine: Engine, plan: Plan, photos: int, tell: Callable[[str], None], cancel: CancelToken
) -> None:
    """Measure the plan's backbone unless that was done before; a few ``photos`` of usual size are not worth it.

    It takes some seconds, and features of few photos and views hardly more. That a backbone cannot be measured is
    told, and is no reason not to train. Raises ``Cancelled``.
    """
    if plan.mode is Mode.EXTRACT and photos * (1 + views_of(plan)) <= _MANY_PHOTOS and plan.image_size <= _LARGE_SIDE:
        return
    try:
        info = engine.probe(plan.backbone, plan.features)
        known = speeds.kept_for(plan, info)
        if known and known.covers(plan):
            return
        tell(f"Measuring how fast {info.name} is on this computer: some seconds, and only this once.")
        engine.measure(plan, cancel)
    except StudioError as error:
        tell(f"Time and memory are not known beforehand: {error}")
