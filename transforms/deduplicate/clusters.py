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
from operator import attrgetter

from transforms.deduplicate.compare import EVEN, score, tells_same
from transforms.deduplicate.features import LONGEST_SPAN, Features, TextKey
from transforms.deduplicate.weights import Weights
from transforms.deduplicate.whereabouts import ANYWHERE
from transforms.model import Mention

Order = tuple[float, str]
Step = tuple[Order, ...]
Score = Callable[[Features, Features, Weights], float | None]
_SECONDS_PER_DAY = 86400.0
_COMPARED = 4  # members compared at each end of a cluster: the founders and the latest word
_FEWEST_DEAD = 5000
_order: Callable[[Features], Order] = attrgetter("order")


class Cluster:
    """Mentions that tell one event, in canonical order.

    Attributes:
        members: The mentions that make the cluster.
        denials: Mentions that deny it; they do not decide who belongs to it.
        heard: When it was last heard of, in seconds.
        alive: Whether it stands; a merged one does not.
        stored: The mentions of the stored event that it was made from, () where there is none.
    """

    __slots__ = ("alive", "denials", "heard", "members", "stored")

    def __init__(self, members: Iterable[Features] = ()) -> None:
        self.members = sorted(members, key=_order)
        self.denials: list[Features] = []
        self.heard = max((one.heard for one in self.members), default=0.0)
        self.alive = True
        self.stored: tuple[Mention, ...] = ()

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


_Index = dict[str, list[Features]]


class _Block:
    """Mentions of one group and day: by place, step and toll, and by the telling details of each region."""

    __slots__ = ("_by_key", "_by_region")

    def __init__(self) -> None:
        self._by_key: _Index = {}
        self._by_region: dict[str, _Index] = {}

    def add(self, member: Features) -> None:
        _put(self._by_key, member.keys, member)
        for region in member.regions:
            index = self._by_region.get(region)
            if index is None:
                index = self._by_region[region] = {}
            _put(index, member.anchors, member)

    def add_near(self, mention: Features, near: set[Features]) -> None:
        """Add to `near` what has a place or step, or two telling details, in common with `mention`."""
        by_key = self._by_key
        for key in mention.keys & by_key.keys():
            near.update(by_key[key])
        regions: Iterable[str] = self._by_region
        if ANYWHERE not in mention.regions:
            regions = (ANYWHERE, *mention.regions)
        asked = [index for region in regions if (index := self._by_region.get(region)) is not None]
        once: set[Features] = set()  # one telling detail in common
        for key in mention.anchors:
            told: set[Features] = set()  # in several regions it may be, and is found once for each detail
            for index in asked:
                if key in index:
                    told.update(index[key])
            if told:
                near.update(once & told)
                once |= told


def _put(index: _Index, keys: Iterable[str], member: Features) -> None:
    for key in keys:
        if key in index:
            index[key].append(member)
        else:
            index[key] = [member]


class ClusterSpace:
    """Clusters, found by block.

    Attributes:
        of_event: The clusters of stored events, by the event's id.
    """

    def __init__(self, weights: Weights, horizon_days: float, score: Score = score) -> None:
        self._score = score
        self.of_event: dict[str, Cluster] = {}
        self._weights = weights
        self._horizon = horizon_days * _SECONDS_PER_DAY
        self._dead = 0
        self._clear()

    def _clear(self) -> None:
        self._texts: dict[TextKey, list[Features]] = {}
        self._homes: dict[Features, Cluster] = {}
        self._blocks: defaultdict[tuple[str, int], _Block] = defaultdict(_Block)

    def _index(self, cluster: Cluster, member: Features) -> None:
        if member in self._homes:
            self._homes[member] = cluster
            return
        self._homes[member] = cluster
        self._blocks[(member.group, member.last_day)].add(member)
        texts = self._texts
        for piece in member.text_keys:
            if piece in texts:
                texts[piece].append(member)
            else:
                texts[piece] = [member]

    def insert(self, cluster: Cluster) -> None:
        """Put in a cluster that exists already."""
        for member in cluster.members:
            self._index(cluster, member)

    def remove(self, cluster: Cluster) -> None:
        """Take a cluster out; the blocks pass over what is left of it."""
        cluster.alive = False

    def home(self, member: Features) -> Cluster:
        """Return the cluster that `member` was put into last."""
        return self._homes[member]

    def drop(self, event_id: str) -> None:
        """Take out the cluster of an event that no longer stands."""
        cluster = self.of_event.pop(event_id)
        if cluster.alive:
            self.remove(cluster)
            self._dead += len(cluster.members)

    def forget(self) -> None:
        """Take out everything."""
        self.of_event.clear()
        self._dead = 0
        self._clear()

    def keep(self, event_ids: Container[str]) -> None:
        """Take out the clusters of all other events, and now and then what is left of those taken out."""
        for event_id in [one for one in self.of_event if one not in event_ids]:
            self.drop(event_id)
        if self._dead > max(_FEWEST_DEAD, len(self._homes) // 2):
            self._dead = 0
            self._clear()
            for cluster in self.of_event.values():
                self.insert(cluster)

    def candidates(self, mention: Features) -> Mapping[Cluster, list[Features]]:
        """Return the mentions that have enough in common with `mention` to be compared, by cluster."""
        near: set[Features] = set()
        blocks, group = self._blocks, mention.group
        for day in range(mention.first_day - mention.reach, mention.last_day + mention.reach + LONGEST_SPAN):
            block = blocks.get((group, day))
            if block is not None:
                block.add_near(mention, near)
        for piece in mention.text_keys:
            near.update(self._texts.get(piece, ()))
        homes = self._homes
        by_home: defaultdict[Cluster, list[Features]] = defaultdict(list)
        for member in near:
            home = homes[member]
            if home.alive:
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

    def place(self, mention: Features) -> tuple[Cluster, Step]:
        """Add `mention`, which must come after all members in canonical order.

        Returns:
            Its cluster, and the step by which it got there: the founder of the cluster that it joined, and those of the
            clusters that it joined with it. Where all steps are the same, all clusters are.
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
            self._index(home, mention)
            return home, (mention.order,)
        fitting.sort(key=lambda one: one[:2])
        home = fitting[0][2]
        step = [home.order]
        home.add(mention)
        self._index(home, mention)
        for _, founder, other in fitting[1:]:
            if self._fit(home, other):
                self._merge(home, other)
                step.append(founder)
        return home, tuple(step)

    def _merge(self, home: Cluster, other: Cluster) -> None:
        other.alive = False
        home.members = sorted(home.members + other.members, key=_order)
        home.denials += other.denials
        home.heard = max(home.heard, other.heard)
        for member in other.members:
            self._homes[member] = home


def steps_of(
    mentions: Iterable[Features], weights: Weights, horizon_days: float, score: Score = score
) -> tuple[list[Cluster], dict[Features, Step]]:
    """Return the clusters of `mentions`, by their first members, and the step by which each mention got there."""
    space = ClusterSpace(weights, horizon_days, score)
    steps: dict[Features, Step] = {}
    homes: dict[Cluster, None] = {}
    for one in sorted(mentions, key=_order):
        home, steps[one] = space.place(one)
        homes[home] = None
    return sorted((home for home in homes if home.alive), key=lambda one: one.order), steps


def partition(mentions: Iterable[Features], weights: Weights, horizon_days: float) -> list[Cluster]:
    """Return the clusters of `mentions`: a pure function of the set, whatever the order in which it is given."""
    return steps_of(mentions, weights, horizon_days)[0]
