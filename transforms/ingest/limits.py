"""How long the texts of a feed may be, so that no feed can fill the memory of the process that takes it in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from transforms.ingest.wire import Entry

TITLE_CHARS = 1_000
SUMMARY_CHARS = 20_000
TEXT_CHARS = 200_000
ID_CHARS = 4_000
TOTAL_CHARS = 3_000_000  # of all entries together
SPARE_CHARS = 500  # of an entry's summary once that is spent: no entry is lost for its neighbours' length


def bounded(entries: Iterable[Entry], warnings: list[str]) -> tuple[Entry, ...]:
    """Return `entries`, those after the first few million characters with their summaries' beginnings only."""
    kept: list[Entry] = []
    total = 0
    for entry in entries:
        if total > TOTAL_CHARS:
            kept.append(replace(entry, summary=entry.summary[:SPARE_CHARS].rstrip(), content=""))
        else:
            kept.append(entry)
            total += len(entry.summary) + len(entry.content)
    if total > TOTAL_CHARS:
        warnings.append(f"too_long: the texts are longer than {TOTAL_CHARS} characters together and were shortened")
    return tuple(kept)
