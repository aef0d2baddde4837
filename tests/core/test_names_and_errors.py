from pathlib import Path

import pytest

from hubstudio.core import paths, resources
from hubstudio.core.backbones import bundled_folder, bundled_names, display_name
from hubstudio.core.engine import Prediction, require_formats
from hubstudio.core.errors import ExportError, StudioError, did_you_mean

KAGGLE, MOBILENET = "https://www.kaggle.com/models/google", "mobilenet-v2 100-224"


@pytest.mark.parametrize(
    ("handle", "name"),
    [
        ("https://tfhub.dev/google/tf2-preview/mobilenet_v2/feature_vector/4", "mobilenet_v2"),
        ("https://tfhub.dev/google/imagenet/inception_v3/feature_vector/5?tf-hub-format=compressed", "inception_v3"),
        ("https://host/model/1", "model"),
        ("https://tfhub.dev/google/imagenet/mobilenet_v2_100_224/feature_vector/5", "mobilenet_v2_100_224"),
        ("https://tfhub.dev/tensorflow/efficientnet/b0/feature-vector/1", "efficientnet b0"),
        (f"{KAGGLE}/mobilenet-v2/frameworks/TensorFlow2/variations/100-224-feature-vector/versions/2", MOBILENET),
        (f"{KAGGLE}/mobilenet-v2/TensorFlow2/100-224-feature-vector/2?tfhub-redirect=true", MOBILENET),
        (f"{KAGGLE}/nnlm/TensorFlow2/feature-vector/1", "nnlm"),
        (f"{KAGGLE}/mobilenet-v2", "mobilenet-v2"),
        ("/modules/my_module", "my_module"),
        ("studio-mini", "Studio Mini"),
    ],
)
def test_a_backbone_has_a_short_name(handle: str, name: str) -> None:
    assert display_name(handle) == name


def test_a_bundled_backbone_is_found_by_name_in_any_case() -> None:
    assert bundled_names() == ("studio-mini",)
    assert bundled_folder(" Studio-Mini ") == resources.bundled_backbones_folder() / "studio-mini"
    assert bundled_folder("studio-maxi") is None


def test_formats_are_read_once_each_in_any_case() -> None:
    assert require_formats(["Keras", " tflite ", "keras", ""]) == ("keras", "tflite")


@pytest.mark.parametrize("formats", [[], [""], ["keras", "onnxx"]])
def test_formats_that_are_none_are_refused(formats: list[str]) -> None:
    with pytest.raises(ExportError, match="Choose from: keras, savedmodel, tflite"):
        require_formats(formats)


def test_a_prediction_knows_its_likeliest_classes() -> None:
    prediction = Prediction(Path("a.jpg"), {"a": 0.2, "b": 0.7, "c": 0.1})
    assert (prediction.label, prediction.confidence) == ("b", 0.7)
    assert prediction.top(2) == [("b", 0.7), ("a", 0.2)]


def test_an_error_reads_as_one_text() -> None:
    assert str(StudioError("What.", found="Found.", next_step="Next.")) == "What. Found. Next."
    assert str(StudioError("What.")) == "What."


def test_the_nearest_name_is_offered_or_none() -> None:
    assert did_you_mean("Tflit", ["keras", "TFLite"]) == "Did you mean 'TFLite'?"
    assert did_you_mean("xyz", ["keras"]) == ""


def test_the_home_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HUBSTUDIO_HOME", str(tmp_path))
    assert paths.projects_folder() == tmp_path / "projects"
    monkeypatch.delenv("HUBSTUDIO_HOME")
    assert paths.home().name == "hubstudio"
