"""The learned half: a small residual network (He et al. 2016) in Keras, for any backend and any size of picture.

The stem halves the picture, each stage halves it again. Shortcuts that halve average first (He et al. 2019, "Bag of
tricks"). The classifier sees the last two stages, so that both learn to tell classes apart.
"""

from __future__ import annotations

import keras
from keras import layers

from .recipe import Recipe

MOMENTUM = 0.98
EPSILON = 1e-3
_SMOOTH_START = "zeros"  # a block begins as its shortcut


def build(recipe: Recipe) -> keras.Model:
    """Return the network: pictures in [0, 1] to a logit for each class, its stages reachable by layer name."""
    keras.utils.set_random_seed(recipe.seed)
    pictures = keras.Input((None, None, 3), name="pictures")
    maps = layers.Rescaling(4.0, -2.0)(pictures)
    maps = layers.ReLU()(_convolution(maps, recipe.widths[0], 3, 2, "stem-conv"))
    stages = []
    for stage, (width, depth) in enumerate(zip(recipe.widths, recipe.depths, strict=True), 1):
        for number in range(1, depth + 1):
            maps = _block(maps, width, 2 if number == 1 else 1, f"stage_{stage}-block_{number}")
        stages.append(maps)
    pooled = [layers.GlobalAveragePooling2D()(maps) for maps in stages[-2:]]
    logits = layers.Dense(len(recipe.programs), name="classifier", dtype="float32")(layers.Concatenate()(pooled))
    return keras.Model(pictures, logits, name="studio_mini")


def _convolution(
    maps: keras.KerasTensor, width: int, kernel: int, stride: int, name: str, gamma: str = "ones"
) -> keras.KerasTensor:
    maps = layers.Conv2D(
        width, kernel, stride, "same", use_bias=False, kernel_initializer="he_normal", name=name
    )(maps)  # fmt: skip
    norm = name.replace("conv", "norm")
    return layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, gamma_initializer=gamma, name=norm)(maps)


def _block(maps: keras.KerasTensor, width: int, stride: int, name: str) -> keras.KerasTensor:
    inner = layers.ReLU()(_convolution(maps, width, 3, stride, f"{name}-conv_1"))
    inner = _convolution(inner, width, 3, 1, f"{name}-conv_2", _SMOOTH_START)
    if stride > 1:
        maps = layers.AveragePooling2D(2, padding="same")(maps)
        maps = _convolution(maps, width, 1, 1, f"{name}-shortcut_conv")
    return layers.ReLU(name=f"{name}-out")(layers.Add()([inner, maps]))


def named_weights(model: keras.Model) -> dict[str, keras.Variable]:
    """Return the variables that a module needs by the names it will give them, from the pixels to the features."""
    return {
        f"{layer.name.replace('-', '/')}/{variable.name}": variable
        for layer in model.layers
        for variable in layer.variables
        if layer.name.startswith(("stem", "stage"))
    }
