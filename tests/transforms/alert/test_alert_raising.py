"""What subscribers are told: first alerts by policy, revisions by the table, retractions once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tables import cases
from tests.transforms.alert.invented import NOW, TOWN, event, mention, parties, span, toll
from transforms.alert.ledger import Ledger, load_ceasefires
from transforms.alert.raising import Decision, evidence_of, raise_alert
from transforms.alert.settings import AlertPolicy
from transforms.model import Basis, Change, Event, EventChange, Evidence, Family, Means, Place, Realis, Stage

LEDGER = Ledger(known=load_ceasefires())
HOUR = timedelta(hours=1)
OTHER = replace(TOWN, name="Deir Hafer", gazetteer_id="C2", label="Deir Hafer", adm2="SY0202", adm3="SY020202")
PROVINCE = Place(name="Aleppo province", gazetteer_id="SY02", country="SY", kind="adm1", adm1="SY02", precision=3)
PLACES = {
    "none": (), "governorate": (PROVINCE,), "town": (TOWN,), "two towns": (TOWN, OTHER), "other town": (OTHER,),
}  # fmt: skip


def _policy(case: Mapping[str, Any]) -> AlertPolicy:
    return msgspec.convert(case.get("policy", {}), AlertPolicy)


def _raise(
    told: Event, *, policy: AlertPolicy | None = None, now: Any = NOW, what: tuple[str, ...] = ("new",)
) -> Decision:
    return raise_alert(EventChange(event=told, what=what), LEDGER, policy or AlertPolicy(), now)


@pytest.mark.parametrize("case", cases("alert_policy"), ids=lambda case: case["name"])
def test_policy(case: dict[str, Any]) -> None:
    row = case["event"]
    hours = row.get("hours", [1])
    family = Family(row["family"])
    told = event(
        *(
            mention(
                number,
                family=family,
                stage=Stage(row["stage"]) if "stage" in row else None,
                means=Means(row["means"]) if "means" in row else None,
                country=row.get("country", "SY"),
                realis=Realis(row.get("certainty", "asserted")),
                published=NOW - age * HOUR,
                date=span(row.get("date", "2026-02-12")),
                backlog=row.get("backlog", [False] * len(hours))[number - 1],
                places=() if row.get("unplaced") else (TOWN,),
                actors=parties(row.get("actors", ())),
                targets=parties(row.get("targets", ())),
            )
            for number, age in enumerate(hours, start=1)
        ),
        superseded_by=row.get("superseded_by", ""),
    )
    if "event_certainty" in row:
        told = replace(told, certainty=Realis(row["event_certainty"]))
    decision = _raise(told, policy=_policy(case))
    assert decision.reason == case["reason"]
    assert (decision.alert is not None) == (case["reason"] == "new")
    assert (decision.event.told is not None) == (case["reason"] == "new")


def _seen(row: Mapping[str, Any], told: Event | None = None) -> Event:
    """Return the event as `row` says that it looks."""
    made = [
        mention(
            number,
            family=Family(row.get("family", "violation")),
            realis=Realis(row.get("certainty", "asserted")),
            places=PLACES[row.get("first_place" if number == 1 else "place", row.get("place", "town"))],
        )
        for number in range(1, row.get("outlets", 1) + 1)
    ][row.get("left", 0) :]
    own = {"outlet": "Outlet 1", "item_id": "i9", "mention_id": "m9", "published": NOW - HOUR, "realis": Realis.DENIED}
    if row.get("denied_by") == "outlet":
        words = Evidence(quote="we withdraw our report that shells fell", field="title", start=0, end=39)
        made.append(mention(9, **own, evidence=words))
    elif row.get("denied_by") == "party":
        words = Evidence(quote="the army denied that it had shelled the market", field="title", start=0, end=46)
        made.append(mention(9, **own, evidence=words, alleged_by=row.get("denier", "")))
    standing = sum(m.realis in (Realis.ASSERTED, Realis.ALLEGED) for m in made)
    base = event(mention(), family=Family(row.get("family", "violation")))
    return replace(
        base,
        mentions=tuple(made),
        outlets=tuple(sorted({m.outlet for m in made if m.realis in (Realis.ASSERTED, Realis.ALLEGED)})),
        independent_outlets=row.get("independent", max(1, standing)),
        certainty=Realis(row.get("certainty", "asserted")),
        means=Means(row.get("means", "shelling")),
        places=PLACES[row.get("place", "town")],
        date=span(row.get("date", "2026-02-12")),
        actors=parties(row.get("actors", ())),
        targets=parties(row.get("targets", ())),
        killed=toll(*row.get("killed", ())),
        injured=toll(*row.get("injured", ())),
        superseded_by=row.get("superseded_by", ""),
        closed=row.get("closed", False),
        told=told.told if told else None,
    )


@pytest.mark.parametrize("case", cases("alert_revisions"), ids=lambda case: case["name"])
def test_revisions(case: dict[str, Any]) -> None:
    policy = _policy(case)
    first = _raise(_seen(case.get("told", {})), policy=policy)
    assert first.alert is not None and first.alert.revision == 1
    later = NOW + timedelta(minutes=case.get("minutes", 0))
    row = {**case.get("told", {}), **case.get("now", {}), "first_place": case.get("told", {}).get("place", "town")}
    decision = _raise(_seen(row, first.event), policy=policy, now=later, what=("mention",))
    assert decision.reason == case["outcome"]
    if decision.alert is None:
        assert decision.event.told == first.event.told
        assert "changed" not in case
    else:
        assert list(decision.alert.changed) == case["changed"]
        assert decision.alert.change is Change(case["outcome"])
        assert decision.alert.alert_id == "e1.2"
        assert _raise(decision.event, policy=policy, now=later + 24 * HOUR).alert is None


def test_a_party_named_in_the_denial_is_named_on_the_alert() -> None:
    first = _raise(_seen({}))
    decision = _raise(_seen({"denied_by": "party", "denier": "Syrian army"}, first.event))
    assert decision.alert is not None
    assert decision.alert.denied_by == ("Syrian army",)
    assert decision.alert.certainty is Realis.ASSERTED


def test_a_retraction_is_told_once_and_a_new_report_reinstates() -> None:
    first = _raise(_seen({}))
    gone = _raise(_seen({"left": 1}, first.event))
    assert gone.alert is not None and gone.alert.change is Change.RETRACTED
    again = _raise(_seen({"left": 1}, gone.event), now=NOW + HOUR)
    assert (again.alert, again.reason) == (None, "retracted_before")
    back = _raise(_seen({"outlets": 2, "left": 1}, gone.event), now=NOW + HOUR)
    assert back.alert is not None
    assert (back.alert.changed, back.alert.revision) == (("reinstated",), 3)


def test_two_events_that_are_one() -> None:
    earlier = _raise(_seen({}))
    later = _raise(replace(_seen({}), event_id="e2"))
    gone = _raise(replace(later.event, superseded_by="e1"), what=("merged",))
    assert gone.alert is not None
    assert (gone.alert.change, gone.alert.superseded_by, gone.alert.alert_id) == (Change.RETRACTED, "e1", "e2.2")
    change = EventChange(event=earlier.event, what=("merged",))
    survivor = raise_alert(change, LEDGER, AlertPolicy(), NOW, supersedes="e2")
    assert survivor.alert is not None
    assert (survivor.alert.changed, survivor.alert.supersedes, survivor.alert.revision) == (("merged",), "e2", 2)


def test_an_event_that_takes_the_place_of_a_told_one_is_told_however_old() -> None:
    old = event(mention(published=NOW - 80 * HOUR))
    assert _raise(old).reason == "stale"
    change = EventChange(event=old, what=("merged",))
    told = raise_alert(change, LEDGER, AlertPolicy(), NOW, supersedes="e2")
    assert told.alert is not None
    assert (told.alert.change, told.alert.supersedes) == (Change.NEW, "e2")


def test_an_alert_says_what_it_rests_on() -> None:
    told = event(
        mention(1, realis=Realis.ALLEGED, alleged_by="rebels"),
        mention(2, state_affiliated=True, realis=Realis.ALLEGED, alleged_by="army"),
        actors=parties(["sy-government"]),
        targets=parties(["sy-sdf"]),
    )
    alert = _raise(told).alert
    assert alert is not None
    assert (alert.certainty, alert.alleged_by) == (Realis.ALLEGED, ("army", "rebels"))
    assert (alert.basis, alert.ceasefire_id) == (Basis.REPORTED, "sy-2026-sdf-30-january")
    assert alert.ceasefire_name.startswith("Ceasefire and integration agreement")
    assert (alert.state_affiliated_outlets, alert.rules_version) == (("Outlet 2",), "r1")
    assert [quote.item_id for quote in alert.evidence] == ["i1", "i2"]
    assert (alert.codes.cameo, alert.codes.plover) == ("112", "ACCUSE-allege")


def test_evidence_keeps_one_quote_of_each_outlet_before_seconds() -> None:
    many = [mention(n, outlet=f"Outlet {n % 4}", published=NOW - n * HOUR) for n in range(12)]
    kept = evidence_of(event(*sorted(many, key=lambda m: m.published)), 5)
    assert len(kept) == 5
    assert {quote.outlet for quote in kept} == {"Outlet 0", "Outlet 1", "Outlet 2", "Outlet 3"}
    assert [quote.published for quote in kept] == sorted(quote.published for quote in kept)


ROWS = st.fixed_dictionaries(
    {},
    optional={
        "killed": st.lists(st.integers(0, 90), min_size=1, max_size=3),
        "injured": st.lists(st.integers(0, 90), min_size=1, max_size=2),
        "outlets": st.integers(1, 6),
        "left": st.integers(0, 6),
        "certainty": st.sampled_from(["asserted", "alleged"]),
        "place": st.sampled_from(sorted(PLACES)),
        "date": st.sampled_from(["", "2026-02-11", "2026-02-12", "2026-02-09/2026-02-12"]),
        "denied_by": st.sampled_from(["party", "outlet"]),
        "family": st.sampled_from(["violation", "hostility"]),
        "actors": st.sampled_from([[], ["il"], ["sy-government"]]),
        "targets": st.sampled_from([[], ["sy-sdf"]]),
        "superseded_by": st.sampled_from(["", "", "e0"]),
        "closed": st.booleans(),
    },
)


@given(st.lists(st.tuples(ROWS, st.integers(0, 240)), min_size=1, max_size=8))
def test_laws_of_revisions(history: list[tuple[dict[str, Any], int]]) -> None:
    """Revisions count without gaps, a replay is silent, no two retractions follow each other, a first one is new."""
    now, current, alerts = NOW, None, []
    for row, minutes in history:
        now += timedelta(minutes=minutes)
        decision = _raise(_seen(row, current), now=now)
        replayed = _raise(decision.event, now=now)
        assert replayed.alert is None
        assert replayed.event == decision.event
        current = decision.event
        if decision.alert:
            alerts.append(decision.alert)
        assert (decision.reason in ("new", "updated", "retracted")) == (decision.alert is not None)
    assert [alert.revision for alert in alerts] == list(range(1, len(alerts) + 1))
    changes = [alert.change for alert in alerts]
    assert [n for n, change in enumerate(changes) if change is Change.NEW] == ([0] if alerts else [])
    assert not any(a is b is Change.RETRACTED for a, b in pairwise(changes))
    assert all(bool(alert.changed) == (alert.change is not Change.NEW) for alert in alerts)
