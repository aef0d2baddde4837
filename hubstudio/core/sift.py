"""Local features of a gray picture: SIFT, each descriptor shrunk to 64 bits. The only module that needs OpenCV."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

cv2.setNumThreads(1)  # photos are looked at from several threads already


def strongest_features(gray: NDArray[np.uint8], most: int) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return the codes ``[features, 8]`` and the x, y, size (pixels) and angle (degrees) of the strongest features.

    A code is the signs of 64 projections of the descriptor's square roots (RootSIFT, Arandjelovic and Zisserman, 2012).
    """
    points, descriptors = cv2.SIFT.create(contrastThreshold=0.02).detectAndCompute(gray, None)
    best = _strongest(points, most)
    if not best:
        return np.zeros((0, 8), np.uint8), np.zeros((0, 4))
    roots = np.sqrt(np.asarray(descriptors, np.float32)[best])
    codes = np.packbits((roots - roots.mean(axis=1, keepdims=True)) @ _PROJECTIONS > 0, axis=1)
    return codes, np.array([(*points[place].pt, points[place].size, points[place].angle) for place in best])


def _strongest(points: Sequence[cv2.KeyPoint], most: int) -> list[int]:
    """Return the places of the strongest features, one for each pixel, strongest first."""
    order = sorted(range(len(points)), key=lambda place: (-points[place].response, points[place].pt))
    pixels = {(round(points[place].pt[0]), round(points[place].pt[1])): place for place in reversed(order)}
    kept = set(pixels.values())
    return [place for place in order if place in kept][:most]


def _projections() -> NDArray[np.float32]:
    """Return ``[128, 64]``: rows of a Hadamard matrix with shuffled signs, the same on every machine for all time."""
    hadamard = np.ones((1, 1), np.float32)
    for _ in range(7):
        hadamard = np.kron(hadamard, np.array([[1, 1], [1, -1]], np.float32))
    random = np.random.RandomState(7)  # its numbers are promised never to change
    signs = np.where(random.randint(0, 2, 128) > 0, 1, -1)
    return np.ascontiguousarray((hadamard[random.permutation(128)[:64]] * signs).T, np.float32)


_PROJECTIONS = _projections()
