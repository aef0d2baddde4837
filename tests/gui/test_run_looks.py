from __future__ import annotations

from itertools import combinations

import pytest
from PySide6.QtWidgets import QApplication
from test_theme import THEMES, contrast

from hubstudio.gui.theme import Colours
from hubstudio.gui.widgets.run_looks import MOST_RUNS, faded, looks_for, marker, overlay_styles, run_colour

LOOKS = range(MOST_RUNS + 1)


@THEMES
@pytest.mark.parametrize("look", LOOKS)
def test_the_line_of_every_run_stands_out_from_the_card(colours: Colours, look: int) -> None:
    assert contrast(run_colour(look, colours), colours.surface) >= 3


@THEMES
def test_runs_differ_in_colour_and_in_marker(colours: Colours, qapp: QApplication) -> None:
    for one, other in combinations(LOOKS, 2):
        assert run_colour(one, colours) != run_colour(other, colours)
        assert marker(one) != marker(other)


@THEMES
def test_training_and_validation_of_a_run_differ_in_more_than_colour(colours: Colours) -> None:
    training, validation = overlay_styles(run_colour(1, colours), colours)
    assert (training.dashed, validation.dashed) == (True, False)
    assert contrast(training.colour, colours.surface) < contrast(validation.colour, colours.surface)


@THEMES
def test_a_faded_colour_lies_between_itself_and_the_card(colours: Colours) -> None:
    own = run_colour(1, colours)
    assert faded(own, colours, 1) == own
    assert faded(own, colours, 0) == colours.surface


def test_a_run_keeps_its_look_when_another_one_goes() -> None:
    looks = looks_for(["a", "b", "c"], {})
    assert looks == {"a": 1, "b": 2, "c": 3}
    assert looks_for(["b", "d", "c"], looks) == {"b": 2, "d": 1, "c": 3}


def test_no_two_runs_ever_have_the_same_look() -> None:
    looks: dict[str, int] = {}
    for names in (["a", "b"], ["b", "c", "d"], ["e", "f", "g", "h", "b", "d"]):
        looks = looks_for(names, looks)
        assert len(set(looks.values())) == len(names)
