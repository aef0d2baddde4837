"""A backbone to choose from: what is published of it, what is here, and the way to get it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QWidget

from hubstudio.core.backbones import BackboneInfo
from hubstudio.gui import backbone_words as words
from hubstudio.gui.downloads import Download
from hubstudio.gui.shelf import Presence, ShelfRow
from hubstudio.gui.theme import set_role
from hubstudio.gui.widgets.buttons import inline_button
from hubstudio.gui.widgets.card import Card
from hubstudio.gui.widgets.elided_label import ElidedLabel
from hubstudio.gui.widgets.elided_radio import ElidedRadio

_BAD = (Presence.BROKEN, Presence.REFUSED, Presence.GONE)
_BAR_STEPS = 1000
_HERE_TIP = "Predicted time of this training on this computer, with your photos"
_IMAGENET_TIP = "Share of ImageNet's validation photos that the whole network names rightly, as published"


@dataclass(frozen=True)
class CardFacts:
    """All that a card shows."""

    row: ShelfRow
    info: BackboneInfo | None = None
    download: Download | None = None
    seconds: float | None = None
    """Predicted for the project's photos; None while nothing was measured."""
    is_chosen: bool = False
    is_wanted: bool = False
    """Whether it is chosen as soon as it is here and was looked into."""
    is_recommended: bool = False
    is_offline: bool = False

    @property
    def tag(self) -> str:
        """The word at the card's corner."""
        if self.is_recommended:
            return "recommended"
        return "works offline" if self.row.presence is Presence.BUNDLED else ""

    @property
    def state(self) -> str:
        """What is going on with it, or where it is."""
        if self.is_wanted and not self.download:
            return "Looking inside …"
        return words.state_text(self.row, self.download)

    @property
    def action(self) -> str:
        """What the button offers; empty where there is nothing to fetch."""
        return "" if self.download else words.action_text(self.row)

    @property
    def sentence(self) -> str:
        """The card for a screen reader."""
        top1, here, sets = (
            words.imagenet_text(self.row), words.here_text(self.seconds), words.photo_sets_figures(self.row),
        )  # fmt: skip
        parts = (
            self.state,
            self.row.why if self.row.presence is Presence.REFUSED else "",
            self.action,
            words.input_text(self.row, self.info),
            f"ImageNet {top1}" if top1 != "—" else "",
            f"small photo sets {sets}" if sets else "",
            f"about {here} here" if self.seconds is not None else "",
            self.tag,
        )
        return ", ".join(part for part in parts if part)


class BackboneCard(Card):
    """A radio button with the backbone's name; choosing one that is not here leads to its button."""

    wanted = Signal(str)  # handle
    fetch_wanted = Signal(str)  # handle
    cancel_wanted = Signal(str)  # handle
    menu_wanted = Signal(str, QPoint)  # handle, place on the screen

    def __init__(self, row: ShelfRow) -> None:
        super().__init__()
        self.handle = row.handle
        self.facts = CardFacts(row)
        self.choice = ElidedRadio(row.name)
        self.choice.setObjectName("backbone_choice")
        self.choice.setProperty("role", "heading")
        self.tag = QLabel()
        self.tag.setProperty("role", "tag")
        self.state = _small()
        self.state.setObjectName("backbone_state")
        self.action = inline_button("", "fetch_backbone")
        self.cancel = inline_button("Cancel", "cancel_fetch", f"Cancel the download of {row.name}")
        self.input = _small()
        self.imagenet, self.sets, self.here = QLabel(), QLabel(), QLabel()
        self.sets_name = QLabel("sets")
        self.bar = QProgressBar()
        self.rest = _small()
        self.figures, self.progress = self._make_figures(), self._make_progress()
        self._lay_out()
        # toggled, not clicked: screen readers toggle a radio button without clicking it
        self.choice.toggled.connect(self._on_toggled)
        self.action.clicked.connect(lambda: self.fetch_wanted.emit(self.handle))
        self.cancel.clicked.connect(lambda: self.cancel_wanted.emit(self.handle))
        self._show()

    def show_facts(self, facts: CardFacts) -> None:
        """Show what is known now; the same again costs nothing."""
        if facts != self.facts:
            self.facts = facts
            self._show()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Let the whole card be clicked."""
        if event.button() is Qt.MouseButton.LeftButton:
            self.choice.setFocus()
            self.choice.click()
        super().mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu: by the right button, or by the keyboard at the card."""
        is_key = event.reason() is QContextMenuEvent.Reason.Keyboard
        place = self.mapToGlobal(self.rect().center()) if is_key else event.globalPos()
        self.menu_wanted.emit(self.handle, place)

    def _lay_out(self) -> None:
        self.header.insertWidget(0, self.choice, 1)
        self.header.addWidget(self.tag)
        state = QHBoxLayout()
        state.setSpacing(4)
        state.addWidget(self.state, 1)
        state.addWidget(self.action)
        state.addStretch(0)
        state.addWidget(self.input, 0, Qt.AlignmentFlag.AlignRight)
        state.addWidget(self.cancel)
        state.addStrut(self.action.sizeHint().height())
        self._column.setSpacing(2)
        self._column.setContentsMargins(14, 10, 14, 10)
        self.body.setSpacing(2)
        self.body.addLayout(state)
        self.body.addWidget(self.figures)
        self.body.addWidget(self.progress)
        self.progress.setFixedHeight(self.figures.sizeHint().height())  # else cards would jump
        self.body.addStretch(1)

    def _make_figures(self) -> QWidget:
        figures = QWidget()
        row = QHBoxLayout(figures)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        imagenet, here = QLabel("ImageNet"), QLabel("here")
        for label, value in ((imagenet, self.imagenet), (self.sets_name, self.sets), (here, self.here)):
            label.setProperty("role", "muted")
            row.addWidget(label)
            row.addWidget(value)
            row.addSpacing(4)
        for widget, tip in ((imagenet, _IMAGENET_TIP), (self.imagenet, _IMAGENET_TIP), (here, _HERE_TIP)):
            widget.setToolTip(tip)
        self.here.setToolTip(_HERE_TIP)
        row.insertStretch(6, 1)
        return figures

    def _make_progress(self) -> QWidget:
        self.bar.setObjectName("download_progress")
        self.bar.setAccessibleName(f"Download of {self.facts.row.name}")
        self.bar.setTextVisible(False)
        progress = QWidget()
        row = QHBoxLayout(progress)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        row.addWidget(self.bar, 1)
        row.addWidget(self.rest)
        return progress

    def _show(self) -> None:
        facts = self.facts
        self._keep_focus(facts)
        self.choice.set_whole_text(facts.row.name)
        note = facts.row.row.note if facts.row.row else ""
        lines = (facts.row.name, note, words.photo_sets_text(facts.row), self.handle)
        self.choice.setToolTip("\n".join(line for line in lines if line))
        self.choice.setAccessibleDescription(facts.sentence)
        self.tag.setText(facts.tag)
        self.tag.setVisible(bool(facts.tag))
        self._show_state(facts)
        self.imagenet.setText(words.imagenet_text(facts.row))
        self.sets.setText(words.photo_sets_figures(facts.row))
        for widget in (self.sets_name, self.sets):
            widget.setToolTip(words.photo_sets_text(facts.row))
            widget.setVisible(bool(self.sets.text()))
        self.here.setText(words.here_text(facts.seconds))
        self._show_download(facts.download)
        self.set_chosen(facts.is_chosen)
        with QSignalBlocker(self.choice):
            self.choice.setChecked(facts.is_chosen)

    def _keep_focus(self, facts: CardFacts) -> None:
        """Take the focus from a button that goes: Qt would give it to another card, and scroll there."""
        goes = (self.action, not facts.action), (self.cancel, facts.download is None)
        if any(is_gone and button.hasFocus() for button, is_gone in goes):
            self.choice.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_state(self, facts: CardFacts) -> None:
        action = facts.action
        is_plain = facts.row.presence is Presence.ABSENT and bool(action)
        self.state.setText(facts.state)
        self.state.setVisible(not is_plain or facts.is_wanted)
        self.state.setToolTip(facts.row.why or facts.state)
        set_role(self.state, "bad" if facts.row.presence in _BAD else "muted")
        self.action.setText(action)
        self.action.setAccessibleName(f"{action}: {facts.row.name}")
        self.action.setVisible(bool(action))
        self.action.setEnabled(not facts.is_offline)
        self.action.setToolTip("Offline: nothing is downloaded" if facts.is_offline else self.handle)
        self.input.setText(words.input_text(facts.row, facts.info))
        self.input.setVisible(facts.download is None)

    def _show_download(self, download: Download | None) -> None:
        self.cancel.setVisible(download is not None)
        self.figures.setVisible(download is None)
        self.progress.setVisible(download is not None)
        if download:
            show_share(self.bar, download)
            self.rest.setText(download.rest)

    def _on_toggled(self, _: bool) -> None:
        with QSignalBlocker(self.choice):  # what is chosen is shown once it was looked into
            self.choice.setChecked(self.facts.is_chosen)
        if self.facts.row.presence.is_fetchable and not self.facts.download:
            self.action.setFocus(Qt.FocusReason.OtherFocusReason)
        elif not self.facts.download:
            self.wanted.emit(self.handle)


def show_share(bar: QProgressBar, download: Download | None) -> None:
    """Show how far a download is; that something goes on, where nobody knows how far."""
    bar.setMaximum(_BAR_STEPS if download and download.has_known_share else 0)
    bar.setValue(round(download.fraction * _BAR_STEPS) if download else 0)


def _small() -> ElidedLabel:
    label = ElidedLabel()
    label.setProperty("role", "muted")
    return label
