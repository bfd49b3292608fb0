"""Text on its way out: no control or bidi characters, links to http(s) only, cells that no spreadsheet runs."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from transforms.text import plain

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe_text(value: str) -> str:
    """Return `value` fit for a terminal or file; text that is printable throughout comes back as it is."""
    return value if value.isprintable() else plain(value)


def safe_tree(value: Any) -> Any:
    """Return a JSON-like value with `safe_text` applied to every string in it, keys included."""
    if isinstance(value, str):
        return safe_text(value)
    if isinstance(value, dict):
        return {safe_text(str(key)): safe_tree(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [safe_tree(item) for item in value]
    return value


def safe_link(url: str) -> str:
    """Return `url` if it is a plain http(s) link with a host, else ""."""
    url = url.strip()
    if not url.isprintable() or any(sign in url for sign in " <>\"'\\`"):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme.lower() in ("http", "https") and parts.hostname else ""


def csv_cell(value: str) -> str:
    """Return `value` as a cell that a spreadsheet shows and does not compute (a leading quote disarms it)."""
    value = safe_text(value)
    return f"'{value}" if value.lstrip().startswith(_FORMULA_STARTS) else value


def shortened(value: str, limit: int) -> str:
    """Return `value` in at most `limit` characters, cut at a word and marked with an ellipsis where it was longer."""
    if len(value) <= limit:
        return value
    cut = value[: max(limit - 1, 0)]
    at_word = cut.rsplit(" ", 1)[0]
    return (at_word if len(at_word) > limit // 2 else cut).rstrip() + "…"
