"""Mentions to clusters, one after another in canonical order (publication time, then id).

What becomes of a mention depends only on the mentions before it in that order, never on when they arrived. So news that
arrives in order is added to the clusters as they stand, and late news leads to the same end as if it had come in time:
`late` clusters the mentions it may touch anew.

A space finds the clusters that a mention may belong to by block: country, kind of event and day, and in these a common
place, or telling details in a common region. Its work grows with the clusters in those blocks, not with all there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from operator import attrgetter, itemgetter

from transforms.deduplicate.compare import EVEN, score, tells_same
from transforms.deduplicate.features import Features
from transforms.deduplicate.nearby import Nearby, NearbyFew
from transforms.deduplicate.weights import Weights
from transforms.model import Mention

Order = tuple[float, str]
Step = tuple[Order, ...]
Score = Callable[[Features, Features, Weights], float | None]
_SECONDS_PER_DAY = 86400.0
_COMPARED = 4  # members compared at each end of a cluster: the founders and the latest word
_order: Callable[[Features], Order] = attrgetter("order")
_first_two = itemgetter(0, 1)


class Cluster:
    """Mentions that tell one event, in canonical order.

    Attributes:
        members: The mentions that make the cluster.
        denials: Mentions that deny it; they do not decide who belongs to it.
        heard: When it was last heard of, in seconds.
        alive: Whether it stands; a merged one does not.
        stored: The mentions of the stored event that it was made from, () where there is none.
        steps: By which each member got there, where it was made from single mentions; None where it was read.
    """

    __slots__ = ("alive", "denials", "heard", "members", "steps", "stored")

    def __init__(self, members: Iterable[Features] = ()) -> None:
        self.members = sorted(members, key=_order)
        self.denials: list[Features] = []
        self.heard = max((one.heard for one in self.members), default=0.0)
        self.alive = True
        self.stored: tuple[Mention, ...] = ()
        self.steps: dict[Features, Step] | None = None

    @property
    def order(self) -> Order:
        """Canonical place of the first member."""
        return self.members[0].order

    def compared(self) -> list[Features]:
        """Return the members that stand for the cluster."""
        members = self.members
        return members if len(members) <= 2 * _COMPARED else members[:_COMPARED] + members[-_COMPARED:]

    def add(self, member: Features) -> None:
        """Take in `member` at its canonical place."""
        self.heard = max(self.heard, member.heard)
        self.members.append(member)
        if len(self.members) > 1 and self.members[-2].order > member.order:
            self.members.sort(key=_order)


class ClusterSpace:
    """Clusters, found by block.

    Attributes:
        of_event: The clusters of stored events, by the event's id.
    """

    def __init__(self, weights: Weights, horizon_days: float, score: Score = score, few: bool = False) -> None:
        self._score = score
        self._few = few
        self.of_event: dict[str, Cluster] = {}
        self._weights = weights
        self._horizon = horizon_days * _SECONDS_PER_DAY
        self._clear()

    def _clear(self) -> None:
        self._homes: dict[Features, Cluster] = {}
        self._nearby: Nearby | NearbyFew = NearbyFew() if self._few else Nearby(self._weights)

    def _put(self, cluster: Cluster, member: Features) -> None:
        if member not in self._homes:
            self._nearby.add(member)
        self._homes[member] = cluster

    def insert(self, cluster: Cluster) -> None:
        """Put in a cluster that exists already."""
        for member in cluster.members:
            self._put(cluster, member)

    def let_go(self, cluster: Cluster) -> None:
        """Take out a cluster that no longer stands, and its members but those that have gone into others."""
        cluster.alive = False
        for member in cluster.members:
            if self._homes.get(member) is cluster:
                del self._homes[member]
                self._nearby.discard(member)

    def home(self, member: Features) -> Cluster:
        """Return the cluster that `member` was put into last."""
        return self._homes[member]

    def drop(self, event_id: str) -> None:
        """Take out the cluster of an event that no longer stands."""
        cluster = self.of_event.pop(event_id)
        if cluster.alive:
            self.let_go(cluster)

    def forget(self) -> None:
        """Take out everything."""
        self.of_event.clear()
        self._clear()

    def keep(self, event_ids: Container[str]) -> None:
        """Take out the clusters of all other events."""
        for event_id in [one for one in self.of_event if one not in event_ids]:
            self.drop(event_id)

    def candidates(self, mention: Features) -> Mapping[Cluster, list[Features]]:
        """Return the mentions that have enough in common with `mention` to be compared, by cluster."""
        homes = self._homes
        by_home: defaultdict[Cluster, list[Features]] = defaultdict(list)
        for member in self._nearby.of(mention):
            home = homes.get(member)
            if home is not None and home.alive:
                by_home[home].append(member)
        return by_home

    def linked_after(
        self, mention: Features, since: Order, known: Container[Cluster]
    ) -> Iterator[tuple[Order, Cluster]]:
        """Yield clusters but `known` ones, with the moment from `since` on at which `mention` is first linked with it.

        Linked are mentions of which either alone would be taken for the same event as the other.
        """
        weights = self._weights
        for cluster, members in self.candidates(mention).items():
            if cluster in known:
                continue
            members.sort(key=_order)
            for one in members:
                moment = max(one.order, mention.order)
                if moment >= since and tells_same(score(mention, one, weights)):
                    yield moment, cluster
                    break

    def _rate(self, mention: Features, cluster: Cluster, near: Iterable[Features]) -> float | None:
        """Return the mean log-odds that `mention` belongs to `cluster`; None where it does not.

        It must be linked with one of the mentions in it, `near` being those that it has something in common with, and
        no member may rule it out.
        """
        weights, score = self._weights, self._score
        if len(cluster.members) == 1:
            odds = score(mention, cluster.members[0], weights)
            return odds if odds is not None and odds >= EVEN else None
        known: dict[Features, float | None] = {}
        for one in near:
            odds = known[one] = score(mention, one, weights)
            if odds is not None and odds >= EVEN:
                break
        else:
            return None
        total = 0.0
        compared = cluster.compared()
        for member in compared:
            odds = known[member] if member in known else score(mention, member, weights)
            if odds is None:
                return None
            total += odds
        return total / len(compared) if total >= EVEN else None

    def closest_odds(self, mention: Features, cluster: Cluster, weights: Weights) -> float | None:
        """Return the log-odds of the member of `cluster` that `mention` fits best; None where it fits none."""
        rated = (score(mention, member, weights) for member in cluster.compared())
        return max((odds for odds in rated if odds is not None), default=None)

    def _fit(self, one: Cluster, other: Cluster) -> bool:
        """Whether two clusters tell one event, now that a mention fits both."""
        total, pairs = 0.0, 0
        for a in one.compared():
            for b in other.compared():
                odds = self._score(a, b, self._weights)
                if odds is None:
                    return False
                total += odds
                pairs += 1
        return total >= EVEN and pairs > 0

    def place(self, mention: Features) -> Cluster:
        """Add `mention`, which must come after all members in canonical order, and return its cluster.

        The cluster remembers the step by which it got there: the founder of the cluster that it joined, and those of
        the clusters that it joined with it. Where all steps are the same, all clusters are.
        """
        fitting: list[tuple[float, Order, Cluster]] = []
        for cluster, near in self.candidates(mention).items():
            if mention.order[0] - cluster.heard > self._horizon:
                continue
            rating = self._rate(mention, cluster, near)
            if rating is not None:
                fitting.append((-rating, cluster.order, cluster))
        if not fitting:
            home = Cluster([mention])
            home.steps = {mention: (mention.order,)}
            self._put(home, mention)
            return home
        if len(fitting) > 1:
            fitting.sort(key=_first_two)
        home = fitting[0][2]
        step = [home.order]
        home.add(mention)
        self._put(home, mention)
        for _, founder, other in fitting[1:]:
            if self._fit(home, other):
                self._merge(home, other)
                step.append(founder)
        if home.steps is not None:
            home.steps[mention] = tuple(step)
        return home

    def _merge(self, home: Cluster, other: Cluster) -> None:
        other.alive = False
        home.members = sorted(home.members + other.members, key=_order)
        home.denials += other.denials
        home.heard = max(home.heard, other.heard)
        home.steps = None if home.steps is None or other.steps is None else home.steps | other.steps
        for member in other.members:
            self._homes[member] = home


def partition(
    mentions: Iterable[Features], weights: Weights, horizon_days: float, score: Score = score
) -> list[Cluster]:
    """Return the clusters of `mentions`: a pure function of the set, whatever the order in which it is given."""
    ordered = sorted(mentions, key=_order)
    space = ClusterSpace(weights, horizon_days, score, few=len(ordered) <= NearbyFew.MOST)
    homes = dict.fromkeys(space.place(one) for one in ordered)
    return sorted((home for home in homes if home.alive), key=lambda one: one.order)


def steps_of(clusters: Iterable[Cluster]) -> dict[Features, Step]:
    """Return the step by which each mention got where it is in `clusters`, which must remember them."""
    return {member: step for one in clusters for member, step in (one.steps or {}).items()}
