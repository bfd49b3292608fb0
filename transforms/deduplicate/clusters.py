"""Mentions to clusters, one after another in canonical order (publication time, then id).

What becomes of a mention depends only on the mentions before it in that order, never on when they arrived. So news that
arrives in order is added to the clusters as they stand, and late news leads to the same end as if it had come in time:
`decide` clusters the mentions it may touch anew.

A space finds the clusters that a mention may belong to by block: country, kind of event, day, and a common place or
telling detail. Its work grows with the clusters in those blocks, not with all there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from transforms.deduplicate.compare import score, tells_same
from transforms.deduplicate.features import LONGEST_SPAN, Features, TextKey

_SECONDS_PER_DAY = 86400.0
_COMPARED = 4  # members compared at each end of a cluster: the founders and the latest word


class Cluster:
    """Mentions that tell one event, in canonical order.

    Attributes:
        members: The mentions that make the cluster.
        denials: Mentions that deny it; they do not decide who belongs to it.
        heard: When it was last heard of, in seconds.
        alive: Whether it stands; a merged one does not.
    """

    __slots__ = ("alive", "denials", "heard", "members")

    def __init__(self, members: list[Features] | None = None) -> None:
        self.members = sorted(members or [], key=lambda one: one.order)
        self.denials: list[Features] = []
        self.heard = max((one.heard for one in self.members), default=0.0)
        self.alive = True

    @property
    def order(self) -> tuple[float, str]:
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
            self.members.sort(key=lambda one: one.order)


class ClusterSpace:
    """Clusters, found by block."""

    def __init__(self, values: tuple[float, ...], horizon_days: float) -> None:
        self._values = values
        self._horizon = horizon_days * _SECONDS_PER_DAY
        self._texts: dict[TextKey, list[Features]] = {}
        self._homes: dict[Features, Cluster] = {}
        self._blocks: defaultdict[tuple[str, int], dict[str, list[Features]]] = defaultdict(dict)

    def _index(self, cluster: Cluster, member: Features) -> None:
        self._homes[member] = cluster
        block = self._blocks[(member.group, member.last_day)]
        for key in member.keys:
            if key in block:
                block[key].append(member)
            else:
                block[key] = [member]
        for piece in member.text_keys:
            self._texts.setdefault(piece, []).append(member)

    def insert(self, cluster: Cluster) -> None:
        """Put in a cluster that exists already."""
        for member in cluster.members:
            self._index(cluster, member)

    def remove(self, cluster: Cluster) -> None:
        """Take a cluster out; the blocks forget it as they are read."""
        cluster.alive = False

    def candidates(self, mention: Features) -> Mapping[Cluster, list[Features]]:
        """Return the mentions that have enough in common with `mention` to be compared, by cluster."""
        once: set[Features] = set()  # one telling detail in common
        found: set[Features] = set()
        blocks = self._blocks
        for day in range(mention.first_day - mention.reach, mention.last_day + mention.reach + LONGEST_SPAN):
            block = blocks.get((mention.group, day))
            if block is None:
                continue
            told = block.keys()
            for key in mention.place_keys & told:
                found.update(block[key])
            for key in mention.anchors & told:
                members = block[key]
                if len(members) == 1:
                    (found if members[0] in once else once).add(members[0])
                else:
                    found.update(once.intersection(members))
                    once.update(members)
        for piece in mention.text_keys:
            found.update(self._texts.get(piece, ()))
        homes = self._homes
        by_home: defaultdict[Cluster, list[Features]] = defaultdict(list)
        for member in found:
            by_home[homes[member]].append(member)
        return by_home

    def linked(self, mention: Features) -> Iterator[Cluster]:
        """Yield the clusters that hold a mention which alone would be taken for the same event as `mention`."""
        values = self._values
        for cluster, members in self.candidates(mention).items():
            if not cluster.alive:
                continue
            for one in members:
                if tells_same(score(mention, one, values)):
                    yield cluster
                    break

    def rate(self, mention: Features, cluster: Cluster) -> float | None:
        """Return the mean log-odds that `mention` belongs to `cluster`; None where a member rules it out."""
        total = 0.0
        compared = cluster.compared()
        for member in compared:
            odds = score(mention, member, self._values)
            if odds is None:
                return None
            total += odds
        return total / len(compared)

    def closest_odds(self, mention: Features, cluster: Cluster, values: tuple[float, ...]) -> float | None:
        """Return the log-odds of the member of `cluster` that `mention` fits best; None where it fits none."""
        rated = (score(mention, member, values) for member in cluster.compared())
        return max((odds for odds in rated if odds is not None), default=None)

    def _fit(self, one: Cluster, other: Cluster) -> bool:
        """Whether two clusters tell one event, now that a mention fits both."""
        total, pairs = 0.0, 0
        for a in one.compared():
            for b in other.compared():
                odds = score(a, b, self._values)
                if odds is None:
                    return False
                total += odds
                pairs += 1
        return total >= 0 and pairs > 0

    def place(self, mention: Features) -> Cluster:
        """Add `mention`, which must come after all members in canonical order, and return its cluster."""
        fitting: list[tuple[float, Cluster]] = []
        for cluster in self.linked(mention):
            if mention.order[0] - cluster.heard > self._horizon:
                continue
            rating = self.rate(mention, cluster)
            if rating is not None and tells_same(rating):
                fitting.append((rating, cluster))
        if not fitting:
            home = Cluster([mention])
        else:
            fitting.sort(key=lambda one: (-one[0], one[1].order))
            home = fitting[0][1]
            home.add(mention)
        self._index(home, mention)
        for _, other in fitting[1:]:
            if self._fit(home, other):
                self._merge(home, other)
        return home

    def _merge(self, home: Cluster, other: Cluster) -> None:
        other.alive = False
        home.members = sorted(home.members + other.members, key=lambda one: one.order)
        home.denials += other.denials
        home.heard = max(home.heard, other.heard)
        for member in other.members:
            self._homes[member] = home


def partition(mentions: Iterable[Features], values: tuple[float, ...], horizon_days: float) -> list[Cluster]:
    """Return the clusters of `mentions`: a pure function of the set, whatever the order in which it is given."""
    space = ClusterSpace(values, horizon_days)
    homes = {id(home): home for home in (space.place(one) for one in sorted(mentions, key=lambda one: one.order))}
    return sorted((home for home in homes.values() if home.alive), key=lambda one: one.order)
