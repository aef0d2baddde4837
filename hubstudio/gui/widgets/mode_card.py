"""How to train: a head on frozen features, or the end of the backbone too, how much of it, and what that costs."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QRadioButton, QSlider, QSpinBox, QVBoxLayout, QWidget

from hubstudio.core.backbones import BackboneInfo, ModuleFormat
from hubstudio.core.plan import Mode, Plan
from hubstudio.gui.backbone_words import depth_of, depth_text
from hubstudio.gui.widgets.card import Card
from hubstudio.gui.widgets.features_choice import FeaturesChoice
from hubstudio.gui.widgets.wrapped_label import WrappedLabel

_EXTRACT = "Backbone stays frozen. Photos go through it once; then the head trains in seconds."
_FINE_TUNE = "Also adjusts the end of the backbone. Slower; better when your photos look unlike everyday photos."


class ModeCard(Card):
    """Shows a plan's mode, depth and features, and tells of what is wanted instead."""

    plan_changed = Signal(object)  # Plan
    features_wanted = Signal(str)  # endpoint; empty for the backbone's own feature vector

    def __init__(self) -> None:
        super().__init__("How to train")
        self._plan: Plan | None = None
        self.extract = ModeChoice("Extract features", _EXTRACT)
        self.fine_tune = ModeChoice("Fine-tune", _FINE_TUNE)
        self.reason = WrappedLabel("", "warning", "fine_tune_reason")
        self.depth_choice = DepthChoice()
        self.features = FeaturesChoice()
        self.estimate = WrappedLabel("", "muted", "estimate")
        self._group = QButtonGroup(self)
        for choice in (self.extract, self.fine_tune):
            self._group.addButton(choice.radio)
            self.body.addWidget(choice)
        self.body.addWidget(self.reason)
        self.body.addWidget(self.depth_choice)
        self.body.addWidget(self.features)
        self.body.addStretch(1)
        # toggled, not clicked: screen readers toggle a radio button without clicking it
        self.extract.radio.toggled.connect(self._on_toggled)
        self.fine_tune.radio.toggled.connect(self._on_toggled)
        self.depth_choice.depth_changed.connect(self._on_depth_changed)
        self.features.wanted.connect(self.features_wanted)
        self.show_estimate("")  # its page places it, where no scrolling cuts it
        self.show_choices(None, None)

    def show_choices(self, plan: Plan | None, backbone: BackboneInfo | None) -> None:
        """Show the plan's choices, within what the backbone allows."""
        self._plan = plan
        why_not = reason_against_fine_tuning(backbone)
        mode = plan.mode if plan else Mode.EXTRACT
        self.extract.show_state(chosen=mode is Mode.EXTRACT, possible=plan is not None)
        self.fine_tune.show_state(chosen=mode is Mode.FINE_TUNE, possible=plan is not None and not why_not)
        self.reason.say(why_not)
        self.reason.setVisible(bool(why_not))
        can_move = plan is not None and backbone is not None and bool(backbone.blocks) and not why_not
        self.depth_choice.setVisible(can_move)
        if plan and backbone and can_move:
            self.depth_choice.show_depth(depth_of(plan, backbone), backbone)
        self.features.show_backbone(backbone)

    def add_below_features(self, widget: QWidget) -> None:
        """Put something below the choice of features."""
        self.body.insertWidget(self.body.indexOf(self.features) + 1, widget, 0, Qt.AlignmentFlag.AlignLeft)

    def show_estimate(self, text: str) -> None:
        """Say what the training will take; nothing while nobody knows."""
        self.estimate.say(text)
        self.estimate.setVisible(bool(text))

    def _on_toggled(self, checked: bool) -> None:
        mode = Mode.EXTRACT if self.extract.radio.isChecked() else Mode.FINE_TUNE
        if checked and self._plan and self._plan.mode is not mode:
            self.plan_changed.emit(self._plan.with_mode(mode))

    def _on_depth_changed(self, depth: int, blocks: int) -> None:
        plan = self._plan
        if plan is None:
            return
        mode = Mode.FINE_TUNE if depth else Mode.EXTRACT
        if plan.mode is not mode:
            plan = plan.with_mode(mode)
        if depth:  # the head alone keeps the depth for when somebody fine-tunes again
            plan = replace(plan, unfreeze="all" if depth == blocks else depth)
        self.plan_changed.emit(plan)


class ModeChoice(Card):
    """A radio button and the sentence to it; the whole card can be clicked."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__()
        self.radio = QRadioButton(name)
        self.radio.setObjectName(name.casefold().replace(" ", "_").replace("-", "_"))
        self.radio.setAccessibleName(name)
        self.radio.setAccessibleDescription(sentence)
        self.header.insertWidget(0, self.radio, 1)
        self.body.addWidget(WrappedLabel(sentence, "muted"))
        self.set_compact()

    def show_state(self, *, chosen: bool, possible: bool) -> None:
        """Show whether it is the one in use, and whether it can be chosen."""
        self.set_chosen(chosen)
        with QSignalBlocker(self.radio):
            self.radio.setChecked(chosen)
        self.setEnabled(possible)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Let the whole card be clicked."""
        if event.button() is Qt.MouseButton.LeftButton and self.isEnabled():
            self.radio.setFocus()
            self.radio.click()
        super().mousePressEvent(event)


class DepthChoice(QWidget):
    """How many of the last blocks move: a slider from the head only to everything, and a number to type."""

    depth_changed = Signal(int, int)  # depth, blocks in all

    def __init__(self) -> None:
        super().__init__()
        self._backbone: BackboneInfo | None = None
        self.sentence = WrappedLabel("", "", "depth_sentence")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName("depth_slider")
        self.slider.setAccessibleName("Blocks to fine-tune, slider")
        self.number = QSpinBox()
        self.number.setObjectName("depth_number")
        self.number.setAccessibleName("Blocks to fine-tune")
        self.number.setKeyboardTracking(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.sentence)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self.slider, 1)
        row.addWidget(self.number)
        layout.addLayout(row)
        layout.addLayout(self._ends())
        self.slider.valueChanged.connect(self._on_value_changed)
        self.number.valueChanged.connect(self._on_value_changed)

    def show_depth(self, depth: int, backbone: BackboneInfo) -> None:
        """Show a depth without telling of it."""
        self._backbone = backbone
        with QSignalBlocker(self.slider), QSignalBlocker(self.number):
            for control in (self.slider, self.number):
                control.setRange(0, len(backbone.blocks))
                control.setValue(depth)
        sentence = depth_text(depth, backbone)
        self.sentence.say(sentence)
        for control in (self.slider, self.number):
            control.setAccessibleDescription(sentence)

    def _on_value_changed(self, depth: int) -> None:
        if backbone := self._backbone:
            self.show_depth(depth, backbone)
            self.depth_changed.emit(depth, len(backbone.blocks))

    def _ends(self) -> QHBoxLayout:
        row = QHBoxLayout()
        for text in ("head only", "everything"):
            label = QLabel(text)
            label.setProperty("role", "muted")
            row.addWidget(label)
        row.insertStretch(1, 1)
        row.addSpacing(self.number.sizeHint().width() + 10)
        return row


def reason_against_fine_tuning(backbone: BackboneInfo | None) -> str:
    """Return why a backbone cannot be fine-tuned, or an empty string."""
    if backbone is None or backbone.trainable:
        return ""
    if backbone.format is ModuleFormat.TF1:
        return f"'{backbone.name}' is in TF1 hub format, which TensorFlow 2 can run but not fine-tune."
    return f"'{backbone.name}' holds no weights that can be trained further."
