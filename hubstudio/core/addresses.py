"""Addresses of backbones as text: each usual spelling becomes the one that is passed to TF Hub and names a cache entry.

Nothing here looks at the disk, the catalogue or the network.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

from hubstudio.core.errors import BackboneError, did_you_mean

HUB_HOST = "tfhub.dev"
KAGGLE_HOST = "www.kaggle.com"
KAGGLE_FORM = "owner/model/framework/variation/version"

FEATURE_TASKS = ("feature_vector", "feature-vector")
"""The parts of an address that say what a module is for: the same for all of them."""

_HOSTS = {HUB_HOST, f"www.{HUB_HOST}", KAGGLE_HOST, "kaggle.com"}
_KAGGLE_WORDS = ("frameworks", "variations", "versions")
_SAVED_MODELS = {"tensorflow1": "TensorFlow1", "tensorflow2": "TensorFlow2"}
"""Kaggle's frameworks whose files are hub modules, as its pages and the programs that use them spell them."""
_OTHER_FRAMEWORKS = (
    "api", "flax", "gemma.cpp", "gemmacpp", "ggml", "gguf", "jax", "keras", "litert", "mxnet", "onnx", "other",
    "paddlepaddle", "pytorch", "rust", "scikitlearn", "tensorrt", "tensorrtllm", "tfjs", "tflite", "transformers",
    "triton", "xgboost",
)  # fmt: skip
_WORD = re.compile(r"[A-Za-z0-9][\w.+-]*", re.ASCII)
_CONTROL = re.compile(r"[\s\x00-\x1f\x7f\\]")


_QUOTES = "\"'`<>“”„‘’«»"
_UNSEEN = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"))
"""Marks without a width that web pages put between words and into long addresses."""
_OPENING = {")": "(", "]": "[", "}": "{"}
_CALL = re.compile(r"\b(?:(?:tensorflow_)?hub\.\w+|KerasLayer|model_download)\(\s*(?:\w+\s*=\s*)?[rbu]?[\"']([^\"']+)")
"""A line of a program that loads a module, with the module's name in quotes."""


def unquoted(text: str) -> str:
    """Return the text without what a shell or a letter puts around it: spaces, quotes, angle brackets."""
    before = None
    while text != before:
        before, text = text, text.strip().strip(_QUOTES)
    return text


def tidy(text: str) -> str:
    """Return the text without what pasting brings along.

    That is what ``unquoted`` takes away, marks without a width, a comma, semicolon or lone bracket; of a line such as
    ``hub.load("...")``, what is in the quotes remains.
    """
    before, text = None, text.translate(_UNSEEN)
    while text != before:
        before = text
        call = _CALL.search(text)
        text = unquoted(_without_punctuation(unquoted(call[1] if call else text)))
    return text


def _without_punctuation(text: str) -> str:
    """Cut commas, semicolons and brackets of which the other is missing."""
    text = re.sub(r"^[(\[{]+(?=[a-z]+://)", "", text, flags=re.IGNORECASE)
    while text and (text[-1] in ",;" or text.count(text[-1]) > text.count(_OPENING.get(text[-1], text[-1]))):
        text = text[:-1].rstrip()
    return text


def web_address(text: str) -> str | None:
    """Return the canonical address for a text with a scheme or a known host, or None if it is neither.

    Raises ``BackboneError`` for a Kaggle address that does not say everything, and for one that is no address at all.
    """
    address = _web_address(text)
    while address and (again := _web_address(tidy(address))) != address:
        address = again  # what was cut off may leave a quote or slash at the end
    return address


def _web_address(text: str) -> str | None:
    scheme, rest = _scheme_of(text)
    if scheme == "gs":
        return _bucket(rest)
    if scheme not in ("http", "https"):
        return None
    host, parts = _taken_apart(text, rest)
    if host.removeprefix("www.") == HUB_HOST:
        return _hub_address(text, parts)
    if host.removeprefix("www.") == "kaggle.com":
        return kaggle_address(_kaggle_parts(parts), text)
    return _any_address(scheme, host, rest)


def bare_address(text: str) -> str | None:
    """Return the canonical address for a bare path, Kaggle's five parts or one of tfhub.dev with its version, or None.

    Raises ``BackboneError`` for Kaggle's five parts with a framework that is no hub module.
    """
    parts = [part for part in text.split("/") if part]
    if not all(_WORD.fullmatch(part) for part in parts) or {part.lower() for part in parts} & _HOSTS:
        return None
    if _is_kaggle(parts):
        return kaggle_address(parts, text)
    if len(parts) > 2 and parts[-1].isdecimal() and "." not in parts[0]:
        return f"https://{HUB_HOST}/{'/'.join(parts)}"
    return None


def kaggle_address(parts: Sequence[str], text: str) -> str:
    """Return the canonical Kaggle address of owner, model, framework, variation and version.

    It is the short form, which Kaggle's own pages have and programs pass to ``hub.load``. TF Hub treats it as any other
    address, so its cache key is the sha1 of exactly this text. Raises ``BackboneError`` that says what is missing.
    """
    names = KAGGLE_FORM.split("/")
    if len(parts) < len(names):
        raise BackboneError(
            f"The Kaggle handle '{text}' says no {names[len(parts)]}.",
            found=f"It has {_listed(parts)}.",
            next_step=f"Give all of {KAGGLE_FORM}, such as '{_EXAMPLE}', or copy the version's address.",
        )
    owner, model, framework, variation, version = parts[:5]
    if len(parts) > 5 or not re.fullmatch("[0-9]+", version):
        raise BackboneError(
            f"The Kaggle handle '{text}' does not end with a version.",
            found=f"Found '{'/'.join(parts[4:])}' where a number belongs.",
            next_step=f"Give {KAGGLE_FORM}, such as '{_EXAMPLE}'.",
        )
    if not all(_WORD.fullmatch(part) for part in parts):
        raise _no_address(text)
    spelled = _framework(framework, text)
    return f"https://{KAGGLE_HOST}/models/{owner}/{model}/{spelled}/{variation}/{version.lstrip('0') or '0'}"


def kaggle_parts(address: str) -> tuple[str, ...]:
    """Return owner, model, framework, variation and version of a canonical Kaggle address; nothing for another one."""
    prefix = f"https://{KAGGLE_HOST}/models/"
    parts = tuple(address.removeprefix(prefix).split("/")) if address.startswith(prefix) else ()
    return parts if len(parts) == len(KAGGLE_FORM.split("/")) and all(parts) else ()


def kaggle_handle(address: str) -> str:
    """Return the five parts of a canonical Kaggle address as kagglehub has them; '' for another address."""
    parts = kaggle_parts(address)
    return "/".join((*parts[:2], _first_small(parts[2]), *parts[3:])) if parts else ""


def cache_texts(address: str) -> tuple[str, ...]:
    """Return the texts that programs pass to TF Hub for a canonical address, itself first.

    Each has a cache entry of its own, ``sha1(text)``, of the same module: Kaggle has two forms of address and two
    spellings of its framework, all in use.
    """
    parts = kaggle_parts(address)
    if not parts:
        return (address,)
    owner, model, framework, variation, version = parts
    texts: list[str] = []
    for spelled in (framework, _first_small(framework)):
        for host in (KAGGLE_HOST, "kaggle.com"):
            start = f"https://{host}/models/{owner}/{model}"
            texts.append(f"{start}/{spelled}/{variation}/{version}")
            texts.append(f"{start}/frameworks/{spelled}/variations/{variation}/versions/{version}")
    return tuple(texts)


_EXAMPLE = "google/mobilenet-v2/tensorFlow2/100-224-feature-vector/2"


def _scheme_of(text: str) -> tuple[str, str]:
    """Return the scheme, in small letters, and what follows; a known host without a scheme has https."""
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://+", text)
    if found:
        return found[1].lower(), text[found.end() :]
    known = re.match(rf"(www\.)?({re.escape(HUB_HOST)}|kaggle\.com)(?=[/?#]|$)", text, re.IGNORECASE)
    return ("https", text) if known else ("", text)


def _taken_apart(text: str, rest: str) -> tuple[str, list[str]]:
    """Return host and port in small letters, and the parts of the path. Raises ``BackboneError`` without a host."""
    try:
        split = urlsplit(f"https://{rest}")
        port = f":{split.port}" if split.port else ""
    except ValueError as error:
        raise _no_address(text) from error
    if not split.hostname or _CONTROL.search(rest):
        raise _no_address(text)
    host = f"[{split.hostname}]" if ":" in split.hostname else split.hostname
    return f"{host}{port}", [part for part in split.path.split("/") if part]


def _no_address(text: str) -> BackboneError:
    return BackboneError(
        f"'{text}' is not an address that can be asked.",
        next_step=f"Copy the whole address of the module, such as https://{HUB_HOST}/google/... .",
    )


def _hub_address(text: str, parts: Sequence[str]) -> str:
    """Return the plain handle: TF Hub adds ``tf-hub-format`` to what it requests, not to what it caches under."""
    if len(parts) < 2 or parts[1] in ("collection", "collections"):
        raise BackboneError(
            f"'{text}' is a page of {HUB_HOST}, but not that of a module.",
            next_step=f"Open the module's page and copy its address, such as https://{HUB_HOST}/google/.../4.",
        )
    return f"https://{HUB_HOST}/{'/'.join(parts)}"


def _any_address(scheme: str, host: str, rest: str) -> str:
    """Return an address of any other host without fragment and ``tf-hub-format``; the rest may matter to the host."""
    split = urlsplit(f"{scheme}://{rest}")
    # Piece by piece as it is written: written again another way, it would be another key of the cache.
    query = "&".join(piece for piece in split.query.split("&") if piece.partition("=")[0] != "tf-hub-format")
    user, at, _host = split.netloc.rpartition("@")
    return urlunsplit((scheme, f"{user}{at}{host}", split.path.rstrip("/"), query, ""))


def _bucket(rest: str) -> str | None:
    parts = [part for part in rest.split("/") if part]
    return None if len(parts) < 2 or _CONTROL.search(rest) else f"gs://{'/'.join(parts)}"


def _kaggle_parts(parts: Sequence[str]) -> list[str]:
    """Return what follows '/models', also of the download interface, without Kaggle's words between."""
    words = [part.lower() for part in parts]
    start = words.index("models") + 1 if "models" in words[:3] else len(parts)
    owner_and_model, rest = parts[start : start + 2], parts[start + 2 :]
    named = [*owner_and_model, *(part for part in rest if part.lower() not in _KAGGLE_WORDS)]
    return named[:5] if words[:2] == ["api", "v1"] else named


def _is_kaggle(parts: Sequence[str]) -> bool:
    if len(parts) not in (3, 4, 5):
        return False
    framework = parts[2].lower()
    if framework in _SAVED_MODELS:
        return True
    return len(parts) == 5 and bool(framework in _OTHER_FRAMEWORKS or did_you_mean(framework, _SAVED_MODELS))


def _framework(framework: str, text: str) -> str:
    spelled = _SAVED_MODELS.get(framework.lower())
    if spelled is None:
        raise BackboneError(
            f"The Kaggle handle '{text}' is not of TensorFlow.",
            found=f"Its framework is '{framework}'. {did_you_mean(framework, _SAVED_MODELS.values())}".strip(),
            next_step="Choose a variation of the framework TensorFlow 2 on the model's page.",
        )
    return spelled


def _first_small(framework: str) -> str:
    return framework[0].lower() + framework[1:]


def _listed(parts: Sequence[str]) -> str:
    return f"only '{'/'.join(parts)}'" if parts else "nothing after 'models'"
