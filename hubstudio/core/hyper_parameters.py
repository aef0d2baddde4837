"""The numbers a training can be tuned with, one table that plan, window and command line follow; and the fixed ones."""

from __future__ import annotations

from dataclasses import dataclass

from hubstudio.core.errors import PlanError

VALIDATION_BATCH = 64
"""Photos that are validated together."""
CHECK_BATCH = 4
"""Photos that go through a saved file together when it is checked; all layers' answers are in memory at once."""


@dataclass(frozen=True)
class HyperParameter:
    """A number of the plan: its limits, and what to tell a person about it."""

    name: str
    """The field of ``Plan`` and, with hyphens, the command line's option."""
    label: str
    help: str
    minimum: float
    maximum: float
    whole: bool = False

    @property
    def option(self) -> str:
        """The command line's option."""
        return "--" + self.name.replace("_", "-")

    def check(self, value: object) -> None:
        """Raise ``PlanError`` unless ``value`` is a number of the right kind within the limits."""
        wanted = "a whole number" if self.whole else "a number"
        is_number = isinstance(value, int) if self.whole else isinstance(value, int | float)
        if not is_number or isinstance(value, bool):
            raise PlanError(f"'{self.name}' must be {wanted}.", found=f"Found {value!r}.")
        if not self.minimum <= value <= self.maximum:  # type: ignore[operator]  # pyright narrows it, a NaN fails here
            raise PlanError(
                f"'{self.name}' is out of range.",
                found=f"Found {value}.",
                next_step=f"Give {wanted} from {self.minimum:g} to {self.maximum:g}.",
            )


HYPER_PARAMETERS: tuple[HyperParameter, ...] = (
    HyperParameter(
        "epochs", "Epochs", "Times every training photo is seen: by the head when extracting, by the blocks when "
        "fine-tuning. The best epoch is kept, so more only costs time.", 1, 10_000, whole=True),
    HyperParameter(
        "head_epochs", "Head epochs", "When fine-tuning: epochs of the head alone, before any block moves.",
        1, 10_000, whole=True),
    HyperParameter(
        "batch_size", "Batch size", "Photos between two adjustments of the weights. Smaller needs less memory.",
        1, 4096, whole=True),
    HyperParameter(
        "learning_rate", "Learning rate", "Step size of the head's weights. Halve it if the loss jumps.", 1e-7, 10.0),
    HyperParameter(
        "fine_tune_learning_rate", "Fine-tune learning rate", "Step size once blocks of the backbone move; well below "
        "the head's, so that what the backbone knows is not lost.", 1e-8, 1.0),
    HyperParameter(
        "hidden_units", "Hidden units", "Size of a layer between features and classes; 0 for none. Helps with many "
        "photos of classes that are hard to tell apart.", 0, 8192, whole=True),
    HyperParameter(
        "dropout", "Dropout", "Share of features hidden at random in each step, against learning by heart.", 0.0, 0.95),
    HyperParameter(
        "weight_decay", "Weight decay", "Pull of the head's weights towards zero, for the same reason.", 0.0, 10.0),
    HyperParameter(
        "image_size", "Image size", "Side in pixels that photos are resized to; 0 for the backbone's own.",
        0, 2048, whole=True),
    HyperParameter(
        "seed", "Seed", "Decides the split and every random choice: the same seed repeats the run.",
        0, 2**31 - 1, whole=True),
)  # fmt: skip
