"""One block of news: the mentions and events of a country, decided on together."""

from __future__ import annotations

from datetime import datetime

import msgspec

from transforms.deduplicate.clusters import ClusterSpace
from transforms.deduplicate.decide import Decision, decision
from transforms.deduplicate.features import features_of
from transforms.deduplicate.settings import ClusterSettings
from transforms.failures import Failure, failure_of
from transforms.model import Event, Mention

STAGE = "deduplicate"


def block_of(record: Mention | Event) -> str:
    """Return the key within which events are told apart; no event spans two blocks."""
    return record.country


def decide_block(
    events: list[Event],
    mentions: list[Mention],
    now: datetime,
    settings: ClusterSettings,
    space: ClusterSpace | None = None,
) -> tuple[Decision, list[Failure]]:
    """Return the decision on one block; mentions that cannot be read become failures and the rest is decided on.

    Whoever decides on a block again and again may keep a `space` for it, as `decision` says.
    """
    failures: list[Failure] = []
    sound: list[Mention] = []
    for mention in mentions:
        try:
            features_of(mention)
        except Exception as error:  # noqa: BLE001 - whatever a mention does to us is told, and spares the others
            failures.append(_failure(error, mention, now))
        else:
            sound.append(mention)
    try:
        return decision(events, sound, now, settings, space), failures
    except Exception as error:  # noqa: BLE001 - the block as a whole goes to the dead letters, to be fed in again
        failures += [_failure(error, mention, now) for mention in sound]
        return Decision(changes=(), taken=0, dropped={}), failures


def _failure(error: Exception, mention: Mention, now: datetime) -> Failure:
    payload = msgspec.json.encode(mention).decode()
    return failure_of(STAGE, error, input_id=mention.item_id, at=now, payload=payload)
