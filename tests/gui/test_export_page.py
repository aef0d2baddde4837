from __future__ import annotations

from pathlib import Path

import pytest
from fake_engine import FakeEngine
from PySide6.QtWidgets import QCheckBox
from pytestqt.qtbot import QtBot

from hubstudio.core.engine import EXPORT_FORMATS, ExportedFile
from hubstudio.core.errors import StudioError
from hubstudio.gui.pages.export_page import ExportPage
from hubstudio.gui.session import Session
from hubstudio.gui.widgets.format_row import agreement_text


def shown(session: Session, qtbot: QtBot) -> ExportPage:
    page = ExportPage(session)
    qtbot.addWidget(page)
    page.resize(900, 700)
    page.show()
    page.entered()
    return page


@pytest.fixture
def page(trained_session: Session, qtbot: QtBot) -> ExportPage:
    return shown(trained_session, qtbot)


def test_every_format_has_a_check_box_named_after_it(page: ExportPage) -> None:
    boxes = page.findChildren(QCheckBox)
    assert [box.accessibleName().casefold() for box in boxes] == list(EXPORT_FORMATS)
    assert [box.text() for box in boxes] == [box.accessibleName() for box in boxes]


def test_a_folder_in_the_project_is_suggested(page: ExportPage) -> None:
    assert page.folder.text() == str(page.session.project.exports_folder / "run-001")


def test_the_suggestion_follows_the_run_but_not_over_what_was_typed(page: ExportPage, qtbot: QtBot) -> None:
    page.session.start_training()
    qtbot.waitUntil(lambda: page.session.project.run == "run-002")
    assert page.folder.text().endswith("run-002")
    page.folder.setText("/somewhere/else")
    page.session.use_run("run-001")
    assert page.folder.text() == "/somewhere/else"


def test_an_export_says_where_it_went_and_how_well_it_agrees(page: ExportPage, tmp_path: Path, qtbot: QtBot) -> None:
    target = tmp_path / "a folder with a rather long name" / "out"
    page.folder.setText(str(target))
    for row in page.rows.values():
        row.check.setChecked(True)
    page.export.click()
    assert page.bar.isVisible()
    qtbot.waitUntil(lambda: page.status.said() == f"Exported to {target}")
    assert page.status.accessibleName() == f"Exported to {target}"
    for row in page.rows.values():
        assert row.result.said() == "9.4 MB · agrees with the app: same answers on 8 photos, within 0.00001"
        assert Path(row.path.said()).parent == target
    assert page.open_folder.isVisible()
    assert page.export.isEnabled()
    assert page.summary() == "out"


def test_only_the_chosen_formats_are_written(page: ExportPage, tmp_path: Path, qtbot: QtBot) -> None:
    for name, row in page.rows.items():
        row.check.setChecked(name == "tflite")
    page.folder.setText(str(tmp_path / "out"))
    page.export.click()
    qtbot.waitUntil(lambda: page.status.said().startswith("Exported to"))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["model.tflite"]
    assert not page.rows["keras"].result.isVisible()


def test_without_a_format_or_folder_it_says_why_it_waits(page: ExportPage) -> None:
    for row in page.rows.values():
        row.check.setChecked(False)
    assert not page.export.isEnabled()
    assert page.status.said() == "Choose at least one format."
    page.rows["keras"].check.setChecked(True)
    assert page.export.isEnabled()
    assert page.status.said() == ""
    page.folder.setText("  ")
    assert page.status.said() == "Name an export folder."


def test_without_a_run_it_says_what_is_missing(session: Session, qtbot: QtBot) -> None:
    page = shown(session, qtbot)
    assert not page.export.isEnabled()
    assert page.status.said() == "There is no trained model yet. Train once first."
    assert page.missing() == "Train once first"


def test_a_failure_says_what_was_found_and_what_to_do(page: ExportPage, qtbot: QtBot, engine: FakeEngine) -> None:
    engine.problem = StudioError("The folder cannot be written.", found="It is read-only.", next_step="Choose another.")
    page.export.click()
    qtbot.waitUntil(lambda: page.error.isVisible())
    assert page.error.rest.text() == "It is read-only. Choose another."
    assert page.status.said() == ""
    assert page.export.isEnabled()


def test_an_export_that_waits_can_be_cancelled(page: ExportPage, qtbot: QtBot, engine: FakeEngine) -> None:
    engine.hold.clear()
    page.session.start_training()
    page.export.click()
    assert page.status.said() == "Waiting until the training is done"
    assert page.cancel.isVisible()
    page.cancel.click()
    engine.hold.set()
    qtbot.waitUntil(lambda: page.status.said() == "Export cancelled. Nothing was handed over.")
    assert not page.cancel.isVisible()


def test_only_an_export_that_came_to_its_end_counts_as_done(
    page: ExportPage, tmp_path: Path, qtbot: QtBot, engine: FakeEngine
) -> None:
    page.folder.setText(str(tmp_path / "out"))
    page.export.click()
    qtbot.waitUntil(lambda: page.summary() == "out")
    engine.problem = ZeroDivisionError("boom")  # type: ignore[assignment]
    with qtbot.waitSignals([page.done_changed, page.session.crashed], timeout=5000):
        page.export.click()
    assert page.summary() == ""
    assert page.export.isEnabled()


def test_an_export_that_was_cancelled_does_not_count_as_done(
    page: ExportPage, qtbot: QtBot, engine: FakeEngine
) -> None:
    engine.hold.clear()
    page.session.start_training()
    page.export.click()
    page.cancel.click()
    engine.hold.set()
    qtbot.waitUntil(lambda: not page.session.is_busy("export"))
    assert page.summary() == ""


@pytest.mark.parametrize(
    ("difference", "text"),
    [
        (0.0, "agrees with the app: same answers on 20 photos, within 0.00001"),
        (3.1e-7, "agrees with the app: same answers on 20 photos, within 0.00001"),
        (0.00034, "agrees with the app: same answers on 20 photos, within 0.0004"),
        (0.0004, "agrees with the app: same answers on 20 photos, within 0.0004"),
    ],
)
def test_the_bound_of_the_difference_holds(difference: float, text: str) -> None:
    assert agreement_text(ExportedFile("keras", Path("model.keras"), 1, 20, difference)) == text
