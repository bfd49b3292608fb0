"""The surroundings of one trigger: which cues stand how near to it, and on which side."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeVar

from transforms.detect.candidates import Candidate, CueAt
from transforms.detect.spans import CountryHit, DateAt, PartyAt, ResolvedPlace, TollAt
from transforms.detect.view import View

TRUCE_WORDS = frozenset({"ceasefire.word", "ceasefire.deescalation"})
_VERB_LAST = frozenset({"tr"})
_CLAUSE_MARKS = frozenset(",;:،؛")
_CLAUSE_COST = 3  # words that a comma counts for


class _Spanned(Protocol):
    @property
    def start(self) -> int: ...


Located = TypeVar("Located", bound=_Spanned)


class Sorted:
    """What was found in an article, by sentence: a look-up costs what a sentence holds, not what the article does."""

    def __init__(self, view: View) -> None:
        """Sort the cues, triggers and facts of the article that `view` is of."""
        sentences, found, facts = view.reading.sentences, view.found, view.facts
        self.made_of = (found, facts)
        self._starts = [s.start for s in sentences]
        first_words = [s.first for s in sentences]
        self.cues: dict[int, list[CueAt]] = defaultdict(list)
        for cue in found.cues:
            self.cues[bisect_right(first_words, cue.first) - 1].append(cue)
        self.triggers: dict[int, list[Candidate]] = defaultdict(list)
        for candidate in (*found.candidates, *found.dropped):
            self.triggers[candidate.sentence.index].append(candidate)
        self.kept = set(map(id, found.candidates))
        self.masked = {id(c) for index in list(self.triggers) for c in self.triggers[index] if self._covered(c)}
        self.hits: dict[int, list[CountryHit]] = self._by_sentence(facts.country.hits)
        self.dates: dict[int, list[DateAt]] = self._by_sentence(facts.dates)
        self.places: dict[int, list[ResolvedPlace]] = self._by_sentence(facts.places)
        self.tolls: dict[int, list[TollAt]] = self._by_sentence(facts.tolls)
        self.parties: dict[int, list[PartyAt]] = self._by_sentence(facts.parties)
        self.tells_truce = any(c.trigger.id == "ceasefire.word" for c in found.candidates)

    def _covered(self, c: Candidate) -> bool:
        index = c.sentence.index
        if any(cue.name == "ignore" and cue.first <= c.first and c.last <= cue.last for cue in self.cues[index]):
            return True
        return c.family == "armed" and any(
            other.family == "ceasefire" and id(other) in self.kept and other.first <= c.first and c.last <= other.last
            for other in self.triggers[index]
        )

    def _by_sentence(self, located: Iterable[Located]) -> dict[int, list[Located]]:
        rows: dict[int, list[Located]] = defaultdict(list)
        for one in located:
            rows[bisect_right(self._starts, one.start) - 1].append(one)
        return rows


class _Last(threading.local):
    """The article that this thread judges: its candidates come one after another."""

    sorted: Sorted | None = None


_last = _Last()


def sorted_of(view: View) -> Sorted:
    """Return the article's findings by sentence, sorted once for all its candidates."""
    known = _last.sorted
    if known is None or known.made_of[0] is not view.found or known.made_of[1] is not view.facts:
        known = _last.sorted = Sorted(view)
    return known


@dataclass(frozen=True)
class Around:
    """A candidate and the cues of its sentence."""

    view: View

    @property
    def candidate(self) -> Candidate:
        """The trigger that is judged."""
        return self.view.candidate

    @cached_property
    def all(self) -> Sorted:
        """What was found in the article, by sentence."""
        return sorted_of(self.view)

    @property
    def sentence(self) -> int:
        """The number of the trigger's sentence."""
        return self.view.candidate.sentence.index

    @property
    def verb_last(self) -> bool:
        """Whether the language puts its verbs last, so that what governs a trigger stands after it."""
        return self.view.reading.lang in _VERB_LAST

    @cached_property
    def cues(self) -> dict[str, list[CueAt]]:
        """The cues of the sentence by name, those inside the trigger left out."""
        c = self.candidate
        found: dict[str, list[CueAt]] = {}
        for cue in self.all.cues[self.sentence]:
            if not (c.first <= cue.first and cue.last <= c.last):
                found.setdefault(cue.name, []).append(cue)
        return found

    def distance(self, first: int, last: int, to: Candidate | None = None) -> int:
        """Return how many words lie between `words[first:last]` and a trigger, commas counting for several."""
        c = to or self.candidate
        low, high = (last, c.first) if last <= c.first else (c.last, first)
        between = self.view.reading.words[low:high]
        return sum(_CLAUSE_COST if w.text in _CLAUSE_MARKS else w.pos != "PUNCT" for w in between)

    def gap(self, end: int, start: int) -> int:
        """Return how many words lie between two positions of the text."""
        return len(self.view.reading.text[end:start].split()) if end < start else 0

    def near(self, name: str, *, before: int, after: int, rather_not: str = "") -> CueAt | None:
        """Return the nearest cue called `name` at most so many words before or after the trigger; -1 for never.

        One in the same words as a cue called `rather_not` counts only where there is no other.
        """
        best: tuple[int, CueAt] | None = None
        cues = self.cues.get(name, [])
        for cue in [cue for cue in cues if not rather_not or not self.overlaps(rather_not, cue)] or cues:
            reach = before if cue.first < self.candidate.first else after
            gap = self.distance(cue.first, cue.last)
            if gap <= reach and (best is None or gap < best[0]):
                best = (gap, cue)
        return best[1] if best else None

    def governs(self, name: str, reach: int) -> CueAt | None:
        """Return the nearest cue called `name` on the side that governs the trigger."""
        if self.verb_last:
            return self.near(name, before=-1, after=reach)
        return self.near(name, before=reach, after=-1)

    def overlaps(self, name: str, cue: CueAt) -> bool:
        """Return whether a cue called `name` stands in the same words."""
        return any(other.first < cue.last and cue.first < other.last for other in self.cues.get(name, ()))

    def negated(self, cue: CueAt) -> bool:
        """Return whether a word of negation stands at a cue: right before it, or after it where verbs come last."""
        for no in self.cues.get("negation", ()):
            gap = no.first - cue.last if self.verb_last else cue.first - no.last
            overlaps = self.verb_last and no.first < cue.last and cue.first < no.last
            if 0 <= gap <= 1 or overlaps:
                return True
        return False

    @cached_property
    def same_sentence(self) -> list[Candidate]:
        """The other triggers of the sentence, weak ones too, those that mean something else left out."""
        own = self.candidate
        return [c for c in self.all.triggers[self.sentence] if c is not own and not self.masked(c)]

    @cached_property
    def truces(self) -> list[Candidate]:
        """Plain words for a ceasefire in the same sentence."""
        return [c for c in self.same_sentence if c.trigger.id in TRUCE_WORDS]

    @cached_property
    def item_tells_truce(self) -> bool:
        """Whether a plain word for a ceasefire stands anywhere in the item."""
        return self.all.tells_truce

    def masked(self, c: Candidate) -> bool:
        """Return whether a trigger is part of a longer term that means something else ("fire" in "ceasefire")."""
        return id(c) in self.all.masked
