"""Trust is given to a module's content, and lasts as long as that is the same."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from filelock import FileLock

from hubstudio.core import whole_files
from hubstudio.core.trusted_modules import is_trusted, module_digest, remember


@pytest.fixture
def module(tmp_path: Path) -> Path:
    folder = tmp_path / "module"
    (folder / "assets").mkdir(parents=True)
    (folder / "variables").mkdir()
    (folder / "saved_model.pb").write_bytes(b"graphs")
    (folder / "assets" / "words.txt").write_text("one")
    (folder / "variables" / "variables.index").write_bytes(b"numbers")
    return folder


def test_nothing_is_trusted_at_first(module: Path) -> None:
    assert not is_trusted(module_digest(module))


def test_what_was_trusted_stays_trusted_also_beside_others(module: Path) -> None:
    remember("another", "another")
    remember(module_digest(module), "module")
    assert is_trusted(module_digest(module))
    assert is_trusted("another")


def test_trust_that_another_program_gives_at_the_same_time_is_kept(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = FileLock(own_home / "trusted-modules.lock")
    others.acquire()

    def written_by_the_other(_seconds: float) -> None:
        if others.is_locked:
            whole_files.write_text(own_home / "trusted-modules.json", '{"version": 1, "modules": {"theirs": "x"}}')
            others.release()

    monkeypatch.setattr(time, "sleep", written_by_the_other)
    remember("ours", "y")
    assert is_trusted("ours")
    assert is_trusted("theirs")


@pytest.mark.parametrize("part", ["saved_model.pb", "assets/words.txt"])
def test_a_changed_module_has_to_be_trusted_again(module: Path, part: str) -> None:
    remember(module_digest(module), "module")
    (module / part).write_text("something else")
    assert not is_trusted(module_digest(module))


def test_an_added_or_renamed_asset_is_a_change(module: Path) -> None:
    before = module_digest(module)
    (module / "assets" / "words.txt").rename(module / "assets" / "other.txt")
    renamed = module_digest(module)
    (module / "assets" / "more.txt").write_text("")
    assert len({before, renamed, module_digest(module)}) == 3


def test_other_weights_are_the_same_module(module: Path) -> None:
    before = module_digest(module)
    (module / "variables" / "variables.index").write_bytes(b"fine-tuned")
    assert module_digest(module) == before


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 1}', '{"version": 2, "modules": {"d": "n"}}', "null"])
def test_a_damaged_list_trusts_nothing_and_can_be_written_again(own_home: Path, content: str) -> None:
    (own_home / "trusted-modules.json").write_text(content)
    assert not is_trusted("d")
    remember("d", "name")
    assert is_trusted("d")
    assert json.loads((own_home / "trusted-modules.json").read_text())["modules"] == {"d": "name"}


def test_a_name_that_is_no_text_trusts_nothing(own_home: Path) -> None:
    (own_home / "trusted-modules.json").write_text('{"version": 1, "modules": {"d": 1}}')
    assert not is_trusted("d")
