"""What failed, as a record on one dead-letter output, and the error tree that stages raise."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime


class TrucewatchError(Exception):
    """Base of all errors that trucewatch raises on purpose; the message says what to do."""


class ConfigError(TrucewatchError):
    """The configuration cannot be used."""


class KnowledgeError(TrucewatchError):
    """A data file (lexicon, gazetteer, ceasefires, model) cannot be used; names file, place and reason."""


class FetchError(TrucewatchError):
    """A feed or page could not be read over the network."""

    def __init__(self, kind: str, message: str) -> None:
        """Keep `kind`, a short stable word such as "timeout", for counters and feed health."""
        super().__init__(message)
        self.kind = kind


class ParseError(TrucewatchError):
    """A body was read but is not a feed that can be parsed."""

    def __init__(self, kind: str, message: str) -> None:
        """Keep `kind`, a short stable word such as "not_a_feed", for counters and feed health."""
        super().__init__(message)
        self.kind = kind


class StoreError(TrucewatchError):
    """The store cannot be opened or written."""


class StoreBusyError(StoreError):
    """Another run holds the store; try again later."""


class EngineError(TrucewatchError):
    """The engine of a stream cannot be reached, or gave the stream up; it may be well again later."""


class StateError(TrucewatchError):
    """The state of a stream was written by another version and cannot be read."""


class SinkError(TrucewatchError):
    """A sink did not take a batch; `retryable` says whether trying again can help."""

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        """Keep whether a later attempt can succeed."""
        super().__init__(message)
        self.retryable = retryable


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One input that a stage could not handle.

    Attributes:
        stage: ingest, detect, deduplicate, alert or sinks.
        kind: Short stable word: the error's kind or class.
        message: What happened, for a person.
        input_id: Feed name, item id, event id or alert id.
        input_hash: Hash of the input, to tell whether a replay meets the same one.
        payload: JSON of the input where it can be fed in again by `trucewatch replay`, else "".
        at: The run's clock.
    """

    stage: str
    kind: str
    message: str
    input_id: str
    input_hash: str = ""
    payload: str = ""
    at: datetime


def failure_of(stage: str, error: Exception, *, input_id: str, at: datetime, payload: str = "") -> Failure:
    """Return the dead-letter record of `error` for the input `input_id`."""
    kind = getattr(error, "kind", "") or type(error).__name__
    digest = hashlib.sha256((payload or input_id).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    message = str(error) or repr(error)
    return Failure(
        stage=stage, kind=kind, message=message[:2000], input_id=input_id, input_hash=digest, payload=payload, at=at
    )
