"""The machine learning: the only importer of TensorFlow, Keras and TensorFlow Hub."""
