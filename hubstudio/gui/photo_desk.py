"""The photos of the open project: listed, checked and divided in a lane, and every choice among them.

What is shown stays until its successor is there. Other folders are shown as soon as they are listed; an edit too, with
what was known before, until its check is done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from hubstudio.core import path_kinds
from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import PhotosError, StudioError
from hubstudio.core.events import Event, Progress, Report
from hubstudio.core.photos import PhotoSet
from hubstudio.core.plan import Plan
from hubstudio.core.split import Split
from hubstudio.gui import photo_jobs
from hubstudio.gui.jobs import Jobs
from hubstudio.gui.lane import Job
from hubstudio.gui.photo_edits import Edit, EditHistory, PhotoChoices
from hubstudio.gui.photo_jobs import Division, Listing

Change = Callable[[PhotoChoices], PhotoChoices]


@dataclass(frozen=True)
class _Proposal:
    """A change that is made once it has proved possible."""

    name: str
    change: Change
    only_adds: bool = False


class PhotoDesk(QObject):
    """Holds what is known of the photos. ``take_plan`` gets every plan whose photo choices changed."""

    changed = Signal(object)  # PhotoSet or None
    checked = Signal(object)  # PhotoSet
    split_changed = Signal(object)  # Split, or None while there is none
    progress = Signal(object)  # Progress of the check
    history_changed = Signal(str)  # what was just done or taken back, as a sentence; empty if nothing
    split_exported = Signal(object)  # Path
    failed = Signal(str, object)  # job kind, StudioError

    def __init__(
        self,
        jobs: Jobs,
        plan: Callable[[], Plan | None],
        take_plan: Callable[[Plan], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._jobs, self._plan, self._take_plan = jobs, plan, take_plan
        self.history = EditHistory()
        self.photo_set: PhotoSet | None = None
        self.is_checked = False
        """Whether every photo that is shown was read once."""
        self.division: Division | None = None
        self._listed: PhotoSet | None = None
        self._listed_by = PhotoChoices()
        self._divided: PhotoSet | None = None
        """The listing that ``division`` was made from."""
        self._shown_sources: tuple[str, ...] = ()
        self._proposals: list[_Proposal] = []
        self._proposed_split: _Proposal | None = None
        self._finishing: dict[str, Callable[[object], None]] = {
            "scan": self._on_scanned,
            "check": self._on_checked,
            "split": self._on_divided,
            "export split": self.split_exported.emit,
        }
        jobs.reported.connect(self._on_reported)
        jobs.finished.connect(self._on_finished)
        jobs.failed.connect(self._on_failed)
        jobs.cancelled.connect(self._on_cancelled)
        jobs.crashed.connect(self._on_crashed)

    @property
    def split(self) -> Split | None:
        """Who trains, validates and tests; None until the photos are checked."""
        return self.division.split if self.division else None

    @property
    def division_is_current(self) -> bool:
        """Whether the division is one of the photos that are shown, not of those before an edit."""
        return self.division is not None and self._divided is self._listed

    @property
    def _choices(self) -> PhotoChoices:
        return PhotoChoices.of(self._plan())

    def clear(self) -> None:
        """Forget everything: another project begins."""
        for kind in self._finishing:
            self._jobs.drop(kind)
        self.history.clear()
        self._proposals.clear()
        self._proposed_split = self._listed = self._divided = self.photo_set = self.division = None
        self.is_checked, self._shown_sources, self._listed_by = False, (), PhotoChoices()
        self.changed.emit(None)
        self.split_changed.emit(None)
        self.history_changed.emit("")

    def read(self) -> None:
        """List, check and divide what the plan names, with what is proposed."""
        choices = self._choices
        for proposal in self._proposals:
            choices = proposal.change(choices)
        try:
            plan = choices.applied_to(self._plan())
        except StudioError as error:  # a name that a plan cannot hold
            del self._proposals[-1:]  # those before it were possible, and are being listed
            self.failed.emit("scan", error)
            return
        self._jobs.drop("check")  # else the listing would wait for it; one that fails takes it up again
        is_edit = self.is_checked and choices.sources == self._shown_sources
        former = self.photo_set if is_edit else None
        self._submit("scan", lambda report, cancel: photo_jobs.list_again(plan.selection, former, cancel))

    def propose(self, name: str, change: Change, *, only_adds: bool = False) -> None:
        """Make a change of sources once they could be listed; else, or if it adds nothing, all stays as it is."""
        self._proposals.append(_Proposal(name, change, only_adds))
        self.read()

    def edit(self, name: str, change: Change) -> None:
        """Make a change now."""
        before = self._choices
        after = change(before)
        if after != before and self._take(after):
            self.history.add(Edit(name, before, after))
            self.history_changed.emit(name)

    def undo(self) -> None:
        """Take the last edit back."""
        if edit := self.history.undo():
            self._take(edit.before)
            self.history_changed.emit(f"Undone: {edit.name}")

    def redo(self) -> None:
        """Make the edit again that was taken back last."""
        if edit := self.history.redo():
            self._take(edit.after)
            self.history_changed.emit(edit.name)

    def use_split(self, file: Path) -> None:
        """Keep the parts that a file gives, if it can be read; ends in ``split_changed`` or ``failed('split')``."""
        plan, path = self._plan(), str(path_kinds.whole(file))
        if plan is None or self.division is None:
            error = PhotosError("The photos are not checked yet.", next_step="Use a split once they are.")
            self.failed.emit("split", error)
            return
        try:
            divided_by = replace(plan, split_file=path)
        except StudioError as error:  # a name that a plan cannot hold
            self.failed.emit("split", error)
            return
        name = f"Use the split of '{file.name}'"
        self._proposed_split = _Proposal(name, lambda former: replace(former, split_file=path))
        self._divide(self.division, divided_by)

    def export_split(self, file: Path) -> None:
        """Write who is in which part; ends in ``split_exported`` or ``failed('export split')``."""
        division = self.division
        if division is None or not self.division_is_current:
            error = PhotosError("The photos are not checked yet.", next_step="Export the split once they are.")
            self.failed.emit("export split", error)
            return
        self._submit("export split", lambda report, cancel: photo_jobs.write_split(division, file))

    def look_at_plan(self) -> None:
        """Divide anew if the plan divides otherwise than what is shown."""
        plan = self._plan()
        if plan and self.division and not self._proposed_split and not self.division.is_by(plan):
            self._divide(self.division, plan)

    def pause_check(self) -> None:
        """Let the check stand still."""
        if job := self._jobs.current("check"):
            job.cancel.pause()

    def resume_check(self) -> None:
        """Let a paused check go on."""
        if job := self._jobs.current("check"):
            job.cancel.resume()

    @property
    def check_is_paused(self) -> bool:
        """Whether the check stands still until it may go on."""
        job = self._jobs.current("check")
        return job is not None and job.cancel.is_paused

    def _take(self, choices: PhotoChoices) -> bool:
        """Make choices those of the plan; False if a plan cannot hold them."""
        before = self._choices
        try:
            plan = choices.applied_to(self._plan())
        except StudioError as error:
            self.failed.emit("edit", error)
            return False
        self._take_plan(plan)
        if choices.needs_listing_after(before) or self._proposals:
            self.read()
        return True

    def _submit(self, kind: str, work: Callable[[Report, CancelToken], object]) -> None:
        is_reading = kind in ("scan", "check")
        self._jobs.submit(self._jobs.reading_lane if is_reading else self._jobs.dividing_lane, Job(kind, work))

    def _divide(self, division: Division, plan: Plan) -> None:
        self._submit("split", lambda report, cancel: photo_jobs.divide_again(division.base, plan, cancel))

    def _check(self, listed: PhotoSet) -> None:
        plan = self._plan()
        if plan:
            self._submit("check", lambda report, cancel: photo_jobs.check_and_divide(listed, plan, report, cancel))

    def _on_reported(self, kind: str, event: Event) -> None:
        if kind == "check" and isinstance(event, Progress):
            self.progress.emit(event)

    def _on_finished(self, kind: str, result: object) -> None:
        if kind in self._finishing:
            self._finishing[kind](result)

    def _on_scanned(self, listing: object) -> None:
        assert isinstance(listing, Listing)
        listed = listing.photo_set
        proposals, self._proposals = self._proposals, []
        error = _refusal(listed, self._listed, proposals)
        if error:
            self.failed.emit("scan", error)
            self._go_on_with_what_is_listed()
            return
        for proposal in proposals:
            before = self._choices
            after = proposal.change(before)
            if after != before:
                self._take_plan(after.applied_to(self._plan()))
                if before.photos:  # else there is nothing to go back to
                    self.history.add(Edit(proposal.name, before, after))
                    self.history_changed.emit(proposal.name)
        self._listed, self._listed_by = listed, self._choices
        if self._shown_sources != self._choices.sources or not self.is_checked:
            self._show_listed()
        elif listing.preview:
            self.photo_set = listing.preview
            self.changed.emit(self.photo_set)
        self._check(listed)

    def _show_listed(self) -> None:
        """Show what was found though it is not checked."""
        self.photo_set, self.is_checked, self.division, self._divided = self._listed, False, None, None
        self._shown_sources = self._choices.sources
        self.changed.emit(self.photo_set)
        self.split_changed.emit(None)

    def _on_checked(self, division: object) -> None:
        assert isinstance(division, Division)
        self._divided = self._listed
        self._show_division(division)
        self.checked.emit(division.photo_set)

    def _on_divided(self, division: object) -> None:
        assert isinstance(division, Division)
        if self.division is None:  # other photos were chosen meanwhile
            self._forget_proposed_split()
            return
        if division.base is not self.division.base:  # a check has come in between
            if self._proposed_split:
                self._divide(self.division, division.plan)
            else:
                self.look_at_plan()
            return
        proposed, self._proposed_split = self._proposed_split, None
        self.division = division
        if proposed:
            self.edit(proposed.name, proposed.change)
        self._show_division(division)

    def _show_division(self, division: Division) -> None:
        self.division = division
        if self.division_is_current:  # else an edit is shown already, and its check goes on
            self.photo_set, self.is_checked = division.photo_set, True
            self._shown_sources = self._choices.sources
            self.changed.emit(self.photo_set)
        self.split_changed.emit(division.split)
        self.look_at_plan()

    def _forget_proposed_split(self) -> None:
        if self._proposed_split:
            self._proposed_split = None
            error = PhotosError("Other photos were chosen meanwhile.", next_step="Use a split once they are checked.")
            self.failed.emit("split", error)

    def _on_failed(self, kind: str, error: StudioError) -> None:
        if kind not in self._finishing:
            return
        self.failed.emit(kind, error)
        self._take_up(kind)

    def _on_cancelled(self, kind: str) -> None:
        if kind in self._finishing:
            self._take_up(kind)

    def _on_crashed(self, kind: str, _: str, was_wanted: bool) -> None:
        if kind in self._finishing and was_wanted:
            self._take_up(kind)

    def _take_up(self, kind: str) -> None:
        """Go on after a job that came to nothing."""
        if kind == "scan" and self._proposals:
            self._proposals.clear()
            self._go_on_with_what_is_listed()
        elif kind == "scan":
            self._check_what_is_unchecked()
        elif kind == "check" and self._listed:
            self._show_listed()
        elif kind == "split" and self._proposed_split:
            self._proposed_split = None
            self.look_at_plan()  # which may have changed while the proposal was looked into

    def _go_on_with_what_is_listed(self) -> None:
        """Take up what a proposal that came to nothing had cut short: the listing after an edit, or a check."""
        if self._plan() and self._choices.needs_listing_after(self._listed_by):
            self.read()
        else:
            self._check_what_is_unchecked()

    def _check_what_is_unchecked(self) -> None:
        is_busy = any(self._jobs.current(kind) for kind in ("scan", "check"))
        if self._listed and not (self._divided is self._listed or is_busy):
            self._check(self._listed)


def _refusal(listed: PhotoSet, former: PhotoSet | None, proposals: Sequence[_Proposal]) -> PhotosError | None:
    """Return why proposed sources are of no use, if they are not: nothing to be found in them, or nothing new."""
    if not proposals:
        return None
    if not listed.photos and not listed.left_out:
        message = next((problem.message for problem in listed.problems if problem.blocks_training), "")
        return PhotosError("No photos were found to use.", found=message)
    if former and all(proposal.only_adds for proposal in proposals) and _size(listed) == _size(former):
        return PhotosError("Nothing was added.", found="Every photo found there is among yours already.")
    return None


def _size(photo_set: PhotoSet) -> int:
    return len(photo_set.photos) + len(photo_set.left_out)
