"""From candidates to events: the judgement's answers put together, and what tells one event made one record."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from transforms.detect.candidates import Candidate, Found
from transforms.detect.cue_roles import roles_by_cues
from transforms.detect.cue_rules import GENERIC, judge_by_cues
from transforms.detect.cues_around import Around
from transforms.detect.facts import OLD_DAYS, Facts
from transforms.detect.features import features_of
from transforms.detect.judgement import Judgement
from transforms.detect.merging import is_one_of_many, same_act
from transforms.detect.reading import Reading
from transforms.detect.realis import unreal_of
from transforms.detect.retelling import contradict, finer
from transforms.detect.ruling import ruling_of
from transforms.detect.slots import Slots, fill, is_of_a_truce, undated
from transforms.detect.steps import step_of
from transforms.detect.view import Features, View
from transforms.model import Family, Means, Realis, Stage

_SURE = 0.7
_HOPELESS = 0.15  # below this, what a candidate would tell is not asked
_SURE_OF_NEWS = 0.8  # from here on, an old day beside an act does not make it old news
_SPORT = 2  # words of sport or trade that make a truce one of those

Asker = Callable[[str, Features], dict[str, float]]
"""Takes the name of a head and features, gives probabilities by class."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate with the judgement's answers.

    Attributes:
        candidate: The trigger.
        features: What was weighed.
        event: Probability that it tells a newsworthy event.
        family, stage, means, realis: What it tells if it does.
        broken: Log-odds that an armed act is set against a ceasefire, by this candidate alone.
        slots: Filled only for those taken as events, else those of a first look.
        rejected: Why it is no event, "" if it is one.
        members: Candidates that tell the same event, itself among them.
    """

    candidate: Candidate
    features: Features
    event: float
    family: Family
    stage: Stage | None
    means: Means | None
    realis: Realis
    slots: Slots
    broken: float = 0.0
    rejected: str = ""
    members: tuple[Candidate, ...] = ()


def asker_of(judgement: Judgement, lang: str) -> Asker:
    """Return the function that asks the heads for a language."""

    def ask(head: str, features: Features) -> dict[str, float]:
        return judgement.head(head, lang).probabilities(features)

    return ask


def judge_all(
    reading: Reading, found: Found, facts: Facts, ask: Asker, thresholds: Mapping[str, float]
) -> tuple[Judged, ...]:
    """Return every candidate judged, those of one event merged; rejected ones too, with the reason.

    English is judged by the trained heads; the other languages by the rules over their cues.
    """
    if reading.lang != "en":
        return judge_all_by_cues(reading, found, facts)
    first: list[tuple[Candidate, Features, float]] = []
    for candidate in found.candidates:
        features = features_of(View(reading, found, facts, candidate))
        first.append((candidate, features, ask(f"event.{candidate.family}", features)["event"]))
    taken = tuple(c for c, _, p in first if p >= thresholds[f"event.{c.family}"])
    judged: list[Judged] = []
    for candidate, features, probability in first:
        slots = fill(facts, candidate, taken)
        rejected = ""
        if not slots.country:
            rejected = "elsewhere"
        elif probability < thresholds[f"event.{candidate.family}"] or _peaceful(found, candidate):
            rejected = "not_an_event"
        elif _is_old(reading, slots):
            if probability < _SURE_OF_NEWS and not is_of_a_truce(facts, candidate, found, slots):
                rejected = str(Realis.BACKGROUND)
            else:  # fresh all the same: the old day is that of something else, as of the truce that it breaks
                slots = undated(facts, slots)
        judged.append(_answers(candidate, features, probability, slots, rejected, ask, thresholds))
    judged = _set_against([_ruled(View(reading, found, facts, j.candidate), j) for j in judged], thresholds)

    def same(left: Judged, right: Judged) -> bool:
        if is_one_of_many(reading, left, right):
            return False
        told_once = same_act(reading, left, right) or same_by_slots(left, right)
        return told_once or same_event(left, right, ask) >= thresholds["same"]

    events = merge([j for j in judged if not j.rejected], same)
    events = _with_loose_tolls(events, [j for j in judged if j.rejected])
    denied = merge([j for j in judged if j.rejected == Realis.DENIED], same_by_slots)
    others = (_with_reason(reading, facts, j) for j in judged if j.rejected and j.rejected != Realis.DENIED)
    return tuple(events) + tuple(denied) + tuple(others)


def _ruled(view: View, judged: Judged) -> Judged:
    """Return the candidate rejected where its words settle that it is told as no news, whatever was weighed."""
    ruling = ruling_of(view, judged.slots)
    if judged.rejected == "elsewhere":
        return judged
    if ruling is None:
        stage = step_of(view.reading, view.candidate) if judged.family == Family.CEASEFIRE else None
        return replace(judged, stage=stage) if stage else judged
    realis = ruling.reason if isinstance(ruling.reason, Realis) else judged.realis
    return replace(judged, realis=realis, slots=ruling.slots, rejected=str(ruling.reason))


def _is_old(reading: Reading, slots: Slots) -> bool:
    """Return whether the day told lies further back than news goes."""
    if not slots.dated or slots.date is None:
        return False
    return (reading.article.published.date() - slots.date.end).days > OLD_DAYS


def _peaceful(found: Found, candidate: Candidate) -> bool:
    """Return whether a truce is one of sport or trade: words of those around it, and no armed act in the item."""
    if candidate.family != "ceasefire" or any(c.family == "armed" for c in found.candidates):
        return False
    return len({cue.first for cue in found.cues if cue.name == "sport_trade"}) >= _SPORT


def _with_loose_tolls(events: list[Judged], rejected: list[Judged]) -> list[Judged]:
    """Give a toll told in a sentence by itself ("At least five people died.") to the act of the sentence before."""
    taken = {member.sentence.index for event in events for member in event.members if member.family == "armed"}
    for loose in rejected:
        sentence = loose.candidate.sentence.index
        toll = loose.slots
        if sentence in taken or loose.candidate.family != "armed" or (toll.killed is None and toll.injured is None):
            continue
        for at, event in enumerate(events):
            near = 0 < sentence - event.candidate.sentence.index <= 1
            if (
                event.candidate.family == "armed"
                and near
                and event.slots.killed is None
                and event.slots.injured is None
            ):
                events[at] = replace(event, slots=replace(event.slots, killed=toll.killed, injured=toll.injured))
                break
    return events


def _with_reason(reading: Reading, facts: Facts, judged: Judged) -> Judged:
    """Say of a rejected candidate as what it is told, where the words around it say so."""
    if judged.rejected != "not_an_event":
        return judged
    realis = unreal_of(reading, facts, judged.candidate)
    return replace(judged, realis=realis, rejected=str(realis)) if realis else judged


def judge_all_by_cues(reading: Reading, found: Found, facts: Facts) -> tuple[Judged, ...]:
    """Return every candidate judged by rules over cues, in any language."""
    verdicts = [(c, judge_by_cues(View(reading, found, facts, c))) for c in found.candidates]
    taken = tuple(c for c, verdict in verdicts if not verdict.reason)
    judged: list[Judged] = []
    for candidate, verdict in verdicts:
        actors, targets = roles_by_cues(Around(View(reading, found, facts, candidate)))
        slots = replace(fill(facts, candidate, taken), actors=actors, targets=targets)
        reason = verdict.reason or ("" if slots.country else "elsewhere")
        judged.append(
            Judged(
                candidate, verdict.marks, verdict.event, verdict.family, verdict.stage, verdict.means, verdict.realis,
                slots, 0.0, reason, (candidate,),
            )
        )  # fmt: skip
    rejected = tuple(j for j in judged if j.rejected)
    events = merge([j for j in judged if not j.rejected], same_by_slots)
    telling = {event.candidate.sentence.index for event in events}
    return tuple(e if e.candidate.sentence.index + 1 in telling else _with_toll(e, rejected) for e in events) + rejected


def same_by_slots(left: Judged, right: Judged) -> bool:
    """Return whether two candidates tell one event, by rule: nothing that both tell contradicts."""
    if left.candidate.family != right.candidate.family or left.slots.country != right.slots.country:
        return False
    if left.candidate.family == "ceasefire":
        begun = {left.stage, right.stage} == {Stage.AGREED, Stage.IN_EFFECT}  # one truce, told as made and as begun
        return (left.stage == right.stage or begun) and not contradict(left.slots, right.slots)
    means = {left.means, right.means}
    # A bare word for bombardment does not say whether it was by air or by guns.
    loose = Means.UNSPECIFIED in means or (
        (GENERIC in left.features or GENERIC in right.features) and means <= {Means.AIRSTRIKE, Means.SHELLING}
    )
    return (len(means) == 1 or loose) and not contradict(left.slots, right.slots)


def _with_toll(event: Judged, rejected: Sequence[Judged]) -> Judged:
    """Return the event with the toll that the next sentence tells without an act of its own."""
    if event.family == Family.CEASEFIRE or event.slots.killed is not None or event.slots.injured is not None:
        return event
    after = event.candidate.sentence.index + 1
    for other in rejected:
        slots = other.slots
        told = slots.killed is not None or slots.injured is not None
        if other.candidate.trigger.id == "kill" and other.candidate.sentence.index == after and told:
            return replace(event, slots=replace(event.slots, killed=slots.killed, injured=slots.injured))
    return event


def _answers(
    candidate: Candidate,
    features: Features,
    probability: float,
    slots: Slots,
    rejected: str,
    ask: Asker,
    thresholds: Mapping[str, float],
) -> Judged:
    if rejected and probability < _HOPELESS:
        # Not worth four more questions: the lexicon's hints will do for what `explain` shows.
        ceasefire = candidate.family == "ceasefire"
        family = Family.CEASEFIRE if ceasefire else Family.HOSTILITY
        stage = Stage(candidate.trigger.stage or Stage.CALLED_FOR) if ceasefire else None
        means = None if ceasefire else Means(candidate.trigger.means or Means.UNSPECIFIED)
        return Judged(
            candidate, features, probability, family, stage, means, Realis.ASSERTED, slots, 0.0, rejected, (candidate,)
        )
    realis = Realis.ALLEGED if ask("certainty", features)["alleged"] >= thresholds["alleged"] else Realis.ASSERTED
    if candidate.family == "ceasefire":
        answers = ask("stage", features)
        stage = Stage(max(answers, key=lambda name: answers[name]))
        return Judged(
            candidate, features, probability, Family.CEASEFIRE, stage, None, realis, slots, 0.0, rejected, (candidate,)
        )
    answers = ask("means", features)
    means = Means(max(answers, key=lambda name: answers[name]))
    broken = _log_odds(ask("violation", features)["violation"])
    family = Family.VIOLATION if broken >= _log_odds(thresholds["violation"]) else Family.HOSTILITY
    return Judged(candidate, features, probability, family, None, means, realis, slots, broken, rejected, (candidate,))


def _log_odds(probability: float) -> float:
    clipped = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(clipped / (1 - clipped))


def _set_against(judged: list[Judged], thresholds: Mapping[str, float]) -> list[Judged]:
    """Decide violation or hostility by the whole item: it seldom sets one act against a truce and not the next."""
    acts = [j for j in judged if not j.rejected and j.family != Family.CEASEFIRE]
    if not acts:
        return judged
    common = sum(j.broken for j in acts) / len(acts)
    least = _log_odds(thresholds["violation"])
    share = thresholds["item_share"]
    out: list[Judged] = []
    for j in judged:
        if j.family == Family.CEASEFIRE or j.rejected:
            out.append(j)
            continue
        broken = (1 - share) * j.broken + share * common
        out.append(replace(j, family=Family.VIOLATION if broken >= least else Family.HOSTILITY))
    return out


def merge(events: Sequence[Judged], same: Callable[[Judged, Judged], bool]) -> list[Judged]:
    """Return the events with retellings folded into the first record of each."""
    kept: list[Judged] = []
    for event in sorted(events, key=lambda j: j.candidate.first):
        at = next((at for at, other in enumerate(kept) if same(other, event)), None)
        if at is None:
            kept.append(event)
        else:
            kept[at] = fold(kept[at], event)
    return kept


def same_event(left: Judged, right: Judged, ask: Asker) -> float:
    """Return the probability that two candidates of one article tell the same event."""
    if left.candidate.family != right.candidate.family or left.slots.country != right.slots.country:
        return 0.0
    return ask("same", pair_features(left, right))["same"]


def pair_features(left: Judged, right: Judged) -> Features:
    """Return what is weighed of two candidates of one family and country, in the order of the text."""
    out: Features = {}
    family = left.candidate.family
    a, b = left.slots, right.slots

    def put(name: str) -> None:
        out[f"t.{name}"] = 1.0
        out[f"t.{family}.{name}"] = 1.0

    sentences = right.candidate.sentence.index - left.candidate.sentence.index
    put(f"apart={min(sentences, 3)}")
    if family == "ceasefire":
        put(f"stage={'same' if left.stage == right.stage else 'other'}")
        put(f"stages={left.stage}+{right.stage}")
    else:
        put(f"means={_means_alike(left, right)}")
        put(f"means={'+'.join(sorted((str(left.means), str(right.means))))}")
        put(f"family={'same' if left.family == right.family else 'other'}")
        put(f"weak={left.candidate.trigger.weak}+{right.candidate.trigger.weak}")
    put(f"trigger={'same' if left.candidate.trigger.id == right.candidate.trigger.id else 'other'}")
    put(f"form={'same' if left.candidate.form == right.candidate.form else 'other'}")
    put(f"places={_compared({_key(p.name) for p in a.places}, {_key(p.name) for p in b.places})}")
    put(f"dates={'same' if a.date == b.date else 'one' if a.dated != b.dated else 'other'}.{a.dated}.{b.dated}")
    put(f"killed={_numbers(a.killed, b.killed)}")
    put(f"actors={_compared(_actor_keys(a), _actor_keys(b))}")
    gap = right.candidate.first - left.candidate.last
    put(f"gap={'0' if gap <= 2 else '1' if gap <= 6 else '2' if gap <= 15 else '3'}.{min(sentences, 1)}")
    put(f"certainty={'same' if left.realis == right.realis else 'other'}")
    definite = bool({"w-1=the", "w-1=this", "w-1=these", "w-1=that"} & right.features.keys())
    hints = [j.candidate.trigger.means or j.candidate.trigger.stage for j in (left, right)]
    vague = [hint in {"", "unspecified"} for hint in hints]
    clash = contradictions(left, right)
    put(f"definite={definite}")
    put(f"hints={'same' if hints[0] == hints[1] else 'vague' if any(vague) else 'other'}.{min(sentences, 1)}")
    put(f"vague={vague[0]}+{vague[1]}.{min(sentences, 2)}")
    put(f"clash={min(clash, 2)}")
    put(f"clash={min(clash, 1)}.vague={any(vague)}.definite={definite}")
    put(f"clash={min(clash, 1)}.means={left.means == right.means}.{min(sentences, 2)}")
    put(f"sure={right.event >= _SURE}")
    return out


def _means_alike(left: Judged, right: Judged) -> str:
    if left.means == right.means:
        return "same"
    return "vague" if Means.UNSPECIFIED in (left.means, right.means) else "other"


def contradictions(left: Judged, right: Judged) -> int:
    """Return how many of place, day, dead and perpetrator are told of both and differ."""
    a, b = left.slots, right.slots
    ours, theirs = {_key(p.name) for p in a.places}, {_key(p.name) for p in b.places}
    return (
        (bool(ours and theirs) and not ours & theirs)
        + (a.dated and b.dated and a.date != b.date)
        + (a.killed is not None and b.killed is not None and a.killed != b.killed)
        + (bool(a.actors and b.actors) and not _actor_keys(a) & _actor_keys(b))
    )


def _key(name: str) -> str:
    return name.casefold()


def _actor_keys(slots: Slots) -> set[str]:
    return {party.party_id or party.name.casefold() for party in slots.actors}


def _compared(left: set[str], right: set[str]) -> str:
    if not left or not right:
        return "none" if not left and not right else "one"
    return "same" if left & right else "other"


def _numbers(left: int | None, right: int | None) -> str:
    if left is None or right is None:
        return "none" if left is None and right is None else "one"
    return "same" if left == right else "other"


def fold(event: Judged, retelling: Judged) -> Judged:
    """Return `event` with what `retelling` adds: slots that were not told, the more telling means."""
    a, b = event.slots, retelling.slots
    slots = replace(
        a,
        places=finer(a.places, b.places),
        date=b.date if b.dated and not a.dated else a.date,
        dated=a.dated or b.dated,
        killed=a.killed if a.killed is not None else b.killed,
        injured=a.injured if a.injured is not None else b.injured,
        actors=a.actors or b.actors,
        targets=a.targets or b.targets,
        source=a.source or b.source,
    )
    told_loosely = event.means == Means.UNSPECIFIED or (
        GENERIC in event.features and GENERIC not in retelling.features and retelling.means != Means.UNSPECIFIED
    )
    means = retelling.means if told_loosely else event.means
    family = Family.VIOLATION if Family.VIOLATION in (event.family, retelling.family) else event.family
    stage = event.stage
    return replace(
        event,
        slots=slots,
        means=means,
        family=family,
        stage=stage,
        event=max(event.event, retelling.event),
        members=event.members + retelling.members,
    )
