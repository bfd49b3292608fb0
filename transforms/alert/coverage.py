"""Where a ceasefire applies: administrative units by P-code, single places by their code, and named areas.

P-codes nest by prefix (SY07 holds SY0702, which holds SY070201), so containment is a comparison of text. Areas that
are no unit, such as a besieged quarter, go by name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from transforms.model import Place

P_CODE = re.compile(r"(SY|LY)(\d{2}){0,3}")
PLACE_CODE = re.compile(r"(C|gn)\d{3,9}")
_TOWN = re.compile(r"C\d{4}|gn\d+")
_NOT_WORD = re.compile(r"[^\w]+")
_ARTICLE = re.compile(r"\b(al|el|an|ar|as|ash|at|ad|az|the) ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The ground on which a ceasefire holds.

    Attributes:
        codes: P-codes of units that are covered whole; a bare country code is the whole country.
        places: Ids of single towns or quarters in the gazetteer.
        areas: Names of areas, as people write them.
        within: P-codes in which `places` and `areas` lie; only to tell whether a wider place may be meant.
    """

    codes: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    within: tuple[str, ...] = ()

    @property
    def nationwide(self) -> bool:
        """Whether the whole country is covered."""
        return any(len(code) == 2 for code in self.codes)

    @property
    def quarters(self) -> bool:
        """Whether it holds in quarters of a city only, so that the city's name may stand for them."""
        return not self.codes and not any(_TOWN.fullmatch(place) for place in self.places)

    @property
    def regions(self) -> frozenset[str]:
        """First-level units that it touches, "*" for the whole country, "" for areas that lie nobody knows where.

        Two coverages can only meet where they share a region or one of them is nationwide.
        """
        if self.nationwide:
            return frozenset("*")
        return frozenset(code[:4] for code in (*self.codes, *self.within)) or frozenset([""])

    @property
    def fineness(self) -> tuple[int, int]:
        """Sorts wide before narrow: depth of the widest unit, then how few units there are."""
        depth = min((len(code) for code in self.codes), default=10)
        return depth, -len(self.codes) - len(self.areas) - len(self.places)

    def holds(self, place: Place) -> bool:
        """Return whether all of `place` is surely covered."""
        if self.nationwide:
            return True
        if place.gazetteer_id and place.gazetteer_id in self.places:
            return True
        own = units_of(place)
        if own and all(_inside(code, self.codes) for code in own):
            return True
        return bool(self.areas) and not names_of(place).isdisjoint(fold_name(area) for area in self.areas)

    def touches(self, place: Place) -> bool:
        """Return whether `place` and the covered ground may share any of it."""
        if self.holds(place) or place.kind == "country":
            return True
        around = () if place.kind == "neighbourhood" or (place.kind == "town" and not self.quarters) else self.within
        ground = (*self.codes, *around)
        return any(code.startswith(mine) or mine.startswith(code) for code in units_of(place) for mine in ground)

    def meets(self, other: Coverage) -> bool:
        """Return whether two coverages may share ground."""
        if self.nationwide or other.nationwide:
            return True
        if set(self.places) & set(other.places):
            return True
        if {fold_name(area) for area in self.areas} & {fold_name(area) for area in other.areas}:
            return True
        mine, theirs = (*self.codes, *self.within), (*other.codes, *other.within)
        return any(a.startswith(b) or b.startswith(a) for a in mine for b in theirs)


def units_of(place: Place) -> tuple[str, ...]:
    """Return the P-codes of the smallest units that `place` is known to lie in, or that it spans."""
    if place.covers:
        return place.covers
    for code in (place.adm3, place.adm2, place.adm1):
        if code:
            return (code,)
    return ()


def coverage_of(places: Iterable[Place], country: str) -> Coverage:
    """Return the coverage of a ceasefire told for `places`; the whole country where none is named.

    A town stands for its sub-district (in Libya, where there are none, for its district), because truces "in" a town
    take in its outskirts; a quarter stands for itself.
    """
    codes: set[str] = set()
    ids: set[str] = set()
    areas: set[str] = set()
    within: set[str] = set()
    named = False
    for place in places:
        if place.kind == "country":
            codes.add(country)
            continue
        named = True
        units = units_of(place)
        if units and place.kind != "neighbourhood":
            codes.update(units)
        else:
            areas.update(name for name in (place.label, place.name) if name)
            within.update(units)
            if place.gazetteer_id:
                ids.add(place.gazetteer_id)
    if not named:
        codes.add(country)
    elif codes - {country} or areas:
        codes.discard(country)  # "in the Syrian town of Zabadani" is not the whole country
    return Coverage(
        codes=tuple(sorted(codes)),
        places=tuple(sorted(ids)),
        areas=tuple(sorted(areas)),
        within=tuple(sorted(within)),
    )


def names_of(place: Place) -> frozenset[str]:
    """Return the names of `place`, folded for comparison."""
    return frozenset(fold_name(name) for name in (place.name, place.label) if name)


@lru_cache(maxsize=4096)
def fold_name(name: str) -> str:
    """Return `name` without accents, case, hyphens, apostrophes and articles."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    bare = re.sub("['’ʿʾ`‘]", "", bare.casefold())
    return _ARTICLE.sub("", _NOT_WORD.sub(" ", bare).strip() + " ").strip()


def _inside(code: str, units: Iterable[str]) -> bool:
    return any(code.startswith(unit) for unit in units)
