"""Whether a window can be opened on this computer, and what is missing where it cannot."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from hubstudio.core.errors import StudioError

DEBIAN_PACKAGES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xinerama.so.0": "libxcb-xinerama0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}
"""Libraries that Qt loads and no wheel brings along, with the Debian package that holds each."""

_SCREEN_VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def has_screen() -> bool:
    """Return whether there is a screen to open a window on; other systems than Linux always have one."""
    return sys.platform != "linux" or any(os.environ.get(name) for name in _SCREEN_VARIABLES)


def require_window() -> None:
    """Raise ``StudioError`` unless Qt can open a window here, where Qt itself would end the process."""
    if not has_screen():
        raise StudioError(
            "There is no screen to open the window on.",
            found="Neither DISPLAY nor WAYLAND_DISPLAY is set.",
            next_step="Use the commands instead ('hubstudio --help'), or start it from a desktop session.",
        )
    try:
        from PySide6 import QtWidgets
    except ImportError as error:
        raise _missing_libraries(str(error)) from error
    if sys.platform == "linux" and _uses_x11():
        _require_x11(Path(QtWidgets.__file__).parent)


def _uses_x11() -> bool:
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    return platform.startswith("xcb") if platform else not os.environ.get("WAYLAND_DISPLAY")


def _require_x11(qt: Path) -> None:
    plugin = qt / "Qt" / "plugins" / "platforms" / "libqxcb.so"
    try:
        if plugin.exists():
            ctypes.CDLL(str(plugin))
    except OSError as error:
        raise _missing_libraries(str(error)) from error
    if not _display_answers():
        raise StudioError(
            "The screen does not answer.",
            found=f"DISPLAY is '{os.environ.get('DISPLAY', '')}', and nothing could be reached there.",
            next_step="Check DISPLAY and that this user may use the screen, or use the commands ('hubstudio --help').",
        )


def _display_answers() -> bool:
    """Ask the X server for a connection; without libxcb, leave the verdict to Qt."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    answers = xcb.xcb_connection_has_error(connection) == 0
    xcb.xcb_disconnect(connection)
    return answers


def _missing_libraries(reason: str) -> StudioError:
    packages = packages_of(_libraries_not_found()) or [
        package for library, package in DEBIAN_PACKAGES.items() if library in reason
    ]
    line = f"sudo apt-get install -y {' '.join(packages)}"
    return StudioError(
        "The window needs system libraries that are not installed.",
        found=f"{reason}.",
        next_step=f"On Debian or Ubuntu: {line}" if packages else "Install the libraries that Qt 6 needs.",
    )


def packages_of(libraries: Iterable[str]) -> list[str]:
    """Return the Debian packages that hold these libraries."""
    return [DEBIAN_PACKAGES[library] for library in libraries]


def _libraries_not_found() -> list[str]:
    missing: list[str] = []
    for library in DEBIAN_PACKAGES:
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(library)
    return missing
