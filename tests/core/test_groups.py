"""What hangs together by links has one number."""

import numpy as np

from hubstudio.core.groups import groups_of


def test_groups_are_what_hangs_together() -> None:
    near, series = np.array([[1, 4], [2, 3]]), np.array([[3, 5]])
    assert groups_of(7, near, series).tolist() == [0, 1, 2, 2, 1, 2, 6]


def test_groups_without_links_are_single_photos() -> None:
    assert groups_of(3).tolist() == [0, 1, 2]
