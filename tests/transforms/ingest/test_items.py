"""Items as feeds give them, from the feed's bytes to articles."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tables import cases
from tests.transforms.ingest.made import NOW, Stored, feed
from tests.transforms.ingest.scripted import rss
from transforms.ingest.articles import articles_of
from transforms.ingest.html_text import html_text
from transforms.ingest.identity import canonical_url, content_hash
from transforms.ingest.parse import entries_of
from transforms.text import plain

_CASES = cases("ingest_items")


@pytest.mark.parametrize("case", _CASES, ids=[case["name"] for case in _CASES])
def test_table(case: dict[str, Any]) -> None:
    outlet = feed(**case.get("feed", {}))
    parsed = entries_of(rss(items=case["items"]))
    stored = Stored()
    for name, same in case.get("known", {}).items():
        entry = next(entry for entry in parsed.entries if entry.guid == name)
        stored.hashes[outlet.name, name] = content_hash(entry.title, entry.summary, entry.content) if same else "other"
    result = articles_of(
        outlet, parsed, base=outlet.url, now=NOW, first_pull=case.get("first_pull", False), seen=stored
    )
    assert len(result.articles) == len(case["expect"]), result.articles
    assert {k: n for k, n in result.dropped.items() if n} == case.get("dropped", {})
    assert not result.failures
    for article, expected in zip(result.articles, case["expect"], strict=True):
        for key, value in expected.items():
            if key == "item_id_starts":
                assert article.item_id.startswith(value)
            elif key == "flags_any":
                assert set(article.flags) & set(value), article.flags
            elif key == "before_now":
                assert article.published <= NOW
            elif key == "published":
                assert article.published.isoformat() == value.replace("{now}", NOW.isoformat())
            elif key == "flags":
                assert list(article.flags) == value
            else:
                assert getattr(article, key) == value
        assert article.fetched == NOW
    assert len({article.item_id for article in result.articles}) == len(result.articles)


@given(
    st.one_of(
        st.text(max_size=120), st.text(alphabet="ahtps:/.?&=#%@[]1 utm_ü٣", max_size=60).map("https://a.b/".__add__)
    )
)
def test_canonical_url_is_idempotent(link: str) -> None:
    once = canonical_url(link, "https://outlet.example/feed")
    assert canonical_url(once, "https://outlet.example/feed") == once
    assert canonical_url(once) == once
    assert once == "" or once.startswith(("http://", "https://"))
    assert plain(once) == once


@given(st.one_of(st.text(max_size=200), st.text(alphabet="<>&;#x/ab \"'!-amplt1", max_size=80)))
def test_text_of_markup_is_plain_and_idempotent(value: str) -> None:
    once = html_text(value, 1000)
    assert plain(once) == once
    assert html_text(once, 1000) == once
