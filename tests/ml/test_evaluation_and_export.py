"""The same answer everywhere: evaluation, prediction, and every exported file."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from made_modules import save_called
from made_photos import make_photos
from PIL import Image

from hubstudio.core.cancel import CancelToken
from hubstudio.core.engine import EXPORT_FORMATS
from hubstudio.core.errors import Cancelled, ExportError, PhotosError, RunError
from hubstudio.core.events import ignore
from hubstudio.core.parts import Part
from hubstudio.core.plan import Output, Plan
from hubstudio.core.run_folder import RunFolder, require_free
from hubstudio.ml.child_process import ChildFailed, ChildProcess
from hubstudio.ml.converters import answers_of
from hubstudio.ml.engine import LocalEngine

OUTSIDE = """
import json, sys
import numpy as np
from PIL import Image, ImageOps
sys.modules["hubstudio"] = None  # any import of it fails
kind, path, *files = sys.argv[1:]
photos = [np.asarray(ImageOps.exif_transpose(Image.open(f)).convert("RGB"), np.float32)[None] for f in files]
import tensorflow as tf
if kind == "keras":
    import keras
    model = keras.models.load_model(path)
    run = lambda photo: model(photo).numpy()
elif kind == "savedmodel":
    model = tf.saved_model.load(path)
    run = lambda photo: next(iter(model.signatures["serving_default"](tf.constant(photo)).values())).numpy()
else:
    interpreter = tf.lite.Interpreter(path)
    place = interpreter.get_input_details()[0]["index"]
    def run(photo):
        interpreter.resize_tensor_input(place, photo.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(place, photo)
        interpreter.invoke()
        return np.array(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
print(json.dumps([run(photo)[0].tolist() for photo in photos]))
"""


def answers_outside(kind: str, exported: Path, files: list[Path]) -> np.ndarray:
    """Run an exported model in a fresh Python that has no Hub Studio."""
    command = [sys.executable, "-c", OUTSIDE, kind, str(exported), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    return np.array(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def run(three_classes: Path, small_module: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    LocalEngine().train(Plan(str(three_classes), backbone=str(small_module), epochs=8), out, ignore, CancelToken())
    return out


@pytest.fixture(scope="module")
def odd_photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Photos of many sizes, larger and smaller than the model's input."""
    folder = tmp_path_factory.mktemp("odd")
    random = np.random.default_rng(2)
    sizes = [(48, 40), (7, 90), (300, 200), (33, 31), (32, 32), (641, 12)]
    for number, (width, height) in enumerate(sizes):
        small = Image.fromarray(random.integers(0, 255, (9, 9, 3), dtype=np.uint8))
        small.resize((width, height), Image.Resampling.BICUBIC).save(folder / f"{number}.png")
    return sorted(folder.iterdir())


def test_evaluation_counts_the_test_part(run: Path) -> None:
    found = LocalEngine().evaluate(run, None, ignore, CancelToken())
    assert (found.photos, found.source) == (9, "test")
    files = [photo.path for photo in RunFolder(run).photos_of(Part.TEST)]
    answers = LocalEngine().predict(run, files, ignore, CancelToken())
    right = sum(answer.label == answer.file.parent.name for answer in answers)
    assert found.correct == right


def test_evaluation_on_other_photos_uses_their_folders(run: Path, tmp_path: Path) -> None:
    folder = make_photos(tmp_path / "more", {"a": 3, "c": 2})
    found = LocalEngine().evaluate(run, folder, ignore, CancelToken())
    assert [sum(row) for row in found.confusion] == [3, 0, 2]


def test_evaluation_refuses_a_class_the_model_does_not_know(run: Path, tmp_path: Path) -> None:
    folder = make_photos(tmp_path / "more", {"a": 1, "zebra": 1})
    with pytest.raises(PhotosError, match="zebra"):
        LocalEngine().evaluate(run, folder, ignore, CancelToken())


def test_predictions_come_in_order_with_reasons_for_what_cannot_be_read(
    run: Path, odd_photos: list[Path], tmp_path: Path
) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"")
    files = [odd_photos[0], bad, tmp_path / "gone.png", odd_photos[1]]
    found = LocalEngine().predict(run, files, ignore, CancelToken())
    assert [prediction.file for prediction in found] == files
    assert [bool(prediction.error) for prediction in found] == [False, True, True, False]
    assert found[1].error == "the file is empty"
    assert sum(found[0].scores.values()) == pytest.approx(1, abs=1e-5)


def test_every_exported_file_answers_like_predict_in_a_process_without_hubstudio(
    run: Path, odd_photos: list[Path], tmp_path: Path
) -> None:
    files = LocalEngine().export(run, list(EXPORT_FORMATS), tmp_path / "out", ignore, CancelToken())
    own = LocalEngine().predict(run, odd_photos, ignore, CancelToken())
    expected = np.array([list(prediction.scores.values()) for prediction in own])
    assert [file.format for file in files] == list(EXPORT_FORMATS)
    for file in files:
        assert file.bytes > 1000
        assert file.checked_photos == len(RunFolder.open(run).photos_of(Part.VALIDATION))
        np.testing.assert_allclose(answers_outside(file.format, file.path, odd_photos), expected, atol=1e-3)
    assert (tmp_path / "out" / "labels.txt").read_text() == "a\nb\nc\n"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "model.keras", "savedmodel", "model.tflite", "labels.txt", "README.md", "export.json",
    }  # fmt: skip


def test_the_readme_beside_the_files_tells_lines_that_run_and_answer_like_predict(
    run: Path, odd_photos: list[Path], tmp_path: Path
) -> None:
    engine, out = LocalEngine(), tmp_path / "out"
    engine.export(run, list(EXPORT_FORMATS), out, ignore, CancelToken())
    Image.open(odd_photos[2]).save(out / "photo.jpg", quality=95)
    (own,) = engine.predict(run, [out / "photo.jpg"], ignore, CancelToken())
    start, *recipes = re.findall(r"```python\n(.*?)```", (out / "README.md").read_text(), re.DOTALL)
    assert len(recipes) == len(EXPORT_FORMATS)
    for recipe in recipes:
        said = "print(labels[int(scores.argmax())], max(scores))"
        script = f"import sys; sys.modules['hubstudio'] = None\n{start}{recipe}\n{said}"
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script],
            cwd=out,
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        label, confidence = done.stdout.split()[-2:]
        assert label == own.label
        assert float(confidence) == pytest.approx(own.confidence, abs=1e-3)


def test_measuring_on_photos_of_the_training_is_counted(run: Path, three_classes: Path) -> None:
    found = LocalEngine().evaluate(run, three_classes, ignore, CancelToken())
    assert (found.photos, found.trained_on) == (60, 51)
    assert LocalEngine().evaluate(run, None, ignore, CancelToken()).trained_on == 0


def test_a_second_export_replaces_the_first(run: Path, tmp_path: Path) -> None:
    for _ in range(2):
        LocalEngine().export(run, ["savedmodel"], tmp_path / "out", ignore, CancelToken())
    assert (tmp_path / "out" / "savedmodel" / "saved_model.pb").is_file()


def test_an_export_never_replaces_what_is_no_export(run: Path, tmp_path: Path) -> None:
    (tmp_path / "savedmodel").mkdir()
    (tmp_path / "savedmodel" / "mine.txt").write_text("precious")
    with pytest.raises(ExportError, match="in the way"):
        LocalEngine().export(run, ["savedmodel"], tmp_path, ignore, CancelToken())
    assert (tmp_path / "savedmodel" / "mine.txt").exists()


@pytest.mark.parametrize("name", ["README.md", "labels.txt", "model.keras"])
def test_an_export_never_replaces_a_file_of_another_origin(run: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    with pytest.raises(ExportError, match="in the way"):
        LocalEngine().export(run, ["keras"], tmp_path, ignore, CancelToken())
    assert [path.read_text() for path in tmp_path.iterdir()] == ["precious"]


def test_exports_of_two_runs_are_not_mixed(run: Path, two_classes: Path, small_module: Path, tmp_path: Path) -> None:
    engine = LocalEngine()
    engine.train(Plan(str(two_classes), str(small_module), epochs=1), tmp_path / "other", ignore, CancelToken())
    engine.export(run, ["keras"], tmp_path / "out", ignore, CancelToken())
    with pytest.raises(ExportError, match="another run"):
        engine.export(tmp_path / "other", ["keras"], tmp_path / "out", ignore, CancelToken())
    assert (tmp_path / "out" / "labels.txt").read_text() == "a\nb\nc\n"


def test_an_export_is_checked_on_noise_where_the_photos_are_gone(run: Path, tmp_path: Path) -> None:
    import shutil

    moved = Path(shutil.copytree(run, tmp_path / "moved"))
    text = (moved / "plan.toml").read_text()
    (moved / "plan.toml").write_text(text.replace('photos = "', 'photos = "/gone'))
    (file,) = LocalEngine().export(moved, ["keras"], tmp_path / "out", ignore, CancelToken())
    assert file.checked_photos == 4


def test_an_export_that_answers_otherwise_is_not_handed_over(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = ChildProcess.run

    def wrong(self: ChildProcess, function: object, *arguments: object, cancel: CancelToken) -> object:
        answers = honest(self, function, *arguments, cancel=cancel)  # type: ignore[arg-type]
        return [[0.2, 0.2, 0.6] for _ in answers] if function is answers_of else answers  # type: ignore[union-attr]

    monkeypatch.setattr(ChildProcess, "run", wrong)
    with pytest.raises(ExportError, match="does not answer like the app"):
        LocalEngine().export(run, ["keras"], tmp_path / "out", ignore, CancelToken())
    assert not (tmp_path / "out").exists()


def test_a_cancelled_export_leaves_nothing_half_written(run: Path, tmp_path: Path) -> None:
    cancel = CancelToken()
    with pytest.raises(Cancelled):
        LocalEngine().export(run, ["tflite"], tmp_path / "out", lambda event: cancel.cancel(), cancel)
    assert not (tmp_path / "out").exists()


def test_an_unknown_format_is_answered_with_the_nearest(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="Did you mean 'tflite'"):
        LocalEngine().export(run, ["tflit"], tmp_path, ignore, CancelToken())


def test_a_damaged_model_file_is_reported(run: Path, tmp_path: Path) -> None:
    import shutil

    broken = Path(shutil.copytree(run, tmp_path / "broken"))
    (broken / "model.keras").write_bytes(b"PK nothing")
    with pytest.raises(RunError, match="could not be loaded"):
        LocalEngine().predict(broken, [], ignore, CancelToken())


def test_a_sigmoid_model_answers_with_two_probabilities_everywhere(
    two_classes: Path, small_module: Path, odd_photos: list[Path], tmp_path: Path
) -> None:
    plan = Plan(str(two_classes), backbone=str(small_module), epochs=6, output=Output.SIGMOID)
    engine = LocalEngine()
    engine.train(plan, tmp_path / "run", ignore, CancelToken())
    own = engine.predict(tmp_path / "run", odd_photos, ignore, CancelToken())
    assert all(sum(prediction.scores.values()) == pytest.approx(1) for prediction in own)
    (file,) = engine.export(tmp_path / "run", ["tflite"], tmp_path / "out", ignore, CancelToken())
    second = [[prediction.scores["good"]] for prediction in own]
    np.testing.assert_allclose(answers_outside("tflite", file.path, odd_photos), second, atol=1e-3)


def test_a_backbone_that_cannot_be_rewritten_still_trains_answers_and_exports(
    two_classes: Path, odd_photos: list[Path], tmp_path: Path
) -> None:
    spec = tf.TensorSpec([None, 16, 16, 3], tf.float32)
    odd = save_called(tmp_path / "odd", spec, lambda x: tf.reshape(tf.cumsum(x, 1)[:, ::4, ::4], [-1, 48]))
    plan = replace(Plan(str(two_classes)), backbone=str(odd), epochs=6)
    engine = LocalEngine()
    summary = engine.train(plan, tmp_path / "run", ignore, CancelToken())
    assert "only where Hub Studio is installed" in summary.notes[0]
    own = engine.predict(tmp_path / "run", odd_photos, ignore, CancelToken())
    expected = np.array([list(prediction.scores.values()) for prediction in own])
    files = engine.export(tmp_path / "run", ["keras", "savedmodel"], tmp_path / "out", ignore, CancelToken())
    np.testing.assert_allclose(answers_outside("savedmodel", files[1].path, odd_photos), expected, atol=1e-3)


def test_a_saved_model_holds_every_number_once(run: Path, tmp_path: Path) -> None:
    LocalEngine().export(run, ["savedmodel"], tmp_path / "out", ignore, CancelToken())
    written = tf.train.list_variables(str(tmp_path / "out" / "savedmodel" / "variables" / "variables"))
    numbers = sorted(tuple(shape) for name, shape in written if name.endswith("VARIABLE_VALUE"))
    assert numbers == sorted(tuple(weight.shape) for weight in keras.models.load_model(run / "model.keras").weights)


def test_a_child_that_dies_is_reported_and_not_waited_for() -> None:
    with pytest.raises(ChildFailed, match="code 7"), ChildProcess() as child:
        child.run(os._exit, 7, cancel=CancelToken())


def test_an_error_with_advice_crosses_the_process() -> None:
    with pytest.raises(RunError) as caught, ChildProcess() as child:
        child.run(require_free, Path(__file__), cancel=CancelToken())
    assert caught.value.next_step == "Give a new name; nothing is overwritten."


def test_an_error_in_the_child_comes_back_in_words() -> None:
    with pytest.raises(ChildFailed, match="FileNotFoundError"), ChildProcess() as child:
        child.run(os.listdir, "/nowhere/at/all", cancel=CancelToken())


def test_photos_that_were_trained_on_are_known_in_a_copied_folder_too(run: Path, tmp_path: Path) -> None:
    import shutil

    photos = Path(shutil.copytree(RunFolder.open(run).plan().photos, tmp_path / "copy"))
    found = LocalEngine().evaluate(run, photos, ignore, CancelToken())
    opened = RunFolder.open(run)
    assert found.trained_on == len(opened.photos_of(Part.TRAINING)) + len(opened.photos_of(Part.VALIDATION))
