"""A small pool of parse workers: processes that are replaced after some jobs, and killed when a job takes too long.

Plain pipes and `subprocess`, not `multiprocessing`: nothing of this process is inherited, so it is safe beside gRPC's
threads in a Beam worker, and a worker imports feedparser only.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from transforms.failures import ParseError
from transforms.ingest.patience import Patience
from transforms.ingest.settings import FetchSettings
from transforms.ingest.wire import Job, Reply

START_S = 60.0  # a machine under load may take long to start Python
RECYCLE_MB = 300.0
_MODULE = "transforms.ingest.parse_worker"


class ParserPool:
    """Runs jobs in worker processes; safe to use from many threads, each waiting for its own job.

    Workers start when first needed and end with `close` (or the `with` block). A job that breaks its worker raises
    for that job alone.

    Attributes:
        started: How many workers were started.
        peak_mb: Largest memory of any of them, as far as they could still tell.
        slowest_s: Longest time that a job took, its worker's death included, its start left out.
    """

    def __init__(self, settings: FetchSettings) -> None:
        """Keep the limits; nothing is started yet."""
        self._settings = settings
        self._slots = threading.BoundedSemaphore(settings.parse_workers)
        self._idle: list[_Worker] = []
        self._lock = threading.Lock()
        self._closed = False
        self.started = 0
        self.peak_mb = 0.0
        self.slowest_s = 0.0

    def run(self, job: Job, body: bytes | bytearray) -> Reply:
        """Return the worker's answer to `job` on `body`.

        Raises:
            ParseError: The body cannot be read, or the worker had to be killed ("parse_timeout", "parse_crash",
                "parse_memory").
        """
        with self._slots:
            with self._lock:
                worker = self._idle.pop() if self._idle else None
            worker = worker or self._start()
            started = time.monotonic()
            try:
                reply = worker.run(job, body, self._settings.parse_wall_s)
            except BaseException:
                worker.kill()
                raise
            finally:
                self.slowest_s = max(self.slowest_s, time.monotonic() - started)
            self.peak_mb = max(self.peak_mb, reply.peak_mb)
            spent = worker.jobs >= self._settings.worker_jobs or reply.peak_mb > RECYCLE_MB
            with self._lock:
                keep = not (spent or reply.error_kind == "parse_memory" or self._closed)
                if keep:
                    self._idle.append(worker)
            if not keep:
                worker.kill()
        if reply.error_kind:
            raise ParseError(reply.error_kind, reply.error)
        return reply

    def pids(self) -> list[int]:
        """Return the process ids of the workers that are idle."""
        with self._lock:
            return [worker.pid for worker in self._idle]

    def close(self) -> None:
        """End all workers; none is left behind."""
        with self._lock:
            workers, self._idle = self._idle, []
            self._closed = True
        for worker in workers:
            worker.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> _Worker:
        with self._lock:
            if self._closed:
                raise ParseError("parse_start", "the run is ending: no more parse workers are started")
            self.started += 1
        return _Worker(self._settings)


class _Worker:
    """One process and its two pipes."""

    def __init__(self, settings: FetchSettings) -> None:
        self.jobs = 0
        environment = {
            key: value for key, value in os.environ.items() if key in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG")
        }
        # The parent's search path, so that a worker finds what the parent found; the clock's zone is UTC, because
        # feedparser reads some naive dates by the machine's zone.
        environment |= {
            "PYTHONPATH": os.pathsep.join(folder or str(Path.cwd()) for folder in sys.path),
            "TZ": "UTC",
            "PYTHONHASHSEED": "0",
        }
        command = [sys.executable, "-W", "ignore", "-m", _MODULE]
        command += [str(settings.worker_memory_mb), str(settings.parse_cpu_s)]
        self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=environment,
            start_new_session=True,
        )
        self.pid = self._process.pid
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("subprocess gave no pipes")
        self._stdin, self._stdout = stdin, stdout
        os.set_blocking(stdin.fileno(), False)
        os.set_blocking(stdout.fileno(), False)
        try:
            self._read_frame(Patience(START_S))
        except ParseError as error:
            self.kill()
            raise ParseError(
                "parse_start", f"the parse worker does not start ({error}); try: {sys.executable} -m {_MODULE} 512 3"
            ) from error

    def run(self, job: Job, body: bytes | bytearray, wall_s: float) -> Reply:
        self.jobs += 1
        patience = Patience(wall_s, of=self.pid)
        head = msgspec.json.encode(job)
        self._write(len(head).to_bytes(8, "big") + head + len(body).to_bytes(8, "big"), patience)
        self._write(body, patience)
        return msgspec.json.decode(self._read_frame(patience), type=Reply)

    def kill(self) -> None:
        """End the process and wait for it, so that no zombie stays."""
        self._process.kill()
        self._process.wait()
        self._stdin.close()
        self._stdout.close()

    def _write(self, payload: bytes | bytearray, patience: Patience) -> None:
        view = memoryview(payload)
        while view:
            self._wait(self._stdin.fileno(), selectors.EVENT_WRITE, patience)
            try:
                view = view[os.write(self._stdin.fileno(), view[: 1 << 20]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise self._ended() from None

    def _read_frame(self, patience: Patience) -> bytes:
        return self._exactly(int.from_bytes(self._exactly(8, patience), "big"), patience)

    def _exactly(self, n: int, patience: Patience) -> bytes:
        pieces = bytearray()
        while len(pieces) < n:
            self._wait(self._stdout.fileno(), selectors.EVENT_READ, patience)
            try:
                piece = os.read(self._stdout.fileno(), min(n - len(pieces), 1 << 20))
            except BlockingIOError:
                continue
            if not piece:
                raise self._ended()
            pieces += piece
        return bytes(pieces)

    def _wait(self, fd: int, event: int, patience: Patience) -> None:
        with selectors.PollSelector() as selector:
            selector.register(fd, event)
            # Looked at once more even when the time is over: an answer that is there counts, though this thread, which
            # shares its processor and Python's lock with others, comes too late for it.
            while not selector.select(patience.left()):
                if not patience.renewed():
                    raise ParseError(
                        "parse_timeout", "parsing took longer than [fetch] parse_wall_s allows and was stopped"
                    )

    def _ended(self) -> ParseError:
        code = self._process.wait()
        if -code in (signal.SIGPROF, signal.SIGXCPU):
            return ParseError("parse_timeout", "parsing took more CPU time than [fetch] parse_cpu_s allows: stopped")
        if -code == signal.SIGKILL:
            return ParseError("parse_memory", "the parse worker was killed by the system, most likely for its memory")
        return ParseError("parse_crash", f"the parse worker ended with code {code}")
