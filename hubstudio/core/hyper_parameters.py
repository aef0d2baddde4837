"""The numbers a training can be tuned with, one table that plan, window and command line follow; and the fixed ones."""

from __future__ import annotations

from dataclasses import dataclass

from hubstudio.core.errors import PlanError

VALIDATION_BATCH = 64
"""Photos that are validated together."""
FRONT_SHARE = 0.2
"""Of the forward pass: from which on the frozen part of a backbone runs once when fine-tuning, not in every epoch."""
FRONT_PASSES = 500
"""Photos times epochs from which on that is worth the seconds that finding where it ends takes."""
PIXEL_BYTES = 2
"""Of each channel of a pixel that fine-tuning keeps on disk."""
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
    reason: str = ""
    """Why the default is what it is, in a sentence."""
    whole: bool = False
    fine_tune_only: bool = False
    """Whether it has no meaning while the backbone is frozen."""
    zero: str = ""
    """What 0 stands for, if it is no number: ``automatic``, ``off``."""

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
        "fine-tuning. The best epoch is kept, so more only costs time.", 1, 10_000,
        "Enough for the loss to level off; a phase that no longer improves ends by itself.", whole=True),
    HyperParameter(
        "head_epochs", "Head epochs", "When fine-tuning: epochs of the head alone, before any block moves.",
        1, 10_000, "A head that has settled sends no wild gradients into the backbone.", whole=True,
        fine_tune_only=True),
    HyperParameter(
        "patience", "Patience", "Epochs without a better one on the validation photos after which a phase ends.",
        0, 10_000,
        "Gave the same head as no early ending in 18 of 18 trials, in a sixth fewer epochs.", whole=True, zero="off"),
    HyperParameter(
        "batch_size", "Batch size", "Photos between two adjustments of the weights. Smaller needs less memory.",
        1, 4096, "Fits into the memory of a laptop and gives steady gradients.", whole=True),
    HyperParameter(
        "learning_rate", "Learning rate", "Step size of the head's weights. Halve it if the loss jumps.", 0.0, 10.0,
        "Automatic is 0.003 at 32 photos in a batch, scaled by its square root; photo sets asked for no other.",
        zero="automatic"),
    HyperParameter(
        "fine_tune_learning_rate", "Fine-tune learning rate", "Step size once blocks of the backbone move; well below "
        "the head's, so that what the backbone knows is not lost.", 0.0, 1.0,
        "Automatic is 0.0003 at 32 photos in a batch: between what suits a small backbone that moves whole and the "
        "last blocks of a large one.",
        fine_tune_only=True, zero="automatic"),
    HyperParameter(
        "layer_decay", "Layer decay", "Factor by which the rate falls from each block to the one before it.", 0.05, 1.0,
        "All moving blocks at one rate; letting earlier ones move less did worse where it was tried.",
        fine_tune_only=True),
    HyperParameter(
        "warm_up", "Warm-up", "Share of a phase in which the rate rises to its full height.", 0.0, 0.9,
        "First gradients are the wildest; small steps let them pass.", zero="off"),
    HyperParameter(
        "clip_norm", "Gradient clipping", "Largest length of all gradients together; longer ones are shortened.",
        0.0, 1000.0, "One odd batch shall not undo what all others taught.", zero="off"),
    HyperParameter(
        "start_pull", "Pull to the start", "Pull of the moved weights towards what they were, against forgetting "
        "(L2-SP).", 0.0, 10.0, "Off; the best epoch by validation is kept in any case. Worth a try on few photos.",
        fine_tune_only=True, zero="off"),
    HyperParameter(
        "hidden_units", "Hidden units", "Size of a layer between features and classes. Helps with many "
        "photos of classes that are hard to tell apart.", 0, 8192,
        "Without one, the head is as good as logistic regression, which is hard to beat on few photos.",
        whole=True, zero="none"),
    HyperParameter(
        "dropout", "Dropout", "Share of features hidden at random in each step, against learning by heart.", 0.0, 0.95,
        "A little, as is usual for a single layer on many features.", zero="off"),
    HyperParameter(
        "weight_decay", "Weight decay", "Pull of the head's weights towards zero, for the same reason.", 0.0, 10.0,
        "0.01 did best against logistic regression on the same features, on nine splits of three photo sets.",
        zero="off"),
    HyperParameter(
        "label_smoothing", "Label smoothing", "Share of certainty that the labels give away to the other classes; "
        "makes answers less sure.", 0.0, 0.5,
        "Off, so that a confidence of 90 % means right in nine of ten cases; at 0.1 it was 14 points too low.",
        zero="off"),
    HyperParameter(
        "image_size", "Image size", "Side in pixels that photos are resized to.",
        0, 2048, "The backbone learned at its own size.", whole=True, zero="backbone's own"),
    HyperParameter(
        "seed", "Seed", "Decides the split and every random choice: the same seed repeats the run.",
        0, 2**31 - 1, "Any number does.", whole=True),
)  # fmt: skip
