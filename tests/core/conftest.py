"""Photos for tests, made by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pictures import save_picture


@pytest.fixture
def make_photos(tmp_path: Path) -> Callable[..., Path]:
    """Make photos that all differ under these names below one folder, which is returned."""

    def make(*names: str) -> Path:
        root = tmp_path / "photos"
        for name in names:
            save_picture(root / name, name)
        return root

    return make
