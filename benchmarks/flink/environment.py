"""Gets Flink: the distribution and PyFlink, from the Python package index, into an environment of their own.

`python -m benchmarks.flink.environment` makes it (some 900 MB) and prints where it is; made once, it is used again. It
is apart from trucewatch's environment since PyFlink wants a Beam of its own.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


class FlinkMissingError(Exception):
    """Flink cannot be had here; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class FlinkHome:
    """An installed Flink.

    Attributes:
        python: Of the environment that holds PyFlink and what trucewatch needs.
        home: The distribution, with `bin/` and `lib/`.
    """

    python: Path
    home: Path


def flink_home(*, install: bool = True) -> FlinkHome:
    """Return Flink, installing it if need be.

    Raises:
        FlinkMissingError: There is no Java, or the packages cannot be installed.
    """
    if shutil.which("java") is None:
        raise FlinkMissingError("no java: Flink needs a Java runtime, 11 or newer")
    folder = _folder()
    ready = folder / "ready"
    if not ready.exists():
        if not install:
            raise FlinkMissingError("Flink is not installed; `python -m benchmarks.flink.environment` gets it")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # test processes side by side install it once
            if not ready.exists():
                _install(folder)
                ready.touch()
    (home,) = folder.glob("lib/python*/site-packages/pyflink")
    return FlinkHome(python=folder / "bin" / "python", home=home)


def _folder() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    version = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    return cache / "trucewatch" / f"flink-{version}-py{sys.version_info.major}{sys.version_info.minor}"


def _install(folder: Path) -> None:
    venv.create(folder, with_pip=True, clear=True)
    # No dependencies: the list is whole, but for pemja, which PyFlink names and process mode does not need.
    command = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    done = subprocess.run([*command, "-r", REQUIREMENTS], capture_output=True, text=True, check=False)
    if done.returncode:
        raise FlinkMissingError(f"Flink could not be installed: {done.stderr.strip().splitlines()[-1:]}")


def main() -> None:
    try:
        found = flink_home()
    except FlinkMissingError as error:
        sys.exit(str(error))
    print(found.home)


if __name__ == "__main__":
    main()
