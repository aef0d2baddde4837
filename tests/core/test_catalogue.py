import ast
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hubstudio.core import catalogue_file, resources
from hubstudio.core.catalogue import (
    CATALOGUE_FILE,
    Catalogue,
    CatalogueRow,
    backbone_name,
    bundled_catalogue,
    load_catalogue,
    load_catalogue_safely,
    own_catalogue_path,
)
from hubstudio.core.errors import BackboneError
from hubstudio.core.handles import HandleKind, parse_handle

LITERATURE = (
    "https://tfhub.dev/google/tf2-preview/mobilenet_v2/feature_vector/4",
    "https://tfhub.dev/google/imagenet/inception_v3/feature_vector/4",
    "https://tfhub.dev/tensorflow/efficientnet/b0/feature-vector/1",
)
FAMILIES = (
    "mobilenet-v1-", "mobilenet-v2-", "mobilenet-v3-", "efficientnet-b0", "efficientnet-b3", "efficientnet-v2-b0",
    "efficientnet-v2-b3", "efficientnet-v2-s", "efficientnet-lite", "inception-v3", "resnet-v2-50", "bit-s-r50x1",
)  # fmt: skip
NO_ROWS = Catalogue(())
BUNDLED = bundled_catalogue().rows
ROW = '[[backbone]]\nid = "mine"\nhandle = "https://h.org/m/1"\n'

each_row = pytest.mark.parametrize("row", BUNDLED, ids=lambda row: row.id)
each_row_of_all = pytest.mark.parametrize("row", (*BUNDLED, *bundled_catalogue().of_bundled), ids=lambda row: row.id)
SOURCES = (
    r"https://\S+", r"counted: keras\.applications\.\w+\(.*", r"measured: python tests/benchmarks/\w+\.py",
    r"resources/\S+\.md", "LICENSE",
)  # fmt: skip


def write(text: str) -> Path:
    path = own_catalogue_path()
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("handle", LITERATURE)
def test_the_handles_of_the_literature_are_there_to_the_letter(handle: str) -> None:
    assert handle in [row.handle for row in BUNDLED]


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_is_there(family: str) -> None:
    assert any(row.id.startswith(family) for row in BUNDLED)


def test_there_are_mobilenets_of_several_widths_and_sizes() -> None:
    v2 = [row for row in BUNDLED if row.id.startswith("mobilenet-v2-")]
    assert len({row.input_size for row in v2}) >= 3
    assert len({row.parameters for row in v2}) >= 4


def test_rows_go_from_small_to_large() -> None:
    sizes = [row.parameters for row in BUNDLED if row.parameters]
    assert len(sizes) > 16
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("field", ["id", "name", "handle"])
def test_no_two_rows_share_what_tells_them_apart(field: str) -> None:
    values = [getattr(row, field).casefold() for row in BUNDLED]
    assert len(set(values)) == len(values)


def test_no_two_rows_share_a_kaggle_handle() -> None:
    handles = [row.kaggle for row in BUNDLED if row.kaggle]
    assert len(set(handles)) == len(handles) > 8


@each_row_of_all
def test_every_figure_has_a_source_and_every_source_a_figure(row: CatalogueRow) -> None:
    assert set(row.sources) == {name for name in catalogue_file.FIGURES if getattr(row, name)}


@each_row_of_all
def test_every_source_says_where_or_how_it_was_counted(row: CatalogueRow) -> None:
    for source in row.sources.values():
        assert re.fullmatch("|".join(SOURCES), source)


@each_row_of_all
def test_every_row_says_what_a_card_needs(row: CatalogueRow) -> None:
    assert row.licence and row.maker and row.note
    assert row.input_size or row.any_size
    assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", row.id)
    assert row.note[0].islower() and not row.note.endswith(".")


@each_row
def test_handles_are_canonical_and_of_the_kind_they_say(row: CatalogueRow) -> None:
    handle = parse_handle(row.handle, NO_ROWS)
    assert (handle.text, handle.kind) == (row.handle, HandleKind.HUB)
    if row.kaggle:
        kaggle = parse_handle(row.kaggle, NO_ROWS)
        assert (kaggle.text, kaggle.kind) == (row.kaggle_address, HandleKind.KAGGLE)


@each_row
def test_a_row_is_found_by_all_that_people_call_it(row: CatalogueRow) -> None:
    catalogue = bundled_catalogue()
    spellings = [*row.spellings(), row.handle, f"{row.handle}/?tf-hub-format=compressed", row.id.replace("-", "_")]
    spellings += [row.kaggle, row.kaggle_address] if row.kaggle else []
    for text in spellings:
        assert catalogue.find(text) is row
        assert catalogue.find(f" '{text.upper()}' ") is row


@pytest.mark.parametrize("text", ["", "---", "mobilenet", "5", "https://h.org/m/1", "kaggle.com/models/google"])
def test_what_is_not_in_the_catalogue_is_not_found(text: str) -> None:
    assert bundled_catalogue().find(text) is None


def test_a_classifier_is_not_taken_for_the_feature_vector_beside_it() -> None:
    assert bundled_catalogue().find(LITERATURE[1].replace("feature_vector", "classification")) is None
    assert bundled_catalogue().find("inception_v3/classification") is None


def test_names_to_compare_with_hold_no_addresses() -> None:
    names = bundled_catalogue().names()
    assert {"inception-v3", "Inception V3", "inception_v3", "efficientnet/b0"} <= set(names)
    assert not [name for name in names if "://" in name]


def test_without_an_own_file_there_are_the_bundled_rows() -> None:
    assert load_catalogue() == bundled_catalogue()
    assert load_catalogue_safely() == (bundled_catalogue(), None)


def test_own_rows_come_after_the_bundled_ones() -> None:
    write(
        """\ufeff
        [[backbone]]
        id = "lab-net"
        handle = "TFHUB.dev/lab/net/feature_vector/1/?tf-hub-format=compressed"
        kaggle = "https://www.kaggle.com/models/lab/net/frameworks/TensorFlow2/variations/base/versions/1"
        input_size = 128
        any_size = true
        features = 64
        parameters = 1_000
        download_bytes = 4_000
        imagenet_top1 = 60
        licence = "MIT"
        maker = "Our lab"
        note = "for cells"
        sources = { imagenet_top1 = "our own paper" }
        """
    )
    assert load_catalogue().rows[:-1] == BUNDLED
    assert load_catalogue().rows[-1] == CatalogueRow(
        "lab-net", "net", "https://tfhub.dev/lab/net/feature_vector/1", "lab/net/tensorFlow2/base/1", 128, True, 64,
        1000, 4000, 60.0, "MIT", "Our lab", "for cells", {"imagenet_top1": "our own paper"},
    )  # fmt: skip


def test_an_own_row_stands_for_the_bundled_one_of_its_id_or_handle() -> None:
    write(f'{ROW.replace("mine", "inception-v3")}[[backbone]]\nid = "theirs"\nhandle = "{LITERATURE[2]}"\n')
    catalogue = load_catalogue()
    assert len(catalogue.rows) == len(BUNDLED)
    assert [row.handle for row in catalogue.rows if row.id == "inception-v3"] == ["https://h.org/m/1"]
    assert [row.id for row in catalogue.rows if row.handle == LITERATURE[2]] == ["theirs"]


def test_an_own_row_can_say_something_else_of_a_backbone_that_comes_with_the_program() -> None:
    write('[[backbone]]\nid = "mine"\nhandle = "Studio-Mini"\nname = "Ours"\n')
    catalogue = load_catalogue()
    for text in ("studio-mini", "STUDIO-MINI", "mine", "Ours"):
        row = catalogue.find(text) or catalogue.at(text)
        assert row and row.name == "Ours"
    assert catalogue.rows == BUNDLED
    assert parse_handle("mine").kind is HandleKind.BUNDLED
    assert backbone_name("studio-mini") == "Ours"


def test_the_catalogue_can_be_read_where_the_bundled_modules_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "bundled_backbones_folder", lambda: tmp_path)
    bundled_catalogue.cache_clear()
    try:
        assert load_catalogue().rows == BUNDLED
    finally:
        bundled_catalogue.cache_clear()


def test_another_own_file_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "lab.toml").write_text(ROW)
    assert load_catalogue(tmp_path / "lab.toml").rows[-1].id == "mine"


def test_an_own_row_can_be_a_folder(tmp_path: Path) -> None:
    write(f'[[backbone]]\nid = "mine"\nhandle = "{tmp_path.as_posix()}/x/.."\n')
    assert load_catalogue().rows[-1].handle == str(tmp_path)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("[[backbone]]\nid = mine\n", 2, "Invalid value"),
        (f"{ROW}note = 'x\n\n", 4, "Expected"),
        (f'{ROW}note = """x\n\n', 4, "Unterminated string"),
        ("backbone = 3", 1, "in two brackets"),
        (f"# x\n{ROW.replace('[[backbone]]', '[backbone]')}", 2, "in two brackets"),
        (f"{ROW}[[backbones]]\n", 4, "There is no 'backbones' in a catalogue. Did you mean 'backbone'?"),
        (f"{ROW}\nfeatrues = 3\n", 5, "A backbone has no 'featrues'. Did you mean 'features'?"),
        (f"{ROW}qqqqq = 3\n", 4, "A backbone has no 'qqqqq'."),
        (f'{ROW}features = "3"\n', 4, "'features' is a whole number above 0, but '3' was found."),
        (f"{ROW}features = 3.5\n", 4, "'features' is a whole number above 0"),
        (f"{ROW}features = true\n", 4, "'features' is a whole number above 0"),
        (f"{ROW}parameters = 0\n", 4, "'parameters' is a whole number above 0"),
        (f"{ROW}imagenet_top1 = 171\n", 4, "'imagenet_top1' is percent"),
        (f"{ROW}imagenet_top1 = nan\n", 4, "'imagenet_top1' is percent"),
        (f"{ROW}photo_sets = 80\n", 4, "'photo_sets' is a table of percent"),
        (f"{ROW}photo_sets = {{ cells = 101 }}\n", 4, "'photo_sets.cells' is percent"),
        (f"{ROW}any_size = 1\n", 4, "'any_size' is true or false"),
        (f"{ROW}note = [1,\n2]\n", 4, "'note' is text in quotes"),
        (f"{ROW}sources = 'x'\n", 4, "'sources' is a table of texts"),
        (f"{ROW}[backbone.sources]\nfeature = 'x'\n", 4, "No figure is called 'feature'. Did you mean 'features'?"),
        (f"{ROW}[backbone.sources]\nfeatures = 1\n", 4, "'sources.features' is text in quotes"),
        ('# mine\n[[backbone]]\nid = "mine"\n', 2, "The backbone has no 'handle'."),
        (f'{ROW}[[backbone]]\nhandle = "https://h.org/2"\n', 4, "The backbone has no 'id'."),
        ('[[backbone]]\nid = " "\nhandle = "https://h.org/2"\n', 2, "'id' is empty."),
        ('[[backbone]]\nid = "mine"\nhandle = "models/mine"\n', 3, "'handle' is an address or a whole path"),
        ('[[backbone]]\nid = "mine"\nhandle = "https://www.kaggle.com/models/a/b"\n', 3, "says no framework"),
        (f'{ROW}kaggle = "a/b"\n', 4, "'kaggle' is owner/model/framework/variation/version, but 'a/b' was found."),
        (
            f"{ROW}\n\n{ROW.replace('/m/', '/n/').replace('mine', 'MINE')}",
            7,
            "There are two backbones of the id 'MINE'.",
        ),
        (f'{ROW}note = """\n[[backbone]]\n"""\n{ROW.replace("mine", "other")}', 9, "two backbones of the handle"),
    ],
)
def test_a_badly_written_catalogue_gets_file_line_and_reason(text: str, line: int, reason: str) -> None:
    path = write(text)
    with pytest.raises(BackboneError) as refused:
        load_catalogue()
    said = str(refused.value)
    assert str(path) in said
    assert reason in said
    assert re.search(rf"line {line}\b", said)
    assert refused.value.next_step


stretches = st.sampled_from(
    [
        *(
            "[[backbone]]\n",
            "[backbone]\n",
            "[backbone.sources]\n",
            "id",
            "handle",
            "kaggle",
            "features",
            "imagenet_top1",
        ),
        *("sources", " = ", "'", '"""', "[", "]", "{", "}", "\n", "\r\n", "\x0b", "1979-05-27", "1e999", "nan", "true"),
        *("https://h.org/m/1", "a/b/tensorflow2/c/1", "9" * 5000, "[" * 2000, "\ud7ff", "#"),
    ]
)


@given(st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.lists(stretches, max_size=25).map("".join)))
@settings(deadline=None)
@example(f"{ROW}features = {'9' * 5000}")
@example(f"{ROW}imagenet_top1 = {'9' * 4000}")
@example("[" * 5000)
def test_any_file_is_a_catalogue_or_gets_its_line(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(text, "utf-8", newline="")
    try:
        catalogue = load_catalogue(path)
    except BackboneError as refused:
        line = re.search(r"line (\d+)", refused.what)
        assert line and 1 <= int(line[1]) <= len(re.split("\r\n|\r|\n", text))
    else:
        assert len(catalogue.rows) >= len(BUNDLED)


def test_windows_line_ends_count_as_one_line() -> None:
    own_catalogue_path().write_bytes(f"{ROW}featrues = 3\n".replace("\n", "\r\n").encode())
    with pytest.raises(BackboneError, match="line 4"):
        load_catalogue()


@pytest.mark.parametrize(("content", "reason"), [(b"\xff\xfe", "not a text file"), (None, "Is a directory")])
def test_a_catalogue_that_cannot_be_read_says_why(content: bytes | None, reason: str) -> None:
    if content is None:
        own_catalogue_path().mkdir()
    else:
        own_catalogue_path().write_bytes(content)
    with pytest.raises(BackboneError, match=reason):
        load_catalogue()


def test_the_window_gets_the_bundled_rows_and_what_is_wrong_with_the_own_ones() -> None:
    write("nonsense")
    catalogue, error = load_catalogue_safely()
    assert catalogue == bundled_catalogue()
    assert error is not None and "line 1" in str(error)


def test_rows_cannot_be_changed_by_those_who_read_them() -> None:
    with pytest.raises(TypeError):
        BUNDLED[0].sources["features"] = "me"  # type: ignore[index]


def test_the_bundled_file_is_packed_into_the_wheel() -> None:
    project = tomllib.loads((resources.resource(CATALOGUE_FILE).parent.parent / "pyproject.toml").read_text("utf-8"))
    packed = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert packed[f"resources/{CATALOGUE_FILE}"] == f"hubstudio/resources/{CATALOGUE_FILE}"


@pytest.mark.slow
@each_row
def test_counted_figures_are_what_the_named_architecture_has(row: CatalogueRow) -> None:
    applications = pytest.importorskip("keras").applications
    counted = re.fullmatch(
        r"counted: keras\.applications\.(\w+)\((.*?)\)(?:, without its layer '(\w+)')?",
        row.sources.get("parameters", ""),
    )
    if not counted:
        pytest.skip("the parameters of this row were published")
    options = {name: ast.literal_eval(value) for name, value in re.findall(r"(\w+)=([\w.]+)", counted[2])}
    shape = (row.input_size, row.input_size, 3)
    network = getattr(applications, counted[1])(weights=None, input_shape=shape, **options)
    left_out = sum(layer.count_params() for layer in network.layers if layer.name.split("_")[0] == counted[3])
    assert bool(left_out) is bool(counted[3])
    assert network.count_params() - left_out == row.parameters
    if "include_top" in options:
        assert network.output_shape[-1] == row.features


def test_a_row_says_nothing_that_was_not_given() -> None:
    bare = CatalogueRow("a", "A", "https://h.org/1")
    assert (
        replace(bare, kaggle="a/b/tensorFlow2/c/1").kaggle_address
        == "https://www.kaggle.com/models/a/b/TensorFlow2/c/1"
    )
    assert (bare.kaggle_address, bare.features, bare.any_size, dict(bare.sources)) == ("", None, False, {})
