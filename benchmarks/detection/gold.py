"""Reads the labelled news that the judgement is trained and measured on, and parses it once.

The folder is given by the user, or lies beside the checkout (`../shared/gold`); it is no part of the product.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.detection.labels import quoted
from transforms.detect.candidates import Found, find_candidates
from transforms.detect.facts import Facts, read_facts
from transforms.detect.nlp import load_english
from transforms.detect.reading import Reading, lay_out, reading_of_doc, reading_of_text
from transforms.model import Article

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "parses"
_LABELS = Path(__file__).parent / "labels"
LABELS = {"extra": _LABELS / "extra_labels.jsonl", "more": _LABELS / "more_labels.jsonl"}
INVENTED = _LABELS / "invented_items.jsonl"


@dataclass(frozen=True)
class Item:
    """A labelled item, read."""

    raw: dict[str, Any]
    events: list[dict[str, Any]]
    reading: Reading
    found: Found
    facts: Facts
    origin: str  # dev, train, windows (the deduplication items), extra, more or invented

    @property
    def id(self) -> str:
        """The item's id."""
        return str(self.raw["id"])


def gold_folder(given: str | None = None) -> Path:
    """Return the folder of labelled news, or stop with a message."""
    shared = Path(os.environ.get("TRUCEWATCH_SHARED", ROOT.parent / "shared"))
    folder = Path(given) if given else shared / "gold"
    if not (folder / "train_items.jsonl").is_file():
        raise SystemExit(f"no labelled news in {folder}; give its folder as the argument")
    return folder


def lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON Lines file."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def article_of(raw: dict[str, Any]) -> Article:
    """Return an item as the pipeline would give it to the detect stage."""
    at = datetime.fromisoformat(raw["published"][:10]).replace(tzinfo=UTC)
    return Article(
        item_id=raw["id"],
        feed="gold",
        outlet=raw.get("outlet", ""),
        lang=raw.get("lang") or "en",
        title=raw.get("title", ""),
        summary=raw.get("summary", ""),
        text=raw.get("text", ""),
        published=at,
        fetched=at,
    )


def read_items(raws: Sequence[dict[str, Any]], events: dict[str, list[dict[str, Any]]], origin: str) -> list[Item]:
    """Return items with their readings; English parses are kept under `.cache`."""
    articles = [article_of(raw) for raw in raws]
    laid = [lay_out(article, 20_000) for article in articles]
    english = [i for i, article in enumerate(articles) if article.lang == "en"]
    docs = dict(zip(english, _parses([laid[i].text for i in english]), strict=True))
    items: list[Item] = []
    for i, raw in enumerate(raws):
        if i in docs:
            reading = reading_of_doc(articles[i], laid[i], docs[i])
        else:
            reading = reading_of_text(articles[i], laid[i], articles[i].lang)
        items.append(Item(raw, events[raw["id"]], reading, find_candidates(reading), read_facts(reading), origin))
    return items


def _parses(texts: Sequence[str]) -> list[Any]:
    from spacy.tokens import DocBin

    nlp = load_english()
    key = hashlib.sha256("\x00".join([nlp.meta["version"], *texts]).encode()).hexdigest()[:16]
    path = CACHE / f"{key}.spacy"
    if not path.is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        DocBin(docs=nlp.pipe(texts, batch_size=16), store_user_data=False).to_disk(path)
    return list(DocBin().from_disk(path).get_docs(nlp.vocab))


def load(folder: Path, languages: Iterable[str] = ("en",)) -> list[Item]:
    """Return all labelled items in `languages`: train and dev, deduplication windows, labels and items of our own."""
    wanted = set(languages)
    items: list[Item] = []
    seen: set[str] = set()
    for origin in ("train", "dev"):
        labels = {row["id"]: row["events"] for row in lines(folder / f"{origin}_labels.jsonl")}
        raws = [
            r
            for r in lines(folder / f"{origin}_items.jsonl")
            if r["id"] in labels and (r.get("lang") or "en") in wanted
        ]
        items += read_items(raws, labels, origin)
        seen |= {r["id"] for r in raws}
    windows = folder / "dedup_dev_mentions.jsonl"
    if windows.is_file():
        labels = {row["id"]: row["events"] for row in lines(windows)}
        raws = [
            r for r in lines(folder / "dedup_dev_items.jsonl")
            if r["id"] in labels and r["id"] not in seen and (r.get("lang") or "en") in wanted
        ]  # fmt: skip
        items += read_items(raws, labels, "windows")
        seen |= {r["id"] for r in raws}
    unlabelled = lines(folder / "unlabelled_items.jsonl")
    for origin, path in LABELS.items():
        labels = {row["id"]: row["events"] for row in lines(path)}
        raws = [
            r for r in unlabelled
            if r["id"] in labels and r["id"] not in seen and (r.get("lang") or "en") in wanted
        ]  # fmt: skip
        items += read_items(raws, {r["id"]: quoted(r, labels[r["id"]]) for r in raws}, origin)
        seen |= {r["id"] for r in raws}
    if "en" in wanted:
        invented = lines(INVENTED)
        items += read_items(invented, {r["id"]: r["events"] for r in invented}, "invented")
    return items


def scorer(folder: Path) -> ModuleType:
    """Return the scorer that lies beside the labels."""
    spec = importlib.util.spec_from_file_location("gold_score", folder / "score.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"no score.py in {folder}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
