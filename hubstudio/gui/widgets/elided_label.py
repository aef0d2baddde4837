"""Labels for text of any length: what does not fit is left out, the whole is told on hover and to screen readers."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QLabel, QWidget

_SHORTEST = "Mm…"
_BETWEEN_CLAUSES = " · "


class ElidedLabel(QLabel):
    """One line, elided at its right or in its middle; ``text()`` stays the whole text."""

    def __init__(
        self,
        text: str = "",
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)

    def setText(self, text: str) -> None:  # noqa: N802 - Qt's name
        """Show another text."""
        super().setText(text)
        self.setAccessibleName(text)
        self.setToolTip(text)

    def sizeHint(self) -> QSize:
        """Ask for room for the whole text."""
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self._line()) + 2, metrics.height() + 2)

    def minimumSizeHint(self) -> QSize:
        """Make do with a few letters."""
        metrics = self.fontMetrics()
        shortest = min(metrics.horizontalAdvance(_SHORTEST), metrics.horizontalAdvance(self._line()) + 2)
        return QSize(shortest, metrics.height() + 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what fits."""
        del event
        painter = QPainter(self)
        group = QPalette.ColorGroup.Normal if self.isEnabled() else QPalette.ColorGroup.Disabled
        painter.setPen(self.palette().color(group, QPalette.ColorRole.WindowText))
        lines = self._lines()
        height = self.height() / len(lines)
        for number, line in enumerate(lines):
            shown = self.fontMetrics().elidedText(line, self._mode, self.width())
            rect = QRectF(0, number * height, self.width(), height)
            painter.drawText(rect, int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), shown)
        painter.end()

    def _line(self) -> str:
        return " ".join(self.text().split("\n"))

    def _lines(self) -> list[str]:
        return [self._line()]


class ClausesLabel(ElidedLabel):
    """Clauses that a middle dot parts: on one line if they fit there, else each on its own, elided at its right."""

    def hasHeightForWidth(self) -> bool:
        """Whether the height depends on the width: it does."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of as many lines as it takes."""
        return len(self._lines_at(width)) * (self.fontMetrics().height() + 2)

    def _lines(self) -> list[str]:
        return self._lines_at(self.width())

    def _lines_at(self, width: int) -> list[str]:
        line = self._line()
        fits = self.fontMetrics().horizontalAdvance(line) <= width
        return [line] if fits else line.split(_BETWEEN_CLAUSES)
