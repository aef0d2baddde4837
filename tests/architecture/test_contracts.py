"""The walls between the rooms: that they stand, and that each of them would be noticed if it fell."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"
CONTRACTS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
BREACHES = [
    (contract["name"], room, target)
    for contract in CONTRACTS
    for room in contract["source_modules"]
    for target in contract["forbidden_modules"]
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", LINT, "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_every_contract_is_kept() -> None:
    result = lint(REPOSITORY)
    assert result.returncode == 0, result.stdout
    assert f"{len(CONTRACTS)} kept, 0 broken" in result.stdout


@pytest.fixture(scope="module")
def copied_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program's own text, to plant violations in."""
    root = tmp_path_factory.mktemp("tree")
    only_text = shutil.ignore_patterns("__pycache__", "resources")
    shutil.copytree(REPOSITORY / "hubstudio", root / "hubstudio", ignore=only_text)
    shutil.copy(REPOSITORY / "pyproject.toml", root)
    return root


def test_a_planted_violation_of_every_wall_is_found(copied_tree: Path) -> None:
    for number, (_, room, target) in enumerate(BREACHES):
        planted = copied_tree.joinpath(*room.split(".")) / f"planted_{number}.py"
        planted.write_text(f"import {target}\n", "utf-8")
    result = lint(copied_tree)
    found = re.sub(r"\s+", " ", result.stdout)
    assert result.returncode == 1
    assert f"0 kept, {len(CONTRACTS)} broken" in found
    missed = [
        (name, target)
        for number, (name, room, target) in enumerate(BREACHES)
        if not re.search(rf"{room}\.planted_{number} -> {target}\b", found)
    ]
    assert not missed


def loaded_by(program: str) -> set[str]:
    """Return the top-level packages that a program has loaded when it ends, in a process of its own."""
    report = "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules}, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", program + report], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines())


HEAVY = {"tensorflow", "keras", "tensorflow_hub", "tf_keras"}
QT = {"PySide6", "pyqtgraph", "shiboken6"}


def test_help_loads_neither_tensorflow_nor_qt_nor_numpy() -> None:
    assert not loaded_by("from hubstudio.__main__ import main; main(['--help'])") & (HEAVY | QT | {"numpy", "PIL"})


def test_the_command_line_loads_neither_tensorflow_nor_qt() -> None:
    assert not loaded_by("import hubstudio.cli.main") & (HEAVY | QT)


def test_the_window_is_up_before_tensorflow_is_loaded() -> None:
    assert not loaded_by("import hubstudio.gui.application") & HEAVY


def test_the_python_interface_loads_tensorflow_only_when_an_engine_is_made() -> None:
    assert not loaded_by("import hubstudio.api") & (HEAVY | QT)


def test_the_engine_starts_without_what_only_loading_a_module_needs() -> None:
    program = "from hubstudio.__main__ import make_engine; make_engine()"
    assert not loaded_by(program) & {"sklearn", "tensorflow_hub", "tf_keras"}


def test_who_wants_scikit_learn_beside_the_engine_gets_it_and_keras_has_its_wrappers() -> None:
    program = "from hubstudio.api import make_engine; make_engine(); import keras; keras.wrappers.SKLearnClassifier(0)"
    assert "sklearn" in loaded_by(program)


def test_core_knows_neither_qt_nor_tensorflow() -> None:
    modules = [path.stem for path in (REPOSITORY / "hubstudio" / "core").glob("*.py") if path.stem != "__init__"]
    program = "\n".join(f"import hubstudio.core.{name}" for name in modules)
    assert not loaded_by(program) & (HEAVY | QT)


def test_the_python_interface_is_for_others_only() -> None:
    text = "\n".join(
        path.read_text("utf-8")
        for room in ("core", "ml", "gui", "cli")
        for path in (REPOSITORY / "hubstudio" / room).rglob("*.py")
    )
    assert not re.search(r"hubstudio(\.| import )api", text)
