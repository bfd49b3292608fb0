"""The Beam face of the stage: new mentions and stored events, joined by country, decided on together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import apache_beam as beam

from transforms.counters import count
from transforms.deduplicate.block import STAGE, block_of, decide_block
from transforms.deduplicate.settings import ClusterSettings
from transforms.model import Event, EventChange, Mention

_FAILURES = "failures"


class _DecideBlock(beam.DoFn):
    """Decides on one country's new mentions and stored events.

    A run comes to each country once, so no space is kept ready here, as a stream's worker does (`alert.streaming`).
    """

    def __init__(self, settings: ClusterSettings, now: datetime) -> None:
        self._settings = settings
        self._now = now

    def process(
        self, element: tuple[str, dict[str, Iterable[Mention | Event]]]
    ) -> Iterator[EventChange | beam.pvalue.TaggedOutput]:
        """Give the changes of one block, and its failures aside."""
        _, joined = element
        mentions = [one for one in joined["mentions"] if isinstance(one, Mention)]
        events = [one for one in joined["open_events"] if isinstance(one, Event)]
        count(STAGE, "in", len(mentions))
        made, failures = decide_block(events, mentions, self._now, self._settings)
        count(STAGE, "out", made.taken)
        for reason, number in made.dropped.items():
            count(STAGE, f"dropped.{reason}", number)
        count(STAGE, "failed", len(failures))
        count(STAGE, "made", len(made.changes))
        yield from made.changes
        for failure in failures:
            yield beam.pvalue.TaggedOutput(_FAILURES, failure)


class DeduplicateEvents(beam.PTransform):
    """Mentions and open events to the events that changed.

    Takes {"mentions": PCollection[Mention], "open_events": PCollection[Event]}, gives {"changes":
    PCollection[EventChange], "failures": PCollection[Failure]}.
    """

    def __init__(self, settings: ClusterSettings, now: datetime) -> None:
        super().__init__()
        self._settings = settings
        self._now = now

    def expand(self, pcolls: dict[str, beam.PCollection]) -> dict[str, beam.PCollection]:
        """Join by country and decide."""
        keyed = {
            "mentions": pcolls["mentions"] | "KeyMentionsByCountry" >> beam.Map(_keyed),
            "open_events": pcolls["open_events"] | "KeyEventsByCountry" >> beam.Map(_keyed),
        }
        decided = (
            keyed
            | "JoinByCountry" >> beam.CoGroupByKey()
            | "DecideByCountry"
            >> beam.ParDo(_DecideBlock(self._settings, self._now)).with_outputs(_FAILURES, main="changes")
        )
        return {"changes": decided.changes, "failures": decided[_FAILURES]}


def _keyed(record: Mention | Event) -> tuple[str, Mention | Event]:
    return block_of(record), record
