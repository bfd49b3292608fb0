"""Whole feeds: formats, encodings, prologs and what is no feed; the steps before the parser."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tables import cases
from transforms.failures import ParseError
from transforms.ingest.decode import decoded
from transforms.ingest.parser_pool import ParserPool
from transforms.ingest.prolog import guarded, safe_encoding
from transforms.ingest.wire import Job
from transforms.text import plain

_CASES = cases("ingest_feeds")


@pytest.mark.parametrize("case", _CASES, ids=[case["name"] for case in _CASES])
def test_table(case: dict[str, Any], parsers: ParserPool) -> None:
    text = case["body"].replace("{repeated}", case.get("repeated", "") * case.get("times", 0))
    text = text.replace("{long}", "All quiet in the north. " * 1000)
    body = (b"\xef\xbb\xbf" if case.get("bom") else b"") + text.encode(case.get("encoding", "utf-8"))
    job = Job(kind="feed", content_type=case.get("content_type", ""), language=case.get("language", ""))
    if "kind" in case:
        with pytest.raises(ParseError) as told:
            parsers.run(job, body)
        assert told.value.kind == case["kind"], told.value
        assert case.get("says", "") in str(told.value)
        return
    feed = parsers.run(job, body).feed
    assert feed
    titles = [entry.title for entry in feed.entries]
    if "titles" in case:
        assert titles == [plain(title) for title in case["titles"]]
    if "title_starts" in case:
        assert titles[0].startswith(case["title_starts"])
    if "guids" in case:
        assert [entry.guid for entry in feed.entries] == case["guids"]
    for key in ("version", "complete"):
        if key in case:
            assert getattr(feed, key) == case[key], feed.warnings
    if "warning" in case:
        assert any(warning.startswith(case["warning"]) for warning in feed.warnings)
    if "count" in case:
        assert (feed.items, len(feed.entries)) == (case["count"], case["kept"])


@pytest.mark.parametrize(
    "name",
    [
        "utf-7",
        "punycode",
        "idna",
        "unicode_escape",
        "raw_unicode_escape",
        "undefined",
        "hex",
        "base64",
        "zlib",
        "bz2",
        "rot13",
        "uu",
        "quopri",
        "mbcs",
        "iso2022_jp",
        "no-such",
        "",
    ],
)
def test_codecs_that_are_no_character_sets_are_refused(name: str) -> None:
    assert safe_encoding(name) == ""


@given(st.binary(max_size=300))
def test_a_guarded_body_is_a_declaration_and_an_element(body: bytes) -> None:
    data = guarded(b"<?xml " + body) or guarded(body)
    if data:
        head, _, rest = data.partition(b"\n")
        assert head.startswith(b"<?xml version='1.0'")
        assert len(head) < 100
        assert rest.startswith(b"<")


@given(st.binary(max_size=2000), st.integers(0, 2000))
def test_codings_are_undone_or_refused(body: bytes, cut: int) -> None:
    for coding, made in (
        ("gzip", gzip.compress(body)),
        ("deflate", zlib.compress(body)),
        ("br", brotli.compress(body)),
    ):
        if body.startswith(b"\x1f\x8b"):
            continue
        assert decoded(made, coding, 10_000)[0] == body
        short = made[: min(cut, len(made) - 1)]
        try:
            data, warnings = decoded(short, coding, 10_000)
        except ParseError as error:
            assert error.kind in ("cut_short", "bad_encoding")
        else:
            assert warnings or data == body  # a cut checksum is all that may be missing
        try:
            assert len(decoded(body, coding, 100)[0]) <= 100
        except ParseError as error:
            assert error.kind in ("cut_short", "bad_encoding", "too_large")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_the_cap_holds(coding: str) -> None:
    makers = {"gzip": gzip.compress, "deflate": zlib.compress, "br": lambda body: brotli.compress(body, quality=3)}
    with pytest.raises(ParseError, match="larger than"):
        decoded(makers[coding](bytes(50_000_000)), coding, 1_000_000)


def test_many_codings_are_refused() -> None:
    with pytest.raises(ParseError, match="times over"):
        decoded(b"", "gzip, gzip, gzip", 1000)
