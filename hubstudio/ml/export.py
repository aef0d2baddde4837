"""Exporting a trained model: written in a process of its own, run again on photos, then handed over."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hubstudio.core import whole_files
from hubstudio.core.cancel import CancelToken
from hubstudio.core.engine import EXPORT_FORMATS, ExportedFile, Prediction
from hubstudio.core.errors import ExportError
from hubstudio.core.events import Progress, Report, ignore
from hubstudio.core.run_folder import CLASSES, RunFolder
from hubstudio.core.split import Part
from hubstudio.ml import converters
from hubstudio.ml.child_process import ChildFailed, ChildProcess
from hubstudio.ml.prediction import predict
from hubstudio.ml.saved_models import TrainedModel

CHECK_PHOTOS = 20
TOLERANCE = 1e-3
"""Largest difference of any probability from the app's own answer that an export may show."""


def export(
    run: RunFolder,
    trained: TrainedModel,
    formats: Sequence[str],
    out: Path,
    report: Report,
    cancel: CancelToken,
) -> list[ExportedFile]:
    """Write each format into ``out``, all or none; one that answers otherwise than the app is not handed over.

    Earlier exports there are replaced, one whole file or folder after the other. The photos for the check are
    validation photos: the test part stays locked. Raises ``ExportError`` or ``Cancelled``.
    """
    out = out.expanduser().absolute()
    photos, expected = _expected(run, trained, cancel)
    report(Progress(0, len(formats), "formats"))
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export-", dir=out) as folder, ChildProcess() as child:
            checked: list[tuple[str, Path, float]] = []
            for done, name in enumerate(formats, 1):
                made = Path(folder) / converters.FILE_NAMES[name]
                checked.append((name, made, _made_and_checked(child, name, run, made, photos, expected, cancel)))
                report(Progress(done, len(formats), "formats"))
            exported = [_handed_over(name, made, out, len(photos), worst) for name, made, worst in checked]
            whole_files.write_bytes(out / "labels.txt", (run.path / CLASSES).read_bytes())
            whole_files.write_text(out / "README.md", _usage(trained, formats))
    except OSError as error:
        raise ExportError(
            f"The model could not be exported to '{out}'.",
            found=f"{error.strerror or error}.",
            next_step="Choose another folder, or free some space.",
        ) from error
    finally:
        _remove_if_empty(out)
    return exported


def _expected(run: RunFolder, trained: TrainedModel, cancel: CancelToken) -> tuple[list[Path], list[Prediction]]:
    """Return some validation photos that can be read, and the app's own answers for them."""
    files = [photo.path for photo in run.photos_of(Part.VALIDATION)]
    spread = files[:: max(1, len(files) // CHECK_PHOTOS)][:CHECK_PHOTOS]
    answered = [prediction for prediction in predict(trained, spread, ignore, cancel) if not prediction.error]
    return [prediction.file for prediction in answered], answered


def _made_and_checked(
    child: ChildProcess,
    name: str,
    run: RunFolder,
    made: Path,
    photos: list[Path],
    expected: list[Prediction],
    cancel: CancelToken,
) -> float:
    """Write one format and run it on the photos; return the largest difference from the app's own answers."""
    _require_replaceable(made.parent.parent / made.name)
    try:
        child.run(converters.write, name, run.model, made, cancel=cancel)
        scores = child.run(converters.answers_of, name, made, photos, cancel=cancel)
    except ChildFailed as error:
        raise ExportError(
            f"The model could not be written as {EXPORT_FORMATS[name]}.",
            found=f"{error}.",
            next_step="Choose another format; the run itself is safe.",
        ) from error
    difference = _largest_difference(scores, expected)
    if difference > TOLERANCE:
        raise ExportError(
            f"The {name} file does not answer like the app and was not kept.",
            found=f"Probabilities differ by up to {difference:.3g} on {len(photos)} photos.",
            next_step="Choose another format, and please report the backbone.",
        )
    return difference


def _handed_over(name: str, made: Path, out: Path, photos: int, difference: float) -> ExportedFile:
    target = out / made.name
    _put_in_place(made, target)
    return ExportedFile(name, target, _bytes(target), photos, difference)


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):  # it holds something, or was never made: both are fine
        folder.rmdir()


def _largest_difference(scores: list[list[float]], expected: list[Prediction]) -> float:
    if not expected:
        return 0.0
    own = np.array([list(prediction.scores.values()) for prediction in expected])
    return float(np.abs(np.array(scores) - own).max())


def _require_replaceable(target: Path) -> None:
    """Refuse to replace a folder or file that is not an earlier export."""
    is_ours = target.is_file() if target.suffix else (target / "saved_model.pb").is_file()
    if target.exists() and not is_ours:
        raise ExportError(
            f"'{target}' is in the way.",
            found="It is not an earlier export.",
            next_step="Choose another export folder.",
        )


def _put_in_place(made: Path, target: Path) -> None:
    if target.is_dir():  # a folder cannot be replaced in one step: the former one steps aside first
        former = made.with_name("former")
        target.rename(former)
        made.rename(target)
        shutil.rmtree(former)
    else:
        made.replace(target)


def _bytes(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _usage(trained: TrainedModel, formats: Sequence[str]) -> str:
    single = trained.model.output_shape[1] == 1
    answer = "one number, the probability of the second class" if single else "one probability for each class"
    parts = [
        "# Exported by Hub Studio\n",
        "Input: `[1, height, width, 3]`, float32, RGB from 0 to 255, upright, a photo of any size; resizing and "
        "scaling are inside the model.",
        f"Output: {answer}, in the order of `labels.txt`.\n",
        _READ_PHOTO,
        *(_USAGE[name] for name in formats),
    ]
    return "\n".join(parts)


_READ_PHOTO = """\
```python
import numpy as np
from PIL import Image, ImageOps

image = ImageOps.exif_transpose(Image.open("photo.jpg")).convert("RGB")
photo = np.asarray(image, np.float32)[np.newaxis]
labels = open("labels.txt", encoding="utf-8").read().splitlines()
```
"""

_USAGE = {
    "keras": """\
## model.keras
```python
import keras

model = keras.models.load_model("model.keras")
scores = model(photo).numpy()[0]
```
""",
    "savedmodel": """\
## savedmodel
```python
import tensorflow as tf

model = tf.saved_model.load("savedmodel")
scores = model.serve(photo).numpy()[0]
```
Servers find the same function as the signature `serving_default`.
""",
    "tflite": """\
## model.tflite
```python
from ai_edge_litert.interpreter import Interpreter  # or tf.lite.Interpreter

interpreter = Interpreter("model.tflite")
place = interpreter.get_input_details()[0]["index"]
interpreter.resize_tensor_input(place, photo.shape)
interpreter.allocate_tensors()
interpreter.set_tensor(place, photo)
interpreter.invoke()
scores = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
```
""",
}
