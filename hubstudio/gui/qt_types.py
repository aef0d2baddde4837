"""All of Qt's Python types, made by the window's thread before any other thread is there.

PySide makes the Python type of a Qt class when it is first asked for, and one for each class of ours that derives from
one when its module is imported. Below Python 3.12 it enters each in a table that only the GIL guards (``PepType_SOTP``
in shiboken's ``pep384impl.cpp``), but reads it without the GIL (``SignalManager::retrieveMetaObject``): whenever Qt
asks an object for its ``metaObject()``, as it does for a screen reader and at every signal that a lane emits. A type
that another thread makes meanwhile ends the program with a segmentation fault. It did, at one start in fifty: pyqtgraph
makes 700 types, and was imported in a lane. So nothing may be left to make when the first thread starts.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from PySide6 import QtCore, QtGui, QtWidgets

from hubstudio import gui

CHART_LIBRARY = "pyqtgraph"


@cache
def make_all_types() -> None:
    """Make every type that the window can need: a fifth of a second, the first time."""
    for module in (QtCore, QtGui, QtWidgets):
        for name in dir(module):
            getattr(module, name)
    import_module(CHART_LIBRARY)
    for found in pkgutil.walk_packages(gui.__path__, f"{gui.__name__}."):
        import_module(found.name)
