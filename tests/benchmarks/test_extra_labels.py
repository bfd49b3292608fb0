"""Labels of our own belong to items, say what the guide allows, and carry no text of a publisher."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.detection.labels import problems, quoted

LABELS = Path(__file__).parents[2] / "benchmarks/detection/labels"


def rows_of(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (LABELS / name).read_text("utf-8").splitlines()]


ROWS = rows_of("extra_labels.jsonl") + rows_of("more_labels.jsonl")
INVENTED = rows_of("invented_items.jsonl")
ITEM = {"id": "x-1", "title": "Truce in Sirte broken", "summary": "Shells hit Sirte on Friday and killed two."}
EVENT: dict[str, Any] = {
    "family": "violation", "means": "shelling", "country": "LY", "places": ["Sirte"], "date": "2026-02-13",
    "actors": [], "targets": [], "killed": 2, "injured": None, "certainty": "asserted",
    "evidence_span": ["summary", 0, 27],
}  # fmt: skip


def test_each_item_is_labelled_once():
    ids = [row["id"] for row in ROWS]
    assert len(ids) == len(set(ids)) >= 450


def test_invented_items_are_labelled_as_the_guide_asks():
    assert len({item["id"] for item in INVENTED}) == len(INVENTED)
    for item in INVENTED:
        for event in item["events"]:
            quote = event["evidence"]
            field = "title" if quote in item["title"] else "summary"
            assert quote in item[field], item["id"]
            at = item[field].index(quote)
            told = {key: value for key, value in event.items() if key != "evidence"}
            assert problems(item, [told | {"evidence_span": [field, at, at + len(quote)]}]) == []


@pytest.mark.shared
def test_no_invented_sentence_is_a_publishers(shared_dir):
    def runs(item: dict[str, Any]) -> set[str]:
        words = re.findall(r"\w+", f"{item['title']} {item['summary']}".casefold())
        return {" ".join(words[i : i + 9]) for i in range(len(words) - 8)}

    ours = {run for item in INVENTED for run in runs(item)}
    for path in sorted((shared_dir / "gold").glob("*_items.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            assert not ours & runs(json.loads(line)), path.name


def test_no_label_holds_a_sentence():
    for row in ROWS:
        for event in row["events"]:
            assert "evidence" not in event
            for name in event["places"] + event["actors"] + event["targets"]:
                assert len(name.split()) <= 12, row["id"]


@pytest.mark.shared
def test_labels_agree_with_their_items(shared_dir):
    with (shared_dir / "gold" / "unlabelled_items.jsonl").open(encoding="utf-8") as file:
        items = {item["id"]: item for item in map(json.loads, file)}
    assert [p for row in ROWS for p in problems(items[row["id"]], row["events"])] == []


@pytest.mark.shared
def test_no_measured_item_is_among_them(shared_dir):
    measured = set()
    for name in ("dev_items", "train_items", "dedup_dev_items"):
        with (shared_dir / "gold" / f"{name}.jsonl").open(encoding="utf-8") as file:
            measured |= {json.loads(line)["id"] for line in file}
    assert not measured & {row["id"] for row in ROWS}


def test_evidence_is_read_back_from_its_offsets():
    assert quoted(ITEM, [EVENT])[0]["evidence"] == "Shells hit Sirte on Friday "
    assert problems(ITEM, [EVENT | {"evidence_span": ["summary", 0, 26]}]) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"family": "truce"}, "fields"),
        ({"means": "sabotage"}, "means"),
        ({"country": "LB"}, "country"),
        ({"places": ["Tripoli"]}, "Tripoli"),
        ({"date": "2026-02-30"}, "date"),
        ({"date": "2026-02-13/2026-02-11"}, "date"),
        ({"killed": 0}, "killed"),
        ({"certainty": "denied"}, "certainty"),
        ({"evidence_span": ["summary", 90, 99]}, "evidence"),
    ],
)
def test_wrong_labels_are_told(change, said):
    event = EVENT | {"evidence_span": ["summary", 0, 26]} | change
    if change.get("family") == "truce":
        event.pop("certainty")
    assert any(said in problem for problem in problems(ITEM, [event]))
