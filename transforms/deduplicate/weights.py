"""What agreement and contradiction between two mentions count for, read from `knowledge/weights.toml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache

from transforms.deduplicate.knowledge_files import read_toml
from transforms.failures import KnowledgeError

_FILE = "weights.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Log-odds that two mentions tell the same event, added up over what holds for the pair.

    Attributes:
        bias: Where nothing is known; a sum of 0 or more means the same event.
        kind_same: Same means, or same step of a ceasefire.
        kind_rare: Both tell of a kind that seldom happens twice in days (chemical, siege).
        kind_open: One gives no means.
        kind_near: Means that outlets mix up, or steps that follow at once.
        kind_apart: Means that outlets do not mix up.
        day_same: On the same single day.
        day_overlap: Spans of days that overlap.
        day_gap: For each day between them, for armed acts.
        day_gap_step: For each day between them, for steps of a ceasefire, which are told for days.
        day_gap_rare: For each day between them, for rare kinds, which are told for weeks, often without their day.
        day_unknown: One gives no day.
        place_same: A common place.
        place_same_step: A common place of two steps of a ceasefire, beside `place_same`: local truces are few.
        place_near: Two places a few kilometres from each other.
        place_within: One place lies in the other, or is named loosely after it.
        place_apart: Places that have nothing to do with each other.
        place_unknown: One gives no place that can be compared.
        place_none: Neither gives a place: both speak of the country.
        general_breach: Both tell of breaches of a ceasefire without a place: of the state of it, not of one act.
        killed_same: Same number of dead; counts the more the larger the number.
        killed_close: Numbers of dead that a growing toll explains.
        killed_apart: Numbers of dead that contradict each other.
        injured_same: Same number of injured.
        injured_apart: Numbers of injured that contradict each other.
        actor_same: A common actor, or actors of one side.
        actor_opposed: Actors of sides that fight each other.
        role_reversed: The actors of one are on the side of the targets of the other (not for fighting on the ground).
        target_same: Share of common words for who or what was hit.
        wording: Share of common words that are not said of every event.
        nothing_common: The whole score where neither a place nor a telling detail is common; below 0.
        copy: The articles are copies of one text.
        retold: The whole score where one article tells one act twice; above 0.
    """

    bias: float
    kind_same: float
    kind_rare: float
    kind_open: float
    kind_near: float
    kind_apart: float
    day_same: float
    day_overlap: float
    day_gap: float
    day_gap_step: float
    day_gap_rare: float
    day_unknown: float
    place_same: float
    place_same_step: float
    place_near: float
    place_within: float
    place_apart: float
    place_unknown: float
    place_none: float
    general_breach: float
    killed_same: float
    killed_close: float
    killed_apart: float
    injured_same: float
    injured_apart: float
    actor_same: float
    actor_opposed: float
    role_reversed: float
    target_same: float
    wording: float
    copy: float
    nothing_common: float
    retold: float


NAMES = tuple(one.name for one in fields(Weights))


def weights_of(values: Iterable[float]) -> Weights:
    """Return the weights whose values are given in the order of `NAMES`."""
    return Weights(**dict(zip(NAMES, map(float, values), strict=True)))


def weights_from(table: Mapping[str, object], name: str) -> Weights:
    """Return the weights of `table`; `name` is the file that errors speak of."""
    unknown = sorted(set(table) - set(NAMES))
    missing = [one for one in NAMES if one not in table]
    if unknown or missing:
        wrong = f"unknown {', '.join(unknown)}" if unknown else f"missing {', '.join(missing)}"
        raise KnowledgeError(f"{name}: weights: {wrong}; known are {', '.join(NAMES)}")
    values: dict[str, float] = {}
    for one in NAMES:
        value = table[one]
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 20:
            raise KnowledgeError(f"{name}: weights.{one}: expected a number between -20 and 20, found {value!r}")
        values[one] = float(value)
    if values["nothing_common"] >= 0:
        raise KnowledgeError(f"{name}: weights.nothing_common: must be below 0, or blocks would miss pairs")
    return Weights(**values)


@cache
def default_weights() -> Weights:
    """Return the project's own weights."""
    table = read_toml(_FILE).get("weights")
    if not isinstance(table, dict):
        raise KnowledgeError(f"{_FILE}: no table [weights]")
    return weights_from(table, _FILE)
