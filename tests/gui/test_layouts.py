from __future__ import annotations

from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from hubstudio.gui.widgets.card import Card
from hubstudio.gui.widgets.flow_row import FlowRow
from hubstudio.gui.widgets.scroll_column import ScrollColumn, Stretching
from hubstudio.gui.widgets.wrapped_label import WrappedLabel

WORDS = "Words that need more than a line where there is little room. " * 6


def row_of(qtbot: QtBot, count: int) -> tuple[QWidget, list[QPushButton]]:
    widget = QWidget()
    qtbot.addWidget(widget)
    layout = FlowRow()
    widget.setLayout(layout)
    buttons = [QPushButton(f"Button {number}") for number in range(count)]
    for button in buttons:
        layout.addWidget(button)
    widget.show()
    return widget, buttons


def test_buttons_stand_in_one_line_where_there_is_room_and_in_more_where_there_is_not(qtbot: QtBot) -> None:
    widget, buttons = row_of(qtbot, 4)
    widget.resize(2000, 100)
    assert len({button.y() for button in buttons}) == 1
    widget.resize(buttons[0].width() * 2 + 20, 300)
    assert len({button.y() for button in buttons}) == 2
    assert all(button.geometry().right() < widget.width() for button in buttons)
    assert widget.heightForWidth(widget.width()) > widget.heightForWidth(2000)


def test_a_hidden_button_takes_no_place(qtbot: QtBot) -> None:
    widget, buttons = row_of(qtbot, 3)
    widget.resize(2000, 100)
    place = buttons[1].x()
    buttons[1].hide()
    qtbot.waitUntil(lambda: buttons[2].x() == place)


def test_a_column_that_scrolls_cuts_no_card_and_shrinks_what_stretches(qtbot: QtBot) -> None:
    content, column = QWidget(), QVBoxLayout()
    content.setLayout(column)
    cards = [Card("Title"), Card("Title")]
    for card in cards:
        card.body.addWidget(WrappedLabel(WORDS))
        card.body.addWidget(QPushButton("Button"))
    picture = Card("Picture")
    picture.body.addWidget(WrappedLabel(WORDS))
    tall = QWidget()
    tall.setMinimumSize(100, 50)
    picture.body.addWidget(tall)
    for widget in (cards[0], Stretching(picture), cards[1]):
        column.addWidget(widget)
    scroll = ScrollColumn(content, uncut=True)
    qtbot.addWidget(scroll)
    scroll.resize(300, 150)
    scroll.show()
    qtbot.waitUntil(lambda: all(card.height() >= card.heightForWidth(card.width()) for card in cards))
    assert picture.height() >= picture.minimumSizeHint().height()
    assert scroll.verticalScrollBar().maximum() > 0
