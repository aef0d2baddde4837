"""The files of a finding, side by side where they belong together, and what can be done with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QMouseEvent, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from hubstudio.core.photos import PhotoSet, Problem, count_of, name_below
from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.widgets.buttons import dialog_button
from hubstudio.gui.widgets.elided_label import ElidedLabel
from hubstudio.gui.widgets.flow import CardGrid
from hubstudio.gui.widgets.photo_view import PhotoView
from hubstudio.gui.widgets.scroll_column import ScrollColumn
from hubstudio.gui.widgets.wrapped_label import WrappedLabel

_SIDE = 128
_PER_PAGE = 36
_FEW = 4  # files that fit in one row
_MOST_LINES = 5000
_ONLY_NAMED = frozenset(
    (
        "not_photos", "empty_class", "closed_folder", "table_lines", "loose_photos", "missing", "one_level_too_deep",
        "left_out_missing", "left_out_given",
    )
)  # fmt: skip
"""Kinds whose files are none of the photos, or not to be chosen among here: they are listed."""
_ONE_WILL_DO = frozenset(("copies", "look_alikes", "leak"))
"""Kinds of which one photo of each group says as much as all."""


@dataclass(frozen=True)
class Stack:
    """Files that stand side by side under one heading."""

    heading: str
    files: tuple[Path, ...]


class ProblemDialog(QDialog):
    """Shows the files of a problem in pages; those ticked can be left out and put back. Changes nothing itself."""

    leave_out_wanted = Signal(object)  # list[Path]
    put_back_wanted = Signal(object)  # list[Path]
    undo_wanted = Signal()
    redo_wanted = Signal()

    def __init__(self, problem: Problem, photo_set: PhotoSet, thumbnails: Thumbnails, parent: QWidget) -> None:
        super().__init__(parent)
        self._problem, self._photo_set, self._thumbnails = problem, photo_set, thumbnails
        self._left_out: frozenset[Path] = frozenset()
        self._by_name: tuple[Path, dict[str, Path]] | None = None
        self._ticked: set[Path] = set()
        self._pages = pages_of(problem)
        self._page = 0
        self.tiles: dict[Path, PhotoTile] = {}
        self.setObjectName("problem_dialog")
        self.setWindowTitle("Photos with this finding")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.leave_out = dialog_button("Leave out ticked", "leave_out_ticked")
        self.put_back = dialog_button("Put back ticked", "put_back_ticked")
        self.all_but_one = dialog_button("Leave out all but one of each group", "leave_out_all_but_one")
        self.former = dialog_button("Previous page", "previous_page")
        self.next = dialog_button("Next page", "next_page")
        self.place = QLabel()
        self.place.setProperty("role", "muted")
        self.status = WrappedLabel("", "muted", "ticked_photos")
        self.close_button = dialog_button("Close", "close_problem")
        self.content = QWidget()
        self._column = QVBoxLayout(self.content)
        self._column.setContentsMargins(0, 0, 8, 0)
        self._column.setSpacing(14)
        self.scrolled = ScrollColumn(self.content)
        self.listed = QPlainTextEdit()
        self._lay_out()
        self._connect()
        self._show_page()
        first = next(iter(self.tiles.values()), None)
        (first.tick if first else self.close_button).setFocus(Qt.FocusReason.OtherFocusReason)

    def show_left_out(self, names: Iterable[str], root: Path) -> None:
        """Show which of the files are left out now, by their names below ``root``."""
        gone = tuple(names)
        if gone and (self._by_name is None or self._by_name[0] != root):  # many files: once, and only if it must be
            self._by_name = root, {name_below(path, root): path for path in self._problem.files}
        by_name = self._by_name[1] if self._by_name else {}
        self._left_out = frozenset(by_name[name] for name in gone if name in by_name)
        for path, tile in self.tiles.items():
            tile.show_left_out(path in self._left_out)
        self._refresh()

    @property
    def offers_choices(self) -> bool:
        """Whether the files are photos that can be left out."""
        return self._problem.kind not in _ONLY_NAMED

    def _connect(self) -> None:
        self.leave_out.clicked.connect(self._on_leave_out_clicked)
        self.put_back.clicked.connect(self._on_put_back_clicked)
        self.all_but_one.clicked.connect(self._on_all_but_one_clicked)
        self.former.clicked.connect(lambda: self._turn(-1))
        self.next.clicked.connect(lambda: self._turn(1))
        self.close_button.clicked.connect(self.close)
        for key, wanted in (
            (QKeySequence.StandardKey.Undo, self.undo_wanted),
            (QKeySequence.StandardKey.Redo, self.redo_wanted),
        ):
            QShortcut(QKeySequence(key), self).activated.connect(wanted)

    def _turn(self, step: int) -> None:
        self._page = min(max(self._page + step, 0), len(self._pages) - 1)
        self._show_page()
        self.scrolled.verticalScrollBar().setValue(0)

    def _show_page(self) -> None:
        self.tiles.clear()
        while item := self._column.takeAt(0):
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        if self.offers_choices and self._pages:
            files = [path for stack in self._pages[self._page] for path in stack.files]
            classes, details = classes_of(self._photo_set, files), details_of(self._problem, files)
            for stack in self._pages[self._page]:
                self._column.addWidget(self._stack(stack, classes, details))
            self._column.addStretch(1)
        self.place.setText(f"Page {self._page + 1:,} of {len(self._pages):,}")
        for widget in (self.former, self.next, self.place):
            widget.setVisible(self.offers_choices and len(self._pages) > 1)
        self.former.setEnabled(self._page > 0)
        self.next.setEnabled(self._page < len(self._pages) - 1)
        self._refresh()

    def _stack(self, stack: Stack, classes: Mapping[Path, str], details: Mapping[Path, str]) -> QWidget:
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        if stack.heading:
            heading = QLabel(stack.heading)
            heading.setProperty("role", "muted")
            column.addWidget(heading)
        row = QWidget()
        grid = CardGrid(_SIDE + 24)
        row.setLayout(grid)
        for path in stack.files:
            tile = self.tiles[path] = self._tile(path, classes.get(path, ""), details.get(path, ""))
            grid.addWidget(tile)
        column.addWidget(row)
        return box

    def _tile(self, path: Path, class_name: str, detail: str) -> PhotoTile:
        tile = PhotoTile(path, name_below(path, self._photo_set.root), class_name, detail, self._thumbnails)
        tile.tick.setChecked(path in self._ticked)
        tile.show_left_out(path in self._left_out)
        tile.ticked.connect(self._on_ticked)
        return tile

    def _on_ticked(self, path: Path, ticked: bool) -> None:
        (self._ticked.add if ticked else self._ticked.discard)(path)
        self._refresh()

    def _refresh(self) -> None:
        used = self._ticked - self._left_out
        self.leave_out.setEnabled(bool(used))
        self.put_back.setEnabled(bool(self._ticked & self._left_out))
        has_spare = self._problem.kind in _ONE_WILL_DO and next(self._spare(), None) is not None
        self.all_but_one.setVisible(self._problem.kind in _ONE_WILL_DO)
        self.all_but_one.setEnabled(has_spare)
        out = len(self._left_out)
        words = [f"{count_of(len(self._ticked), 'photo')} ticked" if self._ticked else "Tick photos to leave them out"]
        if out:
            words.append(f"{out:,} of these left out")
        self.status.say(" · ".join(words) + ". Your files stay as they are.")

    def _spare(self) -> Iterator[Path]:
        """Yield all photos but the largest of each group, as far as they are used."""
        facts = self._photo_set.facts
        for group in self._problem.groups:
            used = [path for path in group if path not in self._left_out]
            if len(used) > 1:
                kept = max(used, key=lambda path: facts[path].width * facts[path].height if path in facts else 0)
                yield from (path for path in used if path is not kept)

    def _on_leave_out_clicked(self) -> None:
        self._tell(self.leave_out_wanted.emit, lambda path: path not in self._left_out)

    def _on_put_back_clicked(self) -> None:
        self._tell(self.put_back_wanted.emit, lambda path: path in self._left_out)

    def _tell(self, emit: Callable[[object], None], is_meant: Callable[[Path], bool]) -> None:
        paths = [path for path in self._problem.files if path in self._ticked and is_meant(path)]
        self._ticked.clear()
        for tile in self.tiles.values():
            tile.tick.setChecked(False)
        emit(paths)

    def _on_all_but_one_clicked(self) -> None:
        self.leave_out_wanted.emit(list(self._spare()))

    def _lay_out(self) -> None:
        message = WrappedLabel(self._problem.message, "", "problem_message")
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(12)
        column.addWidget(message)
        if self.offers_choices:
            column.addWidget(self.scrolled, 1)
        else:
            column.addWidget(self._list_of_files(), 1)
        turn = _row(self.former, self.place, self.next)
        turn.addStretch(1)
        column.addLayout(turn)
        column.addWidget(self.status)
        buttons = _row(self.leave_out, self.put_back, self.all_but_one)
        buttons.addStretch(1)
        buttons.addWidget(self.close_button)
        column.addLayout(buttons)
        for widget in (self.leave_out, self.put_back, self.status):
            widget.setVisible(self.offers_choices)
        self.leave_out.setProperty("role", "primary")
        is_small = self.offers_choices and len(self._problem.files) <= _FEW
        self.resize(680, 380 if is_small else 600)

    def _list_of_files(self) -> QPlainTextEdit:
        self.listed.setPlainText("\n".join(file_lines(self._problem, self._photo_set.root)))
        self.listed.setObjectName("problem_files")
        self.listed.setAccessibleName("Files with this finding")
        self.listed.setReadOnly(True)
        self.listed.setTabChangesFocus(True)
        self.listed.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        return self.listed


class PhotoTile(QWidget):
    """A photo with a tick at its name, its class and folder, and what is to be said about it."""

    ticked = Signal(object, bool)  # Path

    def __init__(self, path: Path, name: str, class_name: str, detail: str, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._path = path
        self._lines = [line for line in (class_name, detail) if line]
        self.view = PhotoView(thumbnails, _SIDE)
        self.view.show_photo(path)
        self.view.setAccessibleName(f"Photo {name}")
        self.tick = QCheckBox(_short(path.name))
        self.tick.setObjectName("tick_photo")
        self.tick.setAccessibleName(name)
        self.tick.setToolTip(str(path))
        self.tick.toggled.connect(self._on_toggled)
        self.folder = ElidedLabel(Path(name).parent.as_posix(), Qt.TextElideMode.ElideMiddle)
        self.folder.setProperty("role", "muted")
        self.about = WrappedLabel("", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.view)
        column.addWidget(self.tick)
        column.addWidget(self.about)
        if self.folder.text() not in (".", class_name):
            column.addWidget(self.folder)
        else:
            self.folder.setParent(self)
            self.folder.hide()
        column.addStretch(1)
        self.show_left_out(False)

    def show_left_out(self, is_left_out: bool) -> None:
        """Show the photo as one that is used, or as one that is not."""
        lines = [*self._lines, "left out"] if is_left_out else self._lines
        self.about.say(" · ".join(lines))
        self.tick.setAccessibleDescription(self.about.said())
        self.view.setEnabled(not is_left_out)

    def _on_toggled(self, ticked: bool) -> None:
        self.ticked.emit(self._path, ticked)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tick by a click on the photo too."""
        self.tick.toggle()
        event.accept()


def pages_of(problem: Problem) -> list[list[Stack]]:
    """Return the files in pages of a few dozen; a group stays together where a page can hold it."""
    if problem.groups:
        count = len(problem.groups)
        stacks = [
            Stack(f"Group {number:,} of {count:,}" + (", continued" if start else ""), group[start : start + _PER_PAGE])
            for number, group in enumerate(problem.groups, 1)
            for start in range(0, len(group), _PER_PAGE)
        ]
    else:
        files = problem.files
        stacks = [Stack("", files[start : start + _PER_PAGE]) for start in range(0, len(files), _PER_PAGE)]
    pages: list[list[Stack]] = []
    room = 0
    for stack in stacks:
        if len(stack.files) > room:
            pages.append([])
            room = _PER_PAGE
        pages[-1].append(stack)
        room -= len(stack.files)
    return pages


def details_of(problem: Problem, files: Sequence[Path]) -> Mapping[Path, str]:
    """Return what is to be said about some of a problem's files."""
    wanted = set(files)
    return {path: detail for path, detail in zip(problem.files, problem.details, strict=False) if path in wanted}


def classes_of(photo_set: PhotoSet, files: Sequence[Path]) -> Mapping[Path, str]:
    """Return the class of each file that is one of the photos, left out and unreadable ones too."""
    wanted = set(files)
    everything = (*photo_set.photos, *photo_set.left_out, *photo_set.unreadable)
    return {photo.path: photo.class_name for photo in everything if photo.path in wanted}


def file_lines(problem: Problem, root: Path) -> list[str]:
    """Return a line for each file: its name and what is to be said about it."""
    details = problem.details or ("",) * len(problem.files)
    lines = [
        f"{name_below(path, root)}: {detail}" if detail else name_below(path, root)
        for path, detail in zip(problem.files[:_MOST_LINES], details, strict=False)
    ]
    hidden = len(problem.files) - len(lines)
    return [*lines, f"and {hidden:,} more"] if hidden > 0 else lines


def _short(name: str) -> str:
    return name if len(name) <= 16 else f"{name[:8]}…{name[-7:]}"


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    for widget in widgets:
        row.addWidget(widget)
    return row
