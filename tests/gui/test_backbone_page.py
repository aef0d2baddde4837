from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fake_engine import FakeEngine
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QPushButton, QStyle, QStyleOptionComboBox
from pytestqt.qtbot import QtBot
from test_photos_page import drop

from hubstudio.core.backbones import Endpoint
from hubstudio.core.cancel import CancelToken
from hubstudio.core.cost import Speed
from hubstudio.core.plan import DEFAULT_EPOCHS, Mode, Plan
from hubstudio.core.project import Project
from hubstudio.gui.pages.backbone_page import BackbonePage
from hubstudio.gui.plan_fitting import fit_plan
from hubstudio.gui.session import Session
from hubstudio.gui.theme import LIGHT, stylesheet
from hubstudio.gui.widgets.wrapped_label import WrappedLabel


@pytest.fixture
def page(session_with_photos: Session, qtbot: QtBot) -> BackbonePage:
    return shown_page(session_with_photos, qtbot)


@pytest.fixture
def styled(qapp: QApplication) -> Iterator[None]:
    """The program's style: frames take room, and text has its sizes."""
    former = qapp.styleSheet()
    qapp.setStyleSheet(stylesheet(LIGHT))
    yield
    qapp.setStyleSheet(former)


@pytest.fixture
def my_net(tmp_path: Path) -> str:
    """A module folder of the person's own."""
    folder = tmp_path / "my_net"
    folder.mkdir()
    return str(folder)


def plan_of(page: BackbonePage) -> Plan:
    assert page.session.plan is not None
    return page.session.plan


def use(page: BackbonePage, text: str, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.session.backbone_changed):
        page.field.text.setText(text)
        page.field.use.click()
    qtbot.waitUntil(lambda: text in page.cards)


def test_the_bundled_backbone_is_in_use_from_the_start(page: BackbonePage) -> None:
    card = page.cards["studio-mini"]
    assert card.choice.isChecked()
    assert card.property("chosen") is True
    assert page.missing() == ""
    assert page.summary() == "Studio Mini · extract"


def test_a_typed_backbone_is_looked_into_and_chosen(page: BackbonePage, my_net: str, qtbot: QtBot) -> None:
    use(page, my_net, qtbot)
    assert page.cards[my_net].choice.isChecked()
    assert not page.cards["studio-mini"].choice.isChecked()
    assert plan_of(page).backbone == my_net


def test_a_dropped_folder_is_taken_as_the_backbone(page: BackbonePage, tmp_path: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.session.backbone_changed, timeout=5000):
        assert drop(page.field.text, [tmp_path])
    assert plan_of(page).backbone == str(tmp_path)


def test_a_folder_dropped_anywhere_on_the_page_is_taken_as_the_backbone(
    page: BackbonePage, my_net: str, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(page.session.backbone_changed):
        assert drop(page, [Path(my_net)])
    assert plan_of(page).backbone == my_net


def test_clicking_a_card_chooses_its_backbone(page: BackbonePage, my_net: str, qtbot: QtBot) -> None:
    use(page, my_net, qtbot)
    with qtbot.waitSignal(page.session.backbone_changed, timeout=5000):
        page.cards["studio-mini"].choice.click()
    assert page.cards["studio-mini"].choice.isChecked()
    assert plan_of(page).backbone == "studio-mini"


def test_a_backbone_that_is_not_there_is_explained_and_the_former_one_kept(page: BackbonePage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.session.failed):
        page.field.text.setText("mobilnet v2 050 96")
        qtbot.keyClick(page.field.text, Qt.Key.Key_Return)
    assert page.problem.isVisible()
    assert "mobilnet v2 050 96" in page.problem.what.said()
    assert "Did you mean 'mobilenet" in page.problem.rest.said()
    assert page.cards["studio-mini"].choice.isChecked()
    assert plan_of(page).backbone == "studio-mini"
    assert page.missing() == ""


def test_choosing_fine_tune_sets_its_depth_and_its_epochs(page: BackbonePage) -> None:
    depth = page.mode.depth_choice
    assert depth.sentence.said() == "Head only: no block of the backbone moves"
    page.mode.fine_tune.radio.click()
    assert plan_of(page).mode is Mode.FINE_TUNE
    assert plan_of(page).epochs == DEFAULT_EPOCHS["fine-tune"]
    assert depth.sentence.said() == "Retrain the last 4 of 14 blocks · 48 % of the parameters"
    assert page.summary() == "Studio Mini · fine-tune 4 of 14"


def test_slider_and_number_follow_each_other_and_the_plan(page: BackbonePage) -> None:
    page.mode.fine_tune.radio.click()
    depth = page.mode.depth_choice
    depth.slider.setValue(6)
    assert (depth.number.value(), plan_of(page).unfreeze) == (6, 6)
    depth.number.setValue(2)
    assert (depth.slider.value(), plan_of(page).unfreeze) == (2, 2)


def test_moving_the_slider_off_head_only_fine_tunes_and_back_extracts(page: BackbonePage) -> None:
    depth = page.mode.depth_choice
    depth.slider.setValue(3)
    assert (plan_of(page).mode, plan_of(page).unfreeze) == (Mode.FINE_TUNE, 3)
    assert page.mode.fine_tune.radio.isChecked()
    depth.slider.setValue(0)
    assert (plan_of(page).mode, plan_of(page).unfreeze) == (Mode.EXTRACT, 3)
    assert page.mode.extract.radio.isChecked()


def test_the_last_position_means_all_blocks(page: BackbonePage) -> None:
    page.mode.fine_tune.radio.click()
    page.mode.depth_choice.slider.setValue(14)
    assert plan_of(page).unfreeze == "all"
    assert page.mode.depth_choice.sentence.said() == "Retrain all 14 blocks · 100 % of the parameters"


def test_a_backbone_that_cannot_be_fine_tuned_says_why_and_goes_back_to_extracting(
    page: BackbonePage, my_net: str, engine: FakeEngine, qtbot: QtBot
) -> None:
    page.mode.fine_tune.radio.click()
    engine.trainable = False
    use(page, my_net, qtbot)
    assert not page.mode.depth_choice.isVisible()
    assert not page.mode.fine_tune.radio.isEnabled()
    assert "TF1 hub format" in page.mode.reason.said()
    assert plan_of(page).mode is Mode.EXTRACT
    assert page.mode.extract.radio.isChecked()


def test_a_shallower_backbone_takes_back_a_depth_it_does_not_have() -> None:
    info = FakeEngine().probe("modules/my_net")
    deep = Plan("photos", mode=Mode.FINE_TUNE, unfreeze=20)
    assert fit_plan(deep, info).unfreeze == 14
    assert fit_plan(replace(deep, unfreeze="all"), info).unfreeze == "all"
    assert fit_plan(replace(deep, unfreeze=3), info) == replace(deep, unfreeze=3)


def test_the_plan_fits_the_backbone_though_the_page_was_never_built(
    session_with_photos: Session, my_net: str, engine: FakeEngine, qtbot: QtBot
) -> None:
    session = session_with_photos
    assert session.plan
    session.change_plan(session.plan.with_mode(Mode.FINE_TUNE))
    engine.trainable = False
    with qtbot.waitSignal(session.backbone_changed, timeout=5000):
        session.use_backbone(my_net)
    assert session.plan
    assert session.plan.mode is Mode.EXTRACT


def test_names_that_screen_readers_and_scripts_rely_on(page: BackbonePage) -> None:
    assert page.field.text.accessibleName() == "Backbone folder or handle"
    assert page.field.use.accessibleName() == "Use this backbone"
    assert page.mode.extract.radio.accessibleName() == "Extract features"
    assert page.mode.fine_tune.radio.accessibleName() == "Fine-tune"
    assert page.mode.depth_choice.number.accessibleName() == "Blocks to fine-tune"
    assert page.mode.features.box.accessibleName() == "Features to learn from"
    assert page.compare.accessibleName() == "Compare backbones"


def test_an_earlier_endpoint_becomes_part_of_the_plan_and_the_next_backbone_forgets_it(
    session_with_photos: Session, my_net: str, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.endpoints = (Endpoint("layer_4", (28, 28, 32)), Endpoint("layer_9", (14, 14, 96)))
    page = shown_page(session_with_photos, qtbot)
    use(page, my_net, qtbot)
    box = page.mode.features.box
    assert [box.itemText(place) for place in range(box.count())] == [
        "Feature vector (recommended)", "layer_4 · 32 features", "layer_9 · 96 features",
    ]  # fmt: skip
    with qtbot.waitSignal(page.session.backbone_changed):
        box.setCurrentIndex(2)
        box.activated.emit(2)
    assert plan_of(page).features == "layer_9"
    assert page.mode.features.hint.said() == "96 features for each photo"
    with qtbot.waitSignal(page.session.backbone_changed):
        page.cards["studio-mini"].choice.click()
    assert plan_of(page).features == ""


def test_choosing_the_card_in_use_goes_back_to_its_own_feature_vector(
    session_with_photos: Session, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.endpoints = (Endpoint("layer_4", (28, 28, 32)),)
    page = shown_page(session_with_photos, qtbot)
    with qtbot.waitSignal(page.session.backbone_changed):
        page.session.backbones.look_into("studio-mini", "layer_4")
    with qtbot.waitSignal(page.session.backbone_changed):
        page.cards["studio-mini"].choice.click()
    assert plan_of(page).features == ""


def test_the_cost_is_measured_while_nothing_else_goes_on_and_shown(
    page: BackbonePage, engine: FakeEngine, qtbot: QtBot
) -> None:
    qtbot.waitUntil(lambda: page.mode.estimate.said().startswith("Estimated on this computer: about"))
    assert len(engine.measured) == 1
    card = page.cards["studio-mini"]
    qtbot.waitUntil(lambda: card.here.text().endswith(" s"))
    fast = page.mode.estimate.said()
    page.mode.fine_tune.radio.click()
    assert page.mode.estimate.said() != fast
    assert len(engine.measured) == 1


def test_while_the_speed_is_measured_the_page_says_so_and_about_how_long(
    session_with_photos: Session, engine: FakeEngine, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure, may_go_on = engine.measure, threading.Event()

    def slow(plan: Plan, cancel: CancelToken) -> Speed:
        may_go_on.wait(10)
        return measure(plan, cancel)

    monkeypatch.setattr(engine, "measure", slow)
    page = shown_page(session_with_photos, qtbot)
    page.mode.fine_tune.radio.click()
    session_with_photos.speeds.look_at_plan()
    qtbot.waitUntil(lambda: page.mode.estimate.said() == "Measuring this computer's speed, some seconds …")
    may_go_on.set()
    qtbot.waitUntil(lambda: page.mode.estimate.said().startswith("Estimated on this computer: about"))


@pytest.mark.parametrize("width", range(700, 960, 20))
@pytest.mark.usefixtures("styled")
def test_no_text_on_how_to_train_is_cut_in_a_small_window(page: BackbonePage, qtbot: QtBot, width: int) -> None:
    page.resize(width, 420)
    page.mode.fine_tune.radio.click()
    QApplication.processEvents()
    labels = [label for label in page.mode.findChildren(WrappedLabel) if label.isVisible()]
    assert len(labels) >= 3
    qtbot.waitUntil(lambda: not [one for one in labels if one.height() < one.heightForWidth(one.width())], timeout=3000)
    page.mode.show_estimate("Estimated on this computer: about 4 s, 600 MB of memory, 5 MB of disk.")
    QApplication.processEvents()
    assert page.rect().contains(page.mode.estimate.geometry())


@pytest.mark.usefixtures("styled")
def test_lists_to_choose_from_open_below_their_box_as_high_as_their_entries(page: BackbonePage) -> None:
    for box in (page.shelf.show_choice, page.shelf.order_choice):
        box.setFocus()
        box.showPopup()
        view = box.view()
        assert not box.style().styleHint(QStyle.StyleHint.SH_ComboBox_Popup, QStyleOptionComboBox(), box)
        assert view.viewport().height() >= box.count() * view.sizeHintForRow(0) >= box.count() * 24
        box.hidePopup()


def test_a_refused_module_lists_what_it_does_and_is_used_only_if_the_person_insists(
    page: BackbonePage, my_net: str, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.unsafe.add(my_net)
    with qtbot.waitSignal(page.session.failed):
        page.field.text.setText(my_net)
        page.field.use.click()
    assert page.problem.operations.said() == "• WriteFile writes files\n• PyFunc runs Python code"
    page.problem.insist.click()
    answer(page, "use_it_anyway")
    qtbot.waitUntil(lambda: plan_of(page).backbone == my_net)
    assert engine.unsafe == set()
    assert not page.problem.isVisible()


def test_a_refused_module_is_not_used_if_the_person_does_not_insist(
    page: BackbonePage, my_net: str, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.unsafe.add(my_net)
    with qtbot.waitSignal(page.session.failed):
        page.session.use_backbone(my_net)
    page.problem.insist.click()
    answer(page, "do_not_use_it")
    assert engine.unsafe == {my_net}
    assert plan_of(page).backbone == "studio-mini"


def test_an_ordinary_problem_offers_no_way_to_insist(page: BackbonePage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.session.failed):
        page.session.use_backbone("nothing of this name")
    assert page.problem.isVisible()
    assert not page.problem.insist.isVisible()


def test_the_details_follow_the_chosen_backbone(
    session_with_photos: Session, my_net: str, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.endpoints = (Endpoint("layer_4", (28, None, 32)),)
    page = shown_page(session_with_photos, qtbot)
    page.inside.click()
    details = page.details
    assert details
    qtbot.addWidget(details)
    assert details.lines["Handle"][1].accessibleName() == "Handle: studio-mini"
    assert details.blocks.texts()[0] == ["block_1", "6", "10,000", "1.0 %"]
    assert not details.remove.isVisible()
    use(page, my_net, qtbot)
    assert details.lines["Handle"][1].accessibleName() == f"Handle: {my_net}"
    assert details.endpoints.texts() == [["layer_4", "28 × ? × 32", "32"]]
    details.copy.click()
    assert QGuiApplication.clipboard().text() == my_net


def test_own_folders_are_remembered_in_other_projects_and_can_be_taken_from_the_list(
    page: BackbonePage, my_net: str, qtbot: QtBot
) -> None:
    use(page, my_net, qtbot)
    page.session.open(Project(Path()))
    with qtbot.waitSignal(page.session.backbones.shelf_changed):
        page.session.backbones.read_shelf()
    assert page.session.backbones.shelf.find(my_net)
    with qtbot.waitSignal(page.session.backbones.shelf_changed):
        page.session.backbones.forget(my_net)
    assert page.session.backbones.shelf.find(my_net) is None
    assert Path(my_net).is_dir()


def answer(page: BackbonePage, button: str) -> None:
    """Press a button of the question that is open."""
    found = page.findChild(QPushButton, button)
    assert found, [one.objectName() for one in page.findChildren(QPushButton)]
    found.click()


def shown_page(session: Session, qtbot: QtBot) -> BackbonePage:
    page = BackbonePage(session)
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    page.entered()
    qtbot.waitUntil(lambda: "studio-mini" in page.cards)
    return page
