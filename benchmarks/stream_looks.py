"""How fast a stream looks at the news of one country: `python -m benchmarks.stream_looks [--mentions 200000]`.

The synthetic year of `benchmarks.deduplication.scale`, its mentions of Syria, given tick by tick to `look`, the pure
function behind the stream's keyed step, for some days once a horizon's worth of events is open. Prints mentions a
second, the time of a tick without news, the open events, and the size of the state without a store. Seconds are of the
processor.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta

from benchmarks.deduplication.scale import mentions_of_a_year
from benchmarks.machine import machine
from transforms.alert.country import Memory, look
from transforms.alert.settings import AlertPolicy
from transforms.deduplicate.decide import space_for
from transforms.deduplicate.settings import ClusterSettings
from transforms.envelope import pack
from transforms.model import Mention

_START = datetime(2025, 1, 1, tzinfo=UTC)
_WARM, _MEASURED = 14, 3  # days


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mentions", type=int, default=200_000, help="mentions of the whole year, both countries")
    parser.add_argument("--ticks", type=int, default=24, help="ticks a day")
    arguments = parser.parse_args()
    print(machine())
    days: defaultdict[int, list[Mention]] = defaultdict(list)
    for day, mention, _ in mentions_of_a_year(arguments.mentions, 7, 0.02):
        if day > _WARM + _MEASURED:
            break
        if mention.country == "SY":
            days[day].append(mention)
    memory = Memory()
    clusters, policy = ClusterSettings(), AlertPolicy()
    space = space_for(clusters)  # as a worker keeps one for each of its countries
    for day in range(_WARM):
        memory = look(memory, days[day], _START + timedelta(days=day + 1), clusters, policy, space).memory
    told = alerts = 0
    started = time.process_time()
    for day in range(_WARM, _WARM + _MEASURED):
        share = -(-len(days[day]) // arguments.ticks)
        for tick in range(arguments.ticks):
            here = days[day][tick * share : (tick + 1) * share]
            now = _START + timedelta(days=day, hours=24 * (tick + 1) / arguments.ticks)
            found = look(memory, here, now, clusters, policy, space)
            memory, told, alerts = found.memory, told + len(here), alerts + len(found.alerts)
    seconds = time.process_time() - started
    looks = _MEASURED * arguments.ticks
    print(f"{told} mentions in {looks} ticks: {seconds:.1f} s, {told / seconds:.0f} a second; {alerts} alerts")
    started = time.process_time()
    look(memory, [], _START + timedelta(days=_WARM + _MEASURED), clusters, policy, space)
    print(f"a tick without news: {time.process_time() - started:.3f} s over {len(memory.events)} events")
    size = sum(len(pack(event)) for event in memory.events.values())
    print(f"state without a store: {size / 1e6:.1f} MB, {size / max(1, len(memory.events)):.0f} bytes an event")


if __name__ == "__main__":
    main()
