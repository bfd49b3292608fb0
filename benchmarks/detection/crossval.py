"""Five-fold cross-validation over train and dev by item, with the scorer that lies beside the labels.

Usage: python -m benchmarks.detection.crossval [GOLD] [--dump FILE]
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from benchmarks.detection.gold import Item, gold_folder, load, scorer
from benchmarks.detection.training import ORIGIN_WEIGHT, THRESHOLDS, Row, rows_of, train
from transforms.detect.deciding import Judged, judge_all
from transforms.detect.judgement import Head
from transforms.detect.view import Features

FOLDS = 5
GOLD = frozenset({"train", "dev"})
OURS = frozenset({"more"})  # news as it comes, labelled by ourselves

Told = tuple[dict[str, Any], dict[str, Any]]
"""Labels and predictions by item id, as the scorer takes them."""


def _words(item: Item) -> frozenset[str]:
    return frozenset(re.findall(r"\w{3,}", (item.raw.get("title", "") + " " + item.raw.get("summary", "")).lower()))


def _alike(left: frozenset[str], right: frozenset[str]) -> bool:
    """Return whether two items share most of their words: copies, or one report told twice."""
    smaller = min(len(left), len(right))
    return smaller >= 5 and len(left & right) >= 0.6 * smaller


def groups_of(items: Sequence[Item]) -> list[int]:
    """Return a group number per item; items that share most of their words are one group and never part."""
    sets = [_words(item) for item in items]
    group = list(range(len(items)))

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = group[group[i]]
            i = group[i]
        return i

    for i in range(len(items)):
        for j in range(i):
            if _alike(sets[i], sets[j]):
                group[root(i)] = root(j)
    return [root(i) for i in range(len(items))]


def folds_of(items: Sequence[Item]) -> list[int]:
    """Return the fold of each item; the same items always fall into the same folds.

    Items that were added for variety follow an item that they are like, so that adding some moves no other.
    """
    core = [n for n, item in enumerate(items) if item.origin not in ORIGIN_WEIGHT]
    groups = groups_of([items[n] for n in core])
    names = sorted(set(groups), key=lambda g: items[core[g]].id)
    random.Random(7).shuffle(names)
    place = {g: i % FOLDS for i, g in enumerate(names)}
    folds = {n: place[group] for n, group in zip(core, groups, strict=True)}
    sets = [_words(item) for item in items]
    for n in range(len(items)):
        if n not in folds:
            folds[n] = next((folds[o] for o in core if _alike(sets[n], sets[o])), n % FOLDS)
    return [folds[n] for n in range(len(items))]


def event_of(judged: Judged) -> dict[str, Any]:
    """Return a decided event in the form that the scorer reads."""
    slots = judged.slots
    when = None
    if slots.date:
        when = slots.date.start.isoformat()
        if slots.date.end != slots.date.start:
            when += "/" + slots.date.end.isoformat()
    return {
        "family": str(judged.family),
        "stage": str(judged.stage) if judged.stage else None,
        "means": str(judged.means) if judged.means else None,
        "country": slots.country,
        "places": [p.name for p in slots.places],
        "date": when,
        "actors": [p.name for p in slots.actors],
        "targets": [p.name for p in slots.targets],
        "killed": slots.killed,
        "injured": slots.injured,
        "certainty": str(judged.realis),
        "trigger": judged.candidate.form,
        "p": round(judged.event, 2),
    }


def told(items: Sequence[Item], judged: dict[str, tuple[Judged, ...]], origins: Collection[str] = GOLD) -> Told:
    """Return the labels and the predictions of the items of `origins` that were judged, as the scorer takes them."""
    chosen = [item for item in items if item.id in judged and item.origin in origins]
    labels = {item.id: {"events": item.events} for item in chosen}
    return labels, {
        item.id: {"id": item.id, "events": [event_of(j) for j in judged[item.id] if not j.rejected]} for item in chosen
    }


def predict(item: Item, heads: dict[str, Head], suffix: str = "en") -> tuple[Judged, ...]:
    """Return every candidate of an item, judged."""

    def ask(name: str, features: Features) -> dict[str, float]:
        return heads[f"{name}@{suffix}"].probabilities(features)

    return judge_all(item.reading, item.found, item.facts, ask, THRESHOLDS)


def cross_validate(
    items: Sequence[Item], rows: Sequence[Row], origins: Collection[str] = GOLD
) -> dict[str, tuple[Judged, ...]]:
    """Return, by item id, what heads that never saw the item make of it; only items of `origins` are predicted."""
    folds = folds_of(items)
    out: dict[str, tuple[Judged, ...]] = {}
    for fold in range(FOLDS):
        heads = train(items, rows, [n for n in range(len(items)) if folds[n] != fold])
        for number, item in enumerate(items):
            if folds[number] == fold and item.origin in origins:
                out[item.id] = predict(item, heads)
    return out


def report(score: Any, labels: dict[str, Any], predictions: dict[str, Any]) -> None:
    """Print the figures as the scorer prints them."""
    result, _ = score.score(labels, predictions)
    for name, value in result.items():
        if name == "accuracy":
            print("accuracy      " + "  ".join(f"{k} {v['acc']:.3f} ({v['n']})" for k, v in value.items()))
        elif isinstance(value, dict):
            print(
                f"{name:13} P {value['p']:.3f}  R {value['r']:.3f}  F1 {value['f1']:.3f}   "
                f"tp {value['tp']} fp {value['fp']} fn {value['fn']}"
            )
        else:
            print(f"{name}: {value}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gold", nargs="?")
    parser.add_argument("--dump", help="write predictions and labels here, for error analysis")
    arguments = parser.parse_args()
    folder = gold_folder(arguments.gold)
    items = load(folder)
    rows = [row for number, item in enumerate(items) for row in rows_of(number, item)]
    judged = cross_validate(items, rows, GOLD | OURS)
    labels, predictions = told(items, judged)
    score = scorer(folder)
    print(f"five-fold cross-validation, {len(labels)} English items of train and dev")
    report(score, labels, predictions)
    dev = {i.id for i in items if i.origin == "dev"}
    print("\nof which dev")
    report(score, {k: v for k, v in labels.items() if k in dev}, predictions)
    print("\nitems that we labelled ourselves; what is an event, and what breaks a truce, is not learned from them")
    report(score, *told(items, judged, OURS))
    if arguments.dump:
        with Path(arguments.dump).open("w", encoding="utf-8") as file:
            for i in items:
                if i.id in labels:
                    file.write(
                        json.dumps(
                            {
                                **i.raw,
                                "gold": i.events,
                                "pred": predictions[i.id]["events"],
                                "rejected": [
                                    [j.candidate.family, j.candidate.form, round(j.event, 2), j.rejected]
                                    for j in judged[i.id]
                                    if j.rejected
                                ],
                            }
                        )
                        + "\n"
                    )


if __name__ == "__main__":
    main()
