"""The six pages, each built when it is first needed: the window must not wait for what it does not show."""

from __future__ import annotations

import sys
from importlib import import_module

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget

from hubstudio.gui.pages.page import Page
from hubstudio.gui.session import Session
from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.widgets.scroll_column import ScrollColumn

_PAGES = "hubstudio.gui.pages"


class PageStack(QStackedWidget):
    """Shows one page at a time."""

    page_built = Signal(object)  # Page

    def __init__(self, session: Session, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._session = session
        self._thumbnails = thumbnails
        self._pages: dict[str, Page] = {}
        self._frames: dict[str, ScrollColumn] = {}

    def built(self, step: str) -> Page | None:
        """Return the step's page if it was needed before."""
        return self._pages.get(step)

    def loads(self, step: str) -> bool:
        """Read the code of the step's page, which takes as long as building it; False if that was done before."""
        module = f"{_PAGES}.{step}_page"
        if module in sys.modules:
            return False
        import_module(module)
        return True

    def page(self, step: str) -> Page:
        """Return the step's page."""
        if step not in self._pages:
            page = self._pages[step] = _make(step, self._session, self._thumbnails)
            frame = self._frames[step] = ScrollColumn(page, sideways=True)
            self.addWidget(frame)
            self.page_built.emit(page)
        return self._pages[step]

    def show_step(self, step: str) -> None:
        """Show the step's page."""
        page = self.page(step)
        self.setCurrentWidget(self._frames[step])
        page.entered()

    def clear(self) -> None:
        """Let all pages go: another project begins with new ones."""
        for frame in self._frames.values():
            self.removeWidget(frame)
            frame.hide()
            frame.deleteLater()
        self._pages.clear()
        self._frames.clear()


def _make(step: str, session: Session, thumbnails: Thumbnails) -> Page:
    match step:
        case "photos":
            from hubstudio.gui.pages.photos_page import PhotosPage

            return PhotosPage(session, thumbnails)
        case "backbone":
            from hubstudio.gui.pages.backbone_page import BackbonePage

            return BackbonePage(session)
        case "train":
            from hubstudio.gui.pages.train_page import TrainPage

            return TrainPage(session, thumbnails)
        case "review":
            from hubstudio.gui.pages.review_page import ReviewPage

            return ReviewPage(session)
        case "classify":
            from hubstudio.gui.pages.classify_page import ClassifyPage

            return ClassifyPage(session, thumbnails)
        case _:
            from hubstudio.gui.pages.export_page import ExportPage

            return ExportPage(session)
