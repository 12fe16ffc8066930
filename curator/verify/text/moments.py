"""Dates and times of day as people write them, and whether a time fact is the one they mean. Knows no other fact."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()  # noqa: SIM905 - reads better
_MONTH = (
    r"(?P<{0}>January|February|March|April|May|June|July|August|September|October|November|December"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)\.?"
)
_ZONES = {"Z": 0, "UTC": 0, "GMT": 0, "PDT": -7, "PST": -8, "EDT": -4, "EST": -5, "CEST": 2, "CET": 1, "BST": 1}
_ZONE = rf"(?:[ ]?(?P<zone>{'|'.join(_ZONES)}|[+-]\d\d:?\d\d)(?!\w))?"
_CLOCK = (
    r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:\.\d+)?)?(?![\d:])"
    r"(?:[ ]?(?P<half>[ap]\.?m\b))?"
)
_DATE = (
    r"(?:(?P<year>\d{4})[-/](?P<month>0[1-9]|1[0-2])(?:[-/](?P<day>0[1-9]|[12]\d|3[01]))?(?=T|\b)"
    rf"|{_MONTH.format('name')}[ ](?P<day2>\d{{1,2}})(?:st|nd|rd|th)?(?!\w)(?:,?[ ](?P<year2>\d{{4}})(?!\w))?"
    rf"|(?P<day3>\d{{1,2}})(?:st|nd|rd|th)?[ ]{_MONTH.format('name3')}(?!\w)(?:,?[ ](?P<year3>\d{{4}})(?!\w))?)"
)
_MOMENT = re.compile(rf"{_DATE}(?:(?:[T ]|,[ ]|[ ]at[ ]){_CLOCK}{_ZONE})?")
_TIME_OF_DAY = re.compile(_CLOCK + _ZONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What a text says of a date or a time of day; None for what it leaves out."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    hour: int | None = None
    minute: int | None = None
    second: int | None = None
    offset: timedelta = timedelta()
    """Of the zone it is given in; UTC unless it says."""

    def means(self, time: datetime) -> bool:
        """Whether it can be said of ``time``."""
        local = (time.astimezone(UTC) + self.offset).replace(tzinfo=None)
        names = ("year", "month", "day", "hour", "minute", "second")
        return all(getattr(self, name) in {None, getattr(local, name)} for name in names)


def match(text: str, position: int) -> tuple[int, Moment] | None:
    """The date, time of day or both that start at ``position`` of a normalised text, and where they end."""
    found = _MOMENT.match(text, position)
    if found:
        year = found["year"] or found["year2"] or found["year3"]
        day = found["day"] or found["day2"] or found["day3"]
        name = (found["name"] or found["name3"] or "")[:3].lower()
        month = int(found["month"]) if found["month"] else _MONTHS.index(name) + 1
        moment = _with_clock(found, year=int(year) if year else None, month=month, day=int(day) if day else None)
        return found.end(), moment
    clock = _TIME_OF_DAY.match(text, position)
    return (clock.end(), _with_clock(clock)) if clock else None


def parse_time(text: str) -> datetime | None:
    """A time fact's value; a time without a zone is UTC."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _with_clock(
    found: re.Match[str], *, year: int | None = None, month: int | None = None, day: int | None = None
) -> Moment:
    hour = int(found["hour"]) if found["hour"] else None
    if hour is not None and found["half"]:
        hour = hour % 12 + (12 if found["half"][0] == "p" else 0)
    return Moment(
        year=year,
        month=month,
        day=day,
        hour=hour,
        minute=int(found["minute"]) if found["minute"] else None,
        second=int(found["second"]) if found["second"] else None,
        offset=_offset(found["zone"] or "Z"),
    )


def _offset(zone: str) -> timedelta:
    if zone in _ZONES:
        return timedelta(hours=_ZONES[zone])
    digits = zone[1:].replace(":", "")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -size if zone[0] == "-" else size
