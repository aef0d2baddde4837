from __future__ import annotations

import timeit
from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from hubstudio.core.measures import Evaluation
from hubstudio.gui.theme import DARK, LIGHT, Colours
from hubstudio.gui.widgets.confusion_matrix import ConfusionMatrix, cell_text, worst_cell
from hubstudio.gui.widgets.matrix_card import MatrixCard
from hubstudio.gui.widgets.matrix_painting import luminance, mixed, readable_on

FLOWERS = Evaluation(("daisy", "iris", "pansy"), ((38, 1, 0), (0, 29, 2), (0, 3, 30)))


def many(classes: int) -> Evaluation:
    names = tuple(f"class {number} with a rather long name" for number in range(classes))
    rows = tuple(
        tuple(30 if row == column else (row + column) % 3 for column in range(classes)) for row in range(classes)
    )
    return Evaluation(names, rows)


@pytest.fixture
def matrix(qtbot: QtBot) -> ConfusionMatrix:
    matrix = ConfusionMatrix()
    qtbot.addWidget(matrix)
    matrix.resize(500, 400)
    matrix.show_evaluation(FLOWERS)
    matrix.show()
    return matrix


def test_the_cursor_starts_at_the_most_frequent_mistake(matrix: ConfusionMatrix) -> None:
    assert matrix.cell == (2, 1)
    assert matrix.accessibleDescription() == "pansy taken for iris: 3 photos"


def test_without_mistakes_the_cursor_starts_at_the_first_cell() -> None:
    assert worst_cell(Evaluation(("a", "b"), ((3, 0), (0, 4)))) == (0, 0)


def test_a_cell_says_what_it_counts() -> None:
    assert cell_text(FLOWERS, 0, 1) == "daisy taken for iris: 1 photo"
    assert cell_text(FLOWERS, 0, 2) == "daisy taken for pansy: 0 photos"
    assert cell_text(FLOWERS, 0, 0) == "daisy recognised: 38 of 39 photos"


@pytest.mark.parametrize(
    ("key", "cell"),
    [
        (Qt.Key.Key_Left, (1, 0)),
        (Qt.Key.Key_Right, (1, 2)),
        (Qt.Key.Key_Up, (0, 1)),
        (Qt.Key.Key_Down, (2, 1)),
        (Qt.Key.Key_Home, (1, 0)),
        (Qt.Key.Key_End, (1, 2)),
    ],
)
def test_arrow_keys_move_the_cursor(matrix: ConfusionMatrix, qtbot: QtBot, key: Qt.Key, cell: tuple[int, int]) -> None:
    matrix.set_cell(1, 1)
    with qtbot.waitSignal(matrix.cell_changed):
        qtbot.keyClick(matrix, key)
    assert matrix.cell == cell


def test_the_cursor_stays_within_the_matrix(matrix: ConfusionMatrix, qtbot: QtBot) -> None:
    matrix.set_cell(0, 0)
    qtbot.keyClick(matrix, Qt.Key.Key_Up)
    qtbot.keyClick(matrix, Qt.Key.Key_Left)
    assert matrix.cell == (0, 0)


def test_a_click_moves_the_cursor(matrix: ConfusionMatrix, qtbot: QtBot) -> None:
    middle = next(
        QPoint(x, y) for y in range(0, 400, 5) for x in range(0, 500, 5) if matrix.cell_at(QPoint(x, y)) == (0, 2)
    )
    qtbot.mouseClick(matrix.viewport(), Qt.MouseButton.LeftButton, pos=middle + QPoint(6, 6))
    assert matrix.cell == (0, 2)


def test_the_names_are_no_cells(matrix: ConfusionMatrix) -> None:
    assert matrix.cell_at(QPoint(2, 2)) is None


def fastest(work: Callable[[], object]) -> float:
    """Return the seconds it takes while nothing else comes in between."""
    return min(timeit.repeat(work, number=1, repeat=9))


def test_a_hundred_classes_scroll_to_the_cursor_and_paint_fast(qtbot: QtBot) -> None:
    matrix = ConfusionMatrix()
    qtbot.addWidget(matrix)
    matrix.resize(500, 400)
    matrix.show_evaluation(many(100))
    matrix.show()
    matrix.set_cell(99, 99)
    assert matrix.horizontalScrollBar().value() == matrix.horizontalScrollBar().maximum() > 0
    assert matrix.verticalScrollBar().value() == matrix.verticalScrollBar().maximum() > 0
    few = ConfusionMatrix()
    qtbot.addWidget(few)
    few.resize(500, 400)
    few.show_evaluation(many(20))
    few.show()
    assert fastest(matrix.grab) < 5 * fastest(few.grab)  # only cells in view are painted: all would be 25 times as many


@pytest.mark.parametrize("name", ["", "x" * 120, "two\nlines", "名前"])
def test_odd_names_are_painted(qtbot: QtBot, name: str) -> None:
    matrix = ConfusionMatrix()
    qtbot.addWidget(matrix)
    matrix.resize(300, 200)
    matrix.show_evaluation(Evaluation((name, "other"), ((1, 2), (0, 0))))
    assert not matrix.grab().isNull()


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["matrix_right", "matrix_wrong"])
def test_numbers_are_readable_on_every_shade(colours: Colours, name: str) -> None:
    for share in range(30, 86):
        ground = mixed(getattr(colours, name), colours.surface, share / 100)
        low, high = sorted((luminance(ground), luminance(readable_on(ground))))
        assert (high + 0.05) / (low + 0.05) >= 4.5


def test_black_and_white_are_chosen_by_contrast() -> None:
    assert readable_on(QColor("#ffffff")) != readable_on(QColor("#000000"))


def test_the_card_says_the_cell_and_shows_the_matrix_as_a_table(qtbot: QtBot) -> None:
    card = MatrixCard()
    qtbot.addWidget(card)
    card.show_evaluation(FLOWERS)
    assert card.cell_label.said() == "pansy taken for iris: 3 photos"
    qtbot.keyClick(card.matrix, Qt.Key.Key_Right)
    assert card.cell_label.said() == "pansy recognised: 30 of 33 photos"
    card.toggle.click()
    assert card.table.texts() == [["daisy", "38", "1", "0"], ["iris", "0", "29", "2"], ["pansy", "0", "3", "30"]]
