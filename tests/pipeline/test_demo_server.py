"""The demonstration's outlets: feeds that parse, a server that answers as a live one, a story that is told in full."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import feedparser
import httpx
import pytest

from pipeline.demo.outlets import demo_config, demo_folder, demo_outlets, demo_steps
from pipeline.demo.server import DemoClock, feed_at, published_time, serve_demo
from transforms.model import Family, Means, Stage

WINDOW = (datetime(2026, 2, 11, tzinfo=UTC), datetime(2026, 2, 14, tzinfo=UTC))
VERSIONS = {"rss 2.0": "rss20", "rss 1.0": "rss10", "atom": "atom10"}


def entries(body: str) -> list[tuple[str, datetime, str]]:
    """Return (id, published, text) of each item of a feed, as a reader sees them."""
    if body.startswith("{"):
        items = json.loads(body)["items"]
        return [(i["id"], published_time(i["date_published"]), f"{i['title']} {i['summary']}") for i in items]
    parsed = feedparser.parse(body.encode())
    assert not parsed.bozo
    return [
        (e.get("id") or e.link, published_time(e.get("published") or e.updated), f"{e.title} {e.summary}")
        for e in parsed.entries
    ]


@pytest.fixture(scope="module")
def feeds() -> dict[str, str]:
    return {o.file: (demo_folder() / "feeds" / o.file).read_text("utf-8") for o in demo_outlets()}


@pytest.fixture(scope="module")
def items(feeds: dict[str, str]) -> dict[str, tuple[datetime, str, str]]:
    """All items by id: (published, text, outlet's name)."""
    names = {o.file: o.name for o in demo_outlets()}
    return {i: (when, text, names[file]) for file, body in feeds.items() for i, when, text in entries(body)}


@pytest.fixture(scope="module")
def expected() -> dict:
    return tomllib.loads((demo_folder() / "expected.toml").read_text("utf-8"))


def test_there_are_enough_outlets_dialects_and_items(feeds, items):
    outlets = demo_outlets()
    assert len(outlets) >= 7
    assert {o.dialect for o in outlets} == {"rss 2.0", "rss 1.0", "atom", "json feed"}
    assert len(items) >= 66
    assert {o.file for o in outlets} == {p.name for p in (demo_folder() / "feeds").iterdir()}
    arabic = next(o for o in outlets if o.language == "ar")
    assert len(entries(feeds[arabic.file])) >= 3


def test_ids_are_unique_over_all_feeds(feeds):
    counted = Counter(i for body in feeds.values() for i, _, _ in entries(body))
    assert [i for i, n in counted.items() if n > 1] == []


def test_each_feed_parses_in_its_dialect_and_says_that_it_is_invented(feeds):
    for outlet in demo_outlets():
        body = feeds[outlet.file]
        assert "invented for a demonstration" in body
        if outlet.dialect == "json feed":
            assert json.loads(body)["version"].startswith("https://jsonfeed.org/version/1")
        else:
            assert feedparser.parse(body.encode()).version == VERSIONS[outlet.dialect]


def test_every_item_is_dated_inside_the_window_and_has_text(items):
    for item, (when, text, _) in items.items():
        assert WINDOW[0] <= when < WINDOW[1], item
        assert when <= demo_steps()[-1], item
        assert len(text) > 40, item


def test_only_reserved_host_names_are_used(feeds):
    standards = ("http://purl.org", "http://www.w3.org", "http://search.yahoo.com", "https://jsonfeed.org")
    for body in feeds.values():
        for part in body.replace("&quot;", '"').split("://")[1:]:
            host = part.partition("/")[0].partition('"')[0].partition("<")[0]
            known = any(s.endswith(host) for s in standards) or host == "wordpress.org"
            assert host.endswith(".example") or known, host


def test_expected_names_every_item_once_as_event_trap_or_noise(expected, items):
    told = {i for event in expected["event"] for i in event["items"]}
    quiet = [t["item"] for t in expected["trap"]] + expected["noise"]["items"]
    assert len(quiet) == len(set(quiet))
    assert told.isdisjoint(quiet)
    assert told | set(quiet) == set(items)


def test_expected_events_fit_the_model_and_the_feeds(expected, items):
    step_one = demo_steps()[0]
    for event in expected["event"]:
        name = event["name"]
        family = Family(event["family"])
        assert Stage(event["stage"]) if family is Family.CEASEFIRE else Means(event["means"]), name
        assert event["country"] in ("SY", "LY"), name
        assert isinstance(event["date"], date), name
        assert sorted({items[i][2] for i in event["items"]}) == event["outlets"], name
        first = min(items[i][0] for i in event["items"])
        assert (first <= step_one) == (event["step"] == 1), name
        text = " ".join(items[i][1] for i in event["items"])
        assert any(place in text for place in event["places"]), name
        for toll in event.get("killed", []):
            words = {1: "a driver", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 9: "nine"}
            assert str(toll) in text or words[toll] in text.lower(), (name, toll)


def test_second_step_brings_what_it_says(expected, items):
    step_one, step_two = demo_steps()
    assert step_two - step_one == timedelta(days=1)
    for event in expected["event"]:
        if event.get("step_two") and event["step"] == 1:
            assert any(items[i][0] > step_one for i in event["items"]), event["name"]


def test_story_has_the_steps_that_a_monitor_waits_for(expected):
    syria = [e for e in expected["event"] if e.get("truce") == "aleppo"]
    libya = [e for e in expected["event"] if e.get("truce") == "tripoli"]
    assert {"agreed", "in_effect", "extended", "called_for"} <= {e.get("stage") for e in syria}
    assert sum(e.get("basis") == "reported" for e in syria) == 2
    assert sum(e.get("basis") == "inferred" for e in syria) == 1
    assert {"called_for", "rejected", "negotiating", "agreed", "in_effect"} <= {e.get("stage") for e in libya}
    assert any(e["basis"] == "none" for e in expected["event"] if "basis" in e)


def test_server_answers_like_an_outlet_and_says_not_modified():
    clock = DemoClock()
    with serve_demo(clock) as base, httpx.Client() as client:
        assert client.get(base + "/").text.split() == [o.file for o in demo_outlets()]
        for outlet in demo_outlets():
            url = f"{base}/{outlet.file}"
            first = client.get(url)
            assert first.status_code == 200
            assert first.headers["content-type"].endswith("charset=utf-8")
            assert client.get(url, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
            since = {"If-Modified-Since": first.headers["last-modified"]}
            assert client.get(url, headers=since).status_code == 304
            assert client.get(url, headers={"If-None-Match": '"other"', **since}).status_code == 200
            assert client.head(url).content == b""
        assert client.get(base + "/none.xml").status_code == 404
    assert (f"/{demo_outlets()[0].file}", 304) in clock.requests


def test_server_shows_only_what_its_clock_has_reached(items):
    step_one, step_two = demo_steps()
    clock = DemoClock(until=step_one)
    with serve_demo(clock) as base, httpx.Client() as client:
        bodies = {o.file: client.get(f"{base}/{o.file}") for o in demo_outlets()}
        early = {i for body in bodies.values() for i, _, _ in entries(body.text)}
        assert early == {i for i, (when, *_) in items.items() if when <= step_one}
        clock.until = step_two
        for file, before in bodies.items():
            after = client.get(f"{base}/{file}", headers={"If-None-Match": before.headers["etag"]})
            assert after.status_code == 200, file


def test_hidden_items_leave_the_list_of_an_rss_1_channel(feeds):
    body, newest = feed_at(feeds["tripolitania-gazette.xml"], demo_steps()[0])
    assert body.count("<rdf:li ") == body.count("<item ") == 7
    assert newest == datetime(2026, 2, 12, 16, 50, tzinfo=UTC)


def test_full_feed_is_served_as_it_is_written(feeds):
    for file, body in feeds.items():
        assert feed_at(body, demo_steps()[-1])[0] == body, file


def test_server_gives_its_port_back():
    with serve_demo() as base:
        assert httpx.get(base + "/").status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(base + "/")


def test_config_reads_every_outlet_from_the_base_url():
    config = tomllib.loads(demo_config("http://127.0.0.1:1"))
    assert config["fetch"]["allow_private_networks"] is True
    assert [f["outlet"] for f in config["feed"]] == [o.name for o in demo_outlets()]
    assert all(f["url"].startswith("http://127.0.0.1:1/") for f in config["feed"])
