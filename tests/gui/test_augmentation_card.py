from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QObject, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QApplication, QComboBox, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from hubstudio.core.augmentation import CHANGES, NO_AUGMENTATION, PRESET_REASONS, PRESETS, Augmentation
from hubstudio.core.plan import Mode
from hubstudio.gui import augmentation_preview
from hubstudio.gui.augmentation_preview import SIDE, VIEWS, AugmentationPreview, Example
from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.widgets.augmentation_card import AugmentationCard, effect_text
from hubstudio.gui.widgets.scroll_column import ScrollColumn

PHOTOS = PRESETS["photos"]


class PatientThumbnails(QObject):
    """Does work when told to, in the test's own thread."""

    doubted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[tuple[Callable[[], object], Callable[[object], None]]] = []

    def do(self, work: Callable[[], object], taker: Callable[[object], None]) -> None:
        self.waiting.append((work, taker))

    def answer(self) -> None:
        work, taker = self.waiting.pop(0)
        taker(work())


class Arrived:
    """Remembers what a preview made."""

    def __init__(self, preview: AugmentationPreview) -> None:
        self.sets: list[tuple[Example, ...]] = []
        preview.arrived.connect(self.sets.append)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Five photos whose left half is dark and whose right half has a colour of its own."""
    paths = [tmp_path / f"photo {number}.png" for number in range(5)]
    for number, path in enumerate(paths):
        pixels = np.zeros((60, 80, 3), np.uint8)
        pixels[:, 40:] = (250 - 40 * number, 60 + 40 * number, 40)
        Image.fromarray(pixels).save(path)
    return paths


@pytest.fixture
def card(thumbnails: Thumbnails, qtbot: QtBot) -> Iterator[AugmentationCard]:
    """A card in a window, as a page holds it."""
    content = QWidget()
    column = QVBoxLayout(content)
    card = AugmentationCard(thumbnails)
    column.addWidget(card)
    column.addStretch(1)
    window = ScrollColumn(content)
    qtbot.addWidget(window)
    window.resize(900, 700)
    window.show()
    yield card


@pytest.fixture
def source(qtbot: QtBot) -> PatientThumbnails:
    del qtbot
    return PatientThumbnails()


@pytest.fixture
def preview(source: PatientThumbnails, files: list[Path]) -> AugmentationPreview:
    """A preview in sight of the photos, which has begun on two examples."""
    preview = AugmentationPreview(source)  # type: ignore[arg-type]
    preview.set_in_sight(True)
    preview.want(files, NO_AUGMENTATION, 2)
    return preview


def told(card: AugmentationCard) -> list[Augmentation]:
    heard: list[Augmentation] = []
    card.augmentation_changed.connect(heard.append)
    return heard


def choose(box: QComboBox, text: str) -> None:
    """Choose as a person does with mouse or keys."""
    box.setCurrentIndex(box.findText(text))
    box.activated.emit(box.currentIndex())


def pixels_of(image: QImage) -> NDArray[np.uint8]:
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    return np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())[:, : 3 * rgb.width()]


def test_a_preset_is_told_shown_on_the_sliders_and_explained(card: AugmentationCard) -> None:
    heard = told(card)
    choose(card.preset, "Photos")
    assert heard == [PHOTOS]
    assert card.form.sliders["rotation"].value() == PHOTOS.rotation
    assert card.form.switches["flip_horizontal"].isChecked()
    assert card.reason.said() == PRESET_REASONS["photos"] == card.preset.accessibleDescription()


def test_showing_values_tells_nobody(card: AugmentationCard) -> None:
    heard = told(card)
    for augmentation in (*PRESETS.values(), Augmentation(rotation=12.34, views=9)):
        card.show_augmentation(augmentation, Mode.FINE_TUNE)
    assert not heard


@pytest.mark.parametrize("change", [row for row in CHANGES if not row.is_switch], ids=lambda change: change.name)
def test_the_arrow_keys_move_each_slider_by_its_step(card: AugmentationCard, qtbot: QtBot, change: object) -> None:
    card.adjust.setChecked(True)
    heard, slider = told(card), card.form.sliders[change.name]  # type: ignore[attr-defined]
    start = getattr(NO_AUGMENTATION, slider.change.name)
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert [getattr(augmentation, slider.change.name) for augmentation in heard] == pytest.approx(
        [start + slider.change.step, start + 2 * slider.change.step]
    )
    qtbot.keyClick(slider, Qt.Key.Key_End)
    assert getattr(heard[-1], slider.change.name) == slider.change.maximum
    qtbot.keyClick(slider, Qt.Key.Key_Home)
    assert getattr(heard[-1], slider.change.name) == slider.change.minimum


def test_values_stand_beside_the_sliders_in_their_unit_and_screen_readers_hear_them(card: AugmentationCard) -> None:
    card.show_augmentation(Augmentation(rotation=15, crop=0.2, blur=0.5), Mode.EXTRACT)
    sliders = card.form.sliders
    assert [sliders[name].text for name in ("rotation", "crop", "blur", "hue")] == [
        "± 15°", "up to 20 %", "up to 0.5 %", "off",
    ]  # fmt: skip
    assert sliders["rotation"].accessibleDescription().startswith("± 15°. Turns by")
    sliders["rotation"].setValue(16)
    assert sliders["rotation"].accessibleDescription().startswith("± 16°. ")
    assert card.form._values["rotation"].text() == "± 16°"


def test_a_value_between_two_places_of_a_slider_stays_until_that_slider_is_moved(card: AugmentationCard) -> None:
    heard = told(card)
    card.show_augmentation(Augmentation(rotation=12.34, crop=0.123), Mode.EXTRACT)
    assert card.form.sliders["rotation"].text == "± 12.34°"
    card.form.sliders["hue"].setValue(3)
    assert heard == [Augmentation(rotation=12.34, crop=0.123, hue=3)]
    card.form.sliders["crop"].setValue(20)
    assert heard[-1] == Augmentation(rotation=12.34, crop=0.2, hue=3)


def test_own_values_are_called_so_and_a_preset_takes_their_place(card: AugmentationCard) -> None:
    card.show_augmentation(PHOTOS, Mode.EXTRACT)
    assert card.preset.findText("Own values") < 0
    card.form.sliders["rotation"].setValue(11)
    assert card.preset.currentText() == "Own values"
    assert "your own" in card.reason.said()
    card.form.sliders["rotation"].setValue(10)
    assert card.preset.currentText() == "Photos"
    card.form.switches["flip_vertical"].click()
    choose(card.preset, "Documents")
    assert card._augmentation == PRESETS["documents"]
    assert card.preset.findText("Own values") < 0


def test_choosing_own_values_changes_nothing(card: AugmentationCard) -> None:
    card.show_augmentation(Augmentation(hue=1), Mode.EXTRACT)
    heard = told(card)
    choose(card.preset, "Own values")
    assert not heard


def test_a_preset_leaves_the_number_of_views(card: AugmentationCard) -> None:
    heard = told(card)
    card.show_augmentation(Augmentation(views=9), Mode.EXTRACT)
    choose(card.preset, "Microscope")
    assert heard == [replace(PRESETS["microscope"], views=9)]


def test_the_number_of_views_is_asked_for_only_when_extracting(card: AugmentationCard) -> None:
    card.adjust.setChecked(True)
    card.show_augmentation(PHOTOS, Mode.EXTRACT)
    assert card.form.sliders["views"].isVisible()
    card.show_augmentation(PHOTOS, Mode.FINE_TUNE)
    assert not card.form.sliders["views"].isVisible()
    assert card.form.sliders["rotation"].isVisible()


def test_it_says_what_happens_in_each_mode() -> None:
    assert effect_text(PHOTOS, Mode.EXTRACT) == (
        "Each training photo goes through the backbone 4 more times, varied; kept, so a second training is fast."
    )
    assert "once more" in effect_text(replace(PHOTOS, views=1), Mode.EXTRACT)
    assert effect_text(PHOTOS, Mode.FINE_TUNE).startswith("Each photo is varied anew in every epoch.")
    assert "frozen run again in every epoch" in effect_text(PHOTOS, Mode.FINE_TUNE)
    for mode in Mode:
        assert "epoch" not in effect_text(NO_AUGMENTATION, mode)
        assert "goes through" not in effect_text(NO_AUGMENTATION, mode)


def test_sliders_are_folded_away_until_wanted(card: AugmentationCard) -> None:
    assert not card.form.isVisible()
    card.adjust.click()
    assert card.form.isVisible()
    card.adjust.click()
    assert not card.form.isVisible()


def test_the_wheel_scrolls_the_page_unless_a_control_has_the_focus(card: AugmentationCard, qtbot: QtBot) -> None:
    card.adjust.setChecked(True)
    card.adjust.setFocus()
    heard = told(card)
    for control in (card.form.sliders["rotation"], card.preset):
        turn(control, 120)
        turn(control, -120)
    assert not heard
    card.form.sliders["rotation"].setFocus()
    qtbot.waitUntil(card.form.sliders["rotation"].hasFocus)
    turn(card.form.sliders["rotation"], 120)
    assert heard


def turn(widget: QWidget, by: int) -> None:
    middle = QPointF(widget.rect().center())
    event = QWheelEvent(middle, widget.mapToGlobal(middle), QPoint(), QPoint(0, by), Qt.MouseButton.NoButton,
                        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
    QApplication.sendEvent(widget, event)


def test_everything_that_can_be_operated_has_a_name_and_a_description(
    card: AugmentationCard, files: list[Path]
) -> None:
    card.show_photos(files)
    card.adjust.setChecked(True)
    controls = [*card.findChildren(QAbstractButton), *card.findChildren(QAbstractSlider), *card.findChildren(QComboBox)]
    shown = [control for control in controls if control.isVisible()]
    assert len(shown) == 2 + len(CHANGES) + 1
    for control in shown:
        assert control.objectName()
        assert control.accessibleName()
        assert control.accessibleDescription()
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_without_photos_a_sentence_stands_in_the_previews_place(card: AugmentationCard, files: list[Path]) -> None:
    card.show_augmentation(PHOTOS, Mode.EXTRACT)
    assert "Once photos are chosen" in card.no_photos.said()
    assert card.no_photos.isVisible()
    assert not card.others.isVisible()
    card.show_photos(files)
    assert not card.no_photos.isVisible()
    assert card.others.isVisible()
    card.show_photos([])
    assert card.no_photos.isVisible()


def test_with_nothing_varied_and_nothing_unfolded_there_is_no_preview(
    card: AugmentationCard, files: list[Path]
) -> None:
    card.show_photos(files)
    assert not card.photos.isVisible()
    assert not card.others.isVisible()
    card.adjust.setChecked(True)
    assert card.photos.isVisible()


def test_the_persons_own_photos_are_shown_as_they_are_and_varied(
    card: AugmentationCard, files: list[Path], qtbot: QtBot
) -> None:
    card.show_augmentation(Augmentation(flip_horizontal=True), Mode.EXTRACT)
    card.show_photos(files)
    qtbot.waitUntil(lambda: len(card.photos.examples) == 2)
    card.adjust.setChecked(True)
    qtbot.waitUntil(lambda: len(card.photos.examples) == 3)
    for example in card.photos.examples:
        assert example.path in files
        assert len(example.views) == VIEWS
        original = pixels_of(example.original).reshape(SIDE, SIDE, 3)
        for view in example.views:
            shown = pixels_of(view).reshape(SIDE, SIDE, 3)
            assert np.array_equal(shown, original) or np.array_equal(shown, original[:, ::-1])
    assert card.photos.examples[0].path.name in card.photos.accessibleDescription()


def test_a_moved_slider_shows_in_the_preview(card: AugmentationCard, files: list[Path], qtbot: QtBot) -> None:
    card.show_photos(files)
    card.adjust.setChecked(True)
    qtbot.waitUntil(lambda: bool(card.photos.examples))
    before = card.photos.grab().toImage()
    assert all(view == example.original for example in card.photos.examples for view in example.views)
    card.form.sliders["cutout"].setValue(40)
    qtbot.waitUntil(lambda: all(view != example.original for example in card.photos.examples for view in example.views))
    assert card.photos.grab().toImage() != before


def test_other_examples_are_others(card: AugmentationCard, files: list[Path], qtbot: QtBot) -> None:
    card.show_augmentation(Augmentation(rotation=90), Mode.EXTRACT)
    card.show_photos(files[:1])
    qtbot.waitUntil(lambda: len(card.photos.examples) == 1)
    before = {example.path: example for example in card.photos.examples}
    with qtbot.waitSignal(card.preview.arrived):
        card.others.click()
    for example in card.photos.examples:
        assert example.original == before[example.path].original
        assert all(one != other for one, other in zip(example.views, before[example.path].views, strict=True))


def test_other_examples_are_of_other_photos_where_there_are_many(
    preview: AugmentationPreview, source: PatientThumbnails
) -> None:
    arrived = Arrived(preview)
    for _ in range(8):
        source.answer()
        preview.draw_others()
    assert len({example.path for examples in arrived.sets for example in examples}) >= 4


def test_a_third_example_leaves_the_first_two_as_they_were(
    preview: AugmentationPreview, source: PatientThumbnails, files: list[Path]
) -> None:
    arrived = Arrived(preview)
    preview.want(files, Augmentation(rotation=90), 2)
    source.answer()
    source.answer()
    preview.want(files, Augmentation(rotation=90), 3)
    source.answer()
    two, three = arrived.sets[-2:]
    assert [example.path for example in three[:2]] == [example.path for example in two]
    assert [example.views for example in three[:2]] == [example.views for example in two]


def test_of_many_moves_while_pictures_are_made_only_the_last_is_made_next(
    preview: AugmentationPreview, source: PatientThumbnails, files: list[Path]
) -> None:
    arrived = Arrived(preview)
    for degrees in range(1, 60):
        preview.want(files, Augmentation(rotation=degrees), 2)
    assert len(source.waiting) == 1
    source.answer()
    assert len(source.waiting) == 1
    source.answer()
    assert not source.waiting
    fresh = AugmentationPreview(source)  # type: ignore[arg-type]
    again = Arrived(fresh)
    fresh.set_in_sight(True)
    fresh.want(files, Augmentation(rotation=59), 2)
    source.answer()
    assert [example.views for example in again.sets[-1]] == [example.views for example in arrived.sets[-1]]


def test_each_photo_is_read_once_however_often_a_slider_moves(
    preview: AugmentationPreview, source: PatientThumbnails, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    whole = augmentation_preview.preview

    def noting(path: Path, side: int) -> Image.Image:
        read.append(path)
        return whole(path, side)

    monkeypatch.setattr(augmentation_preview, "preview", noting)
    for degrees in range(5):
        source.answer()
        preview.want(files, Augmentation(rotation=degrees + 1), 2)
    assert len(read) == len(set(read)) == 2


def test_the_same_values_again_are_not_made_again(
    preview: AugmentationPreview, source: PatientThumbnails, files: list[Path]
) -> None:
    source.answer()
    preview.want(files, NO_AUGMENTATION, 2)
    assert not source.waiting


def test_out_of_sight_nothing_is_made(source: PatientThumbnails, files: list[Path]) -> None:
    preview = AugmentationPreview(source)  # type: ignore[arg-type]
    preview.want(files, PHOTOS, 2)
    source.doubted.emit()
    assert not source.waiting
    preview.set_in_sight(True)
    assert len(source.waiting) == 1


def test_replaced_photos_are_read_again_once_they_are_doubted(
    preview: AugmentationPreview, source: PatientThumbnails, files: list[Path]
) -> None:
    arrived = Arrived(preview)
    for path in files:
        Image.new("RGB", (50, 50), (1, 2, 3)).save(path)
    source.doubted.emit()
    source.answer()  # begun before: does not count
    assert not arrived.sets
    source.answer()
    assert {example.original.pixelColor(5, 5).getRgb()[:3] for example in arrived.sets[-1]} == {(1, 2, 3)}


def test_pictures_of_photos_that_were_exchanged_meanwhile_are_not_shown(
    preview: AugmentationPreview, source: PatientThumbnails, files: list[Path]
) -> None:
    arrived = Arrived(preview)
    preview.want(files[:1], NO_AUGMENTATION, 1)
    source.answer()
    assert not arrived.sets
    source.answer()
    assert [example.path for example in arrived.sets[-1]] == files[:1]


def test_unreadable_photos_are_passed_over(preview: AugmentationPreview, source: PatientThumbnails,
                                           files: list[Path]) -> None:  # fmt: skip
    arrived = Arrived(preview)
    for path in files[:4]:
        path.write_bytes(b"no photo")
    source.answer()
    assert [example.path for example in arrived.sets[-1]] == files[4:]


def test_if_no_photo_can_be_read_it_says_so_and_recovers(
    card: AugmentationCard, files: list[Path], qtbot: QtBot, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photo")
    card.show_augmentation(PHOTOS, Mode.EXTRACT)
    card.show_photos([broken])
    qtbot.waitUntil(lambda: "could be read" in card.no_photos.said() and card.no_photos.isVisible())
    Image.new("RGB", (50, 50), (200, 2, 3)).save(broken, "PNG")
    card.preview._thumbnails.doubt()
    qtbot.waitUntil(lambda: bool(card.photos.examples) and card.photos.isVisible())
    broken.write_bytes(b"no photo")
    card.preview._thumbnails.doubt()
    qtbot.waitUntil(card.no_photos.isVisible)
    card.show_photos(files)
    qtbot.waitUntil(lambda: len(card.photos.examples) == 2 and card.photos.isVisible())


def test_pictures_are_made_in_another_thread(
    card: AugmentationCard, files: list[Path], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[int] = set()
    original = augmentation_preview.augmented

    def noting(*arguments: object) -> NDArray[np.uint8]:
        threads.add(threading.get_ident())
        return original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(augmentation_preview, "augmented", noting)
    card.show_augmentation(PHOTOS, Mode.EXTRACT)
    card.show_photos(files)
    qtbot.waitUntil(lambda: bool(card.photos.examples))
    assert threads
    assert threading.get_ident() not in threads


@pytest.mark.parametrize("width", [420, 620, 900, 1600])
def test_at_any_width_everything_fits_and_no_picture_is_cut(
    card: AugmentationCard, files: list[Path], qtbot: QtBot, width: int
) -> None:
    card.show_augmentation(PHOTOS, Mode.EXTRACT)
    card.show_photos(files)
    card.adjust.setChecked(True)
    card.window().resize(width, 500)
    qtbot.waitUntil(lambda: card.width() > width - 60)
    qtbot.waitUntil(lambda: card.photos.height() >= card.photos.heightForWidth(card.photos.width()))
    for slider in card.form.sliders.values():
        assert slider.width() >= 90
        assert card.rect().contains(slider.mapTo(card, slider.rect().bottomRight()))
    assert card.rect().contains(card.photos.mapTo(card, card.photos.rect().bottomRight()))
