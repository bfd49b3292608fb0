"""Ceasefires that the pipeline reads of in the news: when each begins, is heard of again, and ends.

`detected_from` is a function of the set of events alone: their order does not matter. A ceasefire enters when an event
says as fact that one was agreed or is in effect and no known one matches; it lasts until an event tells its end, a new
agreement takes its place, the last day that was announced for it, or a long silence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from transforms.alert.breach import concerns, ids_of
from transforms.alert.ceasefires import Ceasefire
from transforms.alert.coverage import Coverage, coverage_of
from transforms.alert.parties import Ranks
from transforms.model import DatePrecision, Event, Family, Realis, Stage

SILENCE = timedelta(days=90)
_AHEAD = timedelta(days=10)  # how long before its beginning a ceasefire is announced
_FAR_AHEAD = timedelta(days=21)  # the same for one of a whole country
_AFTER = timedelta(days=3)  # how long after its beginning outlets still tell of the agreement
_REPORTED_END, _REJECTED = "its end was reported", "a party rejected it"
_HISTORY = timedelta(days=60)  # an agreement older than this when first read of is looked back on, not news
_YOUNG = timedelta(days=45)  # so long a ceasefire of the whole country is what "the truce" in any town means
_RENEWED = timedelta(days=7)  # a second agreement later than this replaces the first


@dataclass(slots=True)
class _Draft:
    """A ceasefire while its story is read."""

    event: Event
    coverage: Coverage
    start: date
    heard: date
    parties: frozenset[str] = frozenset()
    sides: tuple[tuple[str, ...], ...] = ()
    excluded: tuple[str, ...] = ()
    monitors: tuple[str, ...] = ()
    until: date | None = None
    ended: str = ""
    kept: bool = False  # whether it was told to be in effect
    steps: list[str] = field(default_factory=list)

    def join(self, parties: frozenset[str], ranks: Ranks) -> None:
        """Take in parties that are told of it."""
        if not parties <= self.parties:
            self.parties |= parties
            self.sides = _sides_of(self.parties, ranks)

    def last_day(self, silence: timedelta) -> date:
        """Return the last day on which it may be in force."""
        return self.until or self.heard + silence

    def is_over(self, day: date, silence: timedelta) -> bool:
        """Return whether nothing told on `day` or later can be about it any more."""
        if self.ended in (_REPORTED_END, _REJECTED):
            return day > self.last_day(silence)
        return day > self.last_day(silence) + _AFTER

    def freeze(self, silence: timedelta) -> Ceasefire:
        """Return it as an entry of the ledger."""
        return Ceasefire(
            id=f"detected-{self.event.event_id}",
            name=_name(self.event, self.start),
            country=self.event.country,
            sides=self.sides,
            coverage=self.coverage,
            start=self.start,
            until=self.until,
            expires=None if self.until else self.heard + silence,
            ended=self.ended,
            origin="detected",
            event_id=self.event.event_id,
            steps=tuple(self.steps),
        )


class _Drafts:
    """Drafts of one country, those that may go on by the regions they touch."""

    def __init__(self, ranks: Ranks, silence: timedelta) -> None:
        self._ranks = ranks
        self._silence = silence
        self._by_region: defaultdict[str, list[_Draft]] = defaultdict(list)
        self.all: list[_Draft] = []

    def add(self, draft: _Draft) -> None:
        """Take in a draft that begins."""
        self.all.append(draft)
        for region in draft.coverage.regions:
            self._by_region[region].append(draft)

    def going_on(self, event: Event, *, same_reach: bool = False) -> _Draft | None:
        """Return the draft that `event` goes on with; with two that fit equally, the one that began last.

        With `same_reach`, news of the whole country only goes with a ceasefire of the whole country, and local news
        with a local one; otherwise the other kind serves where there is just one.
        """
        ground, ids = coverage_of(event.places, event.country), ids_of((*event.actors, *event.targets))
        fitting = [
            draft
            for draft in self._near(ground, _day(event))
            if draft.coverage.meets(ground)
            and not (len(draft.parties) > 1 and concerns(draft, ids, self._ranks) is False)
        ]
        alike = [draft for draft in fitting if draft.coverage.nationwide == ground.nationwide]
        if alike or same_reach:
            return max(alike, key=lambda draft: (draft.start, draft.event.event_id), default=None)
        return fitting[0] if len(fitting) == 1 else None

    def _near(self, ground: Coverage, day: date) -> list[_Draft]:
        """Return the drafts that may share ground; those that are over on `day` are forgotten, as days only rise."""
        regions = set(self._by_region) if ground.nationwide else {*ground.regions, "*"} & set(self._by_region)
        found: dict[int, _Draft] = {}
        for region in regions:
            living = [draft for draft in self._by_region[region] if not draft.is_over(day, self._silence)]
            self._by_region[region] = living
            found.update((id(draft), draft) for draft in living)
        return list(found.values())


def detected_from(
    events: Iterable[Event],
    *,
    known: Sequence[Ceasefire] = (),
    ranks: Ranks | None = None,
    silence: timedelta = SILENCE,
) -> tuple[Ceasefire, ...]:
    """Return the ceasefires that `events` tell of and that no known one matches, by beginning.

    Args:
        events: Events of any family; only ceasefire steps that are told as fact and still stand are used.
        known: Ceasefires that need no detecting.
        ranks: What is known of the parties.
        silence: After this time without news of it a ceasefire counts as over.
    """
    ranks = ranks or Ranks()
    countries: dict[str, _Drafts] = {}
    for event in sorted((e for e in events if _usable(e)), key=lambda e: (_day(e), e.first_seen, e.event_id)):
        drafts = countries.setdefault(event.country, _Drafts(ranks, silence))
        if event.stage in (Stage.AGREED, Stage.IN_EFFECT):
            draft = drafts.going_on(event, same_reach=True)
            goes_on = draft is not None and event.stage is Stage.IN_EFFECT
            if goes_on or not match_known(event, known, ranks):
                _begin_or_go_on(event, draft, drafts, ranks)
        elif event.stage in (Stage.EXTENDED, Stage.ENDED, Stage.REJECTED):
            draft = drafts.going_on(event)
            if draft:
                _change(event, draft, ranks)
    found = [draft.freeze(silence) for drafts in countries.values() for draft in drafts.all]
    return tuple(sorted(found, key=lambda one: (one.start, one.id)))


def match_known(event: Event, known: Iterable[Ceasefire], ranks: Ranks) -> Ceasefire | None:
    """Return the known ceasefire whose beginning, or presence, the step `event` tells of; None if there is none.

    An agreement matches one that begins within days of it. News that one is in effect also matches one long in force,
    but a ceasefire of the whole country that is weeks old only where the event names two of its parties, its monitors
    or no place: what holds in one town may be a truce of its own.
    """
    ground, day = coverage_of(event.places, event.country), _day(event)
    ids = ids_of((*event.actors, *event.targets))
    both = len(_fighting(event, ranks)) > 1
    found: list[tuple[int, int, str, Ceasefire]] = []
    for one in known:
        gap = (one.start - day).days
        ahead = _FAR_AHEAD if one.coverage.nationwide and ground.nationwide else _AHEAD
        begins = -_AFTER.days <= gap <= ahead.days
        holds = event.stage is Stage.IN_EFFECT and one.in_force(day)
        if one.country != event.country or not (begins or holds) or not one.coverage.meets(ground):
            continue
        who = concerns(one, ids, ranks)
        young = (day - one.start) <= _YOUNG
        own = both or not ids.isdisjoint(one.monitors)
        plainly_it = not one.coverage.nationwide or ground.nationwide or young or (who and own)
        if who is not False and plainly_it:
            found.append((int(bool(who)), -abs(gap), one.id, one))
    return max(found, key=lambda entry: entry[:3])[3] if found else None


def _usable(event: Event) -> bool:
    return (
        event.family is Family.CEASEFIRE
        and event.certainty is Realis.ASSERTED
        and not event.superseded_by
        and not (event.told and event.told.retracted)
        and event.first_seen.date() - _day(event) <= _HISTORY
    )


def _begin_or_go_on(event: Event, draft: _Draft | None, drafts: _Drafts, ranks: Ranks) -> None:
    day, last, parties = _day(event), _last_day(event), _fighting(event, ranks)
    if draft and (event.stage is Stage.IN_EFFECT or day - draft.heard <= _RENEWED):
        draft.steps.append(event.event_id)
        draft.heard = max(draft.heard, day)
        draft.join(parties, ranks)
        draft.kept = draft.kept or event.stage is Stage.IN_EFFECT
        if event.stage is Stage.AGREED and last:
            draft.until = last
        return
    if draft:
        draft.until, draft.ended = max(draft.start, day - timedelta(days=1)), "a new agreement took its place"
    begun = _Draft(
        event=event,
        coverage=coverage_of(event.places, event.country),
        start=day,
        heard=day,
        until=last,
        ended="its announced last day passed" if last else "",
        kept=event.stage is Stage.IN_EFFECT,
        steps=[event.event_id],
    )
    begun.join(parties, ranks)
    drafts.add(begun)


def _change(event: Event, draft: _Draft, ranks: Ranks) -> None:
    """Extend or end the ceasefire; one that a party rejects before it was ever kept never came to be."""
    day, last = _day(event), _last_day(event)
    draft.steps.append(event.event_id)
    if event.stage is Stage.EXTENDED:
        draft.heard, draft.until, draft.ended = max(draft.heard, last or day), last, ""
    elif event.stage is Stage.ENDED:
        draft.until, draft.ended = max(day, draft.start), _REPORTED_END
    elif not draft.kept and _fighting(event, ranks):
        draft.until, draft.ended = max(day, draft.start), _REJECTED


def _fighting(event: Event, ranks: Ranks) -> frozenset[str]:
    """Return the ids of the parties of `event` that bear arms in its country."""
    named = ids_of((*event.actors, *event.targets)) - ranks.vague - ranks.everybody
    elsewhere = "ly-" if event.country == "SY" else "sy-"
    return frozenset(party for party in named if ranks.armed(party) and not party.startswith(elsewhere))


def _sides_of(parties: frozenset[str], ranks: Ranks) -> tuple[tuple[str, ...], ...]:
    """Return each party as a side of its own, one that acts as part of another with it; more is not told.

    Foreign states broker more often than they sign: they count only where the country's own parties are fewer than two.
    """
    whole = frozenset(party for party in parties if parties.isdisjoint(ranks.lineage(party)[1:]))
    own = whole - ranks.abroad
    return tuple((party,) for party in sorted(own if len(own) > 1 else whole))


def _day(event: Event) -> date:
    return event.date.start if event.date else event.first_seen.date()


def _last_day(event: Event) -> date | None:
    """Return the last day that is told for it, where a span of days is."""
    span = event.date
    return span.end if span and span.precision is DatePrecision.DAY and span.end > span.start else None


def _name(event: Event, start: date) -> str:
    where = next((place.label or place.name for place in event.places if place.kind != "country"), "")
    return f"Ceasefire in {where or {'SY': 'Syria', 'LY': 'Libya'}[event.country]}, {start.isoformat()} (detected)"
