"""Which ceasefires are in force, and how they are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from tests.transforms.alert.invented import TOWN, event, mention, parties, span, step
from transforms.alert.ledger import ledger_of
from transforms.alert.standing import ceasefires_in_force
from transforms.model import Event, Family, Realis, Stage

NOW = datetime(2026, 2, 20, 9, 0, tzinfo=UTC)


def _act(number: int, day: str, family: Family = Family.HOSTILITY, realis: Realis = Realis.ASSERTED) -> Event:
    made = mention(
        number, family=family, date=span(day), realis=realis,
        actors=parties(["sy-government"]), targets=parties(["sy-druze"]),
    )  # fmt: skip
    return event(made, event_id=f"a{number}")


def test_violations_are_counted_by_day() -> None:
    agreed = step(1, "2026-02-11", Stage.AGREED, places=(TOWN,), actors=parties(["sy-government", "sy-druze"]))
    acts = [
        _act(1, "2026-02-12"),
        _act(2, "2026-02-12", Family.VIOLATION),
        _act(3, "2026-02-15"),
        _act(4, "2026-02-11"),  # the day on which it was agreed
        _act(5, "2026-02-21"),  # after the clock
        _act(6, "2026-02-16", realis=Realis.DENIED),
        replace(_act(7, "2026-02-16"), superseded_by="a1"),
    ]
    rows = ceasefires_in_force(ledger_of([agreed]), [agreed, *acts], NOW)
    by_id = {row.ceasefire.id: row for row in rows}
    row = by_id["detected-step1"]
    assert row.by_day == ((date(2026, 2, 12), 2), (date(2026, 2, 15), 1))
    assert (row.since, row.days, row.violations, row.per_day) == (date(2026, 2, 11), 10, 3, 0.3)
    assert row.last_violation == date(2026, 2, 15)
    assert {"ly-2020-october", "ly-2025-tripoli", "sy-2025-sweida-19-july", "sy-2026-sdf-30-january"} <= set(by_id)
    assert [r.ceasefire.country for r in rows] == sorted(r.ceasefire.country for r in rows)


def test_one_country_and_another_day() -> None:
    ledger = ledger_of([])
    assert {row.ceasefire.country for row in ceasefires_in_force(ledger, [], NOW, country="LY")} == {"LY"}
    then = ceasefires_in_force(ledger, [], datetime(2012, 5, 1, tzinfo=UTC), country="SY")
    assert [row.ceasefire.id for row in then] == ["sy-1974-disengagement", "sy-2012-annan"]
    assert (then[1].days, then[1].per_day, then[1].last_violation) == (20, 0.0, None)
