from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fake_engine import FakeEngine
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from test_photos_page import drop

from hubstudio.core.plan import DEFAULT_EPOCHS, Mode, Plan
from hubstudio.gui.pages.backbone_page import BackbonePage
from hubstudio.gui.plan_fitting import fit_plan
from hubstudio.gui.session import Session


@pytest.fixture
def page(session_with_photos: Session, qtbot: QtBot) -> BackbonePage:
    page = BackbonePage(session_with_photos)
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    return page


def plan_of(page: BackbonePage) -> Plan:
    assert page.session.plan is not None
    return page.session.plan


def use(page: BackbonePage, text: str, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.session.backbone_changed, timeout=5000):
        page.field.text.setText(text)
        page.field.use.click()


def test_the_bundled_backbone_is_in_use_from_the_start(page: BackbonePage) -> None:
    card = page.cards["studio-mini"]
    assert card.choice.isChecked()
    assert card.property("chosen") is True
    assert page.missing() == ""
    assert page.summary() == "Studio Mini · extract"


def test_a_typed_backbone_is_looked_into_and_chosen(page: BackbonePage, qtbot: QtBot) -> None:
    use(page, "modules/my_net", qtbot)
    assert page.cards["modules/my_net"].choice.isChecked()
    assert not page.cards["studio-mini"].choice.isChecked()
    assert plan_of(page).backbone == "modules/my_net"


def test_a_dropped_folder_is_taken_as_the_backbone(page: BackbonePage, tmp_path: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.session.backbone_changed, timeout=5000):
        assert drop(page.field.text, [tmp_path])
    assert plan_of(page).backbone == str(tmp_path)


def test_clicking_a_card_chooses_its_backbone(page: BackbonePage, qtbot: QtBot) -> None:
    use(page, "modules/my_net", qtbot)
    with qtbot.waitSignal(page.session.backbone_changed, timeout=5000):
        page.cards["studio-mini"].choice.click()
    assert page.cards["studio-mini"].choice.isChecked()
    assert plan_of(page).backbone == "studio-mini"


def test_a_backbone_that_is_not_there_is_explained_and_the_former_one_kept(page: BackbonePage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.session.failed, timeout=5000):
        page.field.text.setText("missing/net")
        qtbot.keyClick(page.field.text, Qt.Key.Key_Return)
    assert page.problem.isVisible()
    assert page.problem.what.said() == "There is no backbone 'missing/net'."
    assert page.cards["studio-mini"].choice.isChecked()
    assert plan_of(page).backbone == "studio-mini"
    assert page.missing() == ""


def test_choosing_fine_tune_shows_the_depth_and_sets_its_epochs(page: BackbonePage) -> None:
    assert not page.mode.depth_choice.isVisible()
    page.mode.fine_tune.radio.click()
    assert plan_of(page).mode is Mode.FINE_TUNE
    assert plan_of(page).epochs == DEFAULT_EPOCHS["fine-tune"]
    assert page.mode.depth_choice.isVisible()
    assert page.mode.depth_choice.sentence.said() == "Fine-tune the last 4 of 14 blocks"
    assert page.summary() == "Studio Mini · fine-tune 4 of 14"


def test_slider_and_number_follow_each_other_and_the_plan(page: BackbonePage) -> None:
    page.mode.fine_tune.radio.click()
    depth = page.mode.depth_choice
    depth.slider.setValue(6)
    assert (depth.number.value(), plan_of(page).unfreeze) == (6, 6)
    depth.number.setValue(2)
    assert (depth.slider.value(), plan_of(page).unfreeze) == (2, 2)


def test_the_last_position_means_all_blocks(page: BackbonePage) -> None:
    page.mode.fine_tune.radio.click()
    page.mode.depth_choice.slider.setValue(14)
    assert plan_of(page).unfreeze == "all"
    assert page.mode.depth_choice.sentence.said() == "Fine-tune all 14 blocks"


def test_a_backbone_that_cannot_be_fine_tuned_says_why_and_goes_back_to_extracting(
    page: BackbonePage, engine: FakeEngine, qtbot: QtBot
) -> None:
    page.mode.fine_tune.radio.click()
    engine.trainable = False
    use(page, "modules/old_net", qtbot)
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
    session_with_photos: Session, engine: FakeEngine, qtbot: QtBot
) -> None:
    session = session_with_photos
    assert session.plan
    session.change_plan(session.plan.with_mode(Mode.FINE_TUNE))
    engine.trainable = False
    with qtbot.waitSignal(session.backbone_changed, timeout=5000):
        session.use_backbone("modules/old_net")
    assert session.plan
    assert session.plan.mode is Mode.EXTRACT


def test_names_that_screen_readers_and_scripts_rely_on(page: BackbonePage) -> None:
    assert page.field.text.accessibleName() == "Backbone folder or handle"
    assert page.field.use.accessibleName() == "Use this backbone"
    assert page.mode.extract.radio.accessibleName() == "Extract features"
    assert page.mode.fine_tune.radio.accessibleName() == "Fine-tune"
    assert page.mode.depth_choice.number.accessibleName() == "Blocks to fine-tune"
