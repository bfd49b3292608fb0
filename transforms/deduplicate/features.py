"""A mention made ready for comparison, once: folded words, places, sides and days."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from functools import lru_cache

from transforms.deduplicate.sides import sides_of
from transforms.deduplicate.whereabouts import ANYWHERE, Spot, seat_stems, spot_of
from transforms.deduplicate.words import stem, telling_stems, words_of
from transforms.model import DatePrecision, Family, Means, Mention, Realis, Stage

_LATEST_DUE = 31  # days; what is told for later than that keeps no event open
LONGEST_SPAN = 11  # days that a mention may tell of, or have been told for where it names none; blocks stay small by it
_LONG_SPAN = 7  # the same for armed acts, a longer span counts by its last days
_UNDATED_SPAN = 4  # the same for armed acts without a day
TextKey = tuple[int, ...] | tuple[str, str]
_TOLL_STEP = math.log(1.8)
_FEWEST_TELLING = 4  # smaller tolls are too common to bring mentions together
_TELLING_ALONE = 10  # two mentions of the same toll are compared, wherever they place it
REACH = 1
_REACH_SLOW = 3  # steps of a ceasefire and rare acts are told for days, and seldom happen twice in them
NEEDED_ANCHORS = 2  # a near toll counts once, an equal one twice
_OFTEN_IN_A_DAY = frozenset((Stage.CALLED_FOR, Stage.NEGOTIATING))
_REMEMBERED = 10_000
GENERAL_BREACH = "general breach"
_UNPLACED = frozenset((ANYWHERE,))
RARE_KINDS = frozenset({Means.CHEMICAL.value, Means.SIEGE.value})


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """What is compared of one mention.

    Attributes:
        mention: The mention itself.
        order: Its place in the canonical order: publication time, then id.
        article: Feed and item; two mentions of one article are two events, unless it tells one act twice.
        group: Country and "armed" or "ceasefire"; mentions of different groups are never compared.
        kind: Means or stage.
        killed, injured: As told.
        first_day, last_day: Ordinals of the days told, or the days before publication where none is told.
        day_known: Whether a day is told.
        published_day: Ordinal of the day of publication.
        heard: When it was last heard of, in seconds: see `last_heard`.
        spots: Its places.
        place_keys: Keys that two mentions of one place have in common.
        steps: Keys that two mentions of one step of a ceasefire have in common where they tell no other place.
        sides: Sides of its actors.
        parties: Ids of the known parties among them.
        target_sides: Sides of its targets.
        told_of: Whether any side or party is known of it.
        target_stems, stems: Telling words of targets, and of sentence and targets together.
        tolls: Exact tolls that are large enough to tell something wherever they are placed.
        anchors: Telling details, tolls among them; mentions without a common place must have `NEEDED_ANCHORS` in common
            to be compared.
        keys: Places, steps and tolls, under which it is found wherever it happened.
        regions: Where else it may be found by its telling details: its governorates, or `ANYWHERE`.
        text_keys: The article, and pieces of the signature; copies of one text nearly always have one in common.
        reach: How many days the days of a mention of its kind may lie from those of another.
    """

    mention: Mention
    order: tuple[float, str]
    article: tuple[str, str]
    group: str
    kind: str
    first_day: int
    last_day: int
    day_known: bool
    published_day: int
    heard: float
    spots: tuple[Spot, ...]
    place_keys: frozenset[str]
    steps: frozenset[str]
    sides: frozenset[str]
    parties: frozenset[str]
    target_sides: frozenset[str]
    told_of: bool
    killed: int | None
    injured: int | None
    target_stems: frozenset[str]
    stems: frozenset[str]
    tolls: frozenset[str]
    anchors: frozenset[str]
    keys: frozenset[str]
    regions: frozenset[str]
    text_keys: frozenset[TextKey]
    reach: int


def group_of(mention: Mention) -> str:
    """Return the group of the mention: those of different groups never tell one event."""
    return f"{mention.country}|{'ceasefire' if mention.family is Family.CEASEFIRE else 'armed'}"


def kind_of(mention: Mention) -> str:
    """Return the mention's step of a ceasefire or means."""
    if mention.family is Family.CEASEFIRE:
        return (mention.stage or Stage.AGREED).value
    return (mention.means or Means.UNSPECIFIED).value


def is_slow(mention: Mention) -> bool:
    """Whether it tells what is told for days and seldom happens twice in them: steps of a ceasefire, rare acts."""
    return mention.family is Family.CEASEFIRE or kind_of(mention) in RARE_KINDS


def days_told(mention: Mention) -> tuple[int, int, bool]:
    """Return the first and last day told, as ordinals, and whether they are told; else the days before publication."""
    told = mention.date
    slow = is_slow(mention)
    if told is None:
        published = mention.published.date().toordinal()
        span = LONGEST_SPAN if mention.family is Family.CEASEFIRE else _UNDATED_SPAN
        return published - span + 1, published, False
    first, last = told.start.toordinal(), told.end.toordinal()
    known = told.precision is not DatePrecision.MONTH
    return max(first, last - (LONGEST_SPAN if slow else _LONG_SPAN) + 1), last, known


def _near_toll(word: str, value: int | None) -> Iterator[str]:
    if value is not None and value >= _FEWEST_TELLING:
        yield f"{word}~{int(math.log(value) / _TOLL_STEP)}"


def _exact_toll(word: str, value: int | None) -> Iterator[str]:
    if value is not None and value >= _TELLING_ALONE:
        yield f"{word}={value}"


def text_keys(mention: Mention) -> list[TextKey]:
    """Return the mention's article, and pieces of its signature: copies of one text nearly always share one."""
    article = (mention.feed, mention.item_id)
    return [article, mention.signature[0:2], mention.signature[2:4]] if mention.signature else [article]


def remembered(mention: Mention) -> Features | None:
    """Return the features of `mention` where they were made before."""
    known = _memo.get(mention.mention_id) or _old_memo.get(mention.mention_id)
    return known if known is not None and known.mention is mention else None


def last_heard(mention: Mention) -> datetime:
    """Return the time from which the horizon counts: publication, or the day told where that is still to come.

    So a ceasefire announced to begin in two weeks is open when it begins.
    """
    if mention.date is None or (mention.date.end - mention.published.date()).days > _LATEST_DUE:
        return mention.published
    return max(mention.published, datetime.combine(mention.date.end, time(), tzinfo=UTC))


_memo: dict[str, Features] = {}
_old_memo: dict[str, Features] = {}


def _step_keys(mention: Mention) -> Iterator[str]:
    """Yield what a ceasefire's step has in common with the same step, told the same day.

    It is found by these keys, and let through by them where it is compared. Of a place around or inside its own, for
    local truces are few. Of no place, for the whole country: calls and talks there are many on one day, other steps are
    not; a ceasefire agreed that is to begin later and one that begins are one step.
    """
    if mention.stage is None:
        return
    for place in mention.places:
        if place.adm2:
            yield f"{mention.stage} {place.adm2}"
    if not mention.places and mention.date is not None and mention.stage not in _OFTEN_IN_A_DAY:
        to_come = mention.stage is Stage.AGREED and mention.date.end > mention.published.date()
        yield f"{Stage.IN_EFFECT if to_come else mention.stage} everywhere"


def features_of(mention: Mention) -> Features:
    """Return `mention` made ready for comparison; the same mention is made ready once, while it is remembered.

    What was not asked for while as many others as are remembered were, is forgotten.
    """
    global _memo, _old_memo
    known = _memo.get(mention.mention_id)
    if known is not None and known.mention is mention:
        return known
    if len(_memo) >= _REMEMBERED:
        _memo, _old_memo = {}, _memo
    known = _old_memo.get(mention.mention_id)
    if known is None or known.mention is not mention:
        known = _features_of(mention)
    _memo[mention.mention_id] = known
    return known


def features_apart(mention: Mention) -> Features:
    """Return `mention` made ready for comparison with mentions of its own article: what it denies, or once said."""
    return replace(_features_of(mention), article=("", mention.mention_id))


@lru_cache(maxsize=16384)
def _stems_of_place(name: str, label: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words_of(f"{name} {label}"))


def _features_of(mention: Mention) -> Features:
    ceasefire = mention.family is Family.CEASEFIRE
    kind = kind_of(mention)
    first, last, known = days_told(mention)
    spots = tuple(spot_of(place, mention.country) for place in mention.places)
    spots = tuple(spot for spot in spots if spot.key)
    sides = sides_of(mention.actors)
    parties = frozenset(one.party_id for one in mention.actors if one.party_id)
    targets = telling_stems(word for one in mention.targets for word in words_of(one.name))
    places = {place.name.casefold() for place in mention.places}  # a city that was hit is not the government in it
    stems = telling_stems(mention.wording) | targets
    for place in mention.places:  # where it was is compared as a place
        named = _stems_of_place(place.name, place.label)
        targets -= named
        stems -= named
    stems -= seat_stems()
    anchors = set(stems)
    tolls = frozenset((*_exact_toll("killed", mention.killed), *_exact_toll("injured", mention.injured)))
    anchors.update(tolls, _near_toll("killed", mention.killed), _near_toll("injured", mention.injured))
    if ceasefire:
        anchors.update(f"side:{side}" for side in sides | parties)
    if mention.family is Family.VIOLATION and not spots:
        anchors.add(GENERAL_BREACH)
    if kind in RARE_KINDS:
        anchors.update((f"kind:{kind}", f"kind:{kind}!"))
    target_sides = sides_of(one for one in mention.targets if one.name.casefold() not in places)
    place_keys = frozenset(key for spot in spots for key in spot.keys)
    steps = frozenset(_step_keys(mention))
    return Features(
        mention=mention,
        order=(mention.published.timestamp(), mention.mention_id),
        article=(mention.feed, mention.item_id),
        group=group_of(mention),
        kind=kind,
        first_day=first,
        last_day=last,
        day_known=known,
        published_day=mention.published.date().toordinal(),
        heard=last_heard(mention).timestamp(),
        spots=spots,
        place_keys=place_keys,
        steps=steps,
        sides=sides,
        parties=parties,
        target_sides=target_sides,
        told_of=bool(sides or parties or target_sides),
        killed=mention.killed,
        injured=mention.injured,
        target_stems=targets,
        stems=stems,
        tolls=tolls,
        anchors=frozenset(anchors),
        keys=place_keys | steps | tolls,
        regions=frozenset(code for spot in spots for code in spot.regions) or _UNPLACED,
        text_keys=frozenset(text_keys(mention)),
        reach=_REACH_SLOW if is_slow(mention) else REACH,
    )


def is_real(mention: Mention) -> bool:
    """Whether the mention tells an event as real, so that it may open one."""
    return mention.realis in (Realis.ASSERTED, Realis.ALLEGED)
