"""Numbers and states as words, the same on every page."""

from __future__ import annotations

import math

from hubstudio.core.backbones import display_name
from hubstudio.core.events import Phase, Progress
from hubstudio.core.photos import PhotoSet, count_of
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.run_state import RunState, Status

_MINUTE, _HOUR = 60, 3600


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


def run_detail(state: RunState, plan: Plan | None) -> str:
    """Return what goes on within the phase, for the small line under the status."""
    if not state.is_active:
        return ""
    parts = [_phase_text(state, plan), _speed_text(state), _loss_text(state)]
    return " · ".join(part for part in parts if part)


def _phase_text(state: RunState, plan: Plan | None) -> str:
    is_fine_tuning = plan is not None and plan.mode is Mode.FINE_TUNE
    if state.phase is Phase.HEAD and plan and is_fine_tuning:
        return f"Head first, then {_blocks(plan)}"
    if state.phase is Phase.HEAD:
        return "Training the head"
    if state.phase is Phase.FINE_TUNE and plan:
        return f"Fine-tuning {_blocks(plan)}"
    return ""


def _speed_text(state: RunState) -> str:
    if state.phase is Phase.FEATURES:
        spent = state.elapsed - state.phase_began
        return f"{state.done / spent:,.0f} photos/s" if spent >= 0.5 and state.done else ""
    return f"batch {state.done:,} of {state.total:,}" if state.total > 1 else ""


def _loss_text(state: RunState) -> str:
    if not state.history or state.phase in (Phase.FEATURES, Phase.SAVING):
        return ""
    last = state.history[-1]
    return f"loss {last.loss:.3f}, validation {last.validation_loss:.3f}"


def best_text(state: RunState) -> str:
    """Return the sentence on the best epoch so far; empty before there is one."""
    if not state.best or state.status not in (Status.RUNNING, Status.STOPPING):
        return ""
    share = f"{state.best.validation_accuracy * 100:.1f} %"
    of_head = " of the head" if state.best.phase is Phase.HEAD and state.phase is Phase.FINE_TUNE else ""
    return f"Best so far: {share} validation accuracy (epoch {state.best.epoch}{of_head})."


def _blocks(plan: Plan) -> str:
    if plan.unfreeze == "all":
        return "all blocks"
    return "the last block" if plan.unfreeze == 1 else f"the last {plan.unfreeze} blocks"
