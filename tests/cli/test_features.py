"""``hubstudio features`` tells what kept features take, and empties them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cli.conftest import Ended
from hubstudio.core import feature_store
from hubstudio.core.feature_store import FeatureKey, FeatureStore
from hubstudio.core.settings import Settings

Hubstudio = Callable[..., Ended]


@pytest.fixture
def kept() -> int:
    """Features of one photo; what they take."""
    with FeatureStore.open(FeatureKey("module", "", 96, ""), 100_000) as store:
        store.add(bytes(16), np.ones(100_000, np.float32))
    return feature_store.used_bytes()


def test_json_tells_bytes_folder_and_limit(hubstudio: Hubstudio, kept: int) -> None:
    Settings(feature_limit_gb=7).save()
    ended = hubstudio("features", "--json")
    assert ended.code == 0
    assert ended.document == {
        "bytes": kept,
        "folder": str(feature_store.features_folder()),
        "limit_bytes": 7_000_000_000,
        "freed_bytes": 0,
    }


def test_a_person_reads_the_same(hubstudio: Hubstudio, kept: int) -> None:
    assert hubstudio("features").out.startswith("Kept features take 0.4 MB of 5 GB, in ")
    assert feature_store.used_bytes() == kept


def test_emptying_says_what_it_freed(hubstudio: Hubstudio, kept: int) -> None:
    ended = hubstudio("features", "--empty", "--json")
    assert (ended.document["freed_bytes"], ended.document["bytes"]) == (kept, 0)
    assert feature_store.used_bytes() == 0
    assert "0.0 MB are free again" in hubstudio("features", "--empty").out
