"""JSON Lines: one CloudEvent a line, each alert exactly once, whole lines only.

A line is looked for by its alert's id before it is written, so that a delivery repeated after a crash changes nothing.
A last line that a crash cut short is cut off; the outbox still holds its alert, which is then written whole.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from transforms.failures import SinkError
from transforms.model import Alert
from transforms.sinks.base import Batch, Outcomes
from transforms.sinks.cloudevents import cloudevent, encode_json
from transforms.sinks.files import file_error, sync_directory
from transforms.sinks.settings import JsonlSettings

_ID = re.compile(rb'^\{"specversion":"1\.0","id":"([^"\\]+)"', re.MULTILINE)
_START = b'{"specversion":"1.0","id":"'


class JsonlSink:
    """Appends alerts to a file."""

    batch_size = 1000

    def __init__(self, settings: JsonlSettings) -> None:
        """Only keep the settings; the file is opened at each delivery."""
        self.name = settings.name
        self._path = Path(settings.path)
        self._source = settings.source
        self._known: frozenset[str] = frozenset()
        self._known_at: tuple[int, int, int] | None = None

    def encode(self, alert: Alert) -> bytes:
        """Return the alert's line."""
        return encode_json(cloudevent(alert, self._source)) + b"\n"

    def deliver(self, batch: Batch) -> Outcomes:
        """Append those of `batch` that the file does not hold yet, and have the disk keep them."""
        self.append({delivery.alert_id: delivery.body for delivery in batch.deliveries})
        return Outcomes(delivered=batch.alert_ids)

    def append(self, lines: Mapping[str, bytes]) -> None:
        """Append those of `lines` (by alert id) that the file does not hold yet, and have the disk keep them.

        Raises:
            SinkError: The file cannot be written, is being written by another process, or is none of alerts.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                self._append(handle, lines)
            finally:
                os.close(handle)
        except OSError as error:
            raise file_error(self._path, error) from error

    def _append(self, handle: int, lines: Mapping[str, bytes]) -> None:
        _lock(handle, self._path)
        end = repaired_end(handle, self._path)
        known = self._ids(handle, end)
        new = {alert_id: line for alert_id, line in lines.items() if alert_id not in known}
        try:
            _write_all(handle, b"".join(new.values()), end)
            os.fsync(handle)
        except OSError:
            os.ftruncate(handle, end)  # disk full: nothing half-written stays behind
            raise
        if end == 0:
            sync_directory(self._path.parent)
        self._known = known | new.keys()
        self._known_at = _state(handle)

    def _ids(self, handle: int, end: int) -> frozenset[str]:
        if self._known_at != _state(handle):
            self._known = frozenset(ids_in(_read(handle, end)))
        return self._known


def ids_in(data: bytes) -> set[str]:
    """Return the alert ids in lines of `data`, our own and such as another tool has laid out anew."""
    ids = {match.group(1).decode("utf-8", "replace") for match in _ID.finditer(data)}
    if len(ids) < data.count(b"\n"):
        for line in data.splitlines():
            if not line.startswith(_START):
                ids |= _foreign_id(line)
    return ids


def _foreign_id(line: bytes) -> set[str]:
    try:
        event = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return set()
    found = event.get("id") if isinstance(event, dict) else None
    return {found} if isinstance(found, str) else set()


def repaired_end(handle: int, path: Path) -> int:
    """Return where the next line begins, after mending a last line that was cut short.

    Raises:
        SinkError: The file is not one of alerts; it is left as it is.
    """
    size = os.fstat(handle).st_size
    if size == 0:
        return 0
    head = os.pread(handle, len(_START), 0)
    if not head.lstrip().startswith(b"{") and not _START.startswith(head):
        raise SinkError(f"{path} is not a file of alerts; name another one", retryable=True)
    start = _last_line_start(handle, size)
    tail = os.pread(handle, size - start, start)
    if not tail:
        return size
    try:
        json.loads(tail)
    except ValueError:
        if not (tail.startswith(_START) or _START.startswith(tail)):
            raise SinkError(f"the last line of {path} is no alert and does not end; mend it by hand") from None
        os.ftruncate(handle, start)
        return start
    _write_all(handle, b"\n", size)
    return size + 1


def _last_line_start(handle: int, size: int) -> int:
    """Return the offset after the last line break."""
    end = size
    while end > 0:
        start = max(0, end - 65536)
        found = os.pread(handle, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _read(handle: int, size: int) -> bytes:
    parts, at = [], 0
    while at < size and (part := os.pread(handle, min(1 << 30, size - at), at)):
        parts.append(part)
        at += len(part)
    return b"".join(parts)


def _write_all(handle: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(handle, view, at)
        view, at = view[written:], at + written


def _lock(handle: int, path: Path) -> None:
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise SinkError(f"{path} is being written by another process; it is tried again later") from error


def _state(handle: int) -> tuple[int, int, int]:
    status = os.fstat(handle)
    return status.st_ino, status.st_size, status.st_mtime_ns
