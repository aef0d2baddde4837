from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject, QPoint
from PySide6.QtGui import QCursor
from pytestqt.qtbot import QtBot

from hubstudio.gui import garbage
from hubstudio.gui.garbage import GarbageCollector


class Count:
    """Stands for what the interpreter counts, and writes down what is collected."""

    def __init__(self) -> None:
        self.value = (0, 0, 0)
        self.pointer = QPoint(1, 1)
        self.moves = False
        self.collected: list[int] = []

    def place(self) -> QPoint:
        if self.moves:
            self.pointer += QPoint(1, 0)
        return QPoint(self.pointer)

    def collect(self, generation: int = 2) -> int:
        self.collected.append(generation)
        return 0


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> Iterator[Count]:
    count = Count()
    monkeypatch.setattr(garbage, "_MILLISECONDS", 1)
    monkeypatch.setattr(gc, "get_count", lambda: count.value)
    monkeypatch.setattr(gc, "collect", count.collect)
    monkeypatch.setattr(QCursor, "pos", count.place)
    parent = QObject()
    collector = GarbageCollector(parent)
    yield count
    collector.close()


def test_a_full_collection_waits_until_the_pointer_rests(count: Count, qtbot: QtBot) -> None:
    count.moves = True
    count.value = (0, 0, 201)
    qtbot.wait(200)
    assert not count.collected
    count.moves = False
    qtbot.waitUntil(lambda: 2 in count.collected)


def test_a_full_collection_does_not_wait_for_ever(count: Count, qtbot: QtBot) -> None:
    count.moves = True
    count.value = (0, 0, 2_001)
    qtbot.waitUntil(lambda: 2 in count.collected)


def test_the_young_are_collected_whatever_the_pointer_does(count: Count, qtbot: QtBot) -> None:
    count.moves = True
    count.value = (2_001, 0, 201)
    qtbot.waitUntil(lambda: 0 in count.collected)
    count.value = (2_001, 3, 201)
    qtbot.waitUntil(lambda: 1 in count.collected)
    assert 2 not in count.collected


def test_collection_is_as_it_was_afterwards(qtbot: QtBot) -> None:
    assert gc.isenabled()
    parent = QObject()
    collector = GarbageCollector(parent)
    assert not gc.isenabled()
    collector.close()
    assert gc.isenabled()
