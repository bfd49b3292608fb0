"""Tolls: how many people were killed or injured, as told.

A trigger ("killed", "claimed the lives of") is joined to the number that belongs to it: the one that follows an active
verb, the one that stands before a participle. Ages, years, distances and counts of things are no tolls, and parts of a
toll ("including five children") do not replace it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from transforms.detect.folding import fold
from transforms.detect.spans import TollAt
from transforms.detect.toll_reading import CLAUSE_ENDS, Number, TollReader, Trigger, compile_grammar, grammar_of

__all__ = ["TollAt", "compile_grammar", "find_tolls"]

_REACH_AFTER = 9
_REACH_BEFORE = 16
_CONTEXT = 22  # tokens on either side that may say over what time a toll is counted
_LONG_TOTAL = 2_000  # no single report of one act in these wars told as many
_LARGE = 500  # with "since", more than a few days' dead
_RISING = re.compile(
    r"\b(?P<injury>injury |casualty )?toll\b[^.;!?\n\d]{0,80}?"
    r"\b(?:climb\w*|ris\w+|rose|jump\w*|grow\w*|grew|increas\w+|stands?|stood|reach\w*|mount\w*|pass\w*|at)"
    r"(?: (?:to|at|past|above))?(?: (?:at least|nearly|almost|about|some|more than))? (?P<number>\d[\d,]*)\b",
    re.IGNORECASE,
)


def _number_after(reader: TollReader, trigger: Trigger) -> Number | None:
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


def _in_trigger(reader: TollReader, at: int) -> bool:
    return at in reader.trigger_at


def _other_trigger_follows(reader: TollReader, number: Number, kind: str) -> bool:
    """Return whether a participle of the other kind claims `number` ("... and 30 others wounded")."""
    for at in range(number.end, min(number.end + 8, len(reader.tokens))):
        if reader.word(at) in CLAUSE_ENDS or reader.has(at, reader.grammar.joining):
            return False
        trigger = reader.trigger_at.get(at)
        if trigger is not None and trigger.before:
            return trigger.kind != kind
    return False


def _number_before(reader: TollReader, trigger: Trigger) -> Number | None:
    """Return the number whose noun phrase a participle closes, reading back from it."""
    grammar = reader.grammar
    at = trigger.first - 1
    passive = reader.has(at, grammar.auxiliary)
    reach = trigger.first - (_REACH_BEFORE if passive else _REACH_BEFORE // 2)
    fallback: Number | None = None
    while at >= max(reach, 0):
        word = reader.word(at)
        if word in CLAUSE_ENDS or reader.has(at, grammar.breaks):
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


def _coordinated(reader: TollReader, first: int, second: int) -> bool:
    return all(
        reader.has(at, reader.grammar.joining | reader.grammar.auxiliary) or at in reader.trigger_at
        for at in range(first, second)
    )


def _is_part(reader: TollReader, number: Number) -> bool:
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


def _closed(reader: TollReader, number: Number, closing: frozenset[str]) -> bool:
    every = reader.grammar.closing["killed"] | reader.grammar.closing["injured"]
    for at in range(number.end, min(number.end + 9, len(reader.tokens))):
        if reader.has(at, every):
            return reader.has(at, closing)
        if reader.word(at) in CLAUSE_ENDS:
            return False
    return False


def _victims(reader: TollReader, first: int) -> tuple[int, int]:
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


def _is_cumulative(reader: TollReader, first: int, end: int, value: int | None) -> bool:
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
    number: Number | None


def find_tolls(text: str, lang: str) -> list[TollAt]:
    """Return the tolls told in `text`, by position; numbers of one event's dead and injured are separate entries."""
    grammar = grammar_of(lang)
    folded = fold(text)
    reader = TollReader(folded, grammar)
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
    tolls = list(found.values())
    if lang == "en":
        tolls += [toll for toll in _rising(text) if not any(t.start < toll.end and toll.start < t.end for t in tolls)]
    return sorted(tolls, key=lambda one: (one.start, one.kind != "killed"))


def _rising(text: str) -> Iterator[TollAt]:
    """Yield tolls whose words stand apart: "the toll of the market shelling has climbed to 86"."""
    for match in _RISING.finditer(text):
        value = int(match["number"].replace(",", ""))
        if value < _LONG_TOTAL:
            kind = "injured" if match["injury"] else "killed"
            yield TollAt(start=match.start(), end=match.end(), kind=kind, value=value)


def _toll_of(reader: TollReader, trigger: Trigger) -> _Toll | None:
    """Return the toll that `trigger` tells: a number, a sum of numbers, or one person."""
    number = _number_of(reader, trigger)
    if number is None:
        return _one_person(reader, trigger)
    return _summed(reader, trigger, number)


def _summed(reader: TollReader, trigger: Trigger, number: Number) -> _Toll:
    """Add the numbers that "and" joins to it ("ten children and five women were killed")."""
    value, first, end = number.value, number.first, number.end
    if trigger.end > number.end:  # the number stands before its participle
        bare = trigger.first == number.end  # "three members and ten injured": the ten alone
        at = number.first
        while value is not None and not bare:
            earlier = _joined_before(reader, at)
            if earlier is None:
                break
            if _is_attacker(reader, number):
                value = 0  # "four guards and a gunman were killed": four
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
            added = 0 if _is_attacker(reader, later) else later.value
            value, at = (None if added is None else value + added), later.end
        end = at
    return _Toll(value, first, end, number)


def _is_attacker(reader: TollReader, number: Number) -> bool:
    """Return whether the number is that of one of the perpetrators, whose dead are not in a toll."""
    person = reader.person_from(number.end) if number.lone else -1
    return person >= 0 and reader.has(person, reader.grammar.attackers)


def _number_beside(reader: TollReader, at: int) -> Number | None:
    """Return the number in ", along with eight others" after a participle."""
    if reader.word(at) == ",":
        at += 1
    if not reader.has(at, reader.grammar.beside):
        return None
    while reader.has(at, reader.grammar.beside):
        at += 1
    return reader.numbers.get(at)


def _joined_before(reader: TollReader, at: int) -> Number | None:
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


def _joined_after(reader: TollReader, at: int) -> Number | None:
    """Return the number that "and" joins to the noun phrase that ends or goes on at token `at`."""
    for probe in range(at, min(at + 9, len(reader.tokens))):
        if probe > at and reader.has(probe - 1, reader.grammar.people) and probe in reader.numbers:
            beside = reader.numbers[probe]  # "kill 10 children 5 women", where a feed loses its commas
            return None if _claimed(reader, beside) or _is_part(reader, beside) else beside
        if reader.word(probe) == "and" and reader.word(probe - 1) == "in":
            continue  # "in and around Aleppo"
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


def _claimed(reader: TollReader, number: Number) -> bool:
    """Return whether a participle after the number claims it for its own ("and 30 others were wounded")."""
    for at in range(number.end, min(number.end + 9, len(reader.tokens))):
        if reader.word(at) in CLAUSE_ENDS or (at in reader.numbers and reader.has(at - 1, reader.grammar.joining)):
            return False  # ", with nine others injured" is a toll of its own
        trigger = reader.trigger_at.get(at)
        if trigger is not None:
            return trigger.before
    return False


def _back_over(reader: TollReader, at: int, words_: frozenset[str]) -> int:
    while at >= 0 and reader.has(at, words_):
        at -= 1
    return at


def _one_person(reader: TollReader, trigger: Trigger) -> _Toll | None:
    """Return a toll of one that no number tells: "its commander was killed", "kills militant leader"."""
    grammar = reader.grammar
    if trigger.opening or trigger.claiming:
        return None
    if trigger.after:
        named = _name_with_office(reader, trigger.end)
        if named >= 0:
            return _Toll(1, trigger.end, named, None)
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
    if _is_last_of_several(reader, at):
        return None
    named = singular and reader.capital(at) and at > 0
    closed = singular and reader.word(at) == "," and at > 1 and reader.word(at - 1)[0].isalpha()
    bare = at == trigger.first - 1 and reader.has(at, grammar.person) and not reader.has(at - 1, grammar.vague)
    if named or closed or bare or (singular and reader.has(at, grammar.person)):
        return _Toll(1, max(at, 0), trigger.end, None)
    return None


def _name_with_office(reader: TollReader, at: int) -> int:
    """Return the end of a name that is told with what its bearer is, -1: "killing Omar al-Sharif, a commander of"."""
    end = at
    while end < at + 7 and (reader.capital(end) or (end > at and reader.word(end) in {"-", "al", "bin", "ibn", "abu"})):
        end += 1
    if end - at < 2 or reader.word(end) != ",":
        return -1
    return end if reader.has(end + 1, reader.grammar.singular) and reader.person_from(end + 2) >= 0 else -1


def _is_last_of_several(reader: TollReader, at: int) -> bool:
    """Return whether a person is listed after people without a number: "US soldiers, civilian interpreter killed"."""
    for probe in range(at - 1, max(at - 4, 0), -1):
        if reader.word(probe) == "," or reader.has(probe, reader.grammar.units):
            return reader.has(probe - 1, reader.grammar.people)
    return False


def _number_of(reader: TollReader, trigger: Trigger) -> Number | None:
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
    if after is not None and _other_trigger_follows(reader, after, trigger.kind):
        after = None  # "child killed 20 people injured", where a feed loses its commas
    before = _number_before(reader, trigger)
    if after is None or before is None:
        return after or before
    return before if reader.has(trigger.first - 1, grammar.auxiliary) else after
