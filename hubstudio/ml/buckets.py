"""Modules in Google's buckets (gs://): copied with TensorFlow's own file system, where TensorFlow was built with it."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import BackboneError
from hubstudio.core.events import Progress, Report
from hubstudio.hub.meter import UnpackingMeter
from hubstudio.hub.requests import require_online
from hubstudio.hub.unpack import unpack
from hubstudio.ml.module_calls import first_line

_PIECE_BYTES = 1 << 20
_ARCHIVES = (".tar.gz", ".tgz", ".tar")


def copy(handle: str, folder: Path, report: Report, cancel: CancelToken) -> None:
    """Copy the module at a ``gs://`` address, a folder or an archive, into the empty ``folder``.

    Raises ``BackboneError`` where requests are forbidden, TensorFlow knows no buckets, or access is denied.
    """
    require_online(f"'{handle}'")
    try:
        if handle.endswith(_ARCHIVES):
            _copy_archive(handle, folder, report, cancel)
        else:
            _copy_folder(handle, folder, report, cancel)
    except tf.errors.OpError as error:
        is_unknown = isinstance(error, tf.errors.UnimplementedError)
        raise BackboneError(
            "This TensorFlow cannot read gs:// buckets." if is_unknown else f"'{handle}' could not be read.",
            found=first_line(error),
            next_step="Copy it here with 'gsutil cp -r' or from its web page, and import the folder or the .tar.gz.",
        ) from error


def _copy_folder(handle: str, folder: Path, report: Report, cancel: CancelToken) -> None:
    found = [f"{place}/{name}" for place, _, names in tf.io.gfile.walk(handle) for name in names]
    if not found:
        raise tf.errors.NotFoundError(None, None, "there is no such folder, or it is empty")
    for done, source in enumerate(found):
        report(Progress(done, len(found), "files copied"))
        target = (folder / source.removeprefix(handle).lstrip("/")).resolve()
        if not target.is_relative_to(folder.resolve()):
            raise BackboneError(f"'{source}' leads out of its folder.", next_step="Do not use this module.")
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy_file(source, target, cancel)


def _copy_archive(handle: str, folder: Path, report: Report, cancel: CancelToken) -> None:
    archive, unpacked = folder / "archive", folder / "unpacked"
    _copy_file(handle, archive, cancel)
    made, _ = unpack(handle, archive, unpacked, UnpackingMeter(report, cancel))
    archive.unlink()
    for path in made.iterdir():
        path.rename(folder / path.name)
    made.rmdir()
    if unpacked.exists():
        unpacked.rmdir()


def _copy_file(source: str, target: Path, cancel: CancelToken) -> None:
    with tf.io.gfile.GFile(source, "rb") as theirs, target.open("xb") as ours:
        while piece := theirs.read(_PIECE_BYTES):
            cancel.check()
            ours.write(piece)
