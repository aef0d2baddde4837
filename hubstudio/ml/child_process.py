"""Work in a process of its own: converters that hold the GIL for seconds, or that may fall over and take all along."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from importlib import import_module
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, TypeVar

from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import StudioError

_POLL_SECONDS = 0.1
Result = TypeVar("Result")


class ChildFailed(Exception):  # noqa: N818 - the caller turns it into what the person may see
    """The function in the child raised, or the child ended by itself; the text says how."""


class ChildProcess:
    """A fresh Python that runs functions one after the other; TensorFlow loads in it once. A context manager."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")  # a forked TensorFlow hangs
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> ChildProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pipe.close()
        if kind:
            self._process.terminate()
        self._process.join()

    def run(self, function: Callable[..., Result], *arguments: Any, cancel: CancelToken) -> Result:
        """Call an importable function in the child and return what it returns.

        Raises ``Cancelled`` (also if asked to stop), a ``StudioError`` that the function raised, or ``ChildFailed``.
        """
        try:
            self._pipe.send((function.__module__, function.__qualname__, arguments))
            while not self._pipe.poll(_POLL_SECONDS):
                cancel.check_before_results()
            outcome = self._pipe.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self._process.join()
            raise ChildFailed(f"the process ended with code {self._process.exitcode}") from None
        if isinstance(outcome, StudioError | ChildFailed):
            raise outcome
        return outcome


def _serve(pipe: Connection) -> None:
    """Answer calls until the other side hangs up."""
    from hubstudio.ml.environment import prepare_environment, without_scikit_learn

    prepare_environment()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the whole group; the parent decides what ends
    # What libraries print here helps nobody: errors go through the pipe.
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    with without_scikit_learn():
        while True:
            try:
                module, name, arguments = pipe.recv()
            except EOFError:
                return
            pipe.send(_outcome(module, name, arguments))


def _outcome(module: str, name: str, arguments: tuple[Any, ...]) -> object:
    try:
        return getattr(import_module(module), name)(*arguments)
    except StudioError as error:
        return error
    except Exception as error:  # the border of the process: the parent decides what it means
        text = str(error).strip().splitlines()
        return ChildFailed(f"{type(error).__name__}: {text[0][:300] if text else ''}")
