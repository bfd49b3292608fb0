"""The surroundings of one trigger: which cues stand how near to it, and on which side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from transforms.detect.candidates import Candidate, CueAt
from transforms.detect.view import View

TRUCE_WORDS = frozenset({"ceasefire.word", "ceasefire.deescalation"})
_VERB_LAST = frozenset({"tr"})
_CLAUSE_MARKS = frozenset(",;:،؛")
_CLAUSE_COST = 3  # words that a comma counts for


@dataclass(frozen=True)
class Around:
    """A candidate and the cues of its sentence."""

    view: View

    @property
    def candidate(self) -> Candidate:
        """The trigger that is judged."""
        return self.view.candidate

    @property
    def verb_last(self) -> bool:
        """Whether the language puts its verbs last, so that what governs a trigger stands after it."""
        return self.view.reading.lang in _VERB_LAST

    @cached_property
    def cues(self) -> dict[str, list[CueAt]]:
        """The cues of the sentence by name, those inside the trigger left out."""
        c = self.candidate
        found: dict[str, list[CueAt]] = {}
        for cue in self.view.found.cues:
            inside = c.first <= cue.first and cue.last <= c.last
            if c.sentence.first <= cue.first < c.sentence.last and not inside:
                found.setdefault(cue.name, []).append(cue)
        return found

    def distance(self, first: int, last: int, to: Candidate | None = None) -> int:
        """Return how many words lie between `words[first:last]` and a trigger, commas counting for several."""
        c = to or self.candidate
        low, high = (last, c.first) if last <= c.first else (c.last, first)
        between = self.view.reading.words[low:high]
        return sum(_CLAUSE_COST if w.text in _CLAUSE_MARKS else w.pos != "PUNCT" for w in between)

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
        found, own = self.view.found, self.candidate
        every = (*found.candidates, *found.dropped)
        inside = [c for c in every if c.sentence.index == own.sentence.index and c is not own]
        return [c for c in inside if not self.masked(c)]

    @cached_property
    def truces(self) -> list[Candidate]:
        """Plain words for a ceasefire in the same sentence."""
        return [c for c in self.same_sentence if c.trigger.id in TRUCE_WORDS]

    @cached_property
    def item_tells_truce(self) -> bool:
        """Whether a plain word for a ceasefire stands anywhere in the item."""
        return any(c.trigger.id == "ceasefire.word" for c in self.view.found.candidates)

    def masked(self, c: Candidate) -> bool:
        """Return whether a trigger is part of a longer term that means something else ("fire" in "ceasefire")."""
        if any(cue.name == "ignore" and cue.first <= c.first and c.last <= cue.last for cue in self.view.found.cues):
            return True
        if c.family != "armed":
            return False
        return any(
            other.family == "ceasefire" and other.first <= c.first and c.last <= other.last
            for other in self.view.found.candidates
        )
