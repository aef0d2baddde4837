"""Photos for tests, made by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image


@pytest.fixture
def make_photos(tmp_path: Path) -> Callable[..., Path]:
    """Make small photos under these names below one folder, which is returned."""

    def make(*names: str) -> Path:
        root = tmp_path / "photos"
        for place, name in enumerate(names):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (6, 4), (place % 256, 0, 0)).save(root / name)
        return root

    return make
