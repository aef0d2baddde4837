"""Which epochs a chart shows: the whole training, or the part that a person has zoomed into."""

from __future__ import annotations

from dataclasses import dataclass

_FEWEST = 3.0  # epochs; fewer than that make no curve


@dataclass(frozen=True)
class EpochSpan:
    """A stretch of the axis. Epochs are counted from 1, and each has half an epoch of room on both sides."""

    low: float
    high: float

    @classmethod
    def whole(cls, epochs: int) -> EpochSpan:
        """Return the span of so many epochs."""
        return cls(0.5, max(epochs, 1) + 0.5)

    @property
    def width(self) -> float:
        """How many epochs it has room for."""
        return self.high - self.low

    @property
    def first(self) -> int:
        """The first epoch in it."""
        return int(-(-self.low // 1))

    @property
    def last(self) -> int:
        """The last epoch in it."""
        return int(self.high // 1)

    def zoomed(self, factor: float, centre: float) -> EpochSpan:
        """Return a span ``factor`` times as wide, in which ``centre`` stays where it is."""
        return EpochSpan(centre - (centre - self.low) * factor, centre + (self.high - centre) * factor)

    def around(self, epoch: int) -> EpochSpan:
        """Return the span, moved just as far as it takes to hold an epoch with its room."""
        shift = min(0.0, epoch - 0.5 - self.low) or max(0.0, epoch + 0.5 - self.high)
        return EpochSpan(self.low + shift, self.high + shift)

    def within(self, whole: EpochSpan) -> EpochSpan:
        """Return the span as it fits into the whole one, not narrower than a few epochs."""
        width = min(max(self.width, _FEWEST), whole.width)
        middle = (self.low + self.high) / 2
        low = min(max(middle - width / 2, whole.low), whole.high - width)
        return whole if width >= whole.width else EpochSpan(low, low + width)
