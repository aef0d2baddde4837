# shellcheck shell=bash
# shellcheck disable=SC2034
# What demo and test share: everything a fresh machine lacks, and the environment in .venv.
# Sourced (so its lists look unused), after "set -euo pipefail". All it says goes to stderr, so that stdout stays the command's own.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

# Libraries that Qt loads and no wheel brings along (hubstudio/screen.py knows them too; a test compares).
QT_PACKAGES=(libegl1 libgl1 libglib2.0-0 libdbus-1-3 libfontconfig1 libxkbcommon0 libxkbcommon-x11-0 libxcb-cursor0
    libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0
    libxcb-xkb1 fonts-dejavu-core)
# A screen that nobody sees, for the tests.
SCREEN_PACKAGES=(xvfb xauth)
# The window driven from outside, as by a screen reader.
DESKTOP_PACKAGES=(xdotool openbox dbus dbus-x11 at-spi2-core)

# Each argument is a line.
say() { printf '%s\n' "$@" >&2; }

fail() {
    say "$@"
    exit 1
}

has_screen() { [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; }

# --- system packages ------------------------------------------------------------------------------------------------

is_installed() { [[ "$(dpkg-query -W -f='${Status}' "$1" 2>/dev/null)" == "install ok installed" ]]; }

# Print those of the given packages that are missing; nothing where there is no dpkg to ask.
missing_of() {
    command -v dpkg-query >/dev/null || return 0
    local package
    for package in "$@"; do
        # Newer releases call some of them ...t64.
        is_installed "$package" || is_installed "${package}t64" || printf '%s\n' "$package"
    done
}

# Install missing packages as root. As anybody else, name the one line to run and return 1.
ensure_packages() {
    local missing
    missing="$(missing_of "$@" | tr '\n' ' ')"
    missing="${missing% }"
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        say "Missing system packages. To install them:" "  sudo apt-get install -y $missing"
        return 1
    fi
    say "Installing system packages: $missing"
    install_packages "$missing"
}

install_packages() {
    local -a packages
    read -r -a packages <<<"$1"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update >&2 || say "The package lists could not be refreshed; going on with the old ones."
    apt-get install -y --no-install-recommends "${packages[@]}" >&2
}

# --- Python ---------------------------------------------------------------------------------------------------------

is_right_python() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

find_python() {
    local name
    for name in python3 python3.12 python3.13 python3.11 python; do
        if is_right_python "$name"; then
            printf '%s\n' "$name"
            return
        fi
    done
    return 1
}

# Print the package without which no environment can be made: Debian keeps the venv module apart from Python.
python_packages() {
    local python
    if venv_works || ! python="$(find_python)" || "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        return 0
    fi
    "$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
}

check_machine() {
    case "$(uname -sm)" in
        "Darwin x86_64") fail "TensorFlow has no packages for Intel Macs, so Hub Studio cannot run here." ;;
        MINGW*aarch64 | MINGW*ARM64) fail "TensorFlow has no packages for Windows on ARM, so Hub Studio cannot run here." ;;
    esac
}

# --- .venv ----------------------------------------------------------------------------------------------------------

# Git Bash on Windows has Scripts where others have bin.
bin_folder() { if [ -d "$ROOT/.venv/Scripts" ]; then printf '%s' "$ROOT/.venv/Scripts"; else printf '%s' "$ROOT/.venv/bin"; fi; }

has_pip() { "$(bin_folder)/python" -m pip --version >/dev/null 2>&1; }

venv_works() { is_right_python "$(bin_folder)/python" && has_pip; }

# Other tools, such as uv, make environments without pip: those lack nothing else. Without pyvenv.cfg it is none.
lacks_only_pip() { [ -f "$ROOT/.venv/pyvenv.cfg" ] && is_right_python "$(bin_folder)/python" && ! has_pip; }

# What an installation depends on: the requirements, and where the checkout is.
fingerprint() {
    "$(bin_folder)/python" - "$ROOT" <<'PYTHON'
import hashlib, pathlib, sys
root = sys.argv[1]
print(hashlib.sha256(root.encode() + (pathlib.Path(root) / "pyproject.toml").read_bytes()).hexdigest())
PYTHON
}

is_up_to_date() {
    local stamp="$ROOT/.venv/hubstudio-$1.stamp"
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(fingerprint)" ]
}

# Make or mend .venv and install Hub Studio into it. $1: "run", or "dev" for the tools of the tests too.
ensure_venv() {
    local python
    check_machine
    if lacks_only_pip; then
        say "Adding pip to the environment $ROOT/.venv"
        "$(bin_folder)/python" -m ensurepip >&2 || fail "The environment $ROOT/.venv has no pip, and none could be added." \
            "Add it with the tool that made the environment (uv pip install pip), or move .venv away and run this again."
    elif ! venv_works; then
        python="$(find_python)" || fail "Hub Studio needs Python 3.11, 3.12 or 3.13, and none was found." \
            "Install one, for example from your system's packages or python.org, and run this again."
        say "Making the environment $ROOT/.venv"
        rm -rf "$ROOT/.venv"
        "$python" -m venv "$ROOT/.venv" >&2
    fi
    is_up_to_date "$1" || install_hubstudio "$1"
}

install_hubstudio() {
    local what="$ROOT"
    [ "$1" = dev ] && what="${ROOT}[dev]"
    say "Installing Hub Studio into .venv; the first time this fetches about 1 GB and takes some minutes."
    "$(bin_folder)/python" -m pip install --disable-pip-version-check --progress-bar off -e "$what" >&2
    fingerprint >"$ROOT/.venv/hubstudio-run.stamp"
    [ "$1" != dev ] || fingerprint >"$ROOT/.venv/hubstudio-dev.stamp"
}
