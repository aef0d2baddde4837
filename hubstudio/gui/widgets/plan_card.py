"""What the next training will do: in words, what it will take, its settings, and the button that starts it."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton, QWidget

from hubstudio.core.augmentation import Augmentation, preset_of
from hubstudio.core.cost import Cost
from hubstudio.core.photos import PhotoSet
from hubstudio.core.plan import Plan
from hubstudio.gui.backbone_words import estimate_text
from hubstudio.gui.widgets.card import Card
from hubstudio.gui.widgets.plan_form import PlanForm
from hubstudio.gui.widgets.wrapped_label import WrappedLabel
from hubstudio.gui.wording import plan_line, plan_title, way_explained


class PlanCard(Card):
    """Shows a plan; its form edits it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Nothing chosen yet", parent)
        self.form = PlanForm()
        self.start = QPushButton("Start training")
        self.start.setObjectName("start_training")
        self.start.setAccessibleName("Start training")
        self.start.setProperty("role", "primary")
        self.line = WrappedLabel("", "", "plan_line")
        self.explained = WrappedLabel("", "muted", "way_explained")
        self.estimate = WrappedLabel("", "muted", "train_estimate")
        self.reason = WrappedLabel("", "warning", "start_reason")
        self.header.addWidget(self.start)
        for widget in (self.line, self.explained, self.estimate, self.reason, self.form):
            self.body.addWidget(widget)

    def show_plan(self, plan: Plan | None) -> None:
        """Show a plan in the form; None before photos are chosen."""
        self.form.setVisible(plan is not None)
        if plan:
            self.form.show_plan(plan)

    def describe(self, plan: Plan, backbone: str, photos: PhotoSet | None) -> None:
        """Say what a plan will do; ``backbone`` is what people call it."""
        title = plan_title(plan, backbone)
        self.title.setText(title)
        self.setAccessibleName(title)
        self.line.say(plan_line(plan, photos) + _varied(plan.augmentation))
        self.explained.say(way_explained(plan))

    def show_cost(self, cost: Cost | None) -> None:
        """Say what the training will take; nothing while nobody knows."""
        self.estimate.say(estimate_text(cost) if cost else "")
        self.estimate.setVisible(cost is not None)

    def show_reason(self, reason: str) -> None:
        """Say why nothing can be started; an empty reason lets it start."""
        self.start.setEnabled(not reason)
        self.reason.say(reason)
        self.reason.setVisible(bool(reason))


def _varied(augmentation: Augmentation) -> str:
    """Return what the line about the photos says of their augmentation, which is chosen further down the page."""
    if augmentation.is_none:
        return ""
    return f" · augmentation: {preset_of(augmentation) or 'own values'}"
