"""Studio Mini, the bundled backbone: paints pictures of made-up classes, trains a small network on them, saves it."""
