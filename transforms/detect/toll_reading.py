"""The words of one text as tolls are read in them: its numbers, and the triggers that say killed or injured."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from transforms.detect.arabic import is_arabic, stems
from transforms.detect.folding import Folded
from transforms.detect.slot_data import numbers, only_keys, read_lexicon, words

_TOKEN = re.compile(r"(?:[^\W\d_]\.){2,}|[^\W\d_]+(?:'[^\W\d_]+)*|\d+(?:[.,]\d{3})+(?!\d)|\d+|[^\w\s]")
CLAUSE_ENDS = frozenset(".;:!?|")
_HIGHEST = 500_000  # more dead than any single report of these wars gives
_YEARS = range(1900, 2100)


class Token(NamedTuple):
    """A word or mark of the folded text."""

    word: str
    start: int
    end: int


class Number(NamedTuple):
    """A number told, None where it is only vague ("dozens")."""

    value: int | None
    first: int
    end: int  # token indices
    lone: bool = False  # "a soldier": one, though no number says so


class Trigger(NamedTuple):
    """Words that say that people were killed or injured, and where their number can stand."""

    kind: str
    first: int
    end: int
    before: bool
    after: bool
    opening: bool
    claiming: bool


@dataclass(frozen=True, slots=True)
class Grammar:
    """One language's data, compiled."""

    numbers: dict[str, int]
    multipliers: dict[str, int]
    approximate: frozenset[str]
    vague: frozenset[str]
    auxiliary: frozenset[str]
    subset: frozenset[str]
    joining: frozenset[str]
    breaks: frozenset[str]
    not_people: frozenset[str]
    months: frozenset[str]
    people: frozenset[str]
    person: frozenset[str]
    part_of: frozenset[str]
    part_joints: frozenset[str]
    victim_stops: frozenset[str]
    cumulative: tuple[tuple[str, ...], ...]
    triggers: dict[str, tuple[tuple[tuple[str, ...], str, frozenset[str]], ...]]
    closing: dict[str, frozenset[str]]
    lives: dict[str, frozenset[str]]
    singular: frozenset[str]
    singular_auxiliary: frozenset[str]
    between: frozenset[str]
    units: frozenset[str]
    since: frozenset[str]
    none: frozenset[str]
    another: frozenset[str]
    intransitive: frozenset[str]
    beside: frozenset[str]
    attackers: frozenset[str]
    year_before: frozenset[str]


_WORD_LISTS = (
    "approximate",
    "vague",
    "auxiliary",
    "subset",
    "part_of",
    "part_joints",
    "between",
    "units",
    "since",
    "none",
    "another",
    "intransitive",
    "beside",
    "attackers",
    "year_before",
    "joining",
    "breaks",
    "people",
    "person",
    "singular",
    "singular_auxiliary",
    "not_people",
    "months",
    "victim_stops",
)
_KEYS = {*_WORD_LISTS, "cumulative", "numbers", "multipliers", "killed", "injured"}
_KIND_KEYS = {"before", "after", "opening", "closing", "claiming", "lives"}


def compile_grammar(table: dict[str, Any], name: str) -> Grammar:
    """Return the checked grammar of one language's table."""
    only_keys(table, _KEYS, name)
    triggers: dict[str, list[tuple[tuple[str, ...], str, frozenset[str]]]] = {}
    closing: dict[str, frozenset[str]] = {}
    lives: dict[str, frozenset[str]] = {}
    for kind in ("killed", "injured"):
        part = table.get(kind, {})
        only_keys(part, _KIND_KEYS, name, f"{kind}: ")
        sides: dict[str, set[str]] = {}
        for side in ("before", "after", "opening", "claiming"):
            for phrase in words(part, side, f"{name}: {kind}"):
                sides.setdefault(phrase, set()).add(side)
        for phrase, of in sides.items():
            parts = tuple(token.word for token in _tokens(phrase))
            triggers.setdefault(parts[0], []).append((parts, kind, frozenset(of)))
        closing[kind] = frozenset(words(part, "closing", name))
        lives[kind] = frozenset(words(part, "lives", name))
    return Grammar(
        numbers=numbers(table, "numbers", name),
        multipliers=numbers(table, "multipliers", name),
        cumulative=tuple(tuple(t.word for t in _tokens(phrase)) for phrase in words(table, "cumulative", name)),
        triggers={first: tuple(sorted(of, key=lambda one: -len(one[0]))) for first, of in triggers.items()},
        closing=closing,
        lives=lives,
        **{key: frozenset(words(table, key, name)) for key in _WORD_LISTS},
    )


@cache
def grammar_of(lang: str) -> Grammar:
    """Return the package's grammar of a language; English where it has none."""
    name = f"tolls.{lang}.toml"
    return compile_grammar(read_lexicon(name) or read_lexicon("tolls.en.toml"), name)


def _tokens(folded: str) -> list[Token]:
    return [Token(found.group(), found.start(), found.end()) for found in _TOKEN.finditer(folded)]


class TollReader:
    """The tokens of one text with the numbers and triggers that stand in them."""

    def __init__(self, folded: Folded, grammar: Grammar) -> None:
        self.grammar = grammar
        self.tokens = _tokens(folded.text)
        self.source = folded
        self.forms = [self._forms(token.word) for token in self.tokens]
        self.numbers: dict[int, Number] = {}
        self.number_ends: dict[int, Number] = {}
        at = 0
        while at < len(self.tokens):
            number = self._number(at) or self._one(at)
            if number is None:
                at += 1
                continue
            if number.lone or self._counts_people(number):
                self.numbers[number.first] = number
                self.number_ends[number.end] = number
            at = number.end
        self.triggers = self._find_triggers()
        self.trigger_at = {one.first: one for one in self.triggers}
        self.trigger_end = {one.end: one for one in self.triggers}

    @staticmethod
    def _forms(word: str) -> tuple[str, ...]:
        return stems(word) if is_arabic(word) else (word,)

    def has(self, index: int, of: frozenset[str]) -> bool:
        """Return whether the token at `index`, leaning words aside, is one of `of`."""
        return 0 <= index < len(self.tokens) and any(form in of for form in self.forms[index])

    def capital(self, index: int) -> bool:
        """Return whether the token at `index` is capitalised."""
        if not 0 <= index < len(self.tokens):
            return False
        start, end = self.source.span(self.tokens[index].start, self.tokens[index].start + 1)
        return self.source.source[start:end].isupper()

    def word(self, index: int) -> str:
        """Return the word at `index`, "" beyond the ends."""
        return self.tokens[index].word if 0 <= index < len(self.tokens) else ""

    def _small(self, index: int) -> int | None:
        for form in self.forms[index]:
            if form in self.grammar.numbers:
                return self.grammar.numbers[form]
        return None

    def _number(self, at: int) -> Number | None:
        """Return the number that begins at token `at`."""
        grammar, word = self.grammar, self.word(at)
        if word[0].isdigit():
            plain = re.sub("[.,]", "", word)
            value = int(plain) if len(plain) < 9 else None
            end = at + 1
            if value is not None and self.has(end, frozenset(grammar.multipliers)):
                value *= max(grammar.multipliers.get(form, 0) for form in self.forms[end])
                end += 1
            return Number(value, at, end)
        if self.has(at, grammar.vague) and not (self.word(at - 1) == "as" and self.word(at + 1) == "as"):
            end = at + 1
            while self.has(end, grammar.vague) or (
                self.word(end) == "of" and self.has(end + 1, frozenset(grammar.multipliers) | grammar.vague)
            ):
                end += 1
            return Number(None, at, end)
        total, last, end = 0, 0, at
        while end < len(self.tokens):
            small = self._small(end)
            multiplier = next((grammar.multipliers[f] for f in self.forms[end] if f in grammar.multipliers), None)
            if multiplier is not None:
                total = max(total, 1) * multiplier if total < multiplier or multiplier == 1000 else total + multiplier
            elif small is not None:
                tens = last >= 10 and last % 10 == 0 and small < 10
                arabic_tens = last < 10 <= small < 100 and small % 10 == 0 and is_arabic(self.word(end))
                if last and not (tens or arabic_tens) and not last >= 100:
                    if small == 12 and word not in grammar.numbers:
                        break
                    if small != 12:
                        break
                    total *= small  # "two dozen"
                else:
                    total += small
            elif (
                self.word(end) in {"-", "and"}
                and end > at
                and end + 1 < len(self.tokens)
                and last
                and self._small(end + 1)
                and (self.word(end) == "-" or last >= 100)
            ):
                end += 1
                continue
            else:
                break
            last = multiplier or small or 0
            end += 1
        return Number(total, at, end) if end > at else None

    def _glued(self, number: Number) -> bool:
        """Return whether the number is part of a time, a ratio or a date: "12:30", "5/6", "28.05.2017"."""
        tokens, first, after = self.tokens, number.first, number.end
        left = first > 0 and tokens[first - 1].word in {":", "/"} and tokens[first - 1].end == tokens[first].start
        right = (
            after < len(tokens) and tokens[after].word in {":", "/"} and tokens[after].start == tokens[after - 1].end
        )
        mark = self.word(after)
        dated = (mark == "." or (mark == "-" and self.word(after + 2) == "-")) and self.word(after + 1)[:1].isdigit()
        return left or right or (dated and tokens[after + 1].start == tokens[after - 1].end + 1)

    def _one(self, at: int) -> Number | None:
        """Return the number one that "a soldier" tells."""
        another = self.has(at, self.grammar.another) and (
            self.has(at + 1, self.grammar.auxiliary) or self.has(at + 1, self.grammar.closing["injured"])
        )
        if another or (self.has(at, self.grammar.singular) and self.person_from(at + 1) >= 0):
            return Number(1, at, at + 1, lone=True)
        return None

    def person_from(self, at: int) -> int:
        """Return the token that is a word for one person and heads the noun phrase at token `at`, -1 if none does."""
        found = -1
        for probe in range(at, min(at + 7, len(self.tokens))):
            if self.has(probe, self.grammar.person) and not self._is_hyphened(probe):
                found = probe
            elif self.word(probe) not in {"-", "'"} and self.ends_phrase(probe):
                break
        return found

    def _is_hyphened(self, at: int) -> bool:
        """Return whether a word is the first half of a compound: "a rebel-held town"."""
        after = self.tokens[at + 1] if at + 1 < len(self.tokens) else None
        return after is not None and after.word == "-" and after.start == self.tokens[at].end

    def ends_phrase(self, at: int) -> bool:
        """Return whether a noun phrase is over at token `at`."""
        return (
            at >= len(self.tokens)
            or not self.word(at)[0].isalnum()
            or self.has(at, self.grammar.victim_stops | self.grammar.auxiliary | self.grammar.joining)
        )

    def _counts_people(self, number: Number) -> bool:
        """Return whether nothing speaks against the number counting people."""
        grammar, after = self.grammar, number.end
        before = self.word(number.first - 1)
        if number.value is not None and number.value > _HIGHEST:
            return False
        digits = self.word(number.first)
        if digits.isdigit() and number.value in _YEARS and len(digits) == 4:
            dated = self.has(number.first - 1, grammar.year_before | grammar.months) or before[:1].isdigit()
            if dated or before in {".", "-", ","} or not self.has(after, grammar.people):
                return False
        if before in {"$", "€", "£", "#"} or self.word(after) in {"%", "$"} or self._glued(number):
            return False
        if self.has(number.first - 1, grammar.months) or self.has(after, grammar.months):
            return False
        if self.word(after) == "-":
            after += 1
        if self._names_things(after) and not self.has(number.first, grammar.people):
            return False
        if self.has(number.first - 1, grammar.none):
            return False
        # "one of the", "five of them": a part, or no count at all
        return not (self.word(number.end) == "of" and digits == "one")

    def _names_things(self, at: int) -> bool:
        """Return whether the word at `at` is a thing that is counted; "by an explosion" after a number is not."""
        if at >= len(self.tokens) or not is_arabic(self.word(at)):
            return self.has(at, self.grammar.not_people)
        word = self.word(at)
        return word in self.grammar.not_people or word.removeprefix("ال") in self.grammar.not_people

    def _find_triggers(self) -> list[Trigger]:
        out: list[Trigger] = []
        at = 0
        while at < len(self.tokens):
            longest: dict[str, Trigger] = {}
            for form in self.forms[at]:
                for parts, kind, sides in self.grammar.triggers.get(form, ()):
                    end = at + len(parts)
                    if end > len(self.tokens) or any(parts[k] not in self.forms[at + k] for k in range(1, len(parts))):
                        continue
                    if kind not in longest or longest[kind].end < end:
                        longest[kind] = Trigger(
                            kind, at, end, "before" in sides, "after" in sides, "opening" in sides, "claiming" in sides
                        )
            out.extend(longest.values())
            at += 1
        return out
