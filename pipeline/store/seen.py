"""Which articles are in the store already; travels to workers and opens the store there."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from pipeline.store.codec import article_key
from pipeline.store.database import connect, parsed, reading
from pipeline.store.tables import ARTICLES

_AT_ONCE = 500  # variables in one query


class SeenArticles:
    """Looks up articles by feed and item id; only the address is pickled."""

    def __init__(self, url: str) -> None:
        """Open nothing yet."""
        self._url = url
        self._engine: Engine | None = None

    def known(self, feed: str, item_ids: Iterable[str]) -> dict[str, str]:
        """Return the content hash of each of `item_ids` that the store holds for `feed`."""
        if self._engine is None:
            self._engine = connect(parsed(self._url))
        ids = {article_key(feed, item_id): item_id for item_id in item_ids}
        found: dict[str, str] = {}
        with reading(self._engine) as connection:
            left = iter(ids)
            while keys := tuple(islice(left, _AT_ONCE)):
                rows = connection.execute(
                    sa.select(ARTICLES.c.article_key, ARTICLES.c.content_hash).where(ARTICLES.c.article_key.in_(keys))
                )
                found.update((ids[key], content_hash) for key, content_hash in rows)
        return found

    def __getstate__(self) -> dict[str, Any]:
        """Leave the open connection behind."""
        return {"_url": self._url, "_engine": None}
