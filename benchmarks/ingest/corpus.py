"""What parsing costs: `python -m benchmarks.ingest.corpus`, over the real and hostile feeds beside the checkout.

Printed: real feeds and bytes per second through the workers, beside plain feedparser in one process; for the hostile
ones the slowest, the largest memory of a worker, how much this process grew, and how they ended.
"""

from __future__ import annotations

import io
import sys
import tarfile
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import feedparser

from benchmarks.ingest.soak import resident_mb
from benchmarks.machine import machine, shared_folder
from transforms.failures import ParseError
from transforms.ingest.parser_pool import ParserPool
from transforms.ingest.settings import FetchSettings
from transforms.ingest.wire import Job

CODINGS = {".gz": "gzip", ".br": "br", ".z": "deflate"}


def outcome(parsers: ParserPool, path: Path) -> str:
    """Return how a worker took the file."""
    try:
        parsers.run(Job(kind="feed", content_encoding=CODINGS.get(path.suffix, "")), path.read_bytes())
    except ParseError as error:
        return error.kind
    return "read"


def through(parsers: ParserPool, paths: list[Path]) -> tuple[Counter[str], float]:
    """Return how the files ended and in how many seconds, two at a time."""
    started = time.monotonic()
    with ThreadPoolExecutor(2) as threads:
        ends = Counter(threads.map(lambda path: outcome(parsers, path), paths))
    return ends, time.monotonic() - started


def main() -> None:
    archive = shared_folder() / "feeds-corpus" / "feeds-corpus.tar.gz"
    if not archive.is_file():
        print("skipped: no feed corpus in the measuring material")
        sys.exit(0)
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        with tarfile.open(archive) as files:
            files.extractall(name, filter="data")
        real = [path for path in sorted((Path(name) / "real").rglob("*")) if path.is_file() and path.name != "NOTE.md"]
        hostile = [path for path in sorted((Path(name) / "hostile").rglob("*")) if path.is_file()]
        size = sum(path.stat().st_size for path in real) / 1e6
        started = time.monotonic()
        for path in real:
            feedparser.parse(io.BytesIO(path.read_bytes()), sanitize_html=False, resolve_relative_uris=False)
        plain_s = time.monotonic() - started
        print(f"real, plain feedparser: {len(real) / plain_s:.0f} feeds/s, {size / plain_s:.2f} MB/s")
        for label, paths in (("real", real), ("hostile", hostile)):
            with ParserPool(FetchSettings()) as parsers:
                outcome(parsers, real[0])
                before = resident_mb()
                ends, seconds = through(parsers, paths)
                print(
                    f"{label}, two workers: {len(paths)} inputs in {seconds:.1f} s ({len(paths) / seconds:.0f}/s),"
                    f" slowest {parsers.slowest_s:.2f} s, worker at most {parsers.peak_mb:.0f} MB, this process"
                    f" {resident_mb() - before:+.1f} MB, workers started {parsers.started}; {dict(ends)}"
                )


if __name__ == "__main__":
    main()
