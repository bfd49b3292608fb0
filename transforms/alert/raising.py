"""What subscribers are told of a changed event: nothing, a first alert, a revision, or that it is taken back.

`raise_alert` is one pure function. It measures the event as it now is against `Event.told`, what was told last, and
returns the event with `told` brought up to date, so that the same change given again raises nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from transforms.alert.codes import codes_of
from transforms.alert.coverage import units_of
from transforms.alert.ledger import Ledger
from transforms.alert.revisions import differences, place_key, rule_of, telling
from transforms.alert.settings import AlertPolicy
from transforms.alert.withdrawals import denials, standing_mentions
from transforms.model import (
    Alert,
    AlertEvidence,
    Basis,
    Change,
    Event,
    EventChange,
    Family,
    Mention,
    Realis,
    Told,
    Toll,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What became of one changed event.

    Attributes:
        event: The event to store, its `told` brought up to date.
        alert: What is told, None if nothing is.
        reason: Short stable word for counters: "new", "updated" or "retracted" with an alert, else why there is none.
    """

    event: Event
    alert: Alert | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How the ledger sees an event.

    Attributes:
        family: The event's family; a hostility that breaks a ceasefire is a violation.
        basis: For violations, who says so.
        ceasefire_id: The ceasefire that is broken or joined, "" if none is known.
        ceasefire_name: Its name for people.
    """

    family: Family
    basis: Basis | None = None
    ceasefire_id: str = ""
    ceasefire_name: str = ""


def judge(event: Event, ledger: Ledger) -> Judgement:
    """Return what `event` is in the light of the ceasefires in force; the event itself stays as the outlets tell it."""
    family: Family = event.family
    basis: Basis | None = None
    if event.family is Family.CEASEFIRE:
        found = ledger.joined_by(event)
    elif event.family is Family.VIOLATION:
        found, basis = ledger.meant_by(event), Basis.REPORTED
    else:
        found = ledger.broken_by(event)
        if found:
            family, basis = Family.VIOLATION, Basis.INFERRED
    return Judgement(
        family=family,
        basis=basis,
        ceasefire_id=found.id if found else "",
        ceasefire_name=found.name if found else "",
    )


def raise_alert(
    change: EventChange, ledger: Ledger, policy: AlertPolicy, now: datetime, *, supersedes: str = ""
) -> Decision:
    """Return what is told of the event in `change`.

    Args:
        change: The event as it now is. What differs is measured against `told`, so an event may be given again at any
            time, with whatever words for what changed.
        ledger: Ceasefires by which acts are judged.
        policy: What is told.
        now: The run's clock.
        supersedes: Id of a told event that turned out to be this one, "" if there is none.
    """
    event = change.event
    judgement = judge(event, ledger)
    standing = standing_mentions(event)
    taken_back = _retraction(event, standing, judgement, policy)
    if event.told is None:
        refused = taken_back or refusal(event, judgement, standing, policy, now, news=not supersedes)
        if refused:
            return Decision(event=event, alert=None, reason=refused)
        return _tell(event, judgement, standing, policy, now, Change.NEW, (), supersedes)
    if taken_back:
        if event.told.retracted:
            return Decision(event=event, alert=None, reason="retracted_before")
        return _tell(event, judgement, standing, policy, now, Change.RETRACTED, (taken_back,), supersedes)
    changed = _changed(event, judgement, standing, policy, supersedes)
    if not changed:
        return Decision(event=event, alert=None, reason="unchanged")
    if now - event.told.at < policy.quiet and not event.closed and not any(rule_of(one).urgent for one in changed):
        return Decision(event=event, alert=None, reason="quiet")
    return _tell(event, judgement, standing, policy, now, Change.UPDATED, changed, supersedes)


def refusal(
    event: Event,
    judgement: Judgement,
    standing: tuple[Mention, ...],
    policy: AlertPolicy,
    now: datetime,
    *,
    news: bool = True,
) -> str:
    """Return why the policy does not tell of an event that was not told before, "" if it does.

    Args:
        event: The event.
        judgement: How the ledger sees it.
        standing: The mentions that stand.
        policy: What is told.
        now: The run's clock.
        news: Whether it must be fresh and corroborated; not where it takes the place of an event that was told.
    """
    kinds = policy.stages if judgement.family is Family.CEASEFIRE else policy.means
    kind = event.stage if judgement.family is Family.CEASEFIRE else event.means
    checks = (
        ("family", judgement.family in policy.families),
        ("kind", kind is None or kind in kinds),
        ("denied", event.certainty is not Realis.DENIED),
        ("certainty", certainty_of(event, standing) in policy.certainties),
        ("basis", judgement.basis is None or judgement.basis in policy.bases),
        ("country", event.country in policy.countries),
        ("place", not policy.places or _within(event, policy.places)),
        ("old", event.date is None or (event.last_seen.date() - event.date.end).days <= policy.max_age_days),
        ("few_outlets", not news or event.independent_outlets >= policy.min_independent_outlets),
        ("backlog", not news or any(not mention.backlog for mention in standing)),
        ("stale", not news or any(not m.backlog and now - m.published <= policy.freshness for m in standing)),
    )
    return next((reason for reason, passed in checks if not passed), "")


def certainty_of(event: Event, standing: tuple[Mention, ...]) -> Realis:
    """Return "asserted" or "alleged": the event's own certainty, as far as a standing report bears it out.

    An event that is denied and still claimed is alleged; without any mention, its own certainty is all there is.
    """
    if not standing:
        return event.certainty
    borne_out = any(mention.realis is Realis.ASSERTED for mention in standing)
    return Realis.ASSERTED if borne_out and event.certainty is Realis.ASSERTED else Realis.ALLEGED


def _retraction(event: Event, standing: tuple[Mention, ...], judgement: Judgement, policy: AlertPolicy) -> str:
    if event.superseded_by:
        return "superseded"
    if not standing:
        return "denied_by_source" if denials(event) else "withdrawn"
    told = event.told
    if told and told.family is Family.VIOLATION and judgement.family is Family.HOSTILITY:
        return "" if Family.HOSTILITY in policy.families else "no_breach"
    return ""


def _changed(
    event: Event, judgement: Judgement, standing: tuple[Mention, ...], policy: AlertPolicy, supersedes: str
) -> tuple[str, ...]:
    if event.told is None:
        return ()
    if event.told.retracted:
        return telling(("reinstated",), policy.revisions)
    found = differences(event.told, _told(event, judgement, standing, event.told.at), event, policy.outlet_steps)
    return telling((*found, "merged") if supersedes else found, policy.revisions)


def _tell(
    event: Event,
    judgement: Judgement,
    standing: tuple[Mention, ...],
    policy: AlertPolicy,
    now: datetime,
    change: Change,
    changed: tuple[str, ...],
    supersedes: str,
) -> Decision:
    told = _told(event, judgement, standing, now)
    if change is Change.RETRACTED and event.told:
        # What is taken back is what was told; measured against it, a reinstatement says what is new.
        told = replace(event.told, revision=event.revision + 1, at=now, retracted=True)
        judgement = replace(judgement, family=told.family, basis=told.basis, ceasefire_id=told.ceasefire_id)
    certainty = Realis.DENIED if "denied_by_source" in changed else told.certainty
    alert = Alert(
        event_id=event.event_id,
        revision=told.revision,
        change=change,
        changed=changed,
        family=judgement.family,
        stage=event.stage,
        means=event.means,
        certainty=certainty,
        alleged_by=tuple(sorted({m.alleged_by for m in standing if m.realis is Realis.ALLEGED and m.alleged_by})),
        denied_by=denials(event),
        country=event.country,
        places=event.places,
        date=event.date,
        actors=event.actors,
        targets=event.targets,
        killed=event.killed,
        injured=event.injured,
        ceasefire_id=judgement.ceasefire_id,
        ceasefire_name=judgement.ceasefire_name,
        basis=judgement.basis,
        evidence=evidence_of(event, policy.max_evidence),
        outlets=event.outlets,
        independent_outlets=event.independent_outlets,
        state_affiliated_outlets=tuple(sorted({m.outlet for m in event.mentions if m.state_affiliated})),
        first_seen=event.first_seen,
        told_at=now,
        codes=codes_of(
            judgement.family,
            stage=event.stage,
            means=event.means,
            certainty=certainty,
            actors=event.actors,
            targets=event.targets,
        ),
        rules_version=max(((m.fetched, m.rules_version) for m in event.mentions), default=(now, ""))[1],
        supersedes=supersedes,
        superseded_by=event.superseded_by,
    )
    return Decision(event=replace(event, told=told), alert=alert, reason=str(change))


def evidence_of(event: Event, most: int) -> tuple[AlertEvidence, ...]:
    """Return the quotes behind `event`: the earliest of each outlet first, then further ones, at most `most`."""
    first_of: dict[str, Mention] = {}
    for mention in event.mentions:
        first_of.setdefault(mention.outlet, mention)
    firsts = {mention.mention_id for mention in first_of.values()}
    ranked = sorted(event.mentions, key=lambda m: (m.mention_id not in firsts, m.published, m.mention_id))[:most]
    return tuple(
        AlertEvidence(
            item_id=mention.item_id,
            outlet=mention.outlet,
            url=mention.url,
            published=mention.published,
            quote=mention.evidence.quote,
            field=mention.evidence.field,
            start=mention.evidence.start,
            end=mention.evidence.end,
            lang=mention.lang,
            rule=mention.rule,
        )
        for mention in sorted(ranked, key=lambda m: (m.published, m.mention_id))
    )


def _told(event: Event, judgement: Judgement, standing: tuple[Mention, ...], at: datetime) -> Told:
    return Told(
        revision=event.revision + 1,
        at=at,
        family=judgement.family,
        stage=event.stage,
        means=event.means,
        certainty=certainty_of(event, standing),
        ceasefire_id=judgement.ceasefire_id,
        basis=judgement.basis,
        killed=_range(event.killed),
        injured=_range(event.injured),
        places=tuple(sorted({place_key(place) for place in event.places})),
        date=(event.date.start.isoformat(), event.date.end.isoformat()) if event.date else (),
        outlets=event.outlets,
        independent_outlets=event.independent_outlets,
        denied=bool(denials(event)),
    )


def _range(toll: Toll) -> tuple[int, int] | None:
    return None if toll.low is None or toll.high is None else (toll.low, toll.high)


def _within(event: Event, places: tuple[str, ...]) -> bool:
    if event.country in places:
        return True
    return any(unit.startswith(code) for place in event.places for unit in units_of(place) for code in places)
