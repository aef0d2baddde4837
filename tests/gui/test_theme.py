from __future__ import annotations

from dataclasses import fields

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from hubstudio.gui.theme import DARK, LIGHT, Colours, apply_theme, colours_of, palette_of, stylesheet

THEMES = pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])


def _luminance(colour: str) -> float:
    parts = (QColor(colour).redF(), QColor(colour).greenF(), QColor(colour).blueF())
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2.2, 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@THEMES
@pytest.mark.parametrize("ground", ["window", "surface", "sidebar", "accent_soft"])
@pytest.mark.parametrize("ink", ["text", "muted", "accent", "good", "warning", "bad"])
def test_text_is_readable_on_every_ground_it_stands_on(colours: Colours, ground: str, ink: str) -> None:
    assert contrast(getattr(colours, ink), getattr(colours, ground)) >= 4.5


@THEMES
def test_text_is_readable_on_the_accent(colours: Colours) -> None:
    assert contrast(colours.accent_text, colours.accent) >= 4.5


@THEMES
@pytest.mark.parametrize("line", ["training", "validation", "accent"])
def test_lines_and_focus_rings_stand_out_from_their_ground(colours: Colours, line: str) -> None:
    assert contrast(getattr(colours, line), colours.surface) >= 3


@THEMES
def test_the_theme_is_told_from_a_palette(qapp: QApplication, colours: Colours) -> None:
    assert colours_of(palette_of(colours)) is colours


@THEMES
def test_the_style_sheet_has_every_name_filled_in(colours: Colours) -> None:
    text = stylesheet(colours)
    assert not [field.name for field in fields(Colours) if f"{{{field.name}}}" in text]
    assert not any(f"{{{name}}}" in text for name in ("title", "heading", "figure", "small"))


def test_a_chosen_theme_reaches_widgets_that_are_shown_already(qapp: QApplication, qtbot: QtBot) -> None:
    label = QLabel("daisy")
    qtbot.addWidget(label)
    apply_theme(qapp, "light")
    assert colours_of(label.palette()) is LIGHT
    apply_theme(qapp, "dark")
    assert colours_of(label.palette()) is DARK
    apply_theme(qapp, "system")
