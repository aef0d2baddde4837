"""What a training on features asks of its backbone, loaded or only known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from hubstudio.core.backbones import BackboneInfo

if TYPE_CHECKING:
    from hubstudio.ml.hub_module import HubModule


class FeatureModule(Protocol):
    """A module whose features are used. A ``HubModule`` is one that is loaded already."""

    @property
    def handle(self) -> str:
        """What it is called by."""
        ...

    @property
    def folder(self) -> Path:
        """Where it lies."""
        ...

    @property
    def digest(self) -> str:
        """What told its files from others' when they were read; it may lie there no longer."""
        ...

    @property
    def features(self) -> int:
        """Length of its feature vector."""
        ...

    @property
    def features_name(self) -> str:
        """Endpoint whose features they are; '' for the module's own vector."""
        ...

    def size(self, wanted: int = 0) -> int:
        """Return the side of the photos it is run on. Raises ``BackboneError`` if it does not take ``wanted``."""
        ...

    def info(self) -> BackboneInfo:
        """Return what is known of it."""
        ...

    def whole(self) -> HubModule:
        """Return the module itself, and load it if need be. Raises as ``load_module`` does."""
        ...
