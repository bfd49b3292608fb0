"""From candidates to events: the judgement's answers put together, and what tells one event made one record."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from transforms.detect.candidates import Candidate, Found
from transforms.detect.cue_roles import roles_by_cues
from transforms.detect.cue_rules import GENERIC, judge_by_cues
from transforms.detect.cues_around import Around
from transforms.detect.facts import COVERED, OLD_DAYS, Facts
from transforms.detect.features import features_of
from transforms.detect.judgement import Weighing
from transforms.detect.merging import instrument_of, is_one_of_many, same_act
from transforms.detect.pairing import pair_features
from transforms.detect.reading import Reading
from transforms.detect.realis import unreal_of
from transforms.detect.retelling import contradict, finer
from transforms.detect.roles import role_words
from transforms.detect.ruling import ruling_of
from transforms.detect.slots import Slots, fill, is_of_a_truce, undated
from transforms.detect.steps import is_yet_to_come, step_of
from transforms.detect.told_plainly import is_told_plainly
from transforms.detect.view import Features, View
from transforms.model import Family, Means, Realis, Stage

_PLAINLY = 0.6  # at least so likely is an act told with whoever did it
_HOPELESS = 0.15  # below this, what a candidate would tell is not asked
_SURE_OF_NEWS = 0.8  # from here on, an old day beside an act does not make it old news
_NO_TRUCE_YET = frozenset({Stage.CALLED_FOR, Stage.NEGOTIATING, Stage.REJECTED})
_IN_FORCE = frozenset({Stage.IN_EFFECT, Stage.EXTENDED})
_BELOW_A_TITLE = 2  # sentences
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
        settled: Whether the grammar of the sentence settles the stage.
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
    settled: bool = False


def asker_of(weighing: Weighing) -> Asker:
    """Return the function that asks the heads of one language; make one for each article."""
    last: tuple[Features, Any] | None = None

    def ask(head: str, features: Features) -> dict[str, float]:
        nonlocal last
        if last is None or last[0] is not features:
            last = features, weighing.scores(features)
        return weighing.answers(head, last[1])

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
        view = View(reading, found, facts, candidate)
        features = features_of(view)
        probability = ask(f"event.{candidate.family}", features)["event"]
        first.append((candidate, features, max(probability, _PLAINLY if is_told_plainly(view) else 0.0)))
    least = {c: _least(facts, c, thresholds) for c, _, _ in first}
    taken = tuple(c for c, _, p in first if p >= least[c])
    judged: list[Judged] = []
    for candidate, features, probability in first:
        slots = fill(facts, candidate, taken)
        rejected = ""
        if not slots.country:
            rejected = "elsewhere"
        elif probability < least[candidate] or _peaceful(found, candidate):
            rejected = "not_an_event"
        elif _is_old(reading, slots):
            if probability < _SURE_OF_NEWS and not is_of_a_truce(facts, candidate, found, slots):
                rejected = str(Realis.BACKGROUND)
            else:  # fresh all the same: the old day is that of something else, as of the truce that it breaks
                slots = undated(facts, slots)
        judged.append(_from_the_ground(_answers(candidate, features, probability, slots, rejected, ask, thresholds)))
    ruled = [_ruled(View(reading, found, facts, j.candidate), j) for j in judged]
    judged = _set_against(ruled, _truces_stand(reading, found, ruled), thresholds)

    def same(left: Judged, right: Judged) -> bool:
        if is_one_of_many(reading, left, right) or _are_two_steps(left, right):
            return False
        told_once = same_act(reading, left, right) or same_by_slots(left, right)
        return told_once or same_event(left, right, ask) >= thresholds["same"]

    events = merge(_by_their_instruments(reading, [j for j in judged if not j.rejected]), same)
    events = _with_loose_tolls(events, [j for j in judged if j.rejected])
    events = [_on_its_day(event, judged) for event in events]
    denied = merge([j for j in judged if j.rejected == Realis.DENIED], same_by_slots)
    others = (_with_reason(reading, facts, j) for j in judged if j.rejected and j.rejected != Realis.DENIED)
    return tuple(events) + tuple(denied) + tuple(others)


def _least(facts: Facts, candidate: Candidate, thresholds: Mapping[str, float]) -> float:
    """Return how likely a candidate must be news: less so where its sentence settles which step of a truce it tells."""
    sentence, at = candidate.sentence, facts.reading.words[candidate.first].start
    named = [hit for hit in facts.country.hits if sentence.start <= hit.start < sentence.end]
    nearest = min(named, key=lambda hit: abs(hit.start - at)).country if named else facts.country.best
    here = nearest in COVERED  # not a truce between others, in a sentence that names Syria too
    if here and candidate.family == "ceasefire" and not candidate.trigger.weak and step_of(facts.reading, candidate):
        return thresholds["event.settled"]
    return thresholds[f"event.{candidate.family}"]


def _ruled(view: View, judged: Judged) -> Judged:
    """Return the candidate rejected where its words settle that it is told as no news, whatever was weighed."""
    ruling = ruling_of(view, judged.slots)
    if judged.rejected == "elsewhere":
        return judged
    if ruling is None:
        stage = step_of(view.reading, view.candidate) if judged.family == Family.CEASEFIRE else None
        if stage is None and judged.stage == Stage.IN_EFFECT and is_yet_to_come(view.reading, view.candidate):
            return replace(judged, stage=Stage.AGREED)  # "hours before a ceasefire is due to take effect"
        return replace(judged, stage=stage, settled=True) if stage else judged
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
    """Give a toll told in a sentence by itself ("At least five people died.") to the act of the sentence before.

    One of a headline goes to the act that the text below it tells.
    """
    taken = {member.sentence.index for event in events for member in event.members if member.family == "armed"}
    for loose in rejected:
        sentence = loose.candidate.sentence.index
        toll = loose.slots
        if sentence in taken or loose.candidate.family != "armed" or (toll.killed is None and toll.injured is None):
            continue
        for at, event in enumerate(events):
            apart = [sentence - member.sentence.index for member in event.members]
            near = 1 in apart or (loose.candidate.sentence.field == "title" and max(apart) >= -_BELOW_A_TITLE)
            if (
                event.candidate.family == "armed"
                and near
                and event.slots.killed is None
                and event.slots.injured is None
            ):
                events[at] = replace(event, slots=replace(event.slots, killed=toll.killed, injured=toll.injured))
                break
    return events


def _by_their_instruments(reading: Reading, taken: list[Judged]) -> list[Judged]:
    """Give verbs the means of what they are done with: "artillery fire struck a market" is shelling."""
    out = list(taken)
    for at, verb in enumerate(taken):
        for noun in taken:
            told = noun.means not in {None, Means.UNSPECIFIED} and verb.means is not None and noun is not verb
            if told and instrument_of(reading, verb, noun) is noun:
                out[at] = replace(verb, means=noun.means)
    return out


def _on_its_day(event: Judged, judged: Sequence[Judged]) -> Judged:
    """Give a step told by a long span ("earlier this month") the one day in it that the next sentence tells of it."""
    span = event.slots.date
    if event.family != Family.CEASEFIRE or span is None or span.start == span.end:
        return event
    beside = {member.sentence.index + step for member in event.members for step in (-1, 1)}
    days = [
        j.slots for j in judged
        if j.candidate.family == "ceasefire" and j.candidate.sentence.index in beside and j.slots.dated
    ]  # fmt: skip
    for slots in days:
        day = slots.date
        if day is not None and day.start == day.end and span.start <= day.start <= span.end:
            return replace(event, slots=replace(event.slots, date=day))
    return event


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


def _are_two_steps(left: Judged, right: Judged) -> bool:
    """Return whether two sentences settle different steps; that a truce is made and has begun may be told as one."""
    stages = {left.stage, right.stage}
    return left.settled and right.settled and len(stages) == 2 and stages != {Stage.AGREED, Stage.IN_EFFECT}


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


def _from_the_ground(judged: Judged) -> Judged:
    """Read a bombardment by those who have no aircraft as shelling."""
    loose = judged.candidate.trigger.id == "strike" and judged.means == Means.AIRSTRIKE
    if (
        loose
        and judged.slots.actors
        and all(p.party_id in role_words()["without_aircraft"] for p in judged.slots.actors)
    ):
        return replace(judged, means=Means.SHELLING)
    return judged


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


def _truces_stand(reading: Reading, found: Found, judged: Sequence[Judged]) -> set[Stage | None]:
    """Return where the truces of an item stand; one that is yet to come is only asked for."""
    told = {
        Stage.CALLED_FOR if is_yet_to_come(reading, j.candidate) else j.stage
        for j in judged if not j.rejected and j.family == Family.CEASEFIRE
    }  # fmt: skip
    if told:
        return told
    named = [c for c in found.candidates if c.family == "ceasefire" and not c.trigger.weak]
    return {Stage.CALLED_FOR} if named and all(is_yet_to_come(reading, c) for c in named) else set()


def _set_against(judged: list[Judged], steps: set[Stage | None], thresholds: Mapping[str, float]) -> list[Judged]:
    """Decide violation or hostility by the whole item: it seldom sets one act against a truce and not the next.

    What the item tells of its truce counts too: one that is only asked for cannot be broken yet.
    """
    acts = [j for j in judged if not j.rejected and j.family != Family.CEASEFIRE]
    if not acts:
        return judged
    standing = (
        thresholds["truce.asked"] if steps and steps <= _NO_TRUCE_YET
        else thresholds["truce.in_force"] if steps & _IN_FORCE
        else thresholds["truce.ended"] if Stage.ENDED in steps
        else 0.0
    )  # fmt: skip
    common = sum(j.broken for j in acts) / len(acts)
    least = _log_odds(thresholds["violation"])
    share = thresholds["item_share"]
    out: list[Judged] = []
    for j in judged:
        if j.family == Family.CEASEFIRE or j.rejected:
            out.append(j)
            continue
        broken = (1 - share) * j.broken + share * common + standing
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
    stage = retelling.stage if retelling.settled and not event.settled else event.stage
    return replace(
        event,
        slots=slots,
        means=means,
        family=family,
        stage=stage,
        event=max(event.event, retelling.event),
        members=event.members + retelling.members,
        settled=event.settled or retelling.settled,
    )
