"""What a Python program needs to train and use classifiers: the engine of the window and the command line.

from pathlib import Path
from hubstudio import api

def main() -> None:
    engine = api.make_engine()
    plan = api.Plan(photos="photos", mode=api.Mode.EXTRACT)
    summary = engine.train(plan, Path("run"), api.ignore, api.CancelToken())
    measured = engine.evaluate(Path("run"), None, api.ignore, api.CancelToken())
    print(summary.validation_accuracy, measured.accuracy, measured.interval)
    for answer in engine.predict(Path("run"), [Path("new.jpg")], api.ignore, api.CancelToken()):
        print(answer.file, answer.error or answer.label)

if __name__ == "__main__":  # exports run in a process of their own, which imports this file again
    main()
"""

from hubstudio.core.cancel import CancelToken
from hubstudio.core.engine import EXPORT_FORMATS, Engine, ExportedFile, Prediction
from hubstudio.core.errors import Cancelled, StudioError
from hubstudio.core.events import ignore
from hubstudio.core.intake import read_photos
from hubstudio.core.measures import Evaluation
from hubstudio.core.plan import Mode, Output, Plan
from hubstudio.core.run_folder import RunSummary
from hubstudio.ml.loading import make_engine

__all__ = [
    "EXPORT_FORMATS",
    "CancelToken",
    "Cancelled",
    "Engine",
    "Evaluation",
    "ExportedFile",
    "Mode",
    "Output",
    "Plan",
    "Prediction",
    "RunSummary",
    "StudioError",
    "ignore",
    "make_engine",
    "read_photos",
]
