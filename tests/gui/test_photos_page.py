from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from fake_engine import FakeEngine
from photo_folders import make_photos
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from hubstudio.core import photo_check
from hubstudio.core.cancel import CancelToken
from hubstudio.core.parts import Part
from hubstudio.core.photos import PhotoSet
from hubstudio.core.plan import ClassWeights, Plan
from hubstudio.core.project import Project
from hubstudio.core.split import Shares
from hubstudio.gui import photo_jobs
from hubstudio.gui.pages.photos_page import PhotosPage
from hubstudio.gui.session import Session
from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.widgets.health_check import HealthLine
from hubstudio.gui.widgets.problem_dialog import ProblemDialog


@pytest.fixture
def page(session: Session, thumbnails: Thumbnails, qtbot: QtBot) -> PhotosPage:
    page = PhotosPage(session, thumbnails)
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    return page


def drop(widget: QWidget, paths: list[Path]) -> bool:
    """Drop files on a widget; False if it does not take them."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entering = QDragEnterEvent(QPoint(5, 5), Qt.DropAction.CopyAction, data, buttons, keys)
    QApplication.sendEvent(widget, entering)
    if not entering.isAccepted():
        return False
    QApplication.sendEvent(widget, QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys))
    return True


def drag(widget: QWidget, paths: list[Path]) -> None:
    """Drag files over a widget and hold them there."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(widget, QDragEnterEvent(QPoint(5, 5), Qt.DropAction.CopyAction, data, buttons, keys))


def line_that_says(page: PhotosPage, words: str) -> HealthLine:
    return next(line for line in page.health.lines if words in line.sentence.said())


def shown_problem(page: PhotosPage, words: str) -> ProblemDialog:
    """Press the Show of a finding."""
    button = next(button for button in line_that_says(page, words).buttons if button.text() == "Show")
    button.click()
    assert page.dialog is not None
    return page.dialog


def change(session: Session, **values: object) -> None:
    assert session.plan is not None
    session.change_plan(replace(session.plan, **values))  # type: ignore[arg-type]


@dataclass
class SlowCheck:
    """A check that works until it may end or is cancelled."""

    begun: threading.Event = field(default_factory=threading.Event)
    may_end: threading.Event = field(default_factory=threading.Event)

    def __call__(self, photo_set: PhotoSet, progress: photo_check.Progress, cancel: CancelToken) -> PhotoSet:
        while not self.may_end.wait(0.01):
            self.begun.set()
            cancel.check()
        return photo_check.check_photos(photo_set, progress, cancel)


@pytest.fixture
def slow_check(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowCheck]:
    check = SlowCheck()
    monkeypatch.setattr(photo_jobs, "check_photos", check)
    yield check
    check.may_end.set()


@pytest.fixture
def copies(photos: Path) -> Path:
    """Photos of which one is there twice."""
    shutil.copy(photos / "red" / "red 1.jpg", photos / "red" / "twin.jpg")
    return photos


def read(page: PhotosPage, folder: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.session.photos_checked, timeout=10_000):
        page.session.choose_photos(folder)


def test_without_photos_the_next_step_waits_for_them(page: PhotosPage) -> None:
    assert page.missing() == "Choose photos first"
    assert page.summary() == ""
    assert page.first.isVisible()
    assert not page.overview.isVisible()


def test_a_dropped_folder_is_read_and_checked(page: PhotosPage, photos: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.session.photos_checked, timeout=10_000):
        assert drop(page.first, [photos])
    assert page.missing() == ""
    assert page.summary() == "30 photos · 3 classes"
    assert page.overview.isVisible()
    assert not page.first.isVisible()


def test_a_typed_folder_is_read_on_enter(page: PhotosPage, photos: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.session.photos_changed, timeout=10_000):
        page.first.folder.setText(str(photos))
        qtbot.keyClick(page.first.folder, Qt.Key.Key_Return)
    assert page.session.photo_set is not None
    assert page.session.photo_set.root == photos


def test_another_project_closes_the_window_with_photos(page: PhotosPage, photos: Path, qtbot: QtBot) -> None:
    read(page, photos, qtbot)
    page.classes.show_gallery("red")
    assert page.classes.gallery is not None
    assert page.classes.gallery.isVisible()
    page.session.open(Project(Path()))
    assert not page.classes.gallery.isVisible()


def test_pictures_are_doubted_after_every_check(
    page: PhotosPage, photos: Path, qtbot: QtBot, thumbnails: Thumbnails
) -> None:
    with qtbot.waitSignal(thumbnails.doubted, timeout=10_000):
        page.session.choose_photos(photos)
    photo = photos / "red" / "red 1.jpg"
    qtbot.waitUntil(lambda: page.classes.grid.pictures.picture(photo) is not None, timeout=5000)
    before = page.classes.grid.pictures.picture(photo)
    shutil.copy(photos / "blue" / "blue 1.jpg", photo)
    page.session.leave_out([photos / "red" / "red 9.jpg"])
    qtbot.waitUntil(lambda: page.classes.grid.pictures.picture(photo) != before, timeout=10_000)


def test_the_classes_are_listed_and_counted(page: PhotosPage, tmp_path: Path, qtbot: QtBot) -> None:
    read(page, make_photos(tmp_path / "uneven", {"blue": 8, "red": 4}), qtbot)
    assert list(page.classes.grid.keys) == ["blue", "red"]
    assert page.total.text() == "2 classes · 12 photos"


def test_classes_are_merged_by_giving_one_the_name_of_the_other(page: PhotosPage, photos: Path, qtbot: QtBot) -> None:
    read(page, photos, qtbot)
    with qtbot.waitSignal(page.session.photos_checked, timeout=10_000):
        page.classes.rename_wanted.emit("red", "blue")
    assert page.summary() == "30 photos · 2 classes"
    assert page.notice.what.text() == "Done: Merge 'red' into 'blue'"


def test_long_class_names_do_not_widen_the_page(page: PhotosPage, tmp_path: Path, qtbot: QtBot) -> None:
    name = "a class name of many words " * 4
    read(page, make_photos(tmp_path / "long", {name.strip(): 3, "red": 3}), qtbot)
    assert page.minimumSizeHint().width() < 620


def test_unreadable_files_are_shown_with_the_reason(page: PhotosPage, photos: Path, qtbot: QtBot) -> None:
    broken = photos / "red" / "broken.jpg"
    broken.write_bytes(b"")
    read(page, photos, qtbot)
    dialog = shown_problem(page, "could not be read")
    tile = dialog.tiles[broken]
    assert tile.tick.accessibleName() == "red/broken.jpg"
    assert tile.about.said().startswith("red · ")
    assert len(tile.about.said()) > len("red · ")
    assert page.health.readable.sentence.said() == "30 photos readable"
    assert page.missing() == ""


def test_a_class_with_too_few_photos_says_so_beside_next(page: PhotosPage, tmp_path: Path, qtbot: QtBot) -> None:
    read(page, make_photos(tmp_path / "few", {"blue": 5, "red": 2}), qtbot)
    assert page.missing() == "The class 'red' has 2 photos; it needs at least 3."


def test_lopsided_classes_are_pointed_out_and_class_weights_offered(
    page: PhotosPage, tmp_path: Path, qtbot: QtBot
) -> None:
    read(page, make_photos(tmp_path / "lopsided", {"blue": 20, "red": 4}), qtbot)
    weights = line_that_says(page, "Classes lopsided (1 : 5.0)").check_box
    assert weights is not None
    assert page.session.plan is not None
    for chosen in (ClassWeights.OFF, ClassWeights.ON):  # where classes are lopsided, weights are what is usual
        weights.click()
        assert page.session.plan.class_weights is chosen
    assert line_that_says(page, "Classes lopsided").check_box is weights  # built once, so that it keeps the focus


def test_the_split_is_told_in_numbers_that_are_those_of_the_split_itself(
    page: PhotosPage, photos: Path, qtbot: QtBot
) -> None:
    page.session.choose_photos(photos)
    assert [line.number.said() for line in page.split.lines.values()] == ["", "", ""]
    qtbot.waitUntil(lambda: page.session.split is not None, timeout=10_000)
    assert page.session.split is not None
    counts = page.session.split.counts()
    said = [line.number.said() for line in page.split.lines.values()]
    assert sum(counts.values()) == 30
    assert said == [f"{counts['train']} train", f"{counts['validation']} validation", f"{counts['test']} test, locked"]


def test_a_folder_that_is_not_there_keeps_the_photos_and_says_what_to_do(
    page: PhotosPage, photos: Path, qtbot: QtBot
) -> None:
    read(page, photos, qtbot)
    with qtbot.waitSignal(page.session.failed, timeout=10_000):
        page.session.choose_photos(photos / "nowhere")
    assert "There is no folder" in page.problem.what.said()
    assert page.problem.isVisible()
    assert page.overview.isVisible()
    assert page.summary() == "30 photos · 3 classes"


def test_class_folders_dropped_together_are_used_together(page: PhotosPage, photos: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.session.photos_checked, timeout=10_000):
        drop(page.first, [photos / "red", photos / "blue"])
    assert page.summary() == "20 photos · 2 classes"
    assert page.session.project.name == "shapes"


def test_one_class_folder_is_refused_with_the_folder_to_drop_instead(page: PhotosPage, photos: Path) -> None:
    drop(page.first, [photos / "red"])
    assert page.problem.what.said() == "'red' is one class."
    assert str(photos) in page.problem.rest.said()
    assert not page.session.is_busy("scan")


def test_a_dropped_photo_is_refused(page: PhotosPage, photos: Path) -> None:
    drop(page.first, [photos / "red" / "red 1.jpg"])
    assert page.problem.what.said() == "'red 1.jpg' is not a folder; a class is one."


def test_the_zone_says_what_a_drop_will_do_before_the_button_is_released(page: PhotosPage, photos: Path) -> None:
    drag(page.first, [photos])
    assert page.first.prompt.said() == "Use 3 class folders in 'shapes'"
    assert page.first.accessibleDescription() == "Use 3 class folders in 'shapes'"
    QApplication.sendEvent(page.first, QDragLeaveEvent())
    assert page.first.prompt.said() == "Drop a folder of class folders here"


def test_the_zone_says_before_the_button_is_released_why_a_drop_is_of_no_use(page: PhotosPage, photos: Path) -> None:
    drag(page.first, [photos / "red"])
    assert page.first.prompt.said().startswith("'red' is one class. Drop the folder above it")
    assert page.first.property("hovered") == "refusing"


def test_something_else_than_files_is_not_taken(page: PhotosPage) -> None:
    assert not drop(page.first, [])


def test_the_drop_zone_stays_for_another_folder_that_is_added(
    page: PhotosPage, photos: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    read(page, photos, qtbot)
    other = make_photos(tmp_path / "other", {"up": 3, "down": 3})
    assert page.more.accessibleName() == page.first.accessibleName() == "Photo drop zone"
    drag(page.more, [other])
    assert page.more.prompt.said() == "Add 2 classes: down, up"
    with qtbot.waitSignal(page.session.photos_checked, timeout=10_000):
        drop(page.more, [other])
    assert page.summary() == "36 photos · 5 classes"
    assert page.notice.what.text() == "Done: Add 'other'"


def test_a_folder_dropped_anywhere_on_the_page_is_added(
    page: PhotosPage, photos: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    read(page, photos, qtbot)
    other = make_photos(tmp_path / "other", {"up": 3, "down": 3})
    drag(page.overview, [other])
    assert page.more.prompt.said() == "Add 2 classes: down, up"
    with qtbot.waitSignal(page.session.photos_checked, timeout=10_000):
        drop(page.overview, [other])
    assert page.summary() == "36 photos · 5 classes"


def test_a_folder_that_is_there_already_adds_nothing_and_says_so(page: PhotosPage, photos: Path, qtbot: QtBot) -> None:
    read(page, photos, qtbot)
    drop(page.more, [photos])
    assert page.problem.what.said() == "'shapes' is among your photos already."
    with qtbot.waitSignal(page.session.failed, timeout=10_000):
        page.session.add_photos(photos / "red")
    assert page.problem.what.said() == "Nothing was added."
    assert page.summary() == "30 photos · 3 classes"
    assert page.session.edit_to_undo == ""


def test_other_photos_can_be_chosen_instead(
    page: PhotosPage, photos: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(page, photos, qtbot)
    other = make_photos(tmp_path / "other", {"up": 3, "down": 3})
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(other))
    with qtbot.waitSignal(page.session.photos_checked, timeout=10_000):
        page.other.folder.click()
    assert page.summary() == "6 photos · 2 classes"


def test_a_table_can_be_chosen(page: PhotosPage, photos: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    table = photos.parent / "labels.csv"
    names = [path.relative_to(table.parent).as_posix() for path in sorted(photos.glob("*/*.jpg"))]
    table.write_text("path,label\n" + "".join(f"{name},{'warm' if 'red' in name else 'cold'}\n" for name in names))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(table), ""))
    with qtbot.waitSignal(page.session.photos_checked, timeout=10_000):
        page.first.buttons.table.click()
    assert page.total.text() == "2 classes · 30 photos"
    assert page.session.project.name == "labels"
    assert page.session.plan is not None
    assert page.session.plan.photos == str(table)


def test_photos_are_left_out_and_put_back_from_the_finding(page: PhotosPage, copies: Path, qtbot: QtBot) -> None:
    read(page, copies, qtbot)
    dialog = shown_problem(page, "exact cop")
    twin = copies / "red" / "twin.jpg"
    qtbot.mouseClick(dialog.tiles[twin], Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(page.session.photos_checked, timeout=10_000):
        dialog.leave_out.click()
    assert page.summary() == "30 photos · 3 classes"
    assert dialog.tiles[twin].about.said() == "red · left out"
    assert page.health.readable.sentence.said() == "30 photos readable"
    dialog.tiles[twin].tick.click()
    with qtbot.waitSignal(page.session.photos_checked, timeout=10_000):
        dialog.put_back.click()
    assert page.summary() == "31 photos · 3 classes"
    assert twin.exists()


def test_all_but_one_of_each_group_are_left_out(page: PhotosPage, copies: Path, qtbot: QtBot) -> None:
    read(page, copies, qtbot)
    dialog = shown_problem(page, "exact cop")
    with qtbot.waitSignal(page.session.photos_checked, timeout=10_000):
        dialog.all_but_one.click()
    assert page.summary() == "30 photos · 3 classes"
    assert not dialog.all_but_one.isEnabled()
    assert not any("exact cop" in line.sentence.said() for line in page.health.lines)


def test_photos_left_out_are_put_back_at_once_in_their_line(page: PhotosPage, copies: Path, qtbot: QtBot) -> None:
    read(page, copies, qtbot)
    with qtbot.waitSignal(page.session.photos_checked, timeout=10_000):
        page.session.leave_out([copies / "red" / "twin.jpg", copies / "red" / "red 2.jpg"])
    line = line_that_says(page, "2 photos left out by you")
    with qtbot.waitSignal(page.session.photos_checked, timeout=10_000):
        next(button for button in line.buttons if button.text() == "Put back").click()
    assert page.summary() == "31 photos · 3 classes"


def test_an_edit_can_be_undone_where_it_is_told(page: PhotosPage, photos: Path, qtbot: QtBot) -> None:
    read(page, photos, qtbot)
    assert not page.notice.isVisible()
    with qtbot.waitSignal(page.session.photos_checked, timeout=10_000):
        page.session.leave_out([photos / "red" / "red 2.jpg"])
    assert page.notice.what.text() == "Done: Leave out 'red 2.jpg'"
    with qtbot.waitSignal(page.session.photos_checked, timeout=10_000):
        page.notice.undo.click()
    assert page.summary() == "30 photos · 3 classes"
    assert page.notice.what.text() == "Undone: Leave out 'red 2.jpg'"
    with qtbot.waitSignal(page.session.photos_checked, timeout=10_000):
        page.notice.redo.click()
    assert page.summary() == "29 photos · 3 classes"


def test_what_prevents_training_comes_first_and_notes_last(page: PhotosPage, copies: Path, qtbot: QtBot) -> None:
    make_photos(copies / "more", {"few": 2})
    (copies / "more" / "few").rename(copies / "few")
    (copies / "red" / "notes.txt").write_text("no photo")
    read(page, copies, qtbot)
    roles = [line.mark.property("role") for line in page.health.lines]
    assert roles[0] == "bad"
    assert roles.index("warning") < roles.index("muted")


def test_a_check_can_be_paused_and_goes_on(page: PhotosPage, photos: Path, qtbot: QtBot, slow_check: SlowCheck) -> None:
    page.session.choose_photos(photos)
    qtbot.waitUntil(slow_check.begun.is_set, timeout=10_000)
    page.health.pause.click()
    assert page.health.readable.sentence.said().startswith("Paused: ")
    assert page.health.pause.text() == "Resume"
    page.health.pause.click()
    assert page.health.readable.sentence.said().startswith("Checking: ")
    with qtbot.waitSignal(page.session.photos_checked, timeout=10_000):
        slow_check.may_end.set()
    assert not page.health.pause.isVisible()


def test_a_cancelled_check_leaves_the_photos_listed_and_can_be_done_again(
    page: PhotosPage, photos: Path, qtbot: QtBot, slow_check: SlowCheck
) -> None:
    page.session.choose_photos(photos)
    qtbot.waitUntil(slow_check.begun.is_set, timeout=10_000)
    page.health.cancel.click()
    qtbot.waitUntil(page.health.again.isVisible, timeout=10_000)
    assert page.summary() == "30 photos · 3 classes"
    assert page.missing() == "Check the photos first"
    assert page.health.readable.sentence.said() == "30 photos not checked yet"
    slow_check.may_end.set()
    with qtbot.waitSignal(page.session.photos_checked, timeout=10_000):
        page.health.again.click()
    assert page.missing() == ""


def test_other_shares_divide_the_photos_anew(page: PhotosPage, photos: Path, qtbot: QtBot) -> None:
    read(page, photos, qtbot)
    before = page.session.part_counts
    page.split.adjust.click()
    with qtbot.waitSignal(page.session.split_changed, timeout=10_000):
        page.split.test.setValue(40)
    assert page.session.part_counts["test"] > before["test"]
    assert page.split.lines[Part.TEST].number.said() == f"{page.session.part_counts['test']} test, locked"
    assert page.session.plan is not None
    assert page.session.plan.test_share == 0.4


def test_shares_pressed_quickly_divide_once(page: PhotosPage, photos: Path, qtbot: QtBot) -> None:
    read(page, photos, qtbot)
    page.split.adjust.click()
    told: list[tuple[float, float]] = []
    page.split.shares_wanted.connect(lambda validation, test: told.append((validation, test)))
    with qtbot.waitSignal(page.session.split_changed):
        for _ in range(5):
            page.split.test.stepUp()
        page.split.validation.stepDown()
        page.health.class_weights_wanted.emit(True)  # another change of the plan takes nothing back
    assert told == [(0.14, 0.2)]
    assert page.session.plan is not None
    assert page.session.plan.shares == Shares(0.14, 0.2)
    assert page.session.plan.class_weights is ClassWeights.ON


def test_a_share_chosen_a_moment_ago_counts_when_the_page_is_left(page: PhotosPage, photos: Path, qtbot: QtBot) -> None:
    read(page, photos, qtbot)
    page.split.adjust.click()
    page.split.test.setValue(40)
    page.hide()
    assert page.session.plan is not None
    assert page.session.plan.test_share == 0.4


def test_a_split_can_be_exported_once_an_edit_is_checked(
    page: PhotosPage, photos: Path, qtbot: QtBot, slow_check: SlowCheck
) -> None:
    slow_check.may_end.set()
    read(page, photos, qtbot)
    assert page.split.export.isEnabled()
    slow_check.may_end.clear()
    slow_check.begun.clear()
    page.session.leave_out([photos / "red" / "red 1.jpg"])
    qtbot.waitUntil(slow_check.begun.is_set)
    qtbot.waitUntil(lambda: not page.split.export.isEnabled())
    assert page.split.export.toolTip() == "Once the photos are checked"
    with qtbot.waitSignal(page.session.photos_checked):
        slow_check.may_end.set()
    assert page.split.export.isEnabled()
    assert page.split.export.toolTip() == ""


def test_photos_that_a_table_leaves_out_are_told_apart_and_cannot_be_put_back(
    page: PhotosPage, photos: Path, qtbot: QtBot
) -> None:
    table = photos.parent / "labels.csv"
    files = sorted(photos.glob("*/*.jpg"))
    parts = ["left-out" if number in (4, 5) else "" for number in range(len(files))]
    lines = [f"{file},{file.parent.name},{part}\n" for file, part in zip(files, parts, strict=True)]
    table.write_text("path,label,part\n" + "".join(lines))
    read(page, table, qtbot)
    with qtbot.waitSignal(page.session.photos_checked):
        page.session.leave_out([files[0]])
    assert page.summary() == "27 photos · 3 classes"
    own = line_that_says(page, "1 photo left out by you")
    assert [button.text() for button in own.buttons] == ["Show", "Put back"]
    given = line_that_says(page, "2 photos left out by your table or split file")
    assert [button.text() for button in given.buttons] == ["Show"]
    dialog = shown_problem(page, "left out by your table")
    assert not dialog.put_back.isVisible()
    assert len(dialog.listed.toPlainText().splitlines()) == 2


def test_the_shares_leave_something_for_training(page: PhotosPage, photos: Path, qtbot: QtBot) -> None:
    read(page, photos, qtbot)
    page.split.validation.setValue(100)
    page.split.test.setValue(100)
    assert page.split.validation.value() + page.split.test.value() == 90


def test_a_split_is_exported_and_used_again(
    page: PhotosPage, photos: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(page, photos, qtbot)
    file = tmp_path / "split.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(file), ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
    before = page.session.split
    with qtbot.waitSignal(page.session.split_exported, timeout=10_000):
        page.split.export.click()
    assert page.split.done.text() == f"Written to {file}"
    with qtbot.waitSignal(page.session.split_changed, timeout=10_000):
        change(page.session, seed=7)
    with qtbot.waitSignal(page.session.split_changed, timeout=10_000):
        page.split.use.click()
    assert page.split.origin.text() == "The split of 'split.csv' is kept."
    assert before is not None
    assert page.session.split is not None
    assert [part for _, part in page.session.split.assigned] == [part for _, part in before.assigned]
    with qtbot.waitSignal(page.session.split_changed, timeout=10_000):
        page.split.forget.click()
    assert page.split.origin.text() == "Drawn by content, seed 7."


def test_many_findings_are_counted(page: PhotosPage, tmp_path: Path, qtbot: QtBot) -> None:
    read(page, make_photos(tmp_path / "few", {f"class {number}": 2 for number in range(60)}, side=8), qtbot)
    assert len(page.health.lines) <= 42
    assert any("more findings like these" in line.sentence.said() for line in page.health.lines)


def test_a_folder_that_cannot_be_read_says_so_also_when_the_check_of_the_former_has_ended(
    page: PhotosPage, photos: Path, tmp_path: Path, qtbot: QtBot, slow_check: SlowCheck
) -> None:
    page.session.choose_photos(photos)
    qtbot.waitUntil(slow_check.begun.is_set)
    page.session.choose_photos(tmp_path / "nowhere")
    slow_check.may_end.set()
    qtbot.waitUntil(lambda: page.session.photos_are_checked and not page.session.is_busy("scan"), timeout=10_000)
    qtbot.waitUntil(lambda: page.problem.isVisible())
    assert page.missing() == ""


def test_recent_projects_can_be_continued(
    page: PhotosPage, photos: Path, qtbot: QtBot, engine: FakeEngine, thumbnails: Thumbnails
) -> None:
    read(page, photos, qtbot)
    fresh = Session(Project(Path()), lambda: engine)
    later = PhotosPage(fresh, thumbnails)
    qtbot.addWidget(later)
    later.entered()
    button = later.first.recent.itemAt(0).widget()
    assert button.accessibleName() == "Continue shapes"
    with qtbot.waitSignal(later.project_wanted) as told:
        button.click()
    assert told.args == [page.session.project.folder]
    unfinished = page.session.project.runs_folder / "run-001.unfinished"
    unfinished.mkdir(parents=True)
    Plan("photos").save(unfinished / "plan.toml")
    later.entered()
    assert later.first.recent.itemAt(0).widget().accessibleName() == "Continue shapes – a training waits there"
    fresh.close()


def test_thumbnails_are_made_when_seen(page: PhotosPage, photos: Path, qtbot: QtBot, thumbnails: Thumbnails) -> None:
    read(page, photos, qtbot)
    qtbot.waitUntil(lambda: len({path for path, _ in thumbnails._kept}) >= 12, timeout=10_000)
