"""A module arrives whole or not at all, whatever the server does."""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.conftest import HASTY, MODULE, Fetcher, files_in, info_of, packed
from hub.misbehaving_server import Misbehaving, Reply, misbehaving, wait_until
from hubstudio.core.errors import BackboneError, Cancelled, DamagedModuleError, UnsafeModuleError
from hubstudio.core.module_cache import ModuleState, look_up
from hubstudio.core.module_places import EntryPaths, key
from hubstudio.hub import download, failures
from hubstudio.hub.requests import Patience


def only_the_module(cache: Path, handle: str) -> bool:
    """Whether the cache holds the whole module and nothing that was only needed on the way."""
    names = {key(handle) + end for end in ("", ".descriptor.txt", ".hubstudio.json", ".hubstudio.lock")}
    return {path.name for path in cache.iterdir()} == names and files_in(cache / key(handle)) == files_in(MODULE)


def test_a_module_comes_whole_and_leaves_nothing_else(server: Misbehaving, fetcher: Fetcher, cache: Path) -> None:
    info = fetcher(server.handle)
    assert (info.handle, info.folder) == (server.handle, cache / key(server.handle))
    assert only_the_module(cache, server.handle)
    assert server.asked[0].path.endswith("/1?tf-hub-format=compressed")
    assert server.asked[0].headers["user-agent"].startswith("hubstudio/")


def test_progress_tells_bytes_speed_and_time_left(archive: bytes, fetcher: Fetcher) -> None:
    with misbehaving(Reply(archive, seconds_between_pieces=0.06)) as server:
        fetcher(server.handle)
    assert fetcher.fetched[0].done == 0
    assert (fetcher.fetched[-1].done, fetcher.fetched[-1].seconds_left) == (len(archive), 0)
    between = [event for event in fetcher.fetched if 0 < event.done < len(archive)]
    assert between
    for event in between:
        assert event.total == len(archive)
        assert event.bytes_per_second > 0
        assert event.seconds_left == pytest.approx((len(archive) - event.done) / event.bytes_per_second)


def test_a_module_that_is_here_is_not_asked_for_again(server: Misbehaving, fetcher: Fetcher) -> None:
    fetcher(server.handle)
    fetcher(server.handle)
    assert server.connections == 1


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1), has_ranges=st.booleans())
def test_a_connection_cut_at_any_byte_is_gone_on_with(
    archive: bytes, share: float, has_ranges: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cut = int(share * (len(archive) - 1))
    cache = tmp_path_factory.mktemp("cache")
    os.environ["TFHUB_CACHE_DIR"] = str(cache)  # the fixture puts it back
    with misbehaving(Reply(archive, ranges=has_ranges)) as server:
        server.script = [Reply(archive, ranges=has_ranges, cut_after=cut)]
        Fetcher()(server.handle)
        assert only_the_module(cache, server.handle)
        # The first bytes must show an archive before any are kept.
        assert [asked.range for asked in server.asked] == ["", f"bytes={cut}-" if cut >= 512 else ""]


def test_what_came_survives_the_program_and_is_not_fetched_twice(
    server: Misbehaving, archive: bytes, cache: Path
) -> None:
    server.script = [Reply(archive, cut_after=20_000)] + [Reply(status=503)] * 3
    with pytest.raises(BackboneError, match="trouble of its own"):
        Fetcher()(server.handle)
    assert look_up(server.handle).state is ModuleState.PARTIAL
    assert look_up(server.handle).bytes == 20_000
    later = Fetcher()
    later(server.handle)
    assert server.asked[-1].range == "bytes=20000-"
    assert server.asked[-1].headers["if-range"] == '"one"'
    assert later.fetched[0].done == 20_000
    assert only_the_module(cache, server.handle)


def test_many_cuts_in_a_row_come_to_an_end_as_long_as_something_comes(
    server: Misbehaving, archive: bytes, fetcher: Fetcher, cache: Path
) -> None:
    server.script = [Reply(archive, cut_after=cut) for cut in range(2_000, len(archive), 4_000)]
    fetcher(server.handle)
    assert only_the_module(cache, server.handle)


def test_an_archive_that_was_replaced_meanwhile_is_fetched_from_its_beginning(
    server: Misbehaving, archive: bytes, fetcher: Fetcher, cache: Path
) -> None:
    old = bytes(reversed(archive))
    server.script = [Reply(archive[:2] + old[2:], etag='"old"', cut_after=9_000)]
    fetcher(server.handle)
    assert server.asked[1].headers["if-range"] == '"old"'
    assert only_the_module(cache, server.handle)


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param({"etag": '"two"'}, id="another version"),
        pytest.param({"headers": (("Content-Range", "bytes 5-9/10"),)}, id="another place"),
        pytest.param({"headers": ()}, id="no place"),
    ],
)
def test_a_continuation_that_does_not_fit_is_not_appended(
    server: Misbehaving, archive: bytes, fetcher: Fetcher, cache: Path, rest: dict[str, object]
) -> None:
    spoken = (("Content-Range", f"bytes 9000-{len(archive) - 1}/{len(archive)}"),)
    wrong = Reply(**{"body": archive[9_000:], "status": 206, "headers": spoken, **rest})  # type: ignore[arg-type]
    server.script = [Reply(archive, cut_after=9_000), wrong]
    fetcher(server.handle)
    assert server.asked[-1].range == ""
    assert only_the_module(cache, server.handle)


def test_pieces_that_do_not_fit_together_are_fetched_once_more_as_one(
    server: Misbehaving, archive: bytes, fetcher: Fetcher, cache: Path
) -> None:
    server.script = [Reply(archive[:5_000] + b"x" * (len(archive) - 5_000), cut_after=9_000)]
    fetcher(server.handle)
    assert [asked.range for asked in server.asked] == ["", "bytes=9000-", ""]
    assert only_the_module(cache, server.handle)


def test_without_a_version_to_ask_by_it_starts_again(archive: bytes, fetcher: Fetcher, cache: Path) -> None:
    with misbehaving(Reply(archive, etag="")) as server:
        server.script = [Reply(archive, etag="", cut_after=9_000)]
        fetcher(server.handle)
        assert [asked.range for asked in server.asked] == ["", ""]
        assert only_the_module(cache, server.handle)


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_server_that_does_not_say_the_length_is_good_enough(
    archive: bytes, fetcher: Fetcher, cache: Path, is_chunked: bool
) -> None:
    chunked = Reply(
        b"%x\r\n%s\r\n0\r\n\r\n" % (len(archive), archive), headers=(("Transfer-Encoding", "chunked"),), declared=None
    )
    with misbehaving(chunked if is_chunked else Reply(archive, declared=None)) as server:
        fetcher(server.handle)
        assert only_the_module(cache, server.handle)
    assert all(event.total is None for event in fetcher.fetched[:-1])


@pytest.mark.parametrize(("extra", "what"), [(10_000, "cut again and again"), (-10_000, "damaged")])
def test_a_wrong_length_never_makes_a_module(
    archive: bytes, fetcher: Fetcher, cache: Path, extra: int, what: str
) -> None:
    with misbehaving(Reply(archive, declared=len(archive) + extra, ranges=False)) as server:
        with pytest.raises(BackboneError, match=what):
            fetcher(server.handle)
        assert look_up(server.handle).state in (ModuleState.ABSENT, ModuleState.PARTIAL)


@pytest.mark.parametrize("seed", range(8))
def test_a_flipped_bit_is_never_accepted(archive: bytes, fetcher: Fetcher, seed: int) -> None:
    place = random.Random(seed).randrange(20, len(archive))
    spoiled = bytearray(archive)
    spoiled[place] ^= 1 << (seed % 8)
    with misbehaving(Reply(bytes(spoiled))) as server:
        with pytest.raises(BackboneError, match=r"damaged|not safe|no module"):
            fetcher(server.handle)
        assert look_up(server.handle).state is ModuleState.ABSENT


@pytest.mark.parametrize("kept", [3, 500, 20_000, -1, -8])
def test_a_truncated_archive_is_called_damaged(archive: bytes, fetcher: Fetcher, kept: int) -> None:
    with misbehaving(Reply(archive[:kept])) as server, pytest.raises(BackboneError, match="damaged") as caught:
        fetcher(server.handle)
    assert "Try again" in caught.value.next_step


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "web page"),
        (b"PK\x03\x04" + b"\0" * 600, "zip"),
        (b"", "empty"),
        (b"hello", "no gzip"),
    ],
)
def test_an_answer_that_is_no_archive_is_named(fetcher: Fetcher, body: bytes, found: str) -> None:
    with misbehaving(Reply(body)) as server:
        with pytest.raises(BackboneError, match="no module") as caught:
            fetcher(server.handle)
        assert found in caught.value.found
        assert server.connections == 1
        assert look_up(server.handle).state is ModuleState.ABSENT


def test_a_sign_in_page_does_not_cost_what_came_before(
    server: Misbehaving, archive: bytes, fetcher: Fetcher, cache: Path
) -> None:
    server.script = [Reply(archive, cut_after=9_000), Reply(b"<html>Sign in</html>", ranges=False)]
    with pytest.raises(BackboneError, match="sign in first"):
        fetcher(server.handle)
    assert look_up(server.handle).bytes == 9_000
    fetcher(server.handle)
    assert server.asked[-1].range == "bytes=9000-"


@pytest.mark.parametrize("declared", [-1, None])
def test_what_is_larger_than_any_module_is_stopped(
    archive: bytes, fetcher: Fetcher, cache: Path, monkeypatch: pytest.MonkeyPatch, declared: int | None
) -> None:
    monkeypatch.setattr(download, "_MOST_BYTES", 10_000)
    with misbehaving(Reply(archive, declared=declared)) as server:
        with pytest.raises(BackboneError, match="no module"):
            fetcher(server.handle)
        assert look_up(server.handle).state is ModuleState.ABSENT


def test_an_archive_without_a_module_is_not_kept(fetcher: Fetcher) -> None:
    with misbehaving(Reply(packed(("keras.h5", b"x"), folder=None))) as server:
        with pytest.raises(BackboneError, match="no module") as caught:
            fetcher(server.handle)
        assert "keras.h5" in caught.value.found
        assert look_up(server.handle).state is ModuleState.ABSENT


def test_a_module_in_one_top_folder_is_taken_out_of_it(fetcher: Fetcher, cache: Path) -> None:
    with misbehaving(Reply(packed(top="module"))) as server:
        fetcher(server.handle)
        assert only_the_module(cache, server.handle)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 408])
def test_a_server_in_trouble_is_asked_again(server: Misbehaving, fetcher: Fetcher, cache: Path, status: int) -> None:
    server.script = [Reply(status=status), Reply(status=status, headers=(("Retry-After", "0"),))]
    fetcher(server.handle)
    assert only_the_module(cache, server.handle)
    assert server.connections == 3


@pytest.mark.parametrize(
    ("status", "what", "times"),
    [
        (401, "access is denied", 1),
        (403, "access is denied", 1),
        (404, "There is no module at", 1),
        (410, "There is no module at", 1),
        (418, "does not give", 1),
        (429, "takes no more requests", 3),
        (503, "trouble of its own", 3),
    ],
)
def test_each_refusal_has_its_own_sentence(fetcher: Fetcher, status: int, what: str, times: int) -> None:
    with misbehaving(Reply(status=status)) as server:
        with pytest.raises(BackboneError, match=what) as caught:
            fetcher(server.handle)
        assert str(status) in caught.value.found
        assert "import the module" in caught.value.next_step
        assert server.connections == times


def test_a_server_that_asks_to_be_left_alone_for_long_is(fetcher: Fetcher) -> None:
    with misbehaving(Reply(status=429, headers=(("Retry-After", "3600"),))) as server:
        with pytest.raises(BackboneError, match="Wait 3600 s"):
            fetcher(server.handle)
        assert server.connections == 1


@pytest.mark.parametrize("silent", [{"silent_at_once": True}, {"silent_after": 0}, {"silent_after": 9_000}])
def test_cancel_is_answered_while_the_server_is_silent(
    archive: bytes, fetcher: Fetcher, cache: Path, silent: dict[str, object]
) -> None:
    with misbehaving(Reply(archive, **silent)) as server:  # type: ignore[arg-type]
        fetcher.patience = Patience(read_seconds=60)
        given_up = threading.Timer(20, server.closing.set)  # a fetching that does not listen ends with the server
        given_up.daemon = True

        def cancel() -> None:
            wait_until(lambda: bool(server.asked) and (not silent.get("silent_after") or bool(fetcher.events)))
            fetcher.cancel.cancel()

        canceller = threading.Thread(target=cancel)
        canceller.start()
        given_up.start()
        with pytest.raises(Cancelled):
            fetcher(server.handle)
        assert not server.closing.is_set()
        given_up.cancel()
        canceller.join()
    wait_until(lambda: not any(thread.name == "module download" for thread in threading.enumerate()))
    assert not (cache / key(server.handle)).exists()


def test_a_silent_server_is_given_up(archive: bytes) -> None:
    impatient = Fetcher(patience=Patience(read_seconds=0.1, tries=2, first_pause=0.01))
    with misbehaving(Reply(archive, silent_after=9_000, ranges=False)) as server:
        with pytest.raises(BackboneError, match="did not answer in time"):
            impatient(server.handle)
        assert server.connections >= 2


def test_a_module_that_fails_the_look_inside_is_not_accepted(server: Misbehaving, fetcher: Fetcher) -> None:
    def refuse(handle: str, folder: Path) -> None:
        raise BackboneError("It is for text.")

    fetcher.check = refuse  # type: ignore[assignment]
    with pytest.raises(BackboneError, match="for text"):
        fetcher(server.handle)
    assert look_up(server.handle).state is ModuleState.ABSENT


def test_a_module_that_is_refused_as_unsafe_is_kept_for_who_insists(
    server: Misbehaving, fetcher: Fetcher, cache: Path
) -> None:
    def refuse(handle: str, folder: Path) -> None:
        raise UnsafeModuleError("It writes files.", operations=("WriteFile",))

    fetcher.check = refuse  # type: ignore[assignment]
    with pytest.raises(UnsafeModuleError):
        fetcher(server.handle)
    assert only_the_module(cache, server.handle)


def test_cancelling_during_the_look_inside_keeps_the_download(
    server: Misbehaving, fetcher: Fetcher, cache: Path
) -> None:
    def cancelled(handle: str, folder: Path) -> None:
        raise Cancelled

    fetcher.check = cancelled  # type: ignore[assignment]
    with pytest.raises(Cancelled):
        fetcher(server.handle)
    assert look_up(server.handle).state is ModuleState.PARTIAL
    assert not EntryPaths(cache / key(server.handle)).making.exists()
    fetcher.check = info_of
    fetcher(server.handle)
    assert server.connections == 1
    assert only_the_module(cache, server.handle)


@pytest.mark.parametrize("damage", ["empty", "cut", "missing"])
def test_a_damaged_entry_is_seen_and_mended(server: Misbehaving, fetcher: Fetcher, cache: Path, damage: str) -> None:
    entry = cache / key(server.handle)
    fetcher(server.handle)
    data = entry / "variables" / "variables.data-00000-of-00001"
    if damage == "empty":
        for name in files_in(entry):
            (entry / name).unlink()
    elif damage == "cut":
        data.write_bytes(data.read_bytes()[:-1])
    else:
        data.unlink()
    assert look_up(server.handle).state is ModuleState.BROKEN
    fetcher(server.handle)
    assert only_the_module(cache, server.handle)


def test_an_entry_that_only_loading_shows_to_be_damaged_is_mended(
    server: Misbehaving, fetcher: Fetcher, cache: Path
) -> None:
    fetcher(server.handle)
    data = cache / key(server.handle) / "variables" / "variables.data-00000-of-00001"
    good = data.read_bytes()
    data.write_bytes(good[:50] + b"XXXX" + good[54:])

    def check(handle: str, folder: Path) -> object:
        if (folder / "variables" / data.name).read_bytes() != good:
            raise DamagedModuleError("It does not load.")
        return info_of(handle, folder)

    fetcher.check = check  # type: ignore[assignment]
    fetcher(server.handle)
    assert only_the_module(cache, server.handle)


def test_a_module_that_never_loads_is_not_fetched_over_and_over(server: Misbehaving, fetcher: Fetcher) -> None:
    fetcher(server.handle)

    def check(handle: str, folder: Path) -> None:
        raise DamagedModuleError("It needs an operation that is not here.")

    fetcher.check = check  # type: ignore[assignment]
    with pytest.raises(DamagedModuleError):
        fetcher(server.handle)
    assert server.connections == 1


def test_too_little_space_is_said_with_figures_before_anything_is_written(
    server: Misbehaving, fetcher: Fetcher, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "free_bytes", lambda folder: 1_000)
    with pytest.raises(BackboneError, match="disk is too full") as caught:
        fetcher(server.handle)
    assert "are needed, 0 MB are free" in caught.value.found
    assert "remove" in caught.value.next_step
    assert not EntryPaths(cache / key(server.handle)).archive.exists()


def test_a_disk_that_fills_while_unpacking_keeps_the_download(
    server: Misbehaving, archive: bytes, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    monkeypatch.setattr(failures, "free_bytes", lambda folder: len(archive) + 1)
    with pytest.raises(BackboneError, match="disk is too full"):
        fetcher(server.handle)
    monkeypatch.undo()
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(cache))
    fetcher(server.handle)
    assert server.connections == 1


@pytest.mark.skipif(not Path("/dev/full").exists() or os.name == "nt", reason="needs /dev/full")
def test_a_full_disk_is_told_from_other_troubles(server: Misbehaving, fetcher: Fetcher, cache: Path) -> None:
    cache.mkdir()
    EntryPaths(cache / key(server.handle)).archive.symlink_to("/dev/full")
    with pytest.raises(BackboneError, match="disk is too full"):
        fetcher(server.handle)


def test_a_cache_that_cannot_be_written_says_so(
    server: Misbehaving, fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with pytest.raises(BackboneError, match="cannot be written to") as caught:
        fetcher(server.handle)
    assert "TFHUB_CACHE_DIR" in caught.value.next_step
    assert server.connections == 0


def test_the_patience_of_the_program_is_longer_than_that_of_its_tests() -> None:
    assert Patience().read_seconds > HASTY.read_seconds
