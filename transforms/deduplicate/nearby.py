"""Which mentions have enough in common with a mention to be compared with it: by day, place and telling details.

Compared are mentions of near days that have a place, a step or a high toll in common, or two telling details, and
copies of a text. Of these, some that `score` would give odds below even may be left out or not, for speed: what is
linked is the same. Most of the time of this stage is spent here and in `score`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from transforms.deduplicate.compare import apart_needs_place, kinds_near
from transforms.deduplicate.features import NEEDED_ANCHORS, REACH, Features, TextKey
from transforms.deduplicate.weights import Weights
from transforms.deduplicate.whereabouts import ANYWHERE

_Index = defaultdict[str, list[Features]]
_UNPLACED = (ANYWHERE,)
_SPARE = 4  # a block is made anew when it has held so many times what it holds


class Nearby:
    """Mentions by group and day, and in these by place, step and toll, and by the telling details of each region."""

    def __init__(self, weights: Weights) -> None:
        self._texts: defaultdict[TextKey, list[Features]] = defaultdict(list)
        # What tells one day is looked up by it and the days around it; what is vague about the day stands under each
        # day that it may mean, and those around them. So a look-up, of which there are more, asks few blocks.
        self._of_a_day: defaultdict[str, dict[int, _Block]] = defaultdict(dict)
        self._vague: defaultdict[str, dict[int, _Block]] = defaultdict(dict)
        self._apart_needs_place = apart_needs_place(weights)

    def add(self, member: Features) -> None:
        """Put in a mention."""
        blocks, days = self._stands(member)
        for day in days:
            block = blocks.get(day)
            if block is None:
                block = blocks[day] = _Block()
            block.add(member)
        for piece in member.text_keys:
            self._texts[piece].append(member)

    def discard(self, member: Features) -> None:
        """Take out a mention; it may still be found until its block is made anew."""
        blocks, days = self._stands(member)
        for day in days:
            block = blocks[day]
            block.members.discard(member)
            if len(block.members) * _SPARE < block.added:
                del blocks[day]
                if block.members:
                    blocks[day] = anew = _Block()
                    for one in block.members:
                        anew.add(one)
        for piece in member.text_keys:
            told = self._texts[piece]
            told.remove(member)
            if not told:
                del self._texts[piece]

    def _stands(self, member: Features) -> tuple[dict[int, _Block], Iterable[int]]:
        """Return the blocks that hold mentions such as `member`, and the days under which it stands in them."""
        if member.day_known and member.first_day == member.last_day:
            return self._of_a_day[member.group], (member.last_day,)
        days = range(member.first_day - member.reach, member.last_day + member.reach + 1)
        return self._vague[member.group], days

    def of(self, mention: Features) -> set[Features]:
        """Return the mentions to compare with `mention`."""
        near: set[Features] = set()
        first_day, last_day, reach = mention.first_day, mention.last_day, mention.reach
        blocks = self._of_a_day[mention.group]
        bare = (
            self._apart_needs_place
            and reach == REACH
            and mention.day_known
            and mention.killed is None
            and mention.injured is None
            and not mention.target_stems
        )
        for day in range(first_day - reach, last_day + reach + 1):
            block = blocks.get(day)
            if block is None:
                continue
            if first_day <= day <= last_day:
                block.add_near(mention, near)
            elif bare and mention.spots:
                block.add_of_place(mention, near)
            elif bare:
                block.add_unplaced(mention, near)
            else:
                block.add_near_apart(mention, near)
        blocks = self._vague[mention.group]
        if blocks:
            for day in range(first_day, last_day + 1):
                block = blocks.get(day)
                if block is not None:
                    block.add_near(mention, near)
        for piece in mention.text_keys & self._texts.keys():
            near.update(self._texts[piece])
        return near


class _Block:
    """Mentions of one group and day.

    Attributes:
        members: Those that were not taken out.
        added: How many there were.
    """

    __slots__ = ("_by_key", "_by_region", "_everywhere", "added", "members")

    def __init__(self) -> None:
        self.members: set[Features] = set()
        self.added = 0
        self._by_key: _Index = defaultdict(list)
        self._by_region: defaultdict[str, _Index] = defaultdict(_index)
        self._everywhere: _Index = defaultdict(list)

    def add(self, member: Features) -> None:
        self.members.add(member)
        self.added += 1
        for key in member.keys:
            self._by_key[key].append(member)
        everywhere = self._everywhere
        for region in _UNPLACED if ANYWHERE in member.regions else member.regions:
            index = self._by_region[region]
            for key in member.anchors:
                index[key].append(member)
        for key in member.anchors:
            everywhere[key].append(member)

    def add_near(self, mention: Features, near: set[Features]) -> None:
        """Add what has a place or step, or two telling details, in common with `mention`.

        What has a place alone in common must be of its kind and, for armed acts, of its day; see `score`.
        """
        once = self._add_by_details(mention, near)
        keys = mention.keys & self._by_key.keys()
        if not keys:
            return
        kinds = kinds_near(mention.kind)
        if mention.reach > REACH:
            for key in keys:
                near.update([one for one in self._by_key[key] if one.kind in kinds or one in once])
            return
        first, last = mention.first_day, mention.last_day
        for key in keys:
            near.update(
                [
                    one
                    for one in self._by_key[key]
                    if (one.kind in kinds and one.first_day <= last and one.last_day >= first) or one in once
                ]
            )

    def add_near_apart(self, mention: Features, near: set[Features]) -> None:
        """Add what has two telling details, or a place and one, in common with `mention`, of another day.

        Steps of a ceasefire, and rare acts, of one kind need no more than their place in common on another day too.
        """
        once = self._add_by_details(mention, near)
        keys = (mention.keys - mention.steps if mention.steps else mention.keys) & self._by_key.keys()
        if keys and mention.reach > REACH:
            kinds = kinds_near(mention.kind)
            for key in keys:
                near.update([one for one in self._by_key[key] if one.kind in kinds or one in once])
        elif keys and once:
            for key in keys:
                near.update(once.intersection(self._by_key[key]))

    def add_of_place(self, mention: Features, near: set[Features]) -> None:
        """Add what has a place and a telling detail in common with `mention`."""
        anchors = mention.anchors
        for key in mention.keys & self._by_key.keys():
            near.update([one for one in self._by_key[key] if not anchors.isdisjoint(one.anchors)])

    def add_unplaced(self, mention: Features, near: set[Features]) -> None:
        """Add what has two telling details in common with `mention`, which is of no place, and is of none either."""
        index = self._by_region.get(ANYWHERE)
        if index is not None:
            _add_of_two(mention.anchors, index, set(), near)

    def _add_by_details(self, mention: Features, near: set[Features]) -> set[Features]:
        """Add what has two telling details in common with `mention`, and return what has one.

        Regions only spare work: of what is told of others, that which has two in common is added or not.
        """
        once: set[Features] = set()
        for index in self._asked(mention.regions):
            _add_of_two(mention.anchors, index, once, near)
        return once

    def _asked(self, regions: frozenset[str]) -> Iterable[_Index]:
        """Return the indexes that hold what is told of `regions`; no mention is in two of them."""
        if len(regions) > 1 or ANYWHERE in regions:
            return (self._everywhere,)
        (region,) = regions
        asked = (self._by_region.get(ANYWHERE), self._by_region.get(region))
        return [index for index in asked if index is not None]


class NearbyFew:
    """Does what `Nearby` does for so few mentions that to look at each costs less than to sort them in."""

    MOST = 100

    def __init__(self) -> None:
        self._members: list[Features] = []

    def add(self, member: Features) -> None:
        """Put in a mention."""
        self._members.append(member)

    def discard(self, member: Features) -> None:
        """Take out a mention."""
        self._members.remove(member)

    def of(self, mention: Features) -> list[Features]:
        """Return the mentions to compare with `mention`."""
        anchors, keys, texts = mention.anchors, mention.keys, mention.text_keys
        first_day, last_day = mention.first_day - mention.reach, mention.last_day + mention.reach
        return [
            one
            for one in self._members
            if (
                first_day <= one.last_day
                and one.first_day <= last_day
                and (
                    not keys.isdisjoint(one.keys)
                    or (not anchors.isdisjoint(one.anchors) and len(anchors & one.anchors) >= NEEDED_ANCHORS)
                )
            )
            or not texts.isdisjoint(one.text_keys)
        ]


def _add_of_two(anchors: frozenset[str], index: _Index, once: set[Features], near: set[Features]) -> None:
    """Add to `near` what has two of `anchors`, and to `once` what has one; what `once` holds counts as having one."""
    for key in anchors & index.keys():
        told = index[key]
        if not once.isdisjoint(told):
            near.update(once.intersection(told))
        once.update(told)


def _index() -> _Index:
    return defaultdict(list)
