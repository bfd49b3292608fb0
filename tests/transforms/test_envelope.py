"""What a stream keeps is read back as it was, or refused; never taken for something else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms import envelope
from transforms.envelope import VERSION, pack, unpack
from transforms.failures import StateError


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A record of any kind."""

    text: str
    number: int
    at: datetime


AT = datetime(2016, 10, 3, 6, 30, tzinfo=UTC)


@given(st.text(), st.integers(-(2**53), 2**53))
def test_what_is_packed_is_read_back(text: str, number: int) -> None:
    kept = Kept(text=text, number=number, at=AT)
    assert unpack(pack(kept), Kept) == kept


def test_half_a_character_is_replaced_and_costs_nothing_else() -> None:
    assert unpack(pack(Kept(text="a\ud800b", number=1, at=AT)), Kept).text == "a?b"


def test_state_of_another_form_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    old = pack(Kept(text="a", number=1, at=AT))
    monkeypatch.setattr(envelope, "VERSION", VERSION + 1)
    with pytest.raises(
        StateError, match=rf"has form {VERSION}, this version of trucewatch reads form {VERSION + 1}.*drain"
    ):
        unpack(old, Kept)


@pytest.mark.parametrize("data", [b"", b"{}", b"\x80\x04pickled", b"trucewatch/", b"trucewatch/1"])
def test_what_is_no_state_is_refused(data: bytes) -> None:
    with pytest.raises(StateError, match="this version of trucewatch reads form"):
        unpack(data, Kept)


def test_state_whose_fields_do_not_fit_is_refused() -> None:
    with pytest.raises(StateError, match="holds a Kept that this version"):
        unpack(b"trucewatch/%d {}" % VERSION, Kept)
