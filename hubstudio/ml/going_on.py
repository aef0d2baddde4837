"""Where a training goes on: at its newest checkpoint after an interruption, at its end for more epochs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from hubstudio.core.errors import RunError
from hubstudio.core.events import Phase
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.run_folder import TRAINING_STATE, RunFolder
from hubstudio.core.unfinished_runs import UnfinishedRun
from hubstudio.ml.basis import PLACES, Basis
from hubstudio.ml.checkpoints import Checkpoint, Checkpoints, read_checkpoint
from hubstudio.ml.feature_module import FeatureModule
from hubstudio.ml.phases import VERDICTS
from hubstudio.ml.run_log import snapshot_of

_UNREADABLE = (
    "What the interrupted training had learned is damaged or of another version of Hub Studio, so it begins anew."
)


def find_checkpoint(unfinished: UnfinishedRun, plan: Plan, module: FeatureModule) -> tuple[Checkpoint | None, str]:
    """Return where an unfinished run goes on, or None and, where there should be such a place, why there is none.

    Raises ``RunError`` if plan or backbone are others by now, or what a continued run needs is lost.
    """
    checkpoints = Checkpoints(unfinished.folder)
    if checkpoint := checkpoints.newest():
        basis = Basis.of_state(checkpoint.state)
        basis.require_plan(plan, unfinished.folder)
        basis.require_module(module, unfinished.folder)
        return checkpoint, ""
    if origin := unfinished.continued_from:
        raise RunError(
            f"'{unfinished.out.name}' cannot go on.",
            found="What it had learned is damaged or of another version of Hub Studio.",
            next_step=f"Delete '{unfinished.folder.name}' and begin again: hubstudio train --continue '{origin.run}' "
            f"--epochs {plan.epochs - origin.epochs} --out '{unfinished.out}'.",
        )
    return None, _UNREADABLE if checkpoints.are_there else ""


def last_state(run: RunFolder, plan: Plan) -> Checkpoint:
    """Return what a finished run ended with. Raises ``RunError`` if that is lost, or its plan is another by now."""
    checkpoint = read_checkpoint(run.path / TRAINING_STATE)
    if checkpoint is None:
        raise RunError(
            f"The run '{run.path.name}' cannot be trained for more epochs.",
            found="What training needs to go on was not kept with it, is damaged, or is of another version.",
            next_step="Train anew by its plan, with more epochs.",
        )
    Basis.of_state(checkpoint.state).require_plan(plan, run.path, PLACES)
    return checkpoint


def epochs_done(checkpoint: Checkpoint, plan: Plan) -> int:
    """Return how many epochs of its mode's main phase a training has behind it."""
    return 0 if _waits_for_blocks(checkpoint, plan) else snapshot_of(checkpoint).place.epochs_done


def opened(checkpoint: Checkpoint, plan: Plan, module: FeatureModule) -> Checkpoint:
    """Return a finished training's last state as one that goes on by ``plan``.

    A fine-tuning that ended before its blocks goes on with those: its head stays the best that it came to.
    """
    state = checkpoint.state
    place = snapshot_of(checkpoint).place
    notes = [note for note in state["notes"] if note not in VERDICTS]
    basis = replace(Basis.of(plan, module), photos=Basis.of_state(state).photos)
    common: Mapping[str, Any] = {**state, "basis": basis.to_table(), "notes": notes}
    if _waits_for_blocks(checkpoint, plan):
        return Checkpoint({**common, "leads_to_blocks": True}, checkpoint.arrays)
    again = asdict(replace(place, patient_from=place.epochs_done))
    return Checkpoint({**common, "is_over": False, "epochs": plan.epochs, "place": again}, checkpoint.arrays)


def _waits_for_blocks(checkpoint: Checkpoint, plan: Plan) -> bool:
    return plan.mode is Mode.FINE_TUNE and checkpoint.state["phase"] == Phase.HEAD.value
