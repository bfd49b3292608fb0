"""Whether an armed act breaks a ceasefire, judged by who does it to whom.

An act counts when a party does it. It does not count when its author is an outsider or is left out of the ceasefire,
when it is aimed only at those who are left out or at armed outsiders, or when both ends stand on one side. An act by
nobody known counts only where it hits a party, on the ground of a local ceasefire, with the weapons of a front: bombs
and ambushes are most often the work of those whom ceasefires leave out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from transforms.alert.ceasefires import Ceasefire
from transforms.alert.parties import Ranks
from transforms.model import Means, Party

_FRONT_MEANS = frozenset({Means.AIRSTRIKE, Means.SHELLING, Means.GROUND, Means.SIEGE, Means.CHEMICAL})


class Sided(Protocol):
    """What has sides, leaves parties out, and may have bodies of its own."""

    @property
    def sides(self) -> tuple[tuple[str, ...], ...]:
        """Party ids, grouped by side."""
        ...

    @property
    def excluded(self) -> tuple[str, ...]:
        """Party ids that are left out."""
        ...

    @property
    def monitors(self) -> tuple[str, ...]:
        """Ids of the bodies that watch over it and over no other."""
        ...


def ids_of(parties: Iterable[Party]) -> frozenset[str]:
    """Return the known ids of `parties`."""
    return frozenset(party.party_id for party in parties if party.party_id)


def breaks(
    ceasefire: Ceasefire,
    actors: frozenset[str],
    targets: frozenset[str],
    ranks: Ranks,
    *,
    means: Means | None = None,
) -> bool:
    """Return whether an act by `actors` against `targets` is a breach of `ceasefire`."""
    actors, targets = actors - ranks.vague - ranks.unarmed, targets - ranks.vague
    if actors & ranks.everybody:
        return True
    actor_sides = sides_of(ceasefire, actors, ranks)
    target_sides = sides_of(ceasefire, targets, ranks)
    if not actors:
        return bool(target_sides) and means in _FRONT_MEANS and not ceasefire.coverage.nationwide
    if not actor_sides:
        return False  # done by outsiders, or by those who are left out
    if not target_sides and any(ranks.armed(target) for target in targets):
        return False  # aimed at those who are left out, or at armed outsiders
    if not target_sides and len(actor_sides) == 1 and _outsiders(ceasefire, actors, ranks):
        return False  # a clash told of both ends at once, one of them no party
    return ceasefire.internal or not (target_sides and len(actor_sides | target_sides) == 1)


def _outsiders(ceasefire: Sided, parties: frozenset[str], ranks: Ranks) -> bool:
    return any(ranks.armed(party) and not sides_of(ceasefire, (party,), ranks) for party in parties)


def concerns(ceasefire: Sided, parties: frozenset[str], ranks: Ranks) -> bool | None:
    """Return whether it is `ceasefire` that `parties` have to do with; None where no armed party is known.

    One of its parties together with an armed body of the country that is none points to another ceasefire. "Terrorists"
    says nothing here: each side calls the other so.
    """
    if not parties.isdisjoint(ceasefire.monitors):
        return True
    if parties & ranks.everybody:
        return None
    armed = frozenset(party for party in parties - ranks.vague - ranks.jihadists if ranks.armed(party))
    if not armed:
        return None
    sides = sides_of(ceasefire, armed, ranks)
    return len(sides) > 1 or (len(sides) == 1 and not _outsiders(ceasefire, armed - ranks.abroad, ranks))


def sides_of(ceasefire: Sided, parties: Iterable[str], ranks: Ranks) -> frozenset[int]:
    """Return which sides of `ceasefire` the `parties` stand on; the nearest body that it names decides."""
    found: set[int] = set()
    for party in parties:
        if party in ranks.everybody:
            found.update(range(len(ceasefire.sides)))
            continue
        if party in ranks.jihadists and ceasefire.excluded:
            continue
        for body in ranks.lineage(party):
            if body in ceasefire.excluded:
                break
            side = next((n for n, side in enumerate(ceasefire.sides) if body in side), None)
            if side is not None:
                found.add(side)
                break
    return frozenset(found)
