"""How training photos are varied: values that a plan holds, limits, and presets. ``augmenting`` does it to pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, cast

from hubstudio.core.errors import PlanError, did_you_mean


@dataclass(frozen=True)
class Augmentation:
    """Largest changes; each photo gets a random one up to them. All zero is none."""

    flip_horizontal: bool = False
    flip_vertical: bool = False
    crop: float = 0.0
    """Share of the side that is cut away at most; the rest is brought back to full size."""
    rotation: float = 0.0
    """Degrees to either side."""
    brightness: float = 0.0
    """Share by which it gets lighter or darker."""
    contrast: float = 0.0
    """Share by which it rises or falls."""
    hue: float = 0.0
    """Degrees on the colour wheel to either side."""
    blur: float = 0.0
    """Standard deviation in percent of the side."""
    cutout: float = 0.0
    """Side of a square that is painted over, as a share of the photo's."""
    views: int = 4
    """When extracting: how many varied views of each training photo go through the backbone, beside the photo."""

    @property
    def is_none(self) -> bool:
        """Whether nothing is changed."""
        return not any(getattr(self, field.name) for field in fields(self) if field.name != "views")

    def to_table(self) -> dict[str, Any]:
        """Return plain values that ``from_table`` reads back; nothing for none."""
        return {} if self == NO_AUGMENTATION else asdict(self)

    @classmethod
    def from_table(cls, value: object) -> Augmentation:
        """Build one from plain values. Raises ``PlanError`` on unknown names and impossible values."""
        if not isinstance(value, Mapping):
            raise PlanError("'augmentation' in a plan is a table.", found=f"Found {value!r}.")
        table = cast("Mapping[str, Any]", value)
        known = [field.name for field in fields(cls)]
        for name in table:
            if name not in known:
                raise PlanError(f"An augmentation has no '{name}'.", found=did_you_mean(name, known))
        return cls(**table)


NO_AUGMENTATION = Augmentation()
