"""What launchers and loggers put before a message: time, level, and whose line it is. Knows nothing of the message.

Recognised, in any order and nested: Iris' ``[HH:MM:SS] task=... attempt=0 | ``, the formats of absl, glog, rigging,
Levanter, Ray, vLLM, PyTorch, JAX, ``logging.basicConfig`` and syslog, ISO times, terminal colours.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from marin_research.digest.times import MONTHS

_CLOCK = rb"\d\d:\d\d:\d\d(?:[.,]\d+)?"
_ISO = rb"(?:\d{4}[-/.])?\d\d[-/.]\d\d[T ]" + _CLOCK + rb"(?:Z|[+-]\d\d:?\d\d)?"
_LEVEL = rb"DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|SEVERE|CRITICAL|FATAL"
_LOGGER = rb"(?:[a-z_]\w*\.)+[a-z_]\w*"
_LAUNCHERS = (
    rb"\x1b\[[0-9;]*m ?",
    rb"\[(?P<clock>" + _CLOCK + rb")\] (?:task=(?P<task>\S+) attempt=(?P<attempt>\d+) \| )?",
    rb"\((?:raylet|\S+ (?P<pid>pid=\d+))(?:, ip=(?P<ip>[\d.]+))?\)\s?",
    rb"\[(?P<rank>rank\d+)\]:? ?",
)
_STAMPS = (
    # absl, glog, rigging: I20261122 01:05:28 140052865689280 logger, E0929 17:42:48.594192 1044529 file.cc:332]
    rb"\[?(?P<letter>[DIWEFC])(?P<short>\d{3,4}(?:\d{4})? (?:" + _CLOCK + rb"|\d\d:\d\d:\d{10}\.\d+)) +"
    rb"(?:\d+ (?=\S))?",
    rb"\[?(?P<iso>" + _ISO + rb")(?: (?P<ray>[DIWEFC])(?: \d+)+)?\]?(?::(?: (?P<tsl>[IWEF])(?= ))?)?[ \t]*",
    rb"(?P<syslog>(?:" + b"|".join(MONTHS) + rb") [ \d]\d " + _CLOCK + rb") (?P<node>[\w.-]+) [\w./()-]+(?:\[\d+\])?: ",
)
# Levanter: - 9 - levanter.tracker.wandb - wandb.py:189 - INFO ::
_DASHES = rb"- (?:(?P<process>\d+) - )?(?:[\w.]+ - )?(?:[\w./-]+:\d+ - )?(?=(?:" + _LEVEL + rb")\b)"
_NAMED_LEVEL = (
    rb"\[?(?P<level>"
    + _LEVEL
    + rb")(?:\]|(?=[ :,-]))(?: ::| -|[:,](?:(?:"
    + _LOGGER
    + rb"|\w+):(?:\d+:)?(?=\S))?)?[ \t]*"
)
_SOURCE = (
    rb"(?<=\d{12} )[\w.]+ |\[?[\w./+-]+\.(?:cc|cpp|cu|c|h|py|rs|go):\d+[\]:] ?"
    rb"|" + _LOGGER + rb"(?: (?!\w+ ?[:=])|:\d+: )"
)
_HEADER = re.compile(
    rb"(?:" + b"|".join(_LAUNCHERS) + rb")*(?:" + _NAMED_LEVEL + rb")?(?:" + b"|".join(_STAMPS) + rb")?"
    rb"(?:(?P<gcloud>\d+\.\d+\.\d+\.\d+) \[\d+\] )?(?:" + _DASHES + rb")?"
    rb"(?:" + _NAMED_LEVEL.replace(b"<level>", b"<behind>") + rb")?(?:" + _SOURCE + rb")?"
)
_LONGEST = 400
_LEVELS = ("letter", "ray", "tsl", "level", "behind")
_TIMES = ("iso", "short", "syslog", "clock")
_HOSTS = ("task", "ip", "gcloud", "node", "process", "rank", "pid")
"""What may name a host, the most telling first."""
_SAME = {"N": "I", "S": "E", "C": "F"}

type Span = tuple[int, int]


class Header(NamedTuple):
    """What stands before the message of one line."""

    end: int = 0
    """Where the message begins."""
    level: str = ""
    """D, I, W, E or F; empty when the line has none."""
    time: bytes = b""
    """The time as it stands in the line; empty when there is none."""
    host: bytes = b""
    """Whose line it is, as it says: a task, a rank, an address, a process; empty when it does not say."""
    host_span: Span | None = None
    attempt: int | None = None
    """Which try at the task it belongs to."""


def read_header(line: bytes) -> Header:
    match = _HEADER.match(line, 0, _LONGEST)
    if match is None or match.end() == 0:
        return Header()
    level = next(filter(None, match.group(*_LEVELS)), b"").decode()[:1]
    host = next((name for name in _HOSTS if match[name]), None)
    return Header(
        match.end(),
        _SAME.get(level, level),
        next(filter(None, match.group(*_TIMES)), b""),
        match[host] if host else b"",
        match.span(host) if host else None,
        int(match["attempt"]) if match["attempt"] else None,
    )
