"""The log as JSON lines, each with the id of the run that it belongs to."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TextIO

# Of the process and not of a thread: threads of runners and of ingest log too, and a process does one run at a time.
_run_ids: list[str] = []


class JsonFormatter(logging.Formatter):
    """One JSON object a record; `severity` is the word that collectors of cloud logs look for."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a line."""
        row: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "severity": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if _run_ids:
            row["run_id"] = _run_ids[-1]
        if record.exc_info and record.exc_info[0]:
            row["error"] = self.formatException(record.exc_info)
        # Escaped, since the words of a feed may be no text that UTF-8 can hold.
        return json.dumps(row | getattr(record, "fields", {}), ensure_ascii=True, default=repr)


@contextmanager
def logged_as(run_id: str) -> Iterator[None]:
    """Name the run that whatever is logged meanwhile belongs to."""
    _run_ids.append(run_id)
    try:
        yield
    finally:
        _run_ids.remove(run_id)


def log_as_json() -> None:
    """Send log records to stderr, one JSON object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # What Python itself would print of its own accord: warnings, and what ends a thread of Beam's or of ours.
    logging.captureWarnings(True)
    threading.excepthook = _log_end_of_thread
    sys.unraisablehook = _log_unraisable
    sys.stderr = _StrayLines(handler.stream)


class _StrayLines(io.TextIOBase):
    """Stands in for stderr: what a library prints there becomes records, as gRPC's tracebacks of a cut connection."""

    def __init__(self, plain: TextIO) -> None:
        self._plain = plain
        self._of_thread = threading.local()

    def write(self, text: str) -> int:
        """Log the lines that `text` ends; the rest waits for its end."""
        mine = self._of_thread
        if getattr(mine, "logging", False):  # the log's own trouble must not come back to it
            return self._plain.write(text)
        *lines, mine.begun = (getattr(mine, "begun", "") + text).split("\n")
        mine.logging = True
        try:
            for line in filter(str.strip, lines):
                logging.getLogger("stderr").warning("%s", line)
        finally:
            mine.logging = False
        return len(text)

    def flush(self) -> None:
        """Hand on what was logged."""
        self._plain.flush()

    def fileno(self) -> int:
        """Return the number of the real stderr, for whoever hands it to another process."""
        return self._plain.fileno()

    def writable(self) -> bool:
        """Return True."""
        return True


def _log_end_of_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_type is not SystemExit:
        name = ended.thread.name if ended.thread else "unknown"
        error = ended.exc_value or ended.exc_type()
        logging.getLogger("threading").error("thread %s ended by an error", name, exc_info=error)


def _log_unraisable(what: sys.UnraisableHookArgs) -> None:
    error = what.exc_value or what.exc_type()
    logging.getLogger("python").error("%s: %r", what.err_msg or "error ignored in", what.object, exc_info=error)
