"""The article that somebody wants explained: a text as given, a page, or an item of the store."""

from __future__ import annotations

from datetime import datetime

from transforms.failures import FetchError, StoreError
from transforms.ingest.language import language_of
from transforms.ingest.pages import fetch_page_text
from transforms.ingest.settings import FetchSettings
from transforms.model import Article
from transforms.text import plain


def article_to_explain(
    what: str, published: datetime, *, lang: str = "", store_url: str | None = None, fetch: FetchSettings | None = None
) -> Article:
    """Return `what` as an article: the stored item of that id, the text behind a URL, or the text itself.

    Raises:
        FetchError: If `what` is a URL that cannot be read.
        StoreError: If the store cannot be opened.
    """
    stored = _stored(what, store_url)
    if stored:
        return stored
    if what.startswith(("http://", "https://")) and not what.split("://", 1)[1].count(" "):
        text = fetch_page_text(what, fetch or FetchSettings())
        if not text:
            raise FetchError("no_text", f"{what}: no article text was found on the page")
        title, _, body = text.partition("\n")
        return _article(what, title, body, published, lang)
    return _article("text", "", what, published, lang)


def _article(item_id: str, title: str, body: str, published: datetime, lang: str) -> Article:
    summary = plain(body)
    return Article(
        item_id=item_id,
        feed="explain",
        outlet="explain",
        url=item_id if item_id.startswith("http") else "",
        lang=lang or language_of(f"{title} {summary}"),
        title=plain(title),
        summary=summary,
        published=published,
        fetched=published,
    )


def _stored(item_id: str, store_url: str | None) -> Article | None:
    if not store_url:
        return None
    from pipeline.store.store import Store

    try:
        return Store.open(store_url).article(item_id)
    except StoreError:
        if store_url.startswith("sqlite"):
            return None
        raise
