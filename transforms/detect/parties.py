"""Parties: who did it and who was hit, as told, with one id for all the names of a party.

A party is a whole name ("Libyan National Army"), an owner and what it owns ("Haftar's forces", "Russian warplanes",
"forces loyal to President Assad", "anti-Gaddafi fighters"), or bare words for a body of people ("gunmen"). Names and
words are data (`lexicon/parties.toml`); how they join is here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from transforms.detect.arabic import is_arabic, leaning_letters
from transforms.detect.folding import fold
from transforms.detect.phrases import PhraseTable, read_words
from transforms.detect.slot_data import only_keys, read_lexicon
from transforms.detect.spans import PartyAt
from transforms.failures import KnowledgeError
from transforms.model import Party

__all__ = ["PartyAt", "find_parties", "party_id_of"]

_FILE = "parties.toml"
_CASED_UP_TO = 4  # names in capitals this short must stand in capitals
_MOST_TITLES = 6  # "the then Libyan leader Colonel"
_MOST_HEADS = 5
_NO_TITLE_ALONE = frozenset(["of", "al", "then", "state", "eastern", "foreign", "special"])  # only among others
_KINDS = {"state", "force", "group", "person", "organisation", "alliance", "people"}
_WORDS = {"titles", "loyal", "pro", "anti", "joining", "fillers", "metonyms", "speaking", "locative"}


@dataclass(frozen=True, slots=True)
class PartyRecord:
    """One party of the lexicon."""

    id: str
    country: str
    kind: str
    side: str = ""
    against: str = ""
    becomes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Head:
    """Words for bodies of people, and whom they mean without an owner."""

    cls: str
    id: str
    inside: dict[str, str]


class _Name(NamedTuple):
    party: str
    cased: str  # the capitals that must stand in the text, ""
    capital: bool
    metonym: bool


@dataclass(frozen=True, slots=True)
class _Lexicon:
    parties: dict[str, PartyRecord]
    heads: tuple[Head, ...]
    names: PhraseTable[_Name]
    adjectives: PhraseTable[str]
    head_words: PhraseTable[int]
    bare: PhraseTable[int]
    titles: PhraseTable[bool]
    loyal: PhraseTable[bool]
    pro: frozenset[str]
    anti: frozenset[str]
    fillers: frozenset[str]
    joining: frozenset[str]
    speaking: frozenset[str]
    locative: frozenset[str]


def compile_parties(table: dict[str, Any], name: str) -> _Lexicon:
    """Return the checked lexicon of parties."""
    only_keys(table, {"words", "party", "head"}, name)
    extra = table.get("words", {})
    only_keys(extra, _WORDS, name, "words: ")
    parties: dict[str, PartyRecord] = {}
    names: PhraseTable[_Name] = PhraseTable()
    adjectives: PhraseTable[str] = PhraseTable()
    metonyms = set(extra.get("metonyms", []))
    for entry in table.get("party", []):
        record = _record(entry, parties, name)
        parties[record.id] = record
        for spelled in (one for of in entry.get("names", {}).values() for one in of):
            bare = spelled.replace(".", "")
            cased = bare if len(bare) <= _CASED_UP_TO and bare.isupper() and bare.isascii() else ""
            names.add(spelled, _Name(record.id, cased, spelled[:1].isupper(), spelled in metonyms))
        for adjective in entry.get("adjectives", []):
            adjectives.add(adjective, record.id)
    for record in parties.values():
        for other in (record.against, *record.becomes.values()):
            if other and other not in parties and other != "terrorists":
                raise KnowledgeError(f"{name}: party {record.id!r}: unknown party {other!r}")
    heads: list[Head] = []
    head_words: PhraseTable[int] = PhraseTable()
    bare_words: PhraseTable[int] = PhraseTable()
    for index, entry in enumerate(table.get("head", [])):
        only_keys(entry, {"class", "id", "inside", "words", "bare"}, name, f"head {index + 1}: ")
        heads.append(Head(entry["class"], entry.get("id", ""), entry.get("inside", {})))
        for word in (*entry.get("words", []), *entry.get("bare", [])):
            head_words.add(word, index)
        for word in entry.get("bare", []):
            bare_words.add(word, index)
    return _Lexicon(
        parties=parties,
        heads=tuple(heads),
        names=names,
        adjectives=adjectives,
        head_words=head_words,
        bare=bare_words,
        titles=_table(extra.get("titles", [])),
        loyal=_table(extra.get("loyal", [])),
        pro=frozenset(extra.get("pro", [])),
        anti=frozenset(extra.get("anti", [])),
        fillers=frozenset(extra.get("fillers", [])),
        joining=frozenset(extra.get("joining", [])),
        speaking=frozenset(extra.get("speaking", [])),
        locative=frozenset(word.text for one in extra.get("locative", []) for word in read_words(one)),
    )


def _table(phrases: list[str]) -> PhraseTable[bool]:
    table: PhraseTable[bool] = PhraseTable()
    for phrase in phrases:
        table.add(phrase, True)
    return table


def _record(entry: dict[str, Any], known: dict[str, PartyRecord], name: str) -> PartyRecord:
    own = entry.get("id", "")
    if not own:
        raise KnowledgeError(f"{name}: a party after {list(known)[-1:]!r} has no id")
    where = f"party {own!r}: "
    only_keys(entry, {"id", "country", "kind", "side", "names", "adjectives", "becomes", "against"}, name, where)
    if own in known:
        raise KnowledgeError(f"{name}: {where}this id stands twice; each party has one")
    if entry.get("kind") not in _KINDS:
        raise KnowledgeError(
            f"{name}: {where}unknown kind {entry.get('kind')!r}; known are {', '.join(sorted(_KINDS))}"
        )
    return PartyRecord(
        own,
        entry.get("country", ""),
        entry["kind"],
        entry.get("side", ""),
        entry.get("against", ""),
        entry.get("becomes", {}),
    )


@cache
def _lexicon() -> _Lexicon:
    return compile_parties(read_lexicon(_FILE), _FILE)


class _Unit(NamedTuple):
    """A name, adjective or head found at a word."""

    kind: str  # name, adjective, head
    end: int
    party: str
    head: int


class _Parser:
    """Joins the units of one text to parties."""

    def __init__(self, text: str, lexicon: _Lexicon) -> None:
        self.text = text
        self.lexicon = lexicon
        self.words = read_words(text)
        self.forms = [word.forms for word in self.words]
        self._plain_possessives()

    def _plain_possessives(self) -> None:
        """Read "Assads forces" as "Assad's forces": some outlets lose their apostrophes."""
        for at, word in enumerate(self.words):
            if word.capital and word.text.endswith("s") and len(word.text) > 4 and not is_arabic(word.text):
                self.forms[at] = (*word.forms, word.text[:-1])

    def _name_at(self, at: int) -> _Unit | None:
        best: _Unit | None = None
        for end, values in self.lexicon.names.at(self.forms, at):
            for name in values:
                if self._fits(name, at, end):
                    best = _Unit("name", end, name.party, -1)
                    break
        return best

    def _fits(self, name: _Name, at: int, end: int) -> bool:
        source = self.text[self.words[at].start : self.words[end - 1].end]
        if name.cased:
            return source.replace(".", "") == name.cased
        if name.capital and not self.words[at].capital and not is_arabic(self.words[at].text):
            return False
        if name.metonym:
            return self._speaks(at, end)
        return True

    def _speaks(self, at: int, end: int) -> bool:
        """Return whether a capital or country stands for its government here."""
        if at and self.forms[at - 1][0] in self.lexicon.locative:
            return False
        return end < len(self.words) and self.words[end].text in self.lexicon.speaking

    def _adjective_at(self, at: int) -> _Unit | None:
        best: _Unit | None = None
        for end, values in self.lexicon.adjectives.at(self.forms, at):
            word = self.words[at]
            if end == at + 1 and len(word.text) <= 3 and not self.text[word.start : word.start + 2].isupper():
                continue
            best = _Unit("adjective", end, values[0], -1)
        return best

    def _head_at(self, at: int, table: PhraseTable[int]) -> _Unit | None:
        best: _Unit | None = None
        for end, values in table.at(self.forms, at):
            best = _Unit("head", end, "", values[0])
        return best

    def _title_end(self, at: int) -> int:
        """Return the word after any titles at `at`."""
        for _ in range(_MOST_TITLES):
            ends = [end for end, _ in self.lexicon.titles.at(self.forms, at)] if at < len(self.words) else []
            if not ends:
                return at
            at = ends[-1]
            if at < len(self.words) and self.words[at].text == ".":
                at += 1
        return at

    def _loyal_end(self, at: int) -> int:
        ends = [end for end, _ in self.lexicon.loyal.at(self.forms, at)]
        return ends[-1] if ends else at

    def _owner_at(self, at: int) -> _Unit | None:
        """Return a party's name or adjective at `at`, whichever is longer."""
        name, adjective = self._name_at(at), self._adjective_at(at)
        if name is None or (adjective is not None and adjective.end > name.end):
            return adjective
        return name

    def parse(self) -> list[PartyAt]:
        """Return the parties told, by position, none overlapping."""
        out: list[PartyAt] = []
        at = 0
        while at < len(self.words):
            found = self._party_at(at)
            if found is None:
                at += 1
                continue
            end, party = found
            out.append(party)
            at = end
        return out

    def _party_at(self, at: int) -> tuple[int, PartyAt] | None:
        word = self.words[at].text
        if word in self.lexicon.pro or word in self.lexicon.anti:
            return self._for_or_against(at, anti=word in self.lexicon.anti)
        owner = self._owner_at(at)
        found = self._owned(at, owner) if owner is not None else None
        return found or self._headed(at)

    def _for_or_against(self, at: int, *, anti: bool) -> tuple[int, PartyAt] | None:
        """Read "pro-Gaddafi forces" and "anti-Assad rebels"."""
        lexicon = self.lexicon
        owner = self._adjective_at(at + 1) or self._name_at(at + 1) if at + 1 < len(self.words) else None
        bare = self._head_at(at, lexicon.bare)
        if owner is None or (bare is not None and bare.end > owner.end):
            return self._bare(at, bare) if bare else None
        end, head = self._heads_from(owner.end)
        if end == owner.end or head is None or lexicon.heads[head].cls in {"act", "people", "official"}:
            return None
        party = lexicon.parties[owner.party]
        return end, self._made(at, end, (party.against or "") if anti else party.id)

    def _begins_with_and(self, at: int) -> bool:
        """Return whether an Arabic head word is written onto "and": it begins a party of its own."""
        word = self.words[at].text
        return is_arabic(word) and word.startswith("و") and not self.lexicon.head_words.begins(word)

    def _heads_from(self, at: int) -> tuple[int, int | None]:
        """Return the end of the head words from `at`, fillers allowed between, and the last head."""
        end, head, probe = at, None, at
        limit = min(len(self.words), at + 3 * _MOST_HEADS)
        while probe < limit:
            unit = self._head_at(probe, self.lexicon.head_words)
            if unit is not None and self._begins_with_and(probe):
                break
            if unit is not None:
                if head is not None and self.lexicon.heads[unit.head].cls == "act":
                    break
                end, head, probe = unit.end, unit.head, unit.end
            elif probe < at + 2 and self.words[probe].text in self.lexicon.fillers:
                probe += 1
            else:
                break
        return end, head

    def _owned(self, at: int, owner: _Unit) -> tuple[int, PartyAt] | None:
        """Read an owner with what follows it: more adjectives, heads, or a title and a name."""
        lexicon = self.lexicon
        end, last = owner.end, at
        for _ in range(3):  # "Syrian Kurdish", "Russian and Syrian" stay apart: no joining words are crossed
            following = self._owner_at(end) if end < len(self.words) else None
            if following is None or owner.kind == "name":
                break
            last = end
            owner, end = following, following.end
        title_end = self._title_end(end)
        if owner.kind == "adjective" and title_end > end and title_end < len(self.words):
            named = self._name_at(title_end)
            if named is not None:
                owner, end = named, named.end
        heads_end, head = self._heads_from(end)
        cls = lexicon.heads[head].cls if head is not None else ""
        if cls == "act":
            return end, self._made(at, end, self._becomes(owner.party, "force"))
        if head is None and owner.kind == "adjective":
            return self._ending_in_adjective(at, last, owner)
        if head is None:
            return end, self._made(at, end, owner.party)
        loyal_end = self._loyal_end(heads_end)
        if loyal_end > heads_end:
            tied = self._name_at(self._title_end(loyal_end)) if self._title_end(loyal_end) < len(self.words) else None
            if tied is not None and owner.kind == "adjective" and cls in {"force", "fighters"}:
                return tied.end, self._made(at, tied.end, tied.party)
        party = self._becomes(owner.party, cls)
        if party == "" and cls == "people" and owner.kind == "name":
            return end, self._made(at, end, owner.party)
        return heads_end, self._made(at, heads_end, party)

    def _ending_in_adjective(self, at: int, last: int, owner: _Unit) -> tuple[int, PartyAt] | None:
        """Read "Syrian regime", whose last word is a head as well, and the first of "Russian and Syrian jets"."""
        head = self._head_at(last, self.lexicon.head_words)
        if head is not None and head.end >= owner.end and last > at:
            before = self._adjective_at(at)
            party = self._becomes(before.party if before else owner.party, self.lexicon.heads[head.head].cls)
            return owner.end, self._made(at, owner.end, party)
        joined = owner.end + 1
        if (
            joined < len(self.words)
            and self.words[owner.end].text in self.lexicon.joining
            and self.lexicon.parties[owner.party].kind in {"state", "alliance"}
        ):
            other = self._owner_at(joined)
            if other is not None and self._heads_from(other.end)[1] is not None:
                return owner.end, self._made(at, owner.end, self._becomes(owner.party, "force"))
        return None

    def _headed(self, at: int) -> tuple[int, PartyAt] | None:
        """Read "forces loyal to X", a title and a name, or bare words."""
        title_end = self._title_end(at) if self.words[at].text not in _NO_TITLE_ALONE else at
        if at < title_end < len(self.words):
            named = self._name_at(title_end)
            if named is not None:
                found = self._owned(title_end, named)
                end = found[0] if found else named.end
                return end, self._made(at, end, found[1].party.party_id if found else named.party)
        unit = self._head_at(at, self.lexicon.head_words)
        if unit is None:
            return None
        end, head = self._heads_from(at)
        if head is None:
            return None
        if self.lexicon.heads[head].cls in {"force", "fighters", "opposition", "government"}:
            loyal_end = self._loyal_end(end)
            if loyal_end > end:
                name_at = self._title_end(loyal_end)
                if name_at < len(self.words):
                    adjective = self._adjective_at(name_at)
                    if adjective is not None:
                        name_at = self._title_end(adjective.end)
                    tied = self._name_at(name_at) if name_at < len(self.words) else None
                    if tied is None and adjective is not None:
                        tied = adjective
                    if tied is not None:
                        tied_end, tied_head = self._heads_from(tied.end)
                        if tied_head is not None and self.lexicon.heads[tied_head].cls != "act":
                            return tied_end, self._made(at, tied_end, self._becomes(tied.party, "force"))
                        return tied.end, self._made(at, tied.end, self._becomes(tied.party, "force"))
        bare = self._head_at(at, self.lexicon.bare)
        return self._bare(at, bare) if bare is not None else None

    def _bare(self, at: int, unit: _Unit) -> tuple[int, PartyAt]:
        return unit.end, self._made(at, unit.end, self.lexicon.heads[unit.head].id)

    def _start(self, at: int) -> int:
        """Return where the party begins: words that lean on an Arabic name are not of it."""
        word = self.words[at]
        if not is_arabic(word.text):
            return word.start
        tables = (self.lexicon.names, self.lexicon.bare, self.lexicon.head_words)
        leaning = leaning_letters(word.text, lambda form: any(table.begins(form) for table in tables))
        if not leaning:
            return word.start
        return word.start + fold(self.text[word.start : word.end]).span(leaning, leaning)[0]

    def _becomes(self, party: str, cls: str) -> str:
        return self.lexicon.parties[party].becomes.get(cls, party) if party in self.lexicon.parties else party

    def _made(self, at: int, end: int, party: str) -> PartyAt:
        start, stop = self._start(at), self.words[end - 1].end
        record = self.lexicon.parties.get(party)
        return PartyAt(
            start=start,
            end=stop,
            party=Party(name=self.text[start:stop], party_id=party),
            country=record.country if record else "",
            kind=record.kind if record else "",
            side=record.side if record else "",
        )


def find_parties(text: str, lang: str) -> list[PartyAt]:
    """Return the parties told in `text`, by position; names of all five languages are known whatever `lang` is."""
    del lang  # names are looked up in one table: outlets of one language quote those of another
    return _Parser(text, _lexicon()).parse()


def party_id_of(name: str, country: str | None) -> str:
    """Return the id of the party that `name` means in the war of `country` ("SY", "LY" or None), "" if none is known.

    A bare word for a body of people means that country's own: "rebels" in Syria are the Syrian opposition.
    """
    lexicon = _lexicon()
    found = _Parser(name, lexicon).parse()
    if not found:
        return ""
    best = max(found, key=lambda one: one.end - one.start)
    own = best.party.party_id
    for head in lexicon.heads:
        if head.id == own and country in head.inside:
            return head.inside[country]
    return own
