"""Feeding the dead letters in again: what each stage's failures hold, and a run over them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec

from pipeline.config import Config
from pipeline.options import DEFAULT_RUNNER
from pipeline.run import run_once
from pipeline.store.store import Store, StoredFailure
from pipeline.summary import Again, RunResult
from transforms.model import Article, EventChange, Mention


def replay_failures(
    config: Config, store: Store, now: datetime, numbers: Collection[int] = (), *, runner: str = DEFAULT_RUNNER
) -> tuple[RunResult | None, list[str]]:
    """Run the pipeline over the inputs of stored failures and mark them as replayed.

    An input that fails anew becomes a new failure. A feed that could not be read holds no input: the next run reads it.

    Args:
        config: Settings.
        store: Where the failures are.
        now: The run's clock.
        numbers: Which failures; all if none are named.
        runner: Beam's runner, as typed.

    Returns:
        The run's result (None if there was nothing to feed in), and a sentence for each failure that was left out.
    """
    rows = [row for row in store.failures() if not numbers or row.number in numbers]
    missing = sorted(set(numbers) - {row.number for row in rows})
    again, used, left_out = inputs_of(rows)
    left_out += [f"no. {number}: no such failure, or it was fed in already" for number in missing]
    if not used:
        return None, left_out
    result = run_once(config, store, now, runner=runner, again=again)
    store.mark_replayed(used, now)
    return result, left_out


def inputs_of(rows: Sequence[StoredFailure]) -> tuple[Again, list[int], list[str]]:
    """Return the inputs that `rows` hold, the numbers of the rows they came from, and why others have none."""
    articles: list[Article] = []
    mentions: list[Mention] = []
    used: list[int] = []
    left_out: list[str] = []
    for row in rows:
        failure = row.failure
        if not failure.payload:
            left_out.append(f"no. {row.number}: {failure.stage} {failure.input_id} is read again by the next run")
            continue
        try:
            if failure.stage in ("ingest", "detect"):
                articles.append(msgspec.json.decode(failure.payload, type=Article))
            elif failure.stage == "deduplicate":
                mentions.append(msgspec.json.decode(failure.payload, type=Mention))
            else:
                mentions += msgspec.json.decode(failure.payload, type=EventChange).event.mentions
        except msgspec.DecodeError as error:
            left_out.append(f"no. {row.number}: its input cannot be read: {error}")
            continue
        used.append(row.number)
    return Again(articles=tuple(articles), mentions=tuple(mentions)), used, left_out
