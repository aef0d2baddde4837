"""One photo as large as there is room, or pixel by pixel."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from hubstudio.gui.theme import colours_of
from hubstudio.gui.widgets.photo_painting import sized_font

_MOST_ENLARGED = 4.0
"""A photo of 100 pixels is better seen large than sharp."""


class PhotoCanvas(QWidget):
    """Draws a photo to fit, or at 100 %: then the mouse moves it."""

    resized = Signal()
    zoom_wanted = Signal()  # by a double click

    def __init__(self) -> None:
        super().__init__()
        self._image: QImage | None = None
        self._pixels = QSizeF()
        self._words = ""
        self._is_actual = False
        self._middle = QPointF(0.5, 0.5)
        self._grabbed: QPointF | None = None
        self.setObjectName("large_photo")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 90)

    def show_image(self, image: QImage, width: int, height: int) -> None:
        """Show a photo of so many pixels; ``image`` may have fewer of them."""
        self._image, self._pixels, self._words = image, QSizeF(width, height), ""
        self.update()

    def show_words(self, words: str) -> None:
        """Say why there is no photo."""
        self._image, self._words = None, words
        self.update()

    def set_actual(self, actual: bool) -> None:
        """Show the photo's own pixels, or all of it."""
        self._is_actual, self._middle = actual, QPointF(0.5, 0.5)
        self.setCursor(Qt.CursorShape.OpenHandCursor if actual else Qt.CursorShape.ArrowCursor)
        self.update()

    def shorter_side(self) -> int:
        """Return how many pixels of the screen a photo's shorter side can have here."""
        return max(64, round(min(self.width(), self.height()) * self.devicePixelRatioF()))

    def photo_rect(self) -> QRectF:
        """Return where the photo is drawn; it may reach beyond the widget."""
        room, natural = QRectF(self.rect()), self._pixels / self.devicePixelRatioF()
        if self._is_actual:
            left = self._edge(room.width(), natural.width(), self._middle.x())
            top = self._edge(room.height(), natural.height(), self._middle.y())
            return QRectF(QPointF(left, top), natural)
        scale = min(
            _MOST_ENLARGED, room.width() / max(1.0, natural.width()), room.height() / max(1.0, natural.height())
        )
        drawn = QRectF(QPointF(), natural * scale)
        drawn.moveCenter(room.center())
        return drawn

    def pan(self, by: QPointF) -> None:
        """Move the photo at 100 %."""
        natural = self._pixels / self.devicePixelRatioF()
        if not self._is_actual or natural.isEmpty():
            return
        part = QPointF(by.x() / natural.width(), by.y() / natural.height())
        reach = QPointF(min(0.5, self.width() / natural.width() / 2), min(0.5, self.height() / natural.height() / 2))
        self._middle = QPointF(
            min(max(self._middle.x() - part.x(), reach.x()), 1 - reach.x()),
            min(max(self._middle.y() - part.y(), reach.y()), 1 - reach.y()),
        )
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the photo, or the words in its place."""
        del event
        colours = colours_of(self.palette())
        painter = QPainter(self)
        if self._image:
            exact = self._is_actual and self._image.width() == round(self._pixels.width())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not exact)
            painter.drawImage(self.photo_rect(), self._image)
        else:
            painter.setPen(QColor(colours.muted))
            painter.setFont(sized_font(self, 1.0))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(20, 20, -20, -20), int(flags), self._words)
        if self.hasFocus():
            painter.setPen(QColor(colours.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Tell that another size may be needed."""
        super().resizeEvent(event)
        self.resized.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Grab the photo."""
        self._grabbed = event.position() if self._is_actual else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the grabbed photo."""
        if self._grabbed is not None:
            self.pan(event.position() - self._grabbed)
            self._grabbed = event.position()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        del event
        self._grabbed = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Zoom in or out."""
        del event
        self.zoom_wanted.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Move the photo at 100 %."""
        self.pan(QPointF(event.angleDelta()) / 2)

    @staticmethod
    def _edge(room: float, length: float, middle: float) -> float:
        return (room - length) / 2 if length <= room else room / 2 - middle * length
