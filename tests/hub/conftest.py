"""What the tests of fetching share: a cache of their own, a real module as an archive, no proxy of the machine's."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.misbehaving_server import Misbehaving, Reply, misbehaving
from hubstudio.core.backbones import BackboneInfo, ModuleFormat
from hubstudio.core.cancel import CancelToken
from hubstudio.core.events import BytesFetched, Event
from hubstudio.hub.fetch import fetch
from hubstudio.hub.requests import Patience
from saved_modules import saved_module

MODULE = saved_module()
HASTY = Patience(connect_seconds=5, read_seconds=5, tries=3, first_pause=0.01)


def packed(*members: tuple[str, bytes], folder: Path | None = MODULE, top: str = ".") -> bytes:
    """Return a .tar.gz of a folder and further files, in that order."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        if folder:
            tar.add(folder, arcname=top)
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the content of every file by its path in the folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def info_of(handle: str, folder: Path) -> BackboneInfo:
    """Stand in for the look inside, which needs TensorFlow: accept what is there."""
    return BackboneInfo("small", handle, folder, 96, 8, 80, True, (), ModuleFormat.TF2, 1)


@dataclass
class Fetcher:
    """Fetches with short patience, and keeps what was reported."""

    events: list[Event] = field(default_factory=list)
    check: Callable[[str, Path], BackboneInfo] = info_of
    cancel: CancelToken = field(default_factory=CancelToken)
    patience: Patience = HASTY

    def __call__(self, handle: str) -> BackboneInfo:
        return fetch(handle, self.check, self.events.append, self.cancel, self.patience)

    @property
    def fetched(self) -> list[BytesFetched]:
        """What was told of the download."""
        return [event for event in self.events if isinstance(event, BytesFetched)]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The module cache; neither the machine's proxies nor its credentials and caches count."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_API_ENDPOINT", "HUBSTUDIO_OFFLINE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "no-kaggle"))
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "no-kagglehub"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    folder = tmp_path / "cache"
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(folder))
    return folder


@pytest.fixture(scope="session")
def archive() -> bytes:
    """A whole module as a .tar.gz."""
    return packed()


@pytest.fixture
def server(archive: bytes) -> Generator[Misbehaving]:
    """A server that serves the module well, until a test says otherwise."""
    with misbehaving(Reply(archive)) as running:
        yield running


@pytest.fixture
def fetcher() -> Fetcher:
    return Fetcher()
