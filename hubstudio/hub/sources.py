"""Where a module is asked for: TF Hub's protocol, and Kaggle's interface for downloads."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from hubstudio.core import addresses
from hubstudio.hub.requests import Address

_KAGGLE = "https://www.kaggle.com"


def address_of(handle: str) -> Address:
    """Return what to ask for the archive of a module with this canonical address."""
    parts = addresses.kaggle_parts(handle)
    return _kaggle(parts) if parts else Address(_compressed(handle))


def origin_of(handle: str) -> str:
    """Return the address without what may be secret: no user, no password, no query."""
    split = urlsplit(handle)
    return urlunsplit((split.scheme, split.netloc.rpartition("@")[2], split.path, "", ""))


def _compressed(handle: str) -> str:
    """Return the address with the question for one compressed archive (tensorflow.org/hub/hosting)."""
    split = urlsplit(handle)
    return urlunsplit(split._replace(query="&".join(filter(None, (split.query, "tf-hub-format=compressed")))))


def _kaggle(parts: tuple[str, ...]) -> Address:
    """Return the address that kagglehub asks, with the person's key if there is one: public models need none."""
    endpoint = os.environ.get("KAGGLE_API_ENDPOINT", "").rstrip("/") or _KAGGLE
    path = "/".join(quote(part, safe="") for part in parts)
    return Address(f"{endpoint}/api/v1/models/{path}/download", _credentials())


def _credentials() -> dict[str, str]:
    user, key = os.environ.get("KAGGLE_USERNAME", ""), os.environ.get("KAGGLE_KEY", "")
    if not (user and key):
        user, key = _credentials_file()
    if not (user and key):
        return {}
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{key}'.encode()).decode()}"}


def _credentials_file() -> tuple[str, str]:
    """Return user and key of ``kaggle.json``; nothing if there is none, or one that cannot be read."""
    folder = os.environ.get("KAGGLE_CONFIG_DIR") or Path.home() / ".kaggle"
    try:
        table = json.loads((Path(folder) / "kaggle.json").read_text("utf-8"))
        return str(table["username"]), str(table["key"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", ""
