"""Same event or not: two mentions compared slot by slot, contradictions and agreements weighed as log-odds.

Embeddings are not used: a strike on Wednesday and one on Thursday in the same town read almost alike. What tells them
apart are the slots: kind of act, day, place, actors, targets, toll. Wording only adds to them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from enum import IntEnum
from functools import cache, lru_cache

from transforms.deduplicate.features import GENERAL_BREACH, NEEDED_ANCHORS, RARE_KINDS, REACH, Features, features_of
from transforms.deduplicate.sides import are_opposed
from transforms.deduplicate.syndication import are_copies
from transforms.deduplicate.weights import NAMES, Weights, default_weights
from transforms.deduplicate.whereabouts import Relation, closest
from transforms.model import Means, Mention, Stage

COPY_SIMILARITY = 0.45
EVEN = -1e-9  # from here on odds speak for one event; weights have one decimal, and sums of them are not exact
_UNSPECIFIED = Means.UNSPECIFIED.value
_GROUND = Means.GROUND.value
_AGREED, _IN_EFFECT = Stage.AGREED.value, Stage.IN_EFFECT.value
_STAGES = frozenset(one.value for one in Stage)
# Means that outlets mix up when they tell one act.
_NEAR_MEANS = frozenset(
    frozenset(pair)
    for pair in (
        ("airstrike", "shelling"),
        ("ground", "shelling"),
        ("ground", "shooting"),
        ("ground", "bombing"),
        ("bombing", "shelling"),
        ("chemical", "airstrike"),
        ("chemical", "shelling"),
        ("siege", "ground"),
    )
)
_GROWING_TOLL = 0.5  # 58 grows to 86 within a story
_MASS_TOLL = 100
_GROWING_MASS_TOLL = 0.1  # first figures of a massacre are far off
_SMALL_TOLL = 5
_TELLING_TOLL = 3  # two acts of one article seldom have an equal toll this large
_NEEDED_APART = 4  # telling details in common, where the places have nothing to do with each other
_REPRINT_SIMILARITY = 0.8
_WORDS_OF_A_COPY = 0.5
_LITTLE_COMMON = 3.0  # times the weight of nothing in common

# Relations of places as plain numbers: they are asked about more often than anything else.
_APART, _UNKNOWN, _WITHIN, _NEAR, _SAME = (int(one) for one in Relation)


class _Kind(IntEnum):
    """How two kinds of act, or two steps of a ceasefire, lie to each other."""

    SAME = 0
    OPEN = 1
    NEAR = 2
    APART = 3


_K_SAME, _K_OPEN, _K_NEAR = int(_Kind.SAME), int(_Kind.OPEN), int(_Kind.NEAR)


@lru_cache(maxsize=256)
def _kinds(one: str, other: str) -> int:
    if one == other:
        return int(_Kind.OPEN if one == _UNSPECIFIED else _Kind.SAME)
    if _UNSPECIFIED in (one, other):
        return int(_Kind.OPEN)
    return int(_Kind.NEAR if frozenset((one, other)) in _NEAR_MEANS else _Kind.APART)


@cache
def kinds_near(kind: str) -> frozenset[str]:
    """Return the kinds that outlets may tell of one act, or one step, that is told as `kind`."""
    if kind in _STAGES:
        return frozenset((_AGREED, _IN_EFFECT) if kind in (_AGREED, _IN_EFFECT) else (kind,))
    return frozenset(one.value for one in Means if _kinds(kind, one.value) <= _K_NEAR)


def apart_needs_place(w: Weights) -> bool:
    """Whether two armed acts a day apart must have a place in common to be one, where one has a place and no toll.

    The highest odds that `score` gives such pairs of acts, of which the one tells no target either, and none is rare.
    """
    kind = max(w.kind_same, w.kind_open, w.kind_near, w.kind_apart)
    place = max(w.place_apart, w.place_unknown, w.place_within, w.place_near)
    more = (w.actor_same, w.actor_opposed, w.role_reversed, w.wording, w.copy)
    return w.bias + kind + place + w.day_gap + sum(max(one, 0.0) for one in more) < EVEN


def _announced(agreed: Features, begun: Features) -> bool:
    """Whether `agreed` tells of a ceasefire that was to begin on the day on which `begun` tells that it did."""
    return (
        (agreed.kind, begun.kind) == (_AGREED, _IN_EFFECT)
        and agreed.day_known
        and begun.day_known
        and agreed.last_day > agreed.published_day
        and agreed.last_day == begun.first_day
    )


def _kind(a: Features, b: Features) -> int:
    if a.kind in _STAGES and a.kind != b.kind:
        return int(_Kind.SAME if _announced(a, b) or _announced(b, a) else _Kind.APART)
    return _kinds(a.kind, b.kind)


@cache
def _size_of_toll(toll: int) -> float:
    """Return how much an equal toll tells: the more, the larger it is."""
    return min(1.0, 0.4 + math.log10(toll) / 2) if toll else 0.3


def _killed(one: int, other: int, w: Weights) -> float:
    if one == other:
        return w.killed_same * _size_of_toll(one)
    low, high = (one, other) if one < other else (other, one)
    if high >= _MASS_TOLL and low >= high * _GROWING_MASS_TOLL:
        return w.killed_close
    if low >= high * _GROWING_TOLL:
        return w.killed_close if high > _SMALL_TOLL else 0.0
    return w.killed_apart


def _injured(one: int, other: int, w: Weights) -> float:
    if one == other:
        return w.injured_same * _size_of_toll(one)
    return w.injured_apart if min(one, other) < max(one, other) * _GROWING_TOLL else 0.0


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of the smaller set that lies in the other, less where there are few words to share."""
    common = len(one & other)
    return common / max(min(len(one), len(other)), 3) if common else 0.0


def _same_text(a: Features, b: Features) -> bool:
    """Whether one text was published twice: its "on Saturday" is then another day each time, for the same event."""
    if a.text_keys.isdisjoint(b.text_keys):
        return False
    return are_copies(a.mention.signature, b.mention.signature, _REPRINT_SIMILARITY)


def _of_one_story(a: Features, b: Features) -> bool:
    """Whether two mentions may tell one event although they place it far apart: by an exact toll, or as copies."""
    return not (a.tolls.isdisjoint(b.tolls) and a.text_keys.isdisjoint(b.text_keys))


def _apart(a: Features, b: Features, gap: int, w: Weights) -> float:
    if a.kind in RARE_KINDS and b.kind in RARE_KINDS:
        return gap * w.day_gap_rare
    return gap * (w.day_gap_step if a.reach > REACH and b.reach > REACH else w.day_gap)


def _one_day(a: Features, b: Features) -> bool:
    """Whether both tell of one day the same kind of act, so that less needs to be common beside."""
    return a.kind == b.kind != _UNSPECIFIED and a.first_day == a.last_day == b.first_day == b.last_day


def _reversed(a: Features, b: Features) -> bool:
    """Whether one tells as target who acts in the other."""
    if a.sides.isdisjoint(b.target_sides) and b.sides.isdisjoint(a.target_sides):
        return False
    return _GROUND not in (a.kind, b.kind) and a.sides.isdisjoint(b.sides)


def _actors(a: Features, b: Features, w: Weights) -> float:
    total = w.role_reversed if (a.target_sides or b.target_sides) and _reversed(a, b) else 0.0
    if not a.sides.isdisjoint(b.sides) or not a.parties.isdisjoint(b.parties):
        return total + w.actor_same
    return total + w.actor_opposed if are_opposed(a.sides, b.sides) else total


def _elsewhere(a: Features, b: Features, place: int, w: Weights) -> float:
    if place == _APART:
        return w.place_apart
    if place == _WITHIN:
        return w.place_within
    if place == _NEAR:
        return w.place_near
    if a.spots or b.spots:
        return w.place_unknown
    general = GENERAL_BREACH in a.anchors and GENERAL_BREACH in b.anchors
    return w.place_none + w.general_breach if general else w.place_none


def _adds_nothing(vague: Features, main: Features, place: Relation) -> bool:
    """Whether `vague` leaves its means open, or place and toll, and tells nothing beside them that `main` does not."""
    if vague.killed is not None and vague.killed != main.killed:
        return False
    if vague.kind == _UNSPECIFIED:
        return place is not Relation.APART
    return not vague.spots and vague.killed is None


def told_again(a: Features, b: Features) -> bool:
    """Whether two mentions of one article tell one armed act twice: vaguely in the headline, in full in the text.

    Different acts of one article differ in what is told of them: means, day, place, perpetrator or toll. Where one
    mention is silent on these and contradicts the other nowhere, or both give one toll, they are taken for one.
    """
    if a.kind in _STAGES or a.first_day > b.last_day or b.first_day > a.last_day or are_opposed(a.sides, b.sides):
        return False
    place = closest(a.spots, b.spots)
    toll = a.killed
    if toll is not None and toll == b.killed and toll >= _TELLING_TOLL:
        return place is not Relation.APART
    return _adds_nothing(a, b, place) or _adds_nothing(b, a, place)


def score(a: Features, b: Features, w: Weights) -> float | None:
    """Return the log-odds that both mentions tell one event; None where they cannot.

    Two mentions cannot tell one event where they differ in country or in being a ceasefire's step or an armed act, lie
    too many days apart, or stand in one article which does not tell it twice. What the score is made of does not depend
    on the weights, so it is linear in them: `sizes` reads off it how much each counts.
    """
    if a.group != b.group:
        return None
    if a.article == b.article:
        return w.retold if told_again(a, b) else None
    gap = a.first_day - b.last_day if a.first_day > b.last_day else b.first_day - a.last_day
    reprint = False
    if gap <= 0:
        gap = 0
    elif gap > a.reach or gap > b.reach:
        reprint = _same_text(a, b)
        if not reprint:
            return None
    # Most pairs end here, so what is cheap to know is asked first; and kinds and places are mostly equal ones.
    kind = _kind(a, b) if a.kind != b.kind else _K_OPEN if a.kind == _UNSPECIFIED else _K_SAME
    place = closest(a.spots, b.spots) if a.spots != b.spots else _SAME if a.spots else _UNKNOWN
    if place != _SAME:
        common = len(a.anchors & b.anchors)
        if place == _APART:
            if common < NEEDED_ANCHORS:
                return w.nothing_common
            if common < _NEEDED_APART or not _of_one_story(a, b):
                return w.nothing_common * _LITTLE_COMMON
        elif common < NEEDED_ANCHORS and (gap or (a.steps.isdisjoint(b.steps) and not (common and _one_day(a, b)))):
            return w.nothing_common
    elif (kind > _K_NEAR or (gap and a.reach == REACH)) and a.anchors.isdisjoint(b.anchors):
        return w.nothing_common * _LITTLE_COMMON
    if reprint or not (a.day_known and b.day_known):
        day = w.day_unknown
    elif gap:
        day = _apart(a, b, gap, w)
    else:
        day = w.day_same if a.first_day == a.last_day == b.first_day == b.last_day else w.day_overlap
    return _weighed(a, b, w, kind, place) + day


def _weighed(a: Features, b: Features, w: Weights, kind: int, place: int) -> float:
    """Return what speaks for and against one event, beside the day, of two mentions that have enough in common."""
    total = w.bias
    if place == _SAME:
        total += w.place_same + w.place_same_step if a.kind in _STAGES else w.place_same
    else:
        total += _elsewhere(a, b, place, w)
    if kind == _K_SAME:
        total += w.kind_same + w.kind_rare if a.kind in RARE_KINDS else w.kind_same
    elif kind == _K_OPEN:
        total += w.kind_open
    else:
        total += w.kind_near if kind == _K_NEAR else w.kind_apart
    if a.killed is not None and b.killed is not None:
        total += _killed(a.killed, b.killed, w)
    if a.injured is not None and b.injured is not None:
        total += _injured(a.injured, b.injured, w)
    if a.told_of and b.told_of:
        total += _actors(a, b, w)
    if a.target_stems and b.target_stems:
        total += _overlap(a.target_stems, b.target_stems) * w.target_same
    common = len(a.stems & b.stems)
    if common:
        words = common / max(min(len(a.stems), len(b.stems)), 3)  # as `_overlap`, which most pairs need not call
        total += words * w.wording
        if words > _WORDS_OF_A_COPY and are_copies(a.mention.signature, b.mention.signature, COPY_SIMILARITY):
            total += w.copy
    return total


def tells_same(odds: float | None) -> bool:
    """Whether log-odds, as `score` returns them, speak for one event."""
    return odds is not None and odds >= EVEN


@cache
def _one_at_a_time() -> tuple[tuple[str, Weights], ...]:
    nothing = dict.fromkeys(NAMES, 0.0)
    return tuple((name, Weights(**(nothing | {name: 1.0}))) for name in NAMES)


def sizes(a: Features, b: Features) -> Mapping[str, float]:
    """Return how much each weight counts in the score of two mentions, without those that do not; {} where none is."""
    told = {name: score(a, b, only) for name, only in _one_at_a_time()}
    return {name: size for name, size in told.items() if size}


def same_event(a: Mention, b: Mention, weights: Weights | None = None) -> float | None:
    """Return the log-odds that two mentions tell one event; None where they cannot, 0 or more where they do."""
    return score(features_of(a), features_of(b), weights or default_weights())


def reasons(a: Mention, b: Mention, weights: Weights | None = None) -> Mapping[str, float]:
    """Return what each agreement or contradiction adds to the score of two mentions, {} where they cannot be one."""
    values = asdict(weights or default_weights())
    return {name: values[name] * size for name, size in sizes(features_of(a), features_of(b)).items()}
