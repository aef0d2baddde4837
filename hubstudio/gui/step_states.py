"""Which steps are open and done, drawn from what their pages say is missing."""

from __future__ import annotations

from dataclasses import dataclass

from hubstudio.core.project import STEPS
from hubstudio.gui.page_stack import PageStack

STEP_NAMES = {step: step.capitalize() for step in STEPS}


@dataclass(frozen=True)
class StepState:
    """What the side shows of a step."""

    is_open: bool = False
    """Whether one may go there: nothing before it is missing."""
    is_done: bool = False
    summary: str = ""


def states_of(pages: PageStack, furthest: int) -> dict[str, StepState]:
    """Return every step's state; ``furthest`` is the place of the last step that was shown."""
    states: dict[str, StepState] = {}
    is_open = True
    for place, step in enumerate(STEPS):
        page = pages.built(step)
        has_all = page is not None and not page.missing()
        summary = page.summary() if page else ""
        is_last = place == len(STEPS) - 1
        is_done = is_open and has_all and (place < furthest or (is_last and bool(summary)))
        states[step] = StepState(is_open, is_done, summary)
        is_open = is_open and has_all
    return states


def reason_to_wait(pages: PageStack, step: str) -> str:
    """Return what is missing in this step, or in one before it; empty if one may go on."""
    for name in STEPS[: STEPS.index(step) + 1]:
        page = pages.built(name)
        missing = page.missing() if page else "One moment"
        if missing:
            return missing if name == step else f"{STEP_NAMES[name]}: {missing}"
    return ""
