"""On real photos: extract is at least as good as logistic regression on the same features, fine-tuning not worse."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hubstudio.core.cancel import CancelToken
from hubstudio.core.decode import digest_of
from hubstudio.core.events import ignore
from hubstudio.core.parts import Part
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.run_folder import RunFolder
from hubstudio.ml.engine import LocalEngine
from hubstudio.ml.hub_module import load_module
from hubstudio.ml.photo_store import store_photos

pytestmark = [pytest.mark.shared, pytest.mark.slow]


def trained(plan: Plan, out: Path) -> float:
    """Train and return the test accuracy."""
    engine = LocalEngine()
    engine.train(plan, out, ignore, CancelToken())
    return engine.evaluate(out, None, ignore, CancelToken()).accuracy


def logistic_regression(run: RunFolder) -> float:
    """Return the test accuracy of logistic regression on the run's features and split."""
    module = load_module(run.plan().backbone)
    numbers = {name: number for number, name in enumerate(run.classes())}
    sets = []
    for part in (Part.TRAINING, Part.TEST):
        photos = run.photos_of(part)
        paths = [photo.path for photo in photos]
        digests = [digest_of(path) for path in paths]
        stored = store_photos(paths, digests, module, module.size(), None, ignore, CancelToken(), lambda: 0.0)
        sets.append((stored.features, np.array([numbers[photo.class_name] for photo in photos])))
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000)).fit(*sets[0])
    return float(model.score(*sets[1]))


@pytest.mark.parametrize("photos", ["clothing10", "grocery_produce", "sign_digits"])
def test_extract_reaches_logistic_regression_less_two_points(shared: Path, photos: str, tmp_path: Path) -> None:
    plan = Plan(str(shared / "datasets" / photos), backbone=str(shared / "backbones" / "mobilenet_v1_025_224"))
    accuracy = trained(plan, tmp_path / "run")
    assert accuracy >= logistic_regression(RunFolder.open(tmp_path / "run")) - 0.02


def test_fine_tuning_the_last_four_blocks_reaches_extract(shared: Path, tmp_path: Path) -> None:
    backbone = str(shared / "backbones" / "mobilenet_v1_025_224")
    extract = Plan(str(shared / "datasets" / "sign_digits"), backbone=backbone)
    fine_tune = replace(extract.with_mode(Mode.FINE_TUNE), unfreeze=4)
    assert trained(fine_tune, tmp_path / "fine") >= trained(extract, tmp_path / "extract")
