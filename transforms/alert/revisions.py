"""What differs between an event and what subscribers were last told of it, and whether that is worth a revision.

Finding a difference is code, one function a kind; whether it is told is the table `revisions.toml`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

from transforms.failures import KnowledgeError
from transforms.model import Event, Family, Place, Realis, Told

FILE = "alert/revisions.toml"
DETECTED = "detected-"
RETRACTIONS = ("superseded", "withdrawn", "denied_by_source", "no_breach")
CHANGES = (
    *RETRACTIONS, "reinstated", "breach", "confirmed", "weakened", "denied", "merged", "kind", "linked", "killed",
    "injured", "outlet", "source_withdrawn", "place_firmer", "place_changed", "place_added", "date_firmer",
    "date_changed", "reworded",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the table; the head of the data file says what each key means."""

    change: str
    revision: bool
    urgent: bool
    retracts: bool = False
    least: float = 0.0
    why: str


@cache
def load_rules() -> tuple[Rule, ...]:
    """Return the rows of `revisions.toml`.

    Raises:
        KnowledgeError: A row cannot be used, or a change has none.
    """
    return parse_rules((resources.files("transforms.alert") / "revisions.toml").read_text(encoding="utf-8"))


def parse_rules(text: str, file: str = FILE) -> tuple[Rule, ...]:
    """Return the rows written in `text`; every change must have exactly one."""
    try:
        rows = tomllib.loads(text).get("rule", [])
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(f"{file}: not valid TOML: {error}") from error
    rules: list[Rule] = []
    for number, row in enumerate(rows, start=1):
        where = f"{file}: rule {number} ({row.get('change', 'without change')})"
        try:
            rule = Rule(**row)
        except TypeError as error:
            raise KnowledgeError(f"{where}: {error}") from error
        if rule.change not in CHANGES:
            raise KnowledgeError(f"{where}: no such change; known are {', '.join(CHANGES)}")
        if rule.retracts != (rule.change in RETRACTIONS):
            raise KnowledgeError(f"{where}: only {', '.join(RETRACTIONS)} retract, and all of them must")
        rules.append(rule)
    named = [rule.change for rule in rules]
    for change in CHANGES:
        if named.count(change) != 1:
            raise KnowledgeError(f"{file}: {change}: has {named.count(change)} rules; give exactly one")
    return tuple(rules)


def rule_of(change: str) -> Rule:
    """Return the row of `change`."""
    return next(rule for rule in load_rules() if rule.change == change)


def telling(changes: Collection[str], chosen: Collection[str] | None = None) -> tuple[str, ...]:
    """Return those of `changes` that make a revision, in the table's order.

    Args:
        changes: What differs.
        chosen: The changes that a policy has picked, None for the table's own choice.
    """
    return tuple(
        rule.change
        for rule in load_rules()
        if rule.change in changes and (rule.retracts or (rule.revision if chosen is None else rule.change in chosen))
    )


def differences(before: Told, after: Told, event: Event, outlet_steps: Collection[int]) -> tuple[str, ...]:
    """Return in which ways `after`, what could be told now, differs from `before`, what was told.

    Args:
        before: What was told last.
        after: What would be told now.
        event: The event; its mentions say how exact the places are that were told.
        outlet_steps: Numbers of independent outlets that count when reached.
    """
    found = [
        *_kind(before, after),
        *_certainty(before, after),
        *_toll("killed", before.killed, after.killed),
        *_toll("injured", before.injured, after.injured),
        *_outlets(before, after, outlet_steps),
        *_places(before, after, event),
        *_dates(before, after),
    ]
    if not found and _content(before) != _content(after):
        found.append("reworded")
    return tuple(found)


def place_key(place: Place) -> str:
    """Return what stands for `place` in a `Told`."""
    return place.gazetteer_id or place.name


def _content(told: Told) -> tuple[object, ...]:
    return (
        told.family, told.stage, told.means, told.certainty, told.ceasefire_id, told.basis, told.killed, told.injured,
        told.places, told.date, told.outlets, told.independent_outlets, told.denied,
    )  # fmt: skip


def _kind(before: Told, after: Told) -> Iterator[str]:
    if before.family is Family.HOSTILITY and after.family is Family.VIOLATION:
        yield "breach"
    elif before.family is not after.family or before.stage is not after.stage or before.means is not after.means:
        yield "kind"
    elif after.family is Family.VIOLATION and _other_ceasefire(before.ceasefire_id, after.ceasefire_id):
        yield "linked"


def _other_ceasefire(before: str, after: str) -> bool:
    # The id of a detected ceasefire moves when earlier news of it comes in: that is no news to a reader.
    both_detected = before.startswith(DETECTED) and after.startswith(DETECTED)
    return bool(after) and before != after and not both_detected


def _certainty(before: Told, after: Told) -> Iterator[str]:
    if before.certainty is Realis.ALLEGED and after.certainty is Realis.ASSERTED:
        yield "confirmed"
    elif before.certainty is Realis.ASSERTED and after.certainty is Realis.ALLEGED:
        yield "weakened"
    if after.denied and not before.denied:
        yield "denied"


def _toll(change: str, before: tuple[int, int] | None, after: tuple[int, int] | None) -> Iterator[str]:
    if before == after:
        return
    if before is None or after is None:
        yield change
        return
    least = rule_of(change).least
    if any(old != new and abs(new - old) >= least * old for old, new in zip(before, after, strict=True)):
        yield change


def _outlets(before: Told, after: Told, steps: Collection[int]) -> Iterator[str]:
    if any(before.independent_outlets < step <= after.independent_outlets for step in steps):
        yield "outlet"
    if set(before.outlets) - set(after.outlets):
        yield "source_withdrawn"


def _places(before: Told, after: Told, event: Event) -> Iterator[str]:
    old, new = set(before.places), set(after.places)
    added = new - old
    if not added:
        return
    places = {place_key(p): p for m in event.mentions for p in m.places} | {place_key(p): p for p in event.places}
    known = [places[key] for key in old if key in places]
    exactness = min((place.precision for place in known), default=0)
    if not old or any(_closer(places[key], known, exactness) for key in added if key in places):
        yield "place_firmer"
    elif old - new:
        yield "place_changed"
    else:
        yield "place_added"


def _closer(place: Place, known: list[Place], exactness: int) -> bool:
    return place.precision < exactness or any(_unit(place) != _unit(k) and _inside(place, k) for k in known)


def _unit(place: Place) -> str:
    return place.adm3 or place.adm2 or place.adm1


def _inside(place: Place, wider: Place) -> bool:
    return wider.kind in ("country", "adm1", "adm2", "adm3") and _unit(place).startswith(_unit(wider))


def _dates(before: Told, after: Told) -> Iterator[str]:
    if before.date == after.date or not after.date:
        return
    if not before.date:
        yield "date_firmer"
        return
    (old_start, old_end), (start, end) = before.date, after.date
    if old_start <= start and end <= old_end:
        yield "date_firmer"
    elif not (start <= old_start and old_end <= end):
        yield "date_changed"
