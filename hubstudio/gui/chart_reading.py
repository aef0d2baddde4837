"""The numbers of a chart at one epoch, as a small table and as a sentence. Knows nothing of Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from hubstudio.core.events import Phase
from hubstudio.gui.chart_contents import OWN_LOOK, ChartContents, Measure, Series, Smoothed

_NOTHING = "–"


@dataclass(frozen=True)
class ReadingRow:
    """One line of the table: a run's, or, where there is one run, a part's."""

    name: str
    cells: tuple[str, ...]
    look: int | None = None
    """The run's look; None where the row is not that of a run."""
    is_validation: bool = False


@dataclass(frozen=True)
class ReadingDot:
    """A point of the chart that the reading is about."""

    value: float
    look: int
    is_validation: bool


@dataclass(frozen=True)
class Reading:
    """What is read at ``place``, the epoch counted through both phases."""

    place: int
    title: str
    columns: tuple[str, ...]
    rows: tuple[ReadingRow, ...]
    dots: tuple[ReadingDot, ...]
    sentence: str
    note: str = ""
    can_spare_first: bool = False
    """Whether the first column can be left out where it is narrow."""


def reading_at(measure: Measure, contents: ChartContents, lines: tuple[Smoothed, ...], place: int) -> Reading:
    """Return what the chart says at an epoch; ``lines`` are those drawn for the series, in their order."""
    read = _read_runs if contents.is_overlay else _read_one
    return read(measure, contents, lines, place)


def _read_one(measure: Measure, contents: ChartContents, lines: tuple[Smoothed, ...], place: int) -> Reading:
    curve = contents.series[0].curve
    index = place - 1
    measured = (measure.text(curve.training[index]), measure.text(curve.validation[index]))
    drawn = (measure.text(lines[0].training[index]), measure.text(lines[0].validation[index]))
    cells = list(zip(measured, drawn, strict=True)) if contents.smoothing else [(text,) for text in measured]
    rows = (ReadingRow("training", cells[0]), ReadingRow("validation", cells[1], is_validation=True))
    title = _phase_title(contents.series[0], index)
    sentence = f"{measure.title}, {title}: training {measured[0]}, validation {measured[1]}"
    if contents.smoothing:
        sentence += f"; smoothed {drawn[0]} and {drawn[1]}"
    columns = ("measured", "smoothed") if contents.smoothing else ()
    return Reading(place, title, columns, rows, _dots(contents, lines, index), sentence)


def _read_runs(measure: Measure, contents: ChartContents, lines: tuple[Smoothed, ...], place: int) -> Reading:
    index = place - 1
    pairs = list(zip(contents.series, lines, strict=True))
    has_phases = any(_phase_cell(series, index) for series, _ in pairs)
    rows: list[ReadingRow] = []
    told: list[str] = []
    for series, drawn in pairs:
        values = _both(measure, series, drawn, index, smooth=bool(contents.smoothing))
        phase = _phase_cell(series, index)
        rows.append(ReadingRow(series.name, (*((phase or _NOTHING,) if has_phases else ()), *values), series.look))
        if index < len(series.curve):
            where = f" ({phase})" if phase else ""
            told.append(f"{series.name}{where}, training {values[0]}, validation {values[1]}")
    columns = (*(("phase",) if has_phases else ()), "training", "validation")
    sentence = f"{measure.title}, epoch {place}: {'; '.join(told)}"
    note = "in brackets: smoothed" if contents.smoothing else ""
    dots = _dots(contents, lines, index)
    return Reading(place, f"Epoch {place}", columns, tuple(rows), dots, sentence, note, has_phases)


def without_first_column(reading: Reading) -> Reading:
    """Return the reading without a column that can be spared."""
    rows = tuple(replace(row, cells=row.cells[1:]) for row in reading.rows)
    return replace(reading, columns=reading.columns[1:], rows=rows, can_spare_first=False)


def _both(measure: Measure, series: Series, drawn: Smoothed, index: int, *, smooth: bool) -> tuple[str, str]:
    if index >= len(series.curve):
        return _NOTHING, _NOTHING
    measured = (measure.text(series.curve.training[index]), measure.text(series.curve.validation[index]))
    if not smooth:
        return measured
    texts = (measure.text(drawn.training[index]), measure.text(drawn.validation[index]))
    return f"{measured[0]} ({texts[0]})", f"{measured[1]} ({texts[1]})"


def _phase_title(series: Series, index: int) -> str:
    curve = series.curve
    if not curve.boundary:
        return f"epoch {curve.epochs[index]}"
    phase = "head" if curve.phases[index] is Phase.HEAD else "fine-tuning"
    return f"{phase}, epoch {curve.epochs[index]}"


def _phase_cell(series: Series, index: int) -> str:
    curve = series.curve
    if not curve.boundary or index >= len(curve):
        return ""
    return f"{'head' if curve.phases[index] is Phase.HEAD else 'fine-tune'} {curve.epochs[index]}"


def _dots(contents: ChartContents, lines: tuple[Smoothed, ...], index: int) -> tuple[ReadingDot, ...]:
    dots: list[ReadingDot] = []
    for series, drawn in zip(contents.series, lines, strict=True):
        if index < len(series.curve):
            look = series.look if contents.is_overlay else OWN_LOOK
            dots.append(ReadingDot(drawn.training[index], look, is_validation=False))
            dots.append(ReadingDot(drawn.validation[index], look, is_validation=True))
    return tuple(dot for dot in dots if math.isfinite(dot.value))
