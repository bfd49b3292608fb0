"""Judgement by cues alone: for the languages that are not parsed and have few labelled items to learn from.

A trigger is an event when enough speaks for it (a place, a toll, a day, its being told first) and nothing against
(another country, an old date, a negation, a condition, a threat). Which step of a ceasefire it is, the cue that governs
the trigger says: the first one where verbs come first (Arabic, French, Russian), the last one in Turkish. All words are
data (`lexicon/triggers.<lang>.toml`); the weights here were set on invented cases, not fitted to labelled items.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from transforms.detect.candidates import Candidate, CueAt
from transforms.detect.facts import COVERED
from transforms.detect.features import Features, View
from transforms.model import Family, Means, Realis, Stage

EVENT_FROM = 0.6  # what is below is no event
_OLD_DAYS = 30
_VERB_LAST = frozenset({"tr"})
_CLAUSE_MARKS = frozenset(",;:،؛")
_CLAUSE_COST = 3  # words that a comma counts for
_NAMED = frozenset({"name", "place"})
_TRUCE = frozenset({"ceasefire.word", "ceasefire.deescalation"})
_AIR = frozenset({"air.strike", "air.craft"})
_AIR_POWERS = frozenset({"russia", "usa", "israel", "coalition", "nato", "france", "uk", "egypt", "uae"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the cues make of one candidate.

    Attributes:
        event: From 0 to 1; an event from `EVENT_FROM` on.
        family, stage, means, realis: What it tells if it is one.
        reason: Why it is none, "" if it is one.
        marks: What spoke for and against, for `explain`.
    """

    event: float
    family: Family
    stage: Stage | None
    means: Means | None
    realis: Realis
    reason: str
    marks: Features = field(default_factory=dict)


@dataclass(frozen=True)
class _Around:
    """A candidate and the cues of its sentence."""

    view: View

    @property
    def candidate(self) -> Candidate:
        return self.view.candidate

    @property
    def verb_last(self) -> bool:
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

    def near(self, name: str, *, before: int, after: int) -> CueAt | None:
        """Return the nearest cue called `name` at most so many words before or after the trigger."""
        best: tuple[int, CueAt] | None = None
        for cue in self.cues.get(name, ()):
            reach = before if cue.last <= self.candidate.first else after
            gap = self.distance(cue.first, cue.last)
            if gap <= reach and (best is None or gap < best[0]):
                best = (gap, cue)
        return best[1] if best else None

    def governs(self, name: str, reach: int) -> CueAt | None:
        """Return the nearest cue called `name` on the side that governs the trigger."""
        return self.near(name, before=-1, after=reach) if self.verb_last else self.near(name, before=reach, after=-1)

    @cached_property
    def same_sentence(self) -> list[Candidate]:
        found = self.view.found
        own = self.candidate
        every = (*found.candidates, *found.dropped)
        return [c for c in every if c.sentence.index == own.sentence.index and c is not own]

    @cached_property
    def truces(self) -> list[Candidate]:
        """Plain words for a ceasefire in the same sentence."""
        return [c for c in self.same_sentence if c.trigger.id in _TRUCE]

    @cached_property
    def item_tells_truce(self) -> bool:
        return any(c.trigger.id == "ceasefire.word" for c in self.view.found.candidates)

    def masked(self) -> bool:
        """Return whether the trigger is part of a longer term that means something else."""
        c = self.candidate
        for cue in self.view.found.cues:
            if cue.name == "ignore" and cue.first <= c.first and c.last <= cue.last:
                return True
        if c.family == "armed":
            for other in self.view.found.candidates:
                if other.family == "ceasefire" and other.first <= c.first and c.last <= other.last:
                    return True
        return False


def judge_by_cues(view: View) -> Verdict:
    """Return what the cues around a candidate make of it."""
    around = _Around(view)
    if around.masked():
        return _verdict(around, {"r.masked": -1.0}, "masked", Stage.AGREED, Means.UNSPECIFIED)
    return _ceasefire(around) if view.candidate.family == "ceasefire" else _armed(around)


def _verdict(
    around: _Around,
    marks: Features,
    reason: str,
    stage: Stage | None = None,
    means: Means | None = None,
    *,
    family: Family | None = None,
    realis: Realis = Realis.ASSERTED,
) -> Verdict:
    event = min(1.0, max(0.0, sum(marks.values())))
    ceasefire = around.candidate.family == "ceasefire"
    told = Family.CEASEFIRE if ceasefire else family or Family.HOSTILITY
    if not reason and event < EVENT_FROM:
        reason = "not_an_event"
    return Verdict(
        event if not reason else min(event, EVENT_FROM - 0.01),
        told,
        stage if ceasefire else None,
        None if ceasefire else means,
        realis,
        reason,
        marks,
    )


# ---------------------------------------------------------------- what both families weigh


def _whereabouts(around: _Around) -> Features:
    """Weigh whether the act is told of Syria or Libya rather than of another country."""
    view, c = around.view, around.candidate
    facts = view.facts
    marks: Features = {}
    at = view.reading.words[c.first].start
    hits = [h for h in facts.country.hits if c.sentence.start <= h.start < c.sentence.end]
    here = [abs(h.start - at) for h in hits if h.country in COVERED]
    there = [abs(h.start - at) for h in hits if h.country not in COVERED and h.kind in _NAMED]
    if here and there:
        marks["r.also_elsewhere"] = -0.35 if min(there) < min(here) else -0.1
    elif there:
        marks["r.elsewhere"] = -0.6
    elif not here:
        item = max(facts.country.score(code) for code in COVERED)
        marks["r.country_from_item"] = -0.6 if facts.country.elsewhere >= item else -0.1
    if "sport_trade" in around.cues:
        marks["r.sport_or_trade"] = -0.3
    return marks


def _old(around: _Around) -> bool:
    """Return whether the day told nearest to the trigger is more than 30 days before publication."""
    view, c = around.view, around.candidate
    published = view.reading.article.published.date()
    start, end = view.reading.words[c.first].start, view.reading.words[c.last - 1].end
    dates = [
        d for d in view.facts.dates
        if c.sentence.start <= d.start < c.sentence.end and d.kind not in {"dateline", "duration", "since"}
    ]  # fmt: skip
    if not dates:
        return False
    nearest = min(dates, key=lambda d: max(d.start - end, start - d.end, 0))
    return (published - nearest.span.end).days > _OLD_DAYS


def _fresh(around: _Around) -> bool:
    published = around.view.reading.article.published.date()
    c = around.candidate
    return any(
        c.sentence.start <= d.start < c.sentence.end and abs((published - d.span.end).days) <= 7
        for d in around.view.facts.dates
    )


def _unreal(around: _Around) -> Realis | None:
    """Return as what the trigger is told where it is not told as real."""
    if around.governs("deny", 8):
        return Realis.DENIED
    negation = (
        around.near("negation", before=-1, after=4) if around.verb_last else around.near("negation", before=1, after=-1)
    )
    if negation:
        return Realis.NEGATED
    if around.governs("hypothetical", 7) or around.governs("threat", 5):
        return Realis.HYPOTHETICAL
    if _old(around):
        return Realis.BACKGROUND
    return None


# ---------------------------------------------------------------- steps of a ceasefire


def _ceasefire(around: _Around) -> Verdict:
    c = around.candidate
    marks: Features = {"r.trigger": 0.35 if c.trigger.needs_context else 0.5 if c.trigger.weak else 0.75}
    marks |= _whereabouts(around)
    if _set_against_it(around):
        marks["r.truce_is_background_of_an_act"] = -0.6
    stage, sure = _stage(around)
    marks["r.stage_told" if stage else "r.no_stage_told"] = sure if stage else -0.35
    if stage is None and c.sentence.field == "title":
        marks["r.title"] = 0.2
    realis = _unreal(around)
    if realis is Realis.NEGATED and (around.cues.get("agree") or around.cues.get("talk")):
        stage, realis = Stage.NEGOTIATING, None  # no agreement was reached: talks that failed
    if realis is Realis.DENIED and stage is Stage.REJECTED:
        realis = None
    if "background" in around.cues and not _fresh(around) and around.near("background", before=3, after=3):
        realis = realis or Realis.BACKGROUND
    reason = str(realis) if realis else ""
    return _verdict(around, marks, reason, stage or Stage.AGREED, realis=realis or Realis.ASSERTED)


def _set_against_it(around: _Around) -> bool:
    """Return whether the sentence only sets an armed act against the truce ("despite the truce", "broke the truce")."""
    if around.near("violate", before=4, after=4):
        return True
    despite = around.near("despite", before=3, after=-1) or (
        around.near("despite", before=-1, after=2) if around.verb_last else None
    )
    return bool(despite) and not around.near("call", before=2, after=2)


_STAGES: dict[str, Stage] = {
    "call": Stage.CALLED_FOR,
    "talk": Stage.NEGOTIATING,
    "agree": Stage.AGREED,
    "effect": Stage.IN_EFFECT,
    "effect_future": Stage.AGREED,
    "extend": Stage.EXTENDED,
    "reject": Stage.REJECTED,
    "ended": Stage.ENDED,
}
_DONE = ("reject", "extend", "ended", "effect")  # what an announcement or agreement is about, most telling first


def _stage(around: _Around) -> tuple[Stage | None, float]:
    """Return the step told and how much that speaks for an event."""
    before, after = (6, 10) if around.verb_last else (10, 8)
    near = {name: cue for name in _STAGES if (cue := around.near(name, before=before, after=after))}
    if not near:
        return None, 0.0
    c = around.candidate

    def rank(name: str) -> tuple[int, int]:
        """Sort the governing cue first: by its place in the sentence, on the governing side."""
        cue = near[name]
        side = cue.first >= c.last if around.verb_last else cue.last <= c.first
        return (0 if side else 1, -cue.first if around.verb_last else cue.first)

    def gap(name: str) -> int:
        return around.distance(near[name].first, near[name].last)

    order = sorted(near, key=rank)
    leading = order[0]
    if leading in {"agree", "effect_future", "effect"}:
        about = [name for name in _DONE if name in near and gap(name) <= 5 and name != leading]
        if "effect_future" in near and near.get("effect") and "ended" not in about and "extend" not in about:
            return Stage.AGREED, 0.2
        called = "call" in near and gap("call") <= 1 and rank("call") > rank(leading) and not around.cues.get("adopt")
        if called and not about:
            return Stage.CALLED_FOR, 0.15
        if about and not (leading == "effect" and about[0] == "effect"):
            return _STAGES[about[0]], 0.2
        return _STAGES[leading], 0.2 if gap(leading) <= 6 else 0.05
    if leading == "talk":
        closer = [
            name
            for name in ("agree", "extend", "ended", "reject", "effect")
            if name in near and gap(name) < gap("talk")
        ]
        finished = [name for name in closer if name != "agree"]
        if gap("talk") > 4 and closer:
            return _STAGES[(finished or closer)[0]], 0.15
        return Stage.NEGOTIATING, 0.15
    return _STAGES[leading], 0.2 if gap(leading) <= 6 else 0.05


# ---------------------------------------------------------------- armed acts


def _armed(around: _Around) -> Verdict:
    view, c = around.view, around.candidate
    facts = view.facts
    marks: Features = {"r.trigger": 0.25 if c.trigger.weak else 0.5}
    marks |= _whereabouts(around)
    inside = (c.sentence.start, c.sentence.end)
    if any(inside[0] <= p.start < inside[1] and p.place.kind != "country" for p in facts.places):
        marks["r.place"] = 0.15
    tolls = [t for t in facts.tolls if inside[0] <= t.start < inside[1]]
    if any(t.cumulative for t in tolls):
        marks["r.toll_of_years"] = -0.4
    elif tolls:
        marks["r.toll"] = 0.15
    if _fresh(around):
        marks["r.fresh"] = 0.1
    if c.sentence.index < 2:
        marks["r.told_first"] = 0.1
    if any(p.kind != "people" for p in facts.parties if inside[0] <= p.start < inside[1]):
        marks["r.party"] = 0.05
    for name, weight in (("opinion", -0.15), ("accident", -0.4), ("background", -0.15), ("condemn", -0.05)):
        if name in around.cues:
            marks[f"r.{name}"] = weight
    if c.trigger.id == "air.craft":
        marks["r.craft_alone"] = -0.2
    if _asked_to_stop(around):
        marks["r.asked_to_stop"] = -0.5
    broken = _breaks_a_truce(around)
    if c.trigger.id == "breach":
        if not (around.truces or around.item_tells_truce):
            marks["r.breach_of_no_truce"] = -0.6
        else:
            marks["r.breach"] = 0.2 if around.truces else 0.05
        if any(_tells_act(other) for other in around.same_sentence):
            marks["r.act_told_beside"] = -0.4
        broken = True
    realis = _unreal(around)
    reason = str(realis) if realis else ""
    if realis is None and _alleged(around):
        realis = Realis.ALLEGED
    family = Family.VIOLATION if broken else Family.HOSTILITY
    return _verdict(around, marks, reason, means=_means(around), family=family, realis=realis or Realis.ASSERTED)


def _tells_act(other: Candidate) -> bool:
    return other.family == "armed" and not other.trigger.weak and other.trigger.id != "breach"


def _asked_to_stop(around: _Around) -> bool:
    """Return whether the act is what someone wants stopped, not what is told."""
    c = around.candidate
    for other in around.same_sentence:
        if other.trigger.id in {"ceasefire.stop", "ceasefire.word"}:
            overlap = other.first <= c.first < other.last + 1
            if overlap and not around.verb_last:
                return True
            if around.verb_last and c.last >= other.first >= c.first - 1:
                return True
    return around.governs("call", 2) is not None


def _breaks_a_truce(around: _Around) -> bool:
    """Return whether the item sets the act against a ceasefire."""
    c = around.candidate
    for truce in around.truces:
        for name in ("violate", "despite", "during", "soon_after"):
            reach = 4 if name == "violate" else 3
            for cue in around.cues.get(name, ()):
                if around.distance(cue.first, cue.last, truce) <= reach and not _only_called_for(around, truce):
                    return True
    if around.truces:
        return False
    breaches = [
        other for other in around.view.found.candidates
        if other.trigger.id == "breach" and abs(other.sentence.index - c.sentence.index) <= 1
    ]  # fmt: skip
    return bool(breaches) and around.item_tells_truce


def _only_called_for(around: _Around, truce: Candidate) -> bool:
    """Return whether the truce is one that someone calls for or talks about, not one that is there."""
    return any(
        around.distance(cue.first, cue.last, truce) <= 2
        for name in ("call", "talk")
        for cue in around.cues.get(name, ())
    )


def _alleged(around: _Around) -> bool:
    return bool(around.cues.get("accuse"))


def _means(around: _Around) -> Means:
    c = around.candidate
    means = Means(c.trigger.means or "unspecified")
    if means is Means.SHELLING or c.trigger.id == "strike":
        if any(other.trigger.id in _AIR for other in around.same_sentence):
            return Means.AIRSTRIKE
    if means is Means.UNSPECIFIED:
        beside = [other for other in around.same_sentence if _tells_act(other) and other.trigger.means != "unspecified"]
        near = [other for other in beside if around.distance(other.first, other.last) <= 8]
        if near:
            return Means(min(near, key=lambda other: around.distance(other.first, other.last)).trigger.means)
    return means
