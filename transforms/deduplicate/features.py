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
from transforms.model import DatePrecision, Family, Means, Mention, Party, Place, Realis, Stage

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
# Looked up for every mention, where members of enumerations cost more than all else that is asked there.
_KINDS: dict[Means | Stage, str] = {one: one.value for one in (*Means, *Stage)}
_CEASEFIRE = Family.CEASEFIRE
_MONTH = DatePrecision.MONTH
_REAL = frozenset((Realis.ASSERTED, Realis.ALLEGED))
_NO_WORDS: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)  # not frozen: to set so many fields of a frozen one takes a tenth of a mention's time
class Features:
    """What is compared of one mention; nothing in it is changed once it is made.

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


@lru_cache(maxsize=1024)
def _group(country: str, ceasefire: bool) -> str:
    return f"{country}|{'ceasefire' if ceasefire else 'armed'}"


def group_of(mention: Mention) -> str:
    """Return the group of the mention: those of different groups never tell one event."""
    return _group(mention.country, mention.family is _CEASEFIRE)


def kind_of(mention: Mention) -> str:
    """Return the mention's step of a ceasefire or means."""
    if mention.family is _CEASEFIRE:
        return _KINDS[mention.stage or Stage.AGREED]
    return _KINDS[mention.means or Means.UNSPECIFIED]


def is_slow(mention: Mention) -> bool:
    """Whether it tells what is told for days and seldom happens twice in them: steps of a ceasefire, rare acts."""
    return mention.family is _CEASEFIRE or kind_of(mention) in RARE_KINDS


def days_told(mention: Mention) -> tuple[int, int, bool]:
    """Return the first and last day told, as ordinals, and whether they are told; else the days before publication."""
    told = mention.date
    if told is None:
        published = mention.published.toordinal()
        span = LONGEST_SPAN if mention.family is _CEASEFIRE else _UNDATED_SPAN
        return published - span + 1, published, False
    first, last = told.start.toordinal(), told.end.toordinal()
    if first != last:
        first = max(first, last - (LONGEST_SPAN if is_slow(mention) else _LONG_SPAN) + 1)
    return first, last, told.precision is not _MONTH


@lru_cache(maxsize=16384)
def _tolls(killed: int | None, injured: int | None) -> tuple[frozenset[str], frozenset[str]]:
    """Return the exact tolls that tell something alone, and beside them the near ones that tell it with others."""
    told = [(word, value) for word, value in (("killed", killed), ("injured", injured)) if value is not None]
    exact = frozenset(f"{word}={value}" for word, value in told if value >= _TELLING_ALONE)
    near = {f"{word}~{int(math.log(value) / _TOLL_STEP)}" for word, value in told if value >= _FEWEST_TELLING}
    return exact, exact | near


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
    told, published = mention.date, mention.published
    if told is None or not 0 < told.end.toordinal() - published.toordinal() <= _LATEST_DUE:
        return published
    return max(published, datetime.combine(told.end, time(), tzinfo=UTC))


_memo: dict[str, Features] = {}
_old_memo: dict[str, Features] = {}


def _step_keys(mention: Mention, districts: tuple[str, ...]) -> Iterator[str]:
    """Yield what a ceasefire's step has in common with the same step, told the same day.

    It is found by these keys, and let through by them where it is compared. Of a place around or inside its own, for
    local truces are few. Of no place, for the whole country: calls and talks there are many on one day, other steps are
    not; a ceasefire agreed that is to begin later and one that begins are one step.
    """
    if mention.stage is None:
        return
    for adm2 in districts:
        yield f"{mention.stage} {adm2}"
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


@dataclass(slots=True)
class _Scene:
    """What is the same for all mentions of the same places: most are of few."""

    spots: tuple[Spot, ...]
    keys: frozenset[str]
    regions: frozenset[str]
    districts: tuple[str, ...]
    stems: frozenset[str]
    names: frozenset[str]


@lru_cache(maxsize=16384)
def _scene_of(places: tuple[Place, ...], country: str) -> _Scene:
    spots = tuple(spot for spot in (spot_of(place, country) for place in places) if spot.key)
    return _Scene(
        spots=spots,
        keys=frozenset(key for spot in spots for key in spot.keys),
        regions=frozenset(code for spot in spots for code in spot.regions) or _UNPLACED,
        districts=tuple(place.adm2 for place in places if place.adm2),
        stems=frozenset(stem(word) for place in places for word in words_of(f"{place.name} {place.label}")),
        names=frozenset(place.name.casefold() for place in places),
    )


@lru_cache(maxsize=16384)
def _actors_of(actors: tuple[Party, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the sides of `actors`, and the ids of known parties among them."""
    return sides_of(actors), frozenset(one.party_id for one in actors if one.party_id)


def _features_of(mention: Mention) -> Features:
    kind = kind_of(mention)
    first, last, known = days_told(mention)
    scene = _scene_of(mention.places, mention.country)
    sides, parties = _actors_of(mention.actors)
    targets = target_sides = _NO_WORDS
    stems = telling_stems(mention.wording)
    if mention.targets:
        targets = telling_stems(word for one in mention.targets for word in words_of(one.name))
        stems = (stems | targets) - scene.stems  # where it was is compared as a place
        targets -= scene.stems
        # A city that was hit is not the government in it.
        target_sides = sides_of(one for one in mention.targets if one.name.casefold() not in scene.names)
    elif not stems.isdisjoint(scene.stems):
        stems -= scene.stems
    if not stems.isdisjoint(seat_stems()):
        stems -= seat_stems()
    tolls, figures = _tolls(mention.killed, mention.injured)
    anchors = stems | figures if figures else stems  # one set does for both, where they are the same
    ceasefire = mention.family is _CEASEFIRE
    if ceasefire and (sides or parties):
        anchors |= {f"side:{side}" for side in sides | parties}
    if not scene.spots and mention.family is Family.VIOLATION:
        anchors |= {GENERAL_BREACH}
    if kind in RARE_KINDS:
        anchors |= {f"kind:{kind}", f"kind:{kind}!"}
    steps = frozenset(_step_keys(mention, scene.districts)) if mention.stage else _NO_WORDS
    published = mention.published.timestamp()
    heard = last_heard(mention)
    return Features(
        mention=mention,
        order=(published, mention.mention_id),
        article=(mention.feed, mention.item_id),
        group=_group(mention.country, ceasefire),
        kind=kind,
        first_day=first,
        last_day=last,
        day_known=known,
        published_day=mention.published.toordinal(),
        heard=published if heard is mention.published else heard.timestamp(),
        spots=scene.spots,
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
        anchors=anchors,
        keys=scene.keys.union(steps, tolls) if steps or tolls else scene.keys,
        regions=scene.regions,
        text_keys=frozenset(text_keys(mention)),
        reach=_REACH_SLOW if ceasefire or kind in RARE_KINDS else REACH,
    )


def is_real(mention: Mention) -> bool:
    """Whether the mention tells an event as real, so that it may open one."""
    return mention.realis in _REAL
