"""Events made from clusters of mentions, and the words for what has changed in them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter

from transforms.deduplicate.features import is_real
from transforms.deduplicate.merge import (
    certainty_of,
    date_of,
    family_of,
    means_of,
    parties_of,
    places_of,
    stage_of,
    toll_of,
)
from transforms.deduplicate.syndication import independent_outlets
from transforms.model import Event, Mention, Realis

_ID_LENGTH = 16
_canonical = attrgetter("published", "mention_id")


def frozen_key(first: Mention, split_from: str = "") -> str:
    """Return the readable key of an event that opens with `first`; `split_from` names the event it was split from."""
    kind = first.stage or first.means or ""
    place = first.places[0].label or first.places[0].name if first.places else "-"
    day = first.date.start.isoformat() if first.date else first.published.date().isoformat()
    parts = [first.country, first.family, str(kind), place, day, first.mention_id]
    return "|".join([*parts, f"split:{split_from}"] if split_from else parts)


def id_of(key: str) -> str:
    """Return the id of the event with the frozen `key`."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:_ID_LENGTH]


def canonical(mentions: Sequence[Mention]) -> tuple[Mention, ...]:
    """Return `mentions` by publication time, then id."""
    return tuple(sorted(mentions, key=_canonical))


def event_of(
    event_id: str, key: str, mentions: Sequence[Mention], copy_similarity: float, old: Event | None = None
) -> Event:
    """Return the event that `mentions` tell together; `old` is what it was before."""
    every = canonical(mentions)
    told = [one for one in every if is_real(one)] or list(every)
    return Event(
        event_id=event_id,
        key=key,
        family=family_of(told),
        stage=stage_of(told),
        means=means_of(told),
        country=told[0].country,
        places=places_of(told),
        date=date_of(told),
        actors=parties_of([(one.actors, one.outlet) for one in told if one.actors]),
        targets=parties_of([(one.targets, one.outlet) for one in told if one.targets]),
        killed=toll_of(told, "killed"),
        injured=toll_of(told, "injured"),
        certainty=certainty_of(every),
        mentions=every,
        outlets=tuple(sorted({one.outlet for one in told})),
        independent_outlets=independent_outlets(told, copy_similarity),
        first_seen=every[0].published,
        last_seen=every[-1].published,
        closed=old is not None and old.closed,
        superseded_by=old.superseded_by if old else "",
        told=old.told if old else None,
    )


def carried_on(old: Event, mentions: Sequence[Mention], copy_similarity: float) -> Event:
    """Return `old` as `mentions` now tell it: id, key and what subscribers were told stay as they are."""
    return event_of(old.event_id, old.key, mentions, copy_similarity, old)


def withdrawn(old: Event) -> Event:
    """Return `old` after the last of its mentions was taken back; it keeps its slots, for the retraction to name."""
    return replace(old, mentions=(), certainty=Realis.DENIED, closed=True)


def what_changed(old: Event, new: Event) -> tuple[str, ...]:
    """Return words for what differs between two states of one event."""
    before, after = {one.mention_id for one in old.mentions}, {one.mention_id for one in new.mentions}
    denials = {one.mention_id for one in new.mentions if one.realis is Realis.DENIED}
    found = {
        "mention": bool((after - before) - denials),
        "outlet": old.outlets != new.outlets or old.independent_outlets != new.independent_outlets,
        "toll": (old.killed.low, old.killed.high, old.injured.low, old.injured.high)
        != (new.killed.low, new.killed.high, new.injured.low, new.injured.high),
        "place": old.places != new.places,
        "date": old.date != new.date,
        "actor": old.actors != new.actors or old.targets != new.targets,
        "kind": (old.family, old.stage, old.means) != (new.family, new.stage, new.means),
        "certainty": old.certainty != new.certainty,
        "denied": bool((after - before) & denials),
        "withdrawn": bool(before - after),
    }
    return tuple(word for word, holds in found.items() if holds)
