"""Which country a text tells of: what its words say for Syria, for Libya, and for elsewhere.

Countries' words are data (see `countries`). Places of the gazetteer speak for their country where they stand for
themselves; a name that both countries have, or that is a village's, does not.
"""

from __future__ import annotations

from collections import defaultdict

from transforms.detect.countries import longest_at, plain_possessives
from transforms.detect.phrases import read_words
from transforms.detect.places import find_places
from transforms.detect.spans import CountryEvidence, CountryHit

__all__ = ["CountryEvidence", "CountryHit", "country_of"]

_AGAIN = 0.3  # a word told again says this much of what it said at first
_PLACE_WEIGHT = 2.0
_SHARED_NAME_WEIGHT = 0.7  # Homs is in Syria unless something says Libya


def country_of(text: str, lang: str, *, outlet_country: str = "") -> CountryEvidence:
    """Return what the words of `text` say about the country it tells of.

    Args:
        text: Any text.
        lang: Its language; names are looked up in all languages.
        outlet_country: Two-letter code of the outlet's country: it breaks a tie where nothing else speaks.
    """
    words = read_words(text)
    forms = plain_possessives(words)
    hits: list[CountryHit] = []
    at = 0
    while at < len(words):
        found = longest_at(text, words, forms, at)
        if found is None:
            at += 1
            continue
        end, word = found
        hits.append(
            CountryHit(
                start=words[at].start, end=words[end - 1].end, country=word.country, weight=word.weight, kind=word.kind
            )
        )
        at = end
    taken = [(hit.start, hit.end) for hit in hits]
    hits += [hit for hit in _place_hits(text, lang) if not any(s < hit.end and hit.start < e for s, e in taken)]
    hits.sort(key=lambda hit: hit.start)
    scores: dict[str, float] = defaultdict(float)
    told: set[tuple[str, str]] = set()
    for hit in hits:
        key = (hit.country, text[hit.start : hit.end].casefold())
        scores[hit.country] += hit.weight * (_AGAIN if key in told else 1.0)
        told.add(key)
    if outlet_country in {"SY", "LY"} and not scores:
        scores[outlet_country] = 0.5
    ranked = sorted(scores.items(), key=lambda one: (-one[1], one[0]))
    return CountryEvidence(scores=tuple((code, round(value, 3)) for code, value in ranked), hits=tuple(hits))


def _place_hits(text: str, lang: str) -> list[CountryHit]:
    """Return the places, each for its country; of a name that both have, for the likelier one, with less weight."""
    out: list[CountryHit] = []
    for span in find_places(text, lang):
        if not span.candidates or span.candidates[0].kind == "country" or (span.weak and lang == "en"):
            continue
        shared = span.weak or len({place.country for place in span.candidates}) > 1
        weight = _SHARED_NAME_WEIGHT if shared else _PLACE_WEIGHT
        country = span.candidates[0].country
        out.append(CountryHit(start=span.start, end=span.end, country=country, weight=weight, kind="place"))
    return out
