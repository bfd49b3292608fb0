"""OPML there and back, and what other programs make of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.failures import ParseError
from transforms.ingest.feed import Feed
from transforms.ingest.opml import read_opml, write_opml
from transforms.text import plain

words = (
    st.text(alphabet=st.characters(blacklist_categories=("Cs", "Cc", "Cn")), min_size=1, max_size=30)
    .map(plain)
    .filter(bool)
)
feeds = st.builds(
    Feed,
    name=words,
    url=st.integers(0, 10**9).map(lambda n: f"https://outlet.example/{n}?a=1&b=<2>"),
    outlet=words,
    language=st.sampled_from(["", "en", "ar"]),
    country=st.sampled_from(["", "SY", "LY"]),
    owner=st.one_of(st.just(""), words),
    state_affiliated=st.booleans(),
    full_text=st.booleans(),
    interval=st.integers(1, 10**6).map(lambda s: timedelta(seconds=s)),
    timezone=st.sampled_from(["", "Asia/Damascus"]),
)


@given(st.lists(feeds, max_size=8, unique_by=(lambda f: f.name, lambda f: f.url)))
def test_there_and_back(listed: list[Feed]) -> None:
    assert read_opml(write_opml(listed)) == listed


def test_of_another_reader() -> None:
    text = """<?xml version="1.0" encoding="ISO-8859-1"?>
    <opml version="1.1"><head><title>subscriptions</title></head><body>
      <outline text="Levant"><outline text="Outlet A" type="rss" xmlUrl="https://a.example/rss" htmlUrl="https://a.example"/>
        <outline title="Outlet A" xmlUrl="https://a.example/ar" language="ar-SY"/></outline>
      <outline text="twice" xmlUrl="https://a.example/rss"/><outline text="a note"/>
      <outline xmlUrl="https://b.example/rss" language="unknown"/></body></opml>"""
    found = read_opml(text)
    assert [(f.name, f.url, f.language) for f in found] == [
        ("Outlet A", "https://a.example/rss", ""),
        ("Outlet A (2)", "https://a.example/ar", "ar"),
        ("https://b.example/rss", "https://b.example/rss", ""),
    ]
    assert found[0].outlet == "Outlet A"


@pytest.mark.parametrize(
    "text",
    ["", "no xml", "<rss/>", "<opml><body>", "<!DOCTYPE opml [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><opmls>&x;</opmls>",
     '<opml xmlns:t="urn:trucewatch:opml:1"><outline text="a" xmlUrl="https://a.example" t:interval="soon"/></opml>'],
)  # fmt: skip
def test_what_is_no_opml_is_refused(text: str) -> None:
    with pytest.raises(ParseError) as told:
        read_opml(text)
    assert told.value.kind == "bad_opml"


def test_entities_of_a_doctype_lead_nowhere() -> None:
    text = """<!DOCTYPE opml [<!ENTITY x SYSTEM "file:///etc/hostname"><!ENTITY y "yy">]>
    <opml><body><outline text="a" xmlUrl="https://a.example"/>&x;</body></opml>"""
    assert [f.name for f in read_opml(text)] == ["a"]
