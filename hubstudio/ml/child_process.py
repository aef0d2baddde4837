"""Work in a process of its own: converters that hold the GIL for seconds, or that may fall over and take all along."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import StudioError

_POLL_SECONDS = 0.1
Result = TypeVar("Result")


class ChildFailed(Exception):  # noqa: N818 - the caller turns it into what the person may see
    """The function in the child raised, or the child ended by itself; the text says how."""


def run_in_child(function: Callable[..., Result], *arguments: Any, cancel: CancelToken) -> Result:
    """Call an importable function in a new process and return what it returns.

    Raises ``Cancelled`` (the child is ended), a ``StudioError`` that the function raised, or ``ChildFailed``.
    """
    context = multiprocessing.get_context("spawn")  # a forked TensorFlow hangs
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(sender, function, arguments), daemon=True)
    process.start()
    sender.close()
    try:
        while not receiver.poll(_POLL_SECONDS):
            cancel.check()
        outcome = receiver.recv()
    except EOFError:
        process.join()
        raise ChildFailed(f"the process ended with code {process.exitcode}") from None
    finally:
        if process.is_alive() and cancel.is_cancelled:
            process.terminate()
        process.join()
        receiver.close()
    if isinstance(outcome, StudioError):
        raise outcome
    if isinstance(outcome, ChildFailed):
        raise outcome
    return outcome


def _work(sender: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    from hubstudio.ml.loading import prepare_environment

    prepare_environment()
    try:
        outcome = function(*arguments)
    except StudioError as error:
        outcome = error
    except Exception as error:  # the border of the process: the parent decides what it means
        text = str(error).strip().splitlines()
        outcome = ChildFailed(f"{type(error).__name__}: {text[0][:300] if text else ''}")
    sender.send(outcome)
    sender.close()
