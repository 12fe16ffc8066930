"""The grammar of an entry's heading: when, which experiments, what. Knows neither files nor Markdown blocks.

People write ``2026-07-02 09:08 UTC - MOE-SP-001 label``, ``2026-05-05T23:36Z - PERF-004..012 label``,
``label (2026-05-25)`` and much else. Reading never fails: what is not understood stays in the label.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_DATE = r"(?<!\d)(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!\d)(?:/\d\d(?!\d))?"
_CLOCK = r"~?(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
_ZONES = {
    "UTC": 0,
    "GMT": 0,
    "Z": 0,
    "EDT": -4,
    "EST": -5,
    "CDT": -5,
    "CST": -6,
    "MDT": -6,
    "MST": -7,
    "PDT": -7,
    "PST": -8,
}
_ZONES |= {"ET": -5, "CT": -6, "MT": -7, "PT": -8, "BST": 1, "CET": 1, "CEST": 2, "JST": 9}
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


@lru_cache(maxsize=4096)  # a logbook's headings are asked for their level, their order and their form in turn
def read_heading(text: str) -> HeadingText:
    found = next(filter(_is_on_the_calendar, _TIME.finditer(text)), None)
    if not found:
        ids, label = _split_ids(text.strip())
        return HeadingText(ids=ids, label=label, time=None, form=None)
    before, after = text[: found.start()], text[found.end() :]
    form = None
    if not before.strip(" [(*_`"):
        separator = _LEADING.match(after)
        rest = after[separator.end() :] if separator else after
        if separator and rest:
            form = f"{before}{{time}}{separator[0]}{{label}}"
    elif not after.strip(" ])*_`.:"):
        rest = before.rstrip(" \t[(*_`-–—:|·,")
        form = f"{{label}}{before[len(rest) :]}{{time}}{after}"
    else:
        rest = f"{before.rstrip(' -–—:([')} {after.lstrip(' -–—:)]')}"
    ids, label = _split_ids(rest.strip())
    return HeadingText(ids=ids, label=label, time=found[0], form=form)


def _is_on_the_calendar(time: re.Match[str]) -> bool:
    try:
        datetime.fromisoformat(time["date"][:10])
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


def is_before(one: str, other: str) -> bool:
    """Whether the written time ``one`` surely lies before ``other``; on one date without a clock nothing is sure."""
    (first, first_has_clock), (second, second_has_clock) = _moment(one), _moment(other)
    if first_has_clock and second_has_clock:
        return first < second
    return first.date() < second.date()


def _moment(time: str) -> tuple[datetime, bool]:
    found = _TIME.match(time)
    if not found:
        raise ValueError(time)
    moment = datetime.fromisoformat(found["date"][:10]).replace(tzinfo=UTC)
    clock = found["clock"]
    if not clock:
        return moment, False
    hours, minutes, *seconds = map(int, clock.lstrip("~").split(":"))
    zone = timedelta(hours=_ZONES.get(found["zone"] or "", 0))
    if found["offset"]:
        zone = timedelta(hours=int(found["offset"][1:3]), minutes=int(found["offset"][-2:]))
    return moment + timedelta(hours=hours, minutes=minutes, seconds=sum(seconds)) - zone, True
