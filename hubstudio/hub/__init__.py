"""Fetching modules: the network, archives and the cache they end up in. Knows core, never TensorFlow or Qt."""
