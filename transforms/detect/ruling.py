"""What the words around a trigger settle in English, whatever the judgement weighs: denied, taken back, not there."""

from __future__ import annotations

from dataclasses import dataclass, replace

from transforms.detect.denial import Denial, conditional, denial_of, is_correction, negated
from transforms.detect.facts import COVERED
from transforms.detect.named_in_passing import passing_of
from transforms.detect.not_done import is_abroad, not_done
from transforms.detect.reading import Word, ancestors
from transforms.detect.slot_data import word_lists
from transforms.detect.slots import Slots, named_at
from transforms.detect.step_words import step_words
from transforms.detect.steps import step_of
from transforms.detect.unarmed import is_unarmed
from transforms.detect.view import View
from transforms.model import Realis, Stage

FILE = "ruling.en.toml"
_KEYS = ("begin", "struck", "plans", "holds", "chances", "saying", "tags", "answered")
_TALKS = frozenset({"talk", "agree"})

_LONGEST_NEWS = 400  # days
_MOST_TAGS = 12


def ruling_words() -> dict[str, frozenset[str]]:
    """Return the lexicon's lists.

    Raises:
        KnowledgeError: The data file cannot be used.
    """
    return word_lists(FILE, _KEYS)


@dataclass(frozen=True, slots=True)
class Ruling:
    """Why a candidate is no event: as what it is told, or another reason; and its slots as a denial tells them."""

    reason: Realis | str
    slots: Slots


def ruling_of(view: View, slots: Slots) -> Ruling | None:
    """Return why a candidate is no news where its words settle that, None where they leave it to the judgement."""
    if _is_elsewhere(view) or is_abroad(view):
        return Ruling("elsewhere", slots)
    if is_unarmed(view):
        return Ruling("not_armed", slots)
    denial = denial_of(view.reading, view.candidate)
    if denial:
        return _of_denial(view, slots, denial)
    if negated(view.reading, view.candidate):
        return _of_negation(view, slots)
    if conditional(view.reading, view.candidate) or _is_asked(view) or _is_any(view) or _is_a_thought(view):
        return Ruling(Realis.HYPOTHETICAL, slots)
    if _is_to_stop(view) or _struck_a_deal(view):
        return Ruling(Realis.FUTURE, slots)
    if in_passing := Realis.NEGATED if _is_not_there(view) else passing_of(view) or not_done(view):
        return Ruling(in_passing, slots)
    background = (
        _is_of_years(view, slots)
        or _outlived(view)
        or _only_dates_an_act(view)
        or _is_in_a_plan(view)
        or _is_a_tag(view)
    )
    return Ruling(Realis.BACKGROUND, slots) if background else None


def _is_asked(view: View) -> bool:
    """Return whether the sentence is a question: "Will the truce hold?" tells of nothing that happened."""
    return any(word.text == "?" for word in _sentence(view)[-2:])


def _is_any(view: View) -> bool:
    """Return whether no certain truce is meant: "any ceasefire must ...", but "refused any ceasefire" is a step."""
    candidate = view.candidate
    if candidate.family != "ceasefire" or step_of(view.reading, candidate) is Stage.REJECTED:
        return False
    return any(w.head == candidate.head and w.lemma == "any" and w.dep == "det" for w in _sentence(view))


def _is_a_thought(view: View) -> bool:
    """Return whether a truce is only weighed: one of several scenarios, or what the writer thinks should be sought."""
    words, candidate, sentence = view.reading.words, view.candidate, view.candidate.sentence
    if candidate.family != "ceasefire":
        return False
    above = [i for i in ancestors(view.reading, candidate.head) if sentence.first <= i < sentence.last]
    inside = _sentence(view)
    if any(words[i].lemma in ruling_words()["chances"] for i in above):
        return True
    if any(w.lemma in ruling_words()["chances"] and w.dep == "nsubj" and w.head in above for w in inside):
        return True
    marks = sum(w.text in {'"', "“", "”", "'", "’", "‘"} for w in inside)
    if candidate.trigger.weak or marks > 1 or any(w.lemma in ruling_words()["saying"] or w.text == ":" for w in inside):
        return False  # somebody is quoted: then it is a call
    return any(w.lemma in {"should", "must"} and w.dep == "aux" and w.head in above for w in inside)


def _is_not_there(view: View) -> bool:
    """Return whether a truce is said not to exist: "a ceasefire, which does not exist"."""
    words, candidate = view.reading.words, view.candidate
    clauses = [
        at for at in range(candidate.last, candidate.sentence.last)
        if words[at].head == candidate.head and words[at].dep == "relcl" and words[at].lemma in {"exist", "be"}
    ]  # fmt: skip
    return candidate.family == "ceasefire" and any(w.head in clauses and w.dep == "neg" for w in _sentence(view))


def _is_of_years(view: View, slots: Slots) -> bool:
    """Return whether a truce is one that has held for years: "for the past 40 years"."""
    if view.candidate.family != "ceasefire" or not slots.dated or slots.date is None:
        return False
    return (slots.date.end - slots.date.start).days > _LONGEST_NEWS


def _of_denial(view: View, slots: Slots, denial: Denial) -> Ruling | None:
    if view.candidate.family == "ceasefire" and _about_an_act(view, denial):
        return Ruling(Realis.BACKGROUND, slots)  # the truce that a denied act would have broken
    if view.candidate.family == "ceasefire" and denial.claimed_by:
        return None  # one side's word against the other's
    return Ruling(Realis.DENIED, _as_denied(view, slots, denial))


def _of_negation(view: View, slots: Slots) -> Ruling | None:
    if view.candidate.family == "armed" and is_correction(view.reading):
        return Ruling(Realis.DENIED, replace(slots, source=None))
    if view.candidate.family == "ceasefire" and _talked_about(view):
        return None  # no truce was agreed: talks that failed
    return Ruling(Realis.NEGATED, slots)


def _is_elsewhere(view: View) -> bool:
    """Return whether only a town's name speaks for Syria or Libya, and the town is another country's."""
    facts = view.facts
    if facts.country.best in COVERED:
        return False
    if any(p.place.country in COVERED and not _is_in_a_persons_name(view, p.start, p.end) for p in facts.places):
        return False
    return all(hit.kind == "place" for hit in facts.country.hits if hit.country in COVERED)


def _is_in_a_persons_name(view: View, start: int, end: int) -> bool:
    """Return whether a village's name is somebody's: "Hadar Cohen was killed" in an item of another country."""
    words = view.reading.words
    at = next((i for i, w in enumerate(words) if w.start <= start < w.end), None)
    if at is None or words[at].dep != "compound" or words[at].pos != "PROPN":
        return False
    head = words[words[at].head]
    return head.start >= end and head.pos == "PROPN" and head.text.istitle()


def _is_to_stop(view: View) -> bool:
    """Return whether an armed act is told only as what is to stop: "fighting is to stop on Monday under a truce"."""
    words, candidate = view.reading.words, view.candidate
    stop = step_words().lists["stop"]
    verb = words[candidate.head].head
    if candidate.family != "armed" or words[candidate.head].dep not in {"nsubj", "nsubjpass", "csubj"}:
        return False
    stops = words[verb].lemma in stop or (
        words[verb].lemma == "be"
        and any(w.head == verb and w.lemma in stop and w.dep == "xcomp" for w in _sentence(view))
    )
    return stops and any(
        words[w.head].lemma in stop and (w.lemma in {"will", "shall", "should", "must"} or w.tag == "TO")
        for w in _sentence(view)
    )


def _struck_a_deal(view: View) -> bool:
    """Return whether "strike" is what is done with a deal, not an armed act."""
    candidate = view.candidate
    if candidate.family == "armed" and _closes_in_on_a_deal(view):
        return True
    if candidate.trigger.id != "strike" or view.reading.words[candidate.head].lemma != "strike":
        return False
    above = view.reading.words[view.reading.words[candidate.head].head]  # headlines: "sides strike ceasefire deal"
    below = [w for w in _sentence(view) if w.head == candidate.head and w.dep in {"dobj", "nsubjpass"}]
    return any(word.lemma in ruling_words()["struck"] for word in (above, *below))


def _closes_in_on_a_deal(view: View) -> bool:
    """Return whether what is closed in on is no place: "closed in on a de-escalation deal"."""
    words, at = view.reading.words, view.candidate.head
    on = [i for i, w in enumerate(_sentence(view), view.candidate.sentence.first) if w.head == at and w.lemma == "on"]
    return words[at].lemma == "close" and any(
        w.head in on and w.lemma in ruling_words()["struck"] for w in _sentence(view)
    )


def _outlived(view: View) -> bool:
    """Return whether breaches are told only as what an extended truce outlived: "extended despite two breaches"."""
    reading, candidate = view.reading, view.candidate
    if candidate.trigger.id != "breach":
        return False
    if not any(reading.words[i].lemma in {"despite", "spite"} for i in ancestors(reading, candidate.head)):
        return False
    truces = [
        c for c in view.found.candidates if c.family == "ceasefire" and c.sentence.index == candidate.sentence.index
    ]
    return any(step_of(reading, truce) is Stage.EXTENDED for truce in truces)


def _only_dates_an_act(view: View) -> bool:
    """Return whether a truce is named only to say when an act was: "shells fell a day after a truce took hold"."""
    words, candidate = view.reading.words, view.candidate
    verb = words[candidate.head].head
    if candidate.family != "ceasefire" or words[candidate.head].dep != "nsubj" or words[verb].dep != "advcl":
        return False
    if words[verb].lemma not in ruling_words()["begin"] or not any(
        w.head == verb and w.dep == "mark" and w.lemma == "after" for w in _sentence(view)
    ):
        return False
    return any(
        c.sentence.index == candidate.sentence.index and c.family == "armed" and not c.trigger.weak and c.last <= verb
        for c in view.found.candidates
    )


def _is_in_a_plan(view: View) -> bool:
    """Return whether a truce is only what a plan holds: "Annan's plan, which called for a ceasefire"."""
    words, candidate = view.reading.words, view.candidate
    if candidate.family != "ceasefire":
        return False
    above = (candidate.head, *ancestors(view.reading, candidate.head)[:3])
    which = [i for i in above if words[i].lemma in ruling_words()["holds"]]
    if any(w.head in which and w.dep == "nsubj" and w.tag == "WDT" for w in _sentence(view)):
        # "the plan, which included a ceasefire"; one that will include it asks for it
        coming = any(w.head in which and w.dep == "aux" and w.tag == "MD" for w in _sentence(view))
        return not coming and all(words[i].tag != "VBZ" for i in which)
    clauses = [i for i in above if words[i].dep == "relcl"]
    plans = {words[i].head for i in clauses if words[words[i].head].lemma in ruling_words()["plans"]}
    # "a plan that envisages a ceasefire" is a new one, and asks for it
    return bool(plans) and not any(
        w.head in plans and w.dep == "det" and w.lemma in {"a", "an"} for w in _sentence(view)
    )


def _is_a_tag(view: View) -> bool:
    """Return whether a trigger is one of a page's tags, which some feeds run into the text."""
    words, candidate = view.reading.words, view.candidate
    for at in range(candidate.first - 1, max(candidate.sentence.first, candidate.first - _MOST_TAGS) - 1, -1):
        if words[at].text.istitle() and words[at].text.lower() in ruling_words()["tags"]:
            return True
        if words[at].pos in {"AUX", "DET", "ADP", "PRON"}:
            return False
    return False


def _sentence(view: View) -> tuple[Word, ...]:
    return view.reading.words[view.candidate.sentence.first : view.candidate.sentence.last]


def _about_an_act(view: View, denial: Denial) -> bool:
    """Return whether an armed act is told inside what is denied."""
    found = (*view.found.candidates, *view.found.dropped)
    if any(other.family == "armed" and other.head in denial.inside for other in found):
        return True
    return any(cue.name == "violate" and cue.first in denial.inside for cue in view.found.cues)


def _talked_about(view: View) -> bool:
    sentence = view.candidate.sentence
    return any(cue.name in _TALKS and sentence.first <= cue.first < sentence.last for cue in view.found.cues)


def _as_denied(view: View, slots: Slots, denial: Denial) -> Slots:
    """Return the slots of a denied act: its day is told inside what is denied, not by when it is denied."""
    told = slots.dated and slots.date is not None and _day_inside(view, slots, denial)
    return replace(
        slots,
        date=slots.date if told else None,
        dated=told,
        source=None if denial.denier is None else named_at(view.facts, view.candidate, denial.denier),
    )


def _day_inside(view: View, slots: Slots, denial: Denial) -> bool:
    words = view.reading.words
    return any(
        found.span == slots.date and any(found.start <= words[i].start < found.end for i in denial.inside)
        for found in view.facts.dates
    )
