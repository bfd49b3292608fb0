"""Which ceasefire an act breaks: history's ceasefires against invented acts inside and outside them."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

import pytest

from tests.tables import cases
from tests.transforms.alert.invented import act, parties, place
from transforms.alert.ledger import Ledger, load_ceasefires
from transforms.alert.parties import known_ranks
from transforms.alert.raising import judge
from transforms.model import Basis, Family

LEDGER = Ledger(known=load_ceasefires())

# Issue: each of these has at least one act inside and one outside.
NAMED = (
    "sy-2012-annan", "sy-2016-cessation-of-hostilities", "sy-2017-astana-north-homs", "sy-2017-astana-ghouta",
    "sy-2018-unsc-2401", "sy-2018-sochi", "sy-2019-north-east-us-turkey", "sy-2019-north-east-sochi",
    "sy-2020-idlib-january", "sy-2020-idlib-march", "ly-2020-august", "ly-2020-october", "ly-2025-tripoli",
    "sy-2025-sweida-19-july", "sy-2025-sdf-march", "sy-2026-sdf-18-january", "sy-2026-sdf-30-january",
)  # fmt: skip


@pytest.mark.parametrize("case", cases("ledger_acts"), ids=lambda case: case["name"])
def test_acts(case: dict[str, Any]) -> None:
    judged = judge(act(case), LEDGER)
    assert judged.ceasefire_id == case["breaks"]
    assert judged.family is (Family.VIOLATION if case["breaks"] else Family.HOSTILITY)
    assert judged.basis is (Basis.INFERRED if case["breaks"] else None)


def test_every_named_ceasefire_has_an_act_inside_it() -> None:
    assert set(NAMED) <= {case["breaks"] for case in cases("ledger_acts")}


def test_beside_each_act_inside_stands_one_outside() -> None:
    by_subject: defaultdict[str, set[str]] = defaultdict(set)
    for case in cases("ledger_acts"):
        subject, colon, _ = case["name"].partition(":")
        if colon:
            by_subject[subject].add(case["breaks"])
    assert {subject for subject, broken in by_subject.items() if "" not in broken} == set()
    assert set(NAMED) <= set().union(*by_subject.values())


@pytest.mark.parametrize("case", cases("ledger_reported"), ids=lambda case: case["name"])
def test_reported_breaches(case: dict[str, Any]) -> None:
    judged = judge(act({"family": "violation", **case}), LEDGER)
    assert (judged.family, judged.basis, judged.ceasefire_id) == (Family.VIOLATION, Basis.REPORTED, case["means_that"])


def test_in_force_puts_the_most_specific_first() -> None:
    tripoli = place({"name": "Tripoli", "country": "LY", "kind": "town", "adm1": "LY02", "adm2": "LY0211"})
    found = LEDGER.in_force("LY", date(2025, 6, 1), [tripoli])
    assert [one.id for one in found] == ["ly-2025-tripoli", "ly-2020-october"]
    assert [one.id for one in LEDGER.in_force("LY", date(2025, 6, 1))] == ["ly-2025-tripoli", "ly-2020-october"]
    assert [one.id for one in LEDGER.in_force("LY", date(2025, 6, 1), (), parties(["ly-lna"]))] == ["ly-2020-october"]
    assert not LEDGER.in_force("LY", date(2011, 6, 1))


def test_the_data_is_whole() -> None:
    entries, ranks = load_ceasefires(), known_ranks()
    assert len(entries) >= 60
    assert {"SY", "LY"} == {entry.country for entry in entries}
    for entry in entries:
        strange = (entry.parties | {*entry.excluded, *entry.monitors}) - ranks.named - ranks.unnamed
        assert not strange, f"{entry.id}: {strange}"
        assert entry.source is not None and entry.source.title and entry.source.publisher
        assert entry.source.day.year >= entry.start.year - 1
        assert int(entry.id.split("-")[1]) in (entry.start.year, entry.start.year - 1)
