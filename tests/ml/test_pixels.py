"""The decoder, the model's own resizing and TensorFlow Lite's stand-in for it shrink photos alike."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from hubstudio.core.shrinking import shrink
from hubstudio.ml import tflite_resize


def photo(width: int, height: int) -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 255, (height // 3 + 1, width // 3 + 1, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("size", [(300, 200), (40, 500), (96, 96), (20, 30), (2100, 1000), (12000, 90), (50, 30000)])
def test_all_three_agree_on_photos_of_any_size(size: tuple[int, int]) -> None:
    image = photo(*size)
    own = shrink(image, (96, 96))
    batch = tf.constant(np.asarray(image, np.float32)[np.newaxis])
    layer = keras.layers.Resizing(96, 96, interpolation="bilinear", antialias=True)
    np.testing.assert_allclose(layer(batch)[0], own, atol=0.005)
    np.testing.assert_allclose(tflite_resize.resize(batch, 96)[0], own, atol=0.01)
