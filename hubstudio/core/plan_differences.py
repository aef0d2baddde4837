"""What sets plans apart, in words: one row for everything in which they are not all the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hubstudio.core.augmentation import CHANGES, Change
from hubstudio.core.backbones import display_name
from hubstudio.core.hyper_parameters import HYPER_PARAMETERS, HyperParameter
from hubstudio.core.photos import count_of
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.plan_choices import PLAN_CHOICES, PlanChoice

_MODES = {Mode.EXTRACT: "extract features", Mode.FINE_TUNE: "fine-tune"}
_NO_MEANING = "–"
_ROUNDED_TO = 6


@dataclass(frozen=True)
class Difference:
    """One setting in which plans differ."""

    label: str
    values: tuple[str, ...]
    """What each plan says, in the order of the plans; a dash where it has no meaning."""

    @property
    def departs(self) -> tuple[bool, ...]:
        """Which values are not that of the first plan."""
        return tuple(value != self.values[0] for value in self.values)


def differences(plans: Sequence[Plan], name_of: Callable[[str], str] = display_name) -> list[Difference]:
    """Return what differs, in the order in which people decide it; ``name_of`` says what a backbone is called."""
    rows = (Difference(label, tuple(map(say, plans))) for label, say in _questions(plans, name_of))
    return [row for row in rows if any(row.departs)]


def _questions(plans: Sequence[Plan], name_of: Callable[[str], str]) -> list[tuple[str, Callable[[Plan], str]]]:
    return [
        ("Photos", lambda plan: plan.photos),
        ("More photos", _listed(plans, lambda plan: plan.more_photos, "source")),
        ("Photos left out", _listed(plans, lambda plan: plan.left_out, "photo")),
        ("Renamed classes", lambda plan: ", ".join(f"{old} → {new}" for old, new in plan.renamed) or "none"),
        ("Split", lambda plan: plan.split_file or "by content"),
        ("Validation share", lambda plan: _share(plan.validation_share)),
        ("Test share", lambda plan: _share(plan.test_share)),
        ("Backbone", lambda plan: name_of(plan.backbone)),
        ("Backbone is from", lambda plan: plan.backbone if _ambiguous(plans, name_of) else ""),
        ("Features", lambda plan: plan.features or "feature vector"),
        ("What learns", lambda plan: _MODES[plan.mode]),
        ("Blocks", _blocks),
        *((row.label, _number_of(row)) for row in HYPER_PARAMETERS),
        *((row.label, _choice_of(row)) for row in PLAN_CHOICES),
        *((f"Augmentation: {change.label}", _change_of(change)) for change in CHANGES),
    ]


def _listed(plans: Sequence[Plan], of: Callable[[Plan], tuple[str, ...]], what: str) -> Callable[[Plan], str]:
    """Say how many names there are; lists of one length are numbered, since nobody wants to read a thousand names."""
    kinds = list(dict.fromkeys(map(of, plans)))
    one_length = len(kinds) > 1 and len(set(map(len, kinds))) == 1

    def say(plan: Plan) -> str:
        which = f" (set {kinds.index(of(plan)) + 1})" if one_length else ""
        return (count_of(len(of(plan)), what) if of(plan) else "none") + which

    return say


def _ambiguous(plans: Sequence[Plan], name_of: Callable[[str], str]) -> bool:
    """Whether two backbones that are not the same have one name."""
    handles = {plan.backbone for plan in plans}
    return len({name_of(handle) for handle in handles}) < len(handles)


def _share(share: float) -> str:
    return f"{share * 100:.{_ROUNDED_TO}g} %"


def _blocks(plan: Plan) -> str:
    if plan.mode is Mode.EXTRACT:
        return _NO_MEANING
    return "all" if plan.unfreeze == "all" else f"last {plan.unfreeze}"


def _if_moving(plan: Plan, text: str) -> str:
    return text if plan.mode is Mode.FINE_TUNE else _NO_MEANING


def _number_of(row: HyperParameter) -> Callable[[Plan], str]:
    def say(plan: Plan) -> str:
        text = number_text(row, getattr(plan, row.name))
        return _if_moving(plan, text) if row.fine_tune_only else text

    return say


def number_text(row: HyperParameter, value: float) -> str:
    """Return a number of the table as people write it: '0.0003', '32', or its word if it is 0 and has one."""
    if not value and row.zero:
        return row.zero
    return f"{value}" if row.whole else f"{value:.{_ROUNDED_TO}g}"


def _choice_of(row: PlanChoice) -> Callable[[Plan], str]:
    def say(plan: Plan) -> str:
        text = row.word(getattr(plan, row.name))
        return _if_moving(plan, text) if row.fine_tune_only else text

    return say


def _change_of(change: Change) -> Callable[[Plan], str]:
    def say(plan: Plan) -> str:
        is_idle = change.extract_only and (plan.mode is Mode.FINE_TUNE or plan.augmentation.is_none)
        return _NO_MEANING if is_idle else change.text(getattr(plan.augmentation, change.name))

    return say
