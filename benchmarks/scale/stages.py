"""How much each stage does on one core: `python -m benchmarks.scale.stages [--items N] [--seed S]`.

Seconds are the processor's, not the clock's, so that other work on the machine counts little. The stages get what they
get in a stream: ingest polls of feeds (ten items that are new, or nothing new), detect articles in batches, and looks
the mentions of a minute of each country.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.ingest.soak import Stored, feeds_of, no_pages
from benchmarks.ingest.soak_server import kind_of
from benchmarks.machine import ROOT, machine
from benchmarks.scale.items import PER_DAY, due_at, item
from transforms.alert.country import Memory, look
from transforms.alert.settings import AlertPolicy
from transforms.deduplicate.settings import ClusterSettings
from transforms.detect.detector import load_detector
from transforms.detect.screen import passes_screen
from transforms.envelope import pack
from transforms.ingest.feed import FeedRequest, FeedState
from transforms.ingest.pull import pull_feeds
from transforms.ingest.settings import FetchSettings
from transforms.model import Mention

_FEEDS = 2_000
_BATCH = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    print(machine())
    hours = arguments.items / PER_DAY * 24
    print(f"{arguments.items} items, seed {arguments.seed}: {hours:.1f} hours of a million items a day")

    _polls()
    articles = [item(arguments.seed, n) for n in range(arguments.items)]
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


def _polls() -> None:
    """Poll feeds of a server on this machine, first with ten new items each, then with nothing new."""
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.ingest.soak_server"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        port = int(server.stdout.readline()) if server.stdout else 0
        feeds = [feed for n, feed in enumerate(feeds_of(_FEEDS, port)) if kind_of(n) == "well"]
        settings = FetchSettings(allow_private_networks=True, robots=False)
        states = {feed.name: FeedState(feed=feed.name) for feed in feeds}
        now, seen = datetime(2016, 10, 7, 12, tzinfo=UTC), Stored()
        for what, outcome in (("polls with 10 new items", "new"), ("polls with nothing new", "unchanged")):
            requests = [FeedRequest(feed=feed, state=states[feed.name]) for feed in feeds]
            before = _cpu_s()
            found = pull_feeds(requests, settings, now, seen, no_pages)
            took = _cpu_s() - before
            assert {pull.outcome for pull in found.pulls} == {outcome}
            states = {pull.feed: pull.state for pull in found.pulls}
            now += timedelta(days=1)
            print(f"{'ingest':12}{len(feeds) / took:10.0f} {what} a second and core")
    finally:
        server.kill()
        server.wait()


def _cpu_s() -> float:
    """Return processor seconds of this process and of its ended children: the parsers."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _decide(mentions: list[Mention], numbers: dict[str, int]) -> None:
    by_tick: dict[tuple[datetime, str], list[Mention]] = defaultdict(list)
    for mention in mentions:
        by_tick[due_at(numbers[mention.item_id]), mention.country].append(mention)
    memory: dict[str, Memory] = defaultdict(Memory)
    seconds: Counter[str] = Counter()
    slowest = 0.0
    told = 0
    for (tick, country), waiting in sorted(by_tick.items()):
        started = time.process_time()
        found = look(memory[country], waiting, tick, ClusterSettings(), AlertPolicy())
        took = time.process_time() - started
        memory[country] = found.memory
        seconds[country] += took
        slowest = max(slowest, took)
        told += len(found.alerts)
    for country, took in sorted(seconds.items()):
        many = sum(len(waiting) for (_, where), waiting in by_tick.items() if where == country)
        size = sum(len(pack(event)) for event in memory[country].events.values())
        print(
            f"{'look ' + country:12}{many / took:10.0f} mentions a second and core; at the end"
            f" {len(memory[country].events)} events are remembered, {size / 1e6:.1f} MB"
        )
    print(f"{'':12}slowest look {slowest:.2f} s; {told} alerts")


if __name__ == "__main__":
    main()
