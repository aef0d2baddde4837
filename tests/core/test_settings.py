"""Settings are kept, told when they are wrong, and never let requests out because they could not be read."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from hubstudio.core import paths, whole_files
from hubstudio.core.errors import SettingsError
from hubstudio.core.settings import OFFLINE_VARIABLE, Settings, load_settings


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(OFFLINE_VARIABLE, raising=False)


def write(content: str) -> None:
    whole_files.write_text(paths.settings_file(), content)


def test_without_a_file_all_is_as_usual_and_nothing_is_wrong() -> None:
    settings = load_settings()
    assert (settings, settings.problem, settings.is_offline) == (Settings(), "", False)


def test_what_was_saved_is_read_again_and_only_what_differs_is_written() -> None:
    Settings(offline=True, proxy="http://proxy:1").save()
    assert tomllib.loads(paths.settings_file().read_text()) == {"offline": True, "proxy": "http://proxy:1"}
    assert load_settings() == Settings(offline=True, proxy="http://proxy:1")


@pytest.mark.parametrize(
    "content",
    [
        "offline = yes",
        "offline = true\nproxy = http://proxy:1",
        'offline = "true"',
        "offline = 1",
        "ofline = true",
        "Offline = true",
        'theme = "dark\n',
        "\0",
    ],
)
def test_a_file_that_may_mean_offline_gives_offline_and_says_where_it_is_wrong(content: str) -> None:
    write(content)
    settings = load_settings()
    assert settings.is_offline
    assert str(paths.settings_file()) in settings.problem
    assert "works offline" in settings.problem


def test_a_file_that_cannot_be_opened_gives_offline() -> None:
    paths.settings_file().mkdir(parents=True)
    settings = load_settings()
    assert settings.is_offline
    assert "cannot be read" in settings.problem


@pytest.mark.parametrize(
    "content",
    [
        'theme = "pink"',
        "theme = 3",
        "proxy = 8080",
        "window = 5",
        "feature_limit_gb = -1",
        "feature_limit_gb = 10001",
        "feature_limit_gb = true",
        "feature_limit_gb = 1.5",
        'feature_limit_gb = "5"',
    ],
)
def test_another_wrong_setting_is_told_and_costs_only_itself(content: str) -> None:
    write(f"offline = false\n{content}\n")
    settings = load_settings()
    assert (settings, settings.is_offline) == (Settings(), False)
    assert f"'{content.split()[0]}'" in settings.problem
    assert "offline" not in settings.problem


def test_the_limit_of_kept_features_is_told_in_bytes() -> None:
    assert load_settings().feature_limit_bytes == 5_000_000_000
    write("feature_limit_gb = 0")
    assert (load_settings().feature_limit_bytes, load_settings().problem) == (0, "")


def test_what_is_right_counts_beside_what_is_wrong() -> None:
    write('theme = "dark"\noffline = "no"\n')
    assert load_settings() == Settings(theme="dark", offline=True)


@pytest.mark.parametrize("word", ["1", "true", "YES", "on", "y", "2", "enabled", " x "])
def test_any_word_in_the_environment_but_a_no_is_offline(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv(OFFLINE_VARIABLE, word)
    assert load_settings().is_offline


@pytest.mark.parametrize("word", ["", " ", "0", "false", "No", "OFF"])
def test_a_no_in_the_environment_is_not_offline(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv(OFFLINE_VARIABLE, word)
    assert not load_settings().is_offline


def test_saving_mends_a_file_that_could_not_be_read_and_leaves_its_problem_out() -> None:
    write("offline = yes")
    load_settings().save()
    assert tomllib.loads(paths.settings_file().read_text()) == {"offline": True}
    assert load_settings().problem == ""


def test_a_disk_that_refuses_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "file"))
    with pytest.raises(SettingsError, match="could not be saved") as caught:
        Settings(offline=True).save()
    assert str(tmp_path / "file") in caught.value.found
