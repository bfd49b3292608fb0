"""Runs over real HTTP: bad feeds beside good ones, a second run, dead letters fed in again, the counters."""

from __future__ import annotations

import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.again import replay_failures
from pipeline.config import Config, config_of
from pipeline.demo.outlets import demo_config, demo_steps
from pipeline.demo.server import DemoClock, serve_demo
from pipeline.run import run_once
from pipeline.store.store import Store
from pipeline.watch import watch_feeds
from transforms.detect.detector import Detector
from transforms.model import Change

NOW = datetime(2026, 2, 10, 18, tzinfo=UTC)

GOOD = b"""<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Good</title>
<item><guid>g1</guid><link>https://good.example/g1</link><title>Shelling kills three in Tal Rifaat despite truce</title>
<description>Artillery fire killed three civilians in Tal Rifaat, north of Aleppo, on Tuesday in breach of the
ceasefire, residents said.</description><pubDate>Tue, 10 Feb 2026 12:00:00 +0000</pubDate></item></channel></rss>"""

SCANTY = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Scanty</title>
<item><description>Neither title nor date nor guid nor link.</description></item>
<item><title>No date, no guid</title><link>https://scanty.example/1</link></item>
<item><guid>only-a-guid</guid></item>
<item><title>From the future</title><guid>f</guid><pubDate>Tue, 10 Feb 2099 12:00:00 +0000</pubDate></item>
</channel></rss>"""

BODIES: dict[str, bytes] = {
    "/good": GOOD,
    "/empty": b"",
    "/html": b"<!doctype html><html><head><title>Log in</title></head><body><p>Please log in.</p></body></html>",
    "/malformed": GOOD[:200],
    "/binary": bytes(range(256)) * 50,
    "/scanty": SCANTY,
    "/charset": '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>x</title>'
    "<item><guid>c1</guid><title>هدوء في حلب</title></item></channel></rss>".encode("windows-1256"),
    "/huge": b"<rss>" + b"x" * 3_000_000,
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/slow":
            time.sleep(3)
        body = BODIES.get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def config_for(urls: dict[str, str], extra: str = "") -> Config:
    fetch = "[fetch]\nallow_private_networks = true\ntimeout_s = 1\ntotal_timeout_s = 1.5\nmax_body_bytes = 1000000\n"
    feeds = "".join(
        f'[[feed]]\nname = "{name}"\nurl = "{url}"\noutlet = "{name}"\nlanguage = "en"\n' for name, url in urls.items()
    )
    return config_of(tomllib.loads(extra + fetch + feeds), base=Path(), environment={})


def new_store(folder: Path) -> Store:
    return Store.open(f"sqlite:///{folder}/store.sqlite")


def test_bad_feeds_cost_only_themselves(tmp_path: Path) -> None:
    with served() as url:
        names = ("good", "empty", "html", "malformed", "binary", "scanty", "charset", "huge", "slow", "missing")
        config = config_for({name: f"{url}/{name}" for name in names} | {"down": "http://127.0.0.1:9/feed"})
        store = new_store(tmp_path)
        result = run_once(config, store, NOW)
    assert result.summary.exit_code == 3
    assert result.summary.imbalances == {}
    assert [a.evidence[0].item_id for a in result.alerts] == ["g1"]
    errors = {name: state.last_error for name, state in store.feed_states().items()}
    failed = {"empty", "html", "binary", "huge", "slow", "missing", "down"}
    assert failed <= {name for name, error in errors.items() if error}
    assert not {"good", "scanty", "charset"} & {name for name, error in errors.items() if error}
    assert {"empty", "html", "huge", "slow", "down"} <= {f.failure.input_id for f in store.failures(stage="ingest")}


def test_all_feeds_failing_is_a_failure(tmp_path: Path) -> None:
    result = run_once(config_for({"down": "http://127.0.0.1:9/feed"}), new_store(tmp_path), NOW)
    assert result.summary.exit_code == 1


def test_private_addresses_are_refused_unless_allowed(tmp_path: Path) -> None:
    with served() as url:
        text = f'[[feed]]\nname = "a"\nurl = "{url}/good"\noutlet = "a"\n'
        config = config_of(tomllib.loads(text), base=Path(), environment={})
        store = new_store(tmp_path)
        result = run_once(config, store, NOW)
    assert result.alerts == ()
    assert "allow_private_networks" in store.feed_states()["a"].last_error


def test_a_run_without_feeds_ends_well(tmp_path: Path) -> None:
    result = run_once(config_for({}), new_store(tmp_path), NOW)
    assert (result.summary.exit_code, result.alerts) == (0, ())


def test_old_items_of_a_first_pull_are_recorded_not_told(tmp_path: Path) -> None:
    with served() as url:
        store = new_store(tmp_path)
        result = run_once(config_for({"good": f"{url}/good"}), store, NOW + timedelta(days=5))
    assert result.alerts == ()
    assert [e.family.value for e in store.events()] == ["violation"]


def test_a_dead_letter_is_kept_and_can_be_fed_in_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Detector, articles: object) -> None:
        raise RuntimeError("a defect in this version")

    with served() as url:
        config, store = config_for({"good": f"{url}/good"}), new_store(tmp_path)
        with monkeypatch.context() as patched:
            patched.setattr(Detector, "detect", broken)
            first = run_once(config, store, NOW)
        assert first.alerts == ()
        assert first.summary.failures == 1
        assert first.summary.imbalances == {}
        assert [f.failure.kind for f in store.failures(stage="detect")] == ["RuntimeError"]
        second, left_out = replay_failures(config, store, NOW)
    assert left_out == []
    assert second is not None
    assert [a.evidence[0].item_id for a in second.alerts] == ["g1"]
    assert store.failures(stage="detect") == []
    assert replay_failures(config, store, NOW) == (None, [])


@pytest.mark.parametrize(
    ("stage", "function"),
    [("deduplicate", "transforms.deduplicate.block.decision"), ("alert", "transforms.alert.telling.raise_alert")],
)
def test_what_a_later_stage_could_not_handle_is_fed_in_again_too(
    stage: str, function: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a defect in this version")

    with served() as url:
        config, store = config_for({"good": f"{url}/good"}), new_store(tmp_path)
        with monkeypatch.context() as patched:
            patched.setattr(function, broken)
            first = run_once(config, store, NOW)
        assert first.alerts == ()
        assert first.summary.exit_code == 3
        assert first.summary.imbalances == {}
        assert {f.failure.kind for f in store.failures(stage=stage)} == {"RuntimeError"}
        second, _ = replay_failures(config, store, NOW)
    assert second is not None
    assert {a.evidence[0].item_id for a in second.alerts} == {"g1"}
    assert store.failures(stage=stage) == []


def test_a_changed_clock_brings_revisions_and_a_repeated_run_nothing(tmp_path: Path) -> None:
    first_step, last_step = demo_steps()[0], demo_steps()[-1]
    clock = DemoClock(until=first_step)
    with serve_demo(clock) as url:
        config, store = config_of(tomllib.loads(demo_config(url)), base=Path(), environment={}), new_store(tmp_path)
        first = run_once(config, store, first_step)
        repeated = run_once(config, store, first_step)
        clock.until = last_step
        last = run_once(config, store, last_step)
    assert {a.change for a in first.alerts} == {Change.NEW}
    assert repeated.alerts == ()
    assert repeated.summary.counters.get("ingest.in", 0) == 0
    assert Change.UPDATED in {a.change for a in last.alerts}
    assert [r.imbalances for r in (first.summary, repeated.summary, last.summary)] == [{}, {}, {}]


def test_watch_runs_until_told_to_stop(tmp_path: Path) -> None:
    stop = threading.Event()
    with served() as url:
        config, store = config_for({"good": f"{url}/good"}), new_store(tmp_path)
        runs = watch_feeds(config, store, timedelta(seconds=0), stop, limit=2)
        assert next(runs).summary.feeds == {"read": 1}
        assert next(runs).summary.feeds == {"not_due": 1}
        assert list(runs) == []
        stop.set()
        assert list(watch_feeds(config, store, timedelta(hours=1), stop)) == []
