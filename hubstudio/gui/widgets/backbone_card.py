"""A backbone to choose from."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel

from hubstudio.core.backbones import BackboneInfo, bundled_folder, display_name
from hubstudio.gui.widgets.card import Card
from hubstudio.gui.widgets.elided_label import ElidedLabel
from hubstudio.gui.widgets.elided_radio import ElidedRadio
from hubstudio.gui.wording import size_text


class BackboneCard(Card):
    """A radio button with the backbone's name, and what a look inside has shown."""

    wanted = Signal(str)  # handle

    def __init__(self, handle: str) -> None:
        super().__init__()
        self.handle = handle
        name = display_name(handle)
        self.choice = ElidedRadio(name)
        self.choice.setObjectName("backbone_choice")
        self.choice.setToolTip(handle)
        self.choice.setProperty("role", "heading")
        self.choice.toggled.connect(self._on_toggled)
        self.header.insertWidget(0, self.choice, 1)
        self.tag = QLabel("works offline" if bundled_folder(handle) else "")
        self.tag.setProperty("role", "good")
        self.header.addWidget(self.tag)
        self.lines = [(_small(), _small()) for _ in range(2)]
        for left, right in self.lines:
            row = QHBoxLayout()
            row.addWidget(left, 1)
            row.addWidget(right, 0, Qt.AlignmentFlag.AlignRight)
            self.body.addLayout(row)
        self.show_info(None)

    def show_info(self, info: BackboneInfo | None) -> None:
        """Show what is known of the backbone; None before anybody has looked."""
        where = "Bundled" if bundled_folder(self.handle) else ("From the hub" if "://" in self.handle else "Folder")
        if info is None:
            texts = ((where, ""), ("Not looked into yet", ""))
        else:
            blocks = f"{len(info.blocks)} blocks" if info.trainable else "cannot be fine-tuned"
            texts = ((f"{where} · {size_text(info.bytes)}", info.size_text), (f"{info.features:,} features", blocks))
        for labels, words in zip(self.lines, texts, strict=True):
            for label, word in zip(labels, words, strict=True):
                label.setText(word)
        self.choice.setAccessibleDescription(", ".join(word for words in texts for word in words if word))

    def set_chosen(self, chosen: bool) -> None:
        """Show the card as the one in use, or as another."""
        super().set_chosen(chosen)
        with QSignalBlocker(self.choice):
            self.choice.setChecked(chosen)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Let the whole card be clicked."""
        if event.button() is Qt.MouseButton.LeftButton:
            self.choice.setFocus()
            self.choice.click()
        super().mousePressEvent(event)

    def _on_toggled(self, checked: bool) -> None:
        # Screen readers toggle a radio button, which does not count as a click.
        if checked:
            self.wanted.emit(self.handle)


def _small() -> ElidedLabel:
    label = ElidedLabel()
    label.setProperty("role", "muted")
    return label
