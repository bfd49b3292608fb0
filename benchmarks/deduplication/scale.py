"""A synthetic year at thirty times today's volume through `decide`, in daily batches, on one core.

    python -m benchmarks.deduplication.scale [--mentions 1000000] [--seed 7] [--late 0.02]

Prints mentions a second, peak memory, how well the events that the generator made are found again, and the machine. The
generator makes events with outlets that tell them over days: towns of both countries with P-codes, some told by their
governorate only or not at all, tolls that grow, days that are off by one, wire copies, words of a Zipf vocabulary.

Last run: 27 November 2026, the whole year, on one of 2 cores of a cloud machine, the other in use. 5,399 mentions a
second of the processor, 5,330 of the clock; peak memory of all 454 MB. The figure moves with the machine: with a load
of 4 to 12 on the same 2 cores, the version before ran at 1,894; left nearly alone it ran at 4,659 to 4,716. With
history it falls little: 5,778 by day 90, 5,414 by day 360. Python's garbage collector is set to look seldom (`main`),
which the pipeline itself does not do: over 40 days that made 6,080 of 5,477, so with the threshold of before the year
would be near 4,900, which was not run.
"""

from __future__ import annotations

import argparse
import gc
import random
import resource
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from benchmarks.machine import machine
from transforms.deduplicate.decide import decision, space_for
from transforms.model import (
    DateSpan,
    Event,
    Evidence,
    Family,
    Means,
    Mention,
    Party,
    Place,
    Realis,
    Stage,
)

_START = datetime(2025, 1, 1, tzinfo=UTC)
_DAYS = 365
_TELLINGS = (1, 1, 1, 1, 2, 2, 3, 3, 4, 5, 7, 12)  # outlets per event: most are told once or twice
_ARMED = [(Means.AIRSTRIKE, 25), (Means.SHELLING, 25), (Means.GROUND, 20), (Means.BOMBING, 10), (Means.SHOOTING, 12)]
_ARMED += [(Means.UNSPECIFIED, 7), (Means.CHEMICAL, 0.3), (Means.SIEGE, 0.7)]
_STEPS = [(Stage.CALLED_FOR, 40), (Stage.NEGOTIATING, 15), (Stage.AGREED, 20), (Stage.IN_EFFECT, 15)]
_STEPS += [(Stage.ENDED, 5), (Stage.REJECTED, 5)]
_ACTORS = [
    "regime forces",
    "rebels",
    "Russian jets",
    "Islamic State",
    "SDF",
    "Turkish forces",
    "Israel",
    "unknown gunmen",
]
_CALLERS = [
    "United Nations",
    "Russia",
    "Turkey",
    "government",
    "opposition",
    "Security Council",
    "Arab League",
    "Haftar",
]


def _towns(rng: random.Random) -> list[Place]:
    towns = []
    for country, units, per_unit in (("SY", 14, 350), ("LY", 22, 40)):
        for unit in range(1, units + 1):
            adm1 = f"{country}{unit:02}"
            north, east = rng.uniform(32, 37), rng.uniform(36, 42)
            for n in range(per_unit):
                sub = n % 5
                name = "".join(rng.choice("bdfghjklmnrstwz") + rng.choice("aeiou") for _ in range(4)).title()
                towns.append(
                    Place(
                        name=name,
                        label=name,
                        gazetteer_id=f"{adm1}{sub:02}{n:04}",
                        country=country,
                        kind="town",
                        adm1=adm1,
                        adm2=f"{adm1}{sub:02}",
                        lat=north + rng.uniform(-0.5, 0.5),
                        lon=east + rng.uniform(-0.5, 0.5),
                        precision=1,
                    )
                )
    rng.shuffle(towns)
    return towns


def _told_place(town: Place, rng: random.Random) -> tuple[Place, ...]:
    chance = rng.random()
    if chance < 0.1:
        return ()
    if chance < 0.25:
        return (
            Place(
                name=town.adm1, gazetteer_id=town.adm1, country=town.country, kind="adm1", adm1=town.adm1, precision=3
            ),
        )
    return (town,)


def mentions_of_a_year(total: int, seed: int, late: float) -> Iterator[tuple[int, Mention, int]]:
    """Yield (day of arrival, mention, number of its event), by day of arrival."""
    rng = random.Random(seed)
    towns = _towns(rng)
    hot = list(accumulate(1 / (rank + 8) for rank in range(len(towns))))
    words = [f"w{n}x" for n in range(20000)]
    zipf = list(accumulate(1 / (rank + 40) for rank in range(len(words))))
    outlets = [f"outlet {n}" for n in range(120)]
    waiting: dict[int, list[tuple[int, Mention, int]]] = {}
    made, event = 0, 0
    per_day = total / _DAYS
    for day in range(_DAYS):
        while made < min(total, per_day * (day + 1)):
            for arrival, mention in _tellings(day, event, rng, (towns, hot, words, zipf, outlets), late):
                if made < total:
                    waiting.setdefault(arrival, []).append((arrival, mention, event))
                    made += 1
            event += 1
        yield from waiting.pop(day, [])
    for arrival in sorted(waiting):
        yield from waiting[arrival]


def _tellings(
    day: int,
    number: int,
    rng: random.Random,
    world: tuple[list[Place], list[float], list[str], list[float], list[str]],
    late: float,
) -> Iterator[tuple[int, Mention]]:
    towns, hot, words, zipf, outlets = world
    town = rng.choices(towns, cum_weights=hot)[0]
    ceasefire = rng.random() < 0.2
    kinds = _STEPS if ceasefire else _ARMED
    kind = rng.choices([k for k, _ in kinds], [w for _, w in kinds])[0]
    actor = rng.choice(_CALLERS if ceasefire else _ACTORS)
    killed = None if ceasefire or rng.random() < 0.4 else max(1, int(rng.paretovariate(0.9)))
    gist = rng.choices(words, cum_weights=zipf, k=6)
    happened = _START + timedelta(days=day)
    wire = tuple(rng.getrandbits(32) for _ in range(64))
    for teller in range(rng.choice(_TELLINGS)):
        published = happened + timedelta(hours=rng.uniform(1, 20) + (24 * rng.expovariate(1.2) if teller else 0))
        wording = {word for word in gist if rng.random() < 0.7} | set(rng.choices(words, cum_weights=zipf, k=8))
        told_day = (happened + timedelta(days=rng.choice((0, 0, 0, 0, 0, 0, 0, 0, 1)))).date()
        means = None if ceasefire else (Means.UNSPECIFIED if rng.random() < 0.1 else kind)
        copy = rng.random() < 0.3
        grown = None if killed is None or rng.random() < 0.3 else killed + (teller * killed) // 10
        outlet = rng.choice(outlets)
        item = f"{outlet}/{number}/{teller}"
        mention = Mention(
            mention_id=f"{rng.getrandbits(64):016x}",
            item_id=item,
            feed=outlet,
            outlet=outlet,
            published=published,
            fetched=published,
            family=Family.CEASEFIRE if ceasefire else Family.HOSTILITY,
            stage=kind if ceasefire else None,
            means=means,
            country=town.country,
            places=_told_place(town, rng),
            date=DateSpan(start=told_day, end=told_day) if rng.random() < 0.97 else None,
            actors=(Party(name=actor),) if rng.random() < 0.7 else (),
            killed=grown,
            realis=Realis.ASSERTED,
            evidence=Evidence(quote=item, field="title", start=0, end=len(item)),
            signature=wire if copy else tuple(rng.getrandbits(32) for _ in range(64)),
            wording=tuple(sorted(wording)),
        )
        arrival = (published - _START).days + (rng.randint(1, 3) if rng.random() < late else 0)
        yield arrival, mention


def _peak() -> float:
    """Return the most memory that the process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--mentions", type=int, default=1_000_000)
    options.add_argument("--days", type=int, default=_DAYS + 30, help="stop after so many days of the year")
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--late", type=float, default=0.02)
    chosen = options.parse_args()
    print(machine())
    gc.set_threshold(200_000, 20, 100)  # as for any service that keeps many small records
    space = space_for()
    open_events: dict[str, Event] = {}
    spent, waited, seen, closed = 0.0, 0.0, 0, 0  # seconds of the processor, and of the clock
    truth: dict[str, int] = {}
    pure, wanted, found, largest = 0, Counter[int](), 0, 0
    day, batch = 0, []

    def decide_day() -> None:
        nonlocal spent, waited, seen, closed, pure, found, largest
        now = _START + timedelta(days=day + 1)
        started, began = time.process_time(), time.perf_counter()
        changes = decision(tuple(open_events.values()), batch, now, space=space).changes
        spent += time.process_time() - started
        waited += time.perf_counter() - began
        seen += len(batch)
        for change in changes:
            one = change.event
            if not one.closed:
                open_events[one.event_id] = one
                continue
            open_events.pop(one.event_id, None)
            if not one.superseded_by:
                closed += 1
                counted = Counter(truth.pop(m.mention_id) for m in one.mentions)
                pure += max(counted.values())
                found += sum(counted.values())
        gc.freeze()  # what lives for days is not looked through for garbage again and again
        largest = max(largest, len(open_events))

    for arrival, mention, number in mentions_of_a_year(chosen.mentions, chosen.seed, chosen.late):
        if arrival != day:
            decide_day()
            day, batch = arrival, []
            if day >= chosen.days:
                break
            if day % 30 == 0:
                print(
                    f"day {day}: {seen} mentions, {seen / spent:.0f} a second of the processor,"
                    f" {seen / waited:.0f} of the clock; {len(open_events)} events open; peak {_peak():.0f} MB",
                    flush=True,
                )
        batch.append(mention)
        truth[mention.mention_id] = number
        wanted[number] += 1
    else:
        decide_day()
    print(f"{seen} mentions of {len(wanted)} events made {closed + len(open_events)} events; {largest} open at most")
    print(
        f"share of mentions that are with the event most of their event's mentions are of: {pure / max(found, 1):.3f}"
    )
    print(
        f"{seen / spent:.0f} mentions a second of the processor in decide ({spent:.0f} s), {seen / waited:.0f} of the"
        f" clock ({waited:.0f} s); peak memory of all {_peak():.0f} MB"
    )


if __name__ == "__main__":
    main()
