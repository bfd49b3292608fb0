"""Folding: one spelling for matching in all five languages, with the way back to the text as it stands.

Case, accents, vowel signs, the Turkish i with or without its dot, ё and й and the several Arabic alefs make no
difference to what a word means to the lexicons. Quotes must be exact substrings of the article, so every folded
character knows where it came from.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from transforms.detect import arabic

# What compatibility decomposition leaves alone or would split wrongly.
_SPECIAL = {
    "ı": "i",
    "İ": "i",
    "œ": "oe",
    "Œ": "oe",
    "æ": "ae",
    "Æ": "ae",
    "ø": "o",
    "Ø": "o",
    "ł": "l",
    "Ł": "l",
    "đ": "d",
    "ʿ": "'",
    "ʾ": "'",
    "‘": "'",
    "’": "'",
    "ʼ": "'",
    "´": "'",
    "`": "'",
    "‐": "-",
    "‑": "-",
    "«": '"',
    "»": '"',
    "“": '"',
    "”": '"',
    "„": '"',
}


def _fold_char(char: str) -> str:
    """Return what one character becomes: none, one or a few characters."""
    if char in _SPECIAL:
        return _SPECIAL[char]
    if arabic.is_sign(char) or unicodedata.category(char) in ("Mn", "Cf"):
        return ""
    plain = unicodedata.normalize("NFKC", char) if "\ufb50" <= char <= "\ufeff" else char
    out: list[str] = []
    for one in plain:
        if one.isspace():
            out.append(" ")
        elif "\u0600" <= one <= "\u06ff":
            # Letters that vary are looked up as they are composed: their hamza decomposes.
            out.append("" if arabic.is_sign(one) else arabic.letter(one))
        else:
            decomposed = unicodedata.normalize("NFKD", one).casefold()
            out.extend(_SPECIAL.get(c, c) for c in decomposed if unicodedata.category(c) not in ("Mn", "Cf"))
    return "".join(out)


class _Table(dict[str, str]):
    """What each character becomes, filled as characters are met."""

    def __missing__(self, char: str) -> str:
        folded = self[char] = _fold_char(char)
        return folded


_TABLE = _Table()


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text and, for each of its characters, where it stands in the original.

    Attributes:
        text: The folded text.
        source: The original text.
        origins: For each folded character the index of its original character; one more for the end.
    """

    text: str
    source: str
    origins: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the original span of the folded span [start, end); signs written on its last letter belong to it."""
        if start >= end:
            at = self.origins[start]
            return at, at
        first, last = self.origins[start], self.origins[end - 1]
        return first, max(self.origins[end], last + 1)

    def quote(self, start: int, end: int) -> str:
        """Return the original words of the folded span [start, end)."""
        first, last = self.span(start, end)
        return self.source[first:last]


@lru_cache(maxsize=16)  # each finder of slots folds the text that it reads, one text after the other
def fold(text: str) -> Folded:
    """Return `text` in the spelling that lexicons are matched in.

    Folding is idempotent on its own text: `fold(fold(x).text).text == fold(x).text`.
    """
    pieces = [_TABLE[char] for char in text]
    joined = "".join(pieces)
    if len(joined) == len(text) and "" not in pieces:  # one for one, as most texts are
        return Folded(joined, text, range(len(text) + 1))
    origins: list[int] = []
    for index, folded in enumerate(pieces):
        origins.extend([index] * len(folded))
    origins.append(len(text))
    return Folded(joined, text, tuple(origins))


def fold_text(text: str) -> str:
    """Return only the folded text, for lexicon entries."""
    return "".join(map(_TABLE.__getitem__, text))
