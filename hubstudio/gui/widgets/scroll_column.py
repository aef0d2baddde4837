"""A scroll area that gives its content the whole room, and scrolls only below the content's smallest size."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLayout, QScrollArea, QVBoxLayout, QWidget


class ScrollColumn(QScrollArea):
    """Unlike a resizable ``QScrollArea`` it lets content shrink from its preferred to its minimum height first."""

    def __init__(self, content: QWidget, *, sideways: bool = False, uncut: bool = False) -> None:
        """Hold ``content``; ``uncut`` leaves cards of wrapped text their preferred height, which only others give."""
        super().__init__()
        self._sideways, self._uncut = sideways, uncut
        self._content = content
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        if not sideways:
            self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        content.setProperty("role", content.property("role") or "scrolled")
        self.setWidget(content)
        content.installEventFilter(self)

    def minimumSizeHint(self) -> QSize:
        """Ask for little; that is what scrolling is for."""
        width = 120 if self._sideways else self._content.minimumSizeHint().width() + 12
        return QSize(width, 80)

    def sizeHint(self) -> QSize:
        """Ask for what the content would like."""
        return self._content.sizeHint()

    def settle(self, widget: QWidget) -> None:
        """Lay out what is around a widget of the content now, from within, instead of when Qt comes to it."""
        while widget is not self._content and (parent := widget.parentWidget()):
            widget = parent
            if layout := widget.layout():
                layout.activate()
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the content into the new room."""
        super().resizeEvent(event)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Fit again when the content has changed."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit()
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        room = self.maximumViewportSize()
        least = self._least(room.width())
        if least.height() > room.height():  # the scroll bar takes its part of the width
            room.setWidth(room.width() - self.verticalScrollBar().sizeHint().width())
            least = self._least(room.width())
        self._content.resize(room.expandedTo(least) if self._sideways else QSize(
            room.width(), max(room.height(), least.height())))  # fmt: skip

    def _least(self, width: int) -> QSize:
        content = self._content
        least = content.minimumSizeHint()
        layout = content.layout()
        if layout and layout.hasHeightForWidth():
            across = max(width, least.width()) if self._sideways else width
            least.setHeight(_uncut(layout, across) if self._uncut else layout.totalMinimumHeightForWidth(across))
        return least


class Stretching(QWidget):
    """Holds one widget that takes what height is left, from its minimum on, though some of its text may wrap."""

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(content)

    def hasHeightForWidth(self) -> bool:
        """Say no: a column gives what wraps its preferred height, and never less."""
        return False


def _uncut(layout: QLayout, width: int) -> int:
    """Return the height below which a column cuts its items.

    A QBoxLayout that is given less than the preferred height of what wraps takes the rest from its highest items,
    whatever their own minimum.
    """
    margins = layout.contentsMargins()
    width -= margins.left() + margins.right()
    items = [item for place in range(layout.count()) if (item := layout.itemAt(place)) and not item.isEmpty()]
    heights = [
        item.heightForWidth(width) if item.hasHeightForWidth() else item.minimumSize().height() for item in items
    ]
    return sum(heights) + layout.spacing() * max(len(items) - 1, 0) + margins.top() + margins.bottom()
