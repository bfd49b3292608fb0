"""The known ceasefires of both wars, read from `ceasefires.toml` and checked entry by entry.

One entry is one ceasefire; the head of the data file says what each key means. A slip there stops the program with the
file, the entry and the reason, because a wrong ledger would turn fighting into breaches that never were.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Any

from transforms.alert.coverage import P_CODE, PLACE_CODE, Coverage
from transforms.failures import KnowledgeError

FILE = "alert/ceasefires.toml"
KINDS = ("cessation_of_hostilities", "preliminary", "definitive")
PURPOSES = ("peace_process", "humanitarian", "holiday", "evacuation", "local_settlement", "separation", "unspecified")
COUNTRIES = ("SY", "LY")
_KEYS = {
    "id", "name", "country", "sides", "excluded", "codes", "places", "areas", "within", "from", "began", "until",
    "precision", "ended", "kind", "purpose", "source", "internal", "inferred", "monitors",
}  # fmt: skip
_ID = re.compile(r"[a-z]{2}-\d{4}-[a-z0-9-]+")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_EARLY = "06:00"
_SHORTEST_MEMORY = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The public document or report that an entry rests on."""

    title: str
    publisher: str
    day: date
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceasefire:
    """One ceasefire, truce, cessation of hostilities or de-escalation deal.

    Attributes:
        id: Stable, readable: country, year and name; `detected-<event id>` for those found in the news.
        name: For people.
        country: "SY" or "LY".
        sides: Party ids, grouped by side; acts inside one side break nothing.
        excluded: Party ids that the text leaves out; fighting them, or by them, is no breach.
        monitors: Ids of the bodies that watch over it and over no other: news of them is news of it.
        inferred: Whether acts may be inferred to break it; otherwise only a report's own word links an act to it.
        internal: Whether acts inside one side break it too: a truce among groups that go by one name.
        coverage: Where it holds.
        start: First day in force.
        until: Last day in force; None while it still is, at least nominally.
        began: Local time at which it took effect, "HH:MM", "" if not known.
        expires: For detected ones: the day after which silence counts as its end.
        ended: How it ended, "" while in force.
        kind: Class of the ETH/PRIO data: cessation of hostilities, preliminary (with a way to see that it is kept)
            or definitive (with disarmament or separation of forces).
        purpose: What it was for.
        precision: "day", or "month" where only the month of beginning or end is sure.
        source: Where it is attested; None for detected ones.
        origin: "known" or "detected".
        event_id: For detected ones, the event that told of it.
        steps: For detected ones, all events that tell of its life.
    """

    id: str
    name: str
    country: str
    sides: tuple[tuple[str, ...], ...] = ()
    excluded: tuple[str, ...] = ()
    monitors: tuple[str, ...] = ()
    inferred: bool = True
    internal: bool = False
    coverage: Coverage
    start: date
    until: date | None = None
    began: str = ""
    expires: date | None = None
    ended: str = ""
    kind: str = "cessation_of_hostilities"
    purpose: str = "unspecified"
    precision: str = "day"
    source: Source | None = None
    origin: str = "known"
    event_id: str = ""
    steps: tuple[str, ...] = ()

    @property
    def parties(self) -> frozenset[str]:
        """Ids of all parties, of whatever side."""
        return frozenset(party for side in self.sides for party in side)

    @property
    def binding(self) -> bool:
        """Whether acts may be inferred to break it: one read of in the news must have two parties at least."""
        return self.inferred and (self.origin == "known" or len(self.parties) > 1)

    @property
    def last_day(self) -> date:
        """The last day on which it may be in force, as far as is known."""
        return self.until or self.expires or date.max

    def lately_in_force(self, day: date, recent: timedelta) -> bool:
        """Return whether `day` lies in its time, or after it by no more than `recent` and than it lasted itself."""
        lasted = max(self.last_day - self.start, _SHORTEST_MEMORY) if self.last_day < date.max else recent
        return self.start <= day and (self.last_day == date.max or day - self.last_day <= min(recent, lasted))

    def in_force(self, day: date) -> bool:
        """Return whether it was in force at any time of `day`."""
        return self.start <= day <= self.last_day

    def surely_in_force(self, first: date, last: date) -> bool:
        """Return whether it was in force through all days from `first` to `last`.

        Its first day counts only where it began by six in the morning: before that, an act of the same day may well
        have come before it.
        """
        begins_early = bool(self.began) and self.began <= _EARLY
        return (self.start < first or (begins_early and self.start == first)) and last <= self.last_day


@cache
def load_ceasefires() -> tuple[Ceasefire, ...]:
    """Return the ceasefires shipped with the package, in the order in which they began.

    Raises:
        KnowledgeError: An entry cannot be used.
    """
    text = (resources.files("transforms.alert") / "ceasefires.toml").read_text(encoding="utf-8")
    return parse_ceasefires(text)


def parse_ceasefires(text: str, file: str = FILE) -> tuple[Ceasefire, ...]:
    """Return the ceasefires written in `text`, in the order in which they began.

    Raises:
        KnowledgeError: Names `file`, the entry and the reason.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(f"{file}: not valid TOML: {error}") from error
    if unknown := set(tables) - {"ceasefire"}:
        raise KnowledgeError(f"{file}: unknown key {sorted(unknown)[0]!r}; entries are [[ceasefire]] tables")
    found: dict[str, Ceasefire] = {}
    for number, table in enumerate(tables.get("ceasefire", []), start=1):
        where = f"{file}: entry {number} ({table.get('id', 'without id')})"
        entry = _ceasefire(table, where)
        if entry.id in found:
            raise KnowledgeError(f"{where}: this id is taken by an earlier entry; ids must differ")
        found[entry.id] = entry
    return tuple(sorted(found.values(), key=lambda entry: (entry.start, entry.id)))


def _ceasefire(table: Mapping[str, Any], where: str) -> Ceasefire:
    if unknown := set(table) - _KEYS:
        raise KnowledgeError(f"{where}: unknown key {sorted(unknown)[0]!r}; known are {', '.join(sorted(_KEYS))}")
    start, until = _day(table, "from", where, optional=True), _day(table, "until", where, optional=True)
    if start is None:
        raise KnowledgeError(f"{where}: `from` is missing; give the first day in force")
    if until and until < start:
        raise KnowledgeError(f"{where}: until {until} lies before from {start}")
    ended = _text(table, "ended", where, optional=True)
    if bool(until) != bool(ended):
        raise KnowledgeError(f"{where}: `until` and `ended` go together; give both, or neither while it is in force")
    country = _one_of(table, "country", COUNTRIES, where)
    coverage = Coverage(
        codes=_texts(table, "codes", where, P_CODE, "P-code"),
        places=_texts(table, "places", where, PLACE_CODE, "place code"),
        areas=_texts(table, "areas", where),
        within=_texts(table, "within", where, P_CODE, "P-code"),
    )
    _check_ground(coverage, country, where)
    identity, began = _text(table, "id", where), _text(table, "began", where, optional=True)
    if not _ID.fullmatch(identity) or not identity.startswith(country.lower()):
        raise KnowledgeError(f"{where}: id {identity!r} is not of the form {country.lower()}-2016-name")
    if began and not _CLOCK.fullmatch(began):
        raise KnowledgeError(f"{where}: began {began!r} is no time of day such as 06:00")
    internal, inferred = _flag(table, "internal", where, default=False), _flag(table, "inferred", where, default=True)
    sides, excluded = _sides(table, where), _texts(table, "excluded", where)
    if twice := {party for side in sides for party in side} & set(excluded):
        raise KnowledgeError(f"{where}: {sorted(twice)[0]!r} is both a party and excluded")
    return Ceasefire(
        id=identity,
        name=_text(table, "name", where),
        country=country,
        sides=sides,
        excluded=excluded,
        monitors=_texts(table, "monitors", where),
        internal=internal,
        inferred=inferred,
        coverage=coverage,
        start=start,
        until=until,
        began=began,
        ended=ended,
        kind=_one_of(table, "kind", KINDS, where),
        purpose=_one_of(table, "purpose", PURPOSES, where),
        precision=_one_of(table, "precision", ("day", "month"), where, default="day"),
        source=_source(table, where),
    )


def _check_ground(coverage: Coverage, country: str, where: str) -> None:
    if not (coverage.codes or coverage.places or coverage.areas):
        raise KnowledgeError(f"{where}: no coverage; give codes, places or areas")
    for code in (*coverage.codes, *coverage.within):
        if not code.startswith(country):
            raise KnowledgeError(f"{where}: P-code {code} lies outside {country}")
    if (coverage.places or coverage.areas) and not coverage.within:
        raise KnowledgeError(f"{where}: places and areas need `within`, the P-codes in which they lie")


def _sides(table: Mapping[str, Any], where: str) -> tuple[tuple[str, ...], ...]:
    raw = table.get("sides")
    if not isinstance(raw, list) or len(raw) < (1 if table.get("internal") else 2):
        raise KnowledgeError(f"{where}: `sides` must be a list of two or more lists of party ids")
    sides = tuple(_texts({"sides": side}, "sides", where) for side in raw)
    if not all(sides):
        raise KnowledgeError(f"{where}: a side without a party")
    flat = [party for side in sides for party in side]
    if len(flat) != len(set(flat)):
        raise KnowledgeError(f"{where}: a party stands on two sides")
    return sides


def _source(table: Mapping[str, Any], where: str) -> Source:
    raw = table.get("source")
    if not isinstance(raw, dict):
        raise KnowledgeError(f"{where}: `source` is missing; give title, publisher and date")
    where = f"{where}, source"
    if unknown := set(raw) - {"title", "publisher", "date", "url"}:
        raise KnowledgeError(f"{where}: unknown key {sorted(unknown)[0]!r}")
    day = _day(raw, "date", where)
    if day is None:
        raise KnowledgeError(f"{where}: `date` is missing")
    url = _text(raw, "url", where, optional=True)
    if url and not url.startswith("https://"):
        raise KnowledgeError(f"{where}: url {url!r} does not begin with https://")
    return Source(title=_text(raw, "title", where), publisher=_text(raw, "publisher", where), day=day, url=url)


def _text(table: Mapping[str, Any], key: str, where: str, *, optional: bool = False) -> str:
    value = table.get(key, "")
    if not isinstance(value, str) or (not value.strip() and not optional):
        raise KnowledgeError(f"{where}: `{key}` must be a text, found {value!r}")
    return value.strip()


def _texts(
    table: Mapping[str, Any], key: str, where: str, form: re.Pattern[str] | None = None, what: str = ""
) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
        raise KnowledgeError(f"{where}: `{key}` must be a list of texts, found {value!r}")
    for one in value:
        if form and not form.fullmatch(one):
            raise KnowledgeError(f"{where}: `{key}`: {one!r} is no {what}")
    return tuple(value)


def _flag(table: Mapping[str, Any], key: str, where: str, *, default: bool) -> bool:
    value = table.get(key, default)
    if not isinstance(value, bool):
        raise KnowledgeError(f"{where}: `{key}` must be true or false, found {value!r}")
    return value


def _one_of(table: Mapping[str, Any], key: str, known: tuple[str, ...], where: str, default: str = "") -> str:
    value = table.get(key, default)
    if value not in known:
        raise KnowledgeError(f"{where}: {key} {value!r} is not one of {', '.join(known)}")
    return str(value)


def _day(table: Mapping[str, Any], key: str, where: str, *, optional: bool = False) -> date | None:
    value = table.get(key)
    if value is None and optional:
        return None
    if type(value) is not date:
        raise KnowledgeError(f"{where}: `{key}` must be a day such as 2016-02-27, found {value!r}")
    return value
