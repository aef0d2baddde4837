"""The commands that make resources are packages beside each other; the tests import them as their scripts do."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "resources" / "make"))
