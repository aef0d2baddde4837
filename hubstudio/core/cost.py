"""What a training will cost on this computer: minutes, memory and disk, known before it starts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Speed:
    """What a short measurement on this computer found for one backbone, endpoint and image size."""

    photos_per_second: float
    """Through the frozen backbone, decoding not included."""


@dataclass(frozen=True)
class Cost:
    """What a plan will take."""

    seconds: float
    memory_bytes: int
    """Peak of the whole process."""
    disk_bytes: int
    """Written at most at the same time, beside what is kept."""
