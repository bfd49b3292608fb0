"""The Beam face of the sinks in a stream: a poll is committed as read when all that its articles told is kept.

Articles and the feeds' validators mark what need not be read again, so they are written last, poll after poll of a
group: whatever ends the stream between is read again by the next one, and told no second time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import apache_beam as beam
from apache_beam.coders import BytesCoder
from apache_beam.transforms.userstate import BagStateSpec, ReadModifyWriteStateSpec

from transforms.alert.streaming import Acknowledged
from transforms.envelope import pack, unpack
from transforms.failures import Failure
from transforms.ingest.feed import FeedPull
from transforms.ingest.polling import PollRecord
from transforms.model import Article
from transforms.sinks.commit import CommitResult, Committer, RunBatch

STREAM = "stream"  # run ids of a stream begin with it
LONE = "message "  # groups of one article, which no poll follows, begin with it


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleRead:
    """An article that was read, and how many countries it tells of.

    Attributes:
        due: The tick of its poll.
        key: Names it among the articles of its group.
        article: The article.
        parts: How many acknowledgements will come.
        failures: Why it could not be read.
    """

    due: datetime
    key: str
    article: Article
    parts: int
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One of three things that a poll waits for: that it was made, that an article was read, that it was dealt with."""

    poll: PollRecord | None = None
    read: ArticleRead | None = None
    done: Acknowledged | None = None


@dataclass(slots=True, kw_only=True)
class _Open:
    """A poll that is not complete."""

    expected: int | None = None
    before: str = ""
    read: int = 0
    parts: int = 0
    done: int = 0

    def complete(self) -> bool:
        return self.expected == self.read and self.parts == self.done


@dataclass(slots=True, kw_only=True)
class _Ledger:
    """The polls of a group that are not committed, by tick, and the tick of the last one that was."""

    polls: dict[str, _Open] = field(default_factory=dict)
    last: str = ""

    def ready(self) -> list[str]:
        """Return the ticks of the polls that may be committed: complete, and after all polls before them."""
        found: list[str] = []
        last = self.last
        for tick in sorted(self.polls):
            poll = self.polls[tick]
            if not poll.complete() or poll.before > last:
                break
            found.append(tick)
            last = tick
        return found


def article_key(article: Article, due: datetime) -> str:
    """Return what names an article among those of its group: the tick of its poll, then a hash of feed and id."""
    digest = hashlib.sha256(f"{article.feed}\x00{article.item_id}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"{due.isoformat()} {digest[:24]}"


class SettlePolls(beam.PTransform):
    """(group, `Receipt`) in, packed; `CommitResult` out, for each poll that was committed."""

    def __init__(self, committer: Callable[[], Committer]) -> None:
        """Keep what opens the store in a worker."""
        super().__init__()
        self._committer = committer

    def expand(self, receipts: beam.PCollection) -> beam.PCollection:
        """Collect receipts and commit complete polls."""
        return receipts | "Settle" >> beam.ParDo(_Settle(self._committer))


class _Settle(beam.DoFn):
    """Holds the polls of a group until they are complete, and commits them in their order."""

    COUNTS = ReadModifyWriteStateSpec("counts", BytesCoder())
    RECEIPTS = BagStateSpec("receipts", BytesCoder())

    def __init__(self, opener: Callable[[], Committer]) -> None:
        self._opener = opener
        self._committer: Committer | None = None

    def process(
        self,
        element: tuple[str, bytes],
        counts: Any = beam.DoFn.StateParam(COUNTS),
        kept: Any = beam.DoFn.StateParam(RECEIPTS),
    ) -> Iterator[CommitResult]:
        """Note one receipt; commit what is complete."""
        group, data = element
        receipt = unpack(data, Receipt)
        before = counts.read()
        ledger = unpack(before, _Ledger) if before else _Ledger()
        noted(ledger, receipt)
        if receipt.done is None:
            kept.add(data)
        complete = ledger.ready()
        if complete:
            receipts = [unpack(one, Receipt) for one in kept.read()]
            kept.clear()
            for name in complete:
                yield from self._commit(group, name, [one for one in receipts if _tick(one) == name])
                del ledger.polls[name]
                ledger.last = name
            for one in receipts:
                if _tick(one) not in complete:
                    kept.add(pack(one))
        if group.startswith(LONE) and not ledger.polls:
            counts.clear()
        else:
            counts.write(pack(ledger))

    def _commit(self, group: str, tick: str, receipts: list[Receipt]) -> Iterator[CommitResult]:
        batch = batch_of(group, tick, receipts)
        if not (batch.articles or batch.failures or any(pull.outcome != "not_due" for pull in batch.pulls)):
            return
        if self._committer is None:
            self._committer = self._opener()
        yield self._committer.commit(batch)


def noted(ledger: _Ledger, receipt: Receipt) -> None:
    """Count `receipt` in the ledger."""
    poll = ledger.polls.setdefault(_tick(receipt), _Open())
    if receipt.poll:
        poll.expected = receipt.poll.articles
        poll.before = receipt.poll.before.isoformat() if receipt.poll.before else ""
    if receipt.read:
        poll.read += 1
        poll.parts += receipt.read.parts
    if receipt.done:
        poll.done += 1


def batch_of(group: str, tick: str, receipts: list[Receipt]) -> RunBatch:
    """Return what is committed of one poll; its name tells its contents, so that the same one is written once."""
    polls = [one.poll for one in receipts if one.poll]
    read = sorted((one.read for one in receipts if one.read), key=lambda one: one.key)
    failures = [failure for poll in polls for failure in poll.failures]
    failures += [failure for one in read for failure in one.failures]
    pulls: list[FeedPull] = [pull for poll in polls for pull in poll.pulls]
    words = [f"{one.key} {one.article.content_hash}" for one in read]
    words += sorted(f"{pull.feed} {pull.state.last_attempt}" for pull in pulls)
    digest = hashlib.sha256("\n".join(words).encode("utf-8", "surrogatepass")).hexdigest()[:12]
    now = max((one.article.fetched for one in read), default=datetime.fromisoformat(tick))
    attempts = [pull.state.last_attempt for pull in pulls if pull.state.last_attempt]
    return RunBatch(
        run_id=f"{STREAM}/poll/{group}",
        part=f"{tick} {digest}",
        now=max([now, *attempts]),
        articles=tuple(one.article for one in read),
        pulls=tuple(sorted(pulls, key=lambda pull: pull.feed)),
        failures=tuple(sorted(failures, key=lambda failure: (failure.stage, failure.input_id, failure.kind))),
    )


def _tick(receipt: Receipt) -> str:
    if receipt.poll:
        return receipt.poll.due.isoformat()
    if receipt.read:
        return receipt.read.due.isoformat()
    return receipt.done.article.partition(" ")[0] if receipt.done else ""
