"""Crops for training: each painted picture is seen many times, never twice the same."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .pool import Pool
from .recipe import Recipe

Batch = tuple[NDArray[np.float32], NDArray[np.int32]]
_LUMINANCE = np.array([0.299, 0.587, 0.114])
# Axes of hue: a turn about grey, written with the cross product.
_ABOUT_GREY = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)


def batch(pool: Pool, recipe: Recipe, step: int) -> Batch:
    """Return the crops ``[batch, side, side, 3]`` in [0, 1] and the labels of one step, the same at every call."""
    stage = recipe.stage_at(step)
    rng = np.random.default_rng([recipe.seed, 3, step])
    classes, examples = pool.pictures.shape[:2]
    labels, picks = rng.integers(0, classes, stage.batch), rng.integers(0, examples, stage.batch)
    crops = [crop(rng, pool.pictures[label, pick], stage.side) for label, pick in zip(labels, picks, strict=True)]
    return np.stack(crops), labels.astype(np.int32)


def crop(rng: np.random.Generator, picture: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """Return a random part of a picture, turned a little, perhaps mirrored, in other light."""
    view = cv2.warpAffine(
        picture, _view(rng, picture.shape[0], side), (side, side),
        flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101,
    )  # fmt: skip
    colours = cv2.transform(view.astype(np.float32) * np.float32(1 / 255), _light(rng))
    if rng.random() < 0.15:
        colours = cv2.GaussianBlur(colours, (0, 0), rng.uniform(0.4, 1.2))
    if rng.random() < 0.25:
        _cover(rng, colours)
    return np.clip(colours, 0, 1)


def _view(rng: np.random.Generator, size: int, side: int) -> NDArray[np.float64]:
    """Return the affine map from a picture of ``size`` pixels to a crop of ``side`` pixels."""
    part = np.sqrt(rng.uniform(0.35, 1.0))
    aspect = np.exp(rng.normal(0, 0.12))
    angle = rng.normal(0, 0.12)
    reach = side / (size * part)
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    c, s = reach * np.cos(angle), reach * np.sin(angle)
    linear = np.array([[c * aspect, -s], [s, c / aspect]]) * [[mirror], [1]]
    slack = size * (1 - part) / 2
    middle = size / 2 + rng.uniform(-slack, slack, 2)
    return np.column_stack([linear, side / 2 - linear @ middle])


def _light(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the 3x4 matrix of a change of brightness, contrast, saturation, white balance and a little hue."""
    contrast, brightness = np.exp(rng.normal(0, 0.2)), rng.normal(0, 0.08)
    saturation = np.exp(rng.normal(0, 0.25))
    grey = np.tile(_LUMINANCE, (3, 1))
    matrix = grey + saturation * (np.eye(3) - grey)
    matrix = (np.eye(3) + rng.normal(0, 0.05) * _ABOUT_GREY) @ matrix
    matrix = contrast * np.diag(np.exp(rng.normal(0, 0.06, 3))) @ matrix
    return np.column_stack([matrix, np.full(3, 0.5 * (1 - contrast) + brightness)])


def _cover(rng: np.random.Generator, colours: NDArray[np.float32]) -> None:
    """Hide a rectangle, so that no single part of a thing suffices to know it."""
    side = colours.shape[0]
    high, wide = (rng.uniform(0.15, 0.45, 2) * side).astype(int)
    top, left = rng.integers(0, side - high), rng.integers(0, side - wide)
    colours[top : top + high, left : left + wide] = rng.uniform(0, 1, 3)
