"""Events made from clusters of mentions, and the words for what has changed in them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

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
    return tuple(sorted(mentions, key=lambda one: (one.published, one.mention_id)))


def event_of(event_id: str, key: str, mentions: Sequence[Mention], copy_similarity: float) -> Event:
    """Return the event that `mentions` tell together."""
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
        actors=parties_of(told, lambda one: one.actors),
        targets=parties_of(told, lambda one: one.targets),
        killed=toll_of(told, lambda one: one.killed),
        injured=toll_of(told, lambda one: one.injured),
        certainty=certainty_of(every),
        mentions=every,
        outlets=tuple(sorted({one.outlet for one in told})),
        independent_outlets=independent_outlets(told, copy_similarity),
        first_seen=every[0].published,
        last_seen=every[-1].published,
    )


def carried_on(old: Event, mentions: Sequence[Mention], copy_similarity: float) -> Event:
    """Return `old` as `mentions` now tell it: id, key and what subscribers were told stay as they are."""
    new = event_of(old.event_id, old.key, mentions, copy_similarity)
    return replace(new, closed=old.closed, superseded_by=old.superseded_by, told=old.told)


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
