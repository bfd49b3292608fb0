"""Dates: the days that a text's words mean, worked out from its publication or from the dateline it carries.

The words and patterns of each language are data (`lexicon/dates.<lang>.toml`); what a pattern means is one of the small
functions here. A weekday is the latest one on or before publication unless the words point ahead; a month and day
without a year is the nearest one that makes sense. What is no date of any calendar (31 June) is left out.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from transforms.detect.calendars import KINDS, MEANINGS, Calendar, Context, calendar_of, compile_calendar, named_span
from transforms.detect.folding import Folded, fold
from transforms.detect.spans import DateAt
from transforms.model import DatePrecision, DateSpan

__all__ = ["DateAt", "compile_calendar", "date_for", "find_dateline", "find_dates"]

_DATELINE_WITHIN = 220  # characters from the head of the text
_DATELINE_NEAR = timedelta(days=62)
_CUE_REACH = 60
_PLAIN_WORDS = {"sat", "sun", "wed"}  # days only with a capital; "delegates sat down" is no Saturday


def _matches(pattern: re.Pattern[str] | None, text: str) -> bool:
    return pattern is not None and pattern.search(text) is not None


def _points_ahead(cal: Calendar, before: str, after: str) -> bool:
    """Return whether the words before a date put it after publication; a past verb right after it does not."""
    if _matches(cal.last, before) or _matches(cal.since, before):
        return False
    if _matches(cal.next, before) or _matches(cal.until, before):
        return True
    told = _matches(cal.reporting, before) or (cal.reported is not None and cal.reported.match(after) is not None)
    return not told and _matches(cal.future, before)


def _find(text: str, cal: Calendar, anchor: date, published: date) -> list[tuple[int, int, DateSpan, str]]:
    """Return (start, end, span, kind) over the folded text, overlapping ones settled."""
    found: list[tuple[int, int, int, DateSpan, str]] = []
    for order, rule in enumerate(cal.rules):
        for match in rule.pattern.finditer(text):
            start, end = match.span()
            before = text[max(0, start - _CUE_REACH) : start]
            context = Context(
                match,
                cal,
                anchor,
                ahead=_points_ahead(cal, before, text[end : end + 24]),
                last=_matches(cal.last, before),
                next=_matches(cal.next, before),
            )
            try:
                span = MEANINGS[rule.means](context)
            except (OverflowError, ValueError):
                span = None
            if span is None:
                continue
            kind = KINDS.get(rule.means, "absolute")
            if rule.means in {"day_month_year", "year_month_day"} and _is_dateline(cal, text, start, span, published):
                kind = "dateline"
            elif _matches(cal.since, before) and kind in {"absolute", "weekday", "range", "relative"}:
                span = DateSpan(start=span.start, end=max(span.start, anchor), precision=span.precision)
                kind = "since"
            elif _matches(cal.until, before) and kind in {"absolute", "weekday"} and span.end >= anchor:
                span, kind = DateSpan(start=anchor, end=span.end, precision=span.precision), "range"
            end -= text[start:end].endswith(".")
            found.append((start, -end, order, span, kind))
    if cal.phrases is not None:
        for match in cal.phrases.finditer(text):
            phrase = re.sub(r"\s+", " ", match.group())
            offsets = cal.fixed.get(phrase)
            try:
                span = (
                    named_span(cal.named[phrase], anchor)
                    if offsets is None
                    else DateSpan(start=anchor + timedelta(days=offsets[0]), end=anchor + timedelta(days=offsets[1]))
                )
            except (OverflowError, ValueError):
                continue
            found.append((match.start(), -match.end(), -1, span, "relative"))
    out: list[tuple[int, int, DateSpan, str]] = []
    reached = 0
    for start, minus_end, _, span, kind in sorted(found, key=lambda one: one[:3]):
        if start >= reached:
            out.append((start, -minus_end, span, kind))
            reached = -minus_end
    return out


def _is_dateline(cal: Calendar, text: str, start: int, span: DateSpan, published: date) -> bool:
    """Return whether a full date is one that the text carries as its own, not one that it tells of.

    One near publication counts anywhere near the head; one far from it, as feeds that republish have it, only right at
    the head of a field or after words such as "published".
    """
    before = text[max(0, start - 40) : start].rpartition("\n")[2]
    if start <= _DATELINE_WITHIN and _matches(cal.labelled, before):
        return True
    if start > _DATELINE_WITHIN or _matches(cal.not_dateline, before[-24:]):
        return False
    if abs(published - span.start) <= _DATELINE_NEAR:
        return True
    lead = re.split(r"[.\n|]", text[max(0, start - 60) : start])[-1]
    return cal.dateline_lead is not None and cal.dateline_lead.fullmatch(lead) is not None


def find_dates(text: str, lang: str, published: date) -> list[DateAt]:
    """Return the dates told in `text`, by position; relative ones count from its dateline, else from `published`."""
    cal = calendar_of(lang)
    folded = fold(text)
    plain = _with_joints(folded)
    found = _find(plain, cal, published, published)
    anchor = next((span.start for _, _, span, kind in found if kind == "dateline"), published)
    if anchor != published:
        found = _find(plain, cal, anchor, published)
    dates = [
        DateAt(start=at[0], end=at[1], span=span, kind=kind)
        for at, span, kind in ((folded.span(start, end), span, kind) for start, end, span, kind in found)
    ]
    return [one for one in dates if text[one.start : one.end] not in _PLAIN_WORDS]


def _with_joints(folded: Folded) -> str:
    """Return the folded text with its line breaks: a headline's last words do not lead to the summary's date."""
    if "\n" not in folded.source:
        return folded.text
    ends = zip(folded.text, folded.origins, strict=False)
    return "".join("\n" if folded.source[at] == "\n" else char for char, at in ends)


def find_dateline(text: str, lang: str, published: date) -> date | None:
    """Return the date that the text carries as its own, None where it carries none."""
    return next((one.span.start for one in find_dates(text, lang, published) if one.kind == "dateline"), None)


def date_for(dates: list[DateAt], start: int, end: int, text: str, anchor: date, lang: str = "en") -> DateSpan:
    """Return the day of what is told in `text[start:end]`: a date inside it, else near it, else `anchor`.

    Args:
        dates: What `find_dates` found in the same text.
        start: First code point of the evidence.
        end: One past its last.
        text: The text, for its sentence ends.
        anchor: The dateline or publication day, for what is told without a date.
        lang: The text's language, for the words that begin another clause.
    """
    lead = [one for one in dates if one.kind == "after" and (0 <= start - one.end <= 3 or abs(one.start - start) <= 1)]
    if lead:
        return lead[0].span
    dated = [one for one in dates if one.kind not in {"dateline", "after"}]
    inside = [one for one in dated if start <= one.start and one.end <= end and _tells_of_news(one, anchor, own=True)]
    if not inside:
        left = max(text.rfind(mark, 0, start) for mark in _SENTENCE_ENDS) + 1
        ends = [at for at in (text.find(mark, end) for mark in _SENTENCE_ENDS) if at >= 0]
        right = min(ends, default=len(text))
        other = calendar_of(lang).other_clause
        inside = [
            one
            for one in dated
            if _tells_of_news(one, anchor)
            and left <= one.start
            and one.end <= right
            and one.kind not in {"since", "duration"}
            and not (one.start >= end and other is not None and other.search(fold(text[end : one.start]).text))
        ]
    if not inside:
        return DateSpan(start=anchor, end=anchor)
    return min(inside, key=lambda one: (_TRUST.get(one.kind, 4), max(one.start - end, start - one.end, 0))).span


_SENTENCE_ENDS = (". ", "! ", "? ", "; ", "؟ ")
_TRUST = {"absolute": 0, "weekday": 0, "range": 0, "relative": 0, "since": 2, "duration": 3}
_NEWS = timedelta(days=31)


def _tells_of_news(one: DateAt, anchor: date, *, own: bool = False) -> bool:
    """Return whether a date can be that of news: whole months and long spans that began long ago are background.

    In the event's `own` words "last month" is its date; elsewhere in the sentence it is that of something before.
    """
    if one.span.precision is DatePrecision.DAY:
        return True
    if one.span.precision is DatePrecision.MONTH and not (one.kind == "duration" or (own and one.kind == "relative")):
        return False
    return anchor - one.span.start <= (2 * _NEWS if own else _NEWS)
