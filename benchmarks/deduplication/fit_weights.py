"""Fit the weights of `same event or not` and print them, with the figures that leave-one-window-out gives.

    python -m benchmarks.deduplication.fit_weights [--prior-strength 1.0]

A logistic regression over what `compare.sizes` finds, drawn towards the weights of `prior.toml` (few labelled
pairs must not overrule what is plain), each kept on its side of zero. Pairs of the dev windows count less the more
mentions their event has; `pairs.csv` holds pairs of train items labelled by hand. Nothing is written: what is printed
is rounded by hand into `weights.toml`.
"""

from __future__ import annotations

import argparse
import csv
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks.deduplication.gold import (
    Labelled,
    Resolve,
    as_alerts,
    by_window,
    dev_mentions,
    mention_of,
    resolved_place,
    rows,
    scorer,
    shared_dir,
)
from transforms.deduplicate.clusters import Cluster, partition
from transforms.deduplicate.compare import sizes
from transforms.deduplicate.features import Features, features_of
from transforms.deduplicate.weights import NAMES, Weights, default_weights, weights_from, weights_of

_HORIZON_DAYS = 10.0
_FREE = [at for at, name in enumerate(NAMES) if name != "nothing_common"]


@dataclass(frozen=True, slots=True)
class Pair:
    """What holds for two mentions, whether they tell one event, and how much the pair counts."""

    told: np.ndarray
    same: bool
    weight: float


def sizes_of(a: Features, b: Features) -> np.ndarray | None:
    found = sizes(a, b)
    return np.array([found.get(name, 0.0) for name in NAMES]) if "bias" in found else None


def window_pairs(labelled: Sequence[Labelled]) -> list[Pair]:
    ready = [(one.event, features_of(one.mention)) for one in labelled if one.event]
    of_event = Counter(event for event, _ in ready)
    pairs = []
    for (event, a), (other, b) in combinations(ready, 2):
        told = sizes_of(a, b)
        if told is not None:
            same = event == other
            pairs.append(Pair(told, same, 2.0 / of_event[event] if same else 1.0))
    return pairs


def hand_pairs(shared: Path, resolve: Resolve) -> list[Pair]:
    gold = shared / "gold"
    items = {one["id"]: one for name in ("train", "dev") for one in rows(gold / f"{name}_items.jsonl")}
    told = {one["id"]: one["events"] for name in ("train", "dev") for one in rows(gold / f"{name}_labels.jsonl")}
    pairs = []
    with (Path(__file__).parent / "pairs.csv").open(encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines):
            ends = [(line["first"], int(line["record"])), (line["second"], int(line["record_of_second"]))]
            a, b = (features_of(mention_of({"summary": "", **items[i]}, told[i][n], resolve)) for i, n in ends)
            found = sizes_of(a, b)
            if found is not None:
                pairs.append(Pair(found, line["same"] == "1", 0.5))
    return pairs


def fit(pairs: Sequence[Pair], prior: np.ndarray, strength: float) -> np.ndarray:
    """Return the weights that explain `pairs` best while staying near `prior`, none changing sides."""
    x = np.array([one.told for one in pairs])
    y = np.array([one.same for one in pairs], dtype=float)
    w = np.array([one.weight for one in pairs])
    free = np.zeros(len(NAMES))
    free[_FREE] = 1.0
    values = prior.copy()
    for _ in range(4000):
        odds = np.clip(x @ values, -30, 30)
        gradient = x.T @ (w * (y - 1 / (1 + np.exp(-odds)))) - strength * (values - prior)
        values = values + 0.01 * gradient * free
        values = np.where(prior > 0, np.maximum(values, 0), np.minimum(values, 0))
    return values


def figures_of(shared: Path, labelled: Sequence[Labelled], clusters: Sequence[Cluster]) -> dict[str, float]:
    ids = {one.mention.item_id for one in labelled}
    labels = [one for one in rows(shared / "gold" / "dedup_dev_labels.jsonl") if one["id"] in ids]
    made = scorer(shared)(labels, as_alerts([[one.mention for one in c.members] for c in clusters]))
    return {"pairs": made["pairs"]["f1"], "bcubed": made["bcubed"]["f1"], "items": len(labels)}


def figures(shared: Path, labelled: Sequence[Labelled], weights: Weights) -> dict[str, float]:
    clusters = partition([features_of(one.mention) for one in labelled], weights, _HORIZON_DAYS)
    return figures_of(shared, labelled, clusters)


def prior_weights() -> Weights:
    """Return the weights before any fitting, as reckoned by hand."""
    path = Path(__file__).parent / "prior.toml"
    return weights_from(tomllib.loads(path.read_text(encoding="utf-8"))["weights"], path.name)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--prior-strength", type=float, default=1.0)
    chosen = options.parse_args()
    shared = shared_dir()
    if shared is None:
        raise SystemExit("no measuring material beside the checkout: set TRUCEWATCH_SHARED to its folder")
    resolve = resolved_place
    labelled = dev_mentions(shared, resolve)
    windows = by_window(labelled)
    prior = np.array(list(asdict(prior_weights()).values()))
    by_hand = hand_pairs(shared, resolve)
    pairs = {name: window_pairs(one) for name, one in windows.items()}
    print(f"{sum(map(len, pairs.values()))} pairs of the windows, {len(by_hand)} labelled by hand")
    print("by hand:", figures(shared, labelled, weights_of(prior)))
    print("in use:", figures(shared, labelled, default_weights()))
    fitted = fit([p for one in pairs.values() for p in one] + by_hand, prior, chosen.prior_strength)
    print("fitted:", figures(shared, labelled, weights_of(fitted)))
    apart: list[Cluster] = []
    for name in windows:
        rest = [p for other, one in pairs.items() if other != name for p in one] + by_hand
        made = fit(rest, prior, chosen.prior_strength)
        apart += partition([features_of(one.mention) for one in windows[name]], weights_of(made), _HORIZON_DAYS)
        now, left_out = (
            figures(shared, windows[name], weights_of(prior)),
            figures(shared, windows[name], weights_of(made)),
        )
        print(f"  {name}: by hand {now}, left out {left_out}")
    print("all windows, each with weights fitted to the others:", figures_of(shared, labelled, apart))
    told = asdict(weights_of(prior))
    for name, value in zip(NAMES, fitted, strict=True):
        print(f"{name:16} {told[name]:6.2f} -> {value:6.2f}")


if __name__ == "__main__":
    main()
