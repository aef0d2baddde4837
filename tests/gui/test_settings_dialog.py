from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fake_engine import FakeEngine, put_into_cache
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QSpinBox
from pytestqt.qtbot import QtBot

from hubstudio.core import feature_store
from hubstudio.core.feature_store import FeatureKey, FeatureStore
from hubstudio.core.module_cache import folder_bytes
from hubstudio.core.paths import settings_file
from hubstudio.core.project import Project
from hubstudio.core.settings import OFFLINE_VARIABLE, SETTING_NAMES, Settings, load_settings
from hubstudio.gui import dialogs
from hubstudio.gui.main_window import MainWindow
from hubstudio.gui.session import Session
from hubstudio.gui.settings_table import SETTINGS
from hubstudio.gui.widgets.settings_dialog import SettingsDialog
from hubstudio.gui.wording import size_text


@pytest.fixture
def window(session: Session, qtbot: QtBot) -> Iterator[MainWindow]:
    window = MainWindow(session)
    qtbot.addWidget(window)
    window.show()
    yield window
    window.close_now()


def shown(window: MainWindow, qtbot: QtBot) -> SettingsDialog:
    dialog = dialogs.show_settings(window, window.session)
    qtbot.waitUntil(lambda: dialog.count.said() != "Counting …")
    return dialog


def test_every_setting_of_the_table_is_one_of_the_file_and_has_a_field(window: MainWindow, qtbot: QtBot) -> None:
    dialog = shown(window, qtbot)
    assert set(dialog.fields) == {row.name for row in SETTINGS} == set(SETTING_NAMES)
    assert all(field.accessibleName() and field.accessibleDescription() for field in dialog.fields.values())


def test_a_choice_counts_and_is_saved_at_once_and_leaves_the_others(window: MainWindow, qtbot: QtBot) -> None:
    dialog = shown(window, qtbot)
    offline, proxy = dialog.fields["offline"], dialog.fields["proxy"]
    assert isinstance(offline, QCheckBox)
    assert isinstance(proxy, QLineEdit)
    offline.click()
    proxy.setText(" http://proxy.example.org:3128 ")
    proxy.editingFinished.emit()
    assert load_settings() == Settings(offline=True, proxy="http://proxy.example.org:3128")
    window.menu.themes.actions()[2].trigger()
    assert load_settings() == Settings("dark", True, "http://proxy.example.org:3128")


def test_dialog_and_menu_show_the_same_theme(window: MainWindow, qtbot: QtBot) -> None:
    dialog = shown(window, qtbot)
    theme = dialog.fields["theme"]
    assert isinstance(theme, QComboBox)
    theme.setCurrentIndex(theme.findData("dark"))
    theme.activated.emit(theme.currentIndex())
    assert window.menu.themes.checkedAction().objectName() == "theme_dark"
    window.menu.themes.actions()[1].trigger()
    assert theme.currentData() == "light"


def test_the_cache_of_modules_is_told_with_its_folder_and_size(window: MainWindow, home: Path, qtbot: QtBot) -> None:
    folder = put_into_cache("https://tfhub.dev/google/some/thing/1")
    dialog = shown(window, qtbot)
    assert dialog.folder.text() == str(home / "modules")
    assert dialog.count.said() == f"1 module, {size_text(folder_bytes(folder))}"
    assert dialog.folder.isReadOnly()


def keep_features() -> int:
    """Keep the features of a photo; return what they take."""
    with FeatureStore.open(FeatureKey("module", "", 96, ""), 3000) as store:
        store.add(bytes(16), np.ones(3000, np.float32))
    return feature_store.used_bytes()


def test_the_limit_of_kept_features_is_chosen_here(window: MainWindow, qtbot: QtBot) -> None:
    limit = shown(window, qtbot).fields["feature_limit_gb"]
    assert isinstance(limit, QSpinBox)
    assert limit.text() == "5 GB"
    limit.setValue(12)
    assert load_settings() == Settings(feature_limit_gb=12)


def test_kept_features_are_counted_and_emptied(window: MainWindow, qtbot: QtBot) -> None:
    size = keep_features()
    dialog = shown(window, qtbot)
    qtbot.waitUntil(lambda: dialog.features.said() == f"{size_text(size)} are kept.")
    dialog.empty_features.click()
    qtbot.waitUntil(lambda: dialog.features.said() == f"{size_text(size)} are free again. None are kept.")
    assert feature_store.used_bytes() == 0
    assert not dialog.empty_features.isEnabled()


def test_where_no_features_are_kept_there_is_nothing_to_empty(window: MainWindow, qtbot: QtBot) -> None:
    dialog = shown(window, qtbot)
    qtbot.waitUntil(lambda: dialog.features.said() == "None are kept.")
    assert not dialog.empty_features.isEnabled()


def test_offline_by_the_environment_cannot_be_switched_off_here_and_says_why(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OFFLINE_VARIABLE, "1")
    dialog = shown(window, qtbot)
    assert not dialog.fields["offline"].isEnabled()
    assert dialog.forced.said() == "HUBSTUDIO_OFFLINE in the environment keeps the program offline."


def test_a_choice_that_cannot_be_written_does_not_count_and_is_explained(
    window: MainWindow, home: Path, qtbot: QtBot
) -> None:
    dialog = shown(window, qtbot)
    offline = dialog.fields["offline"]
    assert isinstance(offline, QCheckBox)
    file = home / "settings.toml"
    assert file == settings_file()
    file.mkdir(parents=True)
    offline.click()
    assert not offline.isChecked()
    assert not window.session.preferences.is_offline
    assert dialog.problem.isVisible()
    assert dialog.problem.what.said() == "The settings could not be saved, so they stay as they were."
    assert window.banner.what.said() == dialog.problem.what.said()
    file.rmdir()
    offline.click()
    assert window.session.preferences.is_offline
    assert load_settings().offline
    assert not dialog.problem.isVisible()


def test_a_settings_file_that_cannot_be_read_is_told_in_the_window_and_keeps_it_offline_until_it_is_written_anew(
    engine: FakeEngine, qtbot: QtBot
) -> None:
    settings_file().parent.mkdir(parents=True)
    settings_file().write_text("offline = yes\n")
    session = Session(Project(Path()), lambda: engine)
    window = MainWindow(session)
    qtbot.addWidget(window)
    window.show()
    assert session.preferences.is_offline
    assert window.banner.isVisible()
    assert str(settings_file()) in window.banner.what.said()
    window.banner.dismiss.click()
    dialog = shown(window, qtbot)
    assert dialog.problem.isVisible()
    dialog.fields["offline"].click()  # type: ignore[union-attr]
    assert not session.preferences.is_offline
    assert load_settings() == Settings()
    assert load_settings().problem == ""
    assert not dialog.problem.isVisible()
    assert not window.banner.isVisible()
    window.close_now()


def test_the_menu_opens_the_settings(window: MainWindow) -> None:
    window.menu.settings.trigger()
    assert window.findChild(SettingsDialog)


def test_settings_of_the_file_count_from_the_start(qtbot: QtBot, engine: FakeEngine) -> None:
    del qtbot
    Settings(offline=True).save()
    session = Session(Project(Path()), lambda: engine)
    assert session.preferences.is_offline
    session.close()
