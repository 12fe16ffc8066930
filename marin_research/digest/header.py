"""What launchers and loggers put before a message: time, level, and whose line it is. Knows nothing of the message.

Recognised, in any order and nested: Iris' ``[HH:MM:SS] task=... attempt=0 | ``, the formats of absl, glog, rigging,
Levanter, Ray, vLLM, PyTorch, JAX, ``logging.basicConfig`` and syslog, ISO times, terminal colours.
"""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

_CLOCK = rb"\d\d:\d\d:\d\d(?:[.,]\d+)?"
_ISO = rb"(?:\d{4}[-/.])?\d\d[-/.]\d\d[T ]" + _CLOCK + rb"(?:Z|[+-]\d\d:?\d\d)?"
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_LEVEL = rb"DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|SEVERE|CRITICAL|FATAL"
_LOGGER = rb"(?:[a-z_]\w*\.)+[a-z_]\w*"
_PIECES = (
    rb"\x1b\[[0-9;]*m",
    rb"\[(?P<clock>" + _CLOCK + rb")\] (?:task=(?P<task>\S+) attempt=(?P<attempt>\d+) \| )?",
    rb"\((?:raylet|\S+ (?P<pid>pid=\d+))(?:, ip=(?P<ip>[\d.]+))?\)\s?",
    rb"\[(?P<rank>rank\d+)\]:? ?",
    # absl, glog, rigging: I20261122 01:05:28 140052865689280 logger, E0929 17:42:48.594192 1044529 file.cc:332]
    rb"\[?(?P<letter>[DIWEFC])(?P<short>\d{3,4}(?:\d{4})? (?:" + _CLOCK + rb"|\d\d:\d\d:\d{10}\.\d+)) +(?:\d+ (?=\S))?",
    rb"\[?(?P<iso>" + _ISO + rb")(?: (?P<ray>[DIWEFC])(?: \d+)+)?\]?(?::(?: (?P<tsl>[IWEF])(?= ))?)?[ \t]*",
    rb"(?P<syslog>(?:"
    + b"|".join(_MONTHS)
    + rb") [ \d]\d "
    + _CLOCK
    + rb") (?P<node>[\w.-]+) [\w./()-]+(?:\[\d+\])?: ",
    rb"(?P<gcloud>\d+\.\d+\.\d+\.\d+) \[\d+\] ",
    # Levanter: - 9 - levanter.tracker.wandb - wandb.py:189 - INFO ::
    rb"- (?:(?P<process>\d+) - )?(?:[\w.]+ - )?(?:[\w./-]+:\d+ - )?(?=(?:" + _LEVEL + rb")\b)",
    rb"\[?(?P<level>"
    + _LEVEL
    + rb")(?:\]|(?=[ :,-]))(?: ::| -|[:,](?:(?:"
    + _LOGGER
    + rb"|\w+):(?:\d+:)?(?=\S))?)?[ \t]*",
    rb"\[?[\w./+-]+\.(?:cc|cpp|cu|c|h|py|rs|go):\d+[\]:] ?",
    _LOGGER + rb" (?!\w+ ?[:=])",
)
_HEADER = re.compile(rb"(?:" + b"|".join(_PIECES) + rb")*")
_LONGEST = 400
_LEVELS = ("letter", "ray", "tsl", "level")
_TIMES = ("iso", "short", "syslog", "clock")
_HOSTS = ("task", "ip", "rank", "process", "gcloud", "node")
_SAME = {"N": "I", "S": "E", "C": "F"}

_DATE = re.compile(rb"(?:(\d{4})[-/.]?)?(\d\d)[-/.]?(\d\d)[T ]")
_TIME = re.compile(rb"(\d\d):(\d\d):(\d\d)(?!\d)|:(\d{10})(?=\.)")
_LEAP_YEAR = 2000
_EPOCH = date(1970, 1, 1).toordinal()
DAY_S = 86_400

type Span = tuple[int, int]


class Header(NamedTuple):
    """What stands before the message of one line; spans are byte offsets into the line."""

    end: int = 0
    """Where the message begins."""
    level: str = ""
    """D, I, W, E or F; empty when the line has none."""
    host: tuple[Span, ...] = ()
    """Where the line says whose it is: its task, process, rank or address."""
    attempt: Span | None = None
    """Where it says which try at the task it belongs to."""
    time: bytes = b""
    """The time as it stands in the line; empty when there is none."""


def read_header(line: bytes) -> Header:
    match = _HEADER.match(line, 0, _LONGEST)
    if match is None or match.end() == 0:
        return Header()
    level = next((match[name] for name in _LEVELS if match[name]), b"").decode()[:1]
    hosts = [match.span(name) for name in _HOSTS if match[name]]
    if match["pid"] and not match["ip"]:
        hosts.append(match.span("pid"))
    return Header(
        match.end(),
        _SAME.get(level, level),
        tuple(sorted(hosts)),
        match.span("attempt") if match["attempt"] else None,
        next((match[name] for name in _TIMES if match[name]), b""),
    )


def host_in(line: bytes, spans: tuple[Span, ...]) -> str:
    """Whose line it is; empty when the line does not say."""
    return " ".join(line[start:end].decode("ascii", "replace") for start, end in spans)


def seconds(time: bytes) -> tuple[str, int] | None:
    """A form of writing times, and whole seconds since a point that all times of this form share; None if it is none."""
    clock = _TIME.search(time)
    if clock is None:
        return None
    if clock[4]:
        return "dated", int(clock[4])
    second = int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3])
    dated = _DATE.match(time)
    try:
        if dated:
            day = date(int(dated[1] or _LEAP_YEAR), int(dated[2]), int(dated[3]))
        elif time[:3] in _MONTHS:
            day = date(_LEAP_YEAR, _MONTHS.index(time[:3]) + 1, int(time[4:6]))
        else:
            return "clock", second
    except ValueError:
        return None
    form = "dated" if dated and dated[1] else "without year"
    return form, (day.toordinal() - _EPOCH) * DAY_S + second
