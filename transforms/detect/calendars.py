"""One language's words for dates, compiled and checked, and the days that each pattern means."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from typing import Any

from transforms.detect.folding import fold_text
from transforms.detect.slot_data import numbers, only_keys, read_lexicon, words
from transforms.failures import KnowledgeError
from transforms.model import DatePrecision, DateSpan

_AHEAD = timedelta(days=45)  # a day and month without a year this far ahead may still be meant
_LAST_MEANS_BEFORE = timedelta(days=2)
_DAY = DatePrecision.DAY
_SUNDAY = 6
_UNIT_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern, and the name of what it means."""

    pattern: re.Pattern[str]
    means: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """One language's data, compiled."""

    months: dict[str, int]
    weekdays: dict[str, int]
    units: dict[str, str]
    numbers: dict[str, int]
    fixed: dict[str, tuple[int, int]]
    named: dict[str, str]
    parts: dict[str, str]
    rules: tuple[Rule, ...]
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
class Context:
    """What a pattern's meaning is worked out from."""

    found: re.Match[str]
    calendar: Calendar
    anchor: date
    ahead: bool  # the words before point to the future
    last: bool  # "last Friday"
    next: bool  # "next Friday"

    def group(self, name: str) -> str:
        """Return what the pattern's group `name` holds, "" if nothing."""
        return (self.found.groupdict().get(name) or "").strip()

    def number(self, name: str) -> int | None:
        """Return the number in group `name`, None if there is none."""
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


def compile_calendar(table: dict[str, Any], name: str) -> Calendar:
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
    rules: list[Rule] = []
    for index, rule in enumerate(table.get("rule", []), 1):
        only_keys(rule, {"pattern", "means"}, name, f"rule {index}: ")
        if rule.get("means") not in MEANINGS:
            known = ", ".join(sorted(MEANINGS))
            raise KnowledgeError(f"{name}: rule {index}: unknown meaning {rule.get('means')!r}; known are {known}")
        pattern = rule["pattern"]
        for key, value in fill.items():
            pattern = pattern.replace(key, value)
        try:
            rules.append(Rule(re.compile(rf"(?<![\w/]){pattern}(?!\w)"), rule["means"]))
        except re.error as error:
            raise KnowledgeError(f"{name}: rule {index}: {error}") from error
    phrases = re.compile(rf"(?<!\w)(?:{_either([*fixed, *named])})(?!\w)") if fixed or named else None
    future = words(cues, "future", name)
    return Calendar(
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
def calendar_of(lang: str) -> Calendar:
    """Return the package's calendar of a language; English where it has none."""
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


def _month_of(context: Context, name: str = "month") -> int | None:
    word = context.group(name)
    if word:
        return context.calendar.months.get(re.sub(r"\s+", " ", word))
    return context.number("month_number")


def _nearest_year(context: Context, month: int | None, day: int | None) -> int | None:
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


def _day_month_year(context: Context) -> DateSpan | None:
    month, day, year = _month_of(context), context.number("day"), context.number("year")
    if month is not None and month > 12 and not context.group("month"):
        month, day = day, month  # 10/16/2016
    return _span(_day(year, month, day))


def _day_month(context: Context) -> DateSpan | None:
    month, day = _month_of(context), context.number("day")
    return _span(_day(_nearest_year(context, month, day), month, day))


def _days_of_month(context: Context) -> DateSpan | None:
    month, last_day = _month_of(context), context.number("last_day")
    year = context.number("year") or _nearest_year(context, month, last_day)
    first, last = _day(year, month, context.number("day")), _day(year, month, last_day)
    return _span(first, last) if first and last and first <= last else None


def _days_of_months(context: Context) -> DateSpan | None:
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


def _month_year(context: Context) -> DateSpan | None:
    month, year = _month_of(context), context.number("year")
    return _whole_month(year, month) if month and year else None


def _month(context: Context) -> DateSpan | None:
    month = _month_of(context)
    year = _nearest_year(context, month, 1)
    return _whole_month(year, month) if month and year else None


def _part_of_month(context: Context) -> DateSpan | None:
    month = _month_of(context)
    year = context.number("year") or _nearest_year(context, month, 1)
    part = context.calendar.parts.get(re.sub(r"\s+", " ", context.group("part")))
    if not month or not year or not part:
        return None
    length = calendar.monthrange(year, month)[1]
    first, last = {"early": (1, 10), "mid": (11, 20), "late": (21, length)}.get(part, (1, length))
    return DateSpan(start=date(year, month, first), end=date(year, month, last), precision=DatePrecision.WEEK)


def _weekday_at(context: Context, name: str = "weekday") -> date | None:
    weekday = context.calendar.weekdays.get(context.group(name))
    if weekday is None:
        return None
    if context.ahead:
        ahead = (weekday - context.anchor.weekday()) % 7
        return context.anchor + timedelta(days=ahead or (7 if context.next else 0))
    return context.anchor - timedelta(days=(context.anchor.weekday() - weekday) % 7)


def _weekday(context: Context) -> DateSpan | None:
    at = _weekday_at(context)
    if at is not None and context.last and context.anchor - at <= _LAST_MEANS_BEFORE:
        at -= timedelta(days=7)  # "last Thursday", told on Friday, is the one before yesterday's
    return _span(at)


def _latest_weekday(context: Context) -> DateSpan | None:
    """Return the latest such day before publication: what "الثلاثاء الماضي" and "mardi dernier" mean."""
    at = _weekday_at(replace(context, ahead=False))
    return _span(at - timedelta(days=7) if at == context.anchor else at)


def _weekday_range(context: Context) -> DateSpan | None:
    first, last = _weekday_at(context), _weekday_at(context, "last_weekday")
    if first is None or last is None:
        return None
    if context.ahead:
        last += timedelta(days=7 if last < first else 0)
    elif first > last:
        first -= timedelta(days=7)
    return _span(first, last)


def _amount(context: Context) -> tuple[int, str] | None:
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


def _past(context: Context) -> DateSpan | None:
    amount = _amount(context)
    if amount is None:
        return None
    days = _days_in(amount)
    return _span(context.anchor - timedelta(days=days), context.anchor, _precision(days))


def _duration(context: Context) -> DateSpan | None:
    amount = _amount(context)
    return None if amount is None or amount[1] in {"year", "minute"} else _past(context)  # years old is an age


def _ago(context: Context) -> DateSpan | None:
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


def _ahead(context: Context) -> DateSpan | None:
    amount = _amount(context)
    if amount is None or amount[1] not in {"hour", "day", "week"} or not context.ahead:
        return None
    at = context.anchor + timedelta(days=_days_in(amount))
    return _span(at, at, _precision((at - context.anchor).days))


MEANINGS: dict[str, Callable[[Context], DateSpan | None]] = {
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
KINDS = {
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


def named_span(meaning: str, anchor: date) -> DateSpan:
    """Return the days of a named span such as "last_week", counted from `anchor`."""
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
