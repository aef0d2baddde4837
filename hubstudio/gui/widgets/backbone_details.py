"""A look inside a backbone: its facts, its blocks and the places where its features can be taken."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QTabWidget, QVBoxLayout, QWidget

from hubstudio.core.backbones import BackboneInfo
from hubstudio.gui.backbone_words import shape_text
from hubstudio.gui.shelf import ShelfRow
from hubstudio.gui.widgets.buttons import dialog_button
from hubstudio.gui.widgets.table_twin import Row, TableTwin
from hubstudio.gui.widgets.wrapped_label import WrappedLabel
from hubstudio.gui.wording import size_text

_BLOCKS = ("Block", "Variables", "Parameters", "Share")
_ENDPOINTS = ("Endpoint", "Shape", "Features")


class BackboneDetails(QDialog):
    """Shows what a look inside has found; stays open beside the window and follows what is chosen there."""

    remove_wanted = Signal(str)  # handle

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backbone_details")
        self.resize(620, 640)
        self._handle = ""
        self.title = WrappedLabel("", "heading", "details_title")
        self._facts = QWidget()
        self._grid = QGridLayout(self._facts)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(18)
        self._grid.setVerticalSpacing(5)
        self._grid.setColumnStretch(1, 1)
        self.lines: dict[str, tuple[QLabel, WrappedLabel]] = {}
        self.blocks = TableTwin("Blocks in depth order")
        self.endpoints = TableTwin("Endpoints in depth order")
        self.tabs = QTabWidget()
        self.tabs.addTab(self.blocks, "Blocks")
        self.tabs.addTab(self.endpoints, "Endpoints")
        self.copy = dialog_button("Copy handle", "copy_handle")
        self.remove = dialog_button("Remove from this computer…", "remove_backbone")
        self.close_button = dialog_button("Close", "close_details")
        self._lay_out()
        self.copy.clicked.connect(self._on_copy_clicked)
        self.remove.clicked.connect(lambda: self.remove_wanted.emit(self._handle))
        self.close_button.clicked.connect(self.close)

    def show_backbone(self, info: BackboneInfo, row: ShelfRow | None) -> None:
        """Show a backbone; ``row`` adds what is published of it."""
        self._handle = info.handle
        name = row.name if row else info.name
        self.setWindowTitle(f"Inside {name}")
        self.title.say(name)
        self._show_facts(facts_of(info, row))
        self.blocks.show_rows(_BLOCKS, block_rows(info))
        self.endpoints.show_rows(_ENDPOINTS, endpoint_rows(info))
        self.tabs.setTabText(0, f"Blocks ({len(info.blocks)})")
        self.tabs.setTabText(1, f"Endpoints ({len(info.endpoints)})")
        self.tabs.setTabEnabled(1, bool(info.endpoints))
        self.remove.setVisible(row is not None and row.is_removable)
        if row and row.bytes:
            self.remove.setToolTip(f"Frees {size_text(row.bytes)}")

    def _show_facts(self, facts: list[tuple[str, str]]) -> None:
        for labels in self.lines.values():
            for label in labels:
                self._grid.removeWidget(label)
                label.hide()
        for place, (name, value) in enumerate(facts):
            if name not in self.lines:
                self.lines[name] = _line(name)
            key, label = self.lines[name]
            label.say(value)
            label.setAccessibleName(f"{name}: {value}")
            self._grid.addWidget(key, place, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(label, place, 1)
            key.show()
            label.show()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.copy)
        buttons.addWidget(self.remove)
        buttons.addStretch(1)
        buttons.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(12)
        column.addWidget(self.title)
        column.addWidget(self._facts)
        column.addWidget(self.tabs, 1)
        column.addLayout(buttons)

    def _on_copy_clicked(self) -> None:
        QGuiApplication.clipboard().setText(self._handle)
        self.copy.setText("Copied")
        self.copy.setAccessibleName("Handle copied")


def facts_of(info: BackboneInfo, row: ShelfRow | None) -> list[tuple[str, str]]:
    """Return what is known of a backbone as names and values; what nobody knows is left out."""
    published = row.row if row else None
    fine_tuning = f"yes, in {len(info.blocks)} blocks" if info.trainable else "no, it can only extract features"
    facts = (
        ("Photo size", info.size_text if info.input_size else _any_size(info)),
        ("Pixel values", info.value_range),
        ("Features", f"{info.features:,}" + (f", from '{info.features_name}'" if info.features_name else "")),
        ("Parameters", f"{info.parameters:,}"),
        ("Fine-tuning", fine_tuning),
        ("Format", info.format.value),
        ("Written by", f"TensorFlow {info.producer}" if info.producer[:1].isdigit() else info.producer),
        ("On disk", size_text(info.bytes)),
        ("Made by", published.maker if published else ""),
        ("Licence", published.licence if published else ""),
        ("Note", published.note if published else ""),
        ("Handle", info.handle),
        ("Folder", str(info.folder) if str(info.folder) != info.handle else ""),
    )
    return [(name, value) for name, value in facts if value]


def block_rows(info: BackboneInfo) -> list[Row]:
    """Return the rows of the table of blocks, from the pixels to the features."""
    whole = max(info.parameters, 1)
    return [
        (block.name, f"{block.variables:,}", f"{block.parameters:,}", f"{block.parameters / whole * 100:.1f} %")
        for block in info.blocks
    ]


def endpoint_rows(info: BackboneInfo) -> list[Row]:
    """Return the rows of the table of endpoints, from the pixels to the features."""
    return [(endpoint.name, shape_text(endpoint.shape), f"{endpoint.features:,}") for endpoint in info.endpoints]


def _any_size(info: BackboneInfo) -> str:
    return f"any size, {info.default_size} px unless you choose another" if info.default_size else "any size"


def _line(name: str) -> tuple[QLabel, WrappedLabel]:
    key, value = QLabel(name), WrappedLabel()
    key.setProperty("role", "muted")
    value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return key, value
