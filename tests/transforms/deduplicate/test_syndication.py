"""How many independent outlets tell an event."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tables import cases
from tests.transforms.deduplicate.invented import mention
from transforms.deduplicate.syndication import independent_outlets, similarity
from transforms.detect.signature import PERMUTATIONS, signature_of

_WIRE = (
    "Warplanes struck the covered market of Sarmin shortly before noon on Monday, killing at least eleven people, a "
    "rescue service said. Witnesses spoke of three jets that circled over the town before two blasts brought down the "
    "roof. The wounded were taken to field hospitals near the border, where doctors said that blood was running out."
)


@pytest.mark.parametrize("case", cases("dedup_outlets"), ids=lambda case: case["name"])
def test_independent_outlets(case: dict[str, Any]) -> None:
    base = {"published": "2016-10-03T10:00", "places": ["Sarmin"]}
    mentions = [mention({"id": f"m{at}", **base, **row}) for at, row in enumerate(case["mention"])]
    assert independent_outlets(mentions, 0.45) == case["independent"]
    assert independent_outlets(mentions[::-1], 0.45) == case["independent"]


def test_a_lightly_edited_copy_is_alike_and_another_text_is_not() -> None:
    edited = _WIRE.replace("shortly before noon on Monday", "on Monday morning").replace("at least eleven", "11")
    other = (
        "Rescuers in Sarmin dug through rubble for survivors after jets hit a crowded market, leaving eleven dead, in "
        "what residents described as the heaviest raid on the town since the summer, with many buried under rubble."
    )
    assert similarity(signature_of(_WIRE), signature_of(_WIRE.upper())) == 1.0
    assert similarity(signature_of(_WIRE), signature_of(edited)) > 0.45
    assert similarity(signature_of(_WIRE), signature_of(other)) < 0.2


def test_short_texts_have_no_signature() -> None:
    assert signature_of("Strike on Sarmin kills eleven") == ()
    assert signature_of("") == ()
    assert len(signature_of(_WIRE)) == PERMUTATIONS
    assert similarity((), ()) == 0.0
