"""Tolls: how many people were killed or injured, as told.

A trigger ("killed", "claimed the lives of") is joined to the number that belongs to it: the one that follows an active
verb, the one that stands before a participle. Ages, years, distances and counts of things are no tolls, and parts of a
toll ("including five children") do not replace it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from transforms.detect.arabic import is_arabic, stems
from transforms.detect.folding import Folded, fold
from transforms.detect.slot_data import numbers, only_keys, read_lexicon, words
from transforms.detect.spans import TollAt

__all__ = ["TollAt", "find_tolls"]

_TOKEN = re.compile(r"(?:[^\W\d_]\.){2,}|[^\W\d_]+(?:'[^\W\d_]+)*|\d+(?:[.,]\d{3})+(?!\d)|\d+|[^\w\s]")
_REACH_AFTER = 9
_REACH_BEFORE = 16
_CLAUSE_ENDS = frozenset(".;:!?|")
_HIGHEST = 500_000  # more dead than any single report of these wars gives
_YEARS = range(1900, 2100)
_CONTEXT = 22  # tokens on either side that may say over what time a toll is counted
_LONG_TOTAL = 2_000  # no single report of one act in these wars told as many
_LARGE = 500  # with "since", more than a few days' dead


class _Token(NamedTuple):
    word: str
    start: int
    end: int


class _Number(NamedTuple):
    value: int | None
    first: int
    end: int  # token indices
    lone: bool = False  # "a soldier": one, though no number says so


class _Trigger(NamedTuple):
    kind: str
    first: int
    end: int
    before: bool
    after: bool
    opening: bool
    claiming: bool


@dataclass(frozen=True, slots=True)
class _Grammar:
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
    year_before: frozenset[str]


_KEYS = {
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
    "cumulative",
    "numbers",
    "multipliers",
    "killed",
    "injured",
}
_KIND_KEYS = {"before", "after", "opening", "closing", "claiming", "lives"}


def compile_grammar(table: dict[str, Any], name: str) -> _Grammar:
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
    return _Grammar(
        numbers=numbers(table, "numbers", name),
        multipliers=numbers(table, "multipliers", name),
        cumulative=tuple(tuple(t.word for t in _tokens(phrase)) for phrase in words(table, "cumulative", name)),
        triggers={first: tuple(sorted(of, key=lambda one: -len(one[0]))) for first, of in triggers.items()},
        closing=closing,
        lives=lives,
        **{
            key: frozenset(words(table, key, name))
            for key in (
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
        },
    )


@cache
def _grammar(lang: str) -> _Grammar:
    name = f"tolls.{lang}.toml"
    return compile_grammar(read_lexicon(name) or read_lexicon("tolls.en.toml"), name)


def _tokens(folded: str) -> list[_Token]:
    return [_Token(found.group(), found.start(), found.end()) for found in _TOKEN.finditer(folded)]


class _Reader:
    """The tokens of one text with the numbers and triggers that stand in them."""

    def __init__(self, folded: Folded, grammar: _Grammar) -> None:
        self.grammar = grammar
        self.tokens = _tokens(folded.text)
        self.source = folded
        self.forms = [self._forms(token.word) for token in self.tokens]
        self.numbers: dict[int, _Number] = {}
        self.number_ends: dict[int, _Number] = {}
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
        return self.tokens[index].word if 0 <= index < len(self.tokens) else ""

    def _small(self, index: int) -> int | None:
        for form in self.forms[index]:
            if form in self.grammar.numbers:
                return self.grammar.numbers[form]
        return None

    def _number(self, at: int) -> _Number | None:
        """Return the number that begins at token `at`."""
        grammar, word = self.grammar, self.word(at)
        if word[0].isdigit():
            plain = re.sub("[.,]", "", word)
            value = int(plain) if len(plain) < 9 else None
            end = at + 1
            if value is not None and self.has(end, frozenset(grammar.multipliers)):
                value *= max(grammar.multipliers.get(form, 0) for form in self.forms[end])
                end += 1
            return _Number(value, at, end)
        if self.has(at, grammar.vague) and not (self.word(at - 1) == "as" and self.word(at + 1) == "as"):
            end = at + 1
            while self.has(end, grammar.vague) or (
                self.word(end) == "of" and self.has(end + 1, frozenset(grammar.multipliers) | grammar.vague)
            ):
                end += 1
            return _Number(None, at, end)
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
        return _Number(total, at, end) if end > at else None

    def _glued(self, number: _Number) -> bool:
        """Return whether the number is part of a time, a ratio or a date: "12:30", "5/6"."""
        tokens, first, after = self.tokens, number.first, number.end
        left = first > 0 and tokens[first - 1].word in {":", "/"} and tokens[first - 1].end == tokens[first].start
        right = (
            after < len(tokens) and tokens[after].word in {":", "/"} and tokens[after].start == tokens[after - 1].end
        )
        return left or right

    def _one(self, at: int) -> _Number | None:
        """Return the number one that "a soldier" tells."""
        another = self.has(at, self.grammar.another) and (
            self.has(at + 1, self.grammar.auxiliary) or self.has(at + 1, self.grammar.closing["injured"])
        )
        if another or (self.has(at, self.grammar.singular) and self.person_from(at + 1) >= 0):
            return _Number(1, at, at + 1, lone=True)
        return None

    def person_from(self, at: int) -> int:
        """Return the token that is a word for one person and heads the noun phrase at token `at`, -1 if none does."""
        found = -1
        for probe in range(at, min(at + 7, len(self.tokens))):
            if self.has(probe, self.grammar.person):
                found = probe
            elif self.word(probe) not in {"-", "'"} and self.ends_phrase(probe):
                break
        return found

    def ends_phrase(self, at: int) -> bool:
        """Return whether a noun phrase is over at token `at`."""
        return (
            at >= len(self.tokens)
            or not self.word(at)[0].isalnum()
            or self.has(at, self.grammar.victim_stops | self.grammar.auxiliary | self.grammar.joining)
        )

    def _counts_people(self, number: _Number) -> bool:
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

    def _find_triggers(self) -> list[_Trigger]:
        out: list[_Trigger] = []
        at = 0
        while at < len(self.tokens):
            longest: dict[str, _Trigger] = {}
            for form in self.forms[at]:
                for parts, kind, sides in self.grammar.triggers.get(form, ()):
                    end = at + len(parts)
                    if end > len(self.tokens) or any(parts[k] not in self.forms[at + k] for k in range(1, len(parts))):
                        continue
                    if kind not in longest or longest[kind].end < end:
                        longest[kind] = _Trigger(
                            kind, at, end, "before" in sides, "after" in sides, "opening" in sides, "claiming" in sides
                        )
            out.extend(longest.values())
            at += 1
        return out


def _number_after(reader: _Reader, trigger: _Trigger) -> _Number | None:
    """Return the number that an active trigger governs, reading on from it."""
    grammar, tokens = reader.grammar, reader.tokens
    joined = False
    for at in range(trigger.end, min(trigger.end + _REACH_AFTER, len(tokens))):
        if at in reader.numbers:
            number = reader.numbers[at]
            if joined and _other_trigger_follows(reader, number, trigger.kind):
                return None
            return number
        if reader.has(at, grammar.joining):
            if tokens[at].word != ",":
                joined = True
        elif not (reader.has(at, grammar.approximate) or _in_trigger(reader, at)):
            return None
    return None


def _in_trigger(reader: _Reader, at: int) -> bool:
    return at in reader.trigger_at


def _other_trigger_follows(reader: _Reader, number: _Number, kind: str) -> bool:
    """Return whether a participle of the other kind claims `number` ("... and 30 others wounded")."""
    for at in range(number.end, min(number.end + 8, len(reader.tokens))):
        if reader.word(at) in _CLAUSE_ENDS or reader.has(at, reader.grammar.joining):
            return False
        trigger = reader.trigger_at.get(at)
        if trigger is not None and trigger.before:
            return trigger.kind != kind
    return False


def _number_before(reader: _Reader, trigger: _Trigger) -> _Number | None:
    """Return the number whose noun phrase a participle closes, reading back from it."""
    grammar = reader.grammar
    at = trigger.first - 1
    passive = reader.has(at, grammar.auxiliary)
    reach = trigger.first - (_REACH_BEFORE if passive else _REACH_BEFORE // 2)
    fallback: _Number | None = None
    while at >= max(reach, 0):
        word = reader.word(at)
        if word in _CLAUSE_ENDS or reader.has(at, grammar.breaks):
            break
        other = reader.trigger_at.get(at)
        foreign = other is not None and other.kind != trigger.kind and not reader.has(at, grammar.auxiliary)
        if foreign and not _coordinated(reader, at, trigger.first):  # "killed and wounded": the number is both's
            break
        number = reader.number_ends.get(at + 1)
        if number is not None:
            if number.lone and not passive and not reader.has(trigger.first, grammar.intransitive):
                return None
            if not _is_part(reader, number):
                return number
            if reader.has(number.end, grammar.part_joints) and number.end + 1 not in reader.numbers:
                fallback = fallback or number  # "39 of whom were killed"

            at = number.first - 1
            continue
        at -= 1
    return fallback


def _coordinated(reader: _Reader, first: int, second: int) -> bool:
    return all(
        reader.has(at, reader.grammar.joining | reader.grammar.auxiliary) or at in reader.trigger_at
        for at in range(first, second)
    )


def _is_part(reader: _Reader, number: _Number) -> bool:
    """Return whether the number only tells a part of another ("including five children", "eight of them")."""
    before = number.first - 1
    while (
        before >= 0 and reader.has(before, reader.grammar.approximate) and not reader.has(before, reader.grammar.subset)
    ):
        before -= 1
    if reader.has(before, reader.grammar.subset):
        return not reader.has(before - 1, reader.grammar.auxiliary)  # "ten were among 48 killed": 48 is the whole
    return reader.has(number.end, reader.grammar.part_joints) and (
        reader.has(number.end + 1, reader.grammar.part_of) or number.end + 1 in reader.numbers
    )


def _closed(reader: _Reader, number: _Number, closing: frozenset[str]) -> bool:
    every = reader.grammar.closing["killed"] | reader.grammar.closing["injured"]
    for at in range(number.end, min(number.end + 9, len(reader.tokens))):
        if reader.has(at, every):
            return reader.has(at, closing)
        if reader.word(at) in _CLAUSE_ENDS:
            return False
    return False


def _victims(reader: _Reader, first: int) -> tuple[int, int]:
    """Return the token range of the noun phrase after the number."""
    grammar = reader.grammar
    at = first
    while at < len(reader.tokens) and at < first + 6:
        word = reader.word(at)
        if not (word[0].isalpha() or word in {"-", "'"}):
            break
        if at in reader.trigger_at or reader.has(at, grammar.victim_stops) or reader.has(at, grammar.auxiliary):
            break
        if at in reader.numbers:
            break
        at += 1
    return first, at


def _is_cumulative(reader: _Reader, first: int, end: int, value: int | None) -> bool:
    """Return whether the sentence around the toll counts over a long time."""
    if value is not None and value >= _LONG_TOTAL:
        return True
    tokens = reader.tokens
    left, right = first, end
    while left > 0 and tokens[left - 1].word not in {".", ";", "!", "?"} and first - left < _CONTEXT:
        left -= 1
    while right < len(tokens) and tokens[right].word not in {".", ";", "!", "?"} and right - end < _CONTEXT:
        right += 1
    around = " ".join(token.word for token in tokens[left:right])
    padded = f" {around} "
    if value is not None and value >= _LARGE and any(reader.has(at, reader.grammar.since) for at in range(left, right)):
        return True
    return any(f" {' '.join(phrase)} " in padded for phrase in reader.grammar.cumulative)


class _Toll(NamedTuple):
    """A trigger's number, sums of coordinated numbers included, as token indices."""

    value: int | None
    first: int
    end: int
    number: _Number | None


def find_tolls(text: str, lang: str) -> list[TollAt]:
    """Return the tolls told in `text`, by position; numbers of one event's dead and injured are separate entries."""
    grammar = _grammar(lang)
    folded = fold(text)
    reader = _Reader(folded, grammar)
    found: dict[tuple[str, int], TollAt] = {}
    for trigger in reader.triggers:
        toll = _toll_of(reader, trigger)
        if toll is None or (trigger.kind, toll.first) in found:
            continue
        first, end = min(trigger.first, toll.first), max(trigger.end, toll.end)
        victim_first, victim_end = _victims(reader, toll.number.end) if toll.number else (toll.first, toll.end)
        end = max(end, victim_end if victim_end > victim_first else end)
        start, stop = folded.span(reader.tokens[first].start, reader.tokens[end - 1].end)
        victims = (
            folded.quote(reader.tokens[victim_first].start, reader.tokens[victim_end - 1].end)
            if victim_end > victim_first
            else ""
        )
        found[trigger.kind, toll.first] = TollAt(
            start=start,
            end=stop,
            kind=trigger.kind,
            value=toll.value,
            victims=victims,
            cumulative=_is_cumulative(reader, first, end, toll.value),
        )
    return sorted(found.values(), key=lambda one: (one.start, one.kind != "killed"))


def _toll_of(reader: _Reader, trigger: _Trigger) -> _Toll | None:
    """Return the toll that `trigger` tells: a number, a sum of numbers, or one person."""
    number = _number_of(reader, trigger)
    if number is None:
        return _one_person(reader, trigger)
    return _summed(reader, trigger, number)


def _summed(reader: _Reader, trigger: _Trigger, number: _Number) -> _Toll:
    """Add the numbers that "and" joins to it ("ten children and five women were killed")."""
    value, first, end = number.value, number.first, number.end
    if trigger.end > number.end:  # the number stands before its participle
        bare = trigger.first == number.end  # "three members and ten injured": the ten alone
        at = number.first
        while value is not None and not bare:
            earlier = _joined_before(reader, at)
            if earlier is None:
                break
            if reader.has(earlier.first - 1, reader.grammar.between):
                return _Toll(earlier.value, earlier.first, number.end, number)  # "between four and 20": the first
            value, at = (None if earlier.value is None else value + earlier.value), earlier.first
        first = at
        beside = _number_beside(reader, trigger.end)
        if value is not None and beside is not None and beside.value is not None:
            value, end = value + beside.value, beside.end
    else:
        at = number.end
        while value is not None:
            later = _joined_after(reader, at)
            if later is None:
                break
            value, at = (None if later.value is None else value + later.value), later.end
        end = at
    return _Toll(value, first, end, number)


def _number_beside(reader: _Reader, at: int) -> _Number | None:
    """Return the number in ", along with eight others" after a participle."""
    if reader.word(at) == ",":
        at += 1
    if not reader.has(at, reader.grammar.beside):
        return None
    while reader.has(at, reader.grammar.beside):
        at += 1
    return reader.numbers.get(at)


def _joined_before(reader: _Reader, at: int) -> _Number | None:
    """Return the number whose noun phrase is joined by "and" to the one that begins at token `at`."""
    at = _back_over(reader, at - 1, reader.grammar.approximate)
    if reader.has(at, reader.grammar.people) and at in reader.number_ends:
        return reader.number_ends[at]  # "22 children 6 teachers killed", where a feed loses its commas
    if not (at >= 0 and reader.has(at, reader.grammar.units)):
        return None
    for probe in range(at - 1, max(at - 8, -1), -1):
        if probe + 1 in reader.number_ends:
            number = reader.number_ends[probe + 1]
            return None if _is_part(reader, number) else number
        if not reader.word(probe)[0].isalpha() and reader.word(probe) not in {"-", "'"}:
            return None
        if probe in reader.trigger_at or reader.has(probe, reader.grammar.auxiliary | reader.grammar.subset):
            return None
    return None


def _joined_after(reader: _Reader, at: int) -> _Number | None:
    """Return the number that "and" joins to the noun phrase that ends or goes on at token `at`."""
    for probe in range(at, min(at + 9, len(reader.tokens))):
        if reader.has(probe, reader.grammar.units):
            following = probe + 1
            while following not in reader.numbers and reader.has(following, reader.grammar.approximate):
                following += 1
            number = reader.numbers.get(following)
            return None if number is None or _claimed(reader, number) or _is_part(reader, number) else number
        if probe in reader.trigger_at or reader.has(probe, reader.grammar.subset | reader.grammar.breaks):
            return None
        if not reader.word(probe)[0].isalpha() and reader.word(probe) not in {"-", "'"}:
            return None
    return None


def _claimed(reader: _Reader, number: _Number) -> bool:
    """Return whether a participle after the number claims it for its own ("and 30 others were wounded")."""
    for at in range(number.end, min(number.end + 9, len(reader.tokens))):
        if reader.word(at) in _CLAUSE_ENDS:
            return False
        trigger = reader.trigger_at.get(at)
        if trigger is not None:
            return trigger.before
    return False


def _back_over(reader: _Reader, at: int, words_: frozenset[str]) -> int:
    while at >= 0 and reader.has(at, words_):
        at -= 1
    return at


def _one_person(reader: _Reader, trigger: _Trigger) -> _Toll | None:
    """Return a toll of one that no number tells: "its commander was killed", "kills militant leader"."""
    grammar = reader.grammar
    if trigger.opening or trigger.claiming:
        return None
    if trigger.after:
        person = reader.person_from(trigger.end)
        if person >= 0 and (reader.ends_phrase(person + 1) or reader.capital(person + 1)):
            return _Toll(1, trigger.end, person + 1, None)
    if not trigger.before:
        return None
    at, singular = trigger.first - 1, False
    while at >= 0 and reader.has(at, grammar.auxiliary):
        singular = singular or reader.has(at, grammar.singular_auxiliary)
        at -= 1
    if reader.has(at, grammar.none) or reader.has(at - 1, grammar.none):
        return None
    named = singular and reader.capital(at) and at > 0
    closed = singular and reader.word(at) == "," and at > 1 and reader.word(at - 1)[0].isalpha()
    bare = at == trigger.first - 1 and reader.has(at, grammar.person) and not reader.has(at - 1, grammar.vague)
    if named or closed or bare or (singular and reader.has(at, grammar.person)):
        return _Toll(1, max(at, 0), trigger.end, None)
    return None


def _number_of(reader: _Reader, trigger: _Trigger) -> _Number | None:
    """Return the number that belongs to `trigger`."""
    grammar = reader.grammar
    after = _number_after(reader, trigger) if trigger.after or trigger.opening or trigger.claiming else None
    if trigger.opening and (after is None or not _closed(reader, after, grammar.closing[trigger.kind])):
        return None
    if trigger.claiming and trigger.end - trigger.first == 1:
        lives = after is not None and any(reader.has(after.end + k, grammar.lives[trigger.kind]) for k in range(3))
        return after if lives else None
    if not trigger.before:
        return after
    before = _number_before(reader, trigger)
    if after is None or before is None:
        return after or before
    passive = reader.has(trigger.first - 1, grammar.auxiliary)
    claimed = _other_trigger_follows(reader, after, trigger.kind)
    return before if passive or claimed else after
