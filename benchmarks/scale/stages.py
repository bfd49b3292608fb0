"""How much each stage does on one core: `python -m benchmarks.scale.stages [--items N] [--seed S]`.

Seconds are the processor's, not the clock's, so that other work on the machine counts little. The stages get what they
get in a stream: ingest feeds of 20 items, detect articles, decide and tell the mentions of one tick of a minute.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from benchmarks.machine import machine
from benchmarks.scale.items import PER_DAY, due_at, item
from transforms.alert.country import look
from transforms.alert.settings import AlertPolicy
from transforms.deduplicate.settings import ClusterSettings
from transforms.detect.detector import load_detector
from transforms.detect.screen import passes_screen
from transforms.envelope import pack
from transforms.ingest.parse import entries_of
from transforms.model import Article, Event, Mention

_FEED = 20
_BATCH = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    print(machine())
    hours = arguments.items / PER_DAY * 24
    print(f"{arguments.items} items, seed {arguments.seed}: {hours:.1f} hours of a million items a day")

    articles = [item(arguments.seed, n) for n in range(arguments.items)]
    _ingest(articles[:20_000])
    kept = _timed("screen", "items", articles, lambda: [a for a in articles if passes_screen(a)])
    print(f"{'':12}{len(kept)} pass the screen")
    detector = load_detector()
    detector.detect(kept[:_BATCH])
    batches = [kept[n : n + _BATCH] for n in range(0, len(kept), _BATCH)]
    mentions = _timed(
        "detect",
        "items that pass",
        kept,
        lambda: [m for batch in batches for found in detector.detect(batch) for m in found],
    )
    _decide(mentions, {a.item_id: n for n, a in enumerate(articles)})
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def _timed(stage: str, what: str, inputs: list[Any], work: Callable[[], Any]) -> Any:
    started = time.process_time()
    made = work()
    print(f"{stage:12}{len(inputs) / (time.process_time() - started):10.0f} {what} a second and core")
    return made


def _ingest(articles: list[Article]) -> None:
    feeds = [_feed(articles[n : n + _FEED]) for n in range(0, len(articles), _FEED)]
    read = _timed("parse", f"feeds of {_FEED} items", feeds, lambda: [entries_of(feed) for feed in feeds])
    assert sum(len(one.entries) for one in read) == len(articles)


def _feed(articles: list[Article]) -> bytes:
    items = "".join(
        f"<item><title>{escape(a.title)}</title><link>{a.url}</link><guid isPermaLink='false'>{a.item_id}</guid>"
        f"<pubDate>{a.published:%a, %d %b %Y %H:%M:%S +0000}</pubDate>"
        f"<description>{escape(a.summary)}</description></item>"
        for a in articles
    )
    return f"<rss version='2.0'><channel><title>Outlet</title>{items}</channel></rss>".encode()


def _decide(mentions: list[Mention], numbers: dict[str, int]) -> None:
    by_tick: dict[tuple[datetime, str], list[Mention]] = defaultdict(list)
    for mention in mentions:
        by_tick[due_at(numbers[mention.item_id]), mention.country].append(mention)
    memory: dict[str, dict[str, Event]] = defaultdict(dict)
    seconds: Counter[str] = Counter()
    slowest = 0.0
    told = 0
    for (tick, country), waiting in sorted(by_tick.items()):
        started = time.process_time()
        found = look(memory[country], waiting, tick, ClusterSettings(), AlertPolicy())
        took = time.process_time() - started
        memory[country] = dict(found.memory)
        seconds[country] += took
        slowest = max(slowest, took)
        told += len(found.alerts)
    for country, took in sorted(seconds.items()):
        many = sum(len(waiting) for (_, where), waiting in by_tick.items() if where == country)
        size = sum(len(pack(event)) for event in memory[country].values())
        print(
            f"{'look ' + country:12}{many / took:10.0f} mentions a second and core; at the end"
            f" {len(memory[country])} events are remembered, {size / 1e6:.1f} MB"
        )
    print(f"{'':12}slowest look {slowest:.2f} s; {told} alerts")


if __name__ == "__main__":
    main()
