"""Files that are written anew as a whole at each delivery, from what the store holds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from transforms.model import Alert
from transforms.sinks.base import Batch, Outcomes
from transforms.sinks.files import write_atomically
from transforms.sinks.settings import SnapshotSettings


class SnapshotSink(ABC):
    """A file of the last revision of the events told most recently; a repeated delivery gives the same file."""

    batch_size = 10_000  # one rewriting for all that is due

    def __init__(self, settings: SnapshotSettings) -> None:
        """Keep where the file is and how many events belong in it."""
        self.name = settings.name
        self._path = Path(settings.path)
        self._keep = settings.keep

    @abstractmethod
    def encode(self, alert: Alert) -> bytes:
        """Return the alert's part of the file."""

    @abstractmethod
    def render(self, alerts: Sequence[Alert]) -> bytes:
        """Return the whole file for `alerts`, newest first."""

    def deliver(self, batch: Batch) -> Outcomes:
        """Replace the file by one that holds the batch."""
        write_atomically(self._path, self.render(batch.history.latest(self._keep)))
        return Outcomes(delivered=batch.alert_ids)
