"""Which of fine-tuning's two phases was better, in words."""

from __future__ import annotations

from collections.abc import Sequence

from hubstudio.core.events import Phase
from hubstudio.core.run_state import percent


def phase_comparison(head: Sequence[float], blocks: Sequence[float], best_phase: Phase) -> str:
    """Compare the validation accuracies of both phases' epochs, 0 to 1; an empty text if one of them has none."""
    if not head or not blocks:
        return ""
    of_head, of_blocks = max(head), max(blocks)
    if of_head == of_blocks:
        kept = "fine-tuning" if best_phase is Phase.FINE_TUNE else "the head alone"
        return f"Both phases came to {percent(of_head)} on validation; {kept} is kept, whose loss is lower."
    if best_phase is Phase.FINE_TUNE:
        return f"Fine-tuning won: {percent(of_blocks)} on validation against {percent(of_head)} of the head alone."
    return f"The head alone won: {percent(of_head)} on validation against {percent(of_blocks)} of fine-tuning."
