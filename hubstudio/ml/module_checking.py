"""A new module tried out before it is accepted: loaded and looked into, in a process that may fall over."""

from __future__ import annotations

from pathlib import Path

from hubstudio.core.backbones import BackboneInfo
from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import BackboneError
from hubstudio.ml.child_process import ChildFailed, ChildProcess


def look_into(handle: str, folder: Path) -> BackboneInfo:
    """Load the module of ``handle`` from ``folder``, as it will be loaded later. Raises ``BackboneError``."""
    from hubstudio.ml.hub_module import load_folder

    return load_folder(handle, folder).info()


def check_in_child(handle: str, folder: Path, cancel: CancelToken) -> BackboneInfo:
    """Do the same in a process of its own: it may crash, its memory is given back, and it can be stopped at once."""
    try:
        with ChildProcess() as child:
            return child.run(look_into, handle, folder, cancel=cancel)
    except ChildFailed as error:
        raise BackboneError(
            f"'{handle}' could not be looked into.",
            found=f"{error}.",
            next_step="Close other programs if the memory is short, and try again; or choose another backbone.",
        ) from error
