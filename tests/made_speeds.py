"""Speeds and backbones as a measurement might find them, for tests that measure nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hubstudio.core.backbones import BackboneInfo, Block, ModuleFormat
from hubstudio.core.cost import DecodeSpeed, HeadSpeed, Speed, StepSpeed

SPEED = Speed(
    photos_per_second=100.0,
    features_per_second=200.0,
    image_size=96,
    load_seconds=1.0,
    start_seconds=0.5,
    features_start_seconds=0.7,
    freeze_seconds=0.4,
    memory_bytes=900_000_000,
    photo_bytes=2_000_000,
    head=HeadSpeed(0.4, 0.002, 3e-10),
    decode=DecodeSpeed(0.001, 0.01),
    steps=(StepSpeed(2, 0.01, 0.02, 8_000_000), StepSpeed(4, 0.02, 0.05, 20_000_000)),
)


def made_info(folder: Path = Path("tiny"), blocks: int = 4) -> BackboneInfo:
    """A module for photos of 96 px with 1,280 features."""
    parts = tuple(Block(f"block_{number}", 6, 10_000) for number in range(1, blocks + 1))
    info = BackboneInfo("tiny", str(folder), folder, 96, 1280, 10_000 * blocks, True, parts, ModuleFormat.TF2, 200_000)
    return replace(info, default_size=96)
