"""PySide's table of types is read without the GIL: it must be complete before there is a second thread."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from hubstudio import gui

JOURNEY = """
import sys, time
from pathlib import Path

from PySide6.QtCore import QThread
from PySide6.QtWidgets import QApplication
from shiboken6 import Shiboken

from fake_engine import FakeEngine
from hubstudio.core.project import STEPS
from hubstudio.gui.application import Studio
from hubstudio.gui.lane import Lane

def types():
    found, wanted = set(), [Shiboken.Object]
    while wanted:
        below = set(type.__subclasses__(wanted.pop())) - found
        found |= below
        wanted += below
    return found

def start(lane):
    when_threads_start.append(types())
    QThread.start(lane)

def wait(is_so):
    end = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end
        app.processEvents()

when_threads_start = []
Lane.start = start
app = QApplication([])
studio = Studio(app, Path(sys.argv[1]), FakeEngine)
session, window = studio.session, studio.window
window.show()
wait(lambda: session.photos_are_checked and session.backbone)
session.start_training()
wait(lambda: session.project.run)
for step in STEPS:
    window.show_step(step)
    wait(lambda: window.pages.built(step))
    for _ in range(20):
        app.processEvents()
session.classify([Path(sys.argv[1])])
wait(lambda: not session.is_busy("classify"))
window.new_project()
for _ in range(20):
    app.processEvents()
new = types() - when_threads_start[0]
studio.close()
print(*sorted(f"{kind.__module__}.{kind.__qualname__}" for kind in new), sep="\\n")
"""


def test_no_qt_type_is_made_once_a_thread_works(photos: Path) -> None:
    command = [sys.executable, "-c", JOURNEY, str(photos)]
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(here), str(here.parent)))}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_whoever_starts_threads_makes_all_types_first() -> None:
    texts = {path.name: path.read_text("utf-8") for path in Path(*gui.__path__).rglob("*.py")}
    starters = {name for name, text in texts.items() if re.search(r"\bQThread(Pool)?\(|\(QThread\)|\bThread\(", text)}
    assert starters >= {"lane.py", "thumbnails.py"}
    assert {name for name in starters if "make_all_types()" not in texts[name]} == set()
