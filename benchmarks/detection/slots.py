"""How many labelled slots the slot finders find, apart from the rest of detection.

    python -m benchmarks.detection.slots [GOLD] [--misses N] [--sets train,dev,dedup]

For every labelled event: is each of its places among the places found (and resolved), is its country ahead of the
other one, does the date chosen for its evidence agree, is its toll among the tolls found, is each of its actors among
the parties found. Compared as the scorer beside the labels compares. Needs the measuring material (../shared).
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from types import ModuleType
from typing import Any

from benchmarks.detection.gold import gold_folder, lines, scorer
from transforms.detect.dates import date_for, find_dateline, find_dates
from transforms.detect.gazetteer import country_of
from transforms.detect.parties import find_parties
from transforms.detect.places import find_places, resolve_places
from transforms.detect.tolls import find_tolls

FILES = {"train": "train_labels", "dev": "dev_labels", "dedup": "dedup_dev_mentions"}


def checks(item: dict[str, Any], events: list[dict[str, Any]], score: ModuleType) -> Iterator[tuple[str, bool, Any]]:
    """Yield (slot, found or not, what was looked for)."""
    lang, published = item.get("lang", "en"), date.fromisoformat(item["published"][:10])
    fields = [item.get("title") or "", item.get("summary") or ""]
    text = "\n".join(fields)
    evidence = country_of(text, lang)
    places = [one.place.name for one in resolve_places(text, lang, find_places(text, lang), evidence)]
    parties = [one.party.name for one in find_parties(text, lang)]
    tolls = [(one.kind, one.value) for one in find_tolls(text, lang) if not one.cumulative]
    datelines = [find_dateline(field, lang, published) for field in fields]
    anchor = next((day for day in datelines if day), published)
    for event in events:
        other = "LY" if event["country"] == "SY" else "SY"
        yield "country", evidence.score(event["country"]) > evidence.score(other), evidence.scores[:3]
        for place in event.get("places") or []:
            yield "place", score.overlap([place], places), (place, places)
        for actor in event.get("actors") or []:
            yield "actor", score.overlap([actor], parties), (actor, parties)
        for kind in ("killed", "injured"):
            if event.get(kind):
                yield kind, (kind, event[kind]) in tolls, (event[kind], tolls)
        field = next((one for one in fields if event["evidence"] in one), "")
        if event.get("date") and field:
            start = field.index(event["evidence"])
            found = find_dates(field, lang, anchor)
            span = date_for(found, start, start + len(event["evidence"]), field, anchor, lang)
            told = f"{span.start}/{span.end}" if span.start != span.end else str(span.start)
            yield "date", score.same_date(event["date"], told), (event["date"], told, event["evidence"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("gold", nargs="?", help="the folder of labelled news, by default ../shared/gold")
    parser.add_argument("--sets", default="train,dev,dedup", help="of train, dev, dedup")
    parser.add_argument("--misses", type=int, default=0, help="how many misses to show for each slot")
    args = parser.parse_args()
    gold = gold_folder(args.gold)
    score = scorer(gold)
    for name in args.sets.split(","):
        labels = {one["id"]: one["events"] for one in lines(gold / f"{FILES[name]}.jsonl")}
        found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        misses: dict[str, list[Any]] = defaultdict(list)
        for item in lines(gold / f"{name}{'_dev' if name == 'dedup' else ''}_items.jsonl"):
            for slot, right, sought in checks(item, labels.get(item["id"], []), score):
                found[slot][0] += right
                found[slot][1] += 1
                if not right:
                    misses[slot].append((item["id"], sought))
        print(f"{name:6}", "  ".join(f"{slot} {a / b:.3f} ({b})" for slot, (a, b) in sorted(found.items())))
        for slot, missed in sorted(misses.items()):
            for one in missed[: args.misses]:
                print(f"    {slot}: {one}")


if __name__ == "__main__":
    main()
