"""What a robots.txt allows, by protego. Runs in a worker process: its wildcards become patterns that may be slow."""

from __future__ import annotations

MAX_ROBOTS_BYTES = 512 * 1024  # RFC 9309 asks for at least 500 KiB
MAX_DELAY_S = 10.0


def verdicts(body: bytes, agent: str, urls: tuple[str, ...]) -> tuple[tuple[bool, ...], float]:
    """Return for each of `urls` whether `agent` may fetch it, and the pause between fetches that is asked for."""
    from protego import Protego

    rules = Protego.parse(body[:MAX_ROBOTS_BYTES].decode("utf-8-sig", "replace"))
    delay = rules.crawl_delay(agent) or 0.0
    return tuple(bool(rules.can_fetch(url, agent)) for url in urls), min(max(float(delay), 0.0), MAX_DELAY_S)
