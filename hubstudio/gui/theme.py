"""The colours of both themes, and how they reach the widgets: one palette, one style sheet."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QColor, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from hubstudio.core.resources import resource
from hubstudio.gui.style_sheet import style_sheet


@dataclass(frozen=True)
class Colours:
    """A theme's colours by what they are for, as hex strings."""

    window: str
    surface: str
    sidebar: str
    border: str
    text: str
    muted: str
    accent: str
    accent_text: str
    """Text on the accent colour."""
    accent_soft: str
    """Ground of what is selected."""
    good: str
    warning: str
    bad: str
    track: str
    """Ground of bars."""
    training: str
    validation: str
    matrix_right: str
    matrix_wrong: str


LIGHT = Colours(
    window="#f6f7f9",
    surface="#ffffff",
    sidebar="#ffffff",
    border="#e1e5ea",
    text="#1b1f24",
    muted="#5f6975",
    accent="#2563d9",
    accent_text="#ffffff",
    accent_soft="#e8f0fe",
    good="#147a4b",
    warning="#955900",
    bad="#b42318",
    track="#e1e5ea",
    training="#2563d9",
    validation="#1a8f5a",
    matrix_right="#2563d9",
    matrix_wrong="#d64545",
)

DARK = Colours(
    window="#14171b",
    surface="#1d2127",
    sidebar="#181b20",
    border="#2d333b",
    text="#e8ecf1",
    muted="#98a2ae",
    accent="#5b9bff",
    accent_text="#0d1522",
    accent_soft="#1e2f4a",
    good="#4cc38a",
    warning="#f0b24a",
    bad="#ff7b72",
    track="#2d333b",
    training="#5b9bff",
    validation="#4cc38a",
    matrix_right="#5b9bff",
    matrix_wrong="#ff7b72",
)


def colours_of(palette: QPalette) -> Colours:
    """Return the theme a widget is shown in, told from its text colour: a style sheet may hide the ground's."""
    return DARK if palette.color(QPalette.ColorRole.WindowText).lightness() > 128 else LIGHT


def palette_of(colours: Colours) -> QPalette:
    """Return the palette for what the style draws itself."""
    palette = QPalette()
    for role, colour in _roles(colours).items():
        palette.setColor(role, QColor(colour))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, _mixed(colours.muted, colours.surface))
    return palette


def stylesheet(colours: Colours, base_pixels: int = 13) -> str:
    """Return the style sheet; sizes of text follow the system's font."""
    end = "dark.svg" if colours is DARK else "light.svg"
    icons = {name: (resource("icons") / f"{name}-{end}").as_posix() for name in ("tick", "chevron")}
    return style_sheet({**vars(colours), **icons}, base_pixels)


def apply_theme(app: QApplication, choice: str) -> None:
    """Show the application in 'light' or 'dark', or as the system does from now on ('system')."""
    follower = app.findChild(_SystemFollower) or _SystemFollower(app)
    follower.choose(choice)


def set_role(widget: QWidget, role: str) -> None:
    """Give a widget another style role, also after it was shown."""
    if widget.property("role") == role:
        return
    widget.setProperty("role", role)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


class _SystemFollower(QObject):
    """Holds the choice for one application, and repaints it when the system changes between light and dark."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._choice = "system"
        self._shown: Colours | None = None
        app.styleHints().colorSchemeChanged.connect(self._on_scheme_changed)

    def choose(self, choice: str) -> None:
        self._choice = choice
        self._show(self._colours())

    def _on_scheme_changed(self, _: Qt.ColorScheme) -> None:
        self._show(self._colours())

    def _colours(self) -> Colours:
        if self._choice == "system":
            return DARK if self._app.styleHints().colorScheme() is Qt.ColorScheme.Dark else LIGHT
        return DARK if self._choice == "dark" else LIGHT

    def _show(self, colours: Colours) -> None:
        if colours is self._shown:
            return
        self._shown = colours
        self._app.setPalette(palette_of(colours))
        self._app.setStyleSheet(stylesheet(colours, QFontInfo(self._app.font()).pixelSize()))


def _roles(colours: Colours) -> dict[QPalette.ColorRole, str]:
    role = QPalette.ColorRole
    return {
        role.Window: colours.window,
        role.WindowText: colours.text,
        role.Base: colours.surface,
        role.AlternateBase: colours.window,
        role.Text: colours.text,
        role.Button: colours.surface,
        role.ButtonText: colours.text,
        role.BrightText: colours.bad,
        role.Highlight: colours.accent,
        role.HighlightedText: colours.accent_text,
        role.Accent: colours.accent,
        role.PlaceholderText: colours.muted,
        role.ToolTipBase: colours.surface,
        role.ToolTipText: colours.text,
        role.Link: colours.accent,
        role.LinkVisited: colours.accent,
        role.Mid: colours.border,
        role.Midlight: colours.border,
    }


def _mixed(colour: str, ground: str) -> QColor:
    one, other = QColor(colour), QColor(ground)
    return QColor(*((a * 3 + b) // 4 for a, b in zip(one.getRgb()[:3], other.getRgb()[:3], strict=True)))  # type: ignore[index]
