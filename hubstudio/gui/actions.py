"""What the menu offers."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal, SignalInstance
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar

from hubstudio.core.project import recent_projects
from hubstudio.core.settings import THEMES


class Actions(QObject):
    """Fills a menu bar and tells what was chosen."""

    new_project_wanted = Signal()
    open_dialog_wanted = Signal()
    project_wanted = Signal(object)  # Path
    table_wanted = Signal()
    close_wanted = Signal()
    undo_wanted = Signal()
    redo_wanted = Signal()
    settings_wanted = Signal()
    theme_chosen = Signal(str)
    about_wanted = Signal()

    def __init__(self, bar: QMenuBar, theme: str) -> None:
        super().__init__(bar)
        file = bar.addMenu("&File")
        self.new_project = self._add(file, "&New project", self.new_project_wanted, QKeySequence.StandardKey.New)
        self.open_project = self._add(file, "&Open project…", self.open_dialog_wanted, QKeySequence.StandardKey.Open)
        self.recent = file.addMenu("&Recent projects")
        self.recent.aboutToShow.connect(self._on_recent_about_to_show)
        file.addSeparator()
        self.choose_table = self._add(file, "Use a &table of photos…", self.table_wanted, None)
        file.addSeparator()
        self.close = self._add(file, "&Close", self.close_wanted, QKeySequence.StandardKey.Quit)
        self.close.setMenuRole(QAction.MenuRole.QuitRole)
        edit = bar.addMenu("&Edit")
        self.undo = self._add(edit, "&Undo", self.undo_wanted, QKeySequence.StandardKey.Undo)
        self.redo = self._add(edit, "&Redo", self.redo_wanted, QKeySequence.StandardKey.Redo)
        self.redo.setShortcuts([QKeySequence("Ctrl+Shift+Z"), QKeySequence("Ctrl+Y")])
        self.show_edits("", "")
        edit.addSeparator()
        self.settings = self._add(edit, "&Settings…", self.settings_wanted, QKeySequence.StandardKey.Preferences)
        self.settings.setMenuRole(QAction.MenuRole.PreferencesRole)
        self.themes = self._theme_menu(bar.addMenu("&View").addMenu("&Theme"), theme)
        about = self._add(bar.addMenu("&Help"), "&About Hub Studio", self.about_wanted, None)
        about.setMenuRole(QAction.MenuRole.AboutRole)

    def show_edits(self, to_undo: str, to_redo: str) -> None:
        """Offer to take back and to do again the edits of these names; nothing where a name is empty."""
        for action, verb, name in ((self.undo, "&Undo", to_undo), (self.redo, "&Redo", to_redo)):
            action.setText(f"{verb}: {name.replace('&', '&&')}" if name else verb)
            action.setEnabled(bool(name))

    def show_theme(self, theme: str) -> None:
        """Tick the theme that is shown."""
        for action in self.themes.actions():
            action.setChecked(action.objectName() == f"theme_{theme}")

    def _add(self, menu: QMenu, text: str, wanted: SignalInstance, key: QKeySequence.StandardKey | None) -> QAction:
        action = QAction(text, self)
        action.setObjectName(text.replace("&", "").rstrip("…").casefold().replace(" ", "_"))
        if key is not None:
            action.setShortcut(QKeySequence(key))
        action.triggered.connect(wanted)
        menu.addAction(action)
        return action

    def _theme_menu(self, menu: QMenu, theme: str) -> QActionGroup:
        group = QActionGroup(self)
        for name, text in zip(THEMES, ("As the &system", "&Light", "&Dark"), strict=True):
            action = QAction(text, group)
            action.setObjectName(f"theme_{name}")
            action.setCheckable(True)
            action.setChecked(name == theme)
            action.triggered.connect(lambda _=False, name=name: self.theme_chosen.emit(name))
            menu.addAction(action)
        return group

    def _on_recent_about_to_show(self) -> None:
        self.recent.clear()
        for folder in recent_projects():
            self._add_recent(folder)
        if self.recent.isEmpty():
            self.recent.addAction("None yet").setEnabled(False)

    def _add_recent(self, folder: Path) -> None:
        action = self.recent.addAction(folder.name.replace("&", "&&"))
        action.setToolTip(str(folder))
        action.triggered.connect(lambda: self.project_wanted.emit(folder))
