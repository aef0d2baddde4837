"""The second step: the network that already knows how to see, and how much of it learns."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from hubstudio.core.backbones import BackboneInfo
from hubstudio.core.errors import StudioError
from hubstudio.core.plan import Mode, Plan
from hubstudio.gui import backbone_words as words
from hubstudio.gui.downloads import Download
from hubstudio.gui.pages.page import Page
from hubstudio.gui.session import Session
from hubstudio.gui.shelf import Presence, ShelfRow
from hubstudio.gui.widgets.backbone_card import BackboneCard, CardFacts, show_share
from hubstudio.gui.widgets.backbone_details import BackboneDetails
from hubstudio.gui.widgets.backbone_field import BackboneField
from hubstudio.gui.widgets.backbone_menu import Entry, backbone_menu, removal_question
from hubstudio.gui.widgets.backbone_problem import BackboneProblem, trust_question
from hubstudio.gui.widgets.backbone_shelf import BackboneShelf
from hubstudio.gui.widgets.buttons import quiet_button
from hubstudio.gui.widgets.card_sight import CardSight
from hubstudio.gui.widgets.comparison_view import ComparisonView
from hubstudio.gui.widgets.mode_card import ModeCard
from hubstudio.gui.widgets.notice import Notice
from hubstudio.gui.widgets.question import ask
from hubstudio.gui.widgets.scroll_column import ScrollColumn
from hubstudio.gui.widgets.wrapped_label import WrappedLabel

_FAILURES_SHOWN = ("probe", "fetch", "remove")
_SIDE_WIDTH = 340
_OFFLINE = "Offline: nothing is downloaded."


class BackbonePage(Page):
    """Cards of known backbones, a field for others, and how to train."""

    step = "backbone"
    settings_wanted = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(
            session, "Choose a backbone", "The network that already knows how to see. Yours is built on top."
        )
        self.desk = session.backbones
        self.shelf = BackboneShelf()
        self.compare = QPushButton("Compare…")
        self.field = BackboneField()
        self.looking = WrappedLabel("", "muted", "looking_into")
        self.bar = QProgressBar()
        self.offline = Notice("offline_notice", "Change…", "change_offline")
        self.done = Notice("backbone_notice", "Dismiss", "dismiss_notice")
        self.problem = BackboneProblem()
        self.mode = ModeCard()
        self.inside = quiet_button("Look inside…", "look_inside")
        self.details: BackboneDetails | None = None
        self.comparison = ComparisonView(session, self)
        self._show_soon = QTimer(self)
        self._show_soon.setSingleShot(True)
        self._show_soon.setInterval(0)
        self._show_soon.timeout.connect(self._show_shelf)
        self._lay_out()
        self._connect()
        self._show_around_shelf()
        self._show_shelf_soon()

    @property
    def cards(self) -> dict[str, BackboneCard]:
        """The cards by handle."""
        return self.shelf.cards

    def missing(self) -> str:
        """A backbone that was looked into."""
        if self.session.is_busy("probe") or self.session.is_busy("understand"):
            return "Looking into the backbone"
        if self.session.backbone:
            return ""
        return "Downloading the backbone" if self.desk.wanted else "Choose a backbone"

    def summary(self) -> str:
        """Its name, and how it is used."""
        plan, info = self.session.plan, self.session.backbone
        if not plan or not info:
            return ""
        depth = words.depth_of(plan, info)
        way = "extract" if plan.mode is Mode.EXTRACT else f"fine-tune {_depth_word(plan, depth)} of {len(info.blocks)}"
        return f"{self.desk.shelf.name_of(info.handle)} · {way}"

    def entered(self) -> None:
        """Look again which backbones are here: other programs fetch and remove them too."""
        self.desk.read_shelf()

    def _lay_out(self) -> None:
        self.compare.setObjectName("compare_backbones")
        self.compare.setAccessibleName("Compare backbones")
        self.shelf.add_tool(self.compare)
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.bar.setObjectName("looking_bar")
        self.bar.setAccessibleName("Looking into the backbone")
        content = QWidget()
        left = QVBoxLayout(content)
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(12)
        for widget in (self.offline, self.problem, self.shelf):
            left.addWidget(widget)
        left.addStretch(1)
        self.cards_column = ScrollColumn(content)
        self.sight = CardSight(self.cards_column, self._card_of)
        column = QVBoxLayout()
        column.setSpacing(12)
        column.addWidget(self.cards_column, 1)
        for widget in (self.field, self.looking, self.bar, self.done):  # below: always in sight
            column.addWidget(widget)
        self.mode.add_below_features(self.inside)
        side = ScrollColumn(self.mode)
        self.mode.estimate.setMaximumWidth(_SIDE_WIDTH)
        side.setMinimumWidth(250)
        side.setMaximumWidth(_SIDE_WIDTH)
        beside = QVBoxLayout()
        beside.setSpacing(8)
        beside.addWidget(side, 1)
        beside.addWidget(self.mode.estimate)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addLayout(column, 10)
        row.addLayout(beside, 5)
        self.body.addLayout(row, 1)
        self.field.take_drops_on(self)

    def _connect(self) -> None:
        session, desk, shelf = self.session, self.desk, self.shelf
        self.field.wanted.connect(self._on_text_wanted)
        shelf.wanted.connect(self._on_row_wanted)
        shelf.fetch_wanted.connect(self._on_fetch_wanted)
        shelf.cancel_wanted.connect(desk.downloads.cancel)
        shelf.menu_wanted.connect(self._on_menu_wanted)
        shelf.view_changed.connect(self._on_view_changed)
        self.compare.clicked.connect(self.comparison.show_dialog)
        self.inside.clicked.connect(self._on_inside_clicked)
        self.offline.button.clicked.connect(self.settings_wanted)
        self.done.button.clicked.connect(lambda: self.done.say(""))
        self.problem.trust_wanted.connect(self._on_trust_wanted)
        self.mode.plan_changed.connect(session.change_plan)
        self.mode.features_wanted.connect(desk.use_features)
        desk.shelf_changed.connect(self._show_shelf_soon)
        desk.wanted_changed.connect(self._on_wanted_changed)
        desk.noticed.connect(self.done.say)
        desk.downloads.changed.connect(self._on_download_changed)
        session.preferences.changed.connect(self._show_all)
        session.speeds.changed.connect(self._on_speeds_changed)
        session.backbone_changed.connect(self._on_backbone_changed)
        session.project_changed.connect(self._on_project_changed)
        session.busy_changed.connect(self._on_busy_changed)
        session.failed.connect(self._on_failed)
        session.engine_ready.connect(self._say_what_goes_on)

    def _on_text_wanted(self, text: str) -> None:
        self._begin()
        self.desk.use(text)

    def _on_row_wanted(self, handle: str) -> None:
        self._begin()
        self.desk.use_row(handle)

    def _on_fetch_wanted(self, handle: str) -> None:
        self._begin()
        self.desk.fetch(handle, to_use=True)

    def _begin(self) -> None:
        self.problem.show_error(None)
        self.done.say("")

    def _on_backbone_changed(self, info: object) -> None:
        if isinstance(info, BackboneInfo):
            self.problem.show_error(None)
            self.sight.show(info.handle)
        self._show_all()
        self._show_details()
        self.done_changed.emit()

    def _on_project_changed(self, _: object) -> None:
        self._show_mode()
        self._show_shelf_soon()  # the plan decides the predicted times
        self.done_changed.emit()

    def _on_speeds_changed(self) -> None:
        self._show_estimate()
        self._show_shelf_soon()

    def _on_view_changed(self, _: object) -> None:
        self._show_shelf()
        if self.desk.wanted:
            self.sight.show(self.desk.wanted)

    def _on_wanted_changed(self, handle: str) -> None:
        if handle:
            self.sight.show(handle)
        self._say_what_goes_on()
        self._show_shelf_soon()
        self.done_changed.emit()

    def _on_download_changed(self, handle: str) -> None:
        row = self.desk.shelf.find(handle)
        if row and self.desk.downloads.of(handle):
            self.shelf.show_facts(self._facts_of(row))
        self._say_what_goes_on()

    def _on_busy_changed(self, kind: str, _: object) -> None:
        if kind in ("probe", "understand"):
            self._say_what_goes_on()
            self.done_changed.emit()
        if kind in ("probe", "measure"):
            self._show_estimate()

    def _on_failed(self, kind: str, error: StudioError) -> None:
        if kind in _FAILURES_SHOWN:
            self.problem.show_error(error)
            self.cards_column.ensureWidgetVisible(self.problem)
            self._show_all()
            self.done_changed.emit()

    def _on_trust_wanted(self) -> None:
        handle = self.desk.refused
        ask(self, trust_question(self.desk.shelf.name_of(handle)), lambda: self._on_trusted(handle))

    def _on_trusted(self, handle: str) -> None:
        self._begin()
        self.desk.trust_and_use(handle)

    def _on_inside_clicked(self) -> None:
        if self.details is None:
            self.details = BackboneDetails(self)
            self.details.remove_wanted.connect(self._on_remove_wanted)
        self._show_details()
        self.details.show()
        self.details.raise_()
        self.details.activateWindow()

    def _on_remove_wanted(self, handle: str) -> None:
        if row := self.desk.shelf.find(handle):
            question = removal_question(row.name, row.bytes, is_used=self.desk.is_used(handle))
            ask(self, question, lambda: self.desk.remove(handle))

    def _on_menu_wanted(self, handle: str, place: QPoint) -> None:
        if row := self.desk.shelf.find(handle):
            backbone_menu(self, self._entries(row)).popup(place)

    def _entries(self, row: ShelfRow) -> list[Entry]:
        handle, info = row.handle, self.session.backbone
        is_chosen = info is not None and info.handle == handle
        entries: list[Entry] = []
        if self.desk.downloads.of(handle):
            entries.append(("Cancel the download", "cancel_fetch", lambda: self.desk.downloads.cancel(handle)))
        elif row.presence.is_usable and not is_chosen:
            entries.append(("Use this backbone", "use_backbone", lambda: self._on_row_wanted(handle)))
        elif words.action_text(row) and not self.session.preferences.is_offline:
            entries.append((words.action_text(row), "fetch_backbone", lambda: self._on_fetch_wanted(handle)))
        if is_chosen:
            entries.append(("Look inside…", "look_inside", self._on_inside_clicked))
        entries.append(("Copy handle", "copy_handle", lambda: QGuiApplication.clipboard().setText(handle)))
        if row.is_removable:
            entries.append(("Remove from this computer…", "remove_backbone", lambda: self._on_remove_wanted(handle)))
        if row.presence in (Presence.HERE, Presence.REFUSED) and not row.is_removable and not is_chosen:
            entries.append(("Take from this list", "forget_backbone", lambda: self.desk.forget(handle)))
        return entries

    def _card_of(self, handle: str) -> BackboneCard | None:
        row = self.desk.shelf.find(handle)
        return self.cards.get(row.handle) if row else None

    def _say_what_goes_on(self) -> None:
        download = self._download_to_tell()
        sentence = words.fetching_text(self.desk.shelf.name_of(download.handle), download) if download else ""
        if self.session.is_busy("probe") or self.session.is_busy("understand"):
            name = self.desk.shelf.name_of(self.desk.wanted) if self.desk.wanted else "the backbone"
            first = "Loading TensorFlow, then looking" if self.session.is_busy("warm up") else "Looking"
            sentence = f"{first} into {name} …"
            download = None
        self.looking.say(sentence)
        self.looking.setVisible(bool(sentence))
        self.bar.setVisible(bool(sentence))
        show_share(self.bar, download)

    def _download_to_tell(self) -> Download | None:
        """Return the download of what is wanted, else the one that is at work."""
        downloads = self.desk.downloads
        return downloads.of(self.desk.wanted) or next(iter(downloads.going_on), None)

    def _show_all(self) -> None:
        self._show_around_shelf()
        self._show_shelf()

    def _show_around_shelf(self) -> None:
        self.offline.say(_OFFLINE if self.session.preferences.is_offline else "")
        self._say_what_goes_on()
        self._show_mode()

    def _show_shelf_soon(self) -> None:
        self._show_soon.start()

    def _show_shelf(self) -> None:
        self._show_soon.stop()
        seconds = dict(self.session.speeds.seconds())
        rows = self.shelf.view.rows_of(self.desk.shelf, seconds)
        was_in_sight = self.sight.is_in_sight()
        recommended = self.desk.recommended()
        if not self.shelf.show_cards([self._facts_of(row, seconds, recommended) for row in rows]):
            self._show_soon.start()
        self._keep_in_sight(was_in_sight=was_in_sight)
        if self.desk.shelf.problem and not self.problem.isVisible():
            self.problem.show_error(self.desk.shelf.problem)

    def _keep_in_sight(self, *, was_in_sight: bool) -> None:
        """Follow the card to where it is now; where it is gone, see the chosen one instead."""
        info, shelf = self.session.backbone, self.desk.shelf
        if info and not self.desk.wanted and self.sight.handle != info.handle and not shelf.find(self.sight.handle):
            self.sight.show(info.handle)
        else:
            self.sight.look_again(is_due=was_in_sight)

    def _facts_of(
        self, row: ShelfRow, seconds: dict[str, float] | None = None, recommended: str | None = None
    ) -> CardFacts:
        info = self.session.backbone
        is_chosen = info is not None and info.handle == row.handle
        return CardFacts(
            row,
            info=info if is_chosen else row.info,
            download=self.desk.downloads.of(row.handle),
            seconds=(self.session.speeds.seconds() if seconds is None else seconds).get(row.handle),
            is_chosen=is_chosen,
            is_wanted=self.desk.wanted == row.handle,
            is_recommended=row.handle == (self.desk.recommended() if recommended is None else recommended),
            is_offline=self.session.preferences.is_offline,
        )

    def _show_mode(self) -> None:
        self.mode.show_choices(self.session.plan, self.session.backbone)
        self.inside.setVisible(self.session.backbone is not None)
        self._show_estimate()

    def _show_estimate(self) -> None:
        cost = self.session.speeds.cost()
        if cost:
            self.mode.show_estimate(words.estimate_text(cost))
        else:
            self.mode.show_estimate(
                "Measuring this computer's speed, some seconds …" if self.session.speeds.is_measuring else ""
            )

    def _show_details(self) -> None:
        info = self.session.backbone
        if self.details and info:
            self.details.show_backbone(info, self.desk.shelf.find(info.handle))


def _depth_word(plan: Plan, depth: int) -> str:
    return "all" if plan.unfreeze == "all" else str(depth)
