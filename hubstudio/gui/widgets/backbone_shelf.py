"""The cards of all backbones: filtered, sorted, and walked through with the arrow keys."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QLineEdit, QToolButton, QVBoxLayout, QWidget

from hubstudio.gui.shelf import Order, Show, View
from hubstudio.gui.widgets.backbone_card import BackboneCard, CardFacts
from hubstudio.gui.widgets.flow import CardGrid
from hubstudio.gui.widgets.wrapped_label import WrappedLabel

_CARD_WIDTH = 252
_FIELD_WIDTH = 150
_NEW_AT_ONCE = 4
"""Making a card takes some 20 ms; the window answers in between."""


class BackboneShelf(QWidget):
    """Shows cards. Tab enters at one card and leaves again; arrow keys, Home and End go from card to card."""

    wanted = Signal(str)  # handle
    fetch_wanted = Signal(str)  # handle
    cancel_wanted = Signal(str)  # handle
    menu_wanted = Signal(str, QPoint)  # handle, place on the screen
    view_changed = Signal(object)  # View

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Backbones")
        self.cards: dict[str, BackboneCard] = {}
        self._shown: list[BackboneCard] = []
        self._current = ""
        self.filter = QLineEdit()
        self.filter.setObjectName("backbone_filter")
        self.filter.setAccessibleName("Filter backbones")
        self.filter.setPlaceholderText("Filter")
        self.filter.setClearButtonEnabled(True)
        if clear := self.filter.findChild(QToolButton):
            clear.setObjectName("clear_filter")
            clear.setAccessibleName("Clear the filter")
        self.show_choice = _choice("Which backbones to show", "backbone_show", Show)
        self.order_choice = _choice("Order of the backbones", "backbone_order", Order)
        self.nothing = WrappedLabel("No backbone fits the filter.", "muted", "no_backbone_fits")
        self.nothing.hide()
        self._lay_out()
        self.filter.textChanged.connect(self._on_view_changed)
        self.show_choice.currentIndexChanged.connect(self._on_view_changed)
        self.order_choice.currentIndexChanged.connect(self._on_view_changed)

    @property
    def view(self) -> View:
        """What the person wants to see."""
        return View(self.filter.text(), Show(self.show_choice.currentData()), Order(self.order_choice.currentData()))

    def show_cards(self, facts: Sequence[CardFacts]) -> bool:
        """Show these, in this order; the cards of others are kept for when they are wanted again.

        Only a few new cards are made in one call. Returns whether all are shown: if not, it is to be called again soon.
        """
        new = [fact.row.handle for fact in facts if fact.row.handle not in self.cards]
        left = set(new[_NEW_AT_ONCE:])
        cards = [self._card(fact) for fact in facts if fact.row.handle not in left]
        if cards != self._shown:
            self._arrange(cards)
        self.nothing.setVisible(not facts)
        self._let_tab_enter(next((fact.row.handle for fact in facts if fact.is_chosen), ""))
        return not left

    def show_facts(self, fact: CardFacts) -> None:
        """Show what is known of one backbone now, if it has a card."""
        if card := self.cards.get(fact.row.handle):
            card.show_facts(fact)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Go from card to card; Enter chooses as Space does."""
        card = watched.parent()
        if isinstance(card, BackboneCard) and watched is card.choice:
            if event.type() is QEvent.Type.FocusIn:
                self._let_tab_enter(card.handle)
            elif isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
                return self._on_key(card, event.key())
        return super().eventFilter(watched, event)

    def _lay_out(self) -> None:
        self._tools = QWidget()
        tools = CardGrid(_FIELD_WIDTH, 8, self._tools)
        for field in (self.filter, self.show_choice, self.order_choice):
            tools.addWidget(field)
        self._holder = QWidget()
        self.grid = CardGrid(_CARD_WIDTH, parent=self._holder)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self._tools)
        column.addWidget(self._holder)
        column.addWidget(self.nothing)

    def add_tool(self, widget: QWidget) -> None:
        """Put something beside filter and order."""
        layout = self._tools.layout()
        assert layout is not None
        layout.addWidget(widget)

    def _card(self, fact: CardFacts) -> BackboneCard:
        handle = fact.row.handle
        if handle not in self.cards:
            card = self.cards[handle] = BackboneCard(fact.row)
            self.grid.addWidget(card)
            card.choice.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            card.choice.installEventFilter(self)
            card.wanted.connect(self.wanted)
            card.fetch_wanted.connect(self.fetch_wanted)
            card.cancel_wanted.connect(self.cancel_wanted)
            card.menu_wanted.connect(self.menu_wanted)
        self.cards[handle].show_facts(fact)
        return self.cards[handle]

    def _arrange(self, cards: list[BackboneCard]) -> None:
        for card in set(self._shown) - set(cards):
            card.hide()
        last: QWidget = self.order_choice
        for card in cards:
            card.show()
            card.raise_()  # what looks for a name goes by the order of children
            for control in (card.choice, card.action, card.cancel):
                QWidget.setTabOrder(last, control)
                last = control
        self._shown = cards
        self.grid.arrange(cards)
        self._holder.updateGeometry()

    def _let_tab_enter(self, handle: str) -> None:
        """Let the Tab key stop at one card only: at that of ``handle``, or where it did."""
        shown = [card.handle for card in self._shown]
        has_focus = next((card.handle for card in self._shown if card.choice.hasFocus()), "")
        wanted = has_focus or handle or self._current
        self._current = wanted if wanted in shown else (shown[0] if shown else "")
        for card in self._shown:
            is_current = card.handle == self._current
            policy = Qt.FocusPolicy.StrongFocus if is_current else Qt.FocusPolicy.ClickFocus
            for control in (card.choice, card.action):
                if control.focusPolicy() is not policy:
                    control.setFocusPolicy(policy)

    def _on_key(self, card: BackboneCard, key: int) -> bool:
        place = self._shown.index(card)
        columns = self.grid.columns(self._holder.width())
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -columns,
            Qt.Key.Key_Down: columns,
            Qt.Key.Key_Home: -place,
            Qt.Key.Key_End: len(self._shown) - 1 - place,
        }
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            card.choice.click()
            return True
        if key not in steps:
            return False
        target = place + steps[Qt.Key(key)]
        if 0 <= target < len(self._shown):
            self._shown[target].choice.setFocus(Qt.FocusReason.OtherFocusReason)
        return True

    def _on_view_changed(self, _: object) -> None:
        self.view_changed.emit(self.view)


def _choice(accessible_name: str, name: str, options: type[Show] | type[Order]) -> QComboBox:
    box = QComboBox()
    box.setObjectName(name)
    box.setAccessibleName(accessible_name)
    box.setAccessibleDescription(accessible_name)  # on Linux the name of a combo box is what it shows
    box.setToolTip(accessible_name)
    box.setMinimumContentsLength(8)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    for option in options:
        box.addItem(option.value, option.value)
    return box
