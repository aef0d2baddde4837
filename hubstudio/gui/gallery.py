"""All photos of one class in a window of their own: small ones to choose among, one large to look at."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QMenu, QStackedWidget, QVBoxLayout, QWidget

from hubstudio.core.photos import PhotoSet
from hubstudio.gui.class_photos import LEFT_OUT_BY_FILE, ClassPhotos, class_of, photos_of_class
from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.widgets.buttons import dialog_button
from hubstudio.gui.widgets.elided_label import ElidedLabel
from hubstudio.gui.widgets.large_view import LargeView
from hubstudio.gui.widgets.photo_grid import PhotoGrid


class Gallery(QDialog):
    """Tells which photos shall be left out or put back; the photos change when ``show_photos`` is called."""

    leave_out_wanted = Signal(object)  # list[Path]
    put_back_wanted = Signal(object)  # list[Path]

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("gallery")
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint)
        self.resize(980, 680)
        self._thumbnails = thumbnails
        self.shown = ClassPhotos("", ())
        self._photo_set: PhotoSet | None = None
        self.title = ElidedLabel()
        self.summary = QLabel()
        self.chosen = QLabel()
        self.grid = PhotoGrid(thumbnails)
        self.large = LargeView(thumbnails)
        self.leave_out = dialog_button("Leave out", "leave_out")
        self.put_back = dialog_button("Put back", "put_back")
        self.close_button = dialog_button("Close", "close")
        for button, key in ((self.leave_out, "Delete"), (self.put_back, "Insert"), (self.close_button, "Escape")):
            button.setToolTip(key)
        self._views = QStackedWidget()
        self._views.addWidget(self._overview())
        self._views.addWidget(self.large)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.addWidget(self._views)
        self._connect()

    @property
    def shows_one(self) -> bool:
        """Whether one photo is shown large."""
        return self._views.currentWidget() is self.large

    def show_class(self, photo_set: PhotoSet, name: str) -> None:
        """Open with the photos of a class, as they are by now."""
        self._thumbnails.doubt()
        self._photo_set = photo_set
        if name != self.shown.name or not self.isVisible():
            self._show_all()
        self._take(photos_of_class(photo_set, name, self.shown if name == self.shown.name else None))
        if not self.grid.currentIndex().isValid() and self.shown.paths:
            self.grid.go_to(0)
        self.show()
        self.raise_()
        self.activateWindow()
        if not self.shows_one:
            self.grid.setFocus()

    def show_photos(self, photo_set: PhotoSet) -> None:
        """Take over changed photos; the window follows a class that got another name, and closes if it is gone."""
        if not self.isVisible() or self._photo_set is None:
            return
        is_other = photo_set.root != self._photo_set.root
        self._photo_set = photo_set
        found = photos_of_class(photo_set, self.shown.name, self.shown)
        if not found.paths and self.shown.paths:
            name = class_of(photo_set, self.shown.paths[0])
            found = photos_of_class(photo_set, name, self.shown) if name else found
        if is_other or not found.paths:
            self.reject()
        else:
            self._take(found)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer what the buttons do."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if not self.shows_one and self.grid.currentIndex().isValid():
            menu.addAction("Show large", lambda: self._on_opened(self.grid.currentIndex().row()))
        for button, act in ((self.leave_out, self._on_leave_out), (self.put_back, self._on_put_back)):
            menu.addAction(button.text(), act).setEnabled(button.isEnabled())
        menu.popup(event.globalPos())

    def done(self, result: int) -> None:
        """Close, and let the pictures go."""
        self.large.leave()
        super().done(result)

    def _take(self, shown: ClassPhotos) -> None:
        path = self.large.path() if self.shows_one else None
        self.shown = shown
        self.setWindowTitle(f"{shown.name}: photos")
        self.title.setText(shown.name)
        self.summary.setText(shown.summary())
        self.grid.show_class(shown)
        if self.shows_one:
            row = shown.paths.index(path) if path in shown.paths else self.large.row
            self.large.show_photo(shown, row)
        self._on_selection_changed()

    def _show_all(self) -> None:
        was_large = self.shows_one
        self._views.setCurrentIndex(0)
        self.large.leave()
        if was_large:
            self.grid.setFocus()

    def _on_opened(self, row: int) -> None:
        self._views.setCurrentWidget(self.large)
        self.large.show_photo(self.shown, row)
        self.large.canvas.setFocus()
        self._on_selection_changed()

    def _on_moved(self, row: int) -> None:
        self.grid.go_to(row)

    def _on_selection_changed(self) -> None:
        paths = self.grid.selected_paths()
        can_return = any(map(self.shown.can_be_put_back, paths))
        is_by_file = not can_return and any(path in self.shown.left_out_by_file for path in paths)
        self.chosen.setText(f"{len(paths):,} selected" if paths else "")
        self.leave_out.setEnabled(any(not self.shown.state(path) for path in paths))
        self.put_back.setEnabled(can_return)
        self.put_back.setToolTip(LEFT_OUT_BY_FILE if is_by_file else "Insert")

    def _on_leave_out(self) -> None:
        if paths := [path for path in self.grid.selected_paths() if not self.shown.state(path)]:
            self.leave_out_wanted.emit(paths)

    def _on_put_back(self) -> None:
        if paths := [path for path in self.grid.selected_paths() if self.shown.can_be_put_back(path)]:
            self.put_back_wanted.emit(paths)

    def _on_use_changed(self) -> None:
        path = self.large.path()
        if path:
            is_out = path in self.shown.left_out
            (self.put_back_wanted if is_out else self.leave_out_wanted).emit([path])

    def _connect(self) -> None:
        self.grid.opened.connect(self._on_opened)
        self.grid.delete_pressed.connect(self._on_leave_out)
        self.grid.selectionModel().selectionChanged.connect(self._on_selection_changed)
        self.large.closed.connect(self._show_all)
        self.large.moved.connect(self._on_moved)
        self.large.use_changed.connect(self._on_use_changed)
        self.leave_out.clicked.connect(self._on_leave_out)
        self.put_back.clicked.connect(self._on_put_back)
        self.close_button.clicked.connect(self.reject)
        insert = QShortcut(QKeySequence("Insert"), self.grid, context=Qt.ShortcutContext.WidgetShortcut)
        insert.activated.connect(self._on_put_back)

    def _overview(self) -> QWidget:
        self.title.setProperty("role", "heading")
        self.title.setObjectName("gallery_class")
        self.summary.setProperty("role", "muted")
        self.summary.setObjectName("gallery_summary")
        self.chosen.setProperty("role", "muted")
        self.chosen.setObjectName("photos_selected")
        above, below = QHBoxLayout(), QHBoxLayout()
        above.setSpacing(10)
        above.addWidget(self.title)
        above.addWidget(self.summary)
        above.addStretch(1)
        below.setSpacing(8)
        below.addWidget(self.chosen)
        below.addStretch(1)
        for button in (self.put_back, self.leave_out, self.close_button):
            below.addWidget(button)
        overview = QWidget()
        column = QVBoxLayout(overview)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(above)
        column.addWidget(self.grid, 1)
        column.addLayout(below)
        return overview
