"""Candidates: every trigger word of a lexicon in an article, with the cues around it.

A candidate says "this may be an event of this family"; slots are filled around it, and the judgement decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from transforms.detect.folding import fold_text
from transforms.detect.lexicons import PhraseMatcher, Trigger, load_lexicon, words_of_form
from transforms.detect.reading import Reading, Sentence, Word
from transforms.detect.terms import TermMatcher

Payload = TypeVar("Payload")


@dataclass(frozen=True, slots=True)
class CueAt:
    """A cue, by the words `words[first:last]` of the reading."""

    name: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trigger in its sentence.

    Attributes:
        trigger: The group of the lexicon it belongs to.
        sentence: Where it stands.
        first, last: The trigger's words, `words[first:last]`.
        head: The word that carries the trigger in the parse; its last word where there is none.
        form: The trigger's words, folded.
    """

    trigger: Trigger
    sentence: Sentence
    first: int
    last: int
    head: int
    form: str

    @property
    def family(self) -> str:
        """Return "ceasefire" or "armed"."""
        return self.trigger.family


@dataclass(frozen=True, slots=True)
class Found:
    """What the lexicon found in a reading."""

    candidates: tuple[Candidate, ...]
    dropped: tuple[Candidate, ...]  # weak ones beside stronger ones, or without the context they need
    cues: tuple[CueAt, ...]


MOST = 80  # candidates judged of one article: what a page of triggers holds beyond them is left unread

Matcher = PhraseMatcher[Payload] | TermMatcher[Payload]


@cache
def _matchers(lang: str) -> tuple[Matcher[Trigger], Matcher[str]]:
    lexicon = load_lexicon(lang)
    triggers = [(form, trigger) for trigger in lexicon.triggers for form in trigger.forms]
    cues = [(form, cue) for cue, forms in lexicon.cues for form in forms]
    if lang != "en":  # without lemmas, entries say their endings themselves
        return TermMatcher(triggers), TermMatcher(cues)
    return (
        PhraseMatcher((words_of_form(form, fold_text), trigger) for form, trigger in triggers),
        PhraseMatcher((words_of_form(form, fold_text), cue) for form, cue in cues),
    )


def find_candidates(reading: Reading) -> Found:
    """Return the candidates and cues of `reading`, in the order of the text."""
    triggers, cues = _matchers(reading.lang)
    words = reading.words
    # "cease-fire" and "cease - fire" are read as "cease fire".
    shown = [index for index, word in enumerate(words) if word.text not in {"-", "–", "‑"} and not word.text.isspace()]
    keys = [words[index].keys for index in shown]
    cues_at = tuple(CueAt(name, shown[first], shown[last - 1] + 1) for first, last, name in cues.find(keys))
    by_family: dict[str, list[Candidate]] = defaultdict(list)
    for first, last, trigger in triggers.find(keys):
        begin, end = shown[first], shown[last - 1] + 1
        sentence = reading.sentence_of(begin)
        if end <= sentence.last and not _is_part_of_another(words, end, trigger):
            form = " ".join(fold_text(words[index].text) for index in shown[first:last])
            by_family[trigger.family].append(Candidate(trigger, sentence, begin, end, _head(reading, begin, end), form))
    kept: list[Candidate] = []
    dropped: list[Candidate] = []
    context = any(not c.trigger.weak for c in by_family["ceasefire"])
    for family in ("ceasefire", "armed"):
        longest = _longest(by_family[family])
        strong = {c.sentence.index for c in longest if not c.trigger.weak}
        for candidate in longest:
            crowded = candidate.trigger.weak and candidate.sentence.index in strong
            bare = candidate.trigger.needs_context and not context
            (dropped if crowded or bare else kept).append(candidate)
    kept = _first_weak(kept)
    order = sorted(kept, key=lambda c: (c.first, c.family))
    return Found(tuple(order[:MOST]), tuple(dropped), cues_at)


def _is_part_of_another(words: Sequence[Word], end: int, trigger: Trigger) -> bool:
    return bool(trigger.not_before) and end < len(words) and not trigger.not_before.isdisjoint(words[end].keys)


def _head(reading: Reading, first: int, last: int) -> int:
    """Return the word of the run whose head lies outside it, the last such."""
    for index in range(last - 1, first - 1, -1):
        head = reading.words[index].head
        if reading.words[index].pos != "PUNCT" and not first <= head < last:
            return index
    return last - 1


def _longest(found: Iterable[Candidate]) -> list[Candidate]:
    """Keep the longest of overlapping triggers of one family; of touching ones, the more telling."""
    kept: list[Candidate] = []
    for candidate in sorted(found, key=lambda c: (c.first - c.last, c.first)):
        if all(candidate.last <= other.first or other.last <= candidate.first for other in kept):
            kept.append(candidate)
    kept.sort(key=lambda c: c.first)
    joined: list[Candidate] = []
    for candidate in kept:
        if joined and _touching(joined[-1], candidate):
            joined[-1] = _join(joined[-1], candidate)
        else:
            joined.append(candidate)
    return joined


def _touching(left: Candidate, right: Candidate) -> bool:
    return left.last == right.first and left.sentence.index == right.sentence.index


_VAGUE = {"", "unspecified"}


def _join(left: Candidate, right: Candidate) -> Candidate:
    """One candidate over both words; it keeps the hint that says more ("car bomb attack" is a bombing).

    A weak word that only stands next to a strong one ("called cease-fire", "airstrikes hit") is left out.
    """
    if left.trigger.weak != right.trigger.weak:
        return right if left.trigger.weak else left
    telling = right if (left.trigger.means in _VAGUE and right.trigger.means not in _VAGUE) else left
    return Candidate(telling.trigger, left.sentence, left.first, right.last, right.head, f"{left.form} {right.form}")


def _first_weak(candidates: list[Candidate]) -> list[Candidate]:
    """Keep, of several weak triggers of one group in one sentence, only the first."""
    seen: set[tuple[int, str]] = set()
    kept: list[Candidate] = []
    for candidate in candidates:
        if candidate.trigger.weak:
            key = (candidate.sentence.index, candidate.trigger.id)
            if key in seen:
                continue
            seen.add(key)
        kept.append(candidate)
    return kept
