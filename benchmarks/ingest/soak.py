"""Ten thousand feeds on loopback, five rounds: `python -m benchmarks.ingest.soak [--feeds 10000] [--hosts-at-once 64]`.

5 % of the feeds are slow (a second), 5 % answer 503, 1 % send a gzip bomb. The rounds alternate between new editions
(every body new) and unchanged ones (304). Printed: feeds per second of each kind of round, the share of healthy feeds
that were read, and memory after each round. Ends with 1 where a healthy feed was missed or memory grew by over 10 %.
"""

from __future__ import annotations

import argparse
import gc
import resource
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.ingest.soak_server import kind_of
from benchmarks.machine import ROOT, machine
from transforms.counters import imbalances
from transforms.ingest.feed import Feed, FeedRequest, FeedState
from transforms.ingest.pull import iter_pulls
from transforms.ingest.settings import FetchSettings
from transforms.model import Article

FEEDS_PER_HOST = 10
EDITIONS = (1, 1, 2, 2, 3)


class Stored:
    """Content hashes in memory, as a store would keep them."""

    def __init__(self) -> None:
        self.hashes: dict[tuple[str, str], str] = {}

    def known(self, feed: str, item_ids: Sequence[str]) -> Mapping[str, str]:
        return {item: self.hashes[feed, item] for item in item_ids if (feed, item) in self.hashes}


def no_pages(article: Article) -> bool:
    return False


def resident_mb() -> float:
    """Return this process's memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def feeds_of(count: int, port: int) -> list[Feed]:
    """Return `count` feeds, ten to a host; every host has an address of its own."""
    feeds = []
    for n in range(count):
        host = n * 7919 % max(1, count // FEEDS_PER_HOST)  # so that no host is slow as a whole
        address = f"127.{1 + host // 62_500}.{host // 250 % 250}.{1 + host % 250}"
        feeds.append(Feed(name=f"feed {n}", url=f"http://{address}:{port}/{n}", outlet=f"outlet {n}", language="en"))
    return feeds


def main() -> int:
    """Run the rounds and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=10_000)
    parser.add_argument("--hosts-at-once", type=int, default=64)
    chosen = parser.parse_args()
    print(machine())
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.ingest.soak_server"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        port = int(server.stdout.readline()) if server.stdout else 0
        return soak(feeds_of(chosen.feeds, port), port, chosen.hosts_at_once)
    finally:
        server.kill()
        server.wait()


def soak(feeds: list[Feed], port: int, hosts_at_once: int) -> int:
    """Pull all feeds once per edition; return the exit code."""
    settings = FetchSettings(allow_private_networks=True, hosts_at_once=hosts_at_once)
    healthy = {feed.name for n, feed in enumerate(feeds) if kind_of(n) in ("well", "slow")}
    stored, states = Stored(), {feed.name: FeedState(feed=feed.name) for feed in feeds}
    now = datetime(2016, 10, 7, 12, tzinfo=UTC)
    memory: list[float] = []
    wrong = False
    for edition in EDITIONS:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/edition/{edition}").read()
        started = time.monotonic()
        counters: Counter[str] = Counter()
        read = set()
        requests = [FeedRequest(feed=feed, state=states[feed.name]) for feed in feeds]
        for part in iter_pulls(requests, settings, now, stored, no_pages):
            counters.update(part.counters)
            for article in part.articles:
                stored.hashes[article.feed, article.item_id] = article.content_hash
            for pull in part.pulls:
                states[pull.feed] = pull.state
                if pull.outcome in ("new", "unchanged"):
                    read.add(pull.feed)
        seconds = time.monotonic() - started
        gc.collect()
        memory.append(resident_mb())
        missed = healthy - read
        wrong = wrong or bool(missed) or bool(imbalances(counters, ["feeds", "ingest"]))
        same = counters["feeds.dropped.unchanged"] > counters["feeds.out"]
        print(
            f"edition {edition}, {'304s' if same else 'bodies'}: {len(feeds) / seconds:6.0f} feeds/s, {seconds:5.1f} s,"
            f" healthy read {100 * (1 - len(missed) / len(healthy)):.1f} %, failed {counters['feeds.failed']},"
            f" articles {counters['ingest.out']}, memory {memory[-1]:.0f} MB"
        )
        now += timedelta(days=2)
    growth = memory[-1] / memory[0] - 1
    print(f"memory growth over {len(EDITIONS)} rounds: {100 * growth:.1f} %")
    return 1 if wrong or growth > 0.10 else 0


if __name__ == "__main__":
    sys.exit(main())
