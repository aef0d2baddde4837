"""Make "Studio Mini", the bundled backbone, from nothing but pictures that its generator paints.

`python resources/make/studio_mini.py make` paints, trains, converts and probes; README.md in `studio_mini/` has the
recipe, how to run it on a GPU, and the log of what was tried.
"""

from __future__ import annotations

import sys

from studio_mini.command import main

if __name__ == "__main__":
    sys.exit(main())
