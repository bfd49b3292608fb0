"""Realis in English: whether a trigger is told as denied, negated, possible, to come or long past."""

from __future__ import annotations

from transforms.detect.candidates import Candidate
from transforms.detect.facts import OLD_DAYS, Facts
from transforms.detect.reading import Reading, ancestors
from transforms.model import Realis

_DENY = frozenset({"deny", "refute", "disprove", "debunk"})
_MODALS = frozenset({"would", "could", "might", "may", "can", "should"})
_CONDITIONS = frozenset({"if", "unless", "whether", "lest"})
_NO = frozenset({"no", "neither", "nor", "not", "never", "n't", "without"})
_POSSIBLE = frozenset(
    {"threaten", "warn", "fear", "risk", "threat", "possibility", "possible", "potential", "consider"}
)
_PLANNED = frozenset({"plan", "intend", "prepare", "expect", "vow", "pledge", "schedule"})
_PAST = frozenset({"ago", "anniversary", "decade", "history", "former", "previous", "since", "memory"})
_REACH = 4


def unreal_of(reading: Reading, facts: Facts, candidate: Candidate) -> Realis | None:
    """Return as what a trigger is told where it is not told as real, None where nothing says so."""
    words = reading.words
    chain = [candidate.head, *ancestors(reading, candidate.head)[:_REACH]]
    inside = range(candidate.sentence.first, candidate.sentence.last)
    chain = [i for i in chain if i in inside]
    below = {i: words[i] for i in inside if words[i].head in chain and i not in chain}
    if any(words[i].lemma in _DENY for i in chain):
        return Realis.DENIED
    lemmas = {word.lemma for word in below.values()}
    near = {words[i].lemma for i in range(max(inside.start, candidate.first - 2), candidate.first)}
    if any(w.dep == "neg" and w.head in chain[:2] for w in below.values()) or near & _NO:
        return Realis.NEGATED
    if lemmas & _CONDITIONS or any(w.lemma in _MODALS and w.dep == "aux" for w in below.values()):
        return Realis.HYPOTHETICAL
    if any(words[i].lemma in _POSSIBLE for i in chain[1:]):
        return Realis.HYPOTHETICAL
    if any(w.lemma in {"will", "shall"} and w.dep == "aux" for w in below.values()):
        return Realis.FUTURE
    if any(words[i].lemma in _PLANNED for i in chain[1:]):
        return Realis.FUTURE
    published = reading.article.published.date()
    dates = [d for d in facts.dates if candidate.sentence.start <= d.start < candidate.sentence.end]
    if any((published - d.span.end).days > OLD_DAYS for d in dates) or lemmas & _PAST:
        return Realis.BACKGROUND
    return None
