"""The set-up scripts' own decisions, with the system replaced by stand-ins: nothing is installed here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the scripts are for bash")


def bash(script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run lines of bash after those of setup.sh."""
    whole = f"set -euo pipefail; source {REPOSITORY}/packaging/setup.sh; {script}"
    environment = {**os.environ, **variables}
    return subprocess.run(["bash", "-c", whole], capture_output=True, text=True, check=False, env=environment)


STAND_INS = (
    'dpkg-query() { [[ "${!#}" == libgl1 ]] && echo "install ok installed"; }; apt-get() { echo "apt-get $*"; };'
)


def test_a_normal_user_is_told_one_line_and_nothing_is_installed() -> None:
    done = bash(f"{STAND_INS} id() {{ echo 1000; }}; ensure_packages libgl1 libegl1 xvfb || echo refused")
    assert done.stdout == "refused\n"
    assert done.stderr.splitlines()[1:] == ["  sudo apt-get install -y libegl1 xvfb"]


def test_root_gets_what_is_missing_and_stdout_stays_the_commands_own() -> None:
    done = bash(f"{STAND_INS} id() {{ echo 0; }}; ensure_packages libgl1 libegl1 xvfb")
    assert done.returncode == 0
    assert done.stdout == ""
    assert "apt-get install -y --no-install-recommends libegl1 xvfb" in done.stderr


def test_where_nothing_is_missing_nothing_is_said() -> None:
    done = bash(f"{STAND_INS} ensure_packages libgl1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_newer_names_of_a_package_count() -> None:
    done = bash(
        'dpkg-query() { [[ "${!#}" == libglib2.0-0t64 ]] && echo "install ok installed"; }; missing_of libglib2.0-0'
    )
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("version", "accepted"), [("3, 10", False), ("3, 11", True), ("3, 13", True), ("3, 14", False)]
)
def test_only_a_python_that_all_requirements_know_is_taken(tmp_path: Path, version: str, accepted: bool) -> None:
    python = tmp_path / "python3"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -c "import sys; sys.version_info = ({version}); $2"\n')
    python.chmod(0o755)
    assert (bash(f"is_right_python {python}").returncode == 0) is accepted


def test_without_a_right_python_it_says_which_would_do() -> None:
    done = bash("is_right_python() { false; }; ROOT=/nowhere; ensure_venv run")
    assert done.returncode == 1
    assert "needs Python 3.11, 3.12 or 3.13" in done.stderr


def test_the_module_that_debian_keeps_apart_is_named() -> None:
    done = bash("""venv_works() { false; }; find_python() { echo lacking; }
        lacking() { [[ "$2" == *ensurepip* ]] && return 1; echo python3.11-venv; }; python_packages""")
    assert done.stdout == "python3.11-venv\n"


def test_a_half_made_environment_does_not_count(tmp_path: Path) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(tmp_path / "gone")
    assert bash(f"ROOT={tmp_path}; venv_works").returncode != 0


def test_an_environment_that_lacks_only_pip_is_given_it_and_kept(tmp_path: Path) -> None:
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    (tmp_path / ".venv" / "pyvenv.cfg").touch()
    (folder / "precious").touch()
    (folder / "python").write_text('#!/bin/sh\ncase "$2" in pip) exit 1;; ensurepip) echo added; exit $CODE;; esac\n')
    (folder / "python").chmod(0o755)
    script = f"ROOT={tmp_path}; is_up_to_date() {{ true; }}; check_machine() {{ true; }}; ensure_venv run"
    done, refused = bash(script, CODE="0"), bash(script, CODE="1")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, "added")
    assert refused.returncode == 1
    assert "has no pip, and none could be added" in refused.stderr
    assert (folder / "precious").exists()


def test_a_changed_requirement_is_noticed(tmp_path: Path) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / "pyproject.toml").write_text("one")
    done = bash(
        f"ROOT={tmp_path}; is_up_to_date run && echo early; fingerprint >{tmp_path}/.venv/hubstudio-run.stamp;"
        f"is_up_to_date run && echo same; echo two >{tmp_path}/pyproject.toml; is_up_to_date run || echo changed"
    )
    assert done.stdout == "same\nchanged\n"


@pytest.mark.parametrize("script", ["packaging/demo", "packaging/test", ".ci/run"])
def test_the_scripts_can_be_run_as_they_are(script: str) -> None:
    assert os.access(REPOSITORY / script, os.X_OK)
    assert subprocess.run(["bash", "-n", REPOSITORY / script], check=False).returncode == 0
