"""A SavedModel is looked at in the file that TensorFlow would load, as bytes or as text."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hubstudio.core.saved_model_files import damage
from saved_modules import saved_module

TEXT = r"""saved_model_schema_version: 1
meta_graphs {
  graph_def { node { name: "saver_def {" op: "a line\nobject_graph_def {" } }
%s}
"""
SAVER = "  saver_def {\n    filename_tensor_name: 'x'\n  }\n"
OBJECTS = "  object_graph_def: <\n  >\n"


@pytest.fixture
def module(tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved_module(), tmp_path / "module"))


@pytest.fixture
def module_as_text(module: Path) -> Path:
    (module / "saved_model.pb").unlink()
    (module / "saved_model.pbtxt").write_text(TEXT % SAVER)
    return module


def test_a_text_file_beside_the_bytes_does_not_count(module: Path) -> None:
    (module / "saved_model.pbtxt").write_text("")
    assert damage(module) == ""


def test_good_text_beside_damaged_bytes_does_not_help(module: Path) -> None:
    (module / "saved_model.pbtxt").write_text(TEXT % SAVER)
    (module / "saved_model.pb").write_bytes(b"")
    assert damage(module) == "saved_model.pb is damaged: it is empty"


def test_a_module_as_text_is_whole_with_its_variables(module_as_text: Path) -> None:
    assert damage(module_as_text) == ""


@pytest.mark.parametrize("variables", [SAVER, OBJECTS], ids=["saver", "objects"])
def test_a_module_as_text_misses_its_variables(module_as_text: Path, variables: str) -> None:
    (module_as_text / "saved_model.pbtxt").write_text(TEXT % variables)
    (module_as_text / "variables" / "variables.index").unlink()
    assert damage(module_as_text) == "variables/variables.index is missing"


def test_a_module_as_text_without_variables_misses_none(module_as_text: Path) -> None:
    (module_as_text / "saved_model.pbtxt").write_text(TEXT % "")
    shutil.rmtree(module_as_text / "variables")
    assert damage(module_as_text) == ""


def test_empty_text_is_damage(module_as_text: Path) -> None:
    (module_as_text / "saved_model.pbtxt").write_text("")
    assert damage(module_as_text) == "saved_model.pbtxt is damaged: it is empty"
