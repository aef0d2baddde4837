"""How commands end: exit codes, interruption, faults, terminals, and stdout kept for the result."""

import io
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.conftest import Ended, FakeEngine
from hubstudio.cli.console import Console, table, to_json
from hubstudio.core.errors import ExportError

Hubstudio = Callable[..., Ended]

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")


def test_settings_that_cannot_be_read_are_told_and_stdout_stays_one_document(
    hubstudio: Hubstudio, own_home: Path
) -> None:
    (own_home / "settings.toml").write_text("offline = yes\n")
    ended = hubstudio("backbones", "--json")
    assert (ended.code, "error" in ended.document) == (0, False)
    assert "settings.toml" in ended.err
    assert "works offline" in ended.err


@needs_signals
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_and_leaves_nothing(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path, number: signal.Signals
) -> None:
    engine.before = lambda: os.kill(os.getpid(), number)
    ended = hubstudio("train", photos, "--out", tmp_path / "run")
    assert ended.code == 130
    assert ended.err == "Interrupted; nothing half-written is left.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


@needs_signals
def test_what_an_interruption_breaks_on_its_way_is_no_mistake(
    hubstudio: Hubstudio, engine: FakeEngine, trained: Path, tmp_path: Path
) -> None:
    def interrupted_child() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        raise ExportError("The process ended with code -2.")

    engine.before = interrupted_child
    ended = hubstudio("export", trained, "--format", "keras", "--out", tmp_path / "out")
    assert (ended.code, ended.err) == (130, "Interrupted; nothing half-written is left.\n")


@needs_signals
def test_a_second_signal_does_not_wait_for_the_job(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    def never_polls() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("the second signal was ignored")

    engine.before = never_polls
    ended = hubstudio("train", photos, "--out", tmp_path / "run", "--json")
    assert ended.code == 130
    assert "Interrupted" in ended.document["error"]["what"]


@needs_signals
@pytest.mark.parametrize("signals", [1, 2])
@pytest.mark.parametrize("way", ["begin", "resume", "continue"])
def test_whoever_interrupts_a_training_however_impatiently_is_told_how_it_goes_on(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path, signals: int, way: str
) -> None:
    out = tmp_path / "run"
    hubstudio("train", photos, "--out", tmp_path / "first")
    if way == "resume":
        engine.suspends = True
        hubstudio("train", photos, "--out", out)
    commands = {
        "begin": ("train", photos, "--out", out),
        "resume": ("train", "--resume", out),
        "continue": ("train", "--continue", tmp_path / "first", "--epochs", 3, "--out", out),
    }

    def interrupt() -> None:
        for _ in range(signals):
            os.kill(os.getpid(), signal.SIGINT)
        raise ZeroDivisionError("what a first signal may break on its way")

    engine.amid = interrupt
    ended = hubstudio(*commands[way], "--json")
    assert ended.code == 130
    assert "laid aside (the head learning, epoch 1 of " in ended.document["error"]["what"]
    assert ended.document["error"]["next"] == f"hubstudio train --resume '{out}'"
    engine.amid = lambda: None
    assert hubstudio("train", "--resume", out).code == 0


@needs_signals
def test_a_resumed_training_that_is_interrupted_before_it_goes_on_is_still_there(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.suspends = True
    hubstudio("train", photos, "--out", tmp_path / "run", "--mode", "fine-tune")
    monkeypatch.setattr(engine, "measure", lambda plan, cancel: os.kill(os.getpid(), signal.SIGINT) or cancel.check())
    ended = hubstudio("train", "--resume", tmp_path / "run")
    assert ended.code == 130
    assert ended.err.splitlines()[-1] == f"hubstudio train --resume '{tmp_path / 'run'}'"


@needs_signals
def test_an_interrupted_demo_offers_no_training_that_is_gone(
    hubstudio: Hubstudio, engine: FakeEngine, tmp_path: Path
) -> None:
    engine.suspends = True
    ended = hubstudio("demo", "--out", tmp_path / "demo")
    assert (ended.code, ended.err.splitlines()[-1]) == (130, "Interrupted; nothing half-written is left.")
    assert not (tmp_path / "demo").exists()


@needs_signals
def test_the_handlers_of_before_are_put_back(hubstudio: Hubstudio, photos: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    hubstudio("check", photos)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_refusing_system_is_a_mistake_without_a_traceback(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    def full_disk() -> None:
        raise OSError(28, "No space left on device", "somewhere")

    engine.before = full_disk
    ended = hubstudio("train", photos, "--out", tmp_path / "run", "--json")
    assert ended.code == 1
    assert ended.document["error"]["found"] == "No space left on device."
    assert "Traceback" not in ended.err


def test_a_fault_of_the_program_shows_its_traceback_and_still_one_document(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    def fault() -> None:
        raise ZeroDivisionError("a bug")

    engine.before = fault
    ended = hubstudio("train", photos, "--out", tmp_path / "run", "--json")
    assert ended.code == 1
    assert "ZeroDivisionError" in ended.err
    assert ended.document["error"]["what"] == "Hub Studio has a fault."


def test_help_and_version_are_done(hubstudio: Hubstudio) -> None:
    assert hubstudio("--help").code == 0
    assert hubstudio("--version").out.startswith("Hub Studio ")
    assert "--learning-rate" in hubstudio("train", "--help").out


def test_no_command_is_wrong_usage(hubstudio: Hubstudio) -> None:
    assert hubstudio("--json").code == 2


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_the_bar_is_drawn_on_a_terminal_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    console = Console()
    console.progress(0.5, "4 of 8 photos")
    assert "█░" in screen.getvalue()
    assert "4 of 8 photos" in screen.getvalue()
    console.message("done")
    assert screen.getvalue().endswith("\r\x1b[Kdone\n")


def test_the_bar_is_drawn_ten_times_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr("hubstudio.cli.console.time.monotonic", lambda: 5.0)
    console = Console()
    console.progress(0.1, "first")
    console.progress(0.2, "second")
    assert "second" not in screen.getvalue()


def test_a_line_that_is_too_long_for_the_terminal_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "50")
    Console().progress(0.5, "the photos are divided, the backbone is known")
    line = screen.getvalue().removeprefix("\r\x1b[K")
    assert len(line) == 49
    assert line.endswith("…")


def test_without_a_terminal_there_is_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    file, now = io.StringIO(), [5.0]
    monkeypatch.setattr(sys, "stderr", file)
    monkeypatch.setattr("hubstudio.cli.console.time.monotonic", lambda: now[0])
    console = Console()
    for seconds, text in ((1.0, "first"), (30.0, "second"), (1.0, "third"), (30.0, "fourth")):
        now[0] += seconds
        console.progress(0.1, text)
    assert file.getvalue() == "second\nfourth\n"


def test_columns_of_figures_align_right() -> None:
    assert table([("class", "photos"), ("cats", "8"), ("dogs", "1,000")]) == [
        "class  photos",
        "cats        8",
        "dogs    1,000",
    ]


def test_json_is_ascii_and_has_no_nan() -> None:
    text = to_json({"é": [float("inf"), 0.1, "日"], "b": {"c": float("nan")}})
    assert text.isascii()
    assert json.loads(text) == {"é": [None, 0.1, "日"], "b": {"c": None}}


CHATTER = """
import os, subprocess, sys
from hubstudio.cli.console import Console
console = Console(as_json=True)
with console.own_stdout():
    print("python chatter")
    os.write(1, b"native chatter\\n")
    subprocess.run([sys.executable, "-c", "print('chatter of a child')"], check=True)
    console.result({"answer": 42}, ())
print("afterwards")
"""


def test_stdout_is_kept_from_native_code_and_children() -> None:
    done = subprocess.run([sys.executable, "-c", CHATTER], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.removesuffix("afterwards\n")) == {"answer": 42}
    assert done.stderr.count("chatter") == 3


@needs_signals
def test_a_reader_that_stops_reading_is_no_fault() -> None:
    program = textwrap.dedent("""
        import sys
        from hubstudio.cli.console import Console
        console = Console()
        with console.own_stdout():
            console.result({}, ["line"] * 100_000)
    """)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        writer.stdout.close()
        assert writer.stderr.read() == b""
    assert writer.returncode == 0


@pytest.mark.parametrize(
    "words", [("probe", "--json", "tiny"), ("probe", "tiny", "--json"), ("--json", "probe", "--features", "a", "tiny")]
)
def test_options_may_stand_between_the_words_of_a_command(
    hubstudio: Callable[..., Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny").mkdir()
    ended = hubstudio("backbones", *words)
    assert (ended.code, ended.document["name"]) == (0, "tiny"), ended.err
