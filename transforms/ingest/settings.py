"""What the operator may set about fetching, with defaults that are polite and safe."""

from __future__ import annotations

import re
from dataclasses import dataclass

from transforms.failures import ConfigError

MIB = 1024 * 1024
_CONTACT = re.compile(r"[\x21-\x27\x2a-\x7e ]{0,200}\Z")  # printable ASCII without parentheses: it goes into a header


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings:
    """Limits and manners of fetching and parsing; times in seconds, sizes in bytes unless named otherwise.

    Attributes:
        allow_private_networks: Let feeds, pages and webhooks on loopback and private addresses be dialled.
        contact: URL or e-mail address told to servers in the User-Agent, so that they can complain.
        timeout_s: Longest wait for one step: connecting, or the next bytes.
        total_timeout_s: Longest time for one feed or page, redirects included.
        max_body_bytes: Cap on a body, both as sent and after decompression.
        max_redirects: Longest chain of redirects.
        hosts_at_once: How many hosts are read at the same time; each over one connection.
        respect_interval: Leave feeds alone until their interval has passed; False reads all that are not paused.
        shards: Into how many groups of hosts the feeds are split on a distributed engine.
        parse_workers: Worker processes that parse.
        parse_cpu_s: CPU time that one parse may take.
        parse_wall_s: Time on the clock that one parse may take; more when the machine hardly lets it run.
        worker_memory_mb: Address space of a worker process, in MiB.
        worker_jobs: After how many parses a worker is replaced.
        max_items: How many entries of one feed are read; the rest is told of in a warning.
        validators_days: After how many days ETag and Last-Modified are dropped, against servers stuck on 304.
        max_backoff_s: Longest pause of a failing feed or of a host that asked for one.
        robots: Obey robots.txt for article pages.
        pages_per_feed: How many article pages of one feed are fetched in one run.
        page_delay_s: Pause between two pages of one host (robots.txt may ask for a longer one, up to 10 s).
    """

    allow_private_networks: bool = False
    contact: str = ""
    timeout_s: float = 20.0
    total_timeout_s: float = 60.0
    max_body_bytes: int = 10 * MIB
    max_redirects: int = 5
    hosts_at_once: int = 16
    respect_interval: bool = True
    shards: int = 1
    parse_workers: int = 2
    parse_cpu_s: float = 3.0
    parse_wall_s: float = 4.0
    worker_memory_mb: int = 512
    worker_jobs: int = 500
    max_items: int = 2000
    validators_days: float = 8.0
    max_backoff_s: float = 86_400.0
    robots: bool = True
    pages_per_feed: int = 20
    page_delay_s: float = 1.0

    def __post_init__(self) -> None:
        """Refuse values that cannot work, naming the key.

        Raises:
            ConfigError: A value is out of its range.
        """
        for key, low, high in _RANGES:
            value = getattr(self, key)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
                raise ConfigError(f"[fetch] {key} = {value!r}: give a number from {low:g} to {high:g}")
        if not _CONTACT.match(self.contact):
            raise ConfigError(f"[fetch] contact = {self.contact!r}: give a URL or an e-mail address in plain ASCII")
        if self.total_timeout_s < self.timeout_s:
            raise ConfigError("[fetch] total_timeout_s is shorter than timeout_s: make it at least as long")


_RANGES = (
    ("timeout_s", 0.05, 600),
    ("total_timeout_s", 0.05, 3600),
    ("max_body_bytes", 1024, 1024 * MIB),
    ("max_redirects", 0, 20),
    ("hosts_at_once", 1, 512),
    ("shards", 1, 1024),
    ("parse_workers", 1, 64),
    ("parse_cpu_s", 0.1, 600),
    ("parse_wall_s", 0.1, 600),
    ("worker_memory_mb", 128, 65_536),
    ("worker_jobs", 1, 1_000_000),
    ("max_items", 1, 1_000_000),
    ("validators_days", 0, 365),
    ("max_backoff_s", 1, 30 * 86_400),
    ("pages_per_feed", 0, 10_000),
    ("page_delay_s", 0, 60),
)
