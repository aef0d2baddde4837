"""Which photos hang together by links."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hubstudio.core.pairs import Pairs


def groups_of(count: int, *links: Pairs) -> NDArray[np.int64]:
    """Return ``[count]``: the number of each photo's group, which is the place of the group's first photo."""
    groups = Groups(count)
    for pairs in links:
        groups.join(pairs)
    return np.array([groups.first(photo) for photo in range(count)], np.int64)


class Groups:
    """Which photos hang together, as trees whose root is the first photo."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))

    def join(self, pairs: Pairs) -> None:
        """Let the photos of each pair hang together from now on, with all that hangs on them."""
        for one, other in pairs.tolist():
            low, high = sorted((self.first(one), self.first(other)))
            self._above[high] = low

    def first(self, photo: int) -> int:
        """Return the first photo of those that hang together with this one."""
        above = self._above
        while above[photo] != photo:
            above[photo] = above[above[photo]]
            photo = above[photo]
        return photo

    def apart(self, pairs: Pairs) -> Pairs:
        """Return the pairs whose photos do not hang together yet."""
        return pairs[[self.first(one) != self.first(other) for one, other in pairs.tolist()]]
