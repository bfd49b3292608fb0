"""Armed acts that English words name without telling that they were done: planned, averted, stopped, or done abroad."""

from __future__ import annotations

from transforms.detect.facts import COVERED
from transforms.detect.sentence_window import SentenceWindow
from transforms.detect.slot_data import word_lists
from transforms.detect.slots import clause_of
from transforms.detect.view import View
from transforms.model import Realis

FILE = "not_done.en.toml"
_KEYS = ("averts", "stops", "plans", "launches", "of", "means_to", "fights", "abroad")
_PARTS = {"compound", "amod", "nmod", "poss"}
_WITHIN = {"across", "around", "at", "in", "inside", "near", "on", "outside", "over", "throughout"}
_BARE = {"det", "poss", "nummod"}


def not_done_words() -> dict[str, frozenset[str]]:
    """Return the lexicon's lists.

    Raises:
        KnowledgeError: The data file cannot be used.
    """
    return word_lists(FILE, _KEYS)


def not_done(view: View) -> Realis | None:
    """Return as what an armed act is named where it is not told as done, None where nothing says so."""
    if view.candidate.family != "armed":
        return None
    look = _Look(view)
    if look.is_averted() or look.is_stopped() or look.is_ruled_out():
        return Realis.NEGATED
    if look.is_planned() or look.is_a_means_to():
        return Realis.FUTURE
    if look.is_feared():
        return Realis.HYPOTHETICAL
    return Realis.BACKGROUND if look.is_who_they_are() else None


def is_abroad(view: View) -> bool:
    """Return whether the sentence puts an armed act in another country and nothing of it in Syria or Libya.

    "A car bomb exploded in the Turkish border town of Reyhanli": the town need not be known.
    """
    if view.candidate.family != "armed":
        return False
    look, facts, sentence = _Look(view), view.facts, view.candidate.sentence
    if any(sentence.start <= p.start < sentence.end and p.place.country in COVERED for p in facts.places):
        return False
    inside = [h for h in facts.country.hits if sentence.start <= h.start < sentence.end]
    named = [h for h in inside if h.kind in {"name", "demonym"}]
    if any(h.country in COVERED and look.place_at(h.start) is not None for h in named):
        return False
    clause = look.clause_of(view.candidate.head)
    places = (look.place_at(h.start) for h in named if h.country not in COVERED)
    return any(at is not None and look.clause_of(at) == clause for at in places)


class _Look(SentenceWindow):
    """The words around one candidate."""

    def __init__(self, view: View) -> None:
        super().__init__(view.reading, view.candidate)
        self.lexicon = not_done_words()

    def _governor(self) -> tuple[int | None, str]:
        """Return the word that the act is the object of, and how it hangs on it."""
        head = self.tokens[self.candidate.head]
        if len(self.chain) < 2:
            return None, ""
        return self.chain[1], head.dep

    def is_averted(self) -> bool:
        above, link = self._governor()
        return above is not None and link == "dobj" and self.tokens[above].lemma in self.lexicon["averts"]

    def is_stopped(self) -> bool:
        """Return whether acts that go on are stopped, "suspends air strikes"; one that failed to be stopped goes on."""
        above, link = self._governor()
        if above is None or link not in {"dobj", "xcomp"} or self.tokens[above].lemma not in self.lexicon["stops"]:
            return False
        own = {w.dep for w in self.children(self.candidate.head)}
        failed = any(w.dep == "neg" for w in self.children(above)) or any(
            self.tokens[i].lemma in {"fail", "refuse", "unable"} for i in self.chain[2:4]
        )
        return not own & _BARE and not failed

    def is_ruled_out(self) -> bool:
        """Return whether it is said not to come: "a full assault was out of the question"."""
        above, link = self._governor()
        if above is None or link != "nsubj" or self.tokens[above].lemma != "be":
            return False
        after = [w.text.lower() for i, w in self.numbered() if above < i]
        return any(after[i : i + 4] == ["out", "of", "the", "question"] for i in range(len(after)))

    def is_planned(self) -> bool:
        above, link = self._governor()
        if above is None:
            return False
        word = self.tokens[above]
        if word.lemma in self.lexicon["launches"] and link == "dobj" and word.dep == "xcomp":
            return self.tokens[word.head].lemma in self.lexicon["plans"]
        if link == "pobj" and word.lemma == "for":
            return self.tokens[word.head].lemma in self.lexicon["plans"] and self.tokens[word.head].pos == "VERB"
        return link == "dobj" and word.lemma in self.lexicon["plans"]

    def is_a_means_to(self) -> bool:
        """Return whether somebody is only to be enabled to fight: "to train rebels to fight the group"."""
        above, link = self._governor()
        if above is None or link not in {"xcomp", "advcl", "ccomp", "acl"}:
            return False
        to = any(w.lemma == "to" and w.dep == "aux" for w in self.children(self.candidate.head))
        verbs = [i for i in self.chain[1:3] if self.tokens[i].pos == "VERB"]
        return to and any(self.tokens[i].lemma in self.lexicon["means_to"] for i in verbs)

    def is_feared(self) -> bool:
        above, link = self._governor()
        if above is None or link != "pobj" or self.tokens[above].lemma != "of":
            return False
        return self.tokens[self.tokens[above].head].lemma in self.lexicon["of"]

    def is_who_they_are(self) -> bool:
        """Return whether fighting only says who somebody is: "a group fighting to oust the government"."""
        at = self.candidate.head
        word = self.tokens[at]
        if (word.dep, word.tag) != ("acl", "VBG") or word.lemma not in self.lexicon["fights"] or word.head != at - 1:
            return False
        return not any(w.dep == "prep" and w.lemma in {*_WITHIN, "for"} for w in self.children(at))

    def clause_of(self, index: int) -> int:
        """Return the verb of a word's clause, the first of several joined ones."""
        verb = clause_of(self.reading, index)
        while self.tokens[verb].dep == "conj" and self.first <= self.tokens[verb].head < verb:
            verb = self.tokens[verb].head
        return verb

    def place_at(self, start: int) -> int | None:
        """Return the word of a country's name at `start` if it says where: "in Iraq", "the Turkish border town of"."""
        at = next((i for i in range(self.first, self.last) if self.tokens[i].end > start), None)
        if at is None or any("-" in self.tokens[i].text for i in (at - 1, at, min(at + 1, self.last - 1))):
            return None  # "U.S.-controlled areas", "the Syrian-Turkish border"
        word = self.tokens[at]
        while word.dep == "conj" and word.pos == "PROPN":  # "in Iraq and Syria"
            word = self.tokens[word.head]
        above = self.tokens[word.head]
        says_where = (word.dep == "pobj" and above.lemma in _WITHIN) or (
            word.dep in _PARTS and above.lemma in self.lexicon["abroad"]
        )
        return at if says_where else None
