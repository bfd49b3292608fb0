"""The gazetteer: places of Syria and Libya with their spellings, loaded once from the package's data and checked.

Tables: `gazetteer/syria.csv` and `libya.csv` (built by deploy/gazetteer/build_gazetteer.py), named areas, sites and
cue words in `lexicon/places.toml`, more spellings in `lexicon/places.names.toml`. Names are filed twice: by their words
(articles left out), and by their sound, since every outlet writes Arabic names its own way.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import resources
from typing import Any, NamedTuple

from transforms.detect.arabic import is_arabic
from transforms.detect.folding import fold_text
from transforms.detect.phrases import PhraseTable, read_words
from transforms.detect.slot_data import only_keys, read_lexicon
from transforms.failures import KnowledgeError
from transforms.model import Place

KINDS = {"country", "adm1", "adm2", "adm3", "town", "neighbourhood", "area", "site"}
COUNTRIES = {"SY", "LY"}
_PRECISION = {"country": 3, "adm1": 3, "adm2": 2, "adm3": 2, "town": 1, "neighbourhood": 1, "area": 2, "site": 1}
_COLUMNS = ["id", "kind", "label", "country", "adm1", "adm2", "adm3", "lat", "lon", "population", "names"]
_PLACE_KEYS = {"id", "label", "country", "kind", "within", "covers", "lat", "lon", "precision", "names", "same_as"}
_SPELLING_KEYS = {"id", "first", "names", "label"}
_STRONG_POPULATION = 9_000
_SOUNDING_LETTERS = 3  # a name of fewer consonants sounds like too many words

ARTICLES = frozenset(
    [
        "al",
        "el",
        "ad",
        "ash",
        "an",
        "ar",
        "as",
        "at",
        "az",
        "adh",
        "ath",
        "ed",
        "es",
        "er",
        "et",
        "ez",
        "esh",
        "en",
        "ul",
        "eş",
        "ez",
    ]
)
SURE_ARTICLES = frozenset(["al", "el"])


class Filed(NamedTuple):
    """A name of a record: `strong` names stand for themselves, others need the country's context."""

    record: int
    strong: bool
    curated: bool
    parts: tuple[str, ...] = ()  # the words, where it is filed by sound


@dataclass(frozen=True, slots=True)
class Record:
    """One place: what a resolved place of an article is made from."""

    id: str
    kind: str
    label: str
    country: str
    adm1: str = ""
    adm2: str = ""
    adm3: str = ""
    lat: float | None = None
    lon: float | None = None
    population: int = 0
    precision: int = 1
    covers: tuple[str, ...] = ()
    curated: bool = False

    def place(self, name: str, precision: int | None = None) -> Place:
        """Return the place as an article that calls it `name` tells it."""
        return Place(
            name=name,
            gazetteer_id=self.id,
            label=self.label,
            country=self.country,
            kind=self.kind,
            adm1=self.adm1,
            adm2=self.adm2,
            adm3=self.adm3,
            lat=self.lat,
            lon=self.lon,
            precision=precision or self.precision,
            covers=self.covers,
        )


@dataclass(slots=True)
class Gazetteer:
    """All records, the tables their names are filed in, and for each town the units that are named after it."""

    records: list[Record] = field(default_factory=list)
    by_id: dict[str, int] = field(default_factory=dict)
    names: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    exact: PhraseTable[Filed] = field(default_factory=PhraseTable)
    sounding: PhraseTable[Filed] = field(default_factory=PhraseTable)
    units: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def file(self, record: int, name: str, *, strong: bool, curated: bool = False) -> None:
        """File `name` for the record by its words and, where it is long enough, by its sound."""
        parts = name_parts(name)
        if not parts:
            return
        self.names[record].append(name)
        self.exact.add(parts, Filed(record, strong, curated))
        if name.isascii() or not (is_arabic(parts[0]) or "\u0400" <= parts[0][0] <= "\u04ff"):
            sounds = tuple(sound(part) for part in parts)
            if len("".join(sounds).replace("a", "")) >= _SOUNDING_LETTERS:
                self.sounding.add(sounds, Filed(record, False, curated, parts))


@lru_cache(maxsize=65536)
def sound(token: str) -> str:
    """Return what a folded Latin word sounds like: consonants alike in the ear, an opening and a closing vowel."""
    token = re.sub(r"[ie]yy?[ae]", "ia", token.replace("'", ""))
    for old, new in _ALIKE:
        token = token.replace(old, new)
    token = re.sub(r"(?<![aeiou])[wy](?![aeiou])|(?<=[aeiou])[wy](?![aeiou])", "a", token)
    token = re.sub(r"(?<=[aeiou])h$", "", token)
    token = re.sub(r"(.)\1+", r"\1", token)
    opening = "a" if token[:1] in "aeiou" else ""
    closing = "a" if len(token) > 1 and token[-1:] in "aeiou" else ""
    core = re.sub(r"[aeiou]", "", token)
    return opening + core + closing


@lru_cache(maxsize=65536)
def vowelled(token: str) -> str:
    """Return a folded Latin word with its vowels in three classes, to check a likeness of sound."""
    for old, new in (
        ("kh", "k"),
        ("gh", "g"),
        ("ch", "sh"),
        ("th", "t"),
        ("dh", "d"),
        ("q", "k"),
        ("c", "k"),
        ("z", "s"),
    ):
        token = token.replace(old, new)
    token = token.replace("'", "").translate(_VOWELS)
    return re.sub(r"(.)\1+", r"\1", re.sub(r"(?<=[aiu])h$", "", token))


_VOWELS = str.maketrans("aeiyouw", "aaiiuuu")


def alike(one: str, other: str) -> bool:
    """Return whether two words of the same sound differ by no more than spelling does."""
    left, right = vowelled(one), vowelled(other)
    return _distance(left, right) <= (1 if max(len(left), len(right)) <= 6 else 2)


def _distance(left: str, right: str) -> int:
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]


_ALIKE = (
    ("tch", "sh"), ("kh", "k"), ("gh", "g"), ("ch", "sh"), ("th", "t"), ("dh", "d"), ("sh", "$"), ("dj", "j"),
    ("ck", "k"), ("q", "k"), ("c", "k"), ("ph", "f"), ("p", "b"), ("v", "f"), ("ss", "s"), ("z", "s"),
)  # fmt: skip


@lru_cache(maxsize=4096)
def name_parts(name: str) -> tuple[str, ...]:
    """Return the words that a gazetteer name is filed under: folded, articles left out."""
    if name.isascii() and "." not in name:
        plain = name.lower().replace("`", "'").replace("'s ", " ").replace("'", "")
        tokens = _PLAIN.findall(plain)
    elif _ARABIC.fullmatch(name):
        return tuple(fold_text(name).split())
    else:
        tokens = [word.text for word in read_words(name) if word.text[0].isalnum()]
    bare = [token for token in tokens if token not in ARTICLES]
    return tuple(bare or tokens)


_PLAIN = re.compile(r"[a-z0-9]+")
_ARABIC = re.compile("[\u0620-\u064a\u0670-\u06d3 ]+")


# ---------------------------------------------------------------- loading


def parse_table(text: str, name: str) -> list[tuple[Record, list[str]]]:
    """Return the records of a gazetteer table and their further names.

    Raises:
        KnowledgeError: The header, a number, a kind or an id is wrong; names file, line and reason.
    """
    reader = csv.reader(io.StringIO(text), strict=True)
    out: list[tuple[Record, list[str]]] = []
    seen: set[str] = set()
    try:
        header = next(reader, [])
        if header != _COLUMNS:
            raise KnowledgeError(f"{name}: line 1: expected the columns {','.join(_COLUMNS)}, found {','.join(header)}")
        for row in reader:
            where = f"{name}: line {reader.line_num}"
            if len(row) != len(_COLUMNS):
                raise KnowledgeError(f"{where}: expected {len(_COLUMNS)} columns, found {len(row)}")
            out.append(_row(row, where, seen))
    except csv.Error as error:
        raise KnowledgeError(f"{name}: line {reader.line_num}: {error}") from error
    return out


def _row(row: list[str], where: str, seen: set[str]) -> tuple[Record, list[str]]:
    own, kind, label, country, adm1, adm2, adm3, lat, lon, population, names = row
    if not own or own in seen:
        raise KnowledgeError(f"{where}: id {own!r} " + ("stands twice" if own else "is missing"))
    seen.add(own)
    if kind not in KINDS:
        raise KnowledgeError(f"{where}: unknown kind {kind!r}; known are {', '.join(sorted(KINDS))}")
    if country not in COUNTRIES:
        raise KnowledgeError(f"{where}: unknown country {country!r}; known are LY and SY")
    try:
        record = Record(
            own, kind, label, country, adm1, adm2, adm3, float(lat), float(lon), int(population), _PRECISION[kind]
        )
    except ValueError as error:
        raise KnowledgeError(f"{where}: {error}; lat, lon and population are numbers") from error
    if not (-90 <= float(lat) <= 90 and -180 <= float(lon) <= 180):
        raise KnowledgeError(f"{where}: {lat}, {lon} lies on no globe")
    return record, [one for one in names.split("|") if one]


def build(tables: list[tuple[str, str]], lexicon: dict[str, Any], spellings: dict[str, Any]) -> Gazetteer:
    """Return the gazetteer of `tables` ((name, text) of CSV files) with the lexicons' additions, checked."""
    gazetteer = Gazetteer()
    names: dict[int, list[str]] = {}
    for name, text in tables:
        for record, more in parse_table(text, name):
            if record.id in gazetteer.by_id:
                raise KnowledgeError(f"{name}: id {record.id!r} stands in another table too")
            gazetteer.by_id[record.id] = len(gazetteer.records)
            names[len(gazetteer.records)] = more
            gazetteer.records.append(record)
    _check_parents(gazetteer)
    _file_tables(gazetteer, names)
    for entry in lexicon.get("place", []):
        _file_place(gazetteer, entry)
    for entry in spellings.get("spelling", []):
        _file_spelling(gazetteer, entry)
    return gazetteer


def _check_parents(gazetteer: Gazetteer) -> None:
    for record in gazetteer.records:
        for parent in (record.adm1, record.adm2, record.adm3):
            if parent and parent not in gazetteer.by_id:
                raise KnowledgeError(f"gazetteer: {record.id} ({record.label}): unknown parent {parent!r}")


def _file_tables(gazetteer: Gazetteer, names: dict[int, list[str]]) -> None:
    seats = _seats(gazetteer)
    for index, record in enumerate(gazetteer.records):
        strong = record.kind in {"adm1", "adm2"} or record.population >= _STRONG_POPULATION
        own = [record.label, *names[index]]
        if record.kind in {"adm1", "adm2", "adm3"}:
            # A governorate goes by all the spellings of the town that it is named after.
            for seat in seats.get((record.kind, record.id), ()):
                own += [gazetteer.records[seat].label, *names[seat]]
                gazetteer.units[seat].append(index)
        for name in dict.fromkeys(own):
            gazetteer.file(index, name, strong=strong and record.kind != "adm3")


def _seats(gazetteer: Gazetteer) -> dict[tuple[str, str], list[int]]:
    """Return for each unit the towns in it of the same name."""
    sounds = {
        record.id: sound_of(record.label) for record in gazetteer.records if record.kind in {"adm1", "adm2", "adm3"}
    }
    out: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, record in enumerate(gazetteer.records):
        if record.kind != "town":
            continue
        own = sound_of(record.label)
        for kind, code in (("adm1", record.adm1), ("adm2", record.adm2), ("adm3", record.adm3)):
            if sounds.get(code) == own:
                out[kind, code].append(index)
    return out


def sound_of(name: str) -> tuple[str, ...]:
    """Return the sounds of a whole name."""
    return tuple(sound(part) for part in name_parts(name))


def _file_place(gazetteer: Gazetteer, entry: dict[str, Any]) -> None:
    name = "places.toml"
    own = entry.get("id", "")
    only_keys(entry, _PLACE_KEYS, name, f"place {own!r}: ")
    if not own or own in gazetteer.by_id:
        raise KnowledgeError(f"{name}: place {own!r}: " + ("this id stands twice" if own else "it has no id"))
    if entry.get("kind") not in KINDS or entry.get("country") not in COUNTRIES:
        raise KnowledgeError(f"{name}: place {own!r}: unknown kind or country")
    same = entry.get("same_as", "")
    within = entry.get("within", "")
    for code in (same, within, *entry.get("covers", [])):
        if code and code not in gazetteer.by_id:
            raise KnowledgeError(f"{name}: place {own!r}: unknown place {code!r}")
    if same:
        index = gazetteer.by_id[same]
    else:
        parent = gazetteer.records[gazetteer.by_id[within]] if within else None
        record = Record(
            own,
            entry["kind"],
            entry["label"],
            entry["country"],
            parent.adm1 if parent else "",
            parent.adm2 if parent else "",
            parent.adm3 if parent else "",
            float(entry["lat"]),
            float(entry["lon"]),
            0,
            entry.get("precision", _PRECISION[entry["kind"]]),
            tuple(entry.get("covers", [])),
            curated=True,
        )
        index = len(gazetteer.records)
        gazetteer.records.append(record)
    gazetteer.by_id[own] = index
    for spelled in entry["names"]:
        gazetteer.file(index, spelled, strong=True, curated=True)


def _file_spelling(gazetteer: Gazetteer, entry: dict[str, Any]) -> None:
    own = entry.get("id", "")
    only_keys(entry, _SPELLING_KEYS, "places.names.toml", f"spelling {own!r}: ")
    if own not in gazetteer.by_id:
        raise KnowledgeError(f"places.names.toml: spelling {own!r}: no place of this id")
    index = gazetteer.by_id[own]
    for spelled in entry.get("names", []):
        gazetteer.file(index, spelled, strong=True, curated=True)
        for unit in gazetteer.units.get(index, ()):  # "Deir Ezzor province" as well as the town
            gazetteer.file(unit, spelled, strong=gazetteer.records[unit].kind != "adm3", curated=True)


@cache
def gazetteer() -> Gazetteer:
    """Return the package's gazetteer."""
    folder = resources.files("transforms.detect") / "gazetteer"
    tables = [(name, (folder / name).read_text(encoding="utf-8")) for name in ("syria.csv", "libya.csv")]
    return build(tables, read_lexicon("places.toml"), read_lexicon("places.names.toml"))
