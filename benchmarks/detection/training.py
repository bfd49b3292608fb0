"""Turns labelled items into training rows and fits the heads of the judgement (scikit-learn, offline)."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from benchmarks.detection.gold import Item
from transforms.detect.candidates import Candidate
from transforms.detect.deciding import Asker, Judged, _answers
from transforms.detect.features import features_of
from transforms.detect.judgement import Head, shared_only, vocabulary
from transforms.detect.pairing import pair_features
from transforms.detect.slots import fill
from transforms.detect.view import Features, View

# How strongly each head is held back (C of the logistic regression), and how rare a feature may be.
STRENGTH = {"event": 0.05, "violation": 0.05, "stage": 0.1, "means": 0.2, "certainty": 0.1, "same": 0.5}
FEWEST = 2
THRESHOLDS = {
    "event.ceasefire": 0.38,
    "event.settled": 0.2,
    "event.armed": 0.44,
    "violation": 0.35,
    "alleged": 0.45,
    "same": 0.3,
    "item_share": 0.3,
    # what is added to the log-odds of a breach by where the item's truce stands
    "truce.asked": -1.5,
    "truce.in_force": 0.5,
    "truce.ended": 1.0,
}

# How much an item counts that was labelled or written to add variety. What is an event, and what breaks a truce, is
# learned from the news as it comes: there the added items, whose kinds are not as common in the news, made it worse.
ORIGIN_WEIGHT = {"more": 0.5, "invented": 0.5}


@dataclass(frozen=True)
class Row:
    """A candidate of a labelled item, with the event that it tells (None: it tells none)."""

    item: int
    candidate: Candidate
    features: Features
    event: int | None
    weight: float
    retells: int | None = None  # an event told by another candidate, which this one likely tells again


def kind_of(event: dict[str, Any]) -> str:
    """Return the family that triggers know: "ceasefire" or "armed"."""
    return "ceasefire" if event["family"] == "ceasefire" else "armed"


def rows_of(number: int, item: Item) -> list[Row]:
    """Return the candidates of an item, each with the labelled event whose evidence it stands in."""
    text, words = item.reading.text, item.reading.words
    spans: list[tuple[int, int]] = []
    for event in item.events:
        quote = event.get("evidence") or ""
        at = text.find(quote) if quote else -1
        spans.append((at, at + len(quote)) if at >= 0 else (-1, -1))
    told: dict[int, int] = {}
    candidates = item.found.candidates
    for c_at, c in enumerate(candidates):
        start, end = words[c.first].start, words[c.last - 1].end
        inside = [
            e for e, (a, b) in enumerate(spans)
            if a >= 0 and a < end and start < b and kind_of(item.events[e]) == c.family
        ]  # fmt: skip
        if inside:
            told[c_at] = min(inside, key=lambda e: (not _hinted(c, item.events[e]), spans[e][1] - spans[e][0]))
    # Events whose evidence holds no trigger, or whose triggers all went to another event: the nearest of the sentence.
    for e, event in enumerate(item.events):
        if e in told.values():
            continue
        a = spans[e][0]
        free = [
            at for at, c in enumerate(candidates)
            if at not in told and c.family == kind_of(event) and (a < 0 or c.sentence.start <= a < c.sentence.end)
        ]  # fmt: skip
        if free:
            told[
                min(
                    free,
                    key=lambda at: (not _hinted(candidates[at], event), abs(words[candidates[at].first].start - a)),
                )
            ] = e
    rows: list[Row] = []
    for at, c in enumerate(candidates):
        features = features_of(View(item.reading, item.found, item.facts, c))
        if item.reading.lang != "en":
            features = shared_only(features)
        if at in told:
            rows.append(Row(number, c, features, told[at], 1.0))
            continue
        weight = 1.0
        if any(kind_of(e) == c.family for e in item.events):
            # It may retell an event that is told elsewhere in the item; the labels do not say.
            alike = any(kind_of(e) == c.family and _hinted(c, e) for e in item.events)
            weight = 0.1 if alike and c.family == "armed" else 0.5
        rows.append(Row(number, c, features, None, weight, _retold(c, item)))
    return rows


def _retold(candidate: Candidate, item: Item) -> int | None:
    """Return the event that a candidate outside all evidence tells again, if there is but one that it can be."""
    alike = [
        e for e, event in enumerate(item.events) if kind_of(event) == candidate.family and _hinted(candidate, event)
    ]
    return alike[0] if len(alike) == 1 else None


def _hinted(candidate: Candidate, event: dict[str, Any]) -> bool:
    hint = candidate.trigger.means or candidate.trigger.stage
    return not hint or hint == (event.get("means") or event.get("stage"))


def fit(
    rows: Sequence[Features],
    labels: Sequence[str],
    weights: Sequence[float],
    strength: float,
    fewest: int = FEWEST,
) -> Head:
    """Return a logistic regression over named features; classes in sorted order, for two the telling one second."""
    names = vocabulary(rows, fewest)
    x = matrix(rows, names)
    classes = sorted(set(labels), key=lambda c: (c in {"event", "violation", "alleged", "same"}, c))
    order = {c: i for i, c in enumerate(classes)}
    y = np.array([order[label] for label in labels])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Two classes: liblinear's coordinate descent is ten times faster on sparse rows, and as deterministic.
        # With many classes the rare ones are lifted half way, or the commonest would take every doubtful case.
        counts = np.bincount(y)
        lift = None if len(classes) == 2 else {at: float((counts.max() / n) ** 0.4) for at, n in enumerate(counts)}
        solver = "liblinear" if len(classes) == 2 else "lbfgs"
        model = LogisticRegression(C=strength, max_iter=200, tol=1e-3, solver=solver, random_state=0, class_weight=lift)
        model.fit(x, y, sample_weight=np.array(weights))
    weights_ = np.asarray(model.coef_, dtype=np.float32)
    return Head(tuple(classes), names, weights_, np.asarray(model.intercept_, dtype=np.float32))


def matrix(rows: Sequence[Features], names: dict[str, int]) -> csr_matrix:
    """Return the rows as a sparse matrix over the columns of `names`."""
    indptr, indices, data = [0], [], []
    for row in rows:
        for name, value in row.items():
            if name in names:
                indices.append(names[name])
                data.append(value)
        indptr.append(len(indices))
    return csr_matrix((data, indices, indptr), shape=(len(rows), len(names)), dtype=np.float32)


def train(items: Sequence[Item], rows: Sequence[Row], use: Iterable[int], suffix: str = "en") -> dict[str, Head]:
    """Return the heads fitted on the items numbered in `use`."""
    chosen = set(use)
    rows = [r for r in rows if r.item in chosen]
    heads: dict[str, Head] = {}

    def share(row: Row) -> float:
        return ORIGIN_WEIGHT.get(items[row.item].origin, 1.0)

    def as_it_comes(row: Row) -> bool:
        return items[row.item].origin not in ORIGIN_WEIGHT

    for family in ("ceasefire", "armed"):
        mine = [r for r in rows if r.candidate.family == family and as_it_comes(r)]
        labels = ["event" if r.event is not None else "none" for r in mine]
        heads[f"event.{family}"] = fit([r.features for r in mine], labels, [r.weight for r in mine], STRENGTH["event"])
    told = [r for r in rows if r.event is not None]
    armed = [r for r in told if r.candidate.family == "armed"]
    event = {id(r): items[r.item].events[r.event] for r in told if r.event is not None}
    near_truces = [r for r in armed if as_it_comes(r)]
    heads["violation"] = fit(
        [r.features for r in near_truces],
        [event[id(r)]["family"] for r in near_truces],
        [1.0] * len(near_truces),
        STRENGTH["violation"],
    )
    means = [event[id(r)]["means"] for r in armed]
    heads["means"] = fit([r.features for r in armed], means, [share(r) for r in armed], STRENGTH["means"])
    steps = [r for r in told if r.candidate.family == "ceasefire"]
    stages = [event[id(r)]["stage"] for r in steps]
    heads["stage"] = fit([r.features for r in steps], stages, [share(r) for r in steps], STRENGTH["stage"])
    heads["certainty"] = fit(
        [r.features for r in told],
        [event[id(r)].get("certainty") or "asserted" for r in told],
        [share(r) for r in told],
        STRENGTH["certainty"],
    )
    heads["same"] = _train_same(items, [r for r in rows if as_it_comes(r)], heads)
    return {f"{name}@{suffix}": head for name, head in heads.items()}


def _train_same(items: Sequence[Item], rows: Sequence[Row], heads: dict[str, Head]) -> Head:
    """Fit the head that says whether two candidates tell one event, on the candidates that tell labelled events."""

    def ask(name: str, features: Features) -> dict[str, float]:
        return heads[name].probabilities(features)

    def likely(row: Row) -> bool:
        return ask(f"event.{row.candidate.family}", row.features)["event"] >= 0.35

    by_item: dict[int, list[Row]] = {}
    for row in rows:
        if row.event is not None or (row.retells is not None and likely(row)):
            by_item.setdefault(row.item, []).append(row)
    pairs: list[Features] = []
    labels: list[str] = []
    weights: list[float] = []
    for number, told in by_item.items():
        told.sort(key=lambda r: r.candidate.first)
        taken = tuple(r.candidate for r in told)
        judged = [judged_row(items[number], r, taken, ask) for r in told]
        for i, left in enumerate(judged):
            for j in range(i + 1, len(judged)):
                right = judged[j]
                if left.candidate.family == right.candidate.family:
                    pairs.append(pair_features(left, right))
                    a, b = told[i], told[j]
                    same = (a.event if a.event is not None else a.retells) == (
                        b.event if b.event is not None else b.retells
                    )
                    labels.append("same" if same else "other")
                    weights.append(1.0 if a.event is not None and b.event is not None else 0.7)
    return fit(pairs, labels, weights, STRENGTH["same"])


def judged_row(item: Item, row: Row, taken: tuple[Candidate, ...], ask: Asker) -> Judged:
    """Return a labelled candidate as the detector would judge it."""
    slots = fill(item.facts, row.candidate, taken)
    return _answers(row.candidate, row.features, 1.0, slots, "", ask, THRESHOLDS)
