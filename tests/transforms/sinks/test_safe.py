"""Nothing that a feed says can act on a terminal, a page or a spreadsheet."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tables import cases
from transforms.sinks import safe


@pytest.mark.parametrize("case", cases("sinks_safe"), ids=lambda case: case["name"])
def test_cases(case: dict[str, Any]) -> None:
    assert getattr(safe, case["function"])(case["given"]) == case["wanted"]


@given(st.text(st.characters()))
def test_safe_text_has_no_control_or_bidi_and_is_idempotent(value: str) -> None:
    made = safe.safe_text(value)
    assert safe.safe_text(made) == made
    made.encode("utf-8")
    bad = [sign for sign in made if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp")]
    assert not bad
    assert not set(made) & set("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@given(st.text(max_size=60), st.integers(1, 30))
def test_shortened_keeps_the_limit(value: str, limit: int) -> None:
    made = safe.shortened(value, limit)
    assert len(made) <= max(limit, 1)
    assert made == value or made.endswith("…")
