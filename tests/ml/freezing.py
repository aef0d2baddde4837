"""One step of training with the last blocks of a module, and which variables it moved: none but the chosen may."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hubstudio.core.plan import Mode, Plan, Unfreeze
from hubstudio.ml.hub_module import HubModule
from hubstudio.ml.model_factory import Classifier, FeatureStatistics, build_classifier

_PHOTOS = 2


@dataclass(frozen=True)
class Stepping:
    """A module under a head of three classes, built once for all its steps."""

    module: HubModule
    classifier: Classifier

    @classmethod
    def on(cls, module: HubModule) -> Stepping:
        """Build the classifier; each step brings its own plan."""
        features = np.random.default_rng(0).random((20, module.features), np.float32)
        return cls(module, build_classifier(_plan(1), module, 3, FeatureStatistics.of(features)))

    def moved_by_the_head(self) -> set[int]:
        """Train the head for a step, on features; return the places of the module's variables that it moved."""
        head, before = self.classifier.head, self._bytes()
        weights = [weight.numpy().tobytes() for weight in head.trainable_variables]
        self.classifier.compile_head()
        head.train_on_batch(np.asarray(self.module.forward(self._photos() / 255, False)), _ANSWERS)
        assert all(
            weight.numpy().tobytes() != old for weight, old in zip(head.trainable_variables, weights, strict=True)
        )
        return self._moved(before)

    def moved_by(self, unfreeze: Unfreeze) -> set[int]:
        """Fine-tune the last blocks for a step; return the places of the variables that are not byte-equal after it."""
        classifier, before = replace(self.classifier, plan=_plan(unfreeze)), self._bytes()
        weights = [*self.module.variables, *classifier.head.weights]
        values = [weight.numpy() for weight in weights]
        classifier.unfreeze()
        classifier.compile_whole()
        classifier.inner.train_on_batch(self._photos(), _ANSWERS)
        moved = self._moved(before)
        for weight, value in zip(weights, values, strict=True):  # such a step leaves units that no gradient passes
            weight.assign(value)
        return moved

    def chosen(self, unfreeze: Unfreeze) -> set[int]:
        """Return the places of what may be trained in the last blocks."""
        blocks = self.module.blocks if unfreeze == "all" else self.module.blocks[-unfreeze:]
        return {place for block in blocks for place in block.places} & self.module.trainable

    def _photos(self) -> Any:
        size = self.classifier.size
        return np.random.default_rng(1).random((_PHOTOS, size, size, 3), np.float32) * 255

    def _bytes(self) -> list[bytes]:
        return [variable.numpy().tobytes() for variable in self.module.variables]

    def _moved(self, before: list[bytes]) -> set[int]:
        return {place for place, (old, new) in enumerate(zip(before, self._bytes(), strict=True)) if old != new}


_ANSWERS = np.array([0, 1])


def _plan(unfreeze: Unfreeze) -> Plan:
    """As large a rate as there is: at a small one, the step of a gradient near zero is lost in a weight's last bit."""
    return Plan("photos", mode=Mode.FINE_TUNE, unfreeze=unfreeze, fine_tune_learning_rate=1.0)
