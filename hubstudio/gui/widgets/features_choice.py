"""Which of the backbone's features the head learns from: its own vector, or those of an earlier layer."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QLabel, QVBoxLayout, QWidget

from hubstudio.core.backbones import BackboneInfo
from hubstudio.gui.backbone_words import endpoint_text
from hubstudio.gui.widgets.wrapped_label import WrappedLabel

_OWN = "Feature vector (recommended)"
_TIP = (
    "Earlier layers see edges, colours and textures, the last ones things. An earlier one can be better on photos "
    "that look unlike everyday photos, such as drawings or microscopy."
)


class FeaturesChoice(QWidget):
    """Hidden for a backbone that offers only its own feature vector."""

    wanted = Signal(str)  # endpoint; empty for the own feature vector

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self.box = QComboBox()
        self.box.setObjectName("features")
        self.box.setAccessibleName("Features to learn from")
        self.box.setAccessibleDescription(_TIP)
        self.box.setToolTip(f"<qt>{_TIP}</qt>")
        self.box.setMinimumContentsLength(10)
        self.box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.hint = WrappedLabel("", "muted", "features_hint")
        label = QLabel("Features")
        label.setBuddy(self.box)
        label.setToolTip(self.box.toolTip())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        for widget in (label, self.box, self.hint):
            column.addWidget(widget)
        label.raise_()  # behind the box in the order of children: what looks for a name finds the box first
        self.box.activated.connect(self._on_activated)
        self.hide()

    def show_backbone(self, backbone: BackboneInfo | None) -> None:
        """Offer the endpoints of a backbone, in depth order, its own vector first."""
        endpoints = backbone.endpoints if backbone else ()
        self.setVisible(bool(endpoints))
        if backbone is None or not endpoints:
            return
        names = ("", *(endpoint.name for endpoint in endpoints))
        texts = (_OWN, *map(endpoint_text, endpoints))
        with QSignalBlocker(self.box):
            if self._shown() != texts:
                self.box.clear()
                self.box.addItems(texts)
            self._names = names
            self.box.setCurrentIndex(names.index(backbone.features_name) if backbone.features_name in names else 0)
        self.hint.say(f"{backbone.features:,} features for each photo")

    def _on_activated(self, place: int) -> None:
        self.wanted.emit(self._names[place])

    def _shown(self) -> tuple[str, ...]:
        return tuple(self.box.itemText(place) for place in range(self.box.count()))
