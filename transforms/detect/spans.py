"""What the slot finders return: spans of the text (offsets in code points) with what they mean.

The finders are `places.find_places`, `places.resolve_places`, `gazetteer.country_of`, `dates.find_dates`,
`tolls.find_tolls` and `parties.find_parties`; all take any text, never raise on it, and run in linear time.
"""

from __future__ import annotations

from dataclasses import dataclass

from transforms.model import DateSpan, Party, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceSpan:
    """A place as told, before it is known which of the places of that name is meant.

    Attributes:
        start: First code point of the name, modifiers included ("northern Aleppo countryside").
        end: One past its last code point.
        candidates: Records that the words can mean, likeliest first; empty for an unknown or foreign place. A country
            itself ("Syria") is a candidate of kind "country".
        foreign: Two-letter code where the words name a place outside Syria and Libya, else "".
        weak: Whether the words need the country's context before they may be taken for a place at all (village names
            that are spelled like other names or words).
    """

    start: int
    end: int
    candidates: tuple[Place, ...] = ()
    foreign: str = ""
    weak: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedPlace:
    """A place as told, and the record it was resolved to (unresolved places keep only their name).

    Attributes:
        start: First code point.
        end: One past the last.
        place: The place, with `name` as spelled in the text.
        container: Whether another place of the same text lies in it and stands next to it ("Hara in Daraa province"),
            so that this one only says where the other is.
    """

    start: int
    end: int
    place: Place
    container: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryHit:
    """Words that speak for a country.

    Attributes:
        start: First code point.
        end: One past the last.
        country: Two-letter code.
        weight: How strongly they speak for it.
        kind: name, demonym, place, leader or party.
    """

    start: int
    end: int
    country: str
    weight: float
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryEvidence:
    """What a text says about the country it tells of.

    Attributes:
        scores: (country, score) pairs, highest first; countries without a hit are absent.
        hits: Every word that counted, by position.
    """

    scores: tuple[tuple[str, float], ...] = ()
    hits: tuple[CountryHit, ...] = ()

    def score(self, country: str) -> float:
        """Return the score of `country`, 0.0 where nothing speaks for it."""
        return next((value for code, value in self.scores if code == country), 0.0)

    @property
    def elsewhere(self) -> float:
        """The highest score of a country other than Syria and Libya."""
        return max((value for code, value in self.scores if code not in {"SY", "LY"}), default=0.0)

    @property
    def best(self) -> str:
        """The country with the highest score, "" where nothing speaks for any."""
        return self.scores[0][0] if self.scores else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DateAt:
    """A date as told.

    Attributes:
        start: First code point.
        end: One past the last.
        span: The days it means, worked out from the publication date or the text's own dateline.
        kind: absolute, relative, weekday, dateline, range, duration or since.
    """

    start: int
    end: int
    span: DateSpan
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TollAt:
    """A number of killed or injured people as told.

    Attributes:
        start: First code point of the phrase.
        end: One past its last.
        kind: "killed" or "injured".
        value: The number, None for "dozens" and the like.
        victims: The words for who was hit, "" if not said.
        cumulative: Whether it totals a long time ("since 2011"), not one event.
    """

    start: int
    end: int
    kind: str
    value: int | None
    victims: str = ""
    cumulative: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyAt:
    """An actor or target as told.

    Attributes:
        start: First code point.
        end: One past the last.
        party: Its words and its normalised id.
        country: "SY" or "LY" for a party of that war, another code for a foreign state, "" if general.
        kind: state, force, group, person, organisation, alliance or people.
        side: The side of the war that it stands on, "" if none.
    """

    start: int
    end: int
    party: Party
    country: str = ""
    kind: str = ""
    side: str = ""
