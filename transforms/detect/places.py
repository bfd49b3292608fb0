"""Places: names of Syria and Libya in a text, with what the words around them say, and which place is meant.

`find_places` reads names by their words, else by their sound, together with modifiers ("northern Aleppo countryside"),
kind words ("Idlib province", "the village of X") and a distance ("near X"). `resolve_places` picks among places of one
name by the country of the text, by the other places in it, and by size; what stays unknown keeps its name.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from transforms.detect.arabic import is_arabic, leaning_letters
from transforms.detect.countries import longest_at
from transforms.detect.folding import fold
from transforms.detect.phrases import PhraseTable, read_words
from transforms.detect.place_reading import LONG_SOUND, Found, PlaceReader, compile_cues, cues
from transforms.detect.place_resolving import resolve_places
from transforms.detect.places_data import ARTICLES, SURE_ARTICLES, Record, gazetteer
from transforms.detect.spans import PlaceSpan, ResolvedPlace
from transforms.model import Place

__all__ = ["PlaceSpan", "ResolvedPlace", "compile_cues", "find_places", "resolve_places"]

_MOST_CANDIDATES = 12
_COMPASS = {
    "north": "north", "northern": "north", "south": "south", "southern": "south", "east": "east", "eastern": "east",
    "west": "west", "western": "west", "northeast": "northeast", "northeastern": "northeast", "northwest": "northwest",
    "northwestern": "northwest", "southeast": "southeast", "southeastern": "southeast", "southwest": "southwest",
    "southwestern": "southwest", "central": "central", "coastal": "coastal",
    "kuzey": "north", "guney": "south", "dogu": "east", "bati": "west", "orta": "central",
}  # fmt: skip
_CENTRE = {"SY": (35.0, 38.5), "LY": (28.5, 17.5)}


def find_places(text: str, lang: str) -> list[PlaceSpan]:
    """Return the places named in `text`, by position, none overlapping.

    Countries themselves come as candidates of kind "country"; places elsewhere have `foreign`; a name after a kind word
    that no table knows has no candidates. Names of all languages are known whatever `lang` is.
    """
    del lang
    return [_without_leaning(span, text) for span in _find(text)]


def _without_leaning(span: PlaceSpan, text: str) -> PlaceSpan:
    """Return the span without the Arabic "and", "in" or "to" that is written onto the place's first word."""
    words = read_words(text[span.start : span.end])
    if not words or not is_arabic(words[0].text):
        return span
    first = words[0]
    tables: list[PhraseTable[Any]] = [gazetteer().exact, *cues().tables.values()]

    def known(form: str) -> bool:
        return any(table.begins(form) for table in tables) or any(form in of for of in cues().sets.values())

    leaning = leaning_letters(first.text, known)
    if not leaning:
        return span
    start = span.start + fold(text[span.start : span.end]).span(leaning, leaning)[0]
    places = tuple(replace(place, name=text[start : span.end]) for place in span.candidates)
    return replace(span, start=start, candidates=places)


@lru_cache(maxsize=64)
def _find(text: str) -> tuple[PlaceSpan, ...]:
    reader = PlaceReader(text)
    out: list[PlaceSpan] = []
    at = 0
    reached = 0  # first word not yet taken
    while at < len(reader.units):
        word = reader.units[at].word
        if word < reached:
            at += 1
            continue
        foreign = longest_at(text, reader.words, reader.word_forms, word)
        named = reader.named_at(at)
        if foreign is not None and foreign[1].kind not in {"leader", "party"}:
            end, country = foreign
            beyond = named is not None and reader.units[named.end - 1].word + 1 > end
            if not beyond:
                span, reached = _country_span(reader, word, end, country.country, country.kind)
                if span is not None:
                    out.append(span)
                at += 1
                continue
        made = _named_span(reader, named, out) if named is not None else None
        if made is None and foreign is None:
            made = _unknown(reader, at)
        if made is not None:
            span, reached = made
            out.append(span)
        at += 1
    return tuple(out)


def _country_span(reader: PlaceReader, word: int, end: int, country: str, kind: str) -> tuple[PlaceSpan | None, int]:
    """Return the span of a country, a part of one ("northern Syria", "Libya's east"), or a place elsewhere."""
    if country not in _CENTRE:
        if kind == "demonym":
            return None, end
        return PlaceSpan(start=reader.words[word].start, end=reader.words[end - 1].end, foreign=country), end
    first, last = word, end
    compass = ""
    if kind in {"name", "demonym"}:
        first, compass = _direction_before(reader, word)
        owns = end < len(reader.words) and reader.words[end].capital and reader.words[end - 1].text.endswith("s")
        if not compass and kind == "name" and not (owns or reader.words[end - 1].possessive):
            first, compass = _direction_of(reader, word)
        if (not compass and reader.words[end - 1].possessive) or kind == "demonym":
            following = reader.words[end].text if end < len(reader.words) else ""
            found, stop = _direction_at(reader, end)
            plain_noun = not reader.words[stop - 1].text.endswith("ern")  # "Libya's western towns" names the towns
            if found and not compass and plain_noun and (kind == "name" or following in _COMPASS):
                compass, last = found, stop
    if kind == "demonym" and not compass:
        return None, end
    if kind == "demonym" and compass and last == end:
        return None, end  # "northern Syrian city": the city says more
    lat, lon = _CENTRE[country]
    name = reader.text[reader.words[first].start : reader.words[last - 1].end]
    label = {"SY": "Syria", "LY": "Libya"}[country]
    if compass:
        place = Place(
            name=name, gazetteer_id=f"{country.lower()}-{compass}", label=f"{compass.title()} {label}", country=country,
            kind="area", precision=3,
        )  # fmt: skip
    else:
        place = Place(
            name=name, gazetteer_id=country, label=label, country=country, kind="country", lat=lat, lon=lon, precision=3
        )
    return PlaceSpan(start=reader.words[first].start, end=reader.words[last - 1].end, candidates=(place,)), last


def _direction_before(reader: PlaceReader, word: int) -> tuple[int, str]:
    """Return the first word of a direction right before `word` ("north-western Syria") and its compass point."""
    first = word
    points: list[str] = []
    while first > 0 and reader.words[first - 1].text in _COMPASS and len(points) < 2:
        first -= 1
        points.insert(0, _COMPASS[reader.words[first].text])
    return first, _joined(points)


def _direction_of(reader: PlaceReader, word: int) -> tuple[int, str]:
    """Return the first word of "the east of" before a country, and its compass point."""
    at = word - 1
    if at < 1 or reader.words[at].text not in {"of", "de"}:
        return word, ""
    first, compass = _direction_before(reader, at)
    return (first, compass) if compass else (word, "")


def _direction_at(reader: PlaceReader, word: int) -> tuple[str, int]:
    points: list[str] = []
    while word < len(reader.words) and reader.words[word].text in _COMPASS and len(points) < 2:
        points.append(_COMPASS[reader.words[word].text])
        word += 1
    return _joined(points), word


def _joined(points: list[str]) -> str:
    joined = "".join(points)
    return joined if joined in set(_COMPASS.values()) else (points[-1] if points else "")


def _named_span(reader: PlaceReader, named: Found, earlier: list[PlaceSpan]) -> tuple[PlaceSpan, int] | None:
    """Return the span of a gazetteer name with the words around it, and the first word after it."""
    text, units = reader.text, reader.units
    word, end = units[named.first].word, units[named.end - 1].word + 1
    start = units[named.first].start
    lead = word - 1 if start < reader.words[word].start else word  # the article's word
    while lead > 0 and reader.words[lead].start > start:
        lead -= 1
    shape = _shape(reader, lead, end)
    records = [reader.gazetteer.records[one.record] for one in named.filed]
    single = named.end == named.first + 1
    # Folding makes "sami" of "Şam'ı": a word with letters of its own is not the English one.
    own_letters = not is_arabic(reader.words[word].text) and not text[start : reader.words[word].end].isascii()
    cue_only = single and not own_letters and reader.is_in("cue_only", word)
    curated = any(one.curated for one in named.filed)
    if cue_only and shape.kind == "site":
        shape = shape._replace(cued=False)
    weak = not named.strong or (cue_only and not curated)
    alone = cue_only and lead == word  # without its article it may be any word
    doubtful = (weak or alone) and not shape.cued
    if doubtful and not _stands_as_place(reader, named, lead, end, earlier, cue_only=alone and not curated):
        return None
    short = named.by_sound and reader.letters(named.first, named.end) < LONG_SOUND
    if short and shape.kind not in {"town", "adm2", "adm1"}:
        return None
    if reader.words[word].text in _COMPASS and shape.kind in {"adm1", "countryside"}:
        return None  # "Eastern Aleppo province" is a part of the province, not the quarters of that name
    weak = weak or (cue_only and not shape.cued)
    first_word, last_word = shape.first, shape.end
    candidates = _candidates(reader, named, records, shape)
    if first_word < lead:
        start = min(start, reader.words[first_word].start)
    name = text[start : reader.words[last_word - 1].end]
    places = tuple(_as_told(record, name, shape) for record in candidates[:_MOST_CANDIDATES])
    return (
        PlaceSpan(
            start=start,
            end=reader.words[last_word - 1].end,
            candidates=places,
            weak=weak,
        ),
        last_word,
    )


class _Shape(NamedTuple):
    """What the words around a name make of it."""

    first: int  # first word that belongs to the span
    end: int
    kind: str  # "", town, adm1, adm2, quarter, countryside, site
    direction: bool
    near: bool
    cued: bool


def _shape(reader: PlaceReader, lead: int, end: int) -> _Shape:
    first, last, kind, cued = lead, end, "", False
    possessive = reader.words[end - 1].possessive
    for name, cue in (
        ("adm1", "adm1_after"), ("countryside", "countryside_after"), ("quarter", "quarter_after"),
        ("town", "town_after"), ("site", "site_after"), ("adm2", "adm2_after"),
    ):  # fmt: skip
        skip = end
        if possessive or name == "countryside":
            _, skip = _direction_at(reader, end)
        stop = reader.after(cue, skip)
        if stop < 0:
            continue
        if (possessive and name in {"town", "site"}) or (name != "adm1" and reader.is_of(stop)):
            continue  # "the Homs town of Rastan" names Rastan
        kind, last, cued = name, stop, True
        break
    if not kind and reader.is_in("directions_after", end):
        last = end + 1
    for name, cue in (
        ("adm1", "adm1_before"), ("countryside", "countryside_before"), ("quarter", "quarter_before"),
        ("town", "town_before"), ("adm2", "adm2_before"), ("site", "site_before"),
    ):  # fmt: skip
        at = reader.before(cue, lead)
        if at >= 0 and not kind:
            kind, cued = name, True
            if name in {"countryside", "site"} or (name == "adm1" and is_arabic(reader.words[at].text)):
                first = at
            if is_arabic(reader.words[end - 1].text) and reader.is_in("directions_after", end):
                last = end + 1
            break
    near = reader.before("near_before", lead) >= 0
    direction = False
    at = first
    while at > 0 and reader.is_in("directions", at - 1):
        at -= 1
    if at < first and reader.is_in("directions_kept", at):
        direction = any(reader.words[k].text in _COMPASS for k in range(at, first))
        first = at
    return _Shape(first, last, kind, direction, near, cued)


def _stands_as_place(
    reader: PlaceReader, named: Found, lead: int, end: int, earlier: list[PlaceSpan], *, cue_only: bool
) -> bool:
    """Return whether a doubtful name stands where a place would: after "in", or in a list of places."""
    text = reader.text
    before = reader.words[lead - 1] if lead else None
    after = reader.words[end] if end < len(reader.words) else None
    if is_arabic(reader.words[lead].text):  # without capitals, only a list of places says so
        listed = bool(earlier) and bool(earlier[-1].candidates)
        gap = text[earlier[-1].end : reader.words[lead].start] if listed else "."
        if named.strong and reader.is_in("locative", lead - 1):
            return True
        return listed and not cue_only and gap.strip(" ،,") == "" and (gap.strip() != "" or reader.words[lead].leans)
    goes_on = after is not None and after.capital and text[reader.words[end - 1].end : after.start].strip(" -") == ""
    if goes_on and after is not None and after.text not in ARTICLES and not reader.is_in("listing", end):
        return False  # part of a longer name of something else
    led = before is not None and before.capital and text[before.end : reader.words[lead].start].strip(" -") == ""
    if led and not reader.is_in("locative", lead - 1):
        return False
    if cue_only:
        return False
    if named.by_sound and named.end == named.first + 1 and len(reader.words[lead].text) < 5 and lead + 1 == end:
        return False
    if reader.is_in("locative", lead - 1):
        return True
    return bool(
        earlier
        and earlier[-1].candidates
        and reader.is_in("listing", lead - 1)
        and reader.words[lead - 1].start - earlier[-1].end <= 2
    )


def _candidates(reader: PlaceReader, named: Found, records: list[Record], shape: _Shape) -> list[Record]:
    """Return the records that the words can mean, likeliest first."""
    wanted = {"adm1": ("adm1",), "countryside": ("adm1", "adm2", "adm3"), "adm2": ("adm2", "area", "adm3")}.get(
        shape.kind, ()
    )
    curated = {one.record for one in named.filed if one.curated}

    def rank(record: Record) -> tuple[int, int, int, str]:
        if record.kind in wanted:
            fit = wanted.index(record.kind)
        elif shape.kind in {"", "town", "quarter", "site"}:
            order = {"town": 1, "site": 1, "area": 1, "neighbourhood": 2, "adm1": 3, "adm2": 4, "adm3": 5}
            fit = order.get(record.kind, 6)
            if shape.kind == "quarter" and record.kind == "neighbourhood":
                fit = 0
            if shape.kind == "town" and record.kind == "town":
                fit = 0
        else:
            fit = 10
        own = reader.gazetteer.by_id.get(record.id, -1) in curated
        return fit - (3 if own and fit < 10 else 0), -record.population, -len(record.covers), record.id

    unique: dict[str, Record] = {record.id: record for record in records}
    ranked = sorted(unique.values(), key=rank)
    if shape.direction and ranked:
        # "northern Aleppo" is a part of the governorate of that name as much as of the town.
        ranked.sort(key=lambda record: record.kind != "adm1" or shape.kind == "town")
    return ranked


def _as_told(record: Record, name: str, shape: _Shape) -> Place:
    """Return the record's place with the precision that the words leave it."""
    precision = record.precision
    if shape.kind == "countryside" or (shape.direction and record.kind == "adm1"):
        precision = 2 if record.kind == "adm1" else max(2, precision)
    elif shape.near or shape.direction or (shape.kind in {"site", "adm2"} and record.kind == "town"):
        precision = max(2, precision)
    return record.place(name, precision)


def _unknown(reader: PlaceReader, at: int) -> tuple[PlaceSpan, int] | None:
    """Return the span of a name that no table has but whose kind is told ("the village of X")."""
    word = reader.units[at].word
    one = reader.words[word]
    lead = word
    while lead > 0 and reader.words[lead].start > reader.units[at].start:
        lead -= 1
    if is_arabic(one.text) or not one.capital or not one.text[0].isalpha() or reader.is_in("never", word):
        return None
    end = word + 1
    while end < len(reader.words) and end < word + 4:
        following = reader.words[end]
        gap = reader.text[reader.words[end - 1].end : following.start]
        if (
            not (following.capital or following.text in SURE_ARTICLES)
            or reader.is_in("never", end)
            or gap.strip(" -")
            or not following.text[0].isalpha()
        ):
            break
        if reader.words[end - 1].possessive:
            break
        end += 1
    while end > word + 1 and reader.words[end - 1].text in ARTICLES:
        end -= 1
    kinds = ("quarter_after", "town_after", "district_after", "unknown_site_after")
    end = next((k for k in range(word + 1, end) if any(reader.after(kind, k) >= 0 for kind in kinds)), end)
    joined = lead > 0 and "\n" not in reader.text[reader.words[lead - 1].end : reader.units[at].start]
    before = joined and any(reader.before(kind, lead) >= 0 for kind in ("town_before", "quarter_before"))
    after = any(reader.after(kind, end) >= 0 for kind in ("quarter_after", "town_after", "district_after"))
    site = reader.after("unknown_site_after", end)
    if site >= 0 and not before:
        after, end = True, site
    plain = reader.words[lead - 1].text if lead else ""
    if not before and not (after and (reader.is_in("locative", lead - 1) or plain in {"the", "besieged"})):
        return None
    if plain in {"town", "village", "city"} and not after and lead >= 2 and reader.words[lead - 2].capital:
        return None
    return PlaceSpan(start=reader.units[at].start, end=reader.words[end - 1].end, weak=True), end
