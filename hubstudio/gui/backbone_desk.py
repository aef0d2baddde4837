"""The backbones of the window: the shelf, the one that is chosen, downloads, and what is asked of them.

What is chosen stays until its successor was looked into. Modules are only looked at in the lanes, never in the window's
thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from hubstudio.core.backbones import BackboneInfo
from hubstudio.core.cost import Speed
from hubstudio.core.engine import Engine
from hubstudio.core.errors import BackboneError, DamagedModuleError, StudioError, UnsafeModuleError
from hubstudio.core.plan import Plan
from hubstudio.gui import shelf_jobs
from hubstudio.gui.downloads import Downloads
from hubstudio.gui.engine_work import EngineWork
from hubstudio.gui.jobs import Jobs
from hubstudio.gui.lane import Job, Work
from hubstudio.gui.plan_fitting import fit_plan
from hubstudio.gui.preferences import Preferences
from hubstudio.gui.shelf import Shelf, ShelfRow
from hubstudio.gui.shelf_jobs import Removed
from hubstudio.gui.wording import size_text


class BackboneDesk(QObject):
    """Holds what is known of backbones. ``take_plan`` gets the plan for every backbone that was chosen."""

    chosen = Signal(object)  # BackboneInfo, or None while there is none
    shelf_changed = Signal(object)  # Shelf
    wanted_changed = Signal(str)  # handle that is looked into or fetched to be chosen; empty if none
    modules_counted = Signal(object)  # ModuleCount
    features_counted = Signal(object)  # FeatureCount
    noticed = Signal(str)  # what was done, as a sentence
    failed = Signal(str, object)  # job kind, StudioError

    def __init__(
        self,
        jobs: Jobs,
        work: EngineWork,
        preferences: Preferences,
        plan: Callable[[], Plan | None],
        take_plan: Callable[[Plan], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._jobs, self._work, self._plan, self._take_plan = jobs, work, plan, take_plan
        self.preferences = preferences
        self.downloads = Downloads(jobs, work, self)
        self.info: BackboneInfo | None = None
        self.shelf = Shelf()
        self.wanted = ""
        """Handle that is chosen as soon as it is here and was looked into."""
        self.refused = ""
        """Handle of the module that was refused last for what its graphs do."""
        self._probed = ""
        """Handle that the last look inside was asked for."""
        self._finishing: dict[str, Callable[[object], None]] = {
            "shelf": self._on_shelf_read,
            "understand": self._on_understood,
            "probe": self._on_probed,
            "remove": self._on_removed,
            "count modules": self.modules_counted.emit,
            "count features": self.features_counted.emit,
            "empty features": self.features_counted.emit,
        }
        jobs.finished.connect(self._on_finished)
        jobs.failed.connect(self._on_failed)
        jobs.cancelled.connect(self._on_gone)
        jobs.crashed.connect(self._on_crashed)
        self.downloads.finished.connect(self._on_fetched)
        self.downloads.failed.connect(self._on_fetch_failed)
        self.downloads.cancelled.connect(self._on_fetch_cancelled)

    def clear(self) -> None:
        """Another project begins: nothing is chosen. Downloads go on, since they serve all projects."""
        self.info = None
        self._want_instead("")
        self.chosen.emit(None)

    def read_shelf(self) -> None:
        """Look again which backbones are here; ends in ``shelf_changed``."""
        named = self._named()
        self._submit("shelf", lambda report, cancel: shelf_jobs.read_shelf(named))

    def look_into(self, handle: str, features: str = "") -> None:
        """Look into a backbone that is here; ends in ``chosen``, or in ``failed('probe')``, which keeps the former."""
        self._ask_probe(handle, lambda engine, copy: engine.probe(copy, features))

    def use(self, text: str) -> None:
        """Choose what a person typed, pasted or dropped; what is not here is fetched first."""
        self._submit("understand", lambda report, cancel: shelf_jobs.understand(text.strip()))

    def use_row(self, handle: str) -> None:
        """Choose a backbone of the shelf; one that is not here is fetched first."""
        row = self.shelf.find(handle)
        if row is None:
            self.use(handle)
        elif self.info and self.info.handle == handle and not self.info.features_name:
            self._want_instead("")
        else:
            self._use_row(row)

    def use_features(self, name: str) -> None:
        """Take the features of another endpoint of the chosen backbone; empty for its own feature vector."""
        if self.info and name != self.info.features_name:
            self.look_into(self.info.handle, name)

    def fetch(self, handle: str, *, to_use: bool) -> None:
        """Download a module, and choose it then if it is still wanted."""
        if to_use:
            self._want_instead(handle)
        self.downloads.start(handle)

    def trust_and_use(self, handle: str) -> None:
        """Use a module although its graphs touch files or run code."""
        features = self._planned_features(handle)

        def trusted(engine: Engine, copy: str) -> BackboneInfo:
            engine.trust(copy)
            return engine.probe(copy, features)

        self._ask_probe(handle, trusted)

    def remove(self, handle: str) -> None:
        """Remove a fetched module from the cache; ends in ``noticed`` or ``failed('remove')``."""
        self.downloads.cancel(handle)
        self._submit("remove", lambda report, cancel: shelf_jobs.remove(handle))

    def forget(self, handle: str) -> None:
        """Take a folder of one's own from the list."""
        named = [name for name in self._named() if name != handle]

        def forgotten(*_: object) -> Shelf:
            shelf_jobs.forget_own(handle)
            return shelf_jobs.read_shelf(named)

        self._submit("shelf", forgotten)

    def count_modules(self) -> None:
        """Count what the cache of fetched modules takes; ends in ``modules_counted``."""
        self._submit("count modules", lambda report, cancel: shelf_jobs.count_modules())

    def count_features(self) -> None:
        """Count what the features take that are kept between trainings; ends in ``features_counted``."""
        self._submit("count features", lambda report, cancel: shelf_jobs.count_features())

    def empty_features(self) -> None:
        """Remove the kept features; ends in ``features_counted``."""
        self._submit("empty features", lambda report, cancel: shelf_jobs.empty_features())

    def take_speed(self, handle: str, speed: Speed) -> None:
        """Take in how fast the chosen backbone is here."""
        if self.info and self.info.handle == handle and not self.info.features_name:
            self.shelf = self.shelf.with_speed(self.info, speed)

    def is_used(self, handle: str) -> bool:
        """Whether the project's plan is built on this backbone."""
        plan = self._plan()
        return plan is not None and plan.backbone == handle

    def recommended(self) -> str:
        """Return the handle of the backbone to begin with."""
        return self.shelf.recommended(offline=self.preferences.is_offline)

    def _named(self) -> list[str]:
        """Return handles that have a card wherever they come from."""
        plan, info = self._plan(), self.info
        named = [plan.backbone if plan else "", info.handle if info else "", self.wanted]
        return named + [download.handle for download in self.downloads.going_on]

    def _submit(self, kind: str, work: Work) -> None:
        self._jobs.submit(self._jobs.shelf_lane, Job(kind, work))

    def _use_row(self, row: ShelfRow) -> None:
        """Choose a row; the one in use goes back to its own feature vector, another keeps what the plan says of it."""
        is_in_use = self.info is not None and self.info.handle == row.handle
        if row.presence.is_fetchable:
            self.fetch(row.handle, to_use=True)
        else:
            self.look_into(row.handle, "" if is_in_use else self._planned_features(row.handle))

    def _planned_features(self, handle: str) -> str:
        """Return the endpoint of this backbone that the plan is built on; empty for its own feature vector."""
        plan, row = self._plan(), self.shelf.find(handle)
        is_planned = plan is not None and (plan.backbone == handle or (row and self.shelf.find(plan.backbone) is row))
        return plan.features if plan and is_planned else ""

    def _ask_probe(self, handle: str, call: Callable[[Engine, str], BackboneInfo]) -> None:
        """Look into the copy of a backbone that is here, instead of whatever else was to be chosen."""
        self._jobs.drop("understand")
        self._probed = handle
        self._want(handle)
        self._work.ask("probe", lambda engine, report, cancel: call(engine, shelf_jobs.copy_here(handle)))

    def _want_instead(self, handle: str) -> None:
        """Choose this as soon as it is here, and nothing that was asked for before."""
        for kind in ("probe", "understand"):
            self._jobs.drop(kind)
        self._want(handle)

    def _want(self, handle: str) -> None:
        if handle != self.wanted:
            self.wanted = handle
            self.wanted_changed.emit(handle)

    def _on_finished(self, kind: str, result: object) -> None:
        if kind in self._finishing:
            self._finishing[kind](result)

    def _on_failed(self, kind: str, error: StudioError) -> None:
        if kind not in self._finishing:
            return
        if kind == "probe":
            self.refused = self._probed
            self._keep_refusal(self._probed, error)
        if kind in ("probe", "understand"):
            self._want("")
        self.failed.emit("probe" if kind == "understand" else kind, error)
        if kind == "probe":  # it may have been found broken, or gone
            self.read_shelf()

    def _keep_refusal(self, handle: str, error: StudioError) -> None:
        """Mark a module that is whole and of no use; one that may be mended, trusted or fetched again stays as it is.

        An endpoint that is not there says nothing of the module's own feature vector.
        """
        may_be_used = not isinstance(error, BackboneError) or isinstance(error, DamagedModuleError | UnsafeModuleError)
        is_in_use = self.info is not None and self.info.handle == handle
        if not (may_be_used or is_in_use or self._planned_features(handle)):
            self._submit("keep refusal", lambda report, cancel: shelf_jobs.keep_refusal(handle, str(error)))

    def _on_gone(self, kind: str) -> None:
        if kind == "probe":
            self._want("")

    def _on_crashed(self, kind: str, _report: str, was_wanted: bool) -> None:
        if was_wanted:
            self._on_gone(kind)

    def _on_shelf_read(self, shelf: object) -> None:
        assert isinstance(shelf, Shelf)
        self.shelf = shelf
        self.shelf_changed.emit(shelf)

    def _on_understood(self, row: object) -> None:
        assert isinstance(row, ShelfRow)
        self._use_row(row)
        self.read_shelf()

    def _on_probed(self, info: object) -> None:
        assert isinstance(info, BackboneInfo)
        self._choose(info)

    def _choose(self, info: BackboneInfo) -> None:
        self.info = info
        plan = self._plan()
        if plan:
            chosen = replace(plan, backbone=info.handle, features=info.features_name)
            self._take_plan(fit_plan(chosen, info))
        self._want("")
        self.chosen.emit(info)
        self._submit("keep seen", lambda report, cancel: shelf_jobs.keep_seen(info))
        if self.shelf.find(info.handle) is None:
            self.read_shelf()

    def _on_fetched(self, handle: str, info: BackboneInfo) -> None:
        self.read_shelf()
        if self.wanted == handle and (features := self._planned_features(handle)):
            self.look_into(handle, features)
        elif self.wanted == handle:
            self._choose(info)
            self.noticed.emit(f"{self.shelf.name_of(handle)} is here and chosen.")
        else:
            self.noticed.emit(f"{self.shelf.name_of(handle)} is here now: {size_text(info.bytes)}.")

    def _on_fetch_failed(self, handle: str, error: StudioError) -> None:
        self.refused = handle
        self._keep_refusal(handle, error)
        if self.wanted == handle:
            self._want("")
        self.failed.emit("fetch", error)
        self.read_shelf()

    def _on_fetch_cancelled(self, handle: str) -> None:
        if self.wanted == handle:
            self._want("")
        self.read_shelf()

    def _on_removed(self, result: object) -> None:
        assert isinstance(result, Removed)
        name = self.shelf.name_of(result.handle)
        self.noticed.emit(f"{name} was removed. {size_text(result.bytes)} are free again.")
        if self.info and self.info.handle == result.handle:
            self.info = None
            self.chosen.emit(None)
        self.read_shelf()
