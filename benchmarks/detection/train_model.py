"""Trains the judgement on labelled news and writes `transforms/detect/model.npz` with its card.

Usage: python -m benchmarks.detection.train_model [GOLD]   (default: ../shared/gold beside the checkout)

The same labels, lexicons and library versions give the same file, byte for byte.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import sklearn
import spacy

from benchmarks.detection.crossval import GOLD, OURS, cross_validate, report, told
from benchmarks.detection.gold import ROOT, gold_folder, load, scorer
from benchmarks.detection.training import FEWEST, STRENGTH, THRESHOLDS, rows_of, train
from transforms.detect.judgement import MODEL_FILE, Head, pack

TARGET = ROOT / "transforms" / "detect" / MODEL_FILE
CARD = ROOT / "transforms" / "detect" / "MODEL_CARD.md"
_LIGHT = 1e-4  # weights below this change no decision and are left out


def lighten(head: Head) -> Head:
    """Return the head without features that weigh next to nothing."""
    heavy = np.abs(head.weights).max(axis=0) >= _LIGHT
    columns = np.flatnonzero(heavy)
    place = {int(old): new for new, old in enumerate(columns)}
    names = {name: place[column] for name, column in head.names.items() if column in place}
    return Head(head.classes, names, head.weights[:, columns], head.bias)


def card(figures: Sequence[str], origins: dict[str, int], candidates: int, size: int, digest: str) -> str:
    """Return the model card."""
    counts = ", ".join(f"{n} {name}" for name, n in origins.items())
    return f"""# Model card: the judgement of the detect stage

`{MODEL_FILE}`, {size / 1e6:.2f} MB, SHA-256 `{digest}`.
Written by `make model` (`python -m benchmarks.detection.train_model`); do not edit.

- **What it decides**: of each trigger word in an English article, whether it tells a newsworthy event of Syria or
  Libya (heads `event.ceasefire`, `event.armed`), which step of a ceasefire it is (`stage`), by what means an armed
  act was done (`means`), whether the article sets the act against a ceasefire (`violation`), whether it is only
  a party's claim
  (`certainty`), and whether two triggers of one article tell the same event (`same`).
- **How**: one logistic regression per head over named features (trigger, words around it, parse, cues, country, dates,
  slots, neighbours; `features.py`). Inference needs numpy only. Strengths C: {STRENGTH}; features seen in fewer than
  {FEWEST} candidates are left out. Thresholds: {THRESHOLDS}.
- **Trained on**: {sum(origins.values())} labelled English items ({counts}) with {candidates} candidates. The texts
  belong to their publishers and are not part of the project; of our own labels only item ids and records are kept
  (`benchmarks/detection/labels`). Windows are the items made to measure deduplication; invented items are our own.
  "More" and invented ones teach stages, means and certainty only.
- **Not for**: other languages (they are judged by rules, `cue_rules.py`), other wars, texts that are not news.
- **Known weaknesses**: whether an act is set against a ceasefire is the hardest decision; the labelled items are mostly
  of 2011-2018, so the vocabulary of later years is learned from few items.
- **Reproducible**: scikit-learn {sklearn.__version__}, spaCy {spacy.__version__}, numpy {np.__version__}; the
  solver starts from zero and draws no random numbers.
  Another processor may round the last bits differently; the decisions are the same.

Five-fold cross-validation by item over train and dev; items that share most of their words stay in one fold. Rules were
written and thresholds chosen with the errors on these items in sight, so expect a little less elsewhere:

```
{figures[0].strip()}
```

The same for the {origins["more"]} "more" items, from which the heads for events and breaches never learn and by whose
errors two rules were written (an act not stopped goes on; nobody means to); they are news as it comes, with few
ceasefires, and one of us labelled each by the guide:

```
{figures[1].strip()}
```
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gold", nargs="?")
    parser.add_argument("--no-card", action="store_true", help="skip the cross-validation and leave the card as it is")
    arguments = parser.parse_args()
    folder = gold_folder(arguments.gold)
    items = load(folder)
    rows = [row for number, item in enumerate(items) for row in rows_of(number, item)]
    heads = {name: lighten(head) for name, head in train(items, rows, range(len(items))).items()}
    raw = pack(heads, THRESHOLDS)
    TARGET.write_bytes(raw)
    print(f"{TARGET.relative_to(ROOT)}: {len(raw):,} bytes from {len(items)} items, {len(rows)} candidates")
    if arguments.no_card:
        return
    judged = cross_validate(items, rows, GOLD | OURS)
    figures = [io.StringIO(), io.StringIO()]
    for origins_, text in zip((GOLD, OURS), figures, strict=True):
        with redirect_stdout(text):
            report(scorer(folder), *told(items, judged, origins_))
    origins = dict(collections.Counter(item.origin for item in items))
    Path(CARD).write_text(
        card([f.getvalue() for f in figures], origins, len(rows), len(raw), hashlib.sha256(raw).hexdigest()), "utf-8"
    )
    print("\n".join(f.getvalue() for f in figures))


if __name__ == "__main__":
    main()
