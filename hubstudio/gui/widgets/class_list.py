"""The classes of the photos: to look through, find, rename and merge, and the way to the photos of each."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, QUrl, Signal
from PySide6.QtGui import QContextMenuEvent, QDesktopServices, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QLabel, QMenu, QVBoxLayout, QWidget

from hubstudio.core.photos import PhotoSet
from hubstudio.gui.gallery import Gallery
from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.widgets.class_bar import ClassBar
from hubstudio.gui.widgets.class_grid import ClassGrid
from hubstudio.gui.widgets.class_questions import MergeDialog, ask_to_merge

MANY_CLASSES = 12
"""With more of them there is a bar to find and sort."""


class ClassList(QWidget):
    """Shows the classes and tells what is wanted; what comes of it arrives by ``show_photos``."""

    rename_wanted = Signal(str, str)  # class, new name; that of another class means that both become one
    leave_out_wanted = Signal(object)  # list[Path]
    put_back_wanted = Signal(object)  # list[Path]

    def __init__(self, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._thumbnails = thumbnails
        self._photo_set: PhotoSet | None = None
        self._trailing: QWidget | None = None
        self._renamed = ""
        self.gallery: Gallery | None = None
        self.bar = ClassBar()
        self.grid = ClassGrid(thumbnails)
        self.nothing = QLabel()
        self.nothing.setObjectName("no_class_found")
        self.nothing.setTextFormat(Qt.TextFormat.PlainText)
        self.nothing.setWordWrap(True)
        self.nothing.setProperty("role", "muted")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(10)
        for widget in (self.bar, self.nothing):
            self._column.addWidget(widget)
            widget.hide()
        self._column.addWidget(self.grid, 1)
        self.bar.changed.connect(self._show_classes)
        self.grid.opened.connect(self._on_opened)
        self.grid.name_typed.connect(self.rename)
        self.grid.viewport().installEventFilter(self)
        find = QShortcut(QKeySequence.StandardKey.Find, self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        find.activated.connect(self._on_find)

    def show_photos(self, photo_set: PhotoSet) -> None:
        """Show the classes of a set; what is known stays where it is, with its pictures."""
        if self._photo_set and self._photo_set.root != photo_set.root:
            self.bar.clear()
        self._photo_set = photo_set
        self.bar.setVisible(len(photo_set.classes) > MANY_CLASSES)
        if not self.bar.isVisibleTo(self):
            self.bar.clear()
        self._show_classes()
        if self.gallery:
            self.gallery.show_photos(photo_set)

    def set_trailing(self, widget: QWidget) -> None:
        """Put a widget where the next class would be, or below the list once the classes fill it."""
        self._trailing = widget
        widget.setParent(self)
        widget.show()
        self._place_trailing()

    def rename(self, old: str, new: str) -> None:
        """Ask for another name of a class; if another class has it, the person is asked first."""
        if not new or new == old or self._photo_set is None:
            return
        self._renamed = new
        if new in self._photo_set.counts:
            counts = self._photo_set.counts
            ask_to_merge(self.window(), old, new, counts, lambda: self.rename_wanted.emit(old, new))
        else:
            self.rename_wanted.emit(old, new)

    def show_gallery(self, name: str) -> None:
        """Show the photos of a class."""
        if self._photo_set is None:
            return
        if self.gallery is None:
            self.gallery = Gallery(self._thumbnails, self)
            self.gallery.leave_out_wanted.connect(self.leave_out_wanted)
            self.gallery.put_back_wanted.connect(self.put_back_wanted)
        self.gallery.show_class(self._photo_set, name)

    def close_gallery(self) -> None:
        """Close the window with the photos of a class, if it is open."""
        if self.gallery:
            self.gallery.reject()

    def menu_for(self, row: int) -> QMenu:
        """Return what can be done with a class."""
        name = self.grid.name(row)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Show photos", lambda: self.show_gallery(name))
        menu.addAction("Rename…", lambda: self.grid.rename(self._row_of(name)))
        merge = menu.addAction("Merge into…", lambda: self._ask_where_to_merge(name))
        merge.setEnabled(self._photo_set is not None and len(self._photo_set.classes) > 1)
        menu.addSeparator()
        folder = self._folder_of(name)
        show = menu.addAction("Show in folder", lambda: _open_folder(folder))
        show.setEnabled(folder is not None)
        return menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer what can be done with the class under the mouse, or under the keyboard."""
        by_mouse = event.reason() is QContextMenuEvent.Reason.Mouse
        at = self.grid.viewport().mapFromGlobal(event.globalPos())
        row = self.grid.indexAt(at).row() if by_mouse else self.grid.currentIndex().row()
        if row < 0:
            return
        self.grid.go_to(row)
        place = self.grid.viewport().mapToGlobal(self.grid.tile_rect(row).center())
        self.menu_for(row).popup(event.globalPos() if by_mouse else QPoint(place))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Find the trailing widget another place."""
        super().resizeEvent(event)
        self._place_trailing()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Follow the size of the grid."""
        if event.type() is QEvent.Type.Resize:
            self._place_trailing()
        return super().eventFilter(watched, event)

    def _show_classes(self) -> None:
        if self._photo_set is None:
            return
        names = self.bar.wanted(self._photo_set)
        self.grid.show_classes(self._photo_set, names)
        if self._renamed in names and not self.grid.currentIndex().isValid():  # the keyboard stays with the class
            self.grid.go_to(names.index(self._renamed))
            self._renamed = ""
        self.nothing.setText(f"No class is called “{self.bar.search.text().strip()}”.")
        self.nothing.setVisible(not names and bool(self.bar.search.text()))
        self._place_trailing()

    def _place_trailing(self) -> None:
        """Lay the widget over the first free place of the grid if that is in sight, else in a row of its own."""
        if self._trailing is None:
            return
        rect = self.grid.tile_rect(len(self.grid.keys)).translated(self.grid.mapTo(self, QPoint()))
        above = self.bar.height() + self._column.spacing() if self.bar.isVisibleTo(self) else 0
        lines = len(self.grid.keys) // self.grid.columns + 1
        fits = above + lines * self.grid.cell.height() <= self.height() + self.grid.gap
        is_below = self._column.indexOf(self._trailing) >= 0
        if fits and is_below:
            self._column.removeWidget(self._trailing)
        elif not fits and not is_below:
            self._column.addWidget(self._trailing)
        if fits:
            self._trailing.setGeometry(QRect(rect))
            self._trailing.raise_()

    def _on_find(self) -> None:
        if self.bar.isVisible():
            self.bar.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.bar.search.selectAll()

    def _on_opened(self, row: int) -> None:
        self.show_gallery(self.grid.name(row))

    def _ask_where_to_merge(self, name: str) -> None:
        if self._photo_set:
            others = [other for other in self._photo_set.classes if other != name]
            MergeDialog(self.window(), name, others, self.rename_wanted.emit).open()

    def _row_of(self, name: str) -> int:
        return self.grid.keys.index(name) if name in self.grid.keys else -1

    def _folder_of(self, name: str) -> Path | None:
        photos = self._photo_set.of_class(name) if self._photo_set else ()
        try:
            folder = Path(os.path.commonpath({str(photo.path.parent) for photo in photos}))
        except ValueError:  # none, or on several drives
            return None
        return folder if folder != folder.parent and folder.is_dir() else None


def _open_folder(folder: Path | None) -> None:
    if folder:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
