"""Who did it and to whom, without a parse: parties by where they stand to the trigger, and words such as "on", "by"."""

from __future__ import annotations

from transforms.detect.cues_around import Around
from transforms.detect.spans import PartyAt
from transforms.model import Party

_NEAR = 3  # words between a trigger and the party that follows it as its doer: "قصفت طائرات روسية", "frappes russes"
_FAR = 12  # words before a trigger in which its doer is looked for
_NOBODY = frozenset({"civilians", "both-sides"})  # those who are hit, and those who are called upon
_NO_DOERS = frozenset({"people", "organisation"})  # those who are hit, and those who count and call


def roles_by_cues(around: Around) -> tuple[tuple[Party, ...], tuple[Party, ...]]:
    """Return the actors and targets of the trigger's act."""
    c, words = around.candidate, around.view.reading.words
    start, end = words[c.first].start, words[c.last - 1].end
    told = [p for p in around.all.parties[around.sentence] if p.party.party_id not in _NOBODY]
    if c.family == "ceasefire":
        return _sides(around, told, start), ()
    doers = [p for p in told if p.kind not in _NO_DOERS]
    inside = [p for p in doers if start < p.end and p.start < end]
    after = [p for p in told if p.start >= end]
    hit = [p for p in after if _introduced(around, "toward", p)]
    by = [p for p in after if p in doers and _introduced(around, "agent", p)]
    follows = [p for p in after if p in doers and p not in hit and around.gap(end, p.start) <= _NEAR]
    before = [p for p in doers if p.end <= start and around.gap(p.end, start) <= _FAR and p not in hit]
    for choice in (inside, by, follows[:1] if not around.verb_last else [], before[-1:]):
        if choice:
            return _parties(choice), _parties([p for p in hit if p not in choice])
    return (), _parties(hit)


def _sides(around: Around, told: list[PartyAt], start: int) -> tuple[Party, ...]:
    """Return who makes, calls for or rejects a truce: the parties before it, or those that it is said to be between."""
    between = [p for p in told if _introduced(around, "between", p)]
    if between:
        first = min(p.start for p in between)
        return _parties([p for p in told if p.start >= first][:2])
    before = [p for p in told if p.end <= start and p.kind != "people"]
    return _parties(
        before[-2:] if len(before) > 1 and around.gap(before[-2].end, before[-1].start) <= 1 else before[-1:]
    )


def _introduced(around: Around, name: str, party: PartyAt) -> bool:
    """Return whether a cue called `name` stands right at a party: before it, or after it where verbs come last."""
    words = around.view.reading.words
    for cue in around.cues.get(name, ()):
        first, last = words[cue.first].start, words[cue.last - 1].end
        if around.verb_last:
            if (first < party.end + 1 and last >= party.end - 1) or 0 <= first - party.end <= 2:
                return True
        elif first <= party.start and around.gap(last, party.start) <= 1:
            return True
    return False


def _parties(told: list[PartyAt]) -> tuple[Party, ...]:
    return tuple(dict.fromkeys(p.party for p in told))
