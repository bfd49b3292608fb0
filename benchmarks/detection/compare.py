"""Three ways to judge, compared on items that none was trained on: rules alone, linear over features, small neural.

Usage: python -m benchmarks.detection.compare [GOLD]

- rules: the rules over cues, which also judge the languages other than English; nothing is trained.
- linear: logistic regressions over words, parse, cues and slots: what ships.
- neural: a perceptron of one hidden layer over the frozen vectors of spaCy's small model (trigger, window, sentence).

The first two are scored end to end; all three by whether a candidate tells an event, in the same folds.
"""

from __future__ import annotations

import argparse
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.neural_network import MLPClassifier

from benchmarks.detection.crossval import FOLDS, cross_validate, event_of, folds_of, report
from benchmarks.detection.gold import Item, gold_folder, load, scorer
from benchmarks.detection.training import STRENGTH, Row, fit, rows_of
from transforms.detect.deciding import judge_all_by_cues
from transforms.detect.nlp import load_english

_WINDOW = 6


def vectors(items: list[Item], rows: list[Row]) -> npt.NDArray[np.float32]:
    """Return for each candidate the mean vectors of its trigger, a window around it and its sentence."""
    nlp = load_english()
    docs = nlp.pipe((item.reading.text for item in items), batch_size=16, disable=["ner", "lemmatizer"])
    tensors = [np.asarray(doc.tensor) for doc in docs]
    out = []
    for row in rows:
        c, tensor = row.candidate, tensors[row.item]
        spans = [
            (c.first, c.last),
            (max(c.sentence.first, c.first - _WINDOW), min(c.sentence.last, c.last + _WINDOW)),
            (c.sentence.first, c.sentence.last),
        ]
        out.append(np.concatenate([tensor[first:last].mean(axis=0) for first, last in spans]))
    return np.array(out, dtype=np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gold", nargs="?")
    folder = gold_folder(parser.parse_args().gold)
    items = load(folder)
    rows = [row for number, item in enumerate(items) for row in rows_of(number, item)]
    folds = folds_of(items)
    measured = [item for item in items if item.origin in {"train", "dev"}]
    labels = {item.id: {"events": item.events} for item in measured}
    score = scorer(folder)

    print("rules alone, end to end")
    by_rules = {i.id: judge_all_by_cues(i.reading, i.found, i.facts) for i in measured}
    report(score, labels, predictions(by_rules))
    print("\nlinear, end to end, five-fold cross-validation")
    report(score, labels, predictions(cross_validate(items, rows)))

    print("\ndoes a candidate tell an event? (F1 at the best threshold, area under the curve)")
    dense = vectors(items, rows)
    for family in ("ceasefire", "armed"):
        mine = [n for n, row in enumerate(rows) if row.candidate.family == family]
        truth = np.array([rows[n].event is not None for n in mine])
        fold = np.array([folds[rows[n].item] for n in mine])
        sure = np.array([rows[n].weight == 1 and items[rows[n].item].origin in {"train", "dev"} for n in mine])
        answers = {way: np.zeros(len(mine)) for way in ("rules", "linear", "neural")}
        answers["rules"] = np.array([rows[n].features.get("r.event", 0.0) for n in mine])
        for k in range(FOLDS):
            train, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            names = ["event" if truth[i] else "none" for i in train]
            weights = [rows[mine[i]].weight for i in train]
            head = fit([rows[mine[i]].features for i in train], names, weights, STRENGTH["event"])
            answers["linear"][test] = [head.probabilities(rows[mine[i]].features)["event"] for i in test]
            centre, spread = dense[mine].mean(axis=0), dense[mine].std(axis=0) + 1e-6
            scaled = (dense[mine] - centre) / spread
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                net = MLPClassifier((64,), alpha=3.0, max_iter=40, random_state=0).fit(scaled[train], truth[train])
            answers["neural"][test] = net.predict_proba(scaled[test])[:, 1]
        for way, answer in answers.items():
            best = max(f1_score(truth[sure], answer[sure] >= t) for t in np.arange(0.2, 0.8, 0.02))
            print(f"{family:10} {way:7} F1 {best:.3f}  AUC {roc_auc_score(truth[sure], answer[sure]):.3f}")


def predictions(judged: dict[str, Any]) -> dict[str, Any]:
    """Return judged candidates in the form that the scorer reads."""
    return {i: {"events": [event_of(j) for j in js if not j.rejected]} for i, js in judged.items()}


if __name__ == "__main__":
    main()
