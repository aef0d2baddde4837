"""How training photos are varied: a preset, sliders, and what they do to the person's own photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QHideEvent, QShowEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from hubstudio.core.augmentation import NO_AUGMENTATION, PRESET_REASONS, PRESETS, Augmentation, preset_of
from hubstudio.core.plan import Mode
from hubstudio.gui.augmentation_preview import AugmentationPreview, Example
from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.widgets.augmentation_form import AugmentationForm
from hubstudio.gui.widgets.augmented_photos import AugmentedPhotos
from hubstudio.gui.widgets.buttons import quiet_button
from hubstudio.gui.widgets.card import Card
from hubstudio.gui.widgets.side_by_side import SideBySide
from hubstudio.gui.widgets.wrapped_label import WrappedLabel

_OWN = "Own values"
_OWN_REASON = "Values of your own. A preset puts others in their place."
_WHAT_FOR = "Varying the training photos helps where they are few: what they show then counts, not how they were taken."
_NO_PHOTOS = "Once photos are chosen, some of them are shown here as they will be varied."
_UNREADABLE = "None of the photos that were tried for this preview could be read."
_OPEN, _CLOSED = "▾", "▸"
_STRIPS, _STRIPS_BESIDE_SLIDERS = 2, 3
_NARROW = 620


class AugmentationCard(Card):
    """Shows a plan's augmentation, and tells of what is wanted instead."""

    augmentation_changed = Signal(object)  # Augmentation

    def __init__(self, thumbnails: Thumbnails) -> None:
        super().__init__("Augmentation")
        self._augmentation, self._mode = NO_AUGMENTATION, Mode.EXTRACT
        self._photos: tuple[Path, ...] = ()
        self._found_none = False
        """Whether none of them could be read."""
        self.preset = PresetBox()
        self.reason = WrappedLabel("", "muted", "augmentation_reason")
        self.effect = WrappedLabel("", "muted", "augmentation_effect")
        self.adjust = quiet_button(f"{_CLOSED} Adjust", "augmentation_adjust", "Adjust augmentation")
        self.others = quiet_button("Other examples", "other_examples")
        self.form = AugmentationForm()
        self.photos = AugmentedPhotos()
        self.no_photos = WrappedLabel("", "muted", "augmentation_no_photos")
        self.column = _PreviewColumn()
        self.preview = AugmentationPreview(thumbnails, self)
        self._lay_out()
        self._connect()
        self.show_augmentation(NO_AUGMENTATION, Mode.EXTRACT)

    def show_augmentation(self, augmentation: Augmentation, mode: Mode) -> None:
        """Show how photos are varied in a mode, without telling of it."""
        self._augmentation, self._mode = augmentation, mode
        self.form.show_augmentation(augmentation, mode)
        self._describe()

    def show_photos(self, paths: Sequence[Path]) -> None:
        """Show examples of these photos."""
        if tuple(paths) == self._photos:
            return
        self._photos, self._found_none = tuple(paths), False
        self.photos.show_examples(())
        self._show_what_is_there()

    def _lay_out(self) -> None:
        self.adjust.setCheckable(True)
        self.adjust.setAccessibleDescription("Shows a slider for each kind of change")
        self.others.setAccessibleDescription("Draws other photos and other random numbers for the preview")
        self.form.hide()
        self.column.setMinimumWidth(
            1
        )  # beside the form it gets a half, below it the whole: its own least counts for neither
        label = QLabel("Preset")
        label.setBuddy(self.preset)
        self.header.addWidget(label)
        self.header.addWidget(self.preset)
        buttons = QHBoxLayout()
        buttons.addWidget(self.adjust)
        buttons.addStretch(1)
        buttons.addWidget(self.others)
        for sentence in (self.reason, self.effect):
            self.body.addWidget(sentence)
        self.body.addLayout(buttons)
        for widget in (self.photos, self.no_photos):
            self.column.add(widget)
        self.body.addWidget(SideBySide(self.form, self.column, _NARROW))
        label.raise_()  # behind the box in the order of children: what looks for a name finds the box first

    def _connect(self) -> None:
        self.preset.wanted.connect(self._on_preset_wanted)
        self.adjust.toggled.connect(self._on_folded)
        self.form.changed.connect(self._on_changed)
        self.others.clicked.connect(self.preview.draw_others)
        self.column.sight_changed.connect(self.preview.set_in_sight)
        self.preview.arrived.connect(self._on_arrived)

    def _on_preset_wanted(self, name: str) -> None:
        wanted = replace(PRESETS[name], views=self._augmentation.views)
        self.form.show_augmentation(wanted, self._mode)
        self._on_changed(wanted)

    def _on_changed(self, augmentation: Augmentation) -> None:
        self._augmentation = augmentation
        self._describe()
        self.augmentation_changed.emit(augmentation)

    def _on_folded(self, is_open: bool) -> None:
        self.adjust.setText(f"{_OPEN if is_open else _CLOSED} Adjust")
        self.form.setVisible(is_open)
        self._show_what_is_there()

    def _on_arrived(self, examples: tuple[Example, ...]) -> None:
        self._found_none = not examples
        self.photos.show_examples(examples)
        self._show_what_is_there()

    def _describe(self) -> None:
        name = preset_of(self._augmentation)
        self.preset.show_preset(name)
        self.reason.say(PRESET_REASONS.get(name, _OWN_REASON))
        self.effect.say(effect_text(self._augmentation, self._mode))
        self._show_what_is_there()

    def _show_what_is_there(self) -> None:
        """Show the preview where something is varied or about to be, and say why it is empty."""
        is_wanted = self.adjust.isChecked() or not self._augmentation.is_none
        is_possible = bool(self._photos) and not self._found_none
        most = _STRIPS_BESIDE_SLIDERS if self.adjust.isChecked() else _STRIPS
        count = min(most, len(self._photos))
        self.photos.show_strips(count)
        self.photos.setVisible(is_possible)
        self.others.setVisible(is_wanted and bool(self._photos))
        self.no_photos.say(_UNREADABLE if self._photos else _NO_PHOTOS)
        self.no_photos.setVisible(not is_possible)
        self.column.setVisible(is_wanted)
        self.preview.want(self._photos, self._augmentation, count)


class _PreviewColumn(QWidget):
    """Holds the preview or what is said instead; tells when it comes into sight and leaves it."""

    sight_changed = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addStretch(1)

    def add(self, widget: QWidget) -> None:
        self._column.insertWidget(self._column.count() - 1, widget)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.sight_changed.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.sight_changed.emit(False)


class PresetBox(QComboBox):
    """The presets; an entry for one's own values is there while they are none of them."""

    wanted = Signal(str)  # name of a preset

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("augmentation_preset")
        self.setAccessibleName("Preset of the augmentation")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        for name in PRESETS:
            self.addItem(name.capitalize(), name)
            self.setItemData(self.count() - 1, PRESET_REASONS[name], Qt.ItemDataRole.ToolTipRole)
        self.activated.connect(self._on_activated)

    def show_preset(self, name: str) -> None:
        """Show a preset's name, or that values are one's own."""
        with QSignalBlocker(self):
            own = self.findText(_OWN)
            if name and own >= 0:
                self.removeItem(own)
            elif not name and own < 0:
                self.addItem(_OWN, "")
            self.setCurrentIndex(self.findData(name))
        self.setAccessibleDescription(PRESET_REASONS.get(name, _OWN_REASON))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the page unless the box was chosen."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()

    def _on_activated(self, place: int) -> None:
        if name := self.itemData(place):
            self.wanted.emit(name)


def effect_text(augmentation: Augmentation, mode: Mode) -> str:
    """Return what varying photos means for a training in this mode, in words."""
    if augmentation.is_none:
        return _WHAT_FOR
    if mode is Mode.FINE_TUNE:
        return (
            "Each photo is varied anew in every epoch. So the blocks that stay frozen run again in every epoch, too, "
            "which takes longer than without."
        )
    times = "once more" if augmentation.views == 1 else f"{augmentation.views} more times"
    return f"Each training photo goes through the backbone {times}, varied; kept, so a second training is fast."
