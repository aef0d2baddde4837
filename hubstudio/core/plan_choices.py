"""What a training can be tuned with that is no number: one table of words, beside that of the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hubstudio.core.plan import ClassWeights, Optimizer, Output

Option = StrEnum | bool


@dataclass(frozen=True)
class PlanChoice:
    """A choice of the plan, and what to tell a person about it."""

    name: str
    """The field of ``Plan``."""
    label: str
    help: str
    reason: str
    """Why the default is what it is, in a sentence."""
    options: dict[Option, str]
    """What each is called."""
    fine_tune_only: bool = False

    def word(self, value: object) -> str:
        """Return what a value is called."""
        return next((word for option, word in self.options.items() if option == value), str(value))


PLAN_CHOICES: tuple[PlanChoice, ...] = (
    PlanChoice(
        "optimizer",
        "Optimizer",
        "The rule by which gradients move the weights.",
        "Adam finds a good step for each weight by itself; SGD needs a rate that suits the photos.",
        {Optimizer.ADAM: "Adam", Optimizer.ADAMW: "AdamW", Optimizer.SGD: "SGD"},
    ),
    PlanChoice(
        "class_weights",
        "Class weights",
        "Whether small classes count as much as large ones.",
        "It balances them where one class has many more photos than another, and leaves all others alone.",
        {ClassWeights.AUTO: "automatic", ClassWeights.ON: "on", ClassWeights.OFF: "off"},
    ),
    PlanChoice(
        "output",
        "Output",
        "How the head answers: softmax with a share for each class, sigmoid with one number, for two classes only.",
        "It serves any number of classes; with two, a single number says no more than two shares do.",
        {Output.SOFTMAX: "softmax", Output.SIGMOID: "sigmoid"},
    ),
    PlanChoice(
        "train_batch_norm",
        "Batch-norm statistics",
        "Whether the backbone's running means and spreads follow your photos while blocks move.",
        "Those that it brings come from many photos; the few of a batch would make them jump. And so its frozen part "
        "need run only once.",
        {False: "frozen", True: "learn"},
        fine_tune_only=True,
    ),
)
