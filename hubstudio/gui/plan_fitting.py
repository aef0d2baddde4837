"""What of a plan a backbone does not allow, and what takes its place."""

from __future__ import annotations

from dataclasses import replace

from hubstudio.core.backbones import BackboneInfo
from hubstudio.core.plan import Mode, Plan


def fit_plan(plan: Plan, info: BackboneInfo) -> Plan:
    """Return the plan without the choices that the backbone does not allow."""
    if not info.trainable and plan.mode is Mode.FINE_TUNE:
        plan = plan.with_mode(Mode.EXTRACT)
    if info.blocks and plan.unfreeze != "all" and plan.unfreeze > len(info.blocks):
        plan = replace(plan, unfreeze=len(info.blocks))  # not "all": a deeper backbone may come next
    return plan
