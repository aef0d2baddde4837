"""Where features come from: out of the store, or through the fastest runtime and into it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from hubstudio.core import feature_store, whole_files
from hubstudio.core.cancel import CancelToken
from hubstudio.core.decode import DECODER_VERSION
from hubstudio.core.events import Note, Report
from hubstudio.core.feature_store import FeatureKey, FeatureStore
from hubstudio.ml.feature_module import FeatureModule
from hubstudio.ml.feature_runtimes import (
    NOT_ENOUGH_MEMORY,
    TENSORFLOW,
    Runtime,
    choose_runtime,
    runtime_named,
    runtime_versions,
    tensorflow_runtime,
)

_T = TypeVar("_T")

_LOCK_SECONDS = 5.0


class BatchTooLargeError(MemoryError):
    """Several photos together do not fit into memory; one by one they may."""


class FrozenBackbone:
    """A module at one image size, through the runtime that is the fastest for it here. One thread at a time.

    Which runtime that is, is decided on the first photos that it ever gets, and remembered: so a run that is repeated
    is the same run. With ``remembers`` off, a choice counts for this object only: made on other photos than real ones.
    """

    def __init__(self, module: FeatureModule, size: int, cancel: CancelToken, *, remembers: bool = True) -> None:
        self.module, self.size = module, size
        self._cancel, self._remembers = cancel, remembers
        self._digest = module.digest
        self._versions = f"decoder {DECODER_VERSION}, {runtime_versions()}"
        self._subject = FeatureKey(self._digest, module.features_name, size, self._versions).name
        self._runtime: Runtime | None = None
        self._remembered = _choices().get(self._subject, "")
        self.runtime_name = self._remembered
        """Which runtime it goes through; empty until the first photos ever have decided it."""
        self.computed = 0
        """How many photos went through it."""

    def __call__(self, photos: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return ``[photos, features]`` of ``[photos, size, size, 3]``, RGB, 0 to 255, ``FEATURE_BATCH`` at most.

        Raises ``BatchTooLargeError``, and one of ``NOT_ENOUGH_MEMORY`` if it would not help to ``go_singly``.
        """
        if not len(photos):
            return np.empty((0, self.module.features), np.float32)
        self._runtime = self._runtime or self._decided(photos)
        try:
            features = self._runtime(photos)
        except NOT_ENOUGH_MEMORY as error:
            if self._runtime.name == TENSORFLOW:
                raise BatchTooLargeError from error
            raise
        self.computed += len(photos)
        self._remember_choice()
        return features

    def go_singly(self) -> None:
        """Send photos through TensorFlow one by one from now on.

        That is another runtime: what came through the former one is not found any more.
        """
        self._runtime = tensorflow_runtime(self.module.whole(), self.size, 1)
        self.runtime_name = self._runtime.name
        self.computed = 0

    def key(self, view: str) -> FeatureKey:
        """Return what the features are kept under; ``view`` tells how the photos were varied, if they were."""
        how = ", ".join(part for part in (self._versions, self.runtime_name, view) if part)
        return FeatureKey(self._digest, self.module.features_name, self.size, how)

    def _decided(self, photos: NDArray[np.float32]) -> Runtime:
        module = self.module.whole()
        known = runtime_named(self.runtime_name, module, self.size) if self.runtime_name else None
        runtime = known or choose_runtime(module, self.size, photos, self._cancel)
        self.runtime_name = runtime.name
        return runtime

    def _remember_choice(self) -> None:
        """Keep for the next time what has just worked."""
        if self._remembers and self.runtime_name != self._remembered:
            self._remembered = self.runtime_name
            _remember(self._subject, self.runtime_name)


class FeatureSource:
    """The features that a backbone gives of photos, or of one varied view of them.

    A context manager: what is new reaches the disk as it ends, however it ends. One thread at a time.
    """

    def __init__(self, backbone: FrozenBackbone, view: str = "") -> None:
        self._backbone, self._view = backbone, view
        self._store: FeatureStore | None = None
        self._kept_under: FeatureKey | None = None

    def __enter__(self) -> FeatureSource:
        return self

    def __exit__(self, *_: object) -> None:
        if self._store:
            self._store.write()

    def find(self, digests: Sequence[bytes]) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """Return which photos' features are known, by the digest of their content, and ``[digests, features]``."""
        if not self._backbone.runtime_name:  # nothing ever went through it
            empty = np.zeros((len(digests), self._backbone.module.features), np.float32)
            return np.zeros(len(digests), np.bool_), empty
        store = self._opened()
        store.used()
        return store.find(digests)

    def compute(self, photos: NDArray[np.float32], digests: Sequence[bytes]) -> NDArray[np.float32]:
        """Return ``[photos, features]`` as the backbone does, and keep them. What are no numbers is not kept."""
        features = self._backbone(photos)
        if np.isfinite(features).all():
            store = self._opened()
            for digest, row in zip(digests, features, strict=True):
                store.add(digest, row)
        return features

    def _opened(self) -> FeatureStore:
        """Return the store; another one if the runtime that was chosen before would not run."""
        key = self._backbone.key(self._view)
        if self._store is None or key != self._kept_under:
            self._store, self._kept_under = FeatureStore.open(key, self._backbone.module.features), key
        return self._store


def within_memory(
    compute: Callable[[], _T], backbone: FrozenBackbone, report: Report, clock: Callable[[], float]
) -> _T:
    """Return what ``compute`` does with a backbone; if a batch does not fit into memory, begun anew, one by one.

    Anew, since one photo's features are not to come from another runtime than the next one's: what is kept would
    not say so. Raises one of ``NOT_ENOUGH_MEMORY`` if one photo does not fit either, or it is something else.
    """
    try:
        return compute()
    except BatchTooLargeError:
        backbone.go_singly()
    report(Note("Several photos at once did not fit into memory; they go through the backbone one by one.", clock()))
    return compute()


def _choices() -> dict[str, str]:
    """Return which runtime was chosen for what; nothing if the file is missing or damaged."""
    try:
        table = json.loads(_choices_file().read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    entries = cast("dict[str, Any]", table) if isinstance(table, dict) else {}
    return {subject: name for subject, name in entries.items() if isinstance(name, str)}


def _remember(subject: str, name: str) -> None:
    """Keep a choice, safe with other programs that keep theirs. A disk that refuses costs only the next choice."""
    file = _choices_file()
    with contextlib.suppress(OSError, Timeout):
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.with_suffix(".lock"), timeout=_LOCK_SECONDS):
            whole_files.write_text(file, json.dumps({**_choices(), subject: name}, indent=1))


def _choices_file() -> Path:
    """Beside the features: whoever empties them chooses anew, if the computer was busy when it chose."""
    return feature_store.features_folder() / "runtimes.json"
