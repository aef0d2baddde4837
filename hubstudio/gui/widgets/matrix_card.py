"""The confusion matrix in its card: picture or table, and the chosen cell in words."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from hubstudio.core.measures import Evaluation
from hubstudio.gui.widgets.confusion_matrix import ConfusionMatrix, cell_text
from hubstudio.gui.widgets.table_twin import TableTwin, TwinCard
from hubstudio.gui.widgets.wrapped_label import WrappedLabel


class MatrixCard(TwinCard):
    """Says below the matrix what the chosen cell means."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self.matrix = ConfusionMatrix()
        self.table = TableTwin("Confusion matrix as table", wide=True)
        super().__init__("Confusion", self.matrix, self.table, parent)
        self._evaluation: Evaluation | None = None
        self.body.insertWidget(0, WrappedLabel("rows: what it is · columns: what the model said", "muted"))
        self.cell_label = WrappedLabel("", "", "matrix_cell")
        self.body.addWidget(self.cell_label)
        self.matrix.cell_changed.connect(self._on_cell_changed)

    def show_evaluation(self, evaluation: Evaluation) -> None:
        """Show another matrix."""
        self._evaluation = evaluation
        self.matrix.show_evaluation(evaluation)
        rows = [
            (name, *(f"{photos:,}" for photos in line))
            for name, line in zip(evaluation.classes, evaluation.confusion, strict=True)
        ]
        self.table.show_rows(("What it is", *evaluation.classes), rows)

    def _on_cell_changed(self, row: int, column: int) -> None:
        if self._evaluation:
            self.cell_label.say(cell_text(self._evaluation, row, column))
