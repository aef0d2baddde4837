"""A place that files and folders can be dropped on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from hubstudio.gui.photo_folders import Offer
from hubstudio.gui.widgets.wrapped_label import WrappedLabel

_REST, _HOVERED, _REFUSING = "false", "true", "refusing"


class DropZone(QFrame):
    """Says what it takes; while something is dragged over it, what a drop would do; and tells of what was dropped.

    What cannot be used is taken too, and told in ``refused``: the reason stays to be read after the drop.
    """

    dropped = Signal(object)  # list[Path] of local files and folders
    refused = Signal(object)  # Offer that is not possible

    offer_for: Callable[[Sequence[Path]], Offer] | None = None
    """Answers at once what a drop of paths would do; without it, every drop is taken."""

    def __init__(self, accessible_name: str, prompt: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(accessible_name.casefold().replace(" ", "_"))
        self.setAccessibleName(accessible_name)
        self.setAccessibleDescription(prompt)
        self.setProperty("role", "drop")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAcceptDrops(True)
        self._prompt = prompt
        self._offer: tuple[list[Path], Offer] | None = None
        self.prompt = WrappedLabel(prompt)
        self.prompt.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(16, 16, 16, 16)
        self.body.setSpacing(8)
        self.body.addWidget(self.prompt)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take what holds local files, and say what a drop would do."""
        if paths := local_paths(event.mimeData()):
            self._say(self._offer_for(paths))
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Keep taking it."""
        event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Look as before."""
        self._rest()
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Tell of the files, or why they cannot be used."""
        self._rest()
        if paths := local_paths(event.mimeData()):
            event.acceptProposedAction()
            offer = self._offer_for(paths)
            self._offer = None
            if offer and not offer.is_possible:
                self.refused.emit(offer)
            else:
                self.dropped.emit(paths)

    def take_drops_on(self, widget: QWidget) -> None:
        """Treat what is dragged over a widget around this zone as if it were over the zone."""
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Take the drags over the widgets around."""
        if isinstance(event, QDragEnterEvent):
            self.dragEnterEvent(event)
        elif isinstance(event, QDragMoveEvent) and event.type() is QEvent.Type.DragMove:
            self.dragMoveEvent(event)
        elif isinstance(event, QDropEvent) and event.type() is QEvent.Type.Drop:
            self.dropEvent(event)
        elif isinstance(event, QDragLeaveEvent):
            self.dragLeaveEvent(event)
        else:
            return super().eventFilter(watched, event)
        return True

    def _offer_for(self, paths: list[Path]) -> Offer | None:
        """Ask once for one drag; what was dragged does not change before it is dropped."""
        if self.offer_for is None:
            return None
        if self._offer is None or self._offer[0] != paths:
            self._offer = paths, self.offer_for(paths)
        return self._offer[1]

    def _say(self, offer: Offer | None) -> None:
        sentence = f"{offer.sentence} {offer.next_step}".strip() if offer else self._prompt
        self.prompt.say(sentence)
        self.setAccessibleDescription(sentence)
        self._set_look(_HOVERED if offer is None or offer.is_possible else _REFUSING)

    def _rest(self) -> None:
        self.prompt.say(self._prompt)
        self.setAccessibleDescription(self._prompt)
        self._set_look(_REST)

    def _set_look(self, look: str) -> None:
        if self.property("hovered") != look:
            self.setProperty("hovered", look)
            for widget in (self, self.prompt):
                widget.style().unpolish(widget)
                widget.style().polish(widget)


def local_paths(data: QMimeData) -> list[Path]:
    """Return the local files and folders in dragged or copied data."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile() and url.toLocalFile()]
