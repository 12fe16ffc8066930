"""The times that log lines tell: often without a year, a day or a zone. Knows no lines."""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")

_DATE = re.compile(rb"(?:(\d{4})[-/.]?)?(\d\d)[-/.]?(\d\d)[T ]")
_CLOCK = re.compile(rb"(\d\d):(\d\d):(\d\d)(?!\d)|:(\d{10})(?=\.)")
_LEAP_YEAR = 2000
_EPOCH = date(1970, 1, 1).toordinal()
_DAY_S = 86_400


class Time(NamedTuple):
    form: str
    """What it says of the day; times can be compared to those of the same form."""
    second: int
    """Whole seconds since a point that all times of the form share."""


def read_time(text: bytes) -> Time | None:
    """The time at the beginning of ``text``, None if it is none."""
    clock = _CLOCK.search(text)
    if clock is None:
        return None
    if clock[4]:
        return Time("dated", int(clock[4]))
    second = int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3])
    dated = _DATE.match(text)
    try:
        if dated:
            day = date(int(dated[1] or _LEAP_YEAR), int(dated[2]), int(dated[3]))
        elif text[:3] in MONTHS:
            day = date(_LEAP_YEAR, MONTHS.index(text[:3]) + 1, int(text[4:6]))
        else:
            return Time("clock", second)
    except ValueError:
        return None
    return Time("dated" if dated and dated[1] else "without year", (day.toordinal() - _EPOCH) * _DAY_S + second)


def passed(before: Time, after: Time) -> int:
    """Seconds between two times; 0 if they cannot be compared, negative if the clock went back."""
    if before.form != after.form:
        return 0
    seconds = after.second - before.second
    if before.form == "clock" and seconds < -_DAY_S // 2:
        seconds += _DAY_S  # past midnight
    return seconds
