"""What raises an alert: the policy, filled from `[alert]` of the configuration."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import timedelta

from transforms.alert.revisions import load_rules
from transforms.failures import ConfigError
from transforms.model import Basis, Family, Means, Realis, Stage

_PLACE = re.compile(r"(SY|LY)(\d{2}){0,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPolicy:
    """Which events subscribers are told of, and how often.

    The default suits a monitor of ceasefires: every step in a ceasefire's life and every breach, whether the report
    or the ledger says that it is one; armed acts outside any ceasefire are recorded, not told.

    Attributes:
        families: Families that are told; add "hostility" to be told of all armed acts.
        stages: Steps of a ceasefire that are told.
        means: Armed acts that are told.
        certainties: "asserted", "alleged" or both.
        bases: For violations: "reported" by the item, "inferred" from the ledger, or both.
        countries: "SY", "LY" or both.
        places: P-codes; where given, only events in these units are told.
        min_independent_outlets: Copies of one wire text count once.
        freshness_hours: An event whose every report is older than this when it would first be told is recorded only.
        max_age_days: An event that happened longer before its latest report than this is background, not news.
        quiet_minutes: Shortest time between two revisions of one event, unless the change is urgent.
        revisions: Changes that make a revision; None for those that the table of revisions names.
        outlet_steps: Numbers of independent outlets that are worth a revision when reached.
        detected_days: Silence after which a ceasefire read of in the news counts as over.
        recent_days: How long after its end a ceasefire may be the one that a report calls broken.
        max_evidence: Most quotes that one alert carries.
    """

    families: tuple[Family, ...] = (Family.CEASEFIRE, Family.VIOLATION)
    stages: tuple[Stage, ...] = tuple(Stage)
    means: tuple[Means, ...] = tuple(Means)
    certainties: tuple[Realis, ...] = (Realis.ASSERTED, Realis.ALLEGED)
    bases: tuple[Basis, ...] = (Basis.REPORTED, Basis.INFERRED)
    countries: tuple[str, ...] = ("SY", "LY")
    places: tuple[str, ...] = ()
    min_independent_outlets: int = 1
    freshness_hours: float = 48.0
    max_age_days: int = 30
    quiet_minutes: float = 60.0
    revisions: tuple[str, ...] | None = None
    outlet_steps: tuple[int, ...] = (2, 3, 5, 10, 20)
    detected_days: int = 90
    recent_days: int = 30
    max_evidence: int = 40

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            ConfigError: Names the key, what was found and what to give.
        """
        for key in ("families", "certainties", "bases", "countries"):
            if not getattr(self, key):
                raise ConfigError(f"[alert] {key}: is empty, so nothing would ever be told; name at least one")
        if strange := [c for c in self.certainties if c not in (Realis.ASSERTED, Realis.ALLEGED)]:
            raise ConfigError(f"[alert] certainties: {strange[0]!s} raises no alerts; give asserted, alleged or both")
        if strange_country := [c for c in self.countries if c not in ("SY", "LY")]:
            raise ConfigError(f"[alert] countries: {strange_country[0]!r} is not covered; give SY, LY or both")
        if strange_place := [p for p in self.places if not _PLACE.fullmatch(p)]:
            raise ConfigError(f"[alert] places: {strange_place[0]!r} is no P-code such as SY07 or LY0211")
        self._check_numbers()

    def _check_numbers(self) -> None:
        for key in ("min_independent_outlets", "detected_days", "max_evidence"):
            if getattr(self, key) < 1:
                raise ConfigError(f"[alert] {key}: {getattr(self, key)} is below 1")
        for key in ("freshness_hours", "max_age_days", "quiet_minutes", "recent_days"):
            value = getattr(self, key)
            if not math.isfinite(value) or value < 0:
                raise ConfigError(f"[alert] {key}: {value} is not a number of 0 or more")
        if list(self.outlet_steps) != sorted(set(self.outlet_steps)) or min(self.outlet_steps, default=2) < 2:
            raise ConfigError(f"[alert] outlet_steps: {list(self.outlet_steps)} must rise from 2 or more")
        if self.revisions is not None:
            known = {rule.change for rule in load_rules()}
            if strange := sorted(set(self.revisions) - known):
                raise ConfigError(
                    f"[alert] revisions: {strange[0]!r} is no change; known are {', '.join(sorted(known))}"
                )

    @property
    def freshness(self) -> timedelta:
        """`freshness_hours` as a span of time."""
        return timedelta(hours=self.freshness_hours)

    @property
    def quiet(self) -> timedelta:
        """`quiet_minutes` as a span of time."""
        return timedelta(minutes=self.quiet_minutes)
