"""The results of a comparison as rows of text and points of a plot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hubstudio.core.comparison import Contender
from hubstudio.core.run_state import percent
from hubstudio.gui.wording import duration_text, size_text

COLUMNS = ("Backbone", "Validation accuracy", "95 % interval", "Photos/s", "Size", "Time", "Note")


class ContenderOrder(StrEnum):
    """What the rows are sorted by; the value is the column's title."""

    ACCURACY = "Validation accuracy"
    SPEED = "Photos/s"
    SIZE = "Size"
    TIME = "Time"
    NAME = "Backbone"


@dataclass(frozen=True)
class Point:
    """One backbone in the plot."""

    name: str
    photos_per_second: float
    accuracy: float
    low: float
    high: float


def in_order(contenders: Sequence[Contender], order: ContenderOrder) -> list[Contender]:
    """Return the results, best first; those that came to nothing go last."""
    return sorted(contenders, key=lambda one: (bool(one.error), _KEYS[order](one)))


_KEYS: dict[ContenderOrder, Callable[[Contender], float | str]] = {
    ContenderOrder.ACCURACY: lambda one: -one.accuracy,
    ContenderOrder.SPEED: lambda one: -one.photos_per_second,
    ContenderOrder.SIZE: lambda one: one.bytes,
    ContenderOrder.TIME: lambda one: one.seconds,
    ContenderOrder.NAME: lambda one: one.name.casefold(),
}


def row_of(contender: Contender, used: str) -> tuple[str, ...]:
    """Return a result as a row of the table; ``used`` is the handle that the plan is built on."""
    if contender.error:
        return (contender.name, "–", "–", "–", "–", "–", "failed")
    low, high = contender.interval
    return (
        contender.name,
        percent(contender.accuracy),
        f"{low * 100:.0f} to {high * 100:.0f} %",
        speed_text(contender.photos_per_second),
        size_text(contender.bytes),
        duration_text(contender.seconds),
        "in use" if contender.backbone == used else "",
    )


def speed_text(photos_per_second: float) -> str:
    """Return '8.2' or '45'."""
    return f"{photos_per_second:.1f}" if photos_per_second < 10 else f"{photos_per_second:,.0f}"


def errors_text(contenders: Sequence[Contender]) -> str:
    """Return why some came to nothing."""
    return "\n".join(f"• {one.name}: {one.error}" for one in contenders if one.error)


def points_of(contenders: Sequence[Contender]) -> list[Point]:
    """Return what can be drawn."""
    return [
        Point(one.name, one.photos_per_second, one.accuracy, *one.interval)
        for one in contenders
        if not one.error and one.photos_per_second > 0
    ]


def verdict(contenders: Sequence[Contender]) -> str:
    """Return what the comparison says, in a sentence or two; nothing before two have a result."""
    done = [one for one in contenders if not one.error]
    if len(done) < 2:
        return ""
    best = max(done, key=lambda one: (one.accuracy, one.photos_per_second))
    level = [one for one in done if one.accuracy == best.accuracy and one is not best]
    if level:
        names = f"{best.name} and {level[0].name}" if len(level) == 1 else f"{best.name} and {len(level)} more"
        return (
            f"{names} are right equally often: {percent(best.accuracy)} of {best.validation_photos:,} "
            f"validation photos. {best.name} is the fastest of them."
        )
    rivals = [one for one in done if one is not best and one.interval[1] >= best.interval[0]]
    sentence = (
        f"{best.name} is right most often: {percent(best.accuracy)} of {best.validation_photos:,} validation photos."
    )
    if not rivals:
        return sentence
    fastest = max(rivals, key=lambda one: one.photos_per_second)
    so_few = "On so few photos others may be as good"
    if fastest.photos_per_second > best.photos_per_second * 1.2:
        return f"{sentence} {so_few}; of these {fastest.name} is the fastest."
    return f"{sentence} {so_few}."
