"""What the words around a trigger settle in English, whatever the judgement weighs: denied, taken back, not there."""

from __future__ import annotations

from dataclasses import dataclass, replace

from transforms.detect.denial import Denial, denial_of, is_correction, negated
from transforms.detect.slots import Slots, named_at
from transforms.detect.view import View
from transforms.model import Realis

_TALKS = frozenset({"talk", "agree"})


@dataclass(frozen=True, slots=True)
class Ruling:
    """Why a candidate is no event, and its slots as the denial tells them."""

    realis: Realis
    slots: Slots


def ruling_of(view: View, slots: Slots) -> Ruling | None:
    """Return as what a candidate is told where its words settle that it is told as no news."""
    reading, candidate = view.reading, view.candidate
    denial = denial_of(reading, candidate)
    if denial:
        if candidate.family == "ceasefire" and _about_an_act(view, denial):
            return Ruling(Realis.BACKGROUND, slots)  # the truce that a denied act would have broken
        if candidate.family == "ceasefire" and denial.claimed_by:
            return None  # one side's word against the other's
        return Ruling(Realis.DENIED, _as_denied(view, slots, denial))
    if not negated(reading, candidate):
        return None
    if candidate.family == "armed" and is_correction(reading):
        return Ruling(Realis.DENIED, replace(slots, source=None))
    if candidate.family == "ceasefire" and _talked_about(view):
        return None  # no truce was agreed: talks that failed
    return Ruling(Realis.NEGATED, slots)


def _about_an_act(view: View, denial: Denial) -> bool:
    """Return whether an armed act is told inside what is denied."""
    found = (*view.found.candidates, *view.found.dropped)
    if any(other.family == "armed" and other.head in denial.inside for other in found):
        return True
    return any(cue.name == "violate" and cue.first in denial.inside for cue in view.found.cues)


def _talked_about(view: View) -> bool:
    sentence = view.candidate.sentence
    return any(cue.name in _TALKS and sentence.first <= cue.first < sentence.last for cue in view.found.cues)


def _as_denied(view: View, slots: Slots, denial: Denial) -> Slots:
    """Return the slots of a denied act: its day is told inside what is denied, not by when it is denied."""
    told = slots.dated and slots.date is not None and _day_inside(view, slots, denial)
    return replace(
        slots,
        date=slots.date if told else None,
        dated=told,
        source=None if denial.denier is None else named_at(view.facts, view.candidate, denial.denier),
    )


def _day_inside(view: View, slots: Slots, denial: Denial) -> bool:
    words = view.reading.words
    return any(
        found.span == slots.date and any(found.start <= words[i].start < found.end for i in denial.inside)
        for found in view.facts.dates
    )
