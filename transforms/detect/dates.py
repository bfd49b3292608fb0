"""Dates: the days that a text's words mean, worked out from its publication or from the dateline it carries.

The words and patterns of each language are data (`lexicon/dates.<lang>.toml`); what a pattern means is one of the small
functions here. A weekday is the latest one on or before publication unless the words point ahead; a month and day
without a year is the nearest one that makes sense. What is no date of any calendar (31 June) is left out.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from typing import Any

from transforms.detect.folding import fold, fold_text
from transforms.detect.slot_data import numbers, only_keys, read_lexicon, words
from transforms.detect.spans import DateAt
from transforms.failures import KnowledgeError
from transforms.model import DatePrecision, DateSpan

__all__ = ["DateAt", "date_for", "find_dateline", "find_dates"]

_AHEAD = timedelta(days=45)  # a day and month without a year this far ahead may still be meant
_DATELINE_WITHIN = 220  # characters from the head of the text
_DATELINE_NEAR = timedelta(days=62)
_LAST_MEANS_BEFORE = timedelta(days=2)
_CUE_REACH = 60
_DAY = DatePrecision.DAY
_SUNDAY = 6
_UNIT_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    means: str


@dataclass(frozen=True, slots=True)
class _Calendar:
    """One language's data, compiled."""

    months: dict[str, int]
    weekdays: dict[str, int]
    units: dict[str, str]
    numbers: dict[str, int]
    fixed: dict[str, tuple[int, int]]
    named: dict[str, str]
    parts: dict[str, str]
    rules: tuple[_Rule, ...]
    phrases: re.Pattern[str] | None
    since: re.Pattern[str] | None
    next: re.Pattern[str] | None
    last: re.Pattern[str] | None
    until: re.Pattern[str] | None
    future: re.Pattern[str] | None
    reporting: re.Pattern[str] | None
    reported: re.Pattern[str] | None
    other_clause: re.Pattern[str] | None
    not_dateline: re.Pattern[str] | None
    dateline_lead: re.Pattern[str] | None
    labelled: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class _Context:
    """What a pattern's meaning is worked out from."""

    found: re.Match[str]
    calendar: _Calendar
    anchor: date
    ahead: bool  # the words before point to the future
    last: bool  # "last Friday"
    next: bool  # "next Friday"

    def group(self, name: str) -> str:
        return (self.found.groupdict().get(name) or "").strip()

    def number(self, name: str) -> int | None:
        word = self.group(name)
        return int(word) if word.isdigit() else None


# ---------------------------------------------------------------- loading

_KEYS = {"months", "weekdays", "units", "numbers", "fixed", "named", "parts", "cues", "rule"}
_CUES = {"since", "next", "last", "until", "future", "reporting", "not_dateline", "dateline_lead", "other_clause"}


def _either(of: Any) -> str:
    return "|".join(sorted((re.escape(one).replace("\\ ", r"\s+") for one in of), key=lambda one: (-len(one), one)))


def _before(of: tuple[str, ...], prefix: str = "") -> re.Pattern[str] | None:
    return re.compile(rf"(?<!\w){prefix}(?:{_either(of)})\W+(?:\w+\W+)?$") if of else None


def _after(of: tuple[str, ...]) -> re.Pattern[str] | None:
    return re.compile(rf"\s+(?:{_either(of)})(?!\w)") if of else None


def _labels(of: tuple[str, ...]) -> re.Pattern[str] | None:
    return re.compile(rf"(?<!\w)(?:{_either(of)})\W*$") if of else None


def _within(of: tuple[str, ...]) -> re.Pattern[str] | None:
    return re.compile(rf"(?<!\w)(?:{_either(of)})(?!\w)") if of else None


def compile_calendar(table: dict[str, Any], name: str) -> _Calendar:
    """Return the checked calendar of one language's table."""
    only_keys(table, _KEYS, name)
    cues = table.get("cues", {})
    only_keys(cues, _CUES, name, "cues: ")
    months, weekdays = numbers(table, "months", name), numbers(table, "weekdays", name)
    units = {fold_text(k): v for k, v in table.get("units", {}).items()}
    counts = numbers(table, "numbers", name)
    parts = {fold_text(k): v for k, v in table.get("parts", {}).items()}
    named = {fold_text(k): v for k, v in table.get("named", {}).items()}
    for phrase, meaning in named.items():
        if meaning not in _NAMED:
            raise KnowledgeError(f"{name}: named.{phrase}: unknown {meaning!r}; known are {', '.join(sorted(_NAMED))}")
    fixed: dict[str, tuple[int, int]] = {}
    for phrase, offsets in table.get("fixed", {}).items():
        if not (isinstance(offsets, list) and len(offsets) == 2 and all(isinstance(one, int) for one in offsets)):
            raise KnowledgeError(f"{name}: fixed.{phrase}: expected [first, last] in days, found {offsets!r}")
        fixed[fold_text(phrase)] = (offsets[0], offsets[1])
    fill = {
        "{months}": _either(months) or "(?!)",
        "{weekdays}": _either(weekdays) or "(?!)",
        "{month}": f"(?P<month>{_either(months) or '(?!)'})",
        "{weekday}": f"(?P<weekday>{_either(weekdays) or '(?!)'})",
        "{n}": rf"(?P<n>\d{{1,3}}|{_either(counts) or '(?!)'})",
        "{unit}": rf"(?P<unit>{_either(units) or '(?!)'})",
        "{part}": rf"(?P<part>{_either(parts) or '(?!)'})",
        "{day}": r"(?P<day>\d{1,2})",
        "{year}": r"(?P<year>(?:19|20)\d\d)\b",
    }
    rules: list[_Rule] = []
    for index, rule in enumerate(table.get("rule", []), 1):
        only_keys(rule, {"pattern", "means"}, name, f"rule {index}: ")
        if rule.get("means") not in _MEANINGS:
            known = ", ".join(sorted(_MEANINGS))
            raise KnowledgeError(f"{name}: rule {index}: unknown meaning {rule.get('means')!r}; known are {known}")
        pattern = rule["pattern"]
        for key, value in fill.items():
            pattern = pattern.replace(key, value)
        try:
            rules.append(_Rule(re.compile(rf"(?<![\w/]){pattern}(?!\w)"), rule["means"]))
        except re.error as error:
            raise KnowledgeError(f"{name}: rule {index}: {error}") from error
    phrases = re.compile(rf"(?<!\w)(?:{_either([*fixed, *named])})(?!\w)") if fixed or named else None
    future = words(cues, "future", name)
    return _Calendar(
        months=months,
        weekdays=weekdays,
        units=units,
        numbers=counts,
        fixed=fixed,
        named=named,
        parts=parts,
        rules=tuple(rules),
        phrases=phrases,
        since=_before(words(cues, "since", name)),
        next=_before(words(cues, "next", name)),
        last=_before(words(cues, "last", name)),
        until=_before(words(cues, "until", name)),
        future=re.compile(rf"(?<!\w)(?:{_either(future)})(?!\w)[^.;!?]*$") if future else None,
        reporting=_before(words(cues, "reporting", name)),
        reported=_after(words(cues, "reporting", name)),
        other_clause=_within(words(cues, "other_clause", name)),
        not_dateline=_before(words(cues, "not_dateline", name)),
        labelled=_labels(words(cues, "dateline_lead", name)),
        dateline_lead=re.compile(rf"\W*(?:(?:{_either(words(cues, 'dateline_lead', name)) or '(?!)'})\W*)*"),
    )


@cache
def _calendar(lang: str) -> _Calendar:
    name = f"dates.{lang}.toml"
    return compile_calendar(read_lexicon(name) or read_lexicon("dates.en.toml"), name)


# ---------------------------------------------------------------- meanings


def _day(year: int | None, month: int | None, day: int | None) -> date | None:
    """Return the day, None where the calendar has none such."""
    if year is None or month is None or day is None:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _month_of(context: _Context, name: str = "month") -> int | None:
    word = context.group(name)
    if word:
        return context.calendar.months.get(re.sub(r"\s+", " ", word))
    return context.number("month_number")


def _nearest_year(context: _Context, month: int | None, day: int | None) -> int | None:
    """Return the year that makes a day and month the latest one, or the next one where it is near."""
    if month is None or day is None:
        return None
    for year in (context.anchor.year + 1, context.anchor.year, context.anchor.year - 1):
        at = _day(year, month, day)
        if at is not None and at <= context.anchor + _AHEAD:
            return year
    return context.anchor.year


def _span(first: date | None, last: date | None = None, precision: DatePrecision = _DAY) -> DateSpan | None:
    if first is None:
        return None
    last = last or first
    return DateSpan(start=min(first, last), end=max(first, last), precision=precision)


def _day_month_year(context: _Context) -> DateSpan | None:
    month, day, year = _month_of(context), context.number("day"), context.number("year")
    if month is not None and month > 12 and not context.group("month"):
        month, day = day, month  # 10/16/2016
    return _span(_day(year, month, day))


def _day_month(context: _Context) -> DateSpan | None:
    month, day = _month_of(context), context.number("day")
    return _span(_day(_nearest_year(context, month, day), month, day))


def _days_of_month(context: _Context) -> DateSpan | None:
    month, last_day = _month_of(context), context.number("last_day")
    year = context.number("year") or _nearest_year(context, month, last_day)
    first, last = _day(year, month, context.number("day")), _day(year, month, last_day)
    return _span(first, last) if first and last and first <= last else None


def _days_of_months(context: _Context) -> DateSpan | None:
    month, last_month = _month_of(context), _month_of(context, "last_month")
    last_day = context.number("last_day")
    year = context.number("year") or _nearest_year(context, last_month, last_day)
    last = _day(year, last_month, last_day)
    if last is None or month is None or last_month is None:
        return None
    first = _day(last.year - (month > last_month), month, context.number("day"))
    return _span(first, last) if first and first <= last else None


def _whole_month(year: int, month: int) -> DateSpan:
    last = calendar.monthrange(year, month)[1]
    return DateSpan(start=date(year, month, 1), end=date(year, month, last), precision=DatePrecision.MONTH)


def _month_year(context: _Context) -> DateSpan | None:
    month, year = _month_of(context), context.number("year")
    return _whole_month(year, month) if month and year else None


def _month(context: _Context) -> DateSpan | None:
    month = _month_of(context)
    year = _nearest_year(context, month, 1)
    return _whole_month(year, month) if month and year else None


def _part_of_month(context: _Context) -> DateSpan | None:
    month = _month_of(context)
    year = context.number("year") or _nearest_year(context, month, 1)
    part = context.calendar.parts.get(re.sub(r"\s+", " ", context.group("part")))
    if not month or not year or not part:
        return None
    length = calendar.monthrange(year, month)[1]
    first, last = {"early": (1, 10), "mid": (11, 20), "late": (21, length)}.get(part, (1, length))
    return DateSpan(start=date(year, month, first), end=date(year, month, last), precision=DatePrecision.WEEK)


def _weekday_at(context: _Context, name: str = "weekday") -> date | None:
    weekday = context.calendar.weekdays.get(context.group(name))
    if weekday is None:
        return None
    if context.ahead:
        ahead = (weekday - context.anchor.weekday()) % 7
        return context.anchor + timedelta(days=ahead or (7 if context.next else 0))
    return context.anchor - timedelta(days=(context.anchor.weekday() - weekday) % 7)


def _weekday(context: _Context) -> DateSpan | None:
    at = _weekday_at(context)
    if at is not None and context.last and context.anchor - at <= _LAST_MEANS_BEFORE:
        at -= timedelta(days=7)  # "last Thursday", told on Friday, is the one before yesterday's
    return _span(at)


def _latest_weekday(context: _Context) -> DateSpan | None:
    """Return the latest such day before publication: what "الثلاثاء الماضي" and "mardi dernier" mean."""
    at = _weekday_at(replace(context, ahead=False))
    return _span(at - timedelta(days=7) if at == context.anchor else at)


def _weekday_range(context: _Context) -> DateSpan | None:
    first, last = _weekday_at(context), _weekday_at(context, "last_weekday")
    if first is None or last is None:
        return None
    if context.ahead:
        last += timedelta(days=7 if last < first else 0)
    elif first > last:
        first -= timedelta(days=7)
    return _span(first, last)


def _amount(context: _Context) -> tuple[int, str] | None:
    word = re.sub(r"\s+", " ", context.group("n"))
    count = int(word) if word.isdigit() else context.calendar.numbers.get(word, 1)
    unit = context.calendar.units.get(re.sub(r"\s+", " ", context.group("unit")))
    return (count, unit) if unit else None


def _days_in(amount: tuple[int, str]) -> int:
    count, unit = amount
    if unit == "hour":
        return -(-count // 24)
    return count * _UNIT_DAYS.get(unit, 0)


def _precision(days: int) -> DatePrecision:
    return _DAY if days <= 3 else DatePrecision.WEEK if days <= 10 else DatePrecision.MONTH


def _past(context: _Context) -> DateSpan | None:
    amount = _amount(context)
    if amount is None:
        return None
    days = _days_in(amount)
    return _span(context.anchor - timedelta(days=days), context.anchor, _precision(days))


def _duration(context: _Context) -> DateSpan | None:
    amount = _amount(context)
    return None if amount is None or amount[1] in {"year", "minute"} else _past(context)  # years old is an age


def _ago(context: _Context) -> DateSpan | None:
    amount = _amount(context)
    if amount is None:
        return None
    count, unit = amount
    if unit in {"hour", "minute"}:
        return _span(context.anchor - timedelta(days=count // 24))
    days = _days_in(amount)
    at = context.anchor - timedelta(days=days)
    if unit == "day":
        return _span(at)
    if unit == "week":
        return _span(at, at, DatePrecision.WEEK)
    return _span(at - timedelta(days=15), at + timedelta(days=15), DatePrecision.MONTH)


def _ahead(context: _Context) -> DateSpan | None:
    amount = _amount(context)
    if amount is None or amount[1] not in {"hour", "day", "week"} or not context.ahead:
        return None
    at = context.anchor + timedelta(days=_days_in(amount))
    return _span(at, at, _precision((at - context.anchor).days))


_MEANINGS: dict[str, Callable[[_Context], DateSpan | None]] = {
    "year_month_day": _day_month_year,
    "day_month_year": _day_month_year,
    "day_month": _day_month,
    "days_of_month": _days_of_month,
    "days_of_months": _days_of_months,
    "month_year": _month_year,
    "month": _month,
    "part_of_month": _part_of_month,
    "weekday": _weekday,
    "weekday_next": lambda context: _weekday(replace(context, ahead=True)),
    "weekday_last": _latest_weekday,
    "weekday_range": _weekday_range,
    "past": _past,
    "ago": _ago,
    "after": _ago,
    "ahead": _ahead,
    "duration": _duration,
}
_KINDS = {
    "weekday": "weekday",
    "weekday_next": "weekday",
    "weekday_last": "weekday",
    "weekday_range": "range",
    "days_of_month": "range",
    "days_of_months": "range",
    "past": "relative",
    "ago": "relative",
    "after": "after",
    "ahead": "relative",
    "duration": "duration",
}


def _month_before(anchor: date, months: int) -> date:
    total = anchor.year * 12 + anchor.month - 1 - months
    return date(total // 12, total % 12 + 1, 1)


def _named_span(meaning: str, anchor: date) -> DateSpan:
    monday = anchor - timedelta(days=anchor.weekday())
    week, month = DatePrecision.WEEK, DatePrecision.MONTH
    if anchor.weekday() == _SUNDAY and meaning == "last_week":
        return DateSpan(start=anchor - timedelta(days=7), end=anchor - timedelta(days=1), precision=week)
    spans: dict[str, tuple[date, date, DatePrecision]] = {
        "this_week": (monday, anchor, week),
        "rest_of_week": (anchor, monday + timedelta(days=6), week),
        "last_week": (monday - timedelta(days=7), monday - timedelta(days=1), week),
        "past_week": (anchor - timedelta(days=7), anchor, week),
        "next_week": (monday + timedelta(days=7), monday + timedelta(days=13), week),
        "this_month": (anchor.replace(day=1), anchor, month),
        "past_month": (anchor - timedelta(days=30), anchor, month),
        "this_year": (anchor.replace(month=1, day=1), anchor, month),
        "last_year": (date(anchor.year - 1, 1, 1), date(anchor.year - 1, 12, 31), month),
    }
    if meaning == "weekend":
        saturday = anchor - timedelta(days=(anchor.weekday() - 5) % 7)
        return DateSpan(start=saturday, end=min(saturday + timedelta(days=1), anchor), precision=_DAY)
    if meaning in {"last_month", "next_month"}:
        first = _month_before(anchor, 1 if meaning == "last_month" else -1)
        return _whole_month(first.year, first.month)
    start, end, precision = spans[meaning]
    return DateSpan(start=start, end=end, precision=precision)


_NAMED = {
    "this_week",
    "rest_of_week",
    "last_week",
    "past_week",
    "next_week",
    "weekend",
    "this_month",
    "past_month",
    "last_month",
    "next_month",
    "this_year",
    "last_year",
}


# ---------------------------------------------------------------- finding


def _matches(pattern: re.Pattern[str] | None, text: str) -> bool:
    return pattern is not None and pattern.search(text) is not None


def _points_ahead(cal: _Calendar, before: str, after: str) -> bool:
    """Return whether the words before a date put it after publication; a past verb right after it does not."""
    if _matches(cal.last, before) or _matches(cal.since, before):
        return False
    if _matches(cal.next, before) or _matches(cal.until, before):
        return True
    told = _matches(cal.reporting, before) or (cal.reported is not None and cal.reported.match(after) is not None)
    return not told and _matches(cal.future, before)


def _find(text: str, cal: _Calendar, anchor: date, published: date) -> list[tuple[int, int, DateSpan, str]]:
    """Return (start, end, span, kind) over the folded text, overlapping ones settled."""
    found: list[tuple[int, int, int, DateSpan, str]] = []
    for order, rule in enumerate(cal.rules):
        for match in rule.pattern.finditer(text):
            start, end = match.span()
            before = text[max(0, start - _CUE_REACH) : start]
            context = _Context(
                match,
                cal,
                anchor,
                ahead=_points_ahead(cal, before, text[end : end + 24]),
                last=_matches(cal.last, before),
                next=_matches(cal.next, before),
            )
            try:
                span = _MEANINGS[rule.means](context)
            except (OverflowError, ValueError):
                span = None
            if span is None:
                continue
            kind = _KINDS.get(rule.means, "absolute")
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
                    _named_span(cal.named[phrase], anchor)
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


def _is_dateline(cal: _Calendar, text: str, start: int, span: DateSpan, published: date) -> bool:
    """Return whether a full date is one that the text carries as its own, not one that it tells of.

    One near publication counts anywhere near the head; one far from it, as feeds that republish have it, only right at
    the head of a field or after words such as "published".
    """
    if start <= _DATELINE_WITHIN and _matches(cal.labelled, text[max(0, start - 40) : start]):
        return True
    if start > _DATELINE_WITHIN or _matches(cal.not_dateline, text[max(0, start - 24) : start]):
        return False
    if abs(published - span.start) <= _DATELINE_NEAR:
        return True
    lead = re.split(r"[.\n|]", text[max(0, start - 60) : start])[-1]
    return cal.dateline_lead is not None and cal.dateline_lead.fullmatch(lead) is not None


def find_dates(text: str, lang: str, published: date) -> list[DateAt]:
    """Return the dates told in `text`, by position; relative ones count from its dateline, else from `published`."""
    cal = _calendar(lang)
    folded = fold(text)
    found = _find(folded.text, cal, published, published)
    anchor = next((span.start for _, _, span, kind in found if kind == "dateline"), published)
    if anchor != published:
        found = _find(folded.text, cal, anchor, published)
    return [
        DateAt(start=at[0], end=at[1], span=span, kind=kind)
        for at, span, kind in ((folded.span(start, end), span, kind) for start, end, span, kind in found)
    ]


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
        other = _calendar(lang).other_clause
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
