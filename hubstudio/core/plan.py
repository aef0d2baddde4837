"""A plan: everything that decides a run, as one value that can be saved, read and repeated."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import tomli_w

from hubstudio.core import path_kinds, whole_files
from hubstudio.core.augmentation import NO_AUGMENTATION, Augmentation
from hubstudio.core.errors import PlanError, did_you_mean
from hubstudio.core.hyper_parameters import HYPER_PARAMETERS
from hubstudio.core.selection import Selection, root_of
from hubstudio.core.split import Shares

PLAN_VERSION = 1
DEFAULT_BACKBONE = "studio-mini"
DEFAULT_EPOCHS = {"extract": 40, "fine-tune": 10}


class Mode(StrEnum):
    """What learns: a head on frozen features, or the end of the backbone too."""

    EXTRACT = "extract"
    FINE_TUNE = "fine-tune"


class Output(StrEnum):
    """How the head answers. Sigmoid is one number, for two classes only."""

    SOFTMAX = "softmax"
    SIGMOID = "sigmoid"


class Optimizer(StrEnum):
    """The rule by which gradients move weights."""

    ADAM = "adam"
    ADAMW = "adamw"
    SGD = "sgd"


class ClassWeights(StrEnum):
    """Whether small classes count as much as large ones in the loss. Automatic: if they are lopsided."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


Unfreeze = int | Literal["all"]


@dataclass(frozen=True)
class Plan:
    """What to train, on what, and how. Two equal plans give the same history on one machine's CPU."""

    photos: str
    """The folder of class folders, or a table of photos. What names of photos are relative to."""
    backbone: str = DEFAULT_BACKBONE
    """A bundled name, a module folder, or a hub handle."""
    features: str = ""
    """The module's endpoint whose features are used, averaged over the photo; empty for its own feature vector."""
    mode: Mode = Mode.EXTRACT
    unfreeze: Unfreeze = 4
    """When fine-tuning: how many of the backbone's last blocks move, or all of them."""
    epochs: int = DEFAULT_EPOCHS["extract"]
    head_epochs: int = DEFAULT_EPOCHS["extract"]
    batch_size: int = 32
    patience: int = 15
    """Epochs without a better one after which a phase ends; 0 for never."""
    optimizer: Optimizer = Optimizer.ADAM
    learning_rate: float = 0.0
    """Of the head; 0 to scale the usual one to batch size and photos."""
    fine_tune_learning_rate: float = 0.0
    """Of the head and the last block while blocks move; 0 as for ``learning_rate``."""
    layer_decay: float = 1.0
    """Factor of the rate from each moving block to the one before it."""
    warm_up: float = 0.1
    """Share of a phase."""
    clip_norm: float = 1.0
    """Of all gradients together; 0 for no clipping."""
    start_pull: float = 0.0
    """L2-SP: penalty on the squared distance of the moved weights from where they started."""
    hidden_units: int = 0
    dropout: float = 0.2
    weight_decay: float = 0.01
    """L2 penalty on the head's kernels, for 1,000 training photos; it fades as 1/photos, as a prior does."""
    label_smoothing: float = 0.0
    output: Output = Output.SOFTMAX
    train_batch_norm: bool = False
    """Whether batch-norm statistics follow the photos while fine-tuning; frozen is safer on few photos."""
    image_size: int = 0
    seed: int = 1
    validation_share: float = 0.15
    test_share: float = 0.15
    more_photos: tuple[str, ...] = ()
    """Further folders and tables; with them, a folder with photos directly in it is a class."""
    left_out: tuple[str, ...] = ()
    """Photos not to use: below the first folder relative to it, else whole paths."""
    renamed: tuple[tuple[str, str], ...] = ()
    """Classes as the folders call them, and as they are to be called; two of one name are one class."""
    split_file: str = ""
    """A split.csv whose parts are kept; empty to divide by content and seed."""
    class_weights: ClassWeights = ClassWeights.AUTO
    augmentation: Augmentation = NO_AUGMENTATION
    """Changes made to training photos, so that what they show counts and not how it was taken."""

    def __post_init__(self) -> None:
        for row in HYPER_PARAMETERS:
            row.check(getattr(self, row.name))
        _check_text(self.photos, "photo folder")
        _check_text(self.backbone, "backbone")
        _check_text(self.features, "endpoint")
        for name in (
            *self.more_photos,
            *self.left_out,
            self.split_file,
            *(text for pair in self.renamed for text in pair),
        ):
            _check_text(name, "photo or class")
        _check_unfreeze(self.unfreeze)
        if not (
            0 < self.validation_share < 1 and 0 < self.test_share < 1 and self.validation_share + self.test_share < 1
        ):
            raise PlanError(
                "The shares of validation and test photos cannot be.",
                found=f"Found {self.validation_share} and {self.test_share}.",
                next_step="Give two numbers above 0 that leave something for training, such as 0.15 and 0.15.",
            )

    @property
    def shares(self) -> Shares:
        """The split's shares as one value."""
        return Shares(self.validation_share, self.test_share)

    @property
    def selection(self) -> Selection:
        """Which photos are meant, as paths."""
        root = root_of(Path(self.photos))
        return Selection(
            (Path(self.photos), *map(Path, self.more_photos)),
            frozenset(root / name for name in self.left_out),
            dict(self.renamed),
            Path(self.split_file) if self.split_file else None,
        )

    def require_output_for(self, classes: int) -> None:
        """Raise ``PlanError`` if a head that answers as this plan says cannot tell so many classes apart."""
        if self.output is Output.SIGMOID and classes != 2:
            raise PlanError(
                "A sigmoid output tells two classes apart.",
                found=f"There are {classes} classes.",
                next_step="Use softmax, or photos of two classes.",
            )

    def absolute(self) -> Plan:
        """Return the plan with whole paths, so that a run can be repeated from any folder."""
        return replace(
            self,
            photos=str(path_kinds.whole(self.photos)),
            more_photos=tuple(str(path_kinds.whole(name)) for name in self.more_photos),
            split_file=str(path_kinds.whole(self.split_file)) if self.split_file else "",
        )

    def with_mode(self, mode: Mode) -> Plan:
        """Return the plan for another mode, with that mode's usual number of epochs."""
        return replace(self, mode=mode, epochs=DEFAULT_EPOCHS[mode])

    def to_table(self) -> dict[str, Any]:
        """Return plain values that ``from_table`` reads back to an equal plan."""
        table = {name: value.value if isinstance(value, StrEnum) else value for name, value in asdict(self).items()}
        lists = {name: list(getattr(self, name)) for name in _LISTS}
        return {**table, **lists, "renamed": dict(self.renamed), "augmentation": self.augmentation.to_table()}

    def to_toml(self) -> str:
        """Return the plan as readable text that ``from_toml`` reads back to an equal plan."""
        return tomli_w.dumps({"plan_version": PLAN_VERSION, **self.to_table()})

    @classmethod
    def from_toml(cls, text: str, *, source: str = "the plan") -> Plan:
        """Read a plan. Raises ``PlanError`` that names ``source`` and what is wrong in it."""
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise PlanError(f"'{source}' is not readable as a plan.", found=f"{error}.", next_step=_NEXT) from error
        version = table.pop("plan_version", None)
        if version != PLAN_VERSION:
            found = "It says no plan_version." if version is None else f"It is of version {version}."
            raise PlanError(f"'{source}' is not a plan of version {PLAN_VERSION}.", found=found, next_step=_NEXT)
        return cls.from_table(table)

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Plan:
        """Build a plan from plain values. Raises ``PlanError`` on unknown names and impossible values."""
        known = [field.name for field in fields(cls)]
        for name in table:
            if name not in known:
                raise PlanError(f"A plan has no '{name}'.", found=did_you_mean(name, known), next_step=_NEXT)
        if not isinstance(table.get("photos"), str):
            raise PlanError(
                "The plan names no photo folder.", next_step='Add a line such as: photos = "/path/to/photos"'
            )
        values = dict(table)
        for name, kind in _KINDS.items():
            if not isinstance(values.get(name, kind()), kind):
                raise PlanError(f"'{name}' in a plan cannot be {values[name]!r}.", next_step=_NEXT)
        for name in _LISTS:
            values[name] = _names(values.get(name, ()), name)
        values["renamed"] = tuple(_renamed(values.get("renamed", {})).items())
        values["mode"] = choice(Mode, values.get("mode", Mode.EXTRACT), "mode")
        values["output"] = choice(Output, values.get("output", Output.SOFTMAX), "output")
        values["optimizer"] = choice(Optimizer, values.get("optimizer", Optimizer.ADAM), "optimizer")
        values["class_weights"] = _class_weights(values.get("class_weights", cls.class_weights))
        values["augmentation"] = Augmentation.from_table(values.get("augmentation", {}))
        return cls(**values)

    def save(self, path: Path) -> None:
        """Write the plan, whole or not at all."""
        whole_files.write_text(path, self.to_toml())

    @classmethod
    def load(cls, path: Path) -> Plan:
        """Read a plan file. Raises ``PlanError`` if it is missing or damaged."""
        try:
            text = path.read_text("utf-8")
        except (OSError, ValueError) as error:
            reason = "It is not a text file" if isinstance(error, UnicodeDecodeError) else path_kinds.reason(error)
            raise PlanError(f"The plan '{path}' could not be read.", found=f"{reason}.", next_step=_NEXT) from error
        return cls.from_toml(text, source=str(path))


_KINDS: dict[str, type] = {
    "backbone": str,
    "features": str,
    "train_batch_norm": bool,
    "split_file": str,
    "validation_share": float,
    "test_share": float,
}
_LISTS = ("more_photos", "left_out")
_NEXT = "Use the plan.toml of a run folder, or write one with the same lines."


_Choice = TypeVar("_Choice", bound=StrEnum)


def choice(kind: type[_Choice], value: object, name: str) -> _Choice:
    """Return the member of ``kind`` that ``value`` spells. Raises ``PlanError`` with the nearest one."""
    try:
        return kind(value)
    except ValueError:
        options = [member.value for member in kind]
        raise PlanError(
            f"'{name}' cannot be {value!r}.",
            found=did_you_mean(str(value), options),
            next_step=f"Use one of: {', '.join(options)}.",
        ) from None


def _check_text(value: str, what: str) -> None:
    """A plan is text; some systems have folder names that are none."""
    if not path_kinds.is_text(value):
        raise PlanError(
            f"The name of the {what} is not readable text.",
            found=f"Found {value!r}.",
            next_step="Rename the folder and try again.",
        )


def _names(value: object, name: str) -> tuple[str, ...]:
    entries = cast("list[object]", value) if isinstance(value, list | tuple) else [None]
    if not all(isinstance(entry, str) for entry in entries):
        raise PlanError(f"'{name}' in a plan is a list of names.", found=f"Found {value!r}.", next_step=_NEXT)
    return tuple(map(str, entries))


def _renamed(value: object) -> dict[str, str]:
    table = cast("dict[object, object]", value) if isinstance(value, dict) else {None: None}
    if not all(isinstance(old, str) and isinstance(new, str) and new for old, new in table.items()):
        raise PlanError(
            "'renamed' in a plan says a new name for each old one.", found=f"Found {value!r}.", next_step=_NEXT
        )
    return {str(old): str(new) for old, new in table.items()}


def _class_weights(value: object) -> ClassWeights:
    """Return what a plan says; early plans said true or false."""
    if isinstance(value, bool):
        return ClassWeights.ON if value else ClassWeights.OFF
    return choice(ClassWeights, value, "class_weights")


def _check_unfreeze(value: object) -> None:
    if value == "all" or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return
    raise PlanError(
        "'unfreeze' is how many of the last blocks are fine-tuned.",
        found=f"Found {value!r}.",
        next_step="Give a number of 1 or more, or 'all'.",
    )
