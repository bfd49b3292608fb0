"""Who an article is: its feed's guid, else its canonical URL, else a hash of title and date."""

from __future__ import annotations

import hashlib
from urllib.parse import urljoin, urlsplit

from courlan import normalize_url

from transforms.text import plain

MAX_URL = 4_096


def canonical_url(link: str, base: str = "") -> str:
    """Return `link` as an absolute http(s) URL in one spelling, "" where it is none.

    Host in lower case, default port, fragment, credentials and trackers gone, query sorted. Idempotent.

    Args:
        link: As the feed gives it.
        base: Address of the feed, for relative links.
    """
    link = plain(link)
    try:
        url = urljoin(base, link) if base and link else link
        for _ in range(4):
            parts = urlsplit(url)
            if parts.scheme.lower() not in ("http", "https") or not parts.hostname or len(url) > MAX_URL:
                return ""
            host = parts.netloc.rpartition("@")[2]
            slim = parts._replace(netloc=host.lower(), fragment="", scheme=parts.scheme.lower()).geturl()
            following = plain(normalize_url(slim)).replace(" ", "%20")
            if following == url:
                break
            url = following
        else:
            return ""
    except (ValueError, UnicodeError):
        return ""
    return url


def item_id(guid: str, url: str, title: str, published: str) -> str:
    """Return the identity of an item from the best of what it has.

    Args:
        guid: The feed's guid, "" if none.
        url: The canonical URL, "" if none.
        title: Plain title.
        published: The date as written, "" if none.
    """
    return guid or url or "sha256:" + _hash(title, published)[:32]


def content_hash(title: str, summary: str, text: str) -> str:
    """Return the hash that tells whether an item has changed: of its words as the feed gives them."""
    return _hash(title, summary, text)[:32]


def _hash(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "replace")
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()
