"""All connections of the window: between session, side, pages and menu, in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from hubstudio.gui.pages.page import Page

if TYPE_CHECKING:
    from hubstudio.gui.main_window import MainWindow


def connect_window(window: MainWindow) -> None:
    """Connect everything that lives as long as the window."""
    session, actions = window.session, window.menu
    session.project_changed.connect(window.refresh_soon)
    session.run_state_changed.connect(window.on_run_state_changed)
    session.failed.connect(window.on_failed)
    session.runs.changed.connect(window.on_runs_changed)
    session.training.found_too_large.connect(window.on_found_too_large)
    session.history_changed.connect(window.refresh_soon)
    window.painted.connect(window.refresh_soon)
    window.pages.page_built.connect(window.on_page_built)
    window.sidebar.step_wanted.connect(window.show_step)
    window.resume_bar.resume_wanted.connect(window.resume_training)
    window.resume_bar.discard_wanted.connect(session.runs.delete)
    window.resume_bar.undo_wanted.connect(session.runs.undo_delete)
    window.step_bar.back_wanted.connect(window.go_back)
    window.step_bar.next_wanted.connect(window.go_on)
    actions.new_project_wanted.connect(window.new_project)
    actions.open_dialog_wanted.connect(window.choose_project)
    actions.project_wanted.connect(window.open_project)
    actions.table_wanted.connect(window.choose_table)
    actions.undo_wanted.connect(session.undo)
    actions.redo_wanted.connect(session.redo)
    actions.close_wanted.connect(window.close)
    actions.settings_wanted.connect(window.show_settings)
    session.preferences.changed.connect(window.on_settings_changed)
    session.preferences.failed.connect(window.show_problem)
    actions.theme_chosen.connect(window.on_theme_chosen)
    actions.about_wanted.connect(window.show_about)


def connect_page(window: MainWindow, page: Page) -> None:
    """Connect a page that was just built."""
    from hubstudio.gui.pages.backbone_page import BackbonePage
    from hubstudio.gui.pages.photos_page import PhotosPage

    page.done_changed.connect(window.refresh_soon)
    if isinstance(page, PhotosPage):  # queued: opening another project lets the asking page go
        page.project_wanted.connect(window.open_project, Qt.ConnectionType.QueuedConnection)
    if isinstance(page, BackbonePage):
        page.settings_wanted.connect(window.show_settings)
