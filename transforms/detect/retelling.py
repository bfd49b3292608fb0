"""Whether two tellings in one article may be of one event, by their slots: nothing that both tell contradicts."""

from __future__ import annotations

from transforms.detect.slots import Slots
from transforms.model import Place

_QUARTER = "neighbourhood"  # of a town that a headline names


def contradict(left: Slots, right: Slots) -> bool:
    """Return whether days, tolls or places tell two events apart."""
    if left.date and right.date and left.dated and right.dated:
        apart = left.date.end < right.date.start or right.date.end < left.date.start
        if apart:
            return True
    if left.killed is not None and right.killed is not None and left.killed != right.killed:
        return True
    return bool(left.places and right.places) and not any(_akin(a, b) for a in left.places for b in right.places)


def finer(first: tuple[Place, ...], then: tuple[Place, ...]) -> tuple[Place, ...]:
    """Return the places of the first telling, or of the second where that names towns for the first's region."""
    if not first or not then:
        return first or then
    same = {p.gazetteer_id for p in first} & {p.gazetteer_id for p in then}
    within = any(p.kind == _QUARTER for p in then) and not any(p.kind == _QUARTER for p in first)
    return then if not same and (within or min(p.precision for p in first) > min(p.precision for p in then)) else first


def _akin(left: Place, right: Place) -> bool:
    """Return whether two places are one, or lie in one governorate (Syria) or district (Libya).

    Headlines tell the region, the text below the town: "Idlib", then "Saraqeb".
    """
    if not left.gazetteer_id or not right.gazetteer_id:
        return left.name.casefold() == right.name.casefold()
    if left.gazetteer_id == right.gazetteer_id:
        return True
    if left.country != right.country:
        return False
    if left.country == "LY" and left.adm2 and right.adm2:
        return left.adm2 == right.adm2
    codes, others = _codes(left), _codes(right)
    return bool(codes & others) or not codes or not others


def _codes(place: Place) -> set[str]:
    return {code for code in (place.adm1, *place.covers) if code}
