"""A photo as a small rounded square."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget

from hubstudio.gui.theme import colours_of
from hubstudio.gui.thumbnails import Thumbnails

_ROUNDING = 6.0


class PhotoView(QLabel):
    """Shows the middle of a photo; asks for it when it is first painted, so that unseen photos cost nothing."""

    def __init__(self, thumbnails: Thumbnails, side: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._side = side
        self._path: Path | None = None
        self._asked = False
        self._image: QImage | None = None
        self._is_unreadable = False
        self.setFixedSize(side, side)

    def show_photo(self, path: Path) -> None:
        """Show another photo."""
        if path == self._path:
            return
        self._path, self._image = path, None
        self._asked = self._is_unreadable = False
        self.setAccessibleName(path.name)
        self.setToolTip(path.name)
        self.update()

    def sizeHint(self) -> QSize:
        """Return the fixed size."""
        return QSize(self._side, self._side)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the photo, or its place until it is there."""
        del event
        self._ask()
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(self.rect()), _ROUNDING, _ROUNDING)
        painter.setClipPath(outline)
        if self._image:
            painter.drawImage(self.rect(), self._image)
        else:
            self._paint_empty(painter)
        painter.end()

    def _paint_empty(self, painter: QPainter) -> None:
        colours = colours_of(self.palette())
        painter.fillRect(self.rect(), QColor(colours.track))
        if self._is_unreadable:
            painter.setPen(QColor(colours.muted))
            painter.drawText(self.rect(), 0x84, "?")  # AlignCenter

    def _ask(self) -> None:
        if self._path and not self._asked:
            self._asked = True
            self._thumbnails.request(self._path, self._pixels(), self._on_image)

    def _pixels(self) -> int:
        return round(self._side * self.devicePixelRatioF())

    def _on_image(self, path: Path, image: QImage | None) -> None:
        if path != self._path:
            return
        self._image = image
        self._is_unreadable = image is None
        self.update()
