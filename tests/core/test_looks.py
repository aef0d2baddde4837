"""Every picture has a look, the same every time; what makes it is loaded when the first is made."""

import subprocess
import sys

import pytest
from PIL import Image

from hubstudio.core.looks import LOOK_BYTES, look_at
from scenes import leaves


def test_tiny_and_narrow_pictures_have_a_look() -> None:
    for size in ((1, 1), (3, 2), (2000, 1), (1, 500)):
        assert len(look_at(Image.radial_gradient("L").resize(size).convert("RGB"))) == LOOK_BYTES


def test_a_look_is_the_same_every_time() -> None:
    assert look_at(leaves(5)) == look_at(leaves(5))


@pytest.mark.parametrize("module", ["hubstudio.gui.application", "hubstudio.cli.main", "hubstudio.core.photo_check"])
def test_what_finds_features_is_not_loaded_before_it_is_needed(module: str) -> None:
    program = f"import sys, {module}; print({{'cv2', 'imagehash', 'scipy'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_opencv_starts_no_threads_of_its_own() -> None:
    program = (
        "import cv2; from PIL import Image; from hubstudio.core.looks import look_at; "
        "look_at(Image.effect_noise((200, 200), 99).convert('RGB')); print(cv2.getNumThreads())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
