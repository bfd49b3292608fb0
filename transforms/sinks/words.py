"""An alert in words, for people: headline, day, place and toll, alike in every sink that is read and not parsed."""

from __future__ import annotations

from transforms.model import Alert, Basis, Change, DatePrecision, DateSpan, Family, Place, Realis, Stage, Toll
from transforms.sinks.safe import safe_text, shortened

_STAGES = {
    Stage.CALLED_FOR: "ceasefire called for",
    Stage.NEGOTIATING: "ceasefire talks",
    Stage.AGREED: "ceasefire agreed",
    Stage.IN_EFFECT: "ceasefire in effect",
    Stage.EXTENDED: "ceasefire extended",
    Stage.REJECTED: "ceasefire rejected",
    Stage.ENDED: "ceasefire ended",
}
_NEAR = 2  # geo precision: near the place, or the area around it
_COUNTRIES = {"SY": "Syria", "LY": "Libya"}


def country_name(code: str) -> str:
    """Return the country's English name, or the code where it is another."""
    return _COUNTRIES.get(code, code)


def kind_words(alert: Alert) -> str:
    """Return what it is in a few words: "ceasefire agreed", "ceasefire violation: shelling"."""
    if alert.family is Family.CEASEFIRE:
        return _STAGES[alert.stage] if alert.stage else "ceasefire"
    what = "ceasefire violation" if alert.family is Family.VIOLATION else "armed act"
    means = alert.means.value if alert.means else "unspecified"
    return what if means == "unspecified" else f"{what}: {means}"


def place_name(place: Place) -> str:
    """Return the gazetteer's name, marked where only the area around it is meant; else the name as told."""
    name = safe_text(place.label or place.name)
    around = place.precision == _NEAR and place.kind in ("town", "neighbourhood")
    return f"{name} area" if around and place.label else name


def place_words(alert: Alert, most: int = 3) -> str:
    """Return the places told, at most `most` of them, then the country."""
    names = list(dict.fromkeys(place_name(place) for place in alert.places))
    more = f" and {len(names) - most} more" if len(names) > most else ""
    where = ", ".join(names[:most]) + more
    country = country_name(alert.country)
    return f"{where} ({country})" if where and where != country else country


def day_words(span: DateSpan | None) -> str:
    """Return the day or days told, marked where only the week or month is known; "" where none is."""
    if span is None:
        return ""
    day = span.start.isoformat() if span.start == span.end else f"{span.start.isoformat()} to {span.end.isoformat()}"
    return day if span.precision is DatePrecision.DAY else f"{day} (to the {span.precision})"


def range_words(toll: Toll) -> str:
    """Return "5", "3 to 5" or "" where no figure is told."""
    if toll.low is None:
        return "" if toll.high is None else str(toll.high)
    return str(toll.low) if toll.high in (None, toll.low) else f"{toll.low} to {toll.high}"


def toll_words(alert: Alert) -> str:
    """Return the tolls, such as "3 to 5 killed, 12 injured", or ""."""
    told = [(range_words(alert.killed), "killed"), (range_words(alert.injured), "injured")]
    return ", ".join(f"{figure} {word}" for figure, word in told if figure)


def certainty_words(alert: Alert) -> str:
    """Return "alleged by ..." or how else the report is limited, "" where it is told as a fact."""
    if alert.certainty is Realis.ALLEGED:
        who = ", ".join(safe_text(name) for name in alert.alleged_by[:3])
        return f"alleged by {who}" if who else "alleged"
    return "" if alert.certainty is Realis.ASSERTED else alert.certainty.value


def denied_words(alert: Alert) -> str:
    """Return "denied by ...", "" where nobody denies it."""
    who = ", ".join(safe_text(name) for name in alert.denied_by[:3])
    return f"denied by {who}" if who else ""


def headline(alert: Alert) -> str:
    """Return one line that says what, where, when, how many, and how sure."""
    mark = {Change.NEW: "", Change.UPDATED: "Update: ", Change.RETRACTED: "Retracted: "}[alert.change]
    words = kind_words(alert)
    parts = [f"{words[0].upper()}{words[1:]}, {place_words(alert)}"]
    told = (day_words(alert.date), toll_words(alert), certainty_words(alert), denied_words(alert))
    parts += [part for part in told if part]
    return shortened(mark + "; ".join(parts), 250)


def ceasefire_words(alert: Alert) -> str:
    """Return which ceasefire it breaks or belongs to and who says so, or ""."""
    if not alert.ceasefire_id:
        return ""
    name = safe_text(alert.ceasefire_name or alert.ceasefire_id)
    if alert.family is not Family.VIOLATION:
        return name
    how = "inferred from its dates, ground and parties" if alert.basis is Basis.INFERRED else "so reported"
    return f"{name} ({how})"


def outlet_words(alert: Alert) -> str:
    """Return the outlets, and how many of them are independent where copies are among them."""
    names = ", ".join(safe_text(name) for name in alert.outlets)
    if alert.independent_outlets < len(alert.outlets):
        return f"{names} ({alert.independent_outlets} independent)"
    return names


def first_quote(alert: Alert) -> str:
    """Return the first quote that stands behind the alert, or ""."""
    return safe_text(alert.evidence[0].quote) if alert.evidence else ""
