"""The settings: every choice counts at once."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSignalBlocker, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from hubstudio.core import path_kinds
from hubstudio.core.errors import StudioError
from hubstudio.core.photos import count_of
from hubstudio.core.settings import OFFLINE_VARIABLE, Settings
from hubstudio.gui.preferences import problem_of
from hubstudio.gui.settings_table import SETTINGS, Kind, SettingRow
from hubstudio.gui.shelf_jobs import FeatureCount, ModuleCount
from hubstudio.gui.widgets.buttons import dialog_button
from hubstudio.gui.widgets.error_card import ErrorCard
from hubstudio.gui.widgets.wrapped_label import WrappedLabel
from hubstudio.gui.wording import size_text

_WIDTH = 560
_ROOM = 24  # for a sentence that may come
Field = QComboBox | QCheckBox | QLineEdit | QSpinBox


class SettingsDialog(QDialog):
    """Shows the table of settings, and what is kept of modules and features; tells of every change."""

    changed = Signal(str, object)  # name, value
    empty_features_asked = Signal()

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("settings_dialog")
        self.setWindowTitle("Settings")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.fields: dict[str, Field] = {row.name: _field(row) for row in SETTINGS}
        self.problem = ErrorCard()
        self.forced = WrappedLabel("", "muted", "offline_forced")
        self.folder = QLineEdit()
        self.open_folder = dialog_button("Open folder", "open_modules_folder")
        self.count = WrappedLabel("Counting …", "muted", "modules_size")
        self.features = WrappedLabel("Counting …", "muted", "features_size")
        self.empty_features = dialog_button("Empty", "empty_features")
        self.empty_features.setAccessibleName("Empty the kept features")
        self.close_button = dialog_button("Close", "close_settings")
        self._lay_out()
        self._connect()
        self.show_settings(settings)

    def show_settings(self, settings: Settings) -> None:
        """Show what is chosen now."""
        for name, field in self.fields.items():
            value = getattr(settings, name)
            with QSignalBlocker(field):
                _show(field, value)
        is_forced = settings.is_offline and not settings.offline
        offline = self.fields["offline"]
        assert isinstance(offline, QCheckBox)
        with QSignalBlocker(offline):
            offline.setChecked(settings.is_offline)
        offline.setEnabled(not is_forced)
        self.forced.say(f"{OFFLINE_VARIABLE} in the environment keeps the program offline." if is_forced else "")
        self.forced.setVisible(is_forced)
        self.show_problem(problem_of(settings))

    def show_problem(self, problem: StudioError | None) -> None:
        """Show what is wrong with the settings' file, or nothing."""
        self.problem.show_error(problem)
        layout = self.layout()
        assert layout is not None
        width = max(self.width(), _WIDTH) if self.isVisible() else _WIDTH
        self.resize(width, max(self.height() if self.isVisible() else 0, layout.totalHeightForWidth(width) + _ROOM))

    def show_count(self, count: ModuleCount) -> None:
        """Show where fetched modules are kept, and what they take."""
        self.folder.setText(str(count.folder))
        self.folder.setCursorPosition(0)
        self.open_folder.setEnabled(path_kinds.is_folder(count.folder))
        self.count.say(f"{count_of(count.modules, 'module')}, {size_text(count.bytes)}" if count.modules else "Empty")

    def show_features(self, count: FeatureCount) -> None:
        """Show what the kept features take, and what emptying them has freed."""
        freed = f"{size_text(count.freed)} are free again. " if count.freed else ""
        self.features.say(freed + (f"{size_text(count.bytes)} are kept." if count.bytes else "None are kept."))
        self.empty_features.setEnabled(count.bytes > 0)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for place, row in enumerate(SETTINGS):
            self._add(grid, place * 3, row)
        self._add_modules(grid, len(SETTINGS) * 3)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(16)
        column.addWidget(self.problem)
        column.addLayout(grid)
        column.addStretch(1)
        column.addLayout(buttons)

    def _add(self, grid: QGridLayout, place: int, row: SettingRow) -> None:
        field = self.fields[row.name]
        if not isinstance(field, QCheckBox):
            label = QLabel(row.label)
            label.setBuddy(field)
            grid.addWidget(label, place, 0)
        grid.addWidget(field, place, 1)
        grid.addWidget(WrappedLabel(row.help, "muted"), place + 1, 1)
        if row.name == "offline":
            grid.addWidget(self.forced, place + 2, 1)
        if row.name == "feature_limit_gb":
            grid.addLayout(self._kept_features(), place + 2, 1)
        grid.setRowMinimumHeight(place + 2, 8)

    def _kept_features(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.features, 1)
        row.addWidget(self.empty_features)
        return row

    def _add_modules(self, grid: QGridLayout, place: int) -> None:
        self.folder.setReadOnly(True)
        self.folder.setObjectName("modules_folder")
        self.folder.setAccessibleName("Folder of the modules")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.folder, 1)
        row.addWidget(self.open_folder)
        label = QLabel("Modules")
        label.setBuddy(self.folder)
        grid.addWidget(label, place, 0)
        grid.addLayout(row, place, 1)
        grid.addWidget(self.count, place + 1, 1)

    def _connect(self) -> None:
        for name, field in self.fields.items():
            if isinstance(field, QComboBox):
                field.activated.connect(partial(self._tell, name))
            elif isinstance(field, QCheckBox):
                field.toggled.connect(partial(self._tell, name))
            elif isinstance(field, QSpinBox):
                field.valueChanged.connect(partial(self._tell, name))
            else:
                field.editingFinished.connect(partial(self._tell, name))
        self.open_folder.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(self.folder.text())))
        self.empty_features.clicked.connect(self.empty_features_asked)
        self.close_button.clicked.connect(self.close)

    def _tell(self, name: str, *_: object) -> None:
        self.changed.emit(name, _value(self.fields[name]))


def _value(field: Field) -> object:
    if isinstance(field, QComboBox):
        return field.currentData()
    if isinstance(field, QSpinBox):
        return field.value()
    return field.isChecked() if isinstance(field, QCheckBox) else field.text().strip()


def _field(row: SettingRow) -> Field:
    if row.kind is Kind.CHOICE:
        field: Field = QComboBox()
        for value, text in row.options.items():
            field.addItem(text, value)
    elif row.kind is Kind.SWITCH:
        field = QCheckBox(row.label)
    elif row.kind is Kind.NUMBER:
        field = QSpinBox()
        field.setRange(0, row.maximum)
        field.setSuffix(row.unit)
        field.setKeyboardTracking(False)  # 1 on the way to 12 is no choice
    else:
        field = QLineEdit()
        field.setPlaceholderText(row.placeholder)
    field.setObjectName(row.name)
    field.setAccessibleName(row.label)
    field.setAccessibleDescription(row.help)
    return field


def _show(field: Field, value: object) -> None:
    if isinstance(field, QComboBox):
        field.setCurrentIndex(field.findData(value))
    elif isinstance(field, QCheckBox):
        field.setChecked(bool(value))
    elif isinstance(field, QSpinBox):
        field.setValue(int(str(value)))
    elif not field.hasFocus():
        field.setText(str(value))
