"""Records as JSON text and back, fit for every database."""

from __future__ import annotations

import hashlib
from typing import Any, TypeVar

import msgspec

from transforms.sinks.safe import safe_tree

T = TypeVar("T")
_ENCODER = msgspec.json.Encoder()


def as_json(record: Any) -> str:
    """Return `record` as JSON text; half surrogates, which no encoding has, are replaced."""
    try:
        return _ENCODER.encode(record).decode("utf-8")
    except UnicodeEncodeError:
        return _ENCODER.encode(safe_tree(msgspec.to_builtins(record))).decode("utf-8")


def from_json(text: str, kind: type[T]) -> T:
    """Return the record of `kind` in `text`; raises `msgspec.ValidationError` if it is not one."""
    return msgspec.json.decode(text, type=kind)


def db_text(value: str) -> str:
    """Return `value` without what PostgreSQL refuses in text: NUL and half surrogates."""
    if value.isprintable():
        return value
    return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def article_key(feed: str, item_id: str) -> str:
    """Return the key under which an article is remembered."""
    return hashlib.sha256(f"{feed}\x00{item_id}".encode("utf-8", "surrogatepass")).hexdigest()
