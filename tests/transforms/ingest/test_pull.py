"""Many feeds at once: side by side, apart from each other, through Beam and without it; workers that die."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import msgspec
import pytest
from apache_beam.testing.util import assert_that, equal_to

from tests.transforms.ingest.made import NOW, Stored, feed, no_pages, open_settings, pull, workers
from tests.transforms.ingest.scripted import ScriptedServer, rss
from transforms.counters import imbalances
from transforms.failures import ParseError
from transforms.ingest.check import FeedCheck, check_feeds
from transforms.ingest.feed import FeedPull, FeedRequest, FeedState
from transforms.ingest.parser_pool import ParserPool
from transforms.ingest.settings import FetchSettings
from transforms.ingest.transform import PullFeeds
from transforms.ingest.wire import Job

ROOT = Path(__file__).resolve().parents[3]


class Nothing:
    """A store that knows nothing; picklable."""

    def known(self, feed: str, item_ids: Sequence[str]) -> Mapping[str, str]:
        return {}


REPLIES: dict[str, Any] = {
    "/a": [{"body": "feed"}],
    "/b": [{"body": "feed2"}],
    "/html": [{"body": "html"}],
    "/gone": [{"status": 410}],
    "/quiet": [{"body": "empty_feed"}],
}


def test_through_beam() -> None:
    with ScriptedServer(REPLIES) as server:
        requests = [FeedRequest(feed=feed(p, server.base + p), state=FeedState(feed=p)) for p in REPLIES]
        pipeline = beam.Pipeline(runner="FnApiRunner")
        outputs = (
            pipeline
            | "Feeds" >> beam.Create(requests)
            | "PullFeeds" >> PullFeeds(open_settings(), NOW, Nothing(), no_pages)
        )
        titles = outputs["articles"] | "Titles" >> beam.Map(lambda article: (article.feed, article.title))
        assert_that(
            titles,
            equal_to(
                [
                    ("/a", "Truce agreed in Aleppo"),
                    ("/a", "Shelling in Douma"),
                    ("/b", "Truce collapses in Aleppo"),
                    ("/b", "Truce agreed in Aleppo"),
                    ("/b", "Shelling in Douma"),
                ]
            ),
            label="Articles",
        )
        outcomes = outputs["pulls"] | "Outcomes" >> beam.Map(lambda pulled: (pulled.feed, pulled.outcome))
        wanted = [("/a", "new"), ("/b", "new"), ("/html", "failed"), ("/gone", "failed"), ("/quiet", "unchanged")]
        assert_that(outcomes, equal_to(wanted), label="Pulls")
        failed = outputs["failures"] | "Failed" >> beam.Map(
            lambda failure: (failure.stage, failure.input_id, failure.kind)
        )
        wanted_failures = [("ingest", "/html", "html_page"), ("ingest", "/gone", "http_410")]
        assert_that(failed, equal_to(wanted_failures), label="Failures")
        result = pipeline.run()
        result.wait_until_finish()
    rows = result.metrics().query()["counters"]
    counters = {row.key.metric.name: row.committed for row in rows if row.key.metric.namespace == "trucewatch"}
    assert not imbalances(counters, ["feeds", "ingest"])
    assert counters["feeds.in"] == 5
    assert counters["feeds.failed"] == 2
    assert counters["ingest.out"] == 5


def test_first_pull_is_flagged_and_the_next_is_not(parsers: ParserPool) -> None:
    with ScriptedServer({"/a": [{"status": 500}, {"body": "feed"}, {"body": "feed2"}]}) as server:
        stored = Stored()
        settings = open_settings(respect_interval=False)
        feeds = [feed("a", f"{server.base}/a")]
        pull(feeds, stored, settings, parsers=parsers)
        stored.states["a"] = msgspec.json.decode(msgspec.json.encode(stored.states["a"]), type=FeedState)
        later = NOW.replace(hour=13)
        first = pull(feeds, stored, settings, later, parsers=parsers)
        assert all("first_pull" in article.flags for article in first.articles)
        second = pull(feeds, stored, settings, NOW.replace(hour=14), parsers=parsers)
    assert [article.title for article in second.articles] == ["Truce collapses in Aleppo"]
    assert "first_pull" not in second.articles[0].flags


def test_a_run_that_was_not_committed_is_repeated_in_full(parsers: ParserPool) -> None:
    """Validators are in the state that is committed with the articles: a run that dies loses nothing."""
    with ScriptedServer({"/a": [{"body": "feed", "conditional": True, "headers": {"ETag": '"1"'}}]}) as server:
        stored = Stored()
        feeds = [feed("a", f"{server.base}/a")]
        lost = pull(feeds, Stored(), open_settings(), parsers=parsers)
        again = pull(feeds, stored, open_settings(), parsers=parsers)
        assert again.articles == lost.articles
        after = pull(feeds, stored, open_settings(), NOW.replace(hour=13), parsers=parsers)
    assert after.pulls[0].kind == "http_304"


def test_hosts_are_read_side_by_side(parsers: ParserPool) -> None:
    """Eight servers that each wait until all eight have been asked: one after the other would never end."""
    meet = threading.Barrier(8, timeout=20)

    class Meeting(ScriptedServer):
        def _pause(self, seconds: float) -> None:
            if seconds:
                meet.wait()

    servers = [Meeting({"/a": [{"body": "feed", "delay_s": 1}]}) for _ in range(8)]
    for server in servers:
        server.__enter__()
    try:
        feeds = [feed(f"f{n}", f"{server.base}/a") for n, server in enumerate(servers)]
        result = pull(feeds, Stored(), open_settings(hosts_at_once=8), parsers=parsers)
    finally:
        for server in servers:
            server.__exit__()
    assert [pulled.outcome for pulled in result.pulls] == ["new"] * 8
    assert [pulled.feed for pulled in result.pulls] == [f"f{n}" for n in range(8)]  # in the order asked for


def test_a_store_that_fails_fails_the_run_and_leaves_nothing_behind() -> None:
    class Broken:
        def known(self, feed: str, item_ids: Sequence[str]) -> Mapping[str, str]:
            raise OSError("the store is gone")

    before, children = threading.active_count(), workers()
    with ScriptedServer({f"/{n}": [{"body": "feed"}] for n in range(30)}) as server:
        requests = [
            FeedRequest(feed=feed(str(n), f"{server.base}/{n}"), state=FeedState(feed=str(n))) for n in range(30)
        ]
        from transforms.ingest.pull import pull_feeds

        with pytest.raises(OSError, match="the store is gone"):
            pull_feeds(requests, open_settings(), NOW, Broken(), no_pages)
    deadline = time.monotonic() + 20
    while threading.active_count() > before + 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ingest")]
    assert workers() <= children


def test_a_closed_pool_starts_no_more_workers() -> None:
    parsers = ParserPool(FetchSettings())
    parsers.close()
    with pytest.raises(ParseError, match="ending"):
        parsers.run(Job(kind="feed"), rss("Truce holds"))


def test_a_worker_killed_from_outside_costs_one_job() -> None:
    with ParserPool(FetchSettings(parse_workers=1)) as parsers:
        body = rss("Truce holds")
        assert parsers.run(Job(kind="feed"), body).feed
        (worker,) = parsers.pids()
        os.kill(worker, signal.SIGKILL)
        with pytest.raises(ParseError) as told:
            parsers.run(Job(kind="feed"), body)
        assert told.value.kind == "parse_memory"  # what the system's own killing looks like
        assert parsers.run(Job(kind="feed"), body).feed
    assert not parsers.pids()


def test_a_worker_is_replaced_after_its_number_of_jobs() -> None:
    with ParserPool(FetchSettings(parse_workers=1, worker_jobs=2)) as parsers:
        for _ in range(5):
            assert parsers.run(Job(kind="feed"), rss("Truce holds")).feed
        assert parsers.started == 3


def test_memory_of_a_worker_is_bounded() -> None:
    """Sixty million characters of text, under a limit of 160 MiB: refused, and the next feed is read."""
    with ParserPool(FetchSettings(parse_workers=1, worker_memory_mb=160, parse_cpu_s=20, parse_wall_s=30)) as parsers:
        with pytest.raises(ParseError) as told:
            parsers.run(
                Job(kind="feed", max_bytes=100_000_000),
                rss(items="<item><title>" + "a" * 60_000_000 + "</title></item>"),
            )
        assert told.value.kind in ("parse_memory", "parse_crash")
        assert parsers.run(Job(kind="feed"), rss("Truce holds")).feed


def test_workers_inherit_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUCEWATCH_SECRET", "s3cret")
    with ParserPool(FetchSettings()) as parsers:
        parsers.run(Job(kind="feed"), rss("Truce holds"))
        (worker,) = parsers.pids()
        with open(f"/proc/{worker}/environ", "rb") as environment:  # noqa: PTH123 - not a path of this machine's files
            assert b"s3cret" not in environment.read()


def test_check_tells_what_feeds_answer(parsers: ParserPool) -> None:
    old = rss(items="<item><title>Old</title><guid>o</guid><pubDate>Thu, 07 Jul 2016 09:00:00 GMT</pubDate></item>")
    replies = REPLIES | {"/old": [{"body": old}], "/moved": [{"status": 301, "headers": {"Location": "/a"}}]}
    with ScriptedServer(replies) as server:
        checks = check_feeds([feed(path, server.base + path) for path in replies], open_settings(), NOW)
        assert {check.feed: check.status for check in checks} == {
            "/a": "answers", "/b": "answers", "/html": "fails", "/gone": "fails", "/quiet": "answers", "/old": "stale",
            "/moved": "answers",
        }  # fmt: skip
        told = {check.feed: check for check in checks}
        assert told["/moved"].moved_to == f"{server.base}/a"
    assert "HTML page" in told["/html"].message
    assert "92 days" in told["/old"].message
    assert "no items" in told["/quiet"].message
    assert told["/a"].items == 2
    assert msgspec.json.decode(msgspec.json.encode(checks), type=list[FeedCheck]) == checks


def test_a_private_feed_says_which_setting_lets_it_in(parsers: ParserPool) -> None:
    with ScriptedServer(REPLIES) as server:
        result = pull([feed("a", f"{server.base}/a")], Stored(), FetchSettings(), parsers=parsers)
        assert not server.asked
    (pulled,) = result.pulls
    assert isinstance(pulled, FeedPull)
    assert pulled.kind == "address_refused"
    assert "allow_private_networks" in pulled.message


def unknown_name(host: str, port: int) -> list[str]:
    raise socket.gaierror(socket.EAI_NONAME, "no such name")


def test_names_of_what_fails_before_http(parsers: ParserPool) -> None:
    def answer_in_plain_text(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as closing:
        closed_port = closing.getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        plain_port = listening.getsockname()[1]
        threading.Thread(target=answer_in_plain_text, args=(listening,), daemon=True).start()
        feeds = {
            "tls": f"https://127.0.0.1:{plain_port}/a",
            "connect": f"http://127.0.0.1:{closed_port}/a",
            "dns": "http://no.such.name.example/a",
            "bad_url": "ftp://outlet.example/a",
        }
        listed = [feed(kind, url) for kind, url in feeds.items()]
        settings = open_settings(timeout_s=10, total_timeout_s=20)
        result = pull(listed, Stored(), settings, parsers=parsers, resolver=unknown_name)
    kinds = {pulled.feed: pulled.kind for pulled in result.pulls}
    assert kinds == {kind: kind for kind in feeds}, [pulled.message for pulled in result.pulls]
    assert all(failure.message for failure in result.failures)


def test_workers_end_with_a_parent_that_is_killed() -> None:
    """SIGKILL leaves no time to tidy up: a worker ends when its input does."""
    script = (
        "import os, signal\n"
        "from transforms.ingest.parser_pool import ParserPool\n"
        "from transforms.ingest.settings import FetchSettings\n"
        "from transforms.ingest.wire import Job\n"
        "pool = ParserPool(FetchSettings())\n"
        "pool.run(Job(kind='feed'), b'<rss><channel><item><title>t</title></item></channel></rss>')\n"
        "print(pool.pids()[0], flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, cwd=ROOT, check=False
    )
    worker = Path(f"/proc/{int(done.stdout)}")
    deadline = time.monotonic() + 30
    while worker.exists() and "Z" not in (worker / "stat").read_text().split()[2] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not worker.exists() or "Z" in (worker / "stat").read_text().split()[2]


def test_credentials_are_sent_home_only_and_never_told(parsers: ParserPool) -> None:
    with ScriptedServer({"/feed": [{"body": "feed"}]}) as other:
        home_replies: dict[str, Any] = {
            "/feed": [{"status": 302, "headers": {"Location": f"{other.base}/feed"}}],
            "/missing": [{"status": 404}],
        }
        with ScriptedServer(home_replies) as home:
            with_password = home.base.replace("http://", "http://reader:s3cret@")
            feeds = [feed("a", f"{with_password}/feed"), feed("b", f"{with_password}/missing")]
            result = pull(feeds, Stored(), open_settings(), parsers=parsers)
            assert home.asked[0].headers["authorization"].startswith("Basic ")
        assert "authorization" not in other.asked[0].headers
    assert "s3cret" not in result.pulls[1].message
    assert "s3cret" not in result.failures[0].message
