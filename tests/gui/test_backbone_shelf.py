from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from fake_engine import FakeEngine, put_into_cache
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu, QPushButton
from pytestqt.qtbot import QtBot
from test_backbone_page import answer, plan_of, shown_page

from hubstudio.core import module_places
from hubstudio.core.catalogue import bundled_catalogue
from hubstudio.core.errors import BackboneError
from hubstudio.core.module_cache import folder_bytes
from hubstudio.gui.pages.backbone_page import BackbonePage
from hubstudio.gui.session import Session
from hubstudio.gui.shelf import Order, Presence, Shelf, ShelfRow, Show, View
from hubstudio.gui.widgets.backbone_card import BackboneCard, CardFacts
from hubstudio.gui.wording import size_text

HANDLE = next(row.handle for row in bundled_catalogue().rows if row.id == "mobilenet-v2-100-224")
HANDLES = {"studio-mini", *(row.handle for row in bundled_catalogue().rows)}
OTHER = next(row.handle for row in bundled_catalogue().rows if row.id == "efficientnet-v2-b0")

PASTED = "https://example.org/models/me/big/3"


@pytest.fixture
def page(session_with_photos: Session, qtbot: QtBot) -> BackbonePage:
    page = shown_page(session_with_photos, qtbot)
    qtbot.waitUntil(lambda: set(page.cards) >= HANDLES)
    return page


def card_of(page: BackbonePage, handle: str = HANDLE) -> BackboneCard:
    return page.cards[handle]


def names_shown(page: BackbonePage) -> list[str]:
    return [card.facts.row.name for card in page.shelf.cards.values() if not card.isHidden()]


def test_the_whole_catalogue_stands_beside_the_bundled_backbone(page: BackbonePage) -> None:
    assert set(page.cards) >= HANDLES
    assert names_shown(page) == [card.facts.row.name for card in page.shelf.cards.values()]
    assert card_of(page, "studio-mini").state.text().startswith("Bundled · ")
    card = card_of(page)
    assert card.action.text().startswith("Download")
    assert (card.imagenet.text(), card.input.text(), card.here.text()) == ("71.8 %", "224 px", "—")


def test_the_bundled_backbone_is_told_by_the_same_photo_sets_as_others(page: BackbonePage) -> None:
    catalogue = bundled_catalogue()
    for handle in ("studio-mini", HANDLE):
        card, row = card_of(page, handle), catalogue.at(handle)
        assert row
        card.show_facts(CardFacts(replace(card.facts.row, row=row)))
        figures = re.fullmatch(r"(\d+)/(\d+)/(\d+) %", card.sets.text())
        assert figures
        assert [int(figure) for figure in figures.groups()] == pytest.approx(list(row.photo_sets.values()), abs=0.51)
        assert not card.sets.isHidden()
        assert f"small photo sets {card.sets.text()}" in card.choice.accessibleDescription()
        assert "regression on its features: hand signs" in card.choice.toolTip()
    without = card_of(page, OTHER)
    assert without.sets.isHidden() and without.sets_name.isHidden()


def test_choosing_one_that_is_not_here_leads_to_its_download_and_fetches_nothing(
    page: BackbonePage, engine: FakeEngine, qtbot: QtBot
) -> None:
    card = card_of(page)
    card.choice.click()
    assert not card.choice.isChecked()
    assert page.focusWidget() is card.action
    assert page.session.backbones.downloads.going_on == ()
    qtbot.keyClick(card.action, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: plan_of(page).backbone == HANDLE)
    assert engine.fetched == [HANDLE]
    qtbot.waitUntil(lambda: card.state.text().startswith("Ready · "))
    assert card.choice.isChecked()


def test_a_download_says_how_far_it_is_and_can_be_cancelled(
    page: BackbonePage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.fetching.clear()
    card = card_of(page)
    card.action.click()
    qtbot.waitUntil(lambda: card.state.text() == "Downloading 40 %")
    assert (card.bar.value(), card.bar.maximum(), card.rest.text()) == (400, 1000, "2.0 MB/s, 3 s left")
    assert card.choice.accessibleDescription().startswith("Downloading 40 %")
    card.cancel.click()
    qtbot.waitUntil(lambda: card.action.isVisible())
    assert engine.fetched == []
    assert plan_of(page).backbone == "studio-mini"


def test_what_is_pasted_is_brought_into_sight_and_told_below_the_field_until_it_is_chosen(
    page: BackbonePage, engine: FakeEngine, qtbot: QtBot
) -> None:
    page.resize(900, 480)
    engine.fetching.clear()
    page.field.text.setText(PASTED)
    page.field.use.click()
    qtbot.waitUntil(lambda: page.looking.said() == "Downloading big: 40 % of 10 MB, 2.0 MB/s, 3 s left")
    qtbot.waitUntil(lambda: page.sight.handle == PASTED and page.sight.is_in_sight())
    assert (page.bar.isVisible(), page.bar.value(), page.bar.maximum()) == (True, 400, 1000)
    assert page.cards_column.verticalScrollBar().value() > 0
    page.shelf.order_choice.setCurrentText(Order.NAME)  # 'big' stands first
    qtbot.waitUntil(lambda: page.cards_column.verticalScrollBar().value() < 100 and page.sight.is_in_sight())
    engine.fetching.set()
    qtbot.waitUntil(lambda: page.done.text.said() == "big is here and chosen.")
    assert page.done.isVisible()
    assert not page.looking.isVisible()


def test_the_chosen_card_stays_in_sight_in_a_smaller_window_and_the_list_stays_where_one_scrolled_to(
    page: BackbonePage, qtbot: QtBot
) -> None:
    put_into_cache(PASTED)
    page.field.text.setText(PASTED)
    page.field.use.click()
    qtbot.waitUntil(lambda: plan_of(page).backbone == PASTED)
    qtbot.waitUntil(page.sight.is_in_sight)
    page.resize(900, 420)
    qtbot.waitUntil(lambda: page.width() == 900 and page.sight.is_in_sight())
    scroll = page.cards_column.verticalScrollBar()
    scroll.setValue(0)
    page.resize(900, 400)
    page.entered()
    with qtbot.waitSignal(page.desk.shelf_changed):
        page.desk.read_shelf()
    QApplication.processEvents()
    assert scroll.value() == 0


def test_a_cancelled_download_leaves_the_list_where_it_was(
    page: BackbonePage, engine: FakeEngine, qtbot: QtBot
) -> None:
    page.resize(900, 480)
    engine.fetching.clear()
    card = list(page.shelf.cards.values())[-1]
    page.sight.show(card.handle)
    qtbot.waitUntil(page.sight.is_in_sight)
    place = page.cards_column.verticalScrollBar().value()
    page.activateWindow()
    card.action.setFocus()
    qtbot.waitUntil(card.action.hasFocus)
    card.action.click()
    qtbot.waitUntil(card.cancel.isVisible)
    assert card.choice.hasFocus()
    card.cancel.setFocus()
    card.cancel.click()
    qtbot.waitUntil(card.action.isVisible)
    assert card.choice.hasFocus()
    with qtbot.waitSignal(page.desk.shelf_changed):
        page.desk.read_shelf()
    assert page.sight.is_in_sight()
    assert abs(page.cards_column.verticalScrollBar().value() - place) < card.height()


def test_a_second_download_waits_and_is_not_chosen_once_another_backbone_is_wanted(
    page: BackbonePage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.fetching.clear()
    card_of(page).action.click()
    card_of(page, OTHER).action.click()
    assert card_of(page, OTHER).state.text() == "Waiting"
    page.session.backbones.look_into("studio-mini")
    engine.fetching.set()
    qtbot.waitUntil(lambda: engine.fetched == [HANDLE, OTHER])
    qtbot.waitUntil(lambda: page.done.text.said().startswith("EfficientNetV2 B0 is here now: "))
    assert plan_of(page).backbone == "studio-mini"


def test_downloads_go_on_while_a_training_runs(page: BackbonePage, engine: FakeEngine, qtbot: QtBot) -> None:
    engine.hold.clear()
    page.session.start_training()
    qtbot.waitUntil(lambda: page.session.run_state.epoch > 0)
    page.session.backbones.fetch(HANDLE, to_use=False)
    qtbot.waitUntil(lambda: engine.fetched == [HANDLE])
    assert page.session.is_training


def test_a_download_that_fails_is_explained_and_the_former_backbone_stays(
    page: BackbonePage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.problem = BackboneError("The server has no such module.", next_step="Try its Kaggle handle.")
    card_of(page).action.click()
    qtbot.waitUntil(lambda: page.problem.isVisible())
    assert page.problem.rest.said() == "Try its Kaggle handle."
    assert card_of(page).action.isVisible()
    assert page.missing() == ""


def test_a_damaged_module_offers_to_be_mended(page: BackbonePage, engine: FakeEngine, qtbot: QtBot) -> None:
    (put_into_cache(HANDLE) / "saved_model.pb").unlink()
    page.entered()
    card = card_of(page)
    qtbot.waitUntil(lambda: card.state.text() == "Broken")
    assert card.action.text().startswith("Mend")
    assert card.state.toolTip()
    card.action.click()
    qtbot.waitUntil(lambda: card.state.text().startswith("Ready"))


def test_removing_asks_says_what_is_freed_and_takes_the_module_away(page: BackbonePage, qtbot: QtBot) -> None:
    folder = put_into_cache(HANDLE)
    page.entered()
    qtbot.waitUntil(lambda: card_of(page).facts.row.is_removable)
    freed = size_text(folder_bytes(folder))
    menu_entry(page, HANDLE, "remove_backbone")
    answer(page, "remove")
    qtbot.waitUntil(lambda: page.done.isVisible())
    assert page.done.text.said() == f"MobileNetV2 1.0 was removed. {freed} are free again."
    assert not folder.exists()
    qtbot.waitUntil(lambda: card_of(page).action.isVisible())


def test_removing_the_backbone_in_use_says_so_and_leaves_the_step_undone(page: BackbonePage, qtbot: QtBot) -> None:
    put_into_cache(HANDLE)
    page.entered()
    qtbot.waitUntil(lambda: card_of(page).facts.row.is_removable)
    card_of(page).choice.click()
    qtbot.waitUntil(lambda: plan_of(page).backbone == HANDLE)
    menu_entry(page, HANDLE, "remove_backbone")
    box = page.findChild(QPushButton, "remove")
    assert box
    assert "This project is built on it" in box.window().informativeText()  # type: ignore[attr-defined]
    answer(page, "remove")
    qtbot.waitUntil(lambda: page.missing() == "Choose a backbone")


def test_the_bundled_backbone_cannot_be_removed(page: BackbonePage) -> None:
    assert "remove_backbone" not in entries(page, "studio-mini")


def test_offline_nothing_can_be_downloaded_and_the_page_says_so(page: BackbonePage, qtbot: QtBot) -> None:
    page.session.preferences.change("offline", True)
    assert page.offline.text.said() == "Offline: nothing is downloaded."
    assert not card_of(page).action.isEnabled()
    with qtbot.waitSignal(page.settings_wanted):
        page.offline.button.click()
    page.session.preferences.change("offline", False)
    assert page.offline.isHidden()
    assert card_of(page).action.isEnabled()


def test_arrow_keys_go_from_card_to_card_and_tab_stops_at_one(page: BackbonePage, qtbot: QtBot) -> None:
    first = card_of(page, "studio-mini")
    page.activateWindow()
    first.choice.setFocus()
    qtbot.keyClick(first.choice, Qt.Key.Key_Right)
    second = page.focusWidget()
    assert second is not first.choice
    assert first.choice.isChecked()
    stops = [card for card in page.cards.values() if card.choice.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert [card.choice for card in stops] == [second]
    qtbot.keyClick(second, Qt.Key.Key_End)
    assert page.focusWidget() is not second
    qtbot.keyClick(page.focusWidget(), Qt.Key.Key_Home)
    assert page.focusWidget() is first.choice


def test_the_choice_is_a_radio_button_to_screen_readers(page: BackbonePage) -> None:
    interface = QAccessible.queryAccessibleInterface(card_of(page).choice)
    assert interface.role() == QAccessible.Role.RadioButton
    assert interface.text(QAccessible.Text.Name) == "MobileNetV2 1.0"


def test_the_filter_looks_at_names_handles_and_makers(page: BackbonePage) -> None:
    page.shelf.filter.setText("v2 b0")
    assert names_shown(page) == ["EfficientNetV2 B0"]
    page.shelf.filter.setText("nothing like this")
    assert page.shelf.nothing.isVisible()


def test_only_what_is_on_this_computer_can_be_shown(page: BackbonePage) -> None:
    page.shelf.show_choice.setCurrentText(Show.HERE)
    assert names_shown(page) == ["Studio Mini"]


def test_long_names_leave_the_card_its_width_and_are_told_whole(
    page: BackbonePage, tmp_path: Path, qtbot: QtBot
) -> None:
    folder = tmp_path / ("a_module_with_a_very_long_name_" * 5)
    folder.mkdir()
    width = page.shelf.minimumSizeHint().width()
    page.session.use_backbone(str(folder))
    qtbot.waitUntil(lambda: str(folder) in page.cards)
    card = card_of(page, str(folder))
    assert page.shelf.minimumSizeHint().width() == width
    assert card.choice.accessibleName() == folder.name
    assert card.choice.text().endswith("…")
    assert str(folder) in card.choice.toolTip()


def test_recommended_is_the_bundled_one_until_a_better_one_can_be_had() -> None:
    row = bundled_catalogue().find("mobilenet-v2-100-224")
    absent = ShelfRow(HANDLE, Presence.ABSENT, row)
    shelf = Shelf((ShelfRow("studio-mini", Presence.BUNDLED), absent))
    assert shelf.recommended(offline=False) == HANDLE
    assert shelf.recommended(offline=True) == "studio-mini"
    here = Shelf((shelf.rows[0], replace(absent, presence=Presence.READY)))
    assert here.recommended(offline=True) == HANDLE


def test_unknown_figures_go_last_in_any_order() -> None:
    rows = tuple(ShelfRow(row.handle, Presence.ABSENT, row) for row in bundled_catalogue().rows)
    shelf = Shelf((ShelfRow("studio-mini", Presence.BUNDLED, bytes=4_000_000), *rows))
    best = View(order=Order.ACCURACY).rows_of(shelf, {})
    known = [row.row.imagenet_top1 for row in best if row.row and row.row.imagenet_top1]
    assert known == sorted(known, reverse=True)
    assert not (best[-1].row and best[-1].row.imagenet_top1)
    by_time = View(order=Order.TIME).rows_of(shelf, {OTHER: 3.0, HANDLE: 2.0})
    assert [row.handle for row in by_time[:2]] == [HANDLE, OTHER]


def test_a_badly_written_catalogue_of_ones_own_is_explained(
    session_with_photos: Session, home: Path, qtbot: QtBot
) -> None:
    home.mkdir(exist_ok=True)
    (home / "backbones.toml").write_text("[[backbone]\n")
    page = shown_page(session_with_photos, qtbot)
    qtbot.waitUntil(lambda: page.problem.isVisible())
    assert "backbones.toml" in page.problem.what.said() + page.problem.rest.said()
    assert HANDLE in page.cards


def test_an_interrupted_download_offers_to_go_on(page: BackbonePage, qtbot: QtBot) -> None:
    entry = module_places.own_entry(HANDLE)
    entry.archive.parent.mkdir(parents=True, exist_ok=True)
    entry.archive.write_bytes(b"x" * 3_000_000)
    page.entered()
    card = card_of(page)
    qtbot.waitUntil(lambda: card.action.text() == "Resume")
    assert card.state.text() == "Download paused · 3.0 MB here"


def entries(page: BackbonePage, handle: str) -> dict[str, object]:
    """Open the menu at a card, and return its entries by their object names."""
    card = card_of(page, handle)
    place = QPoint(5, 5)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, card.mapToGlobal(place))
    QApplication.sendEvent(card, event)
    menu = page.findChildren(QMenu, "backbone_menu")[-1]
    found = {action.objectName(): action for action in menu.actions()}
    menu.close()
    return found  # type: ignore[return-value]


def menu_entry(page: BackbonePage, handle: str, name: str) -> None:
    """Choose an entry of a card's menu."""
    action = entries(page, handle)[name]
    action.trigger()  # type: ignore[attr-defined]
