"""Places: names of Syria and Libya in a text, with what the words around them say, and which place is meant.

`find_places` reads names by their words, else by their sound, together with modifiers ("northern Aleppo countryside"),
kind words ("Idlib province", "the village of X") and a distance ("near X"). `resolve_places` picks among places of one
name by the country of the text, by the other places in it, and by size; what stays unknown keeps its name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any, NamedTuple

from transforms.detect.arabic import is_arabic, leaning_letters
from transforms.detect.countries import longest_at, plain_possessives
from transforms.detect.folding import fold
from transforms.detect.phrases import PhraseTable, Word, read_words
from transforms.detect.places_data import ARTICLES, SURE_ARTICLES, Filed, Gazetteer, Record, alike, gazetteer, sound
from transforms.detect.slot_data import only_keys, read_lexicon, words
from transforms.detect.spans import CountryEvidence, PlaceSpan, ResolvedPlace
from transforms.model import Place

__all__ = ["PlaceSpan", "ResolvedPlace", "find_places", "resolve_places"]

_FILE = "places.toml"
_MOST_CANDIDATES = 12
_LONG_SOUND = 4  # consonants of a name that may be known by sound without a kind word beside it
_LISTS = {
    "town_before", "town_after", "near_before", "adm1_before", "adm1_after", "adm2_before", "adm2_after",
    "quarter_before", "quarter_after", "countryside_before", "countryside_after", "site_after", "site_before",
    "district_after", "unknown_site_after",
}  # fmt: skip
_SETS = {"directions", "directions_kept", "directions_after", "locative", "listing", "cue_only", "never"}
_COMPASS = {
    "north": "north", "northern": "north", "south": "south", "southern": "south", "east": "east", "eastern": "east",
    "west": "west", "western": "west", "northeast": "northeast", "northeastern": "northeast", "northwest": "northwest",
    "northwestern": "northwest", "southeast": "southeast", "southeastern": "southeast", "southwest": "southwest",
    "southwestern": "southwest", "central": "central", "coastal": "coastal",
    "kuzey": "north", "guney": "south", "dogu": "east", "bati": "west", "orta": "central",
}  # fmt: skip
_AROUND = {"SY01": "SY03"}  # Damascus lies inside Rural Damascus
_CENTRE = {"SY": (35.0, 38.5), "LY": (28.5, 17.5)}


@dataclass(frozen=True, slots=True)
class _Cues:
    """The words that go with places."""

    tables: dict[str, PhraseTable[bool]]
    sets: dict[str, frozenset[str]]


def compile_cues(table: dict[str, Any], name: str) -> _Cues:
    """Return the checked cue words."""
    only_keys(table, _LISTS | _SETS, name, "words: ")
    tables: dict[str, PhraseTable[bool]] = {}
    for key in sorted(_LISTS):
        tables[key] = PhraseTable()
        for phrase in table.get(key, []):
            parts = tuple(word.text for word in read_words(phrase))
            # Words before a name are read backwards from it.
            tables[key].add(parts[::-1] if key.endswith("_before") else parts, True)
    sets = {key: frozenset(words(table, key, name)) for key in _SETS}
    return _Cues(tables, sets)


@cache
def _cues() -> _Cues:
    return compile_cues(read_lexicon(_FILE).get("words", {}), _FILE)


class _Unit(NamedTuple):
    """A word that may be part of a name: articles are left out, and lend it their start."""

    word: int
    start: int  # of the article before it, if any


class _Found(NamedTuple):
    """A name found: its range of units, and the records of that name."""

    first: int
    end: int
    filed: tuple[Filed, ...]
    strong: bool
    by_sound: bool


class _Reader:
    """The names of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.gazetteer: Gazetteer = gazetteer()
        self.cues = _cues()
        self.words: list[Word] = read_words(text)
        self.word_forms = plain_possessives(self.words)
        self.units = self._units()
        self.forms = [self.word_forms[unit.word] for unit in self.units]
        self.sounds = [self._sounds(unit) for unit in self.units]

    def _units(self) -> list[_Unit]:
        out: list[_Unit] = []
        article_start = -1
        for at, word in enumerate(self.words):
            if self._is_article(at):
                article_start = word.start  # of several in a row only the last belongs to the name
                continue
            out.append(_Unit(at, article_start if article_start >= 0 else word.start))
            article_start = -1
        return out

    def _is_article(self, at: int) -> bool:
        word = self.words[at]
        if word.text not in ARTICLES or at + 1 >= len(self.words):
            return False
        following = self.words[at + 1]
        if not following.text[0].isalnum():
            return False
        if word.text in SURE_ARTICLES:
            return True
        gap = self.text[word.end : following.start]
        return following.capital and ("-" in gap or "–" in gap or word.capital)

    def _sounds(self, unit: _Unit) -> tuple[str, ...]:
        word = self.words[unit.word]
        if not word.capital or not word.text.isascii():
            return ()
        sounds = [sound(word.text)]
        if word.text[:2] in {"al", "el"} and len(word.text) > 5:
            sounds.append(sound(word.text[2:]))
        return tuple(dict.fromkeys(one for one in sounds if one))

    def word_at(self, unit: int) -> Word | None:
        return self.words[self.units[unit].word] if 0 <= unit < len(self.units) else None

    def named_at(self, at: int) -> _Found | None:
        """Return the name that begins at unit `at`: the longest by words, else the longest by sound."""
        best: _Found | None = None
        for end, filed in self.gazetteer.exact.at(self.forms, at):
            if self._may_be_name(at, end):
                best = _Found(at, end, filed, any(one.strong for one in filed), False)
        if self.sounds[at]:
            for end, filed in self.gazetteer.sounding.at(self.sounds, at):
                if best is not None and end <= best.end:
                    continue
                if not (self._unbroken(at, end) and self._may_be_name(at, end)):
                    continue
                like = tuple(one for one in filed if self._alike(one, at))
                if like:
                    best = _Found(at, end, like, False, True)
        return best

    def _alike(self, filed: Filed, at: int) -> bool:
        spelled = [self.words[self.units[at + k].word].text for k in range(len(filed.parts))]
        return all(alike(one, other) or alike(one[2:], other) for one, other in zip(spelled, filed.parts, strict=True))

    def _unbroken(self, at: int, end: int) -> bool:
        return all(not self.words[self.units[k].word].possessive for k in range(at, end - 1))

    def letters(self, at: int, end: int) -> int:
        """Return how many consonants the sound of a name has."""
        return sum(len(self.sounds[k][0].replace("a", "")) for k in range(at, end))

    def _may_be_name(self, at: int, end: int) -> bool:
        """Return whether the units look like a name: capitals in Latin and Cyrillic, no common word alone."""
        parts = [self.words[self.units[k].word] for k in range(at, end)]
        if end == at + 1 and parts[0].text in self.cues.sets["never"]:
            # Folding makes "Sam" of "Şam": a word with letters of its own is not the English one.
            return not self.text[parts[0].start : parts[0].end].isascii()
        if is_arabic(parts[0].text):
            return True
        return any(part.capital for part in parts)

    # ------------------------------------------------------------ the words around a name

    def before(self, kind: str, word: int) -> int:
        """Return the first word of a cue of `kind` that ends right before word `word`, -1 where none does."""
        forms = [self.words[k].forms for k in range(word - 1, max(word - 6, -1), -1)]
        ends = [end for end, _ in self.cues.tables[kind].at(forms, 0)] if forms else []
        return word - ends[-1] if ends else -1

    def after(self, kind: str, word: int) -> int:
        """Return the word after a cue of `kind` that begins at word `word`, -1 where none does."""
        if word >= len(self.words):
            return -1
        forms = [one.forms for one in self.words[word : word + 4]]
        ends = [end for end, _ in self.cues.tables[kind].at(forms, 0)]
        return word + ends[-1] if ends else -1

    def is_of(self, word: int) -> bool:
        """Return whether "of" and a name stand at word `word`."""
        if word + 1 >= len(self.words) or self.words[word].text not in {"of", "de"}:
            return False
        return self.words[word + 1].capital or self.words[word + 1].text in SURE_ARTICLES

    def is_in(self, key: str, word: int) -> bool:
        return 0 <= word < len(self.words) and any(form in self.cues.sets[key] for form in self.word_forms[word])


# ---------------------------------------------------------------- finding


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
    tables: list[PhraseTable[Any]] = [gazetteer().exact, *_cues().tables.values()]

    def known(form: str) -> bool:
        return any(table.begins(form) for table in tables) or any(form in of for of in _cues().sets.values())

    leaning = leaning_letters(first.text, known)
    if not leaning:
        return span
    start = span.start + fold(text[span.start : span.end]).span(leaning, leaning)[0]
    places = tuple(replace(place, name=text[start : span.end]) for place in span.candidates)
    return replace(span, start=start, candidates=places)


@lru_cache(maxsize=64)
def _find(text: str) -> tuple[PlaceSpan, ...]:
    reader = _Reader(text)
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


def _country_span(reader: _Reader, word: int, end: int, country: str, kind: str) -> tuple[PlaceSpan | None, int]:
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


def _direction_before(reader: _Reader, word: int) -> tuple[int, str]:
    """Return the first word of a direction right before `word` ("north-western Syria") and its compass point."""
    first = word
    points: list[str] = []
    while first > 0 and reader.words[first - 1].text in _COMPASS and len(points) < 2:
        first -= 1
        points.insert(0, _COMPASS[reader.words[first].text])
    return first, _joined(points)


def _direction_of(reader: _Reader, word: int) -> tuple[int, str]:
    """Return the first word of "the east of" before a country, and its compass point."""
    at = word - 1
    if at < 1 or reader.words[at].text not in {"of", "de"}:
        return word, ""
    first, compass = _direction_before(reader, at)
    return (first, compass) if compass else (word, "")


def _direction_at(reader: _Reader, word: int) -> tuple[str, int]:
    points: list[str] = []
    while word < len(reader.words) and reader.words[word].text in _COMPASS and len(points) < 2:
        points.append(_COMPASS[reader.words[word].text])
        word += 1
    return _joined(points), word


def _joined(points: list[str]) -> str:
    joined = "".join(points)
    return joined if joined in set(_COMPASS.values()) else (points[-1] if points else "")


def _named_span(reader: _Reader, named: _Found, earlier: list[PlaceSpan]) -> tuple[PlaceSpan, int] | None:
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
    cue_only = single and reader.is_in("cue_only", word)
    curated = any(one.curated for one in named.filed)
    if cue_only and shape.kind == "site":
        shape = shape._replace(cued=False)
    weak = not named.strong or (cue_only and not curated)
    alone = cue_only and lead == word  # without its article it may be any word
    doubtful = (weak or alone) and not shape.cued
    if doubtful and not _stands_as_place(reader, named, lead, end, earlier, cue_only=alone and not curated):
        return None
    short = named.by_sound and reader.letters(named.first, named.end) < _LONG_SOUND
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


def _shape(reader: _Reader, lead: int, end: int) -> _Shape:
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
    reader: _Reader, named: _Found, lead: int, end: int, earlier: list[PlaceSpan], *, cue_only: bool
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


def _candidates(reader: _Reader, named: _Found, records: list[Record], shape: _Shape) -> list[Record]:
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


def _unknown(reader: _Reader, at: int) -> tuple[PlaceSpan, int] | None:
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
    before = any(reader.before(kind, lead) >= 0 for kind in ("town_before", "quarter_before"))
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


# ---------------------------------------------------------------- resolving


def resolve_places(
    text: str,
    lang: str,
    spans: list[PlaceSpan],
    evidence: CountryEvidence,
    *,
    country: str | None = None,
) -> list[ResolvedPlace]:
    """Return the places that the spans mean, by position; places elsewhere and countries themselves are left out.

    Args:
        text: The text that the spans were found in.
        lang: Its language.
        spans: What `find_places` found in it.
        evidence: What `country_of` says of it.
        country: The country that is certain from elsewhere (an event's own), None to go by `evidence`.
    """
    del lang
    main = country or _main_country(evidence)
    known = _anchors(spans, main)
    out: list[ResolvedPlace] = []
    for span in spans:
        if span.foreign or (span.candidates and span.candidates[0].kind == "country"):
            continue
        place = _pick(span, main, evidence, known, text)
        if place is not None:
            out.append(ResolvedPlace(start=span.start, end=span.end, place=place))
    return _with_containers(out, text)


def _main_country(evidence: CountryEvidence) -> str | None:
    syria, libya = evidence.score("SY"), evidence.score("LY")
    if syria == libya:
        return None
    return "SY" if syria > libya else "LY"


def _anchors(spans: list[PlaceSpan], main: str | None) -> set[str]:
    """Return the P-codes of the places that are certain."""
    codes: set[str] = set()
    for span in spans:
        fitting = [one for one in span.candidates if main is None or one.country == main]
        if not fitting or span.weak or fitting[0].kind == "country":
            continue
        codes.update(code for code in (fitting[0].adm1, fitting[0].adm2, fitting[0].adm3) if code)
    return codes | {_AROUND[code] for code in codes if code in _AROUND}


def _pick(span: PlaceSpan, main: str | None, evidence: CountryEvidence, known: set[str], text: str) -> Place | None:
    """Return the place that the span means, unresolved where no record fits, None where it is none of ours."""
    name = text[span.start : span.end]
    if not span.candidates:
        certain = main is not None and evidence.score(main) > evidence.elsewhere
        return Place(name=name, precision=1) if certain else None
    fitting = [one for one in span.candidates if main is None or one.country == main]
    if span.weak and (main is None or not fitting or evidence.elsewhere > evidence.score(main)):
        return None
    if not fitting:
        fitting = list(span.candidates)
    if _is_elsewhere(fitting[0], evidence):
        return None
    if not span.weak:
        leading = fitting[0]
        same = [one for one in fitting if one.kind == leading.kind]
        return max(same, key=lambda one: _kinship(one, known)) if _tied(same) else leading
    best = max(fitting, key=lambda one: _kinship(one, known))
    if known and not _kinship(best, known) and (best.kind == "neighbourhood" or _tied(fitting)):
        return Place(name=name, precision=1)  # no pin is better than a wrong one
    return best


def _tied(places: list[Place]) -> bool:
    return len({(one.adm1, one.adm2) for one in places}) > 1


def _kinship(place: Place, known: set[str]) -> int:
    """Return how closely a place lies with the certain ones."""
    return 4 * (place.adm3 in known) + 2 * (place.adm2 in known) + (place.adm1 in known) if known else 0


def _is_elsewhere(place: Place, evidence: CountryEvidence) -> bool:
    """Return whether the text tells of Lebanon's town of this name."""
    return place.label == "Tripoli" and evidence.score("LB") > evidence.score("LY") - 2.0


def _with_containers(places: list[ResolvedPlace], text: str) -> list[ResolvedPlace]:
    """Mark the places that only say where the one before them is ("Hara in Daraa province")."""
    out = list(places)
    for at in range(1, len(out)):
        inner, outer = out[at - 1], out[at]
        gap = text[inner.end : outer.start]
        if len(gap) > 40 or any(mark in gap for mark in ".;:"):
            continue
        if _lies_in(inner.place, outer.place):
            out[at] = replace(outer, container=True)
    return out


def _lies_in(inner: Place, outer: Place) -> bool:
    if inner.gazetteer_id == outer.gazetteer_id or inner.precision > outer.precision:
        return False
    if outer.kind in {"adm1", "adm2", "adm3"}:
        return outer.gazetteer_id in {inner.adm1, inner.adm2, inner.adm3} or not inner.gazetteer_id
    return bool(outer.covers) and bool({inner.adm1, inner.adm2, inner.adm3} & set(outer.covers))
