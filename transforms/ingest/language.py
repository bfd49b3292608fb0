"""The language of an item: declared by the configuration, the feed or the entry, unless its script says otherwise."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

LANGUAGES = ("ar", "en", "fr", "ru", "tr")
_SCRIPT_SHARE = 0.5  # of the letters; names and quotes in another script stay below it
_MIN_LETTERS = 8
_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc]")
_CYRILLIC = re.compile("[\u0400-\u052f]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_BY_SCRIPT = {"arabic": ("ar",), "cyrillic": ("ru",), "latin": ("en", "fr", "tr")}
_SAMPLE = 2_000


def language_of(text: str, *, configured: str = "", declared: str = "") -> str:
    """Return the two-letter code of `text`.

    Args:
        text: Title and summary.
        configured: The feed's language in the configuration, "" to go by the feed.
        declared: What the feed or entry declares, such as "en-GB".
    """
    sample = text[:_SAMPLE]
    known = (configured or declared).strip().lower().replace("_", "-").partition("-")[0]
    script = _script(sample)
    if known in LANGUAGES and (not script or known in _BY_SCRIPT[script]):
        return known
    if known and known not in LANGUAGES and not script:
        return known
    if known and known not in LANGUAGES and script == "latin" and configured:
        return known
    candidates = _BY_SCRIPT.get(script, ())
    if len(candidates) == 1:
        return candidates[0]
    return _detected(sample, candidates) if script else known or "en"


def _script(sample: str) -> str:
    """Return the script that most letters are in, "" if there are too few to tell."""
    counts = {
        "arabic": len(_ARABIC.findall(sample)),
        "cyrillic": len(_CYRILLIC.findall(sample)),
        "latin": len(_LATIN.findall(sample)),
    }
    total = sum(counts.values())
    script = max(counts, key=lambda name: counts[name])
    return script if total >= _MIN_LETTERS and counts[script] > total * _SCRIPT_SHARE else ""


def _detected(sample: str, candidates: tuple[str, ...]) -> str:
    ranked = _identifier().rank(sample)
    return next((str(code) for code, _ in ranked if code in candidates), "en")


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=False)
    identifier.set_languages(list(LANGUAGES))
    return identifier
