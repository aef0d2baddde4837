"""Holds the comparison's dialog to the session: what can be compared, what is going on, and what is wanted."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from hubstudio.core.errors import StudioError
from hubstudio.gui.session import Session
from hubstudio.gui.widgets.compare_dialog import CompareDialog

_OUTDATED = "by the photos and settings from before their last change"


class ComparisonView(QObject):
    """Makes the dialog when it is first wanted: its plot takes a moment."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._session, self._parent = session, parent
        self.dialog: CompareDialog | None = None
        session.comparison.changed.connect(self._show)
        session.comparison.failed.connect(self._on_failed)
        session.backbones.shelf_changed.connect(self._show)
        session.backbone_changed.connect(self._show)
        session.split_changed.connect(self._show)

    def show_dialog(self) -> None:
        """Show the dialog, with the last results if there are some."""
        if self.dialog is None:
            self.dialog = CompareDialog(self._parent)
            self.dialog.start_wanted.connect(self._on_start_wanted)
            self.dialog.cancel_wanted.connect(self._session.comparison.cancel)
            self.dialog.backbone_wanted.connect(self._session.backbones.use_row)
            self._session.comparison.progressed.connect(self.dialog.show_progress)
        self._show()
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def _on_start_wanted(self, handles: list[str]) -> None:
        if self.dialog:
            self.dialog.problem.show_error(None)
        self._session.comparison.start(handles)

    def _on_failed(self, error: StudioError) -> None:
        if self.dialog:
            self.dialog.problem.show_error(error)

    def _show(self) -> None:
        if self.dialog is None:
            return
        session, desk = self._session, self._session.comparison
        rows = [row for row in session.backbones.shelf.rows if row.presence.is_usable]
        self.dialog.show_choices(rows, desk.chosen)
        self.dialog.show_reason("" if session.photos_are_checked else "The photos have to be checked first.")
        used = session.plan.backbone if session.plan else ""
        shelf = session.backbones.shelf
        named = [replace(one, name=shelf.name_of(one.backbone)) for one in desk.contenders]
        self.dialog.show_state(named, self._status(), goes_on=desk.is_going_on, used=used)

    def _status(self) -> str:
        desk = self._session.comparison
        if not desk.is_going_on:
            compared = f"{len(desk.contenders)} compared" if desk.contenders else ""
            return f"{compared}, {_OUTDATED}" if compared and desk.is_outdated else compared
        name = self._session.backbones.shelf.name_of(desk.at_hand)
        place = f"{len(desk.contenders) + 1} of {len(desk.chosen)}"
        place = f"{place}, {_OUTDATED}" if desk.is_outdated else place
        return f"{name} waits for other work ({place})" if desk.is_waiting else f"{name} ({place})"
