"""A Flink cluster of one JobManager and some TaskManagers, each a process of its own on loopback.

For tests, benchmarks and `make flink`; `environment.py` gets the Flink distribution. In production Flink's operator or
the cloud starts the cluster: see docs/deploying.md.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

_READY_S = 180.0
_SETTINGS: dict[str, str | int] = {
    "jobmanager.memory.process.size": "800m",
    "taskmanager.memory.process.size": "1100m",
    "taskmanager.memory.managed.fraction": "0.3",
    # Dead processes are noticed by their closed connections, silent ones after half a minute.
    "heartbeat.interval": "1000ms",
    "heartbeat.timeout": "30000ms",
    # A new TaskManager may take a minute to come on a busy machine; until then each restart fails.
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": 1000,
    "restart-strategy.fixed-delay.delay": "2s",
    "execution.checkpointing.interval": "2s",
    "execution.checkpointing.mode": "EXACTLY_ONCE",
    # Barriers overtake ticks that wait for slow feeds; otherwise a checkpoint lasts as long as the backlog.
    "execution.checkpointing.unaligned.enabled": "true",
    "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
    "state.backend.type": "rocksdb",
    "parallelism.default": 1,
    "pekko.ask.timeout": "30s",
}


class FlinkCluster:
    """Starts a cluster when entered and ends each of its processes when left.

    Attributes:
        folder: Logs, checkpoints, savepoints and temporary files.
        url: Address of the REST interface, once started.
        managers: The running TaskManagers.
    """

    def __init__(
        self,
        home: Path,
        folder: Path,
        *,
        taskmanagers: int = 2,
        slots: int = 1,
        settings: Mapping[str, str | int] | None = None,
    ) -> None:
        """Keep what the cluster is made of.

        Args:
            home: The Flink distribution (`bin/`, `lib/`).
            folder: Where the cluster may write.
            taskmanagers: How many TaskManagers to start.
            slots: Task slots of each.
            settings: Flink's own settings, over the default ones.
        """
        self.folder = folder
        self.managers: list[subprocess.Popen[bytes]] = []
        self._home = home
        self._taskmanagers = taskmanagers
        self._slots = slots
        self._started: list[subprocess.Popen[bytes]] = []
        rpc, rest, blob = free_ports(3)
        self.url = f"http://127.0.0.1:{rest}"
        self.address = f"127.0.0.1:{rest}"
        self._settings: dict[str, str | int] = {
            **_SETTINGS,
            "jobmanager.rpc.address": "127.0.0.1",
            "jobmanager.rpc.port": rpc,
            "jobmanager.bind-host": "127.0.0.1",
            "rest.address": "127.0.0.1",
            "rest.bind-address": "127.0.0.1",
            "rest.port": rest,
            "blob.server.port": blob,
            "taskmanager.host": "127.0.0.1",
            "taskmanager.bind-host": "127.0.0.1",
            "taskmanager.numberOfTaskSlots": slots,
            "execution.checkpointing.dir": (folder / "checkpoints").as_uri(),
            "execution.checkpointing.savepoint-dir": (folder / "savepoints").as_uri(),
            "io.tmp.dirs": str(folder / "tmp"),
            **(settings or {}),
        }

    def __enter__(self) -> FlinkCluster:
        """Start all processes and wait until every slot is offered."""
        for name in ("conf", "log", "tmp", "checkpoints", "savepoints"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        lines = [f"{key}: {value}\n" for key, value in self._settings.items()]
        lines.append(f"env.java.opts.all: {_java_options(self._home)}\n")
        (self.folder / "conf" / "config.yaml").write_text("".join(lines), "utf-8")
        (self.folder / "conf" / "log4j-console.properties").write_text(_LOG4J, "utf-8")
        try:
            self._start("jobmanager")
            for _ in range(self._taskmanagers):
                self.add_taskmanager()
            self.wait_for_slots(self._taskmanagers * self._slots)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all processes."""
        self.stop()

    def add_taskmanager(self) -> subprocess.Popen[bytes]:
        """Start one more TaskManager; `wait_for_slots` tells when it has joined."""
        manager = self._start("taskmanager")
        self.managers.append(manager)
        return manager

    def kill_taskmanager(self, manager: subprocess.Popen[bytes]) -> None:
        """End a TaskManager with SIGKILL, without a chance to say goodbye; `wait` replaces it."""
        manager.kill()
        manager.wait()

    def stop(self) -> None:
        """End what was started: TaskManagers first, and by force what does not end."""
        for process in reversed(self._started):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            # Python workers of a TaskManager are in its group; those of a killed one may outlive it for a moment.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        self._started.clear()
        self.managers.clear()

    def get(self, path: str) -> Any:
        """Return the answer of the REST interface to GET `path`."""
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Return the answer of the REST interface to POST `path`."""
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def patch(self, path: str) -> None:
        """Send PATCH `path` to the REST interface."""
        urllib.request.urlopen(urllib.request.Request(self.url + path, method="PATCH"), timeout=30).close()

    def job_state(self, job_id: str) -> str:
        """Return Flink's word for the state of a job, such as RUNNING or FINISHED."""
        return str(self.get(f"/jobs/{job_id}")["state"])

    def completed_checkpoints(self, job_id: str) -> int:
        """Return how many checkpoints of a job are complete."""
        return int(self.get(f"/jobs/{job_id}/checkpoints")["counts"]["completed"])

    def wait_for_slots(self, slots: int) -> None:
        """Wait until the TaskManagers offer `slots` slots."""
        self.wait(lambda: self.get("/overview")["slots-total"] >= slots, f"fewer than {slots} slots were offered")

    def wait(self, done: Callable[[], bool], message: str, seconds: float = _READY_S) -> None:
        """Wait until `done`, or raise TimeoutError with `message` and where the logs are.

        TaskManagers that have died meanwhile are replaced, as Flink's operator would.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for manager in [one for one in self.managers if one.poll() is not None]:
                self.managers.remove(manager)
                self.add_taskmanager()
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                if done():
                    return
            time.sleep(0.2)
        raise TimeoutError(f"{message} within {seconds:.0f} s; logs are in {self.folder / 'log'}")

    def _start(self, what: str) -> subprocess.Popen[bytes]:
        number = len(self._started)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FLINK_")},
            "FLINK_HOME": str(self._home),
            "FLINK_CONF_DIR": str(self.folder / "conf"),
            "FLINK_LOG_DIR": str(self.folder / "log"),
        }
        with (self.folder / "log" / f"{number}-{what}.log").open("wb") as log:
            process = subprocess.Popen(
                [str(self._home / "bin" / f"{what}.sh"), "start-foreground"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started.append(process)
        return process


def _java_options(home: Path) -> str:
    """Return what the distribution's own configuration tells the JVM to open to Flink."""
    found = re.search(r"^    *all: (--add-.*)$", (home / "conf" / "config.yaml").read_text("utf-8"), re.MULTILINE)
    return found[1] if found else ""


def free_ports(number: int) -> list[int]:
    """Return ports of loopback that are free at this moment."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


_LOG4J = """\
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = console
appender.console.name = console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss,SSS} %-5p %-40.40c{1} %x - %m%n
"""
