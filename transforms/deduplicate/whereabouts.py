"""How the places of two mentions lie to each other, for resolved places and for bare names."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache, lru_cache
from typing import Any

from transforms.deduplicate.knowledge_files import read_toml, word_list
from transforms.deduplicate.words import name_key, stem, words_of
from transforms.failures import KnowledgeError
from transforms.model import Place

_FILE = "places.toml"
_NEAR_KM = 8.0
ANYWHERE = ""  # the region of what may lie in any
_REGION_CODE = 4  # letters of a P-code that name a governorate of Syria or one of the three regions of Libya
_KM_PER_DEGREE = 111.2
_ADMIN_KINDS = ("adm1", "adm2", "adm3")


class Relation(IntEnum):
    """How two sets of places lie to each other; a higher one is the closer."""

    APART = 0
    UNKNOWN = 1
    WITHIN = 2
    NEAR = 3
    SAME = 4


_UNKNOWN = Relation.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceWords:
    """What is known of loose place names: words that do not matter, compass points, cities and their lands."""

    loose: frozenset[str]
    compass: Mapping[str, str]
    seats: Mapping[tuple[str, str], tuple[str, ...]]
    seat_names: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """A place made ready for comparison; equal places share one object.

    Attributes:
        key: Gazetteer id, P-code, or the folded name where unresolved.
        name: The folded name as told, without loose words; names of one sound are equal.
        chain: P-codes of the units it lies in, itself included.
        covers: P-codes that its name covers, strictly or loosely.
        compass: Side of the place that is meant ("east"), or "".
        lat, lon: Degrees; None where unknown or too large to matter.
        resolved: Whether it is known where it lies.
        keys: What it has in common with every spot that is `Relation.SAME`.
        regions: Governorates (large regions in Libya) in which all lies that is not `Relation.APART`, or `ANYWHERE`.
    """

    key: str
    name: str
    chain: frozenset[str]
    covers: frozenset[str]
    compass: str
    lat: float | None
    lon: float | None
    resolved: bool
    keys: tuple[str, ...]
    regions: frozenset[str]


def place_words_from(tables: Mapping[str, Any], name: str) -> PlaceWords:
    """Return the place words that `tables` describe; `name` is the file that errors speak of."""
    loose = frozenset(w for one in word_list(tables.get("loose"), f"{name}: loose") for w in words_of(one))
    compass_table = tables.get("compass")
    if not isinstance(compass_table, dict):
        raise KnowledgeError(f"{name}: no table [compass]")
    compass = {
        "".join(words_of(one)): side
        for side, words in compass_table.items()
        for one in word_list(words, f"{name}: compass.{side}")
    }
    seats: dict[tuple[str, str], tuple[str, ...]] = {}
    told: list[str] = []
    for at, seat in enumerate(tables.get("seat", []), start=1):
        where = f"{name}: seat, entry {at}"
        if set(seat) != {"names", "country", "covers"}:
            raise KnowledgeError(f"{where}: expected names, country and covers, found {', '.join(sorted(seat))}")
        covers = word_list(seat["covers"], f"{where}: covers")
        for one in word_list(seat["names"], f"{where}: names"):
            seats[(seat["country"], name_key(one))] = covers
            told.append(one)
    return PlaceWords(loose=loose, compass=compass, seats=seats, seat_names=tuple(told))


@cache
def default_place_words() -> PlaceWords:
    """Return the project's own place words."""
    return place_words_from(read_toml(_FILE), _FILE)


@cache
def seat_stems() -> frozenset[str]:
    """Return the stems of the names of large cities, which stand in reports of all that happens around them."""
    names = default_place_words().seat_names
    return frozenset(stem(word) for name in names for word in words_of(name))


def _bare_name(name: str) -> tuple[str, str]:
    """Return the key of `name` without loose words, and the compass point it names."""
    known = default_place_words()
    compass, kept = "", []
    for word in name.replace("-", " ").split():
        plain = "".join(words_of(word))
        if plain in known.compass:
            compass = known.compass[plain]
        elif plain and plain not in known.loose:
            kept.append(word)
    return name_key(" ".join(kept)), compass


@cache
def _one_region() -> Mapping[str, str]:
    """Return the governorates that are one region with another, as the capital and its countryside are."""
    found: dict[str, str] = {}
    for covers in default_place_words().seats.values():
        codes = sorted({code[:_REGION_CODE] for code in covers})
        found.update((code, codes[0]) for code in codes[1:])
    return found


@lru_cache(maxsize=65536)
def spot_of(place: Place, country: str) -> Spot:
    """Return `place` made ready for comparison."""
    country = place.country or country
    bare, compass = _bare_name(place.name)
    chain = frozenset(code for code in (place.adm1, place.adm2, place.adm3) if code)
    resolved = bool(place.gazetteer_id) and bool(chain or place.covers)
    covers = {code for code in place.covers if code}
    if resolved and place.kind in _ADMIN_KINDS:
        covers |= {code for code in (getattr(place, place.kind),) if code}
    label = name_key(place.label) if resolved else bare
    if place.kind not in ("neighbourhood", "area"):
        covers |= set(default_place_words().seats.get((country, label), ()))
    if resolved:
        key = place.gazetteer_id
        if place.kind in _ADMIN_KINDS:
            key = getattr(place, place.kind) or key
    else:
        key = f"name:{bare}" if bare else ""
    exact = resolved and place.precision <= 2 and place.kind not in _ADMIN_KINDS
    regions = {code[:_REGION_CODE] for code in chain | covers}
    return Spot(
        key=key,
        name=bare,
        chain=chain,
        covers=frozenset(covers),
        compass=compass,
        lat=place.lat if exact else None,
        lon=place.lon if exact else None,
        resolved=resolved,
        keys=tuple(
            sorted({f"@{one}" for one in (key, f"name:{bare}" if bare else key, "+".join(sorted(covers))) if one})
        ),
        regions=frozenset(_one_region().get(one, one) for one in regions) or frozenset((ANYWHERE,)),
    )


@lru_cache(maxsize=1)
def _opposite() -> frozenset[tuple[str, str]]:
    points = ("north", "south"), ("east", "west"), ("north_east", "south_west"), ("north_west", "south_east")
    corners = [(a, b) for a, b in points]
    corners += [("east", "north_west"), ("east", "south_west"), ("west", "north_east"), ("west", "south_east")]
    corners += [("north", "south_east"), ("north", "south_west"), ("south", "north_east"), ("south", "north_west")]
    return frozenset(corners) | frozenset((b, a) for a, b in corners)


def _kilometres(a: Spot, b: Spot) -> float:
    if a.lat is None or a.lon is None or b.lat is None or b.lon is None:
        return math.inf
    north = (a.lat - b.lat) * _KM_PER_DEGREE
    east = (a.lon - b.lon) * _KM_PER_DEGREE * math.cos(math.radians((a.lat + b.lat) / 2))
    return math.hypot(north, east)


@lru_cache(maxsize=262144)
def relation(a: Spot, b: Spot) -> Relation:
    """Return how two places lie to each other."""
    if (a.compass, b.compass) in _opposite() and a.name == b.name:
        return Relation.APART
    if (a.key and a.key == b.key) or (a.name and a.name == b.name):
        return Relation.SAME
    if not a.covers.isdisjoint(b.covers):
        # A city and its province, both named loosely: one may be meant for the other.
        return Relation.SAME if a.covers == b.covers else Relation.WITHIN
    if not a.covers.isdisjoint(b.chain) or not b.covers.isdisjoint(a.chain):
        return Relation.WITHIN
    if not (a.resolved or a.covers) or not (b.resolved or b.covers):
        return Relation.UNKNOWN
    if _kilometres(a, b) <= _NEAR_KM:
        return Relation.NEAR
    return Relation.APART


def closest(these: tuple[Spot, ...], those: tuple[Spot, ...]) -> Relation:
    """Return the closest relation between two sets of places; UNKNOWN where either is empty."""
    if not these or not those:
        return _UNKNOWN
    if len(these) == 1 and len(those) == 1:
        return relation(these[0], those[0])
    return max(relation(a, b) for a in these for b in those)
