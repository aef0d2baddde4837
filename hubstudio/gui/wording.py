"""Numbers and states as words, the same on every page."""

from __future__ import annotations

import math
from datetime import datetime

from hubstudio.core.backbones import display_name
from hubstudio.core.events import Phase, Progress
from hubstudio.core.phase_comparison import phase_comparison
from hubstudio.core.photos import PhotoSet, count_of
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.run_state import RunState, Status

_MINUTE, _HOUR = 60, 3600
_RECENT_DAYS = 300
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # the same anywhere


def duration_text(seconds: float) -> str:
    """Return '4.2 s', '38 s', '3 min 5 s' or '2 h 10 min'."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def time_left_text(seconds: float | None) -> str:
    """Return 'about 20 s left', rounded so that it does not flicker; empty while it is too early to tell."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"about {max(1, math.ceil(seconds))} s left"
    if seconds < 55:
        return f"about {math.ceil(seconds / 5) * 5} s left"
    minutes = math.ceil(seconds / _MINUTE - 0.25)
    if minutes < 60:
        return f"about {minutes} min left"
    return f"about {minutes // 60} h {minutes % 60 // 10 * 10} min left"


def milliseconds_text(milliseconds: float) -> str:
    """Return '31 ms', '2.4 ms' or '1.2 s'."""
    if milliseconds >= 1000:
        return duration_text(milliseconds / 1000)
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{max(milliseconds, 0.1):.1f} ms"


def size_text(size: int) -> str:
    """Return '9.4 MB', '21 MB' or '1.1 GB'."""
    if size < 1000:
        return f"{size} bytes"
    if size < 1_000_000:
        return f"{size / 1000:.0f} kB"
    if size < 999_500_000:
        return f"{size / 1e6:.1f} MB" if size < 9_950_000 else f"{size / 1e6:.0f} MB"
    return f"{size / 1e9:.1f} GB"


def progress_text(progress: Progress) -> str:
    """Return '120 of 186 photos', or nothing before anything is known."""
    return f"{progress.done:,} of {progress.total:,} {progress.what}" if progress.total else ""


def way_text(plan: Plan) -> str:
    """Return 'Extract features' or 'Fine-tune the last 4 blocks'."""
    if plan.mode is Mode.EXTRACT:
        return "Extract features"
    return f"Fine-tune {_blocks(plan)}"


def plan_title(plan: Plan, name: str = "") -> str:
    """Return what will learn, on which backbone; ``name`` is what people call it."""
    return f"{way_text(plan)} · {name or display_name(plan.backbone)}"


def plan_line(plan: Plan, photos: PhotoSet | None) -> str:
    """Return on what it will learn, and for how long."""
    epochs = count_of(plan.epochs, "epoch")
    if plan.mode is Mode.FINE_TUNE:
        epochs = f"{count_of(plan.head_epochs, 'epoch')} of the head, then {epochs} of {_blocks(plan)}"
    if photos is None:
        return epochs
    classes = "1 class" if len(photos.classes) == 1 else f"{len(photos.classes):,} classes"
    return f"{count_of(len(photos.photos), 'photo')}, {classes} · {epochs}"


def way_explained(plan: Plan) -> str:
    """Return what the way of learning does, for someone who does it for the first time."""
    if plan.mode is Mode.EXTRACT:
        return "The backbone stays as it is. A small head learns to tell your classes apart by what the backbone sees."
    return f"A small head learns first. Then {_blocks(plan)} of the backbone move along with it, in small steps."


def run_detail(state: RunState) -> str:
    """Return what goes on within the phase, for the small line under the status."""
    if not state.is_active:
        return ""
    speed = state.photos_per_second
    parts = [_counted_text(state), f"{speed:,.{0 if speed >= 10 else 1}f} photos/s" if speed else ""]
    return " · ".join(part for part in parts if part)


def _counted_text(state: RunState) -> str:
    if state.phase in (None, Phase.FEATURES, Phase.SAVING):  # what is counted there the status says
        return ""
    if state.of_photos:
        return f"photo {state.photos:,} of {state.of_photos:,}"
    return f"batch {state.done:,} of {state.total:,}" if state.total > 1 else ""


def best_text(state: RunState) -> str:
    """Return the sentence on the best epoch so far; empty before there is one."""
    best = state.best
    if not best or not state.is_active:
        return ""
    share = f"{best.validation_accuracy * 100:.1f} %"
    of_head = " of the head" if best.phase is Phase.HEAD and state.phase is Phase.FINE_TUNE else ""
    saved = ", saved" if best.phase is state.phase and best.epoch <= state.saved_epoch else ""
    return f"Best so far: {share} validation accuracy (epoch {best.epoch}{of_head}{saved})."


def ending_text(state: RunState) -> str:
    """Return what a finished training kept and why; empty for any other."""
    if state.status is not Status.FINISHED:
        return ""
    return " ".join(part for part in (_comparison(state), state.sentence) if part)


def _comparison(state: RunState) -> str:
    accuracies: dict[Phase, list[float]] = {Phase.HEAD: [], Phase.FINE_TUNE: []}
    for epoch in state.history:
        accuracies[epoch.phase].append(epoch.validation_accuracy)
    return phase_comparison(accuracies[Phase.HEAD], accuracies[Phase.FINE_TUNE], state.best_phase or Phase.HEAD)


def result_text(plan: Plan | None, best_phase: str, best_epoch: int, *, stopped_early: bool) -> str:
    """Return what a finished run kept, for someone who looks back at it."""
    fine_tuned = plan is not None and plan.mode is Mode.FINE_TUNE
    if not best_epoch:
        kept = "Fine-tuning did no better than the head alone, whose weights were kept." if fine_tuned else ""
    else:
        phase = "fine-tuning" if best_phase == Phase.FINE_TUNE else "the head"
        kept = f"Kept: epoch {best_epoch} of {phase}."
    return " ".join(part for part in (kept, "It was stopped early." if stopped_early else "") if part)


def when_text(when: datetime | None, now: datetime | None = None) -> str:
    """Return 'today 14:05', 'yesterday 9:30', '3 Nov 14:05' or '3 Nov 2025'; empty if nobody knows."""
    if when is None:
        return ""
    days = ((now or datetime.now().astimezone()).date() - when.date()).days
    clock = f"{when.hour}:{when.minute:02}"
    if days in (0, 1):
        return f"{('today', 'yesterday')[days]} {clock}"
    day = f"{when.day} {_MONTHS[when.month - 1]}"
    return f"{day} {clock}" if 0 < days < _RECENT_DAYS else f"{day} {when.year}"


def _blocks(plan: Plan) -> str:
    if plan.unfreeze == "all":
        return "all blocks"
    return "the last block" if plan.unfreeze == 1 else f"the last {plan.unfreeze} blocks"
