"""Which place of a name is meant: by the country of the text, by the other places in it, and by size."""

from __future__ import annotations

from dataclasses import replace

from transforms.detect.spans import CountryEvidence, PlaceSpan, ResolvedPlace
from transforms.model import Place

_AROUND = {"SY01": "SY03"}  # Damascus lies inside Rural Damascus


def resolve_places(
    text: str,
    lang: str,
    spans: list[PlaceSpan],
    evidence: CountryEvidence,
    *,
    country: str | None = None,
) -> list[ResolvedPlace]:
    """Return the places that the spans mean, by position; places elsewhere and countries themselves are left out.

    Args:
        text: The text that the spans were found in.
        lang: Its language.
        spans: What `find_places` found in it.
        evidence: What `country_of` says of it.
        country: The country that is certain from elsewhere (an event's own), None to go by `evidence`.
    """
    del lang
    main = country or _main_country(evidence)
    known = _anchors(spans, main)
    out: list[ResolvedPlace] = []
    for span in spans:
        if span.foreign or (span.candidates and span.candidates[0].kind == "country"):
            continue
        place = _pick(span, main, evidence, known, text)
        if place is not None:
            out.append(ResolvedPlace(start=span.start, end=span.end, place=place))
    return _with_containers(out, text)


def _main_country(evidence: CountryEvidence) -> str | None:
    syria, libya = evidence.score("SY"), evidence.score("LY")
    if syria == libya:
        return None
    return "SY" if syria > libya else "LY"


def _anchors(spans: list[PlaceSpan], main: str | None) -> set[str]:
    """Return the P-codes of the places that are certain."""
    codes: set[str] = set()
    for span in spans:
        fitting = [one for one in span.candidates if main is None or one.country == main]
        if not fitting or span.weak or fitting[0].kind == "country":
            continue
        codes.update(code for code in (fitting[0].adm1, fitting[0].adm2, fitting[0].adm3) if code)
    return codes | {_AROUND[code] for code in codes if code in _AROUND}


def _pick(span: PlaceSpan, main: str | None, evidence: CountryEvidence, known: set[str], text: str) -> Place | None:
    """Return the place that the span means, unresolved where no record fits, None where it is none of ours."""
    name = text[span.start : span.end]
    if not span.candidates:
        certain = main is not None and evidence.score(main) > evidence.elsewhere
        return Place(name=name, precision=1) if certain else None
    fitting = [one for one in span.candidates if main is None or one.country == main]
    if span.weak and (main is None or not fitting or evidence.elsewhere > evidence.score(main)):
        return None
    if not fitting:
        fitting = list(span.candidates)
    if _is_elsewhere(fitting[0], evidence):
        return None
    if not span.weak:
        leading = fitting[0]
        same = [one for one in fitting if one.kind == leading.kind]
        return max(same, key=lambda one: _kinship(one, known)) if _tied(same) else leading
    best = max(fitting, key=lambda one: _kinship(one, known))
    if known and not _kinship(best, known) and (best.kind == "neighbourhood" or _tied(fitting)):
        return Place(name=name, precision=1)  # no pin is better than a wrong one
    return best


def _tied(places: list[Place]) -> bool:
    return len({(one.adm1, one.adm2) for one in places}) > 1


def _kinship(place: Place, known: set[str]) -> int:
    """Return how closely a place lies with the certain ones."""
    return 4 * (place.adm3 in known) + 2 * (place.adm2 in known) + (place.adm1 in known) if known else 0


def _is_elsewhere(place: Place, evidence: CountryEvidence) -> bool:
    """Return whether the text tells of Lebanon's town of this name."""
    return place.label == "Tripoli" and evidence.score("LB") > evidence.score("LY") - 2.0


def _with_containers(places: list[ResolvedPlace], text: str) -> list[ResolvedPlace]:
    """Mark the places that only say where the one before them is ("Hara in Daraa province")."""
    out = list(places)
    for at in range(1, len(out)):
        inner, outer = out[at - 1], out[at]
        gap = text[inner.end : outer.start]
        if len(gap) > 40 or any(mark in gap for mark in ".;:"):
            continue
        if _lies_in(inner.place, outer.place):
            out[at] = replace(outer, container=True)
    return out


def _lies_in(inner: Place, outer: Place) -> bool:
    if inner.gazetteer_id == outer.gazetteer_id or inner.precision > outer.precision:
        return False
    if outer.kind in {"adm1", "adm2", "adm3"}:
        return outer.gazetteer_id in {inner.adm1, inner.adm2, inner.adm3} or not inner.gazetteer_id
    return bool(outer.covers) and bool({inner.adm1, inner.adm2, inner.adm3} & set(outer.covers))
