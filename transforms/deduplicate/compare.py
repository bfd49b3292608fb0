"""Same event or not: two mentions compared slot by slot, contradictions and agreements weighed as log-odds.

Embeddings are not used: a strike on Wednesday and one on Thursday in the same town read almost alike. What tells them
apart are the slots: kind of act, day, place, actors, targets, toll. Wording only adds to them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from transforms.deduplicate.features import GENERAL_BREACH, NEEDED_ANCHORS, RARE_KINDS, REACH, Features, features_of
from transforms.deduplicate.sides import are_opposed
from transforms.deduplicate.syndication import similarity
from transforms.deduplicate.weights import NAMES, Weights, default_weights
from transforms.deduplicate.whereabouts import Relation, closest
from transforms.model import Means, Mention, Stage

COPY_SIMILARITY = 0.45
_UNSPECIFIED = Means.UNSPECIFIED.value
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

_INDEX = {name: at for at, name in enumerate(NAMES)}
_BIAS = _INDEX["bias"]
_DAY_SAME, _DAY_OVERLAP, _DAY_UNKNOWN = _INDEX["day_same"], _INDEX["day_overlap"], _INDEX["day_unknown"]
_DAY_GAP, _DAY_GAP_STEP = _INDEX["day_gap"], _INDEX["day_gap_step"]
_KILLED_SAME, _KILLED_CLOSE, _KILLED_APART = _INDEX["killed_same"], _INDEX["killed_close"], _INDEX["killed_apart"]
_INJURED_SAME, _INJURED_APART = _INDEX["injured_same"], _INDEX["injured_apart"]
_ACTOR_SAME, _ACTOR_OPPOSED = _INDEX["actor_same"], _INDEX["actor_opposed"]
_PLACE_NONE, _PLACE_SAME_STEP = _INDEX["place_none"], _INDEX["place_same_step"]
_GENERAL_BREACH = _INDEX["general_breach"]
Evidence = list[tuple[int, float]]
_NOTHING_COMMON: Evidence = [(_INDEX["nothing_common"], 1.0)]
_LITTLE_COMMON: Evidence = [(_INDEX["nothing_common"], 3.0)]
_RETOLD: Evidence = [(_INDEX["retold"], 1.0)]


@lru_cache(maxsize=256)
def _kind_evidence(one: str, other: str) -> str:
    if one == other:
        return "kind_open" if one == _UNSPECIFIED else "kind_same"
    if _UNSPECIFIED in (one, other):
        return "kind_open"
    return "kind_near" if frozenset((one, other)) in _NEAR_MEANS else "kind_apart"


def _announced(agreed: Features, begun: Features) -> bool:
    """Whether `agreed` tells of a ceasefire that was to begin on the day on which `begun` tells that it did."""
    return (
        (agreed.kind, begun.kind) == (_AGREED, _IN_EFFECT)
        and agreed.day_known
        and begun.day_known
        and agreed.last_day > agreed.published_day
        and agreed.last_day == begun.first_day
    )


def _kind(a: Features, b: Features) -> str:
    if a.kind in _STAGES and a.kind != b.kind:
        return "kind_same" if _announced(a, b) or _announced(b, a) else "kind_apart"
    return _kind_evidence(a.kind, b.kind)


def _toll(a: Features, b: Features) -> tuple[int, float] | None:
    one, other = a.mention.killed, b.mention.killed
    if one is None or other is None:
        return None
    if one == other:
        return _KILLED_SAME, min(1.0, 0.4 + math.log10(one) / 2) if one else 0.3
    low, high = (one, other) if one < other else (other, one)
    if high >= _MASS_TOLL and low >= high * _GROWING_MASS_TOLL:
        return _KILLED_CLOSE, 1.0
    if low >= high * _GROWING_TOLL:
        return (_KILLED_CLOSE, 1.0) if high > _SMALL_TOLL else None
    return _KILLED_APART, 1.0


def _injured(a: Features, b: Features) -> tuple[int, float] | None:
    one, other = a.mention.injured, b.mention.injured
    if one is None or other is None:
        return None
    if one == other:
        return _INJURED_SAME, min(1.0, 0.4 + math.log10(one) / 2) if one else 0.3
    return (_INJURED_APART, 1.0) if min(one, other) < max(one, other) * _GROWING_TOLL else None


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of the smaller set that lies in the other, less where there are few words to share."""
    fewest = min(len(one), len(other))
    if not fewest:
        return 0.0
    return len(one & other) / max(fewest, 3)


_PLACE = {
    Relation.SAME: _INDEX["place_same"],
    Relation.NEAR: _INDEX["place_near"],
    Relation.WITHIN: _INDEX["place_within"],
    Relation.APART: _INDEX["place_apart"],
    Relation.UNKNOWN: _INDEX["place_unknown"],
}


def _same_text(a: Features, b: Features) -> bool:
    """Whether one text was published twice: its "on Saturday" is then another day each time, for the same event."""
    if a.text_keys.isdisjoint(b.text_keys):
        return False
    return similarity(a.mention.signature, b.mention.signature) >= _REPRINT_SIMILARITY


def _day(a: Features, b: Features, gap: int, reprint: bool) -> tuple[int, float]:
    if reprint or not (a.day_known and b.day_known):
        return _DAY_UNKNOWN, 1.0
    if gap:
        slow = a.reach > REACH and b.reach > REACH
        return (_DAY_GAP_STEP if slow else _DAY_GAP), float(gap)
    single = a.first_day == a.last_day == b.first_day == b.last_day
    return (_DAY_SAME if single else _DAY_OVERLAP), 1.0


def _actors(a: Features, b: Features) -> tuple[int, float] | None:
    if not a.sides.isdisjoint(b.sides) or not a.parties.isdisjoint(b.parties):
        return _ACTOR_SAME, 1.0
    return (_ACTOR_OPPOSED, 1.0) if are_opposed(a.sides, b.sides) else None


def _reversed(a: Features, b: Features) -> bool:
    """Whether one tells as target who acts in the other."""
    if Means.GROUND.value in (a.kind, b.kind) or not a.sides.isdisjoint(b.sides):
        return False
    return not (a.sides.isdisjoint(b.target_sides) and b.sides.isdisjoint(a.target_sides))


def _where(a: Features, b: Features, place: Relation) -> Evidence:
    if not (a.spots or b.spots):
        general = GENERAL_BREACH in a.anchors and GENERAL_BREACH in b.anchors
        return [(_PLACE_NONE, 1.0), (_GENERAL_BREACH, 1.0)] if general else [(_PLACE_NONE, 1.0)]
    if place is Relation.SAME and a.kind in _STAGES:
        return [(_PLACE[place], 1.0), (_PLACE_SAME_STEP, 1.0)]
    return [(_PLACE[place], 1.0)]


def _adds_nothing(vague: Features, main: Features, place: Relation) -> bool:
    """Whether `vague` leaves its means open, or place and toll, and tells nothing beside them that `main` does not."""
    toll = vague.mention.killed
    if toll is not None and toll != main.mention.killed:
        return False
    if vague.kind == _UNSPECIFIED:
        return place is not Relation.APART
    return not vague.spots and toll is None


def told_again(a: Features, b: Features) -> bool:
    """Whether two mentions of one article tell one armed act twice: vaguely in the headline, in full in the text.

    Different acts of one article differ in what is told of them: means, day, place, perpetrator or toll. Where one
    mention is silent on these and contradicts the other nowhere, or both give one toll, they are taken for one.
    """
    if a.kind in _STAGES or a.first_day > b.last_day or b.first_day > a.last_day or are_opposed(a.sides, b.sides):
        return False
    place = closest(a.spots, b.spots)
    toll = a.mention.killed
    if toll is not None and toll == b.mention.killed and toll >= _TELLING_TOLL:
        return place is not Relation.APART
    return _adds_nothing(a, b, place) or _adds_nothing(b, a, place)


class _Relations(NamedTuple):
    """How two mentions lie to each other in what is asked before anything is weighed."""

    kind: str
    place: Relation
    gap: int
    reprint: bool


def _weighed(a: Features, b: Features, how: _Relations) -> Evidence:
    """Return what speaks for and against one event of two mentions that have enough in common."""
    found: Evidence = [(_BIAS, 1.0), (_INDEX[how.kind], 1.0), *_where(a, b, how.place)]
    add = found.append
    if how.kind == "kind_same" and a.kind in RARE_KINDS:
        add((_INDEX["kind_rare"], 1.0))
    add(_day(a, b, how.gap, how.reprint))
    if (told := _toll(a, b)) is not None:
        add(told)
    if (told := _injured(a, b)) is not None:
        add(told)
    if a.sides or a.parties:
        if (told := _actors(a, b)) is not None:
            add(told)
        if _reversed(a, b):
            add((_INDEX["role_reversed"], 1.0))
    elif b.sides and _reversed(a, b):
        add((_INDEX["role_reversed"], 1.0))
    targets = _overlap(a.target_stems, b.target_stems)
    if targets:
        add((_INDEX["target_same"], targets))
    words = _overlap(a.stems, b.stems)
    if words:
        add((_INDEX["wording"], words))
        if words > 0.5 and similarity(a.mention.signature, b.mention.signature) >= COPY_SIMILARITY:
            add((_INDEX["copy"], 1.0))
    return found


def evidence(a: Features, b: Features) -> Evidence | None:
    """Return what speaks for and against one event, as pairs of weight and size; None where it cannot be one.

    Two mentions cannot tell one event where they differ in country or in being a ceasefire's step or an armed act, lie
    too many days apart, or stand in one article which does not tell it twice.
    """
    if a.group != b.group:
        return None
    if a.article == b.article:
        return _RETOLD if told_again(a, b) else None
    gap = a.first_day - b.last_day if a.first_day > b.last_day else b.first_day - a.last_day
    reprint = False
    if gap <= 0:
        gap = 0
    elif gap > a.reach or gap > b.reach:
        reprint = _same_text(a, b)
        if not reprint:
            return None
    # Most pairs end here, so what is cheap to know is asked first.
    common = len(a.anchors & b.anchors)
    place = closest(a.spots, b.spots)
    if place is not Relation.SAME:
        step = (
            not gap and place is Relation.WITHIN and a.mention.stage is not None and a.mention.stage == b.mention.stage
        )
        if common < NEEDED_ANCHORS and not step:
            return _NOTHING_COMMON
        if place is Relation.APART and common < _NEEDED_APART:
            return _LITTLE_COMMON
    kind = _kind(a, b)
    if place is Relation.SAME and not common and (kind == "kind_apart" or (gap and a.reach == REACH)):
        return _LITTLE_COMMON
    return _weighed(a, b, _Relations(kind, place, gap, reprint))


def weight_values(weights: Weights) -> tuple[float, ...]:
    """Return the weights in the order in which `evidence` numbers them."""
    return tuple(getattr(weights, name) for name in NAMES)


def score(a: Features, b: Features, values: tuple[float, ...]) -> float | None:
    """Return the log-odds that both mentions tell one event; None where they cannot."""
    found = evidence(a, b)
    if found is None:
        return None
    total = 0.0
    for at, size in found:
        total += values[at] * size
    return total


def tells_same(odds: float | None) -> bool:
    """Whether log-odds, as `score` returns them, speak for one event."""
    return odds is not None and odds >= 0


def same_event(a: Mention, b: Mention, weights: Weights | None = None) -> float | None:
    """Return the log-odds that two mentions tell one event; None where they cannot, 0 or more where they do."""
    return score(features_of(a), features_of(b), weight_values(weights or default_weights()))


def reasons(a: Mention, b: Mention, weights: Weights | None = None) -> Mapping[str, float]:
    """Return what each agreement or contradiction adds to the score of two mentions, {} where they cannot be one."""
    values = weight_values(weights or default_weights())
    found = evidence(features_of(a), features_of(b)) or []
    return {NAMES[at]: values[at] * size for at, size in found}
