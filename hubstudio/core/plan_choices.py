"""What a training can be tuned with that is no number: one table of words, beside that of the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hubstudio.core.plan import ClassWeights, Optimizer, Output


@dataclass(frozen=True)
class PlanChoice:
    """A choice of the plan, and what to tell a person about it."""

    name: str
    """The field of ``Plan``."""
    label: str
    help: str
    reason: str
    """Why the default is what it is, in a sentence."""
    options: dict[StrEnum, str]
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
)

OUTPUT_WORDS = {Output.SOFTMAX: "softmax", Output.SIGMOID: "sigmoid"}
