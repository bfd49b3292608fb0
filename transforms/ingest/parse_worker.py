"""The worker process: reads jobs from its standard input, answers on its standard output, and can be killed any time.

Started as `python -m transforms.ingest.parse_worker MEMORY_MB CPU_S`. A frame is a length in eight bytes and that many
bytes; a job is two frames (its JSON, the body), an answer is one. The process limits itself: address space, CPU time a
job, no core files, and it ends when its input does, so that it cannot outlive its parent by long.
"""

from __future__ import annotations

import os
import resource
import signal
import struct
import sys
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import msgspec

from transforms.failures import ParseError
from transforms.ingest.decode import decoded
from transforms.ingest.parse import entries_of
from transforms.ingest.wire import Job, Reply
from transforms.text import plain

LENGTH = struct.Struct(">Q")


def answer(job: Job, body: bytes) -> Reply:
    """Return what `job` asks of `body`; what is wrong with the body becomes the reply's error."""
    try:
        data, warnings = decoded(body, job.content_encoding, job.max_bytes)
        if job.kind == "page":
            from transforms.ingest.page import page_text

            title, text = page_text(data, content_type=job.content_type, language=job.language, url=job.url)
            return Reply(title=title, text=text)
        if job.kind == "robots":
            from transforms.ingest.robots import verdicts

            allowed, delay = verdicts(data, job.agent, job.urls)
            return Reply(allowed=allowed, crawl_delay_s=delay)
        feed = entries_of(data, content_type=job.content_type, language=job.language, max_items=job.max_items)
        if warnings:
            # Bytes that were decoded with doubts are read, but their validators are not to be trusted.
            feed = replace(feed, complete=False, warnings=(*warnings, *feed.warnings))
        return Reply(feed=feed)
    except ParseError as error:
        return Reply(error_kind=error.kind, error=str(error))
    except MemoryError:
        return Reply(error_kind="parse_memory", error="parsing needs more memory than a worker may take")
    except RecursionError:
        return Reply(error_kind="parse_crash", error="the document is nested too deeply")
    except Exception as error:  # noqa: BLE001 - the worker is the wall between hostile input and the run
        return Reply(error_kind="parse_crash", error=plain(f"{type(error).__name__}: {error}")[:300])


def main() -> None:
    """Answer jobs until the input ends."""
    memory_mb, cpu_s = int(sys.argv[1]), float(sys.argv[2])
    _limit(memory_mb)
    jobs = os.fdopen(os.dup(0), "rb", buffering=0)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a library prints must not become part of an answer
    _write(answers, b"ready")
    while True:
        head = _read(jobs)
        if head is None:
            return
        body = _read(jobs)
        if body is None:
            return
        signal.setitimer(signal.ITIMER_PROF, cpu_s)
        try:
            reply = msgspec.json.encode(_measured(answer(msgspec.json.decode(head, type=Job), body)))
        except MemoryError:
            reply = msgspec.json.encode(Reply(error_kind="parse_memory", error="the answer does not fit into memory"))
        signal.setitimer(signal.ITIMER_PROF, 0)
        del head, body
        _write(answers, reply)


def _limit(memory_mb: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # the CPU timer kills, even inside a C extension
    for what, value in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, memory_mb << 20)):
        _, hard = resource.getrlimit(what)
        soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(what, (soft, hard))
        except (ValueError, OSError):  # macOS knows no RLIMIT_AS; the clock and CPU limits still hold
            continue


def _measured(reply: Reply) -> Reply:
    return replace(reply, peak_mb=round(_peak_mb(), 1))


def _peak_mb() -> float:
    """Return this process's largest memory; Linux's `ru_maxrss` would count the parent's, before exec."""
    try:
        with Path("/proc/self/status").open("rb") as status:
            lines = [line for line in status if line.startswith(b"VmHWM:")]
        return int(lines[0].split()[1]) / 1024
    except (OSError, IndexError, ValueError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def _read(stream: BinaryIO) -> bytes | None:
    head = _exactly(stream, LENGTH.size)
    return None if head is None else _exactly(stream, LENGTH.unpack(head)[0])


def _exactly(stream: BinaryIO, n: int) -> bytes | None:
    pieces = bytearray()
    while len(pieces) < n:
        piece = stream.read(min(n - len(pieces), 1 << 20))
        if not piece:
            return None
        pieces += piece
    return bytes(pieces)


def _write(stream: BinaryIO, payload: bytes) -> None:
    view = memoryview(LENGTH.pack(len(payload)) + payload)
    while view:
        view = view[stream.write(view) :]


if __name__ == "__main__":
    main()
