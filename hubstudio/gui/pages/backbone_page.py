"""The second step: the network that already knows how to see, and how much of it learns."""

from __future__ import annotations

from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from hubstudio.core.backbones import BackboneInfo, bundled_names, display_name
from hubstudio.core.errors import StudioError
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.project import Project
from hubstudio.gui.pages.page import Page
from hubstudio.gui.session import Session
from hubstudio.gui.widgets.backbone_card import BackboneCard
from hubstudio.gui.widgets.backbone_field import BackboneField
from hubstudio.gui.widgets.error_card import ErrorCard
from hubstudio.gui.widgets.flow import CardGrid
from hubstudio.gui.widgets.mode_card import ModeCard
from hubstudio.gui.widgets.scroll_column import ScrollColumn
from hubstudio.gui.widgets.wrapped_label import WrappedLabel

_CARD_WIDTH = 250


class BackbonePage(Page):
    """Cards of known backbones, a field for others, and the choice of mode."""

    step = "backbone"

    def __init__(self, session: Session) -> None:
        super().__init__(
            session, "Choose a backbone", "The network that already knows how to see. Yours is built on top."
        )
        self.cards: dict[str, BackboneCard] = {}
        self._wanted = ""
        self._last_choice: QWidget | None = None
        self.shelf = QWidget()
        self.grid = CardGrid(_CARD_WIDTH, parent=self.shelf)
        self._group = QButtonGroup(self)
        self.field = BackboneField()
        self.looking = WrappedLabel("", "muted", "looking_into")
        self.bar = QProgressBar()
        self.problem = ErrorCard()
        self.mode = ModeCard()
        self._lay_out()
        self._connect()
        self._show_backbone()
        self._on_busy_changed("probe", None)

    def missing(self) -> str:
        """A backbone that was looked into."""
        if self.session.is_busy("probe"):
            return "Looking into the backbone"
        return "" if self.session.backbone else "Choose a backbone"

    def summary(self) -> str:
        """Its name, and how it is used."""
        plan, info = self.session.plan, self.session.backbone
        if not plan or not info:
            return ""
        return f"{info.name} · {_mode_text(plan, info)}"

    def _lay_out(self) -> None:
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.bar.setObjectName("looking_bar")
        self.bar.setAccessibleName("Looking into the backbone")
        content = QWidget()
        left = QVBoxLayout(content)
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(12)
        for widget in (self.shelf, self.field, self.looking, self.bar, self.problem):
            left.addWidget(widget)
        left.addStretch(1)
        side = ScrollColumn(self.mode)
        side.setMinimumWidth(250)
        side.setMaximumWidth(340)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(ScrollColumn(content), 10)
        row.addWidget(side, 5)
        self.body.addLayout(row, 1)

    def _connect(self) -> None:
        self.field.wanted.connect(self._on_backbone_wanted)
        self.mode.plan_changed.connect(self.session.change_plan)
        self.session.backbone_changed.connect(self._on_backbone_changed)
        self.session.project_changed.connect(self._on_project_changed)
        self.session.busy_changed.connect(self._on_busy_changed)
        self.session.failed.connect(self._on_failed)
        self.session.engine_ready.connect(self._say_what_goes_on)

    def _on_backbone_wanted(self, text: str) -> None:
        self._wanted = text
        self.problem.show_error(None)
        self.session.use_backbone(text)

    def _on_backbone_changed(self, info: BackboneInfo | None) -> None:
        if info:
            self.problem.show_error(None)
        self._show_backbone()
        self.done_changed.emit()

    def _on_project_changed(self, _: Project) -> None:
        self._show_mode()
        self.done_changed.emit()

    def _on_busy_changed(self, kind: str, _: object) -> None:
        if kind == "probe":
            self._say_what_goes_on()
            self.done_changed.emit()

    def _on_failed(self, kind: str, error: StudioError) -> None:
        if kind == "probe":
            self.problem.show_error(error)
            self._show_backbone()
            self.done_changed.emit()

    def _say_what_goes_on(self) -> None:
        is_busy = self.session.is_busy("probe")
        plan = self.session.plan
        name = display_name(self._wanted or (plan.backbone if plan else ""))
        first = "Loading TensorFlow, then looking" if self.session.is_busy("warm up") else "Looking"
        self.looking.say(f"{first} into {name} …" if is_busy else "")
        self.looking.setVisible(is_busy)
        self.bar.setVisible(is_busy)

    def _show_backbone(self) -> None:
        info, plan = self.session.backbone, self.session.plan
        known = [*bundled_names(), *([plan.backbone] if plan else []), *([info.handle] if info else [])]
        for handle in known:
            self._add_card(handle)
        self._group.setExclusive(False)  # else the one that is checked could not be unchecked
        for card in self.cards.values():
            if info and card.handle == info.handle:
                card.show_info(info)
            card.set_chosen(info is not None and card.handle == info.handle)
        self._group.setExclusive(True)
        self._show_mode()

    def _add_card(self, handle: str) -> None:
        if handle not in self.cards:
            card = self.cards[handle] = BackboneCard(handle)
            card.wanted.connect(self._on_backbone_wanted)
            self.grid.addWidget(card)
            self._group.addButton(card.choice)
            if self._last_choice:
                QWidget.setTabOrder(self._last_choice, card.choice)
            QWidget.setTabOrder(card.choice, self.field.text)
            self._last_choice = card.choice

    def _show_mode(self) -> None:
        self.mode.show_choices(self.session.plan, self.session.backbone)


def _mode_text(plan: Plan, info: BackboneInfo) -> str:
    if plan.mode is Mode.EXTRACT:
        return "extract"
    depth = "all" if plan.unfreeze == "all" else str(min(plan.unfreeze, len(info.blocks)))
    return f"fine-tune {depth} of {len(info.blocks)}"
