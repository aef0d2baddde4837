"""Labels for text that may be too long."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from hubstudio.gui.widgets.elided_label import ClausesLabel


def test_clauses_stand_on_one_line_where_they_fit_and_below_each_other_where_not(qtbot: QtBot) -> None:
    label = ClausesLabel("Studio Mini · fine-tune 4 of 8")
    qtbot.addWidget(label)
    wide = label.fontMetrics().horizontalAdvance(label.text())
    assert label.heightForWidth(wide - 1) == 2 * label.heightForWidth(wide + 1)
    label.resize(wide - 1, label.heightForWidth(wide - 1))
    assert not label.grab().isNull()
    assert label.text() == label.toolTip() == "Studio Mini · fine-tune 4 of 8"
