"""The grammar of an entry's heading: when, which experiments, what. Knows neither files nor Markdown blocks.

People write ``2026-07-02 09:08 UTC - MOE-SP-001 label``, ``2026-05-05T23:36Z - PERF-004..012 label``,
``label (2026-05-25)`` and much else. Reading never fails: what is not understood stays in the label.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

_DATE = r"(?<!\d)(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!\d)(?:/\d\d(?!\d))?"
_CLOCK = r"~?(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
_ZONES = {
    zone: hours
    for hours, zones in {
        -8: "PST PT",
        -7: "PDT MST MT",
        -6: "MDT CST CT",
        -5: "CDT EST ET",
        -4: "EDT",
        0: "UTC GMT Z",
        1: "BST CET",
        2: "CEST",
        9: "JST",
    }.items()
    for zone in zones.split()
}
_TIME = re.compile(
    rf"(?P<date>{_DATE})(?:(?P<between>T|,?\s+(?:at\s+)?|\s*(?=~))(?P<clock>{_CLOCK})(?:\s?[-–]\s?{_CLOCK})?"
    rf"(?:\s?(?P<zone>{'|'.join(sorted(_ZONES, key=len, reverse=True))})(?![\w-])|(?P<offset>(?<=\d)[+]\d\d:?\d\d))?)?"
)

_SEPARATOR = r"(?:\s*(?:--|[-:|·,])\s+|\s*[–—]\s*|\s+)"
_LEADING = re.compile(rf"[\])*_`]*{_SEPARATOR}")

_ID = r"[A-Z][A-Z0-9_]*+(?:-(?=[0-9_]*+[A-Z])[A-Z0-9_]++)*+-\d{1,9}(?:[a-z]\d*)?(?:-[ar]\d+)?(?![\w%])"
_FIRST_ID = re.compile(rf"[\[(`*]*(?P<id>{_ID}|0\d\d[a-z]?(?!\w))")
_NEXT_ID = re.compile(
    rf"(?P<join>\s*(?:(?P<range>\.{{2,3}}|…|–|\bto\b)|/|\+|&|,|\band\b)\s*)(?P<id>{_ID}|\d{{1,9}}(?:[a-z]\d*)?(?![\w%.]))"
)
_NUMBER = re.compile(r"(?P<prefix>.*-|)(?P<number>\d+)(?P<suffix>[a-z]\d*)?(?:-[ar]\d+)?\Z")
_NO_EXPERIMENT = re.compile(r"(?:(?:[ABHLV]|G[BH]|MI)\d+[A-Z]*-[1-9]\d?|UTF-\d+|SHA-\d+)\Z")
"""A device with its count and the like."""
_AFTER_IDS = re.compile(r"[\])`*]*\s*(?:[-:–—|·,]+\s+)?\s*")
_ENCLOSED_AT_END = re.compile(r"[\[(]([^()\[\]]+)[\])]\s*\Z")
_MOST_IDS_IN_A_RANGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadingText:
    ids: tuple[str, ...]
    """The experiments it names at the start of its label, or in brackets at its end; ranges and lists written out."""
    label: str
    time: str | None
    """As written; None where the heading holds no date."""
    form: str | None
    """``{time}`` and ``{label}`` with what stands around them; None where the time is missing or in the middle."""


def read_heading(text: str) -> HeadingText:
    found = find_time(text)
    if not found:
        ids, label = _split_ids(text.strip())
        return HeadingText(ids=ids, label=label, time=None, form=None)
    before, after = text[: found.start()], text[found.end() :]
    form = None
    if _opens(before):
        separator = _LEADING.match(after)
        rest = after[separator.end() :] if separator else after
        if separator and rest:
            form = f"{before}{{time}}{separator[0]}{{label}}"
    elif _closes(after):
        rest = before.rstrip(" \t[(*_`-–—:|·,")
        form = f"{{label}}{before[len(rest) :]}{{time}}{after}"
    else:
        rest = f"{before.rstrip(' -–—:([')} {after.lstrip(' -–—:)]')}"
    ids, label = _split_ids(rest.strip())
    return HeadingText(ids=ids, label=label, time=found[0], form=form)


@lru_cache(maxsize=4096)  # a logbook's headings are asked for their level, their order and their form in turn
def find_time(text: str) -> re.Match[str] | None:
    """The first time in a heading that is on the calendar."""
    return next(filter(_is_on_the_calendar, _TIME.finditer(text)), None)


def opens_with_time(text: str) -> bool:
    found = find_time(text)
    return found is not None and _opens(text[: found.start()])


def closes_with_time(text: str) -> bool:
    found = find_time(text)
    return found is not None and _closes(text[found.end() :])


def _opens(before: str) -> bool:
    return not before.strip(" [(*_`")


def _closes(after: str) -> bool:
    return not after.strip(" ])*_`.:")


def _is_on_the_calendar(time: re.Match[str]) -> bool:
    try:
        date.fromisoformat(time["date"][:10])
    except ValueError:
        return False
    return True


def read_ids(text: str) -> tuple[str, ...]:
    """The experiment IDs in ``text`` if it holds nothing else, such as ``PERF-004..006`` or ``A-001, A-003b``."""
    ids, end = _ids_at_start(text)
    return ids if not text[end:].strip(" ])`*") else ()


def _split_ids(text: str) -> tuple[tuple[str, ...], str]:
    ids, end = _ids_at_start(text)
    if ids:
        rest = _AFTER_IDS.match(text, end)
        return ids, text[rest.end() if rest else end :]
    enclosed = _ENCLOSED_AT_END.search(text)
    if enclosed and (ids := read_ids(enclosed[1])):
        return ids, text[: enclosed.start()].rstrip()
    return (), text


def _ids_at_start(text: str) -> tuple[tuple[str, ...], int]:
    first = _FIRST_ID.match(text)
    if not first or _NO_EXPERIMENT.match(first["id"]):
        return (), 0
    ids, end = [first["id"]], first.end()
    while (found := _NEXT_ID.match(text, end)) and (following := _complete(found, ids[-1])):
        ids += _between(ids[-1], following) if found["range"] else []
        ids.append(following)
        end = found.end()
    return tuple(ids), end


def _complete(found: re.Match[str], previous: str) -> str | None:
    """The ID that a number in a list stands for; a number after a space counts only with a leading zero."""
    number = found["id"]
    if not number[0].isdigit():
        return number
    if found["join"] != found["join"].strip() and not number.startswith("0"):
        return None
    last = _NUMBER.match(previous)
    return f"{last['prefix']}{number.zfill(len(last['number']))}" if last else None


def _between(first: str, last: str) -> list[str]:
    """The IDs strictly between the ends of a range."""
    one, other = _NUMBER.match(first), _NUMBER.match(last)
    if not one or not other or one["prefix"] != other["prefix"]:
        return []
    low, high = int(one["number"]), int(other["number"])
    if high - low > _MOST_IDS_IN_A_RANGE:
        return []
    return [f"{one['prefix']}{number:0{len(one['number'])}d}" for number in range(low + 1, high)]


def time_format(time: str) -> str:
    """How `datetime.strftime` would write a UTC time in the manner of ``time``; a zone other than UTC becomes UTC."""
    found = _TIME.match(time)
    if not found or not found["clock"]:
        return "%Y-%m-%d"
    if found["between"] == "T":
        return "%Y-%m-%dT%H:%MZ"
    if found["zone"] == "Z":
        return "%Y-%m-%d %H:%MZ"
    return "%Y-%m-%d %H:%M UTC" if found["zone"] or found["offset"] else "%Y-%m-%d %H:%M"


@dataclass(frozen=True, slots=True)
class Moment:
    """A written time in a form that can be compared."""

    day: int
    second: int | None
    """Of all seconds, in UTC (or in the zone that the whole logbook leaves out); None where only the day is given."""

    def is_before(self, other: Moment) -> bool:
        """Whether it surely lies before ``other``: within one day nothing is sure without a clock."""
        if self.second is not None and other.second is not None:
            return self.second < other.second
        return self.day < other.day


def moment(time: re.Match[str]) -> Moment:
    """The moment that a time found by `find_time` names."""
    day = date.fromisoformat(time["date"][:10]).toordinal()
    if not time["clock"]:
        return Moment(day, None)
    hour, minute, *seconds = map(int, time["clock"].lstrip("~").split(":"))
    zone = 60 * _ZONES.get(time["zone"] or "", 0)
    if time["offset"]:
        zone = 60 * int(time["offset"][1:3]) + int(time["offset"][-2:])
    return Moment(day, 60 * (1440 * day + 60 * hour + minute - zone) + sum(seconds))
