"""How training photos are varied: values that a plan holds, limits, and presets. ``augmenting`` does it to pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, cast

from hubstudio.core.errors import PlanError, did_you_mean

_NEXT = "Correct that line of the plan, or leave the augmentation out for none."


@dataclass(frozen=True)
class Change:
    """A value of ``Augmentation``: its kind and limits, and what to tell a person about it."""

    name: str
    """The field of ``Augmentation`` and, with hyphens, the command line's option."""
    label: str
    help: str
    kind: type[bool] | type[int] | type[float] = float
    minimum: float = 0
    maximum: float = 1
    step: float = 1
    """What a slider moves by."""
    unit: str = ""
    per_one: float = 1
    """How many of the unit a value of 1 is: 100 for shares, which are shown in percent."""
    reach: str = ""
    """What stands before a value that is not always reached: ``±``, ``up to``."""
    extract_only: bool = False
    """Whether it has no meaning unless the backbone is frozen."""

    @property
    def option(self) -> str:
        """The command line's option."""
        return "--" + self.name.replace("_", "-")

    @property
    def is_switch(self) -> bool:
        """Whether it is on or off, not a number."""
        return self.kind is bool

    def text(self, value: float) -> str:
        """Return a value as it is shown: ``± 15°``, ``up to 20 %``, ``off``."""
        if not value:
            return "off"
        if self.is_switch:
            return "on"
        space = "" if self.unit in ("", "°") else " "
        return f"{self.reach} {value * self.per_one:.6g}{space}{self.unit}".lstrip()

    def checked(self, value: object) -> float:
        """Return ``value`` in its kind. Raises ``PlanError`` unless it is of that kind and within the limits."""
        wanted = {bool: "true or false", int: "a whole number", float: "a number"}[self.kind]
        if not _is_of_kind(value, self.kind):
            raise PlanError(f"'{self.name}' must be {wanted}.", found=f"Found {value!r}.", next_step=_NEXT)
        number = cast(float, value)
        if not self.minimum <= number <= self.maximum:  # a NaN fails here, too
            raise PlanError(
                f"'{self.name}' is out of range.",
                found=f"Found {number}.",
                next_step=f"Give {wanted} from {self.minimum:g} to {self.maximum:g}.",
            )
        return self.kind(number) + 0.0 if self.kind is float else number  # + 0.0: no zero is below zero


def _is_of_kind(value: object, kind: type) -> bool:
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    return isinstance(value, int) or (kind is float and isinstance(value, float))


CHANGES: tuple[Change, ...] = (
    Change("flip_horizontal", "Flip left–right", "Mirrors every second photo. Not for what has a right way round, "
           "such as text or traffic signs.", bool),
    Change("flip_vertical", "Flip top–bottom", "Turns every second photo upside down: for photos that have no top, "
           "such as those through a microscope or from above.", bool),
    Change("crop", "Crop", "Cuts up to this share of the sides away and enlarges the rest: things may be off the "
           "middle and of any size.", maximum=0.5, step=0.01, unit="%", per_one=100, reach="up to"),
    Change("rotation", "Rotation", "Turns by up to this angle to either side.", maximum=180, unit="°", reach="±"),
    Change("brightness", "Brightness", "Makes lighter or darker by up to this share: other light, other exposure.",
           maximum=0.8, step=0.01, unit="%", per_one=100, reach="±"),
    Change("contrast", "Contrast", "Raises or lowers differences by up to this share: haze, hard light.",
           maximum=0.8, step=0.01, unit="%", per_one=100, reach="±"),
    Change("hue", "Hue", "Turns all colours by up to this angle on the colour wheel. Little, where the colour tells "
           "the class.", maximum=180, unit="°", reach="±"),
    Change("blur", "Blur", "Softens by up to this share of the photo's side: not quite in focus.", maximum=3,
           step=0.1, unit="%", reach="up to"),
    Change("cutout", "Cutout", "Covers a gray square of this share of the photo's side, so that no single spot is "
           "relied on.", maximum=0.5, step=0.01, unit="%", per_one=100),
    Change("views", "Views", "When extracting: how many varied views of each training photo go through the "
           "backbone, beside the photo itself.", int, 1, 32, unit="per photo", extract_only=True),
)  # fmt: skip
"""One table that plan, window and command line follow, in the order in which it is shown."""


@dataclass(frozen=True)
class Augmentation:
    """Largest changes; each photo gets a random one up to them. All zero is none."""

    flip_horizontal: bool = False
    flip_vertical: bool = False
    crop: float = 0.0
    """Share of the sides that is cut away at most; the rest is brought back to full size."""
    rotation: float = 0.0
    """Degrees to either side."""
    brightness: float = 0.0
    """Share by which it gets lighter or darker."""
    contrast: float = 0.0
    """Share by which it rises or falls."""
    hue: float = 0.0
    """Degrees on the colour wheel to either side."""
    blur: float = 0.0
    """Standard deviation in percent of the shorter side."""
    cutout: float = 0.0
    """Side of a square that is painted over, as a share of the photo's shorter one."""
    views: int = 4
    """When extracting: how many varied views of each training photo go through the backbone, beside the photo."""

    def __post_init__(self) -> None:
        for change in CHANGES:  # 15 and 15.0 are one value: what is kept for the one is found for the other
            object.__setattr__(self, change.name, change.checked(getattr(self, change.name)))

    @property
    def is_none(self) -> bool:
        """Whether nothing is changed."""
        return not any(getattr(self, change.name) for change in CHANGES if not change.extract_only)

    def to_table(self) -> dict[str, Any]:
        """Return plain values that ``from_table`` reads back; nothing for none."""
        return {} if self == NO_AUGMENTATION else asdict(self)

    @classmethod
    def from_table(cls, value: object) -> Augmentation:
        """Build one from plain values. Raises ``PlanError`` on unknown names and impossible values."""
        if not isinstance(value, Mapping):
            raise PlanError("'augmentation' in a plan is a table.", found=f"Found {value!r}.", next_step=_NEXT)
        table = cast("Mapping[str, Any]", value)
        known = [field.name for field in fields(cls)]
        for name in table:
            if name not in known:
                raise PlanError(
                    f"An augmentation has no '{name}'.", found=did_you_mean(str(name), known), next_step=_NEXT
                )
        return cls(**table)


NO_AUGMENTATION = Augmentation()

PRESETS: dict[str, Augmentation] = {
    "none": NO_AUGMENTATION,
    "photos": Augmentation(
        flip_horizontal=True, crop=0.2, rotation=10, brightness=0.2, contrast=0.2, hue=5
    ),
    "documents": Augmentation(crop=0.05, rotation=3, brightness=0.25, contrast=0.25, blur=0.3),
    "microscope": Augmentation(
        flip_horizontal=True, flip_vertical=True, crop=0.1, rotation=180, brightness=0.1, contrast=0.1, hue=5, blur=0.3
    ),
}  # fmt: skip
"""What suits a kind of photo; what each is called is its key."""

PRESET_REASONS: dict[str, str] = {
    "none": "Photos are used as they are: right where they are many, or all taken in the same way.",
    "photos": "For everyday photos: mirrored, cut, a little tilted, in other light. Never upside down, since things "
    "have a top, and colours hardly move, since they often tell what it is.",
    "documents": "For scans and text: hardly tilted, in other light, a little out of focus. Never mirrored, since "
    "nobody reads that way round, and hardly cut, since what counts may stand at the edge.",
    "microscope": "For what has no top and no left: mirrored both ways, turned by any angle. Light and colour hardly "
    "move, since a stain's tone tells something.",
}
"""Why each preset is as it is."""


def preset_of(augmentation: Augmentation) -> str:
    """Return the name of the preset these values are, whatever the number of views; empty for one's own."""
    for name, preset in PRESETS.items():
        if replace(augmentation, views=preset.views) == preset:
            return name
    return ""
