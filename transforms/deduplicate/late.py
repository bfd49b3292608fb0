"""What late mentions, and mentions that were taken back, change in clusters that stand.

A mention comes to where those before it in canonical order lead it. So a late one changes nothing for those before it,
and for those after it only where it, or a mention that goes elsewhere because of it, is in what they are compared with.
Clusters are made anew from the late mention outwards, until nothing outside them is linked with what has changed: as
far as the change goes, however many mentions are linked in a chain beyond it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field

from transforms.deduplicate.clusters import Cluster, ClusterSpace, Order, Score, partition, steps_of
from transforms.deduplicate.compare import score
from transforms.deduplicate.features import Features
from transforms.deduplicate.weights import Weights


@dataclass(frozen=True, slots=True)
class Remade:
    """Clusters that no longer stand, and those that came in their place."""

    gone: list[Cluster] = field(default_factory=list)
    made: list[Cluster] = field(default_factory=list)


def _remembering() -> Score:
    """Return `score` that remembers: clusters are made over and over of the same mentions."""
    known: dict[tuple[Features, Features], float | None] = {}

    def remembered(a: Features, b: Features, weights: Weights) -> float | None:
        pair = (a, b)
        if pair not in known:
            known[pair] = score(a, b, weights)
        return known[pair]

    return remembered


class Remaker:
    """Makes clusters of a space anew, where mentions came late or were taken back."""

    def __init__(
        self,
        space: ClusterSpace,
        weights: Weights,
        horizon_days: float,
        load_around: Callable[[Features], None],
    ) -> None:
        self._space = space
        self._weights = weights
        self._horizon_days = horizon_days
        self._load_around = load_around

    def take_in(self, late: Features) -> Remade:
        """Add `late` at its place in canonical order."""
        self._load_around(late)
        start = [cluster for _, cluster in self._space.linked_after(late, late.order, ())]
        return self._remake(start, added=[late], removed=set())

    def take_back(self, start: Cluster, removed: set[Features]) -> Remade:
        """Take `removed`, members of `start`, out of it."""
        return self._remake([start], added=[], removed=removed)

    def _remake(self, start: list[Cluster], added: list[Features], removed: set[Features]) -> Remade:
        old = dict.fromkeys(start)
        looked = {one: one.order for one in added}
        rate = _remembering()
        while True:
            members = [one for cluster in old for one in cluster.members]
            if any(cluster.steps is None for cluster in old):
                before = steps_of(partition(members, self._weights, self._horizon_days, rate))
            else:
                before = steps_of(old)
            remaining = [one for one in members if one not in removed]
            made = partition([*remaining, *added], self._weights, self._horizon_days, rate)
            after = steps_of(made)
            changed = {one for one in before.keys() | after.keys() if before.get(one) != after.get(one)}
            reached = self._reached(old, [*old, *made], changed, looked)
            if not reached:
                break
            old.update(reached)
        return self._exchange(list(old), made)

    def _reached(
        self,
        old: Container[Cluster],
        clusters: Iterable[Cluster],
        changed: Container[Features],
        looked: dict[Features, Order],
    ) -> dict[Cluster, None]:
        """Return the clusters outside `old` that hold mentions linked with what has changed, after it has.

        `looked` holds the moments from which on it was asked for each mention before.
        """
        reached: dict[Cluster, None] = {}
        for cluster in clusters:
            since = min((one.order for one in cluster.members if one in changed), default=None)
            if since is None:
                continue
            for one in cluster.members:
                if one in looked and looked[one] <= since:
                    continue
                looked[one] = since
                self._load_around(one)
                reached.update((found, None) for _, found in self._space.linked_after(one, since, old))
        return reached

    def _exchange(self, old: list[Cluster], made: list[Cluster]) -> Remade:
        """Put the clusters made into the space; those that came out as they were stay as they are."""
        same = {tuple(one.members): one for one in old}
        done = Remade()
        kept = set()
        for cluster in made:
            standing = same.get(tuple(cluster.members))
            if standing is None:
                done.made.append(cluster)
            else:
                standing.steps = cluster.steps
                kept.add(standing)
        for cluster in old:
            if cluster not in kept:
                cluster.alive = False
                done.gone.append(cluster)
        for cluster in done.made:
            self._space.insert(cluster)
        for cluster in done.gone:
            self._space.let_go(cluster)
        return done
