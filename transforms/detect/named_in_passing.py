"""Truces and acts that English words name in passing: weighed, carried, compared with, or only to say when."""

from __future__ import annotations

from datetime import date

from transforms.detect.facts import OLD_DAYS
from transforms.detect.reading import Sentence, Word, ancestors, children
from transforms.detect.sentence_window import SentenceWindow
from transforms.detect.slot_data import word_lists
from transforms.detect.step_words import step_words
from transforms.detect.steps import step_of
from transforms.detect.view import View
from transforms.model import Means, Realis, Stage

FILE = "named_in_passing.en.toml"
_KEYS = (
    "weighed",
    "bodies",
    "break",
    "breaches",
    "carry",
    "tries",
    "failed",
    "instead",
    "lines",
    "other_wars",
    "politics",
    "seem",
)
_REACH = 5
_HUGE = 1000  # more dead than one report of a few days tells
_PREPOSITIONS = {"to", "for", "of", "in", "on", "about"}
# what is done by these is done with a weapon, whose name may be the act's: "carrying mortars", but no "assault"
_BY_WEAPONS = {Means.AIRSTRIKE, Means.BOMBING, Means.CHEMICAL, Means.SHELLING, Means.SHOOTING}
# steps that the sides of a war take
_TAKEN_BY_SIDES = {Stage.AGREED, Stage.CALLED_FOR, Stage.EXTENDED, Stage.NEGOTIATING}
_TOLD_WITH = {Stage.AGREED, Stage.EXTENDED, Stage.IN_EFFECT}
_EXPLAINS = {"why", "what", "who", "how", "where", "when"}


def passing_words() -> dict[str, frozenset[str]]:
    """Return the lexicon's lists.

    Raises:
        KnowledgeError: The data file cannot be used.
    """
    return word_lists(FILE, _KEYS)


def passing_of(view: View) -> Realis | None:
    """Return as what a candidate is named where it is named in passing only, None where it is told."""
    look = _Look(view)
    if view.candidate.family == "armed":
        aside = look.is_carried() or look.is_a_count() or look.is_explained() or look.is_who_they_are()
        return Realis.BACKGROUND if aside else None
    if look.is_instead() or look.is_never():
        return Realis.NEGATED
    if look.is_weighed() or look.would_seem():
        return Realis.HYPOTHETICAL
    background = (
        look.is_of_another_war() or look.is_of_an_old_year() or look.is_broken() or look.is_in_a_name()
        or look.dates_an_act() or look.was_tried_in_vain() or look.is_circumstance() or look.is_known_of_old()
        or look.is_explained() or look.is_political()
    )  # fmt: skip
    return Realis.BACKGROUND if background else None


class _Look(SentenceWindow):
    """The words around one candidate."""

    def __init__(self, view: View) -> None:
        super().__init__(view.reading, view.candidate)
        self.view = view
        self.lexicon = passing_words()

    def _nouns_above(self) -> list[tuple[int, str]]:
        """Return the nouns that the truce hangs on through prepositions, nearest first, with the preposition."""
        found: list[tuple[int, str]] = []
        preposition = ""
        for i in self.chain[1 : _REACH + 1]:
            word = self.tokens[i]
            if word.pos in {"ADP", "SCONJ", "PART"}:
                preposition = word.lemma
            elif word.pos in {"NOUN", "PROPN"}:
                found.append((i, preposition))
                preposition = ""
            elif word.tag == "VBG" and (self.tokens[word.head].pos == "ADP" or word.dep == "conj"):
                continue  # "a condition for agreeing a ceasefire", "for coordinating and monitoring it"
            else:
                break
        return found

    def is_weighed(self) -> bool:
        """Return whether it is what something is a condition, an obstacle or a chance of."""
        return any(
            self.tokens[i].lemma in self.lexicon["weighed"]
            and preposition in _PREPOSITIONS
            and not self._is_discussed(i)
            for i, preposition in self._nouns_above()
        )

    def _is_discussed(self, noun: int) -> bool:
        """Return whether parties talk about it, which is a step of its own: "discussed the question of a truce"."""
        word = self.tokens[noun]
        talks = step_words().made["object"].get(self.tokens[word.head].lemma) is Stage.NEGOTIATING
        return talks and word.dep in {"dobj", "nsubjpass"}

    def is_in_a_name(self) -> bool:
        """Return whether it is part of what a body is called."""
        above = {i for i, preposition in self._nouns_above() if preposition}
        # "a spokesman for the centre for monitoring the truce": the parse may hang the second "for" on the spokesman
        above |= {i - 1 for i in self.chain[1:_REACH] if self.tokens[i].lemma in {"for", "on"} and i > self.first}
        return any(self.tokens[i].lemma.lower() in self.lexicon["bodies"] for i in above)

    def is_broken(self) -> bool:
        """Return whether it is only what was broken: "in breach of the truce", "truce violations", "defied a truce"."""
        head = self.tokens[self.candidate.head]
        if head.dep in {"dobj", "nsubjpass"} and self.tokens[head.head].lemma in self.lexicon["break"]:
            return True
        above = self.tokens[head.head]
        if head.dep == "pobj" and above.lemma == "of":
            above = self.tokens[above.head]
        elif head.dep != "compound":
            return False
        return above.lemma in self.lexicon["breaches"]

    def is_of_another_war(self) -> bool:
        """Return whether it is the line that another war left."""
        above = self.tokens[self.candidate.head]
        line = self.tokens[above.head].lemma in self.lexicon["lines"] and above.dep == "compound"
        return line and any(w.text.lower() in self.lexicon["other_wars"] for w in self.sentence)

    def is_instead(self) -> bool:
        """Return whether something else is done: "instead of negotiating a truce", "rather than agree to a truce"."""
        up = self.chain[:_REACH]
        marks = {i for i in up if self.tokens[i].lemma in {"of", "than"}}
        marks |= {
            i for i, w in enumerate(self.sentence, self.first) if w.lemma == "than" and w.head in up and i < w.head
        }
        return any(i > self.first and self.tokens[i - 1].lemma in self.lexicon["instead"] for i in marks)

    def is_never(self) -> bool:
        """Return whether it is said never to have been: "has never been observed"."""
        verb = next((i for i in self.chain[1 : _REACH + 1] if self.tokens[i].pos in {"VERB", "AUX"}), None)
        below = [] if verb is None else self.children(verb)
        return any(w.lemma == "never" for w in below) and any(w.lemma == "have" and w.dep == "aux" for w in below)

    def is_political(self) -> bool:
        """Return whether a peace plan is one for a new government, in an item that speaks of no ceasefire."""
        if self.candidate.trigger.id != "ceasefire.plan":
            return False
        silent = not any(c.trigger.id == "ceasefire.word" for c in self.view.found.candidates)
        return silent and any(w.lemma in self.lexicon["politics"] for w in self.sentence)

    def would_seem(self) -> bool:
        """Return whether a writer thinks what it would mean: "the truce would seem to rule out"."""
        if self.tokens[self.candidate.head].dep != "nsubj":
            return False
        verb = self.tokens[self.candidate.head].head
        would = any(w.lemma in {"would", "may", "might", "could"} and w.dep == "aux" for w in self.children(verb))
        return would and self.tokens[verb].lemma in self.lexicon["seem"] and self.tokens[verb].dep == "ROOT"

    def dates_an_act(self) -> bool:
        """Return whether it only says since when something is: "since the truce of February", "since it collapsed"."""
        for at in self.chain[:_REACH]:
            word = self.tokens[at]
            if word.lemma == "since" and at < self.candidate.first:
                return True
            if word.pos in {"VERB", "AUX"}:
                since = any(w.lemma == "since" and w.dep in {"mark", "prep"} for w in self.children(at))
                return since and word.dep == "advcl" and not self._is_step_of_the_month(at)
        return False

    def _is_step_of_the_month(self, verb: int) -> bool:
        """Return whether what only dates an act is fresh news: "since the truce collapsed on Monday"."""
        if self.tokens[verb].lemma not in step_words().made["subject"]:
            return False
        sentence = self.candidate.sentence
        days = [
            d.span for d in self.view.facts.dates
            if self.candidate.first <= self._word_at(d.start) < sentence.last and d.span.start == d.span.end
        ]  # fmt: skip
        published = self.view.reading.article.published.date()
        return any(0 <= (published - day.end).days <= OLD_DAYS for day in days)

    def _word_at(self, start: int) -> int:
        return next((i for i in range(self.first, self.last) if self.tokens[i].end > start), -1)

    def is_of_an_old_year(self) -> bool:
        """Return whether it is told with a year that is over: "a truce in Homs in 2014 allowed ..."."""
        published = self.view.reading.article.published.date()
        for at in self.chain[:2]:
            years = [
                w.text for i in children(self.view.reading, at, self.first, self.last) if self.tokens[i].lemma == "in"
                for w in self.children(i)
                if w.dep == "pobj" and w.text.isdigit() and len(w.text) == 4
            ]  # fmt: skip
            if any((published - date(int(year), 12, 31)).days > OLD_DAYS for year in years if year > "1900"):
                return True
        return False

    def was_tried_in_vain(self) -> bool:
        """Return whether it is what others tried before: "in failed attempts to broker a truce"."""
        for i in self.chain[1:_REACH]:
            if self.tokens[i].lemma in self.lexicon["tries"]:
                below = self.children(i)
                # "Brahimi, whose attempt at a truce failed": who somebody is
                return any(w.lemma in self.lexicon["failed"] and w.dep == "amod" for w in below) or any(
                    w.lemma == "whose" for w in below
                )
        return False

    def is_explained(self) -> bool:
        """Return whether it stands in the answer to a question that the writer puts: "Why is Syria at war? ...".

        What has a fresh day of its own is news also there.
        """
        own = self._days_in(self.candidate.sentence)
        if own and all(0 <= age <= OLD_DAYS for age in own):
            return False
        for sentence in self.view.reading.sentences[: self.candidate.sentence.index]:
            words = self.tokens[sentence.first : sentence.last]
            if words[0].text.lower() in _EXPLAINS and any(w.text == "?" for w in words[-2:]):
                return True
        return False

    def is_circumstance(self) -> bool:
        """Return whether it is how things stand while something else is told: "With a truce abandoned, ..."."""
        head = self.candidate.head
        above = self.tokens[head].head
        opening = [i for i in range(self.first, min(self.first + 2, self.last)) if self.tokens[i].lemma == "with"]
        if above in opening:
            said = [w for w in self.children(head) if w.dep == "acl"]
        elif self.tokens[above].dep == "advcl" and any(self.tokens[i].head == above for i in opening):
            said = [self.tokens[above]]  # "With the truce signed in May forgotten, ..."
        else:
            return False
        return bool(said) and not any(self._makes_a_step(w) for w in said)

    def _makes_a_step(self, word: Word) -> bool:
        """Return whether that the truce is made or kept is told as it were by the way: "With a truce holding, ..."."""
        made = step_words().made["subject" if word.tag == "VBG" else "object"]
        return made.get(word.lemma) in _TOLD_WITH

    def is_known_of_old(self) -> bool:
        """Return whether it is the truce of an older day that the sentence before told: "The truce lasted ..."."""
        definite = any(w.lemma in {"the", "that"} and w.dep == "det" for w in self.children(self.candidate.head))
        if not definite or self.candidate.sentence.index == 0:
            return False
        reading = self.view.reading
        before = reading.sentences[self.candidate.sentence.index - 1]
        own = self._days_in(self.candidate.sentence)
        truce = any(c.family == "ceasefire" and c.sentence.index == before.index for c in self.view.found.candidates)
        if own or not truce or self.candidate.first - self.first > 3:
            return False
        days = self._days_in(before)
        return bool(days) and all(age > OLD_DAYS for age in days)

    def _days_in(self, sentence: Sentence) -> list[int]:
        """Return how many days before publication the days lie that a sentence tells."""
        published = self.view.reading.article.published.date()
        told = [d for d in self.view.facts.dates if sentence.start <= d.start < sentence.end]
        return [(published - d.span.end).days for d in told]

    def is_carried(self) -> bool:
        """Return whether a weapon is only carried."""
        word = self.tokens[self.candidate.head]
        if self.candidate.trigger.means not in _BY_WEAPONS:
            return False
        carried = word.dep == "dobj" and self.tokens[word.head].lemma in self.lexicon["carry"]
        return carried and not any(w.dep == "prt" for w in self.children(word.head))  # but "carried out a raid"

    def is_who_they_are(self) -> bool:
        """Return whether fighting only says who takes a step: "groups fighting over the suburbs signed a truce"."""
        word = self.tokens[self.candidate.head]
        if (word.dep, word.tag) != ("acl", "VBG"):
            return False
        here = self.candidate.sentence.index
        truces = [c for c in self.view.found.candidates if c.family == "ceasefire" and c.sentence.index == here]
        up = [word.head, *ancestors(self.view.reading, word.head)]
        return any(
            step_of(self.view.reading, truce) in _TAKEN_BY_SIDES
            and set(up) & {truce.head, *ancestors(self.view.reading, truce.head)}
            for truce in truces
        )

    def is_a_count(self) -> bool:
        """Return whether it is a count of the dead over a long time: "some 2,000 have been killed since ..."."""
        sentence = self.candidate.sentence
        tolls = [t for t in self.view.facts.tolls if sentence.start <= t.start < sentence.end]
        huge = any(t.value is not None and t.value >= _HUGE for t in tolls)
        return huge and self.candidate.trigger.id == "kill" and any(w.lemma == "since" for w in self.sentence)
