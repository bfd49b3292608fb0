"""The words around a ceasefire word as the grammar of steps looks at them: what hangs on a predicate, what it makes."""

from __future__ import annotations

from transforms.detect.candidates import Candidate
from transforms.detect.reading import Reading
from transforms.detect.sentence_window import SentenceWindow
from transforms.detect.step_words import step_words
from transforms.model import Stage


class StepTree(SentenceWindow):
    """The sentence of one ceasefire word."""

    def __init__(self, reading: Reading, candidate: Candidate) -> None:
        super().__init__(reading, candidate)
        self.lexicon = step_words()

    def is_infinitive(self, verb: int) -> bool:
        """Return whether a verb stands with "to"."""
        return any(w.head == verb and w.dep == "aux" and w.lemma == "to" for w in self.sentence)

    def has_object(self, verb: int, of: frozenset[str]) -> bool:
        """Return whether a verb has an object among some words."""
        return any(w.head == verb and w.dep == "dobj" and w.lemma in of for w in self.sentence)

    def tails(self, verb: int) -> list[str]:
        """Return what completes a predicate: particle, object, "into effect"."""
        tails: list[str] = []
        for i, word in self.numbered():
            if word.head != verb or i == verb:
                continue
            if word.dep in {"dobj", "acomp", "attr", "advmod"} or self.is_particle(i):
                tails.append(word.lemma)
            elif word.dep == "prep":
                tails += [f"{word.lemma} {w.lemma}" for w in self.sentence if w.head == i and w.dep == "pobj"]
        return tails

    def is_particle(self, at: int) -> bool:
        """Return whether a word belongs to its verb: "off" of "call off", but not "on" of "hold on Sunday"."""
        return self.tokens[at].dep == "prt" and not any(w.head == at and w.dep == "pobj" for w in self.sentence)

    def look_up(self, section: str, verb: int, of: int | None = None) -> Stage | None:
        """Return what the lexicon makes of a predicate with what completes it or the noun `of` below."""
        made = self.lexicon.made[section]
        lemma = self.tokens[verb].lemma
        tails = self.tails(verb) + (self.tails(of) if of is not None else [])
        for tail in tails:
            if (stage := made.get(f"{lemma} {tail}")) is not None:
                return stage
        if any(w.head == verb and self.is_particle(i) for i, w in self.numbered()):
            return None  # "called up" is not "called"
        return made.get(lemma)
