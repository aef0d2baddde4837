"""Run folders as a training leaves them, made by tests without one."""

from __future__ import annotations

import json
from pathlib import Path

from hubstudio.core.plan import Plan


def make_run(folder: Path, name: str, **metrics: object) -> Path:
    """Make a finished run with some metrics."""
    run = folder / name
    run.mkdir(parents=True)
    (run / "plan.toml").write_text(Plan("photos").to_toml())
    (run / "classes.txt").write_text("a\nb\n")
    (run / "split.csv").write_text("file,class,part\n")
    (run / "model.keras").write_bytes(b"model")
    values: dict[str, object] = {"validation_accuracy": 0.925, "best_epoch": 3, "best_phase": "head"}
    (run / "metrics.json").write_text(json.dumps({**values, "seconds": {"total": 9.0}, "notes": ["One."], **metrics}))
    return run
