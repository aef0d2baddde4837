"""Modules that a training has understood before, so that another one on known features need not load them.

    <cache>/features/<key>/info.json
    <cache>/features/<key>/backbone-<size>.keras

What such a training asks of its backbone is little: what it is, and at the end the frozen network in Keras's own
layers, for the file of the trained model. Both follow from the module's files, so they are kept under the digest of
those, beside the features and within their limit. The network is only kept once a trained model with it has answered
like the module itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras

from hubstudio.core import whole_files
from hubstudio.core.backbones import BackboneInfo, display_name, photo_size
from hubstudio.core.catalogue import backbone_name
from hubstudio.core.errors import BackboneError
from hubstudio.core.feature_store import features_folder
from hubstudio.ml.hub_module import HubModule
from hubstudio.ml.module_files import files_digest

_VERSION = 2
"""Raise it when modules are understood or written again in another way."""
_INFO = "info.json"


@dataclass(frozen=True)
class KnownModule:
    """A module that is loaded once somebody asks for more than what is known. See ``FeatureModule``."""

    known: BackboneInfo
    digest: str
    load: Callable[[], HubModule]

    @property
    def handle(self) -> str:
        """What it is called by."""
        return self.known.handle

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.known.folder

    @property
    def features(self) -> int:
        """Length of its feature vector."""
        return self.known.features

    @property
    def features_name(self) -> str:
        """Endpoint whose features they are; '' for the module's own vector."""
        return self.known.features_name

    def size(self, wanted: int = 0) -> int:
        """Return the side of the photos it is run on. Raises ``BackboneError`` if it does not take ``wanted``."""
        return photo_size(self.known.input_size, self.known.default_size, wanted)

    def info(self) -> BackboneInfo:
        """Return what is known of it."""
        return self.known

    def whole(self) -> HubModule:
        """Return the module itself, loaded the first time. Raises as ``load_module`` does."""
        return self._loaded

    def network(self, size: int) -> keras.Model | None:
        """Return its network in Keras's own layers, as it was kept; None if it was not, or is damaged."""
        folder = _folder(self.digest, self.features_name)
        file = folder / _network_name(size)
        if not file.is_file():
            return None
        try:
            network: Any = keras.models.load_model(file, compile=False)
        except Exception:  # zip, JSON, HDF5 and Keras each complain in their own way
            return None
        for used in (file, folder / _INFO):  # so that they go last when room is made
            with contextlib.suppress(OSError):
                os.utime(used)
        return network

    @cached_property
    def _loaded(self) -> HubModule:
        module = self.load()
        if module.digest != self.digest:
            raise BackboneError(
                f"The backbone '{display_name(self.handle)}' was changed while it was in use.",
                found=f"The files in '{self.folder}' are not those that were there a moment ago.",
                next_step="Put the former ones back, or begin again with it as it is now.",
            )
        return module


def find_known(handle: str, folder: Path, features: str, load: Callable[[], HubModule]) -> KnownModule | None:
    """Return the module in ``folder`` without loading it, or None if no training has understood these files yet.

    ``load`` is how it is loaded if that turns out to be needed.
    """
    try:
        digest = files_digest(folder)
        table = json.loads((_folder(digest, features) / _INFO).read_text("utf-8"))
        info = BackboneInfo.from_table(table)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return KnownModule(replace(info, handle=handle, folder=folder, name=backbone_name(handle)), digest, load)


def keep_known(module: HubModule, size: int, network: keras.Model) -> None:
    """Keep what is known of a module, and its network for photos of ``size`` pixels. What fails costs only time."""
    folder = _folder(module.digest, module.features_name)
    with contextlib.suppress(OSError), tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as made:
        file = Path(made) / "backbone.keras"
        network.save(file)
        whole_files.write_bytes(folder / _network_name(size), file.read_bytes())
        whole_files.write_text(folder / _INFO, json.dumps(module.info().to_table()))


def _folder(digest: str, features: str) -> Path:
    versions = f"{_VERSION}, tensorflow {version('tensorflow')}, keras {version('keras')}"
    text = "\n".join((digest, features, versions))
    return features_folder() / hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _network_name(size: int) -> str:
    return f"backbone-{size}.keras"
