"""The starter list of feeds is valid, covers who it should, and its page in the documentation is current."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pipeline.feeds.starter import LANGUAGE_NAMES, feeds_page, starter_feeds, starter_text

KEYS = {"name", "url", "outlet", "language", "country", "owner", "state_affiliated", "full_text", "interval"}
REQUIRED = KEYS - {"full_text", "interval"}
FEEDS = starter_feeds()
DOCS = Path(__file__).parents[2] / "docs" / "feeds.md"


def test_there_are_at_least_45_feeds():
    assert len(FEEDS) >= 45


@pytest.mark.parametrize("key", ["name", "url"])
def test_names_and_addresses_are_unique(key):
    assert [value for value, n in Counter(feed[key] for feed in FEEDS).items() if n > 1] == []


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed["name"])
def test_each_feed_is_complete_and_well_formed(feed):
    assert set(feed) >= REQUIRED
    assert set(feed) <= KEYS
    assert all(feed[key] for key in REQUIRED - {"state_affiliated"})
    assert isinstance(feed["state_affiliated"], bool)
    assert feed["language"] in LANGUAGE_NAMES
    assert len(feed["country"]) == 2
    assert feed["country"].isupper()
    address = urlsplit(feed["url"])
    assert address.scheme == "https"
    assert address.hostname
    assert "." in address.hostname


def test_the_list_is_read_as_a_configuration():
    from pipeline.config import config_of

    config = config_of({"feed": FEEDS}, base=Path(), name="starter.toml", environment={})
    assert [feed.name for feed in config.feeds] == [feed["name"] for feed in FEEDS]


def test_one_outlet_has_one_owner_and_country():
    for outlet in {feed["outlet"] for feed in FEEDS}:
        told = {
            (feed["owner"], feed["country"], feed["state_affiliated"]) for feed in FEEDS if feed["outlet"] == outlet
        }
        assert len(told) == 1, outlet


def test_every_kind_of_outlet_and_language_is_there():
    countries = Counter(feed["country"] for feed in FEEDS)
    assert min(countries[c] for c in ("SY", "LY", "TR", "RU", "SA", "GB")) >= 3
    assert {feed["language"] for feed in FEEDS} == set(LANGUAGE_NAMES)
    owners = {feed["owner"] for feed in FEEDS}
    assert {"United Nations", "UN OCHA"} <= owners


def test_the_list_says_that_it_was_not_checked():
    assert "NOT CHECKED" in starter_text()
    assert "trucewatch feeds check" in starter_text()


def test_the_page_in_the_documentation_is_current():
    assert DOCS.read_text("utf-8") == feeds_page(FEEDS), "run `python -m pipeline.feeds.starter`"
