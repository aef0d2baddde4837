"""The one style sheet: shapes and spaces, with names in braces where the theme's colours go."""

from __future__ import annotations

from collections.abc import Mapping

_RULES = """
QWidget#main_window, QStackedWidget, QDialog, QMessageBox { background: {window}; }
QToolTip { background: {surface}; color: {text}; border: 1px solid {border}; padding: 4px; }

QLabel { background: transparent; }
QLabel#page_title { font-size: {title}px; font-weight: 700; }
QLabel#page_subtitle { color: {muted}; }
QLabel[role="heading"] { font-size: {heading}px; font-weight: 700; }
QLabel[role="figure"] { font-size: {figure}px; font-weight: 700; }
QLabel[role="muted"] { color: {muted}; font-size: {small}px; }
QLabel[role="good"] { color: {good}; }
QLabel[role="tag"] { color: {good}; font-size: {small}px; font-weight: 700; }
QLabel[role="now"] { color: {accent}; font-size: {small}px; font-weight: 700; }
QLabel[role="warning"] { color: {warning}; }
QLabel[role="bad"] { color: {bad}; }

QFrame[role="card"] { background: {surface}; border: 1px solid {border}; border-radius: 10px; }
QFrame[role="card"][chosen="true"] { background: {accent_soft}; border: 2px solid {accent}; }
QFrame[role="error"] { background: {surface}; border: 1px solid {bad}; border-radius: 10px; }
QFrame[role="drop"] { background: {surface}; border: 2px dashed {border}; border-radius: 10px; }
QFrame[role="drop"][hovered="true"] { background: {accent_soft}; border: 2px dashed {accent}; }
QFrame[role="drop"][hovered="true"] > QLabel { color: {accent}; }
QFrame[role="drop"][hovered="refusing"] { border: 2px dashed {bad}; }
QFrame[role="drop"][hovered="refusing"] > QLabel { color: {bad}; }
QFrame[role="notice"] { background: {accent_soft}; border: 1px solid {border}; border-radius: 10px; }
QFrame[role="sidebar"] { background: {sidebar}; border: none; border-right: 1px solid {border}; }

QPushButton { background: {surface}; color: {text}; border: 1px solid {border}; border-radius: 6px; padding: 7px 14px; }
QPushButton:hover { border-color: {muted}; }
QPushButton:pressed { background: {accent_soft}; }
QPushButton:focus { border: 2px solid {accent}; padding: 6px 13px; }
QPushButton:disabled { color: {muted}; background: {window}; border-color: {border}; }
QPushButton[role="primary"] {
    background: {accent}; color: {accent_text}; border: 1px solid {accent}; font-weight: 700;
}
QPushButton[role="primary"]:hover { border-color: {text}; }
QPushButton[role="primary"]:focus { border: 2px solid {text}; }
QPushButton[role="primary"]:disabled { background: {track}; color: {muted}; border-color: {track}; }
QPushButton[role="quiet"] { background: transparent; color: {accent}; border: 1px solid transparent; padding: 4px 8px; }
QPushButton[role="quiet"]:hover { border-color: {border}; }
QPushButton[role="quiet"]:focus { border: 2px solid {accent}; padding: 3px 7px; }
QPushButton[role="quiet"]:disabled { color: {muted}; }

QPushButton[role="inline"] {
    background: transparent; color: {accent}; border: 1px solid transparent; padding: 2px 3px; font-size: {small}px;
}
QPushButton[role="inline"]:hover { border-color: {border}; }
QPushButton[role="inline"]:focus { border: 2px solid {accent}; padding: 1px 2px; }
QPushButton[role="inline"]:disabled { color: {muted}; }

QPushButton[role="step"] {
    background: transparent; color: {text}; border: 2px solid transparent; padding: 7px 10px; text-align: left;
}
QPushButton[role="step"]:hover { background: {window}; }
QPushButton[role="step"]:checked { background: {accent_soft}; color: {accent}; font-weight: 700; }
QPushButton[role="step"]:focus { border: 2px solid {accent}; }
QPushButton[role="step"]:disabled { color: {muted}; background: transparent; }

QLineEdit, QPlainTextEdit, QTextEdit {
    background: {surface}; color: {text}; border: 1px solid {border}; border-radius: 6px; padding: 6px 10px;
    selection-background-color: {accent}; selection-color: {accent_text};
}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus { border: 2px solid {accent}; padding: 5px 9px; }
QLineEdit[hovered="true"] { background: {accent_soft}; border: 2px dashed {accent}; padding: 5px 9px; }
QLineEdit:disabled { color: {muted}; background: {window}; }
QAbstractSpinBox { min-height: 28px; }
QComboBox {
    background: {surface}; color: {text}; border: 1px solid {border}; border-radius: 6px; padding: 5px 10px;
    combobox-popup: 0; /* a list as tall as its entries: a menu comes out a row short below some window managers */
}
QComboBox QAbstractItemView::item { min-height: 24px; }
QComboBox:hover { border-color: {muted}; }
QComboBox:focus { border: 2px solid {accent}; padding: 4px 9px; }
QComboBox::drop-down { border: none; width: 26px; }
QComboBox::down-arrow { image: url("{chevron}"); }

QRadioButton {
    background: transparent; spacing: 8px; padding: 3px 3px 3px 0; border: 2px solid transparent; border-radius: 6px;
}
QRadioButton[role="heading"] { font-size: {heading}px; font-weight: 700; }
QRadioButton:focus { border-color: {accent}; }
QRadioButton:disabled { color: {muted}; }
QRadioButton::indicator {
    width: 14px; height: 14px; border: 1px solid {muted}; border-radius: 8px; background: {surface};
}
QRadioButton::indicator:hover { border-color: {accent}; }
QRadioButton::indicator:checked { width: 6px; height: 6px; border: 5px solid {accent}; background: {accent_text}; }
QRadioButton::indicator:checked:disabled { border-color: {muted}; }
QCheckBox { spacing: 8px; padding: 3px 3px 3px 0; border: 2px solid transparent; border-radius: 6px; }
QCheckBox:focus { border-color: {accent}; }
QCheckBox:disabled { color: {muted}; }
QCheckBox::indicator, QListWidget::indicator, QTreeView::indicator {
    width: 14px; height: 14px; border: 1px solid {muted}; border-radius: 4px; background: {surface};
}
QCheckBox::indicator:hover, QListWidget::indicator:hover, QTreeView::indicator:hover { border-color: {accent}; }
QCheckBox::indicator:checked, QListWidget::indicator:checked, QTreeView::indicator:checked {
    border-color: {accent}; background: {accent}; image: url("{tick}");
}
QCheckBox::indicator:checked:disabled { border-color: {muted}; background: {muted}; }

QProgressBar { background: {track}; border: none; border-radius: 4px; min-height: 8px; max-height: 8px; }
QProgressBar::chunk { background: {accent}; border-radius: 4px; }

QSlider { background: transparent; border: 2px solid transparent; border-radius: 6px; min-height: 26px; }
QSlider:focus { border-color: {accent}; }
QSlider::groove:horizontal { background: {track}; height: 4px; border-radius: 2px; }
QSlider::sub-page:horizontal { background: {accent}; height: 4px; border-radius: 2px; }
QSlider::handle:horizontal { background: {accent}; width: 16px; height: 16px; margin: -6px 0; border-radius: 8px; }
QSlider::sub-page:horizontal:disabled, QSlider::handle:horizontal:disabled { background: {muted}; }

QScrollArea, QScrollArea > QWidget#qt_scrollarea_viewport, QScrollArea > QWidget > QWidget[role="scrolled"] {
    background: transparent; border: none;
}
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: {muted}; border: 3px solid {window}; border-radius: 5px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QTableView, QListView, QTreeView {
    background: {surface}; border: 1px solid {border}; border-radius: 6px; gridline-color: {border};
}
QTableView:focus, QListView:focus, QTreeView:focus { border: 2px solid {accent}; }
QListView[role="tiles"], QListView[role="tiles"]:focus { background: transparent; border: none; }
QListView[role="tiles"] QLineEdit, QListView[role="tiles"] QLineEdit:focus { padding: 0 4px; }
QListWidget::item { padding: 4px 6px; color: {text}; }
QTreeView { show-decoration-selected: 1; }
QTreeView::item { padding: 5px 6px; color: {text}; border: none; }
QTreeView::item:selected { background: {accent_soft}; }
QListWidget::item:selected { background: {accent_soft}; }
QTabWidget::pane { border: none; }
QTabBar::tab {
    background: transparent; color: {muted}; border: none; border-bottom: 2px solid transparent; padding: 6px 12px;
}
QTabBar::tab:selected { color: {accent}; border-bottom-color: {accent}; font-weight: 700; }
QTabBar::tab:focus { color: {text}; border-bottom-color: {text}; }
QTabBar::tab:disabled { color: {muted}; }
QHeaderView::section { background: {surface}; color: {muted}; border: none; padding: 4px; }

QMenuBar { background: {sidebar}; border-bottom: 1px solid {border}; }
QMenuBar::item { padding: 4px 10px; background: transparent; border-radius: 4px; }
QMenuBar::item:selected { background: {accent_soft}; color: {accent}; }
QMenu { background: {surface}; color: {text}; border: 1px solid {border}; padding: 4px; }
QMenu::item { padding: 5px 24px 5px 24px; border-radius: 4px; }
QMenu::item:selected { background: {accent_soft}; color: {accent}; }
QMenu::item:disabled { color: {muted}; }
QMenu::separator { height: 1px; background: {border}; margin: 4px 8px; }
"""


def style_sheet(colours: Mapping[str, str], base_pixels: int) -> str:
    """Return the rules with colours filled in, and sizes of text as steps from the base size."""
    sizes = {"title": 1.7, "figure": 1.7, "heading": 1.15, "small": 0.92}
    filled = _RULES
    for name, colour in colours.items():
        filled = filled.replace(f"{{{name}}}", colour)
    for name, factor in sizes.items():
        filled = filled.replace(f"{{{name}}}", str(max(11, round(base_pixels * factor))))
    return filled
