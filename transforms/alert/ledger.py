"""The ledger of ceasefires: which is in force where and between whom, and which one an act breaks.

It holds the known ceasefires of `ceasefires.toml` and those that the pipeline itself has read of in the news. Nothing
in it is a guess about who fired: an act is inferred to be a breach only where place, whole time span and a party are
known to fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from transforms.alert.breach import breaks, concerns, ids_of, sides_of
from transforms.alert.ceasefires import Ceasefire, load_ceasefires
from transforms.alert.detected import detected_from, match_known
from transforms.alert.parties import Ranks, known_ranks
from transforms.model import Event, Family, Party, Place, Stage

__all__ = ["Ceasefire", "Ledger", "detected_from", "ledger_of", "load_ceasefires"]

RECENT = timedelta(days=30)  # "violated the truce" may still be said of one that ended within a month
_TALKED_OF = timedelta(days=45)  # so long after its beginning a ceasefire is the one that outlets mean
_SURE, _POSSIBLE, _UNTOLD = 2, 1, 0
_LIVING = (Stage.IN_EFFECT, Stage.EXTENDED, Stage.ENDED, Stage.REJECTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Ceasefires by which acts are judged.

    Attributes:
        known: Those of the data file.
        detected: Those read of in the news.
        ranks: What is known of the parties.
        recent: How long after its end a ceasefire may still be the one that a report calls broken.
    """

    known: tuple[Ceasefire, ...] = ()
    detected: tuple[Ceasefire, ...] = ()
    ranks: Ranks = field(default_factory=known_ranks)
    recent: timedelta = RECENT
    # By country and days those that acts may surely break: acts are many, and the days on which they are done are few.
    _surely: dict[tuple[str, date, date], tuple[Ceasefire, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __iter__(self) -> Iterator[Ceasefire]:
        """Yield the known ones, then the detected ones."""
        yield from self.known
        yield from self.detected

    def get(self, ceasefire_id: str) -> Ceasefire | None:
        """Return the ceasefire of that id, None if there is none."""
        return next((one for one in self if one.id == ceasefire_id), None)

    def name_of(self, ceasefire_id: str) -> str:
        """Return the name for people, "" for an unknown id."""
        found = self.get(ceasefire_id)
        return found.name if found else ""

    def in_force(
        self, country: str, day: date, places: Sequence[Place] = (), parties: Sequence[Party] = ()
    ) -> list[Ceasefire]:
        """Return the ceasefires in force in `country` on `day`, most specific first.

        Args:
            country: "SY" or "LY".
            day: The day asked for.
            places: Where given, only those that surely hold at one of them.
            parties: Where given, only those that have to do with one of them.
        """
        ids = ids_of(parties)
        found = [
            one
            for one in self
            if one.country == country
            and one.in_force(day)
            and (not places or any(one.coverage.holds(place) for place in places))
            and (not ids or concerns(one, ids, self.ranks))
        ]
        return sorted(found, key=_most_specific)

    def broken_by(self, event: Event) -> Ceasefire | None:
        """Return the most specific ceasefire that the armed act `event` surely breaks, None if there is none.

        Sure means: the whole span of days lies in its time, one of the places in its coverage (an act without a place
        only fits a ceasefire of the whole country), and a party acts or, where nobody says who acted, is hit.
        """
        if event.family is Family.CEASEFIRE or event.date is None:
            return None
        actors, targets = ids_of(event.actors), ids_of(event.targets)
        when = (event.country, event.date.start, event.date.end)
        surely = self._surely.get(when)
        if surely is None:
            surely = self._surely[when] = tuple(
                one for one in self if one.country == when[0] and one.surely_in_force(*when[1:]) and one.binding
            )
        found = [
            one
            for one in surely
            if _holds_somewhere(one, event.places) and breaks(one, actors, targets, self.ranks, means=event.means)
        ]
        return min(found, key=_most_specific, default=None)

    def meant_by(self, event: Event) -> Ceasefire | None:
        """Return the ceasefire that a report means which itself calls `event` a breach.

        The best match among those in force that day or until lately: one that surely holds at the place before one that
        may, one that began within weeks before older ones, one between the parties that are named before others. A
        report that names no place fits a local ceasefire only where it names two of its sides and no other comes into
        question.
        """
        if event.family is Family.CEASEFIRE:
            return None
        day = event.date.end if event.date else event.last_seen.date()
        return self._best(event, day, self.recent)

    def joined_by(self, event: Event) -> Ceasefire | None:
        """Return the ceasefire that the step `event` belongs to, None where it opens or concerns none that is held.

        A call for a ceasefire, or talks on one, belong to none: they are about one that may come.
        """
        if event.family is not Family.CEASEFIRE or event.date is None:
            return None
        own = next((one for one in self.detected if event.event_id in one.steps), None)
        if own:
            return own
        if event.stage in (Stage.AGREED, Stage.IN_EFFECT):
            known = match_known(event, self.known, self.ranks)
            local = [one for one in self.detected if not one.coverage.nationwide or not known]
            found = self._best(event, event.date.start, among=local)
            return found if found and (event.stage is Stage.IN_EFFECT or not known) else known
        if event.stage in _LIVING:
            return self._best(event, event.date.start)
        return None

    def _best(
        self, event: Event, day: date, recent: timedelta = timedelta(0), among: Iterable[Ceasefire] | None = None
    ) -> Ceasefire | None:
        ids = ids_of((*event.actors, *event.targets))
        scored: list[tuple[tuple[int, ...], Ceasefire]] = []
        for one in self if among is None else among:
            if one.country != event.country or not one.lately_in_force(day, recent):
                continue
            where = _place_fit(one, event.places)
            who = concerns(one, ids, self.ranks) if len(one.parties) > 1 else None  # not all of its parties are known
            if where is None or who is False:
                continue
            if where == _UNTOLD and len(sides_of(one, ids, self.ranks)) < 2:
                continue
            young = day - one.start <= _TALKED_OF
            fineness = one.coverage.fineness[0] if where == _SURE else 0
            score = (int(one.in_force(day)), where, int(young), int(bool(who)), fineness, one.start.toordinal())
            scored.append((score, one))
        if not scored:
            return None
        highest, best = max(scored, key=lambda entry: (entry[0], entry[1].id))
        if highest[1] == _UNTOLD and sum(1 for other, _ in scored if other[:4] == highest[:4]) > 1:
            return None
        return best


def ledger_of(events: Iterable[Event], *, detected_days: int = 90, recent_days: int = RECENT.days) -> Ledger:
    """Return the ledger of the known ceasefires and those that `events` tell of."""
    known, ranks = load_ceasefires(), known_ranks()
    detected = detected_from(events, known=known, ranks=ranks, silence=timedelta(days=detected_days))
    return Ledger(known=known, detected=detected, ranks=ranks, recent=timedelta(days=recent_days))


def _most_specific(one: Ceasefire) -> tuple[int, int, int, str]:
    depth, few = one.coverage.fineness
    return -depth, -few, -one.start.toordinal(), one.id


def _holds_somewhere(one: Ceasefire, places: Sequence[Place]) -> bool:
    return one.coverage.nationwide or any(one.coverage.holds(place) for place in places)


def _place_fit(one: Ceasefire, places: Sequence[Place]) -> int | None:
    """Return how well the places fit, None where the ceasefire holds at none of them."""
    if one.coverage.nationwide or any(one.coverage.holds(place) for place in places):
        return _SURE
    named = [place for place in places if place.kind != "country"]
    if not named:
        return _UNTOLD
    return _POSSIBLE if any(one.coverage.touches(place) for place in named) else None
