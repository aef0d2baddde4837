"""``hubstudio evaluate RUN [PHOTOS]``: how good a run is on photos it never saw."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hubstudio.cli.arguments import Parser
from hubstudio.cli.console import table
from hubstudio.cli.context import Context, Reporter
from hubstudio.core import path_kinds
from hubstudio.core.measures import Evaluation
from hubstudio.core.photo_listing import scan
from hubstudio.core.review_looks import flattery_text, looks_at_test_photos, record_look
from hubstudio.core.run_folder import RunFolder
from hubstudio.core.run_state import percent

HELP = "measure a run on its locked test part, or on other labelled folders"


def define(parser: Parser) -> None:
    """Add the command's arguments."""
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="a run folder that 'train' wrote")
    parser.add_argument(
        "photos", nargs="?", metavar="PHOTOS", type=Path, help="other labelled folders (default: the run's test part)"
    )


def run(args: Namespace, context: Context) -> int:
    """Measure and print."""
    folder = RunFolder.open(args.run_folder)
    photos = path_kinds.absolute(args.photos) if args.photos else None
    if photos:
        scan(photos)  # a mistyped folder is said at once, not after TensorFlow has loaded
    evaluation = context.engine().evaluate(folder.path, photos, Reporter(context.console), context.cancel)
    if evaluation.trained_on:
        context.console.message(
            f"{evaluation.trained_on:,} of these {evaluation.photos:,} photos were used to train the model: on new "
            "photos it will do worse. 'hubstudio evaluate RUN' measures on photos it never saw."
        )
    looks = _count_look(folder.path, context) if photos is None else None
    context.console.result({**document(evaluation), "looks": looks}, lines(evaluation))
    return 0


def _count_look(run: Path, context: Context) -> int:
    """Count a look at the locked test part, and say from the fifth on what looking does to the number."""
    record_look(run)
    count = looks_at_test_photos(run)
    if warning := flattery_text(count):
        context.console.message(warning)
    return count


def document(evaluation: Evaluation) -> dict[str, Any]:
    """Return the evaluation as plain values for JSON."""
    return {
        "source": evaluation.source,
        "photos": evaluation.photos,
        "correct": evaluation.correct,
        "accuracy": evaluation.accuracy,
        "interval": list(evaluation.interval),
        "classes": list(evaluation.classes),
        "per_class": {name: asdict(measures) for name, measures in evaluation.per_class.items()},
        "confusion": [list(row) for row in evaluation.confusion],
        "unreadable": list(evaluation.unreadable),
        "trained_on": evaluation.trained_on,
    }


def headline(evaluation: Evaluation) -> str:
    """Return the accuracy with what it was measured on, how many photos, and its interval."""
    low, high = evaluation.interval
    where = "photos of the locked test part" if evaluation.source == "test" else f"photos in '{evaluation.source}'"
    return (
        f"{percent(evaluation.accuracy)} right on {evaluation.photos:,} {where} "
        f"(95 % interval {percent(low)} to {percent(high)})."
    )


def lines(evaluation: Evaluation) -> list[str]:
    """Return the evaluation in words and tables."""
    rows = [("class", "photos", "precision", "recall", "F1")]
    for name, own in evaluation.per_class.items():
        rows.append((name, f"{own.photos:,}", percent(own.precision), percent(own.recall), percent(own.f1)))
    unreadable = [f"Could not be read, left out: {name}" for name in evaluation.unreadable]
    return [headline(evaluation), "", *table(rows), "", *_confusions(evaluation), *unreadable]


def _confusions(evaluation: Evaluation) -> list[str]:
    pairs = [
        (count, f"{count:,} × '{evaluation.classes[true]}' called '{evaluation.classes[said]}'")
        for true, row in enumerate(evaluation.confusion)
        for said, count in enumerate(row)
        if count and true != said
    ]
    return [text for _, text in sorted(pairs, key=lambda pair: -pair[0])[:10]] or ["No photo was confused."]
