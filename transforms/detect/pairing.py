"""What is weighed of two candidates of one article: whether they tell the same event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transforms.detect.slots import Slots
from transforms.detect.view import Features
from transforms.model import Means

if TYPE_CHECKING:
    from transforms.detect.deciding import Judged

_SURE = 0.7


def pair_features(left: Judged, right: Judged) -> Features:
    """Return what is weighed of two candidates of one family and country, in the order of the text."""
    out: Features = {}
    family = left.candidate.family
    a, b = left.slots, right.slots

    def put(name: str) -> None:
        out[f"t.{name}"] = 1.0
        out[f"t.{family}.{name}"] = 1.0

    sentences = right.candidate.sentence.index - left.candidate.sentence.index
    put(f"apart={min(sentences, 3)}")
    if family == "ceasefire":
        put(f"stage={'same' if left.stage == right.stage else 'other'}")
        put(f"stages={left.stage}+{right.stage}")
    else:
        put(f"means={_means_alike(left, right)}")
        put(f"means={'+'.join(sorted((str(left.means), str(right.means))))}")
        put(f"family={'same' if left.family == right.family else 'other'}")
        put(f"weak={left.candidate.trigger.weak}+{right.candidate.trigger.weak}")
    put(f"trigger={'same' if left.candidate.trigger.id == right.candidate.trigger.id else 'other'}")
    put(f"form={'same' if left.candidate.form == right.candidate.form else 'other'}")
    put(f"places={_compared({_key(p.name) for p in a.places}, {_key(p.name) for p in b.places})}")
    put(f"dates={'same' if a.date == b.date else 'one' if a.dated != b.dated else 'other'}.{a.dated}.{b.dated}")
    put(f"killed={_numbers(a.killed, b.killed)}")
    put(f"actors={_compared(_actor_keys(a), _actor_keys(b))}")
    gap = right.candidate.first - left.candidate.last
    put(f"gap={'0' if gap <= 2 else '1' if gap <= 6 else '2' if gap <= 15 else '3'}.{min(sentences, 1)}")
    put(f"certainty={'same' if left.realis == right.realis else 'other'}")
    definite = bool({"w-1=the", "w-1=this", "w-1=these", "w-1=that"} & right.features.keys())
    hints = [j.candidate.trigger.means or j.candidate.trigger.stage for j in (left, right)]
    vague = [hint in {"", "unspecified"} for hint in hints]
    clash = contradictions(left, right)
    put(f"definite={definite}")
    put(f"hints={'same' if hints[0] == hints[1] else 'vague' if any(vague) else 'other'}.{min(sentences, 1)}")
    put(f"vague={vague[0]}+{vague[1]}.{min(sentences, 2)}")
    put(f"clash={min(clash, 2)}")
    put(f"clash={min(clash, 1)}.vague={any(vague)}.definite={definite}")
    put(f"clash={min(clash, 1)}.means={left.means == right.means}.{min(sentences, 2)}")
    put(f"sure={right.event >= _SURE}")
    return out


def _means_alike(left: Judged, right: Judged) -> str:
    if left.means == right.means:
        return "same"
    return "vague" if Means.UNSPECIFIED in (left.means, right.means) else "other"


def contradictions(left: Judged, right: Judged) -> int:
    """Return how many of place, day, dead and perpetrator are told of both and differ."""
    a, b = left.slots, right.slots
    ours, theirs = {_key(p.name) for p in a.places}, {_key(p.name) for p in b.places}
    return (
        (bool(ours and theirs) and not ours & theirs)
        + (a.dated and b.dated and a.date != b.date)
        + (a.killed is not None and b.killed is not None and a.killed != b.killed)
        + (bool(a.actors and b.actors) and not _actor_keys(a) & _actor_keys(b))
    )


def _key(name: str) -> str:
    return name.casefold()


def _actor_keys(slots: Slots) -> set[str]:
    return {party.party_id or party.name.casefold() for party in slots.actors}


def _compared(left: set[str], right: set[str]) -> str:
    if not left or not right:
        return "none" if not left and not right else "one"
    return "same" if left & right else "other"


def _numbers(left: int | None, right: int | None) -> str:
    if left is None or right is None:
        return "none" if left is None and right is None else "one"
    return "same" if left == right else "other"
