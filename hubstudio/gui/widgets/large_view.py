"""One photo of a class large, with the way to the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from hubstudio.gui.class_photos import LEFT_OUT_BY_FILE, ClassPhotos
from hubstudio.gui.large_photos import WHOLE, LargePhoto, LargePhotos
from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.widgets.elided_label import ElidedLabel
from hubstudio.gui.widgets.photo_canvas import PhotoCanvas

_PAN = 80.0
_SIDE_STEP = 128
"""Sides asked for grow in steps, so that dragging the window's edge does not read the photo at every pixel."""


class LargeView(QWidget):
    """Shows the photo in one row of a class; where it goes is told."""

    closed = Signal()
    moved = Signal(int)  # row
    use_changed = Signal()  # the person wants this photo left out, or put back

    def __init__(self, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._shown = ClassPhotos("", ())
        self.row = 0
        self.photos = LargePhotos(thumbnails, self)
        self.canvas = PhotoCanvas()
        self.position = QLabel()
        self.name = ElidedLabel("", Qt.TextElideMode.ElideMiddle)
        self.facts = ElidedLabel("", Qt.TextElideMode.ElideMiddle)
        self.back = _button("All photos", "quiet")
        self.previous = _button("Previous", "")
        self.next = _button("Next", "")
        self.zoom = _button("100 %", "")
        self.use = _button("Leave out", "")
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.setInterval(150)
        self._settling.timeout.connect(self._want)
        self._lay_out()
        self._connect()

    def show_photo(self, shown: ClassPhotos, row: int) -> None:
        """Show one of these photos."""
        self._shown, self.row = shown, min(max(row, 0), len(shown.paths) - 1)
        self._show()

    def path(self) -> Path | None:
        """Return the photo that is shown."""
        return self._shown.paths[self.row] if 0 <= self.row < len(self._shown.paths) else None

    def go(self, row: int) -> None:
        """Show another photo, and tell."""
        row = min(max(row, 0), len(self._shown.paths) - 1)
        if row != self.row:
            self.row = row
            self._show()
            self.moved.emit(row)

    def leave(self) -> None:
        """Let the pictures go."""
        self.zoom.setChecked(False)
        self.photos.clear()
        self.canvas.show_words("")

    def _show(self) -> None:
        path = self.path()
        if path is None:
            return
        total, state = len(self._shown.paths), self._shown.state(path)
        place = f"{self.row + 1:,} of {total:,}"
        self.position.setText(place)
        self.name.setText(self._shown.text(path))
        self.canvas.setAccessibleName(f"{self._shown.text(path)}, {place}")
        is_out = path in self._shown.left_out
        self.use.setText("Put back" if is_out else "Leave out")
        self.use.setToolTip(LEFT_OUT_BY_FILE if path in self._shown.left_out_by_file else "")
        self.use.setAccessibleName(self.use.text())
        self.use.setEnabled(not state or self._shown.can_be_put_back(path))
        self.previous.setEnabled(self.row > 0)
        self.next.setEnabled(self.row < total - 1)
        self._want()
        self._show_pixels()

    def _side(self) -> int:
        return -(-self.canvas.shorter_side() // _SIDE_STEP) * _SIDE_STEP

    def _want(self) -> None:
        if not self.isVisible():
            return
        side, paths = self._side(), self._shown.paths
        near = [self.row, self.row + 1, self.row - 1, self.row + 2]
        keys = [(paths[row], side) for row in near if 0 <= row < len(paths)]
        if self.zoom.isChecked():
            keys.insert(1, (paths[self.row], WHOLE))
        self.photos.want(keys)

    def _show_pixels(self) -> None:
        path = self.path()
        if path is None:
            return
        whole = self.photos.photo(path, WHOLE) if self.zoom.isChecked() else None
        photo = whole or self.photos.photo(path, self._side())
        if photo is None:
            self.canvas.show_words("Reading the photo…")
            self.facts.setText(str(path.parent))
        elif photo.image is None:
            self.canvas.show_words(f"“{path.name}” could not be read: {photo.reason}.")
            self.facts.setText(str(path.parent))
        else:
            self.canvas.show_image(photo.image, photo.width, photo.height)
            self.facts.setText(f"{photo.width:,} × {photo.height:,} pixels · {path.parent}")

    def _on_arrived(self, photo: LargePhoto) -> None:
        if photo.path == self.path():
            self._show_pixels()

    def _on_resized(self) -> None:
        path = self.path()
        if path and self.photos.photo(path, self._side()) is None:
            self._settling.start()

    def _on_zoomed(self, actual: bool) -> None:
        self.canvas.set_actual(actual)
        if self.path() and self.isVisible():
            self._want()
            self._show_pixels()

    def _connect(self) -> None:
        self.photos.arrived.connect(self._on_arrived)
        self.canvas.resized.connect(self._on_resized)
        self.canvas.zoom_wanted.connect(self.zoom.toggle)
        self.zoom.toggled.connect(self._on_zoomed)
        self.back.clicked.connect(self.closed)
        self.previous.clicked.connect(lambda: self.go(self.row - 1))
        self.next.clicked.connect(lambda: self.go(self.row + 1))
        self.use.clicked.connect(self.use_changed)
        last = 1 << 30
        keys: dict[str, Callable[[], None]] = {
            "Left": lambda: self.go(self.row - 1),
            "Right": lambda: self.go(self.row + 1),
            "PgUp": lambda: self.go(self.row - 10),
            "PgDown": lambda: self.go(self.row + 10),
            "Home": lambda: self.go(0),
            "End": lambda: self.go(last),
            "Escape": self.closed.emit,
            "Backspace": self.closed.emit,
            "Delete": self.use.click,
            "0": lambda: self.zoom.setChecked(False),
            "1": lambda: self.zoom.setChecked(True),
            "Z": self.zoom.toggle,
            "Shift+Left": lambda: self.canvas.pan(QPointF(_PAN, 0)),
            "Shift+Right": lambda: self.canvas.pan(QPointF(-_PAN, 0)),
            "Shift+Up": lambda: self.canvas.pan(QPointF(0, _PAN)),
            "Shift+Down": lambda: self.canvas.pan(QPointF(0, -_PAN)),
        }
        for key, act in keys.items():
            shortcut = QShortcut(QKeySequence(key), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(act)

    def _lay_out(self) -> None:
        self.zoom.setCheckable(True)
        self.zoom.setToolTip("Every pixel (1), all of the photo (0)")
        self.previous.setToolTip("Left arrow")
        self.next.setToolTip("Right arrow")
        self.name.setProperty("role", "heading")
        self.facts.setProperty("role", "muted")
        self.position.setObjectName("position")
        self.position.setProperty("role", "muted")
        self.facts.setObjectName("photo_facts")
        self.name.setObjectName("photo_name")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(_row(self.back, self.name, self.position, self.previous, self.next, self.zoom))
        column.addWidget(self.canvas, 1)
        column.addLayout(_row(None, self.facts, self.use))


def _button(text: str, role: str) -> QPushButton:
    made = QPushButton(text)
    made.setObjectName(text.casefold().replace(" ", "_"))
    made.setAccessibleName(text)
    made.setProperty("role", role)
    made.setAutoDefault(False)
    return made


def _row(first: QWidget | None, wide: QWidget, *others: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    if first:
        row.addWidget(first)
    row.addWidget(wide, 1)
    for widget in others:
        row.addWidget(widget)
    return row
