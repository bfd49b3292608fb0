"""From mentions to the event that they tell together: which of several outlets' words for a slot is kept.

| slot | what is kept |
|---|---|
| family | violation where any outlet sets the act against a ceasefire; else that of the mentions |
| means, stage | the one that most outlets tell, `unspecified` only where nobody tells more; ties go to the earlier |
| places | the most specific ones; a region is left out where a place in it is told |
| date | the day that most outlets tell among the most precise dates; ties go to the shorter span, then the earlier |
| actors, targets | each once, those told by most outlets first |
| killed, injured | lowest and highest of the latest figure of each outlet, with the source of each |
| certainty | see `certainty_of` |
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from operator import itemgetter
from typing import Literal, TypeVar

from transforms.deduplicate.whereabouts import Relation, relation, spot_of
from transforms.deduplicate.words import name_key
from transforms.model import (
    DatePrecision,
    DateSpan,
    Family,
    Means,
    Mention,
    Party,
    Place,
    Realis,
    Stage,
    Toll,
    TollFigure,
)

_T = TypeVar("_T", bound=Hashable)
_MOST_PARTIES = 6
_NO_TOLL = Toll()
_number = itemgetter(1)
_SHARPNESS = {DatePrecision.DAY: 0, DatePrecision.WEEK: 1, DatePrecision.MONTH: 2}


def _by_outlets(told: Sequence[tuple[_T, str]]) -> list[tuple[_T, int]]:
    """Return each value with the number of outlets that tell it, in the order in which the values were first told."""
    if len(told) == 1:
        return [(told[0][0], 1)]
    outlets: dict[_T, set[str]] = {}
    for value, outlet in told:
        if value in outlets:
            outlets[value].add(outlet)
        else:
            outlets[value] = {outlet}
    return [(value, len(names)) for value, names in outlets.items()]


def _most_told(told: Sequence[tuple[_T, str]]) -> _T | None:
    """Return the value that most outlets tell, the earliest of several; None where there is none."""
    if len(told) < 2:
        return told[0][0] if told else None
    return max(_by_outlets(told), key=_number)[0]


def family_of(mentions: Sequence[Mention]) -> Family:
    """Return the family: an act that one outlet sets against a ceasefire is a violation for all."""
    for one in mentions:
        if one.family is Family.VIOLATION:
            return Family.VIOLATION
    return mentions[0].family


def means_of(mentions: Sequence[Mention]) -> Means | None:
    """Return the means that most outlets tell."""
    told = [(m.means, m.outlet) for m in mentions if m.means]
    return _most_told([one for one in told if one[0] is not Means.UNSPECIFIED]) or _most_told(told)


def stage_of(mentions: Sequence[Mention]) -> Stage | None:
    """Return the step of the ceasefire; a ceasefire announced and then begun is in effect."""
    told = [(m.stage, m.outlet) for m in mentions if m.stage]
    if len(told) > 1 and {stage for stage, _ in told} == {Stage.AGREED, Stage.IN_EFFECT}:
        return Stage.IN_EFFECT
    return _most_told(told)


def places_of(mentions: Sequence[Mention]) -> tuple[Place, ...]:
    """Return the most specific places that are told, those told by most outlets first."""
    first: dict[str, tuple[Place, str]] = {}
    told: list[tuple[str, str]] = []
    for m in mentions:
        for place in m.places:
            key = spot_of(place, m.country).key
            if key:
                first.setdefault(key, (place, m.country))
                told.append((key, m.outlet))
    if len(first) < 2:
        return tuple(place for place, _ in first.values())
    counted = sorted(_by_outlets(told), key=_number, reverse=True)
    spots = {key: spot_of(*first[key]) for key, _ in counted}
    kept = []
    for key, _ in counted:
        spot = spots[key]
        specific = any(
            other is not spot
            and spot.covers
            and len(other.covers) < max(len(spot.covers), 1)
            and relation(spot, other) is Relation.WITHIN
            for other in spots.values()
        )
        vague = not spot.resolved and any(other.resolved for other in spots.values())
        if not specific and not vague:
            kept.append(first[key][0])
    return tuple(kept)


def date_of(mentions: Sequence[Mention]) -> DateSpan | None:
    """Return the most precise date, the one that most outlets tell."""
    told = [(m.date, m.outlet) for m in mentions if m.date]
    counted = _by_outlets(told) if told else []
    if len(counted) < 2:
        return counted[0][0] if counted else None
    return min(
        counted,
        key=lambda one: (
            _SHARPNESS[one[0].precision],
            -one[1],
            (one[0].end - one[0].start).days,
            one[0].start,
        ),
    )[0]


def parties_of(mentions: Iterable[tuple[tuple[Party, ...], str]]) -> tuple[Party, ...]:
    """Return the parties that outlets name, each once, those told by most outlets first."""
    first: dict[str, Party] = {}
    told: list[tuple[str, str]] = []
    for parties, outlet in mentions:
        for party in parties:
            key = party.party_id or name_key(party.name) or party.name
            if key not in first or (party.party_id and not first[key].party_id):
                first[key] = party
            told.append((key, outlet))
    if len(first) < 2:
        return tuple(first.values())
    counted = sorted(_by_outlets(told), key=_number, reverse=True)
    return tuple(first[key] for key, _ in counted[:_MOST_PARTIES])


def toll_of(mentions: Sequence[Mention], slot: Literal["killed", "injured"]) -> Toll:
    """Return the range of each outlet's latest figure in `slot`, with the sources."""
    latest: dict[str, TollFigure] = {}
    for m in mentions:
        value = m.killed if slot == "killed" else m.injured
        if value is not None:
            latest[m.outlet] = TollFigure(value=value, outlet=m.outlet, item_id=m.item_id)
    if not latest:
        return _NO_TOLL
    figures = tuple(sorted(latest.values(), key=lambda one: (one.value, one.outlet)))
    return Toll(low=figures[0].value, high=figures[-1].value, figures=figures)


def certainty_of(mentions: Sequence[Mention]) -> Realis:
    """Return how certain the event is, from what is told of it as real and what is denied.

    | told as | denied by nobody | denied |
    |---|---|---|
    | asserted by one outlet or more | asserted | armed act: asserted; step of a ceasefire: alleged |
    | alleged only | alleged | armed act: alleged; step of a ceasefire: denied |
    | not told as real | - | denied |

    The accused deny most armed acts, so a denial alone does not unmake one; a step of a ceasefire that one of the
    parties denies is not agreed.
    """
    told_as = {m.realis for m in mentions}
    asserted = Realis.ASSERTED in told_as
    if not (asserted or Realis.ALLEGED in told_as):
        return Realis.DENIED
    if Realis.DENIED in told_as:
        first = next(m for m in mentions if m.realis in (Realis.ASSERTED, Realis.ALLEGED))
        if first.family is Family.CEASEFIRE:
            return Realis.ALLEGED if asserted else Realis.DENIED
    return Realis.ASSERTED if asserted else Realis.ALLEGED
