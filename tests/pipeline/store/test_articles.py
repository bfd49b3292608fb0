"""Articles are kept to be explained, and their texts are let go when pruned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.store.store import Store
from transforms.model import Article
from transforms.sinks.commit import RunBatch

NOW = datetime(2026, 2, 12, tzinfo=UTC)


def test_an_article_is_found_by_id_and_by_url_until_its_text_is_pruned(tmp_path: Path) -> None:
    article = Article(
        item_id="a-1",
        feed="f",
        outlet="o",
        url="https://a.example/1",
        title="Calm in Sirte",
        published=NOW,
        fetched=NOW,
    )
    with Store.open(f"sqlite:///{tmp_path}/store.sqlite") as store:
        store.commit(RunBatch(run_id="r1", now=NOW, articles=(article,)))
        assert store.article("a-1") == article
        assert store.article("https://a.example/1") == article
        assert store.article("a-2") is None
        store.prune(NOW + timedelta(days=31), keep_days=400)
        assert store.article("a-1") is None
        assert store.seen().known("f", ["a-1"]) == {"a-1": ""}
