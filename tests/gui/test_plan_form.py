"""The fields of a plan that are no numbers, apart from the page that holds them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from hubstudio.core.plan import Mode, Output, Plan
from hubstudio.gui.widgets.plan_field import ChoiceField
from hubstudio.gui.widgets.plan_form import PlanForm

PLAN = Plan("photos").with_mode(Mode.FINE_TUNE)


@pytest.fixture
def form(qtbot: QtBot) -> PlanForm:
    form = PlanForm()
    qtbot.addWidget(form)
    form.show_plan(PLAN)
    form.show()
    form.advanced.click()
    return form


@pytest.mark.parametrize(
    ("name", "before", "word", "value"),
    [("output", "softmax", "sigmoid", Output.SIGMOID), ("train_batch_norm", "frozen", "learn", True)],
)
def test_how_the_head_answers_and_what_batch_norm_does_can_be_chosen_and_reset(
    form: PlanForm, qtbot: QtBot, name: str, before: str, word: str, value: object
) -> None:
    field = form.fields[name]
    assert isinstance(field, ChoiceField)
    assert field.isVisible()
    assert field.currentText() == before
    with qtbot.waitSignal(form.plan_changed) as changed:
        field.setCurrentText(word)
    assert changed.args == [replace(PLAN, **{name: value})]
    with qtbot.waitSignal(form.plan_changed) as changed:
        form.reset.click()
    assert changed.args == [PLAN]
    assert field.currentText() == before


def test_a_plan_that_was_read_shows_its_choices(form: PlanForm) -> None:
    form.show_plan(replace(PLAN, output=Output.SIGMOID, train_batch_norm=True))
    shown = [form.fields[name] for name in ("output", "train_batch_norm")]
    assert [field.currentText() for field in shown if isinstance(field, ChoiceField)] == ["sigmoid", "learn"]


def test_batch_norm_is_not_asked_about_while_the_backbone_stays_as_it_is(form: PlanForm) -> None:
    form.show_plan(PLAN.with_mode(Mode.EXTRACT))
    assert not form.fields["train_batch_norm"].isVisible()
    assert form.fields["output"].isVisible()
