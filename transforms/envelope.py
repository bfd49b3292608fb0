"""Records as bytes with the version of their form: what a stream keeps in its state and hands from worker to worker.

A stream outlives the program that started it: its state may be read by a later version. The version stands before
each record, so that what cannot be read is refused with a sentence and not lost or misread.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from transforms.failures import StateError

VERSION = 1  # raised when a record's fields change so that older bytes cannot be read any more
_MARK = b"trucewatch/"

T = TypeVar("T")


def pack(record: Any) -> bytes:
    """Return `record` as bytes; half surrogates, which no encoding has, are replaced."""
    try:
        body = msgspec.json.encode(record)
    except UnicodeEncodeError:
        body = msgspec.json.encode(_without_halves(msgspec.to_builtins(record)))
    return _MARK + str(VERSION).encode() + b" " + body


def unpack(data: bytes, kind: type[T]) -> T:
    """Return the record of `kind` in `data`.

    Raises:
        StateError: It was written in another form, by another version of trucewatch.
    """
    head, space, body = data.partition(b" ")
    if not space or head != _MARK + str(VERSION).encode():
        found = head.removeprefix(_MARK).decode("ascii", "replace")[:20] if head.startswith(_MARK) else "none"
        raise StateError(
            f"the stream's state has form {found}, this version of trucewatch reads form {VERSION}: start the version"
            " that wrote it, drain the stream, then start this one without the old state (a store keeps everything)"
        )
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StateError(
            f"the stream's state holds a {kind.__name__} that this version of trucewatch cannot read ({error}): start"
            " the version that wrote it, drain the stream, then start this one without the old state"
        ) from error


def _without_halves(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_without_halves(key): _without_halves(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_halves(inner) for inner in value]
    return value
