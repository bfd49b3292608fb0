"""The part of a parsed sentence that stands around a trigger, and what rules ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from transforms.detect.candidates import Candidate
from transforms.detect.reading import Reading, Word, ancestors, children

_REACH = 70  # words looked at on each side


class SentenceWindow:
    """The words around one trigger.

    A sentence of the news is shorter; a text without any end of a sentence must not cost its square.
    """

    def __init__(self, reading: Reading, candidate: Candidate) -> None:
        self.reading = reading
        self.candidate = candidate
        self.tokens = reading.words
        self.first = max(candidate.sentence.first, candidate.head - _REACH)
        self.last = min(candidate.sentence.last, candidate.head + _REACH)

    @cached_property
    def sentence(self) -> tuple[Word, ...]:
        """The words looked at."""
        return self.tokens[self.first : self.last]

    @cached_property
    def chain(self) -> list[int]:
        """The trigger's head and what it hangs on, nearest first."""
        up = [self.candidate.head, *ancestors(self.reading, self.candidate.head)]
        return [i for i in up if self.first <= i < self.last]

    def numbered(self) -> Iterator[tuple[int, Word]]:
        """Return the words looked at, each with its index in the article."""
        return enumerate(self.sentence, self.first)

    def children(self, index: int) -> list[Word]:
        """Return what hangs on a word."""
        return [self.tokens[i] for i in children(self.reading, index, self.first, self.last)]
