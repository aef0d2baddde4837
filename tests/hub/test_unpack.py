"""An archive gives regular files inside one folder, within bounds, or nothing."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.conftest import MODULE, files_in, packed
from hubstudio.core.errors import BackboneError, Cancelled
from hubstudio.core.module_record import file_facts
from hubstudio.hub.archive_names import Names, UnsafeName
from hubstudio.hub.unpack import Bounds, unpack


def unpacked(archive: Path, bounds: Bounds | None = None) -> Path:
    made, _ = unpack("https://host/m/1", archive, archive.parent / "making", lambda done, total: None, bounds)
    return made


def archive_of(tmp_path: Path, *entries: tarfile.TarInfo, content: bytes = b"") -> Path:
    """Write a whole module followed by odd entries."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.add(MODULE, arcname=".")
        for entry in entries:
            tar.addfile(entry, io.BytesIO(content) if entry.isreg() else None)
    path = tmp_path / "module.tar.gz"
    path.write_bytes(buffer.getvalue())
    return path


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


def test_a_whole_archive_becomes_the_same_files_with_their_digests(tmp_path: Path) -> None:
    archive = tmp_path / "module.tar.gz"
    archive.write_bytes(packed())
    made, files = unpack("x", archive, tmp_path / "making", lambda done, total: None)
    assert files_in(made) == files_in(MODULE)
    assert files == {name: file_facts(MODULE / name) for name in files_in(MODULE)}


@pytest.mark.parametrize("top", ["module", "a/b", "./a/b/c"])
@pytest.mark.parametrize(
    "beside",
    [(), (".DS_Store", "README.md"), ("__MACOSX/._module", "__MACOSX/module/saved_model.pb"), ("._a", "z/notes.txt")],
    ids=str,
)
def test_the_only_folder_that_holds_a_module_is_taken_whatever_lies_beside_it(
    tmp_path: Path, top: str, beside: tuple[str, ...]
) -> None:
    (tmp_path / "m.tar.gz").write_bytes(packed(*((name, b"x") for name in beside), top=top))
    made, files = unpack("x", tmp_path / "m.tar.gz", tmp_path / "making", lambda done, total: None)
    assert made == tmp_path / "making" / top
    assert files_in(made) == files_in(MODULE)
    assert files == {name: file_facts(MODULE / name) for name in files_in(MODULE)}


def test_a_module_among_the_assets_of_another_belongs_to_it(tmp_path: Path) -> None:
    inside = ("a/assets/inner/saved_model.pb", b"x")
    (tmp_path / "m.tar.gz").write_bytes(packed(inside, top="a"))
    assert unpacked(tmp_path / "m.tar.gz") == tmp_path / "making" / "a"


def test_of_several_modules_none_is_guessed_and_all_are_named(tmp_path: Path) -> None:
    (tmp_path / "m.tar.gz").write_bytes(packed(("b/saved_model.pb", b"x"), top="a/one"))
    with pytest.raises(BackboneError, match="more than one module") as caught:
        unpacked(tmp_path / "m.tar.gz")
    assert "'a/one', 'b'" in caught.value.found
    assert "choose the folder" in caught.value.next_step


@pytest.mark.parametrize(
    "odd",
    [
        entry("../outside"),
        entry("a/../../outside"),
        entry("/outside"),
        entry("C:/outside"),
        entry("..\\outside"),
        entry("assets/con.txt"),
        entry("assets/name. "),
        entry("assets/new\nline"),
        entry("SAVED_MODEL.PB"),
        entry("saved_model.pb"),
        entry("saved_model.pb/inside"),
        entry("variables"),
        entry("/".join("abcdefghijklmnopqrstuvwxyz")),
        entry("x" * 300),
        entry("link", tarfile.SYMTYPE, "/etc/passwd"),
        entry("link", tarfile.SYMTYPE, "saved_model.pb"),
        entry("link", tarfile.LNKTYPE, "saved_model.pb"),
        entry("pipe", tarfile.FIFOTYPE),
        entry("device", tarfile.CHRTYPE),
        entry("device", tarfile.BLKTYPE),
        entry("odd", b"Z"),
    ],
    ids=lambda odd: f"{odd.name[:20]!r} {odd.type.decode()}",
)
def test_what_no_module_needs_is_refused_and_nothing_leaves_the_folder(tmp_path: Path, odd: tarfile.TarInfo) -> None:
    (tmp_path / "here").mkdir()
    archive = archive_of(tmp_path / "here", odd)
    with pytest.raises(BackboneError, match="not safe to unpack") as caught:
        unpacked(archive)
    assert caught.value.found
    assert {path.name for path in tmp_path.iterdir()} == {"here"}
    inside = tmp_path / "here" / "making"
    assert all(path.is_dir() or (path.is_file() and not path.is_symlink()) for path in inside.rglob("*"))


def test_a_link_that_a_later_file_would_go_through_is_refused_first(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    archive = archive_of(tmp_path, entry("a", tarfile.SYMTYPE, str(target)), entry("a/file"))
    with pytest.raises(BackboneError, match="not safe"):
        unpacked(archive)
    assert not list(target.iterdir())


def test_a_bomb_is_stopped_at_the_bound(tmp_path: Path) -> None:
    big = entry("zeros")
    big.size = 3_000_000
    archive = archive_of(tmp_path, big, content=b"\0" * big.size)
    with pytest.raises(BackboneError, match="grows to more than 2 MB"):
        unpacked(archive, Bounds(bytes=2_000_000))
    assert sum(path.stat().st_size for path in (tmp_path / "making").rglob("*") if path.is_file()) <= 2_000_000


def test_zeros_behind_the_end_are_within_the_bound_too(tmp_path: Path) -> None:
    plain = gzip.decompress(packed()) + b"\0" * 5_000_000
    (tmp_path / "m.tar.gz").write_bytes(gzip.compress(plain))
    with pytest.raises(BackboneError, match="grows to more"):
        unpacked(tmp_path / "m.tar.gz", Bounds(bytes=2_000_000))


def test_a_thousandfold_growth_is_too_much_whatever_the_size(tmp_path: Path) -> None:
    assert Bounds().total(1_000_000) == 1_000_000 * 100 + 256 * 2**20
    assert Bounds().total(10**9) == 8 << 30


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.DIRTYPE])
def test_too_many_files_or_folders_are_refused(tmp_path: Path, kind: bytes) -> None:
    archive = archive_of(tmp_path, *(entry(f"{number}", kind) for number in range(30)))
    with pytest.raises(BackboneError, match="more than 20 files and folders"):
        unpacked(archive, Bounds(members=20))


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_a_name_of_megabytes_is_refused_before_it_is_read(tmp_path: Path, kind: bytes) -> None:
    header = entry("x", kind)
    header.size = 5_000_000
    plain = header.tobuf(tarfile.GNU_FORMAT) + b"n" * 5_000_000
    (tmp_path / "m.tar.gz").write_bytes(gzip.compress(plain))
    with pytest.raises(BackboneError, match="longer than a megabyte"):
        unpacked(tmp_path / "m.tar.gz")


def test_a_file_with_holes_is_refused(tmp_path: Path) -> None:
    sparse = entry("holes")
    sparse.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9999999999"}
    sparse.size = 512
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(sparse, io.BytesIO(b"0\n".ljust(512, b"\0")))
    (tmp_path / "m.tar.gz").write_bytes(buffer.getvalue())
    with pytest.raises(BackboneError, match="holes"):
        unpacked(tmp_path / "m.tar.gz")


def test_a_plain_tar_of_this_computer_is_taken_too(tmp_path: Path) -> None:
    (tmp_path / "m.tar").write_bytes(gzip.decompress(packed()))
    assert files_in(unpacked(tmp_path / "m.tar")) == files_in(MODULE)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_plain_tar_that_is_cut_off_is_called_damaged(tmp_path: Path, kept: float) -> None:
    plain = gzip.decompress(packed())
    used = plain.rstrip(b"\0")
    (tmp_path / "m.tar").write_bytes(plain[: int(len(used) * kept)])
    with pytest.raises(BackboneError, match="damaged"):
        unpacked(tmp_path / "m.tar")


def test_what_is_no_archive_at_all_is_no_module(tmp_path: Path) -> None:
    (tmp_path / "m.tar.gz").write_bytes(b"hello, this is a letter" * 100)
    with pytest.raises(BackboneError, match="no module"):
        unpacked(tmp_path / "m.tar.gz")


def test_garbage_behind_the_end_is_damage(tmp_path: Path) -> None:
    (tmp_path / "m.tar.gz").write_bytes(packed() + b"garbage")
    with pytest.raises(BackboneError, match="damaged"):
        unpacked(tmp_path / "m.tar.gz")


def test_it_can_be_stopped_in_the_midst(tmp_path: Path) -> None:
    (tmp_path / "m.tar.gz").write_bytes(packed())

    def on_bytes(done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        unpack("x", tmp_path / "m.tar.gz", tmp_path / "making", on_bytes)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40))
def test_whatever_name_is_taken_lies_inside(tmp_path: Path, name: str) -> None:
    try:
        parts = Names().take(name, is_folder=False)
    except UnsafeName:
        return
    target = tmp_path.joinpath(*parts)
    assert target == tmp_path or tmp_path in target.resolve().parents


def test_names_that_are_one_on_some_systems_are_refused() -> None:
    for one, other in (("Straße", "STRASSE"), ("é", "e\u0301"), ("a/b", "A/c")):
        names = Names()
        names.take(one, is_folder=False)
        with pytest.raises(UnsafeName, match=r"same name|twice"):
            names.take(other, is_folder=False)
