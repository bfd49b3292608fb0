"""Judgement by cues alone: for the languages that are not parsed and have few labelled items to learn from.

A trigger is an event when enough speaks for it (a place, a toll, a day, its being told first) and nothing against
(another country, an old date, a negation, a condition, a threat). Which step of a ceasefire it is, the cue that governs
the trigger says: the first one where verbs come first (Arabic, French, Russian), the last one in Turkish. All words are
data (`lexicon/triggers.<lang>.toml`); the weights here were set on invented cases, not fitted to labelled items.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from transforms.detect.candidates import Candidate
from transforms.detect.cue_weights import fresh, placed, to_come, unreal, whereabouts
from transforms.detect.cues_around import Around
from transforms.detect.view import Features, View
from transforms.model import Family, Means, Realis, Stage

GENERIC = "r.generic_bombardment"  # marks a word that tells neither aircraft nor guns
EVENT_FROM = 0.6  # what is below is no event
_AIR = frozenset({"air.strike", "air.craft"})


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


def judge_by_cues(view: View) -> Verdict:
    """Return what the cues around a candidate make of it."""
    around = Around(view)
    if around.masked(around.candidate):
        return _verdict(around, {"r.masked": -1.0}, "masked", Stage.AGREED, Means.UNSPECIFIED)
    return _ceasefire(around) if view.candidate.family == "ceasefire" else _armed(around)


def _verdict(
    around: Around,
    marks: Features,
    reason: str,
    stage: Stage | None = None,
    means: Means | None = None,
    *,
    family: Family = Family.HOSTILITY,
    realis: Realis = Realis.ASSERTED,
) -> Verdict:
    event = round(min(1.0, max(0.0, sum(marks.values()))), 6)
    ceasefire = around.candidate.family == "ceasefire"
    if not reason and event < EVENT_FROM:
        reason = "not_an_event"
    return Verdict(
        event=min(event, EVENT_FROM - 0.01) if reason else event,
        family=Family.CEASEFIRE if ceasefire else family,
        stage=stage if ceasefire else None,
        means=None if ceasefire else means,
        realis=realis,
        reason=reason,
        marks=marks,
    )


# ---------------------------------------------------------------- steps of a ceasefire


def _ceasefire(around: Around) -> Verdict:
    c = around.candidate
    marks: Features = {"r.trigger": 0.35 if c.trigger.needs_context else 0.5 if c.trigger.weak else 0.75}
    if c.trigger.id == "ceasefire.deescalation":
        marks["r.trigger"] = 0.6 if fresh(around) or placed(around) else 0.35
    if c.trigger.id == "ceasefire.plan" and not around.item_tells_truce:
        marks["r.no_truce_told"] = -0.4
    marks |= whereabouts(around)
    stage, sure = _stage(around)
    broken = stage is None and any(other.trigger.id == "breach" for other in around.same_sentence)
    if broken or _set_against_it(around):
        marks["r.truce_is_background_of_an_act"] = -0.6
    if "opinion" in around.cues:
        marks["r.opinion"] = -0.15
    marks["r.stage_told" if stage else "r.no_stage_told"] = sure if stage else -0.35
    if stage is None and c.sentence.field == "title":
        marks["r.title"] = 0.2
    realis = unreal(around)
    if realis is Realis.NEGATED and (around.cues.get("agree") or around.cues.get("talk")):
        stage, realis = Stage.NEGOTIATING, None  # no agreement was reached: talks that failed
    if realis is None and not fresh(around) and around.near("background", before=3, after=3):
        realis = Realis.BACKGROUND
    reason = str(realis) if realis else ""
    return _verdict(around, marks, reason, stage or Stage.AGREED, realis=realis or Realis.ASSERTED)


def _set_against_it(around: Around) -> bool:
    """Return whether the sentence only sets an armed act against the truce ("despite the truce", "broke the truce")."""
    if around.near("violate", before=4, after=4):
        return True
    acts = [other for other in around.same_sentence if _tells_act(other)]
    main = [a for a in acts if (a.first > around.candidate.first) == around.verb_last]
    if main and around.near("soon_after", before=5, after=3 if around.verb_last else -1):
        return True
    if around.verb_last:
        despite = around.near("despite", before=-1, after=2)
    else:
        despite = around.near("despite", before=5, after=-1) if main else around.near("despite", before=2, after=-1)
    return bool(despite) and not around.near("call", before=3, after=2)


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


def _stage(around: Around) -> tuple[Stage | None, float]:
    """Return the step told and how much that speaks for an event."""
    c = around.candidate
    before, after = (6, 10) if around.verb_last else (10, 8)
    near = {
        name: cue
        for name in _STAGES
        if (cue := around.near(name, before=before, after=after, rather_not="welcome" if name == "call" else ""))
    }
    if c.trigger.id == "ceasefire.stop":  # "stop the shelling" takes no effect
        near.pop("effect", None)
    if not near and not around.truces:  # a long sentence about one truce
        near = {name: cue for name in _STAGES if (cue := around.near(name, before=99, after=99))}
    if not near:
        return None, 0.0
    if any(around.negated(cue) for cue in around.cues.get("agree", ())):
        return Stage.NEGOTIATING, 0.1  # no agreement reached: talks that failed
    gaps = {name: around.distance(cue.first, cue.last) for name, cue in near.items()}

    def rank(name: str) -> tuple[int, int]:
        """Sort the governing cue first: by its place in the sentence, on the governing side."""
        cue = near[name]
        side = cue.first >= c.last if around.verb_last else cue.first < c.first
        return (0 if side else 1, -cue.first if around.verb_last else cue.first)

    if "call" in near and len(near) > 1 and around.overlaps("welcome", near["call"]):
        del near["call"]  # what is welcomed says more than the welcome
    leading = min(near, key=rank)
    sure = 0.2 if gaps[leading] <= 6 else 0.05
    if leading in {"effect", "effect_future"}:
        return _in_effect(around, gaps), sure
    if leading == "agree":
        about = [name for name in _DONE if name in near and gaps[name] <= 5]
        if about == ["effect"] and around.overlaps("observe", near["effect"]):
            return Stage.AGREED, sure  # a party that says it will observe the truce agrees to it
        later = "effect" in about and ("effect_future" in near or to_come(around))
        if about and not later:
            return _STAGES[about[0]], sure
        asked = gaps.get("call", 9) <= 1 and not around.cues.get("adopt")
        return (Stage.CALLED_FOR, 0.15) if asked else (Stage.AGREED, sure)
    if leading == "talk" and gaps["talk"] > 4:
        closer = [n for n in (*_DONE, "agree") if n in near and gaps[n] < gaps["talk"]]
        if closer:
            return _STAGES[closer[0]], 0.15
    return _STAGES[leading], sure


def _in_effect(around: Around, gaps: dict[str, int]) -> Stage:
    """Return the step where a word for taking effect governs: the end, an extension and days to come say more."""
    if around.verb_last:  # "talks on the truce's extension go on": the last of them says what goes on
        telling = [name for name in ("ended", "extend", "reject", "talk", "call") if gaps.get(name, 9) <= 3]
        if telling:
            return _STAGES[max(telling, key=lambda name: gaps[name])]
    for name in ("ended", "extend", "reject"):
        if gaps.get(name, 9) <= 5:
            return _STAGES[name]
    return Stage.AGREED if "effect_future" in gaps or to_come(around) else Stage.IN_EFFECT


# ---------------------------------------------------------------- armed acts

_TRUCES_LOOKED_AT = 4
_AGAINST_IT = ("violate", "despite", "during", "soon_after")
_AGAINST = {"opinion": -0.15, "inquiry": -0.25, "accident": -0.4, "background": -0.15, "condemn": -0.05}


def _armed(around: Around) -> Verdict:
    c = around.candidate
    marks: Features = {"r.trigger": 0.25 if c.trigger.weak else 0.5}
    marks |= whereabouts(around)
    marks |= _told_of_it(around)
    marks |= {f"r.{name}": weight for name, weight in _AGAINST.items() if name in around.cues}
    if c.trigger.id == "air.craft":
        marks["r.craft_alone"] = -0.2
    if c.trigger.id in {"shelling", "strike"} and any(
        cue.name == "bombard" and cue.first <= c.first < cue.last for cue in around.all.cues[around.sentence]
    ):
        marks[GENERIC] = 0.0
    if _asked_to_stop(around):
        marks["r.asked_to_stop"] = -0.5
    if around.sentence and around.near("anaphor", before=1, after=-1):
        marks["r.told_before"] = -0.3  # "these strikes": those of the sentence before
    broken = _breaks_a_truce(around)
    if c.trigger.id == "breach":
        marks |= _breach(around)
        broken = True
    realis = unreal(around)
    reason = str(realis) if realis else ""
    if realis is None and around.cues.get("accuse"):
        realis = Realis.ALLEGED
    family = Family.VIOLATION if broken else Family.HOSTILITY
    return _verdict(around, marks, reason, means=_means(around), family=family, realis=realis or Realis.ASSERTED)


def _told_of_it(around: Around) -> Features:
    """Weigh what the sentence tells of the act: a place, a toll, a day, a party."""
    c, index = around.candidate, around.sentence
    marks: Features = {}
    if placed(around):
        marks["r.place"] = 0.15
    elif c.trigger.id == "ground.take":
        marks["r.nothing_taken"] = -0.15
    tolls = around.all.tolls[index]
    if any(t.cumulative for t in tolls):
        marks["r.toll_of_years"] = -0.4
    elif tolls:
        marks["r.toll"] = 0.15
    elif c.trigger.id == "kill":
        marks["r.nobody_counted"] = -0.2
    if fresh(around):
        marks["r.fresh"] = 0.1
    if index < 2:
        marks["r.told_first"] = 0.1
    if any(p.kind != "people" for p in around.all.parties[index]):
        marks["r.party"] = 0.05
    return marks


def _breach(around: Around) -> Features:
    """Weigh a word for breaking: of a truce, and whether the act that broke it is told beside."""
    marks: Features = {}
    if around.truces:
        marks["r.breach"] = 0.2
    elif around.item_tells_truce:
        marks["r.breach"] = 0.05
    else:
        marks["r.breach_of_no_truce"] = -0.6
    if any(_tells_act(other) for other in around.same_sentence):
        marks["r.act_told_beside"] = -0.5
    return marks


def _tells_act(other: Candidate) -> bool:
    return other.family == "armed" and not other.trigger.weak and other.trigger.id != "breach"


def _asked_to_stop(around: Around) -> bool:
    """Return whether the act is what someone wants stopped, not what is told."""
    c = around.candidate
    for other in around.same_sentence:
        if other.trigger.id == "ceasefire.stop":
            gap = other.first - c.last if around.verb_last else c.first - other.last
            if gap <= 1 and other.first < c.last + 2 and c.first < other.last + 2:
                return True
    return around.governs("call", 2) is not None


def _breaks_a_truce(around: Around) -> bool:
    """Return whether the item sets the act against a ceasefire."""
    nearest = sorted(around.truces, key=lambda truce: around.distance(truce.first, truce.last))[:_TRUCES_LOOKED_AT]
    for truce in nearest:
        if _any_within(around, truce, _AGAINST_IT, 5) and not _only_called_for(around, truce):
            return True
    if nearest:
        return False
    return around.item_tells_truce and any(
        other.trigger.id == "breach" or _told_against(around, other)
        for index in (around.sentence - 1, around.sentence, around.sentence + 1)
        for other in around.all.triggers[index]
        if id(other) in around.all.kept
    )


def _told_against(around: Around, other: Candidate) -> bool:
    """Return whether the neighbouring sentence sets acts against the truce that it names."""
    if other.trigger.id != "ceasefire.word" or other.sentence.index == around.candidate.sentence.index:
        return False
    return _set_against_it(Around(replace(around.view, candidate=other)))


def _only_called_for(around: Around, truce: Candidate) -> bool:
    """Return whether the truce is one that someone calls for or talks about, not one that is there."""
    return _any_within(around, truce, ("call", "talk"), 2)


def _any_within(around: Around, truce: Candidate, names: Iterable[str], reach: int) -> bool:
    return any(
        around.distance(cue.first, cue.last, truce) <= reach for name in names for cue in around.cues.get(name, ())
    )


def _means(around: Around) -> Means:
    """Return by what the act was done: a vague trigger takes what a telling one says beside it."""
    c = around.candidate
    means = Means(c.trigger.means or "unspecified")
    beside = sorted(
        (around.distance(other.first, other.last), other.trigger.means, other.trigger.id)
        for other in around.same_sentence
        if _tells_act(other) or other.trigger.id in _AIR
    )
    if means is Means.SHELLING and any(identity in _AIR for _, _, identity in beside):
        return Means.AIRSTRIKE
    if means is Means.UNSPECIFIED or c.trigger.id == "strike":
        telling = [
            (gap, told)
            for gap, told, identity in beside
            if told != "unspecified" and gap <= 8 and identity != "air.craft"
        ]
        if telling:
            return Means(telling[0][1])
    return means
