"""Two triggers that tell one act of one article, by rule: what the judgement's pairing is overruled by in English."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transforms.detect.candidates import Candidate
from transforms.detect.reading import Reading, ancestors
from transforms.detect.retelling import contradict
from transforms.detect.ruling import ruling_words
from transforms.detect.slots import Slots

if TYPE_CHECKING:
    from transforms.detect.deciding import Judged

_VAGUE = frozenset({"", "unspecified"})
_NEAR = 2  # sentences between a headline and the sentence that tells its act


def same_act(reading: Reading, left: Judged, right: Judged) -> bool:
    """Return whether two triggers of one article must be one event, in the order of the text.

    A word for breaking a ceasefire beside an act with means told names that act ("shelling, in breach of the truce");
    a headline and the text below it tell one act where means agree and nothing else differs.
    """
    if left.candidate.family != "armed" or right.candidate.family != "armed":
        return False
    if left.slots.country != right.slots.country:
        return False
    if instrument_of(reading, left, right) is not None:
        return True
    if contradict(left.slots, right.slots):
        return False
    apart = min(right.candidate.sentence.index - member.sentence.index for member in left.members)
    if right.candidate.trigger.id == "breach" and _beside_an_act(reading, left, right):
        return True
    breaches = [j.candidate.trigger.id == "breach" for j in (left, right)]
    hints = [j.candidate.trigger.means in _VAGUE for j in (left, right)]
    if breaches[0] != breaches[1]:
        breach, other = (left, right) if breaches[0] else (right, left)
        near = apart == 0 or (apart == 1 and left.candidate.sentence.field == "title")
        return near and other.candidate.trigger.means not in _VAGUE and not _another_act(reading, breach.candidate)
    if any(hints) or left.means != right.means:
        return False
    return left.candidate.sentence.field == "title" and right.candidate.sentence.field != "title" and apart <= _NEAR


def _beside_an_act(reading: Reading, event: Judged, breach: Judged) -> bool:
    """Return whether a word for breaking a truce stands in the sentence of an act that the event tells."""
    here = breach.candidate.sentence.index
    acts = [m for m in event.members if m.sentence.index == here and m.trigger.means not in _VAGUE]
    return bool(acts) and not _another_act(reading, breach.candidate)


def instrument_of(reading: Reading, left: Judged, right: Judged) -> Judged | None:
    """Return which of two triggers is what the other was done with: "artillery fire struck", "hit by shells"."""
    words = reading.words
    for verb, noun in ((left, right), (right, left)):
        at, head = verb.candidate.head, words[noun.candidate.head]
        if words[at].pos != "VERB" or noun.candidate.sentence.index != verb.candidate.sentence.index:
            continue
        through = head.head if head.dep == "pobj" and words[head.head].dep == "agent" else None
        if (head.dep == "nsubj" and head.head == at) or (through is not None and words[through].head == at):
            return noun
    return None


def is_one_of_many(reading: Reading, left: Judged, right: Judged) -> bool:
    """Return whether one trigger tells of acts in general and the other of one with a toll of its own.

    "Massacres go on despite the truce. ... 19 people died in an attack last week": two events. So are acts by other
    means on days told otherwise: "an attack last week ... an offensive on Wednesday and Thursday".
    """
    if left.candidate.family != "armed" or right.candidate.family != "armed":
        return False
    if any(m.sentence.index == right.candidate.sentence.index for m in left.members):
        return False
    if _in_other_governorates(left.slots, right.slots):
        return True
    if _on_other_days(left.slots, right.slots) and left.candidate.trigger.means != right.candidate.trigger.means:
        return True
    told = [j.slots.killed is not None and j.slots.dated for j in (left, right)]
    if told[0] == told[1]:
        return False
    general = right if told[0] else left
    vague = general.candidate.trigger.means in _VAGUE and general.candidate.sentence.field != "title"
    plural = reading.words[general.candidate.head].tag == "NNS"
    another_day = not general.slots.dated or contradict(left.slots, right.slots)
    return vague and plural and another_day and general.slots.killed is None


def _in_other_governorates(left: Slots, right: Slots) -> bool:
    """Return whether both are told with places, all of the one in other governorates than those of the other."""
    ours, theirs = {p.adm1 for p in left.places}, {p.adm1 for p in right.places}
    return bool(ours and theirs) and "" not in ours | theirs and not ours & theirs


def _on_other_days(left: Slots, right: Slots) -> bool:
    """Return whether each is told with days of its own, and one of them with several."""
    if not (left.dated and right.dated and left.date and right.date):
        return False
    several = left.date.start != left.date.end or right.date.start != right.date.end
    return several and (left.date.start, left.date.end) != (right.date.start, right.date.end)


def _another_act(reading: Reading, breach: Candidate) -> bool:
    """Return whether the breach is one that the act answers or comes in spite of: "in response to violations"."""
    above = [reading.words[i].lemma for i in ancestors(reading, breach.head) if i >= breach.sentence.first]
    return bool(ruling_words()["answered"] & set(above))
