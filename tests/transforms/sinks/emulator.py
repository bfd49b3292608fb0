"""The official Pub/Sub emulator, started for tests where it is installed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_PLACES = (
    "/usr/lib/google-cloud-sdk/platform/pubsub-emulator/bin/cloud-pubsub-emulator",
    "/opt/google-cloud-sdk/platform/pubsub-emulator/bin/cloud-pubsub-emulator",
)


def emulator_program() -> str | None:
    """Return the emulator's path; it needs Java too."""
    if shutil.which("java") is None:
        return None
    found = shutil.which("cloud-pubsub-emulator")
    return found or next((place for place in _PLACES if Path(place).exists()), None)


@contextmanager
def running_emulator() -> Iterator[str]:
    """Run the emulator on a free port, with PUBSUB_EMULATOR_HOST set; gives host and port."""
    program = emulator_program()
    if program is None:
        pytest.skip("the Pub/Sub emulator is not installed (google-cloud-cli-pubsub-emulator and a Java runtime)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"127.0.0.1:{port}"
    server = subprocess.Popen(
        [program, "--host=127.0.0.1", f"--port={port}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    before = os.environ.get("PUBSUB_EMULATOR_HOST")
    try:
        _wait_for(port, server)
        os.environ["PUBSUB_EMULATOR_HOST"] = address
        yield address
    finally:
        if before is None:
            os.environ.pop("PUBSUB_EMULATOR_HOST", None)
        else:
            os.environ["PUBSUB_EMULATOR_HOST"] = before
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(10)


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the Pub/Sub emulator did not start")
