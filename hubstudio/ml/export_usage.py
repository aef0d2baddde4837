"""The README.md beside exported files: how to run each of them without Hub Studio."""

from __future__ import annotations

from collections.abc import Sequence

from hubstudio.ml.saved_models import TrainedModel


def usage(trained: TrainedModel, formats: Sequence[str]) -> str:
    """Return the text for these formats."""
    single = trained.model.output_shape[1] == 1
    answer = "one number, the probability of the second class" if single else "one probability for each class"
    parts = [
        "# Exported by Hub Studio\n",
        "Input: `[1, height, width, 3]`, float32, RGB from 0 to 255, upright, a photo of any size; resizing and "
        "scaling are inside the model.",
        f"Output: {answer}, in the order of `labels.txt`.\n",
        "Needs numpy and pillow, and for each format what its lines import (pip install keras tensorflow).",
        "",
        _READ_PHOTO,
        *(_USAGE[name] for name in formats),
    ]
    return "\n".join(parts)


_READ_PHOTO = """\
```python
import numpy as np
from PIL import Image, ImageOps

image = ImageOps.exif_transpose(Image.open("photo.jpg")).convert("RGB")
photo = np.asarray(image, np.float32)[np.newaxis]
labels = open("labels.txt", encoding="utf-8").read().splitlines()
```
"""

_USAGE = {
    "keras": """\
## model.keras
```python
import keras

model = keras.models.load_model("model.keras")
scores = model(photo).numpy()[0]
```
""",
    "savedmodel": """\
## savedmodel
```python
import tensorflow as tf

model = tf.saved_model.load("savedmodel")
scores = model.serve(photo).numpy()[0]
```
Servers find the same function as the signature `serving_default`.
""",
    "tflite": """\
## model.tflite
```python
try:
    from ai_edge_litert.interpreter import Interpreter  # pip install ai-edge-litert: small, without TensorFlow
except ImportError:
    from tensorflow.lite.python.interpreter import Interpreter

interpreter = Interpreter("model.tflite")
place = interpreter.get_input_details()[0]["index"]
interpreter.resize_tensor_input(place, photo.shape)
interpreter.allocate_tensors()
interpreter.set_tensor(place, photo)
interpreter.invoke()
scores = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
```
""",
}
