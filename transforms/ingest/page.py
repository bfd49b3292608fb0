"""The main text of an article page, by trafilatura. Runs in a worker process that can be killed."""

from __future__ import annotations

from transforms.ingest.limits import TEXT_CHARS, TITLE_CHARS
from transforms.ingest.prolog import charset_of, safe_encoding
from transforms.text import plain

_BY_LANGUAGE = {"ar": "windows-1256", "ru": "windows-1251", "tr": "windows-1254"}


def page_text(body: bytes, *, content_type: str = "", language: str = "", url: str = "") -> tuple[str, str]:
    """Return headline and main text of the page, "" where there is none to be found."""
    import trafilatura

    document = trafilatura.bare_extraction(
        _decoded(body, content_type, language),
        url=url or None,
        include_comments=False,
        include_tables=False,
        favor_precision=True,
        with_metadata=True,
    )
    if document is None:
        return "", ""
    return plain(document.title or "")[:TITLE_CHARS], plain(document.text or "")[:TEXT_CHARS]


def _decoded(body: bytes, content_type: str, language: str) -> str:
    charset = charset_of(content_type) or _meta_charset(body)
    for encoding in (charset, "utf-8", _BY_LANGUAGE.get(language, "")):
        if encoding:
            try:
                return body.decode(encoding)
            except UnicodeError:
                continue
    return body.decode("utf-8", "replace")


def _meta_charset(body: bytes) -> str:
    head = body[:2048].lower()
    at = head.find(b"charset=")
    if at < 0:
        return ""
    name = head[at + 8 : at + 60].strip(b"\"' ")
    for stop in (b'"', b"'", b" ", b">", b"/", b";"):
        name = name.partition(stop)[0]
    return safe_encoding(name.decode("ascii", "ignore"))
