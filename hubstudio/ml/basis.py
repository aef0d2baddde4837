"""What the epochs of a training rest on: its plan, its backbone and its photos. With others they are another's."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from hubstudio.core.errors import RunError
from hubstudio.core.plan import Plan
from hubstudio.core.run_folder import PLAN
from hubstudio.ml.feature_module import FeatureModule

MODULE_PLACE = frozenset(("backbone",))
"""What a plan may say anew of a module that was moved: its files tell whether it is the same."""
PLACES = MODULE_PLACE | {"photos", "more_photos", "left_out", "split_file"}
"""The same where photos are listed again: their contents and parts tell whether they are the same."""
_LONGEST = 40
_MOST = 5


@dataclass(frozen=True)
class Basis:
    """Plan, backbone and photos of a training, as a checkpoint remembers them."""

    plan: Mapping[str, Any]
    """As plain values, so that a plan of another version of the program can still be compared."""
    module: str
    """Digest of the backbone's files."""
    photos: str = ""
    """Digest of the photos that train and validate, in their order; empty until they have been read."""

    @classmethod
    def of(cls, plan: Plan, module: FeatureModule) -> Basis:
        """Return the basis of a training whose photos are not read yet."""
        return cls(_plain(plan), module.digest)

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Basis:
        """Return the basis that a checkpoint's state holds."""
        return cls(**state["basis"])

    def to_table(self) -> dict[str, Any]:
        """Return plain values that ``of_state`` reads back."""
        return asdict(self)

    def require_plan(self, plan: Plan, folder: Path, may_differ: frozenset[str] = MODULE_PLACE) -> None:
        """Raise ``RunError`` if the plan that lies in ``folder`` says another thing by now."""
        defaults = _plain(Plan(plan.photos))
        before, now = {**defaults, **self.plan}, {**defaults, **_plain(plan)}
        names = [name for name in {**before, **now} if before.get(name) != now.get(name) and name not in may_differ]
        if not names:
            return
        raise RunError(
            f"'{folder.name}' cannot go on: its plan is not the one that it learned by.",
            found=f"{_differences(names, before, now)}.",
            next_step=f"Put that back in '{folder / PLAN}' and go on, or train anew by the plan as it is now.",
        )

    def require_module(self, module: FeatureModule, folder: Path) -> None:
        """Raise ``RunError`` if the backbone of the run in ``folder`` is another one by now."""
        if module.digest == self.module:
            return
        raise RunError(
            f"'{folder.name}' cannot go on: its backbone is not the one that it learned with.",
            found=f"The files in '{module.folder}' are others by now.",
            next_step="Put the former ones back and go on, or train anew with these.",
        )


def _plain(plan: Plan) -> dict[str, Any]:
    """Return what JSON makes of a plan, augmentation and all in one level of names."""
    flat: dict[str, Any] = {}
    for name, value in json.loads(json.dumps(plan.to_table())).items():
        is_nested = isinstance(value, dict) and name != "renamed"
        inner = cast("dict[str, Any]", value) if is_nested else {}
        flat |= {f"{name}.{key}": entry for key, entry in inner.items()} if is_nested else {name: value}
    return flat


def _differences(names: Sequence[str], before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    said = [_difference(name, before.get(name), now.get(name)) for name in names[:_MOST]]
    return "; ".join([*said, *([f"and {len(names) - _MOST} more"] if names[_MOST:] else [])])


def _difference(name: str, before: object, now: object) -> str:
    told = f"'{name}' was {before!r} and is {now!r}"
    return told if len(told) <= _LONGEST + len(name) else f"'{name}' is another"
