"""Lexicon entries with endings, choices and gaps, for the languages that are matched without a parser.

    "cessez le feu"            these words, in any case, accents or clitics
    "прекращени* огня"         a word that begins so: endings of inflected languages
    "accord|deal* truce"       either of two words
    "вступил* ~ в силу"        up to three words between
    "ateşkes ?anlaşması ilan"  a word that may be missing

Matching is by whole words under all their keys (see `reading.keys_of`): a dictionary look-up per key and prefix, so the
time taken grows with the text and not with the lexicon.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from transforms.detect.folding import fold_text

Payload = TypeVar("Payload")

GAP = 3  # words that "~" lets stand between
_ENTRY_WORD = re.compile(r"\??[^\W_]+(?:'[^\W_]+)*\*?(?:\|[^\W_]+(?:'[^\W_]+)*\*?)*")
_CACHE_LIMIT = 100_000  # distinct words remembered per matcher: bounded, as a stream never ends


@dataclass(frozen=True, slots=True)
class Step:
    """One word of an entry: its choices, whether it may be missing, how many words may stand before it."""

    choices: tuple[str, ...]
    optional: bool = False
    gap: int = 0


def parse_entry(entry: str) -> tuple[Step, ...]:
    """Return the steps of a lexicon entry, folded.

    Raises:
        ValueError: The entry cannot be read; says which word.
    """
    steps: list[Step] = []
    gap = 0
    for raw in fold_text(entry).replace("-", " ").split():
        if raw == "~":
            gap = GAP
            continue
        if not _ENTRY_WORD.fullmatch(raw):
            raise ValueError(f"{entry!r}: cannot read the word {raw!r}")
        steps.append(Step(tuple(raw.removeprefix("?").split("|")), optional=raw.startswith("?"), gap=gap))
        gap = 0
    if not steps or gap or steps[0].optional or steps[0].gap:
        raise ValueError(f"{entry!r}: an entry begins and ends with a word that must be there")
    return tuple(steps)


def screen_words(entry: str) -> tuple[str, ...]:
    """Return folded beginnings of words, one of which stands in every text that the entry matches.

    They are those of the entry's most telling word: the one whose shortest choice is longest.
    """
    needed = [step for step in parse_entry(entry) if not step.optional]
    telling = max(needed, key=lambda step: min(len(choice) for choice in step.choices))
    return tuple(choice.removesuffix("*") for choice in telling.choices)


@dataclass(frozen=True, slots=True)
class _Numbered:
    """A step by the numbers of its word patterns."""

    patterns: frozenset[int]
    optional: bool
    gap: int


class TermMatcher(Generic[Payload]):
    """Finds lexicon entries in words that are each known under several keys."""

    def __init__(self, entries: Iterable[tuple[str, Payload]]) -> None:
        """Compile `(entry, payload)` pairs; raises ValueError naming the entry that cannot be read."""
        self._numbers: dict[str, int] = {}
        self._by_first: dict[int, list[tuple[tuple[_Numbered, ...], Payload]]] = defaultdict(list)
        self._seen: dict[tuple[str, ...], frozenset[int]] = {}
        for entry, payload in entries:
            steps = tuple(
                _Numbered(frozenset(map(self._number, step.choices)), step.optional, step.gap)
                for step in parse_entry(entry)
            )
            for pattern in steps[0].patterns:
                self._by_first[pattern].append((steps, payload))

    def _number(self, pattern: str) -> int:
        return self._numbers.setdefault(pattern, len(self._numbers))

    def _patterns_of(self, keys: tuple[str, ...]) -> frozenset[int]:
        """Return the numbers of the word patterns that a word of these keys satisfies."""
        known = self._seen.get(keys)
        if known is not None:
            return known
        numbers = self._numbers
        found = {numbers[key] for key in keys if key in numbers}
        for key in keys:
            for length in range(1, len(key) + 1):
                number = numbers.get(key[:length] + "*")
                if number is not None:
                    found.add(number)
        if len(self._seen) >= _CACHE_LIMIT:
            self._seen.clear()
        result = self._seen[keys] = frozenset(found)
        return result

    def find(self, words: Sequence[tuple[str, ...]]) -> list[tuple[int, int, Payload]]:
        """Return `(first, last + 1, payload)` of every match; of one payload at one place only the longest."""
        patterns = [self._patterns_of(keys) for keys in words]
        found: list[tuple[int, int, Payload]] = []
        for first, here in enumerate(patterns):
            longest: list[tuple[int, Payload]] = []
            for pattern in here:
                for steps, payload in self._by_first.get(pattern, ()):
                    end = _match(steps, 1, patterns, first + 1)
                    if end is not None:
                        longest.append((end, payload))
            longest.sort(key=lambda match: -match[0])
            seen: list[Payload] = []
            for end, payload in longest:
                if payload not in seen:
                    seen.append(payload)
                    found.append((first, end, payload))
        return found


def _match(steps: Sequence[_Numbered], at: int, patterns: Sequence[frozenset[int]], word: int) -> int | None:
    """Return one past the last word when the steps from `at` on match from `word` on, else None."""
    if at == len(steps):
        return word
    step = steps[at]
    for place in range(word, min(word + step.gap + 1, len(patterns))):
        if step.patterns & patterns[place]:
            end = _match(steps, at + 1, patterns, place + 1)
            if end is not None:
                return end
    return _match(steps, at + 1, patterns, word) if step.optional else None
