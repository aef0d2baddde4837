"""A program that dies at any point, or another that wants the same, never costs the module."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hub.conftest import MODULE, Fetcher, files_in
from hub.misbehaving_server import Misbehaving, Reply, misbehaving, wait_until
from hub.test_fetch import only_the_module
from hubstudio.core.errors import Cancelled
from hubstudio.core.module_cache import ModuleState, look_up
from hubstudio.core.module_places import EntryPaths, key

PROGRAM = Path(__file__).with_name("fetching_program.py")
MOST_NAMES = 8  # folder, descriptor, record, lock, TF Hub's lock, archive, its facts, one of making and outgoing
_RANDOM = random.Random(4)
SEEDED_SHARES = [0.0, 1.0, *(_RANDOM.random() for _ in range(7))]


def start(handle: str, last_step: int = 0) -> subprocess.Popen[str]:
    """Start a program that fetches into the cache that the environment names."""
    root = str(PROGRAM.parents[2])
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", str(PROGRAM), handle, str(last_step)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": root},
    )  # fmt: skip


def ended(program: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for its end."""
    out, _ = program.communicate(timeout=60)
    return program.returncode, out


@pytest.fixture(scope="module")
def steps(archive: bytes, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many steps a fetch takes when nobody disturbs it."""
    with misbehaving(Reply(archive)) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFHUB_CACHE_DIR", str(tmp_path_factory.mktemp("counted")))
        code, out = ended(start(server.handle))
    assert code == 0
    return int(out)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("share", SEEDED_SHARES)
def test_killed_at_any_step_the_next_try_gets_a_whole_module(
    server: Misbehaving, cache: Path, steps: int, share: float
) -> None:
    last = 1 + round(share * (steps - 1))
    code, _ = ended(start(server.handle, last))
    assert code == -signal.SIGKILL
    left = look_up(server.handle)
    assert left.state is not ModuleState.BROKEN
    assert left.state is not ModuleState.READY or files_in(left.folder) == files_in(MODULE)
    Fetcher()(server.handle)
    assert only_the_module(cache, server.handle)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_killed_again_and_again_while_mending_the_leftovers_do_not_grow(
    server: Misbehaving, cache: Path, steps: int
) -> None:
    entry = cache / key(server.handle)
    (entry / "variables").mkdir(parents=True)
    (entry / "saved_model.pb").write_bytes(b"")  # as another program might have left it
    sizes = []
    for share in (0.3, 0.5, 0.7, 0.85, 0.95):
        code, _ = ended(start(server.handle, 1 + round(share * steps)))
        assert code in (0, -signal.SIGKILL)  # what came before shortens the way
        assert len(list(cache.iterdir())) <= MOST_NAMES
        sizes.append(sum(len(content) for content in files_in(cache).values()))
    assert max(sizes) < 3 * sum(len(content) for content in files_in(MODULE).values())
    Fetcher()(server.handle)
    assert only_the_module(cache, server.handle)


def test_two_programs_at_once_end_with_one_good_copy_and_one_download(archive: bytes, cache: Path) -> None:
    with misbehaving(Reply(archive, seconds_between_pieces=0.1)) as server:
        programs = [start(server.handle), start(server.handle)]
        assert [ended(program)[0] for program in programs] == [0, 0]
        assert only_the_module(cache, server.handle)
        assert server.connections == 1


def test_who_waits_for_another_program_can_cancel_and_sees_its_progress(archive: bytes, cache: Path) -> None:
    def cancelled(fetcher: Fetcher, handle: str) -> None:
        with pytest.raises(Cancelled):
            fetcher(handle)

    fetching = Fetcher()
    waiting = Fetcher()
    with misbehaving(Reply(archive, silent_after=20_000)) as server:
        first = threading.Thread(target=cancelled, args=(fetching, server.handle))
        first.start()
        wait_until(lambda: look_up(server.handle).bytes > 0)
        second = threading.Thread(target=cancelled, args=(waiting, server.handle))
        second.start()
        wait_until(lambda: any(event.done for event in waiting.fetched))
        waiting.cancel.cancel()
        second.join(5)
        assert not second.is_alive()
        fetching.cancel.cancel()
        first.join(5)
        assert not first.is_alive()
        assert server.connections == 1


def _held_by_hub(cache: Path, handle: str, process: int) -> EntryPaths:
    """Write what TF Hub writes while it fetches."""
    entry = EntryPaths(cache / key(handle))
    cache.mkdir()
    entry.hub_lock.write_text(f"{socket.gethostname()}.{process}.0123abcd")
    temporary = cache / f"{key(handle)}.0123abcd.tmp"
    temporary.mkdir()
    (temporary / "saved_model.pb").write_bytes(b"half")
    return entry


def test_a_download_by_tf_hub_is_waited_for_and_used(server: Misbehaving, cache: Path, fetcher: Fetcher) -> None:
    entry = _held_by_hub(cache, server.handle, os.getpid())
    assert look_up(server.handle).state is ModuleState.PARTIAL
    thread = threading.Thread(target=fetcher, args=(server.handle,))
    thread.start()
    wait_until(lambda: bool(fetcher.fetched))
    shutil.copytree(MODULE, entry.folder)  # what TF Hub does when it is through: put in place, unlock
    entry.hub_lock.unlink()
    thread.join(10)
    assert not thread.is_alive()
    assert server.connections == 0


@pytest.mark.skipif(os.name == "nt", reason="whether a process is gone is not asked on Windows")
def test_what_a_dead_tf_hub_left_is_swept_away(server: Misbehaving, cache: Path, fetcher: Fetcher) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    _held_by_hub(cache, server.handle, dead.pid)
    fetcher(server.handle)
    assert only_the_module(cache, server.handle)


def test_a_hub_lock_without_a_sign_of_life_for_long_is_swept_away(
    server: Misbehaving, cache: Path, fetcher: Fetcher
) -> None:
    _held_by_hub(cache, server.handle, os.getpid())
    for path in (*cache.rglob("*"),):
        os.utime(path, (1, 1))
    fetcher(server.handle)
    assert only_the_module(cache, server.handle)
