"""The phases of a training beside each other, the present one marked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from hubstudio.core.events import Phase
from hubstudio.gui.theme import set_role

PHASE_NAMES = {
    Phase.FEATURES: "Features",
    Phase.HEAD: "Head",
    Phase.FINE_TUNE: "Fine-tuning",
    Phase.SAVING: "Saving",
}
_BETWEEN = "›"


class PhaseStepper(QWidget):
    """Says in its accessible name where the training is; its labels are for the eye."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("training_phases")
        self.labels = {phase: QLabel(name) for phase, name in PHASE_NAMES.items()}
        self._arrows = {phase: QLabel(_BETWEEN) for phase in list(PHASE_NAMES)[1:]}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for phase, label in self.labels.items():
            if arrow := self._arrows.get(phase):
                arrow.setProperty("role", "muted")
                row.addWidget(arrow)
            label.setObjectName(f"phase_{phase.value}".replace("-", "_"))
            row.addWidget(label)
        row.addStretch(1)
        self.show_phase(list(PHASE_NAMES), None)

    def show_phase(self, phases: Sequence[Phase], present: Phase | None) -> None:
        """Show the phases that this training has, those before the present one ticked."""
        place = phases.index(present) if present in phases else -1
        for phase, label in self.labels.items():
            is_shown = phase in phases
            label.setVisible(is_shown)
            if arrow := self._arrows.get(phase):
                arrow.setVisible(is_shown)
            if is_shown:
                _mark(label, PHASE_NAMES[phase], phases.index(phase) - place if place >= 0 else 1)
        where = f"Phase {place + 1} of {len(phases)}: {PHASE_NAMES[phases[place]]}" if place >= 0 else "Preparing"
        if where != self.accessibleName():
            self.setAccessibleName(where)


def _mark(label: QLabel, name: str, distance: int) -> None:
    text = f"✓ {name}" if distance < 0 else name
    if label.text() != text:
        label.setText(text)
    set_role(label, "now" if distance == 0 else "muted")
