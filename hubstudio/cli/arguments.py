"""The argument parser: mistakes become one error with usage, a reason and the nearest right word."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from typing import Any, NoReturn

from hubstudio.core.errors import StudioError, did_you_mean

_LONGEST_USAGE = 6  # lines


class UsageError(StudioError):
    """The command line was not understood."""

    def __init__(self, what: str, usage: str, program: str, *, found: str = "") -> None:
        super().__init__(what, found=found, next_step=f"'{program} --help' tells more.")
        self.usage = usage.strip()


class Parser(ArgumentParser):
    """An argument parser that raises ``UsageError`` where argparse would end the process."""

    def __init__(self, prog: str, **options: Any) -> None:
        super().__init__(prog, allow_abbrev=False, formatter_class=RawDescriptionHelpFormatter, **options)
        self._is_mixing = False

    def parse_known_args(  # pyright: ignore[reportIncompatibleMethodOverride] - its stub has overloads for each
        self, args: Any = None, namespace: Any = None
    ) -> Any:
        """Parse as argparse does, but with options allowed between the words of a command: ``probe --json NAME``."""
        if self._is_mixing or self._subparsers:
            return super().parse_known_args(args, namespace)
        self._is_mixing = True  # since the mixing way calls this one
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._is_mixing = False

    def error(self, message: str) -> NoReturn:
        """Raise ``UsageError`` with argparse's sentence."""
        what = message[:1].upper() + message[1:]
        raise UsageError(what if what.endswith(".") else f"{what}.", self._short_usage(), self.prog)

    def given(self, args: Namespace) -> list[str]:
        """Return the options that differ from their defaults."""
        options = [action for action in self._actions if action.option_strings]
        values = [(action, getattr(args, action.dest, action.default)) for action in options]
        return [action.option_strings[0] for action, value in values if value != action.default]

    def refuse_unknown(self, argument: str) -> NoReturn:
        """Raise ``UsageError`` for an argument that is none, with the nearest option."""
        name = argument.split("=", maxsplit=1)[0]
        options = [option for action in self._actions for option in action.option_strings]
        what = f"'{argument}' is no argument of '{self.prog}'."
        raise UsageError(what, self._short_usage(), self.prog, found=did_you_mean(name, options))

    def _short_usage(self) -> str:
        """Return the usage, without naming every option where they are so many that nobody would read on."""
        usage = self.format_usage()
        if usage.count("\n") <= _LONGEST_USAGE:
            return usage
        words = [str(action.metavar or action.dest) for action in self._actions if not action.option_strings]
        return " ".join(("usage:", self.prog, "[options]", *words))


def json_option(parser: Parser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout and nothing else there")


def whole_number(text: str) -> int:
    """Read an argument that is a whole number."""
    try:
        return int(text)
    except ValueError:
        raise ArgumentTypeError(f"'{text}' is not a whole number") from None


def number(text: str) -> float:
    """Read an argument that is a number."""
    try:
        return float(text)
    except ValueError:
        raise ArgumentTypeError(f"'{text}' is not a number") from None
