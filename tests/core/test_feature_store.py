"""The store of features: what was computed once is found again, whatever happened meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hubstudio.core import feature_store, paths
from hubstudio.core.feature_store import FeatureKey, FeatureStore

KEY = FeatureKey(module="abc", endpoint="", size=96, preprocessing="1")


def digest(number: int) -> bytes:
    return number.to_bytes(feature_store.DIGEST_BYTES, "big")


def row(number: int, features: int = 5) -> NDArray[np.float32]:
    return np.random.default_rng(number).normal(size=features).astype(np.float32)


def fill(numbers: range, key: FeatureKey = KEY, features: int = 5) -> None:
    with FeatureStore.open(key, features) as store:
        for number in numbers:
            store.add(digest(number), row(number, features))


def segments() -> list[Path]:
    return sorted(feature_store.features_folder().glob("*/*.npy"))


def known(numbers: range, key: FeatureKey = KEY, features: int = 5) -> list[int]:
    """Return which of the numbers the store knows, each with exactly the row that was put in."""
    found, rows = FeatureStore.open(key, features).find([digest(number) for number in numbers])
    for number, is_known, values in zip(numbers, found, rows, strict=True):
        if is_known:
            np.testing.assert_array_equal(values, row(number, features))
    return [number for number, is_known in zip(numbers, found, strict=True) if is_known]


def test_features_are_found_again_bit_by_bit() -> None:
    fill(range(7))
    assert known(range(-0, 9)) == list(range(7))


def test_an_empty_store_knows_nothing_and_writes_nothing() -> None:
    assert known(range(3)) == []
    fill(range(0))
    assert not feature_store.features_folder().exists()


@pytest.mark.parametrize(
    "other",
    [
        FeatureKey("abd", "", 96, "1"),
        FeatureKey("abc", "layer_3", 96, "1"),
        FeatureKey("abc", "", 128, "1"),
        FeatureKey("abc", "", 96, "2"),
    ],
)
def test_another_key_shares_nothing(other: FeatureKey) -> None:
    fill(range(3))
    assert known(range(3), other) == []


def test_what_is_added_later_joins_what_is_there() -> None:
    fill(range(4))
    fill(range(4, 6))
    assert known(range(10)) == list(range(6))


def test_a_stores_features_reach_the_disk_while_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_store, "_SEGMENT_BYTES", 3 * 5 * 4)
    store = FeatureStore.open(KEY, 5)
    for number in range(7):
        store.add(digest(number), row(number))
    assert known(range(7)) == list(range(6))  # without ``write``: as after a kill


def test_a_store_of_another_length_of_features_is_begun_anew() -> None:
    fill(range(3), features=5)
    assert known(range(3), features=6) == []
    fill(range(2), features=6)
    assert known(range(3), features=6) == [0, 1]


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_damaged_segment_never_gives_wrong_features(data: st.DataObject) -> None:
    feature_store.empty()
    fill(range(6))
    (segment,) = segments()
    content = bytearray(segment.read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    segment.write_bytes(content)
    known(range(6))
    fill(range(6))
    assert known(range(6)) == list(range(6))


def test_many_small_segments_become_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_store, "_MANY_SEGMENTS", 3)
    for number in range(4):
        fill(range(number, number + 1))
    assert len(segments()) == 4
    assert known(range(4)) == [0, 1, 2, 3]
    assert len(segments()) == 1
    assert known(range(4)) == [0, 1, 2, 3]


def test_what_another_program_adds_while_segments_become_one_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        fill(range(number, number + 1))
    merge = FeatureStore._merge

    def while_another_adds(store: FeatureStore) -> None:
        with monkeypatch.context() as other:
            other.setattr(feature_store, "_MANY_SEGMENTS", 99)
            fill(range(4, 6))
        merge(store)

    monkeypatch.setattr(feature_store, "_MANY_SEGMENTS", 3)
    monkeypatch.setattr(FeatureStore, "_merge", while_another_adds)
    assert known(range(6)) == list(range(6))
    assert len(segments()) == 2


def test_what_was_not_used_for_longest_goes_first() -> None:
    other = FeatureKey("other", "", 96, "1")
    fill(range(3), KEY)
    fill(range(3), other)
    for file in segments():
        os.utime(file, (1, 1))
    FeatureStore.open(KEY, 5).used()
    size = feature_store.used_bytes()
    freed = feature_store.make_room(size - 1)
    assert freed == size // 2 == feature_store.used_bytes()
    assert known(range(3), KEY) == [0, 1, 2]
    assert known(range(3), other) == []


def test_nothing_goes_while_there_is_room() -> None:
    fill(range(3))
    assert feature_store.make_room(feature_store.used_bytes()) == 0
    assert known(range(3)) == [0, 1, 2]


def test_emptying_says_what_it_freed() -> None:
    fill(range(3))
    size = feature_store.used_bytes()
    assert size > 0
    assert feature_store.empty() == size
    assert feature_store.used_bytes() == 0
    assert feature_store.empty() == 0


def test_what_a_killed_program_left_half_written_goes_in_time() -> None:
    fill(range(3))
    old = segments()[0].with_name(".0123.npy.abcd.partial")
    new = segments()[0].with_name(".4567.npy.abcd.partial")
    for file in (old, new):
        file.write_bytes(b"half")
    os.utime(old, (time.time() - 1e5,) * 2)
    feature_store.make_room(10**9)
    assert not old.exists()
    assert new.exists()  # of a program that may still write it
    assert known(range(3)) == [0, 1, 2]


def test_a_disk_that_refuses_costs_only_the_memory_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(feature_store.whole_files, "write_bytes", refuse)
    fill(range(3))
    assert known(range(3)) == []


def test_two_programs_at_once_lose_nothing_of_each_other() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from core.test_feature_store import fill\n"
        "begin = int(sys.argv[2])\n"
        "for number in range(begin, begin + 40): fill(range(number, number + 2))\n"
    )
    tests = str(Path(__file__).parents[1])
    environment = {**os.environ, paths.HOME_VARIABLE: str(paths.home())}
    programs = [subprocess.Popen([sys.executable, "-c", code, tests, str(begin)], env=environment) for begin in (0, 30)]
    assert [program.wait(60) for program in programs] == [0, 0]
    assert known(range(71)) == list(range(71))
