import hashlib
import tarfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubstudio.core import addresses
from hubstudio.core.catalogue import Catalogue, bundled_catalogue, load_catalogue
from hubstudio.core.errors import BackboneError
from hubstudio.core.handles import Handle, HandleKind, nearest_name, parse_handle

V2 = "https://tfhub.dev/google/imagenet/mobilenet_v2_100_224/feature_vector/5"
PREVIEW = "https://tfhub.dev/google/tf2-preview/mobilenet_v2/feature_vector/4"
KAGGLE = "https://www.kaggle.com/models/google/mobilenet-v2/TensorFlow2/100-224-feature-vector/2"
NO_ROWS = Catalogue(())


def parsed(text: str, catalogue: Catalogue | None = None) -> tuple[str, str]:
    handle = parse_handle(text, bundled_catalogue() if catalogue is None else catalogue)
    return handle.text, handle.kind.value


@pytest.mark.parametrize(
    "text",
    [
        V2,
        f"  {V2}\n",
        f'"{V2}"',
        f"<{V2}>",
        f"'{V2}/'",
        V2.replace("https", "http"),
        V2.replace("https://", "HTTPS://"),
        V2.replace("tfhub.dev", "TFHub.dev"),
        V2.replace("tfhub.dev", "www.tfhub.dev"),
        V2.removeprefix("https://"),
        V2.removeprefix("https://tfhub.dev/"),
        V2.replace("google/imagenet", "Google//ImageNet"),
        f"{V2}?tf-hub-format=compressed",
        f"{V2}/?tf-hub-format=uncompressed&x=1#usage",
        "mobilenet-v2-100-224",
        "MobileNet_V2_100_224",
        "MobileNet V2 100 224",
        "imagenet/mobilenet_v2_100_224",
        "google/imagenet/mobilenet_v2_100_224/feature_vector",
        "mobilenetv2 1.0",
    ],
)
def test_every_usual_spelling_of_a_module_is_its_plain_tfhub_address(text: str) -> None:
    assert parsed(text) == (V2, "hub")


@pytest.mark.parametrize(
    "text",
    [
        KAGGLE,
        KAGGLE.removeprefix("https://"),
        KAGGLE.removeprefix("https://www."),
        KAGGLE.replace("https", "http"),
        KAGGLE.replace("TensorFlow2", "tensorFlow2"),
        KAGGLE.replace("google/mobilenet-v2", "Google/MobileNet-V2"),
        f"{KAGGLE}/",
        f"{KAGGLE}?tfhub-redirect=true",
        f"{KAGGLE}?tf-hub-format=compressed",
        "https://www.kaggle.com/models/google/mobilenet-v2/frameworks/tensorFlow2/variations/100-224-feature-vector/versions/2",
        "kaggle.com/models/google/mobilenet-v2/frameworks/TensorFlow2/variations/100-224-feature-vector/versions/02",
        "https://www.kaggle.com/api/v1/models/google/mobilenet-v2/tensorFlow2/100-224-feature-vector/2/download",
        "google/mobilenet-v2/tensorFlow2/100-224-feature-vector/2",
        "google/mobilenet-v2/TENSORFLOW2/100-224-feature-vector/2/",
    ],
)
def test_every_usual_spelling_of_a_kaggle_handle_is_one_address(text: str) -> None:
    assert parsed(text) == (KAGGLE, "kaggle")
    assert parsed(text, NO_ROWS)[1] == "kaggle"


@pytest.mark.parametrize(
    ("text", "handle", "kind"),
    [
        ("studio-mini", "studio-mini", "bundled"),
        (" Studio-Mini ", "studio-mini", "bundled"),
        ("mobilenet_v2", PREVIEW, "hub"),
        ("Inception V3", "https://tfhub.dev/google/imagenet/inception_v3/feature_vector/4", "hub"),
        ("efficientnet/b0", "https://tfhub.dev/tensorflow/efficientnet/b0/feature-vector/1", "hub"),
        (V2.replace("feature_vector", "classification"), V2.replace("feature_vector", "classification"), "hub"),
        ("deepmind/bigbigan-resnet50/1", "https://tfhub.dev/deepmind/bigbigan-resnet50/1", "hub"),
        ("https://tfhub.dev/google/spice", "https://tfhub.dev/google/spice", "hub"),
        ("https://Models.Example.org/A/b.tar.gz", "https://models.example.org/A/b.tar.gz", "hub"),
        ("https://h.org/m/1/?key=a%20b&tf-hub-format=compressed#x", "https://h.org/m/1?key=a%20b", "hub"),
        ("https://h.org/m?tf-hub-format=compressed&flag&a=1;b&c=", "https://h.org/m?flag&a=1;b&c=", "hub"),
        ("http://127.0.0.1:8000/m/1", "http://127.0.0.1:8000/m/1", "hub"),
        ("http://[::1]:8000/m/1", "http://[::1]:8000/m/1", "hub"),
        ("gs://bucket/path/module.tar.gz", "gs://bucket/path/module.tar.gz", "bucket"),
        ("GS://bucket/path/module/", "gs://bucket/path/module", "bucket"),
    ],
)
def test_each_kind_of_handle_is_told_apart(text: str, handle: str, kind: str) -> None:
    assert parsed(text) == (handle, kind)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "No backbone is named"),
        ('""', "No backbone is named"),
        ("caf\udce9", "No backbone is named"),
        ("mobilnet-v2-100-224", "Did you mean 'mobilenet-v2-100-224'"),
        ("efficentnet b0", "Did you mean 'EfficientNet B0'"),
        ("studio-mimi", "Did you mean 'studio-mini'"),
        (f"htps{V2.removeprefix('https')}", "Did you mean 'google/imagenet/mobilenet_v2_100_224"),
        (f"https{V2.removeprefix('https:')}", "Did you mean 'google/imagenet/mobilenet_v2_100_224"),
        ("tfhub.de/google/imagenet/mobilenet_v2_100_224/feature_vector/5", "Did you mean"),
        ("qqqqqqqqq", "There is no backbone 'qqqqqqqqq'. Give a name"),
        ("https://tfhub.dev/", "not that of a module"),
        ("https://tfhub.dev/google/collections/image/1", "not that of a module"),
        ("https://", "not an address that can be asked"),
        ("https://[bad", "not an address that can be asked"),
        ("https://host:port/m", "not an address that can be asked"),
        ("https://host/a b", "not an address that can be asked"),
        ("https://www.kaggle.com/models", "says no owner"),
        ("https://www.kaggle.com/models/google/mobilenet-v2", "says no framework"),
        ("https://www.kaggle.com/models/google/mobilenet-v2/tensorFlow2", "says no variation"),
        ("google/mobilenet-v2/tensorFlow2", "says no variation"),
        ("https://kaggle.com/models/google/mobilenet-v2/frameworks/TensorFlow2/variations/x", "says no version"),
        ("google/mobilenet-v2/tensorFlow2/x", "says no version. It has only 'google/mobilenet-v2/tensorFlow2/x'"),
        ("google/mobilenet-v2/tensorFlow2/x/latest", "does not end with a version. Found 'latest'"),
        ("google/mobilenet-v2/tfLite/x/1", "is not of TensorFlow. Its framework is 'tfLite'"),
        ("google/mobilenet-v2/tensorflw2/x/1", "Did you mean 'TensorFlow2'"),
        ("/nowhere/module", "There is no folder or archive '/nowhere/module'"),
        ("./module", "There is no folder or archive './module'"),
        ("~/no such module", "There is no folder or archive"),
        (r"C:\models\mine", "There is no folder or archive"),
        (r"models\mine", "There is no folder or archive"),
        ("file:///nowhere/module", "There is no folder or archive"),
    ],
)
def test_what_is_no_backbone_says_why_and_what_to_do(text: str, message: str) -> None:
    with pytest.raises(BackboneError) as refused:
        parse_handle(text, bundled_catalogue())
    assert message in str(refused.value)
    assert refused.value.next_step


@pytest.mark.parametrize(
    "text",
    [
        f"{V2},",
        f"{V2};",
        f"'{V2}',",
        f"{V2}')",
        f"{V2}”),",
        f"({V2})",
        f"[{V2}]",
        f"\ufeff{V2}\u200b",
        V2.replace("/feature", "/\u200bfeature"),
        f"hub.load('{V2}')",
        f'm = hub.load("{V2}")',
        f'hub.KerasLayer("{V2}", trainable=True),',
        f'hub.KerasLayer(\n    handle="{V2}",\n    input_shape=(224, 224, 3))',
        f'model = Sequential([KerasLayer("{V2}"), Dense(3)])',
        f"hub.load('{V2}",
    ],
)
def test_an_address_is_taken_out_of_what_was_copied_along_with_it(text: str) -> None:
    assert parsed(text, NO_ROWS) == (V2, "hub")


def test_a_kaggle_handle_and_a_name_are_taken_out_of_a_line_of_a_program_too() -> None:
    handle = "google/mobilenet-v2/tensorFlow2/100-224-feature-vector/2"
    assert parsed(f'kagglehub.model_download("{handle}")') == (KAGGLE, "kaggle")
    assert parsed("mobilenet-v2-100-224,\u200b") == (V2, "hub")


def test_brackets_of_an_address_and_commas_inside_it_are_its_own() -> None:
    for address in ("https://h.org/m_(1)", "https://h.org/a,b;c/[1]"):
        assert parsed(f"{address},") == (address, "hub")


@pytest.mark.parametrize("name", ["mine,", "mine)", "mi\u200bne", "hub.load('x')"])
def test_a_folder_is_found_by_its_quoted_path_though_its_name_looks_like_junk(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    assert parsed(f'"{tmp_path / name}"') == (str(tmp_path / name), "folder")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (V2.replace("224", "225"), "mobilenet_v2_100_224"),
        (V2.replace("vector/5", "vectr/4"), "mobilenet_v2_100_224"),
        (V2.replace("tfhub", "tfhb"), "mobilenet_v2_100_224"),
        ("https://tfhub.dev/google/imagenet/inception_v4/feature_vectr/4?a_long_question=1", "inception_v3"),
        (KAGGLE.replace("100-224", "100-225"), "mobilenet-v2-100-224"),
    ],
)
def test_an_address_that_is_nearly_one_of_the_catalogue_has_a_nearest_name(address: str, name: str) -> None:
    assert nearest_name(address, bundled_catalogue()) == f"Did you mean '{name}'?"


@pytest.mark.parametrize("address", [V2, KAGGLE, "https://host/small/1", "gs://bucket/path/module"])
def test_an_address_of_the_catalogue_and_one_unlike_all_have_no_nearest_name(address: str) -> None:
    assert nearest_name(address, bundled_catalogue()) == ""


@pytest.fixture
def module(tmp_path: Path) -> Path:
    folder = tmp_path / "my module"
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(b"\x08\x01")
    return folder


def test_a_folder_is_found_by_any_way_of_naming_it(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(module.parent))
    monkeypatch.setenv("USERPROFILE", str(module.parent))
    monkeypatch.chdir(module.parent)
    ways = [str(module), f"'{module}'", f"{module}/", "my module", "./my module", "~/my module", module.as_uri()]
    ways += [str(module / "saved_model.pb"), f"{module}/../{module.name}"]
    assert {parsed(way) for way in ways} == {(str(module), "folder")}


def test_what_is_here_comes_before_the_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mobilenet_v2_100_224").mkdir()
    monkeypatch.chdir(tmp_path)
    assert parsed("mobilenet_v2_100_224") == (str(tmp_path / "mobilenet_v2_100_224"), "folder")


def test_a_folder_whose_name_ends_with_a_quote_is_found(tmp_path: Path) -> None:
    (tmp_path / "the 'old'").mkdir()
    assert parsed(str(tmp_path / "the 'old'")) == (str(tmp_path / "the 'old'"), "folder")


@pytest.mark.parametrize(
    ("name", "mode"), [("m.tar.gz", "w:gz"), ("m.TGZ", "w:gz"), ("m.tar", "w"), ("5?x", "w:gz"), ("old", "w")]
)
def test_an_archive_is_known_by_name_or_content(name: str, mode: str, module: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / name, mode) as archive:  # type: ignore[call-overload]
        archive.add(module, ".")
    assert parsed(str(tmp_path / name)) == (str(tmp_path / name), "archive")


def test_another_file_is_no_module(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(BackboneError, match="is not a module"):
        parse_handle(str(tmp_path / "notes.txt"), NO_ROWS)


def test_a_name_of_the_persons_own_catalogue_is_found_without_being_asked(own_home: Path, module: Path) -> None:
    rows = f'[[backbone]]\nid = "mine"\nhandle = "{module.as_posix()}"\n'
    rows += '[[backbone]]\nid = "theirs"\nhandle = "google/x/tensorflow2/y/3"\n'
    (own_home / "backbones.toml").write_text(rows)
    assert parse_handle("Mine") == Handle(str(module), HandleKind.FOLDER)
    assert parse_handle("theirs").kind is HandleKind.KAGGLE
    assert parse_handle("theirs", load_catalogue()) == parse_handle("theirs")


def test_a_badly_written_own_catalogue_does_not_hide_the_bundled_one(own_home: Path) -> None:
    (own_home / "backbones.toml").write_text("nonsense")
    assert parse_handle("inception-v3").is_fetched


@pytest.mark.parametrize(
    ("kind", "fetched"),
    [("bundled", False), ("folder", False), ("archive", False), ("hub", True), ("kaggle", True), ("bucket", True)],
)
def test_only_what_is_elsewhere_is_fetched(kind: str, fetched: bool) -> None:
    handle = Handle("text", HandleKind(kind))
    assert handle.is_fetched is fetched
    assert bool(handle.cache_texts) is fetched


def test_the_cache_is_asked_for_what_other_programs_pass() -> None:
    preview = parse_handle(f"{PREVIEW}?tf-hub-format=compressed", NO_ROWS)
    assert preview.cache_texts == (PREVIEW,)
    assert hashlib.sha1(preview.text.encode()).hexdigest() == _AS_TF_HUB_CALLS_IT


_AS_TF_HUB_CALLS_IT = "145bb06ec3b59b08fb564ab752bd5aa222bfb50a"
"""The folder that TensorFlow's tutorials leave of this module in a cache."""


def test_a_kaggle_module_is_looked_for_under_each_form_that_programs_pass() -> None:
    texts = parse_handle(KAGGLE, NO_ROWS).cache_texts
    long = (
        "https://www.kaggle.com/models/google/mobilenet-v2/frameworks/{}/variations/100-224-feature-vector/versions/2"
    )
    assert texts[0] == KAGGLE
    assert {long.format("TensorFlow2"), long.format("tensorFlow2"), KAGGLE.replace("/T", "/t")} <= set(texts)
    assert len(set(texts)) == len(texts) == 8
    assert {parsed(text) for text in texts} == {(KAGGLE, "kaggle")}


def test_kagglehub_has_the_five_parts() -> None:
    assert addresses.kaggle_handle(KAGGLE) == "google/mobilenet-v2/tensorFlow2/100-224-feature-vector/2"
    assert addresses.kaggle_handle(V2) == ""


pieces = st.sampled_from(
    [
        *(",", ";", "(", ")", "hub.load('", "handle=", "\u200b"),
        *("https://", "http://", "HTTPS:/", "gs://", "file://", "tfhub.dev", "www.kaggle.com", "kaggle.com", "models"),
        *("api/v1", "frameworks", "variations", "versions", "tensorFlow2", "tfLite", "tf-hub-format=compressed"),
        *(
            "/",
            "//",
            "?",
            "&",
            "#",
            "%00",
            "'",
            '"',
            " ",
            ":",
            "@",
            "[",
            "]",
            "~",
            ".",
            "..",
            "\\",
            "\0",
            "٣",
            "é",
            "5",
        ),
        *("google", "x" * 300),
    ]
)


@given(st.one_of(st.text(), st.lists(pieces, max_size=14).map("".join), st.text().map("https://h.org/".__add__)))
@example("https://h.org/a'?tf-hub-format=compressed")
@example("https://tfhub.dev/a/b'?x")
@example("gs://a/b'/")
@example("https://h.org/a,);'/hub.load('https://h.org/b'),")
@example("~\0/x")
@example("file:///%00")
@example("file://[")
@example("https://ⅷ.org/℀")
@example("google/m/tensorflow2/v/" + "9" * 5000)
def test_any_text_is_understood_the_same_twice_or_refused_kindly(text: str) -> None:
    try:
        handle = parse_handle(text, bundled_catalogue())
    except BackboneError as refused:
        assert refused.what and refused.next_step
        return
    assert parse_handle(handle.text, bundled_catalogue()) == handle
    assert all(parse_handle(other, bundled_catalogue()) == handle for other in handle.cache_texts)
