"""Whether an armed act breaks a ceasefire, judged by who does it to whom.

An act counts when a party does it, or when it hits a party and nobody says who did it. It does not count when its
author is an outsider or is left out of the ceasefire, when it is aimed only at those who are left out or at armed
outsiders, or when both ends stand on one side.
"""

from __future__ import annotations

from collections.abc import Iterable

from transforms.alert.ceasefires import Ceasefire
from transforms.alert.parties import Ranks
from transforms.model import Party


def ids_of(parties: Iterable[Party]) -> frozenset[str]:
    """Return the known ids of `parties`."""
    return frozenset(party.party_id for party in parties if party.party_id)


def breaks(ceasefire: Ceasefire, actors: frozenset[str], targets: frozenset[str], ranks: Ranks) -> bool:
    """Return whether an act by `actors` against `targets` is a breach of `ceasefire`."""
    actors, targets = actors - ranks.vague - ranks.unarmed, targets - ranks.vague
    if actors & ranks.everybody:
        return True
    actor_sides = sides_of(ceasefire, actors, ranks)
    target_sides = sides_of(ceasefire, targets, ranks)
    if not actors:
        return bool(target_sides)
    if not actor_sides:
        return False  # done by outsiders, or by those who are left out
    if any(ranks.armed(target) for target in targets) and not target_sides:
        return False  # aimed at those who are left out, or at armed outsiders
    return ceasefire.internal or not (target_sides and len(actor_sides | target_sides) == 1)


def concerns(ceasefire: Ceasefire, parties: frozenset[str], ranks: Ranks) -> bool | None:
    """Return whether `parties` have to do with `ceasefire`; None where no armed party is known."""
    if parties & ranks.everybody:
        return None
    armed = frozenset(party for party in parties - ranks.vague if ranks.armed(party))
    if not armed:
        return None
    return bool(sides_of(ceasefire, armed, ranks))


def sides_of(ceasefire: Ceasefire, parties: Iterable[str], ranks: Ranks) -> frozenset[int]:
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
