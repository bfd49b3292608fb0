"""Plain text that is safe to show: shared by the stages that take text in and those that put it out."""

from __future__ import annotations

import re
import unicodedata

# C0 and C1 controls part words; bidi marks, zero-width and other invisible characters stand inside them.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufff9-\ufffb]")
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACE = re.compile(r"[\s\u00a0\u2000-\u200a\u3000]+")


def plain(value: str) -> str:
    """Return `value` in NFC with controls, bidi marks and invisible characters gone and white space folded.

    Idempotent: `plain(plain(x)) == plain(x)`.
    """
    value = _SURROGATE.sub("\ufffd", value)
    value = _INVISIBLE.sub("", _CONTROL.sub(" ", value))
    return unicodedata.normalize("NFC", _SPACE.sub(" ", value).strip())
