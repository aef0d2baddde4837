"""Hub Studio: a photo classifier from folders of photos and a TensorFlow Hub backbone."""

__version__ = "0.1.0"
