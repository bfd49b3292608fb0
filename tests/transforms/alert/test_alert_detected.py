"""Ceasefires that the pipeline reads of enter the ledger, go on, and end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tables import cases
from tests.transforms.alert.invented import NOW, TOWN, act, event, mention, parties, span, step
from transforms.alert.ledger import Ledger, detected_from, ledger_of, load_ceasefires
from transforms.alert.parties import known_ranks
from transforms.alert.raising import judge
from transforms.model import Event, Family, Place, Realis, Stage, Told

BUSRA = Place(name="Busra", country="SY", kind="town", adm1="SY12", adm2="SY1200", adm3="SY120001", precision=1)
TOWNS = {"Maskana": TOWN, "Busra": BUSRA}


def _step(number: int, row: dict[str, Any]) -> Event:
    if "town" in row:
        where = TOWNS[row["town"]]
    elif row.get("nationwide"):
        where = Place(name="the country", kind="country")
    else:
        code = row.get("adm2") or row["adm1"]
        where = Place(name=code, kind="adm2" if "adm2" in row else "adm1", adm1=code[:4], adm2=row.get("adm2", ""))
    made = step(
        number,
        row["day"],
        Stage(row["stage"]),
        country=row.get("country", "SY"),
        places=(where,),
        actors=parties(row.get("actors", ())),
        certainty=Realis(row.get("certainty", "asserted")),
    )
    told = Told(revision=2, at=NOW, retracted=True, family=Family.CEASEFIRE) if row.get("retracted") else None
    read = datetime.fromisoformat(row["told"]).replace(tzinfo=UTC) if "told" in row else made.first_seen
    return replace(made, told=told, first_seen=read)


@pytest.mark.parametrize("case", cases("ledger_detected"), ids=lambda case: case["name"])
def test_cases(case: dict[str, Any]) -> None:
    events = [_step(number, row) for number, row in enumerate(case["steps"], start=1)]
    for order in (events, events[::-1]):
        found = detected_from(order, known=load_ceasefires(), ranks=known_ranks())
        assert [
            {
                "from": one.start,
                **({"until": one.until} if one.until else {"expires": one.expires}),
                "codes": list(one.coverage.codes),
                "parties": sorted(one.parties),
            }
            for one in found
        ] == case["found"]
        assert all(one.origin == "detected" and one.id == f"detected-{one.event_id}" for one in found)


@given(st.data())
def test_order_of_events_does_not_matter(data: st.DataObject) -> None:
    stages = st.sampled_from([Stage.AGREED, Stage.IN_EFFECT, Stage.EXTENDED, Stage.ENDED])
    rows = data.draw(st.lists(st.tuples(stages, st.integers(1, 28), st.sampled_from(sorted(TOWNS))), max_size=8))
    events = [
        step(number, f"2026-02-{day:02d}", stage, places=(TOWNS[town],), actors=parties(["sy-government", "sy-sdf"]))
        for number, (stage, day, town) in enumerate(rows)
    ]
    shuffled = data.draw(st.permutations(events))
    assert detected_from(shuffled) == detected_from(events)
    for one in detected_from(events):
        assert one.start <= one.last_day


def test_an_act_breaks_a_detected_ceasefire_from_the_day_after() -> None:
    agreed = step(1, "2026-02-11", Stage.AGREED, places=(TOWN,), actors=parties(["sy-government", "sy-druze"]))
    ledger = ledger_of([agreed])
    row = {"country": "SY", "date": "2026-02-12", "actors": ["sy-government"], "targets": ["sy-druze"]}
    hit = replace(act(row), places=(TOWN,))
    assert judge(hit, ledger).ceasefire_id == "detected-step1"
    assert judge(replace(hit, date=span("2026-02-11")), ledger).ceasefire_id == ""
    assert judge(replace(hit, places=(BUSRA,)), ledger).ceasefire_id == ""
    assert judge(replace(hit, date=span("2026-08-01")), ledger).ceasefire_id == ""


def test_steps_join_the_ceasefire_that_they_are_about() -> None:
    agreed = step(1, "2026-02-11", Stage.AGREED, places=(TOWN,), actors=parties(["sy-government", "sy-druze"]))
    holds = step(2, "2026-02-12", Stage.IN_EFFECT, places=(TOWN,))
    call = step(3, "2026-02-12", Stage.CALLED_FOR, places=(TOWN,))
    longer = step(6, "2026-02-14", Stage.EXTENDED, places=(Place(name="Aleppo", kind="adm1", adm1="SY02"),))
    over = step(4, "2026-02-20", Stage.ENDED, places=(TOWN,))
    ledger = ledger_of([agreed, holds, call, longer, over])
    joined = [judge(one, ledger).ceasefire_id for one in (agreed, holds, call, longer, over)]
    assert joined == ["detected-step1", "detected-step1", "", "detected-step1", "detected-step1"]
    moscow = step(5, "2020-03-05", Stage.AGREED, places=(Place(name="Idlib", kind="adm1", adm1="SY07"),))
    assert judge(moscow, Ledger(known=load_ceasefires())).ceasefire_id == "sy-2020-idlib-march"


def test_a_reported_breach_means_the_truce_of_yesterday_rather_than_that_of_last_year() -> None:
    tripoli = Place(name="Tripoli", country="LY", kind="town", adm1="LY02", adm2="LY0211")
    ledger = ledger_of([step(1, "2026-02-12", Stage.AGREED, places=(tripoli,), country="LY")])
    row = {"country": "LY", "date": "2026-02-12", "actors": ["ly-tripoli-militias"]}
    mortars = replace(act({**row, "family": "violation"}), places=(tripoli,))
    assert judge(mortars, ledger).ceasefire_id == "detected-step1"
    assert judge(replace(mortars, family=Family.HOSTILITY), ledger).ceasefire_id == "ly-2025-tripoli"


def test_one_sides_offer_makes_no_breach() -> None:
    ledger = ledger_of([step(1, "2026-02-11", Stage.AGREED, places=(TOWN,), actors=parties(["sy-druze"]))])
    hit = event(mention(family=Family.HOSTILITY, actors=parties(["sy-druze"]), date=span("2026-02-12")))
    assert judge(hit, ledger).ceasefire_id == ""
    assert judge(replace(hit, family=Family.VIOLATION), ledger).ceasefire_id == "detected-step1"


def test_a_ceasefire_without_known_parties_makes_no_breach() -> None:
    ledger = ledger_of([step(1, "2026-02-11", Stage.AGREED, places=())])
    assert [one.coverage.nationwide for one in ledger.detected] == [True]
    hit = event(mention(family=Family.HOSTILITY, actors=parties(["sy-druze"]), date=span("2026-02-12")))
    assert judge(hit, Ledger(detected=ledger.detected)).ceasefire_id == ""


def test_in_force_counts_detected_ones_until_silence() -> None:
    ledger = ledger_of([step(1, "2026-02-11", Stage.AGREED, places=(TOWN,), actors=parties(["sy-druze", "sy-sdf"]))])
    assert "detected-step1" in [one.id for one in ledger.in_force("SY", date(2026, 5, 12), [TOWN])]
    assert "detected-step1" not in [one.id for one in ledger.in_force("SY", date(2026, 5, 13), [TOWN])]
