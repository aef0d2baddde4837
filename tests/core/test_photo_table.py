import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from hubstudio.core.errors import PhotosError
from hubstudio.core.parts import Part
from hubstudio.core.photo_listing import scan
from hubstudio.core.photo_table import read_table
from hubstudio.core.split import Shares, split_photos
from hubstudio.core.split_file import save_split

MakeTable = Callable[..., Path]


@pytest.fixture
def make_table(tmp_path: Path) -> MakeTable:
    """Write a table of this content beside the files of these names, which are empty."""

    def make(content: str | bytes, *names: str, encoding: str = "utf-8") -> Path:
        for name in names or ("a.jpg", "b.jpg"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        table = tmp_path / "list.csv"
        table.write_bytes(content if isinstance(content, bytes) else content.encode(encoding, "surrogateescape"))
        return table

    return make


def rows(table: Path) -> list[tuple[str, str, Part | None]]:
    photos, problems = read_table(table)
    assert not problems
    return [(photo.path.relative_to(table.parent).as_posix(), photo.class_name, photo.given) for photo in photos]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("heading", ["", "path{0}label\n", "Image{0}Class\r\n", "\n\nLABEL_PATH"])
def test_a_path_and_a_label_in_each_line_are_enough(make_table: MakeTable, delimiter: str, heading: str) -> None:
    heading = "" if heading.endswith("LABEL_PATH") else heading
    table = make_table(f"{heading.format(delimiter)}a.jpg{delimiter}cat\nb.jpg{delimiter}dog\n")
    assert rows(table) == [("a.jpg", "cat", None), ("b.jpg", "dog", None)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_tables_of_every_usual_encoding_are_read(make_table: MakeTable, encoding: str) -> None:
    table = make_table("path;label\nü.jpg;Äpfel\n", "ü.jpg", encoding=encoding)
    assert rows(table) == [("ü.jpg", "Äpfel", None)]


def test_columns_may_stand_in_any_order_among_others(make_table: MakeTable) -> None:
    table = make_table("id,split,label,notes,name,path\n7,Val,cat,,first,a.jpg\n8,TRAIN,dog,x,second,b.jpg\n")
    assert rows(table) == [("a.jpg", "cat", Part.VALIDATION), ("b.jpg", "dog", Part.TRAINING)]


def test_a_third_column_without_headings_is_the_split(make_table: MakeTable) -> None:
    assert rows(make_table("a.jpg,cat,test\nb.jpg,dog,\n")) == [("a.jpg", "cat", Part.TEST), ("b.jpg", "dog", None)]


def test_paths_are_relative_to_the_table_or_absolute_or_of_windows(make_table: MakeTable, tmp_path: Path) -> None:
    content = f"sub\\a.jpg,cat\n./sub/../b.jpg,cat\n{tmp_path / 'c.jpg'},cat\n"
    table = make_table(content, "sub/a.jpg", "b.jpg", "c.jpg")
    assert [name for name, _, _ in rows(table)] == ["sub/a.jpg", "b.jpg", "c.jpg"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
@pytest.mark.parametrize(
    "name", ['quote"d.jpg', "line\nbreak.jpg", "a,b.jpg", " blank .jpg ", "back\\slash.jpg", "'.jpg"]
)
@pytest.mark.parametrize("heading", ["path,label\n", ""])
def test_odd_names_are_found(make_table: MakeTable, name: str, heading: str) -> None:
    quoted = name.replace('"', '""')
    assert rows(make_table(f'{heading}"{quoted}",cat\n', name)) == [(name, "cat", None)]


def test_commas_in_quoted_names_do_not_decide_the_delimiter(make_table: MakeTable) -> None:
    assert rows(make_table('"a, b, c, d.jpg";cat\n', "a, b, c, d.jpg")) == [("a, b, c, d.jpg", "cat", None)]


def test_blanks_around_paths_and_labels_are_padding(make_table: MakeTable) -> None:
    assert rows(make_table("path , label\n a.jpg , cat \n")) == [("a.jpg", "cat", None)]


def test_empty_lines_mean_nothing(make_table: MakeTable) -> None:
    assert rows(make_table("\n\n ,\npath,label\n\na.jpg,cat\n,\n")) == [("a.jpg", "cat", None)]


def test_missing_files_are_named_with_their_lines(make_table: MakeTable, tmp_path: Path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    photos, (problem,) = read_table(make_table("path,label\na.jpg,cat\ngone.jpg,cat\nfolder.jpg,dog\n"))
    assert len(photos) == 1
    assert (problem.kind, problem.details) == ("missing", ("line 3", "line 4"))
    assert problem.files == (tmp_path / "gone.jpg", tmp_path / "folder.jpg")


@pytest.mark.parametrize(
    ("line", "reason"),
    [("a.jpg,dog", "another label"), (",dog", "no path"), ("b.jpg", "no label"),
     ("b.jpg,dog,tset", "'tset' is no part"), ("b\0.jpg,dog", "a path that cannot be")],
)  # fmt: skip
def test_a_line_that_cannot_be_is_named(make_table: MakeTable, line: str, reason: str) -> None:
    photos, (problem,) = read_table(make_table("path,label,split\n" + "a.jpg,cat\n" * 2000 + f"{line}\n"))
    assert [photo.class_name for photo in photos] == ["cat"]
    assert problem.kind == "table_lines"
    assert reason in problem.message
    assert "line 2002" in problem.message


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "It is empty"),
        (b"\n \n", "It is empty"),
        (b"path,label\n", "It has no lines"),
        (b"just some words\nand more\n", "Its first line is 'just some words'"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "It is not text"),
        (b"PK\x03\x04" + b"\0" * 200, "It is not text"),
        (b"path,label\n" + b"x" * 1_100_000 + b",cat\n", "field larger than field limit"),
        (b'path,label\n"a.jpg,cat\nb.jpg,dog\n', "Line 3: no label"),
    ],
)
def test_what_is_no_table_says_why(make_table: MakeTable, content: bytes, found: str) -> None:
    with pytest.raises(PhotosError, match="is not a table of photos") as caught:
        read_table(make_table(content))
    assert found in caught.value.found


@pytest.mark.parametrize(
    "content", [Random(1).randbytes(3000), b"\xff\xfe\xff", b"\xff\xfe\0\0a\0\0\0", b"\r\r\r,\r", b'"""', b'"']
)
def test_any_bytes_are_at_most_refused(make_table: MakeTable, content: bytes) -> None:
    try:
        read_table(make_table(content))
    except PhotosError as error:
        assert "is not a table of photos" in error.what


def test_a_label_of_thousands_of_digits_is_sorted(make_table: MakeTable) -> None:
    table = make_table(f"a.jpg,{'7' * 9000}\nb.jpg,8\n")
    assert len(scan(table).classes) == 2


def test_a_table_of_20_000_lines_is_read(make_table: MakeTable) -> None:
    table = make_table("path,label\n" + "a.jpg,cat\n" * 10_000 + "gone.jpg,cat\n" * 10_000)
    photos, (problem,) = read_table(table)
    assert (len(photos), len(problem.files)) == (1, 10_000)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_a_table_that_is_a_link_to_nowhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.csv").symlink_to("nowhere")
    with pytest.raises(PhotosError, match="There is no folder"):
        scan(tmp_path / "list.csv")


def test_our_own_split_is_a_table_with_its_parts_kept(tmp_path: Path) -> None:
    names = [f"{name}/{number}.jpg" for name in ("cats", "dogs") for number in range(20)]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    photo_set = scan(tmp_path)
    split = split_photos(photo_set, 1, Shares()).without([photo_set.photos[0]])
    save_split(photo_set, split, tmp_path / "split.csv")
    found = scan(tmp_path / "split.csv")
    assert {photo.path: photo.given for photo in found.photos} == {
        photo.path: part for photo, part in split.assigned if part is not Part.LEFT_OUT
    }
    assert [photo.path for photo in found.left_out] == [photo_set.photos[0].path]
