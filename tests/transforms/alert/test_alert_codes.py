"""Codes of events in the field's schemes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tables import cases
from tests.transforms.alert.invented import parties
from transforms.alert.codes import acled_types, codes_of, parse_codes
from transforms.failures import KnowledgeError
from transforms.model import Codes, Family, Means, Realis, Stage


@pytest.mark.parametrize("case", cases("alert_codes"), ids=lambda case: case["name"])
def test_codes(case: dict[str, Any]) -> None:
    row = case["event"]
    found = codes_of(
        Family(row["family"]),
        stage=Stage(row["stage"]) if "stage" in row else None,
        means=Means(row["means"]) if "means" in row else None,
        certainty=Realis(row.get("certainty", "asserted")),
        actors=parties(row.get("actors", ())),
        targets=parties(row.get("targets", ())),
    )
    assert [found.cameo, found.plover, found.acled] == case["codes"]


def test_acled_types_part_at_the_colon() -> None:
    coded = Codes(acled="Explosions/Remote violence: Air/drone strike")
    assert acled_types(coded) == ("Explosions/Remote violence", "Air/drone strike")
    assert acled_types(Codes()) == ("", "")


def test_a_table_that_lacks_a_kind_is_refused() -> None:
    with pytest.raises(KnowledgeError, match=r"x\.toml: \[ceasefire\.agreed\] is missing"):
        parse_codes('[ceasefire.called_for]\ncameo = "1"', "x.toml")
