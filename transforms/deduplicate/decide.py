"""The one way in which events change: `decide(open_events, mentions, now)`, a pure function.

The bounded run gives it new mentions with stored events, the streaming run with keyed state; both get the same changes
for the same news. What it promises:

- The partition of the mentions depends on the set of them alone, whatever their order, their batches, and the runs over
  which they are spread, as long as the events they touch are open.
- Mentions known already change nothing, so a batch may be replayed.
- An event's id never changes. Where two events turn out to be one, the later is superseded by the earlier; where one
  turns out to be two, the part without its first mention becomes a new event.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter

from transforms.deduplicate.clusters import Cluster, ClusterSpace
from transforms.deduplicate.compare import score, tells_same
from transforms.deduplicate.events import canonical, carried_on, event_of, frozen_key, id_of, what_changed, withdrawn
from transforms.deduplicate.features import (
    Features,
    TextKey,
    days_told,
    features_apart,
    features_of,
    group_of,
    is_real,
    last_heard,
    remembered,
    text_keys,
)
from transforms.deduplicate.late import Remade, Remaker
from transforms.deduplicate.settings import ClusterSettings
from transforms.deduplicate.weights import default_weights
from transforms.model import Event, EventChange, Mention, Realis

_DEFAULT = ClusterSettings()
_Order = tuple[float, str]
_Block = tuple[str, int] | TextKey  # group and day, an article, or a piece of a text's signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Events that changed, and what became of the mentions.

    Attributes:
        changes: Only events that changed: new, grown, merged into another, closed.
        taken: Mentions that are in an event now.
        dropped: Number of other mentions by reason: "copy" (in an event already), "unreal" (negated, hypothetical,
            future, background), "outdated" (a newer reading of the article is known), "denial_unmatched" (denies
            what no open event tells).
    """

    changes: tuple[EventChange, ...]
    taken: int
    dropped: Mapping[str, int]


def decide(
    open_events: Sequence[Event],
    mentions: Sequence[Mention],
    now: datetime,
    settings: ClusterSettings = _DEFAULT,
) -> tuple[EventChange, ...]:
    """Return the events that `mentions` open, change or merge, and those that close at `now`, by id."""
    return decision(open_events, mentions, now, settings).changes


def space_for(settings: ClusterSettings = _DEFAULT) -> ClusterSpace:
    """Return an empty space, for calls of `decision` that follow on one another."""
    return ClusterSpace(settings.weights or default_weights(), settings.horizon_days)


def decision(
    open_events: Sequence[Event],
    mentions: Sequence[Mention],
    now: datetime,
    settings: ClusterSettings = _DEFAULT,
    space: ClusterSpace | None = None,
) -> Decision:
    """Return the changes as `decide` does, with what became of each mention.

    A `space` from `space_for` the same settings, given to each of several calls, remembers the open events that the
    last call had or made, so that only others are made ready for comparison. It changes nothing in what is returned:
    what it remembers is held against `open_events`, which alone count, and dropped where it is not the same.
    """
    run = _Run([one for one in open_events if not one.closed and not one.superseded_by], settings, space)
    try:
        sorted_in = run.sort_in(mentions)
        run.cluster(sorted_in)
        changes = run.changes(now)
    except BaseException:
        if space is not None:
            space.forget()  # it may be half way
        raise
    dropped = dict(sorted(run.dropped.items()))
    return Decision(changes=changes, taken=len(mentions) - sum(dropped.values()), dropped=dropped)


def _last_heard(event: Event) -> datetime:
    return max((last_heard(one) for one in event.mentions), default=event.last_seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sorted:
    """New mentions that take part, and the old ones that they replace."""

    told: list[Mention]
    denials: list[Mention]
    gone: set[str]


class _Run:
    """One call's working state: stored events are loaded into the space as the days of new mentions ask for them."""

    def __init__(self, events: list[Event], settings: ClusterSettings, space: ClusterSpace | None) -> None:
        self._settings = settings
        self._weights = settings.weights or default_weights()
        self._denial_weights = replace(self._weights, actor_opposed=0.0)
        self._space = space if space is not None else space_for(settings)
        self._events = {one.event_id: one for one in events}
        self._space.keep(self._events)
        for event_id, cluster in list(self._space.of_event.items()):
            stored = self._events[event_id].mentions
            if cluster.stored is not stored:
                if cluster.stored == stored:
                    cluster.stored = stored  # read anew; the next call need not look at each mention again
                else:
                    self._space.drop(event_id)
        self._by_block: dict[_Block, list[str]] | None = None
        self._loaded: set[_Block] = set()
        self._touched: dict[Cluster, None] = {}
        self._denials: list[Mention] = []
        self._new_denials: set[str] = set()
        self.dropped: Counter[str] = Counter()

    # -- sorting in ---------------------------------------------------------------------------------------------

    def sort_in(self, mentions: Sequence[Mention]) -> _Sorted:
        """Return which mentions are new, after those known, unreal and outdated are dropped."""
        articles = {(one.feed, one.item_id) for one in mentions}
        known: dict[str, Mention] = {}
        readings: defaultdict[tuple[str, str], list[Mention]] = defaultdict(list)
        for event in self._events.values():
            for one in event.mentions:
                article = (one.feed, one.item_id)
                if article in articles:
                    known[one.mention_id] = one
                    readings[article].append(one)
        latest: dict[tuple[str, str], datetime] = {}
        for one in [*known.values(), *mentions]:
            article = (one.feed, one.item_id)
            latest[article] = max(latest.get(article, one.fetched), one.fetched)
        current: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        told: dict[str, Mention] = {}
        denials: dict[str, Mention] = {}
        for one in canonical(mentions):
            article = (one.feed, one.item_id)
            if one.fetched == latest[article]:
                current[article].add(one.mention_id)
            if one.mention_id in known or one.mention_id in told or one.mention_id in denials:
                self.dropped["copy"] += 1
            elif one.fetched < latest[article]:
                self.dropped["outdated"] += 1
            elif is_real(one):
                told[one.mention_id] = one
            elif one.realis is Realis.DENIED:
                denials[one.mention_id] = one
            else:
                self.dropped["unreal"] += 1
        gone = {
            one.mention_id
            for article, ids in current.items()
            for one in readings[article]
            if one.fetched < latest[article] and one.mention_id not in ids
        }
        return _Sorted(told=list(told.values()), denials=list(denials.values()), gone=gone)

    # -- loading ------------------------------------------------------------------------------------------------

    def _blocks(self) -> dict[_Block, list[str]]:
        """Return the ids of the stored events to load, by group and day, and by pieces of their texts."""
        if self._by_block is None:
            found: defaultdict[_Block, list[str]] = defaultdict(list)
            for event in self._events.values():
                if event.event_id in self._space.of_event:
                    continue
                blocks: set[_Block] = set()
                for one in event.mentions:
                    ready = remembered(one)
                    if ready is not None:
                        blocks.update([(ready.group, day) for day in range(ready.first_day, ready.last_day + 1)])
                        blocks.update(ready.text_keys)
                    elif is_real(one):
                        first, last, _ = days_told(one)
                        group = group_of(one)
                        blocks.update([(group, day) for day in range(first, last + 1)])
                        blocks.update(text_keys(one))
                for block in blocks:
                    found[block].append(event.event_id)
            self._by_block = dict(found)
        return self._by_block

    def _load(self, event: Event) -> Cluster:
        """Put a stored event into the space, once, and return its cluster."""
        cluster = self._space.of_event.get(event.event_id)
        if cluster is None:
            cluster = Cluster(features_of(m) for m in event.mentions if is_real(m))
            cluster.denials = [features_of(m) for m in event.mentions if not is_real(m)]
            cluster.stored = event.mentions
            self._space.of_event[event.event_id] = cluster
            self._space.insert(cluster)
        return cluster

    def _load_around(self, mention: Features) -> None:
        """Load the stored events that `mention` could be compared with."""
        by_block = self._blocks()
        if not by_block:
            return
        wanted: list[_Block] = list(mention.text_keys)
        days = range(mention.first_day - mention.reach, mention.last_day + mention.reach + 1)
        wanted += [(mention.group, day) for day in days]
        for block in wanted:
            if block not in self._loaded:
                self._loaded.add(block)
                for event_id in by_block.get(block, ()):
                    self._load(self._events[event_id])

    # -- clustering ---------------------------------------------------------------------------------------------

    def cluster(self, new: _Sorted) -> None:
        """Place new mentions; what late and withdrawn ones may touch is clustered anew."""
        # Not kept in `self`: no circle holds what a call had until the garbage collector comes by.
        remaker = Remaker(self._space, self._weights, self._settings.horizon_days, self._load_around)
        self._take_back(new.gone, remaker)
        latest = self._latest_order()
        features = sorted((features_of(one) for one in new.told), key=lambda one: one.order)
        for one in features:
            if latest is not None and one.order < latest:
                self._exchanged(remaker.take_in(one))
            else:
                self._load_around(one)
                self._keep(self._space.place(one))
        self._new_denials = {one.mention_id for one in new.denials}
        self._denials += new.denials
        self._attach_denials()

    def _take_back(self, mention_ids: set[str], remaker: Remaker) -> None:
        """Take out the mentions that their articles no longer tell."""
        gone: list[Features] = []
        for event in self._events.values() if mention_ids else ():
            if not any(one.mention_id in mention_ids for one in event.mentions):
                continue
            cluster = self._load(event)
            gone += [one for one in cluster.members if one.mention.mention_id in mention_ids]
            cluster.denials = [one for one in cluster.denials if one.mention.mention_id not in mention_ids]
            self._keep(cluster)
        while gone:
            home = self._space.home(gone[0])
            removed = {one for one in gone if self._space.home(one) is home}
            gone = [one for one in gone if one not in removed]
            self._exchanged(remaker.take_back(home, removed))

    def _exchanged(self, remade: Remade) -> None:
        for cluster in remade.gone:
            self._denials += [one.mention for one in cluster.denials]
            self._keep(cluster)
        for cluster in remade.made:
            self._keep(cluster)

    def _keep(self, cluster: Cluster) -> None:
        self._touched[cluster] = None

    def _latest_order(self) -> _Order | None:
        """Return the canonical place of the latest stored mention."""
        last = [event.mentions[-1] for event in self._events.values() if event.mentions]
        if not last:
            return None
        latest = max(last, key=attrgetter("published", "mention_id"))
        return latest.published.timestamp(), latest.mention_id

    def _attach_denials(self) -> None:
        """Put each denial to the event that it fits best; the accused tell of it, so who acted does not count."""
        for mention in canonical(self._denials):
            denial = features_apart(mention)
            self._load_around(denial)
            fitting = [
                (odds, cluster)
                for cluster in self._space.candidates(denial)
                if (odds := self._space.closest_odds(denial, cluster, self._denial_weights)) is not None
                and tells_same(odds)
            ]
            if not fitting:
                self.dropped["denial_unmatched"] += mention.mention_id in self._new_denials
                continue
            home = min(fitting, key=lambda one: (-one[0], one[1].order))[1]
            home.denials.append(denial)
            self._keep(home)

    # -- changes ------------------------------------------------------------------------------------------------

    def changes(self, now: datetime) -> tuple[EventChange, ...]:
        """Return the events that are not as they were, by first sight."""
        horizon = timedelta(days=self._settings.horizon_days)
        changed = {one.event.event_id: one for one in self._events_changed()}
        found = []
        for event_id in [*self._events, *(one for one in changed if one not in self._events)]:
            change = changed.get(event_id)
            event = change.event if change else self._events[event_id]
            if not event.closed and now - event.last_seen > horizon and now - _last_heard(event) > horizon:
                what = (*change.what, "closed") if change else ("closed",)
                change = EventChange(event=replace(event, closed=True), what=what)
            if change:
                found.append(change)
        return tuple(sorted(found, key=lambda one: (one.event.first_seen, one.event.event_id)))

    def _events_changed(self) -> Iterable[EventChange]:
        """Yield the events of the clusters that were touched, each under its own id."""
        of_event = self._space.of_event
        living = sorted((one for one in self._touched if one.alive and one.members), key=lambda one: one.order)
        homes = {member.mention.mention_id: cluster for cluster in living for member in cluster.members}
        touched = {
            event_id: self._events[event_id]
            for event_id, cluster in of_event.items()
            if cluster in self._touched or not cluster.alive
        }
        came_from = {one.mention_id: event for event in touched.values() for one in event.mentions}
        claims: defaultdict[Cluster, list[tuple[_Order, Event]]] = defaultdict(list)
        for event in touched.values():
            founder = next((one for one in event.mentions if one.mention_id in homes), None)
            home = homes[founder.mention_id] if founder else self._corrected_home(event, living)
            if home is None:
                del of_event[event.event_id]
                yield EventChange(event=withdrawn(event), what=("withdrawn",))
            else:
                first = founder or event.mentions[0]
                claims[home].append(((first.published.timestamp(), first.mention_id), event))
        for cluster in living:
            mentions = [one.mention for one in cluster.members + cluster.denials]
            claiming = sorted(claims[cluster], key=lambda one: (one[0], one[1].event_id))
            for _, other in claiming[1:]:
                del of_event[other.event_id]
                kept_id = claiming[0][1].event_id
                yield EventChange(event=replace(other, superseded_by=kept_id, closed=True), what=("merged",))
            if not claiming:
                change = self._opened(mentions, came_from)
            else:
                kept = claiming[0][1]
                event = carried_on(kept, mentions, self._settings.copy_similarity)
                what = what_changed(kept, event)
                change = EventChange(event=event, what=(*what, "merged") if claiming[1:] else what)
            cluster.stored = change.event.mentions
            of_event[change.event.event_id] = cluster
            if change.what:
                yield change

    def _corrected_home(self, event: Event, living: Iterable[Cluster]) -> Cluster | None:
        """Return the cluster in which a corrected article tells on what `event` was made of, None if none does."""
        articles = {(one.feed, one.item_id) for one in event.mentions}
        old = [features_apart(one) for one in event.mentions]
        for cluster in living:
            for member in cluster.members:
                if member.article in articles and any(tells_same(score(member, one, self._weights)) for one in old):
                    return cluster
        return None

    def _opened(self, mentions: list[Mention], came_from: Mapping[str, Event]) -> EventChange:
        first = canonical([one for one in mentions if is_real(one)])[0]
        split_from = came_from.get(first.mention_id)
        key = frozen_key(first, split_from.event_id if split_from else "")
        event = event_of(id_of(key), key, mentions, self._settings.copy_similarity)
        return EventChange(event=event, what=("new",))
