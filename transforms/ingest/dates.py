"""When an item was published: written dates read with the zone they name, or marked as naming none."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from time import struct_time

# Abbreviations in use where the feeds come from; RFC 822's own (GMT, EST, ...) are known to `email.utils`.
ZONES = {
    "EET": 2, "EEST": 3, "CET": 1, "CEST": 2, "MET": 1, "MEST": 2, "MSK": 3, "MSD": 4, "BST": 1, "WET": 0, "WEST": 1,
    "TRT": 3, "AST": 3, "SYT": 2, "SAST": 2, "CAT": 2, "EAT": 3, "IDT": 3, "GST": 4,
}  # fmt: skip
_ZONE_NAME = re.compile(r"\s\(?([A-Z]{3,4})\)?$")
_ZONED = re.compile(r"(?:Z|\+\d{2}:?\d{2}|-(?!0000)\d{2}:?\d{2}|\b(?:UTC?|GMT|[ECMP][SD]T))\)?$", re.IGNORECASE)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?\Z")
_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
_NO_YEAR = re.compile(r"-\d|0000-")  # years before Christ, and the zero date of databases
BEFORE_ALL = -62_135_596_800.0  # the year 1: whatever is so old is clamped and flagged
MAX_OFFSET_S = 14 * 3600


def read_date(written: str, parsed: struct_time | None = None) -> tuple[float, bool] | None:
    """Return seconds since 1970 and whether the date names no zone, or None where no date can be read.

    Args:
        written: The date as written.
        parsed: What feedparser made of it, for forms that are not read here; it takes naive times as UTC.
    """
    written = written.strip().translate(_DIGITS)
    if _NO_YEAR.match(written):
        return BEFORE_ALL, False
    own = _own(written)
    if own is not None:
        return own
    if parsed is None:
        return None
    try:
        return float(calendar.timegm(parsed)), not _ZONED.search(written)
    except (ValueError, OverflowError, TypeError):
        return None


def offset_of(*written: str) -> int | None:
    """Return the offset from UTC in seconds that the first dated text with a zone other than UTC names, else None."""
    for text in written:
        found = re.search(r"([+-])(\d{2}):?(\d{2})\)?$", text.strip())
        if found:
            seconds = (int(found[2]) * 60 + int(found[3])) * 60
            if 0 < seconds <= MAX_OFFSET_S:
                return -seconds if found[1] == "-" else seconds
    return None


def _own(written: str) -> tuple[float, bool] | None:
    """Read ISO 8601 and RFC 822 dates, zone abbreviations of the region included."""
    named = _ZONE_NAME.search(written)
    hours = ZONES.get(named[1]) if named else None
    if named and hours is not None:
        bare = _own(written[: named.start()])
        return (bare[0] - hours * 3600, False) if bare and bare[1] else None
    try:
        if _ISO.match(written):
            day = datetime.fromisoformat(written)
            naive = day.tzinfo is None
            return (day.replace(tzinfo=UTC) if naive else day).timestamp(), naive
        fields = parsedate_tz(written) if len(written) > 10 else None
        if fields is None or not 1000 <= fields[0] <= 9999:
            return None
        offset = fields[9] or 0
        if abs(offset) > MAX_OFFSET_S:
            return None
        day = datetime(*fields[:6], tzinfo=timezone(timedelta(seconds=offset)))
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return day.timestamp(), not _ZONED.search(written)
