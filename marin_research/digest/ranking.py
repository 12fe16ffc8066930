"""Which of a log's errors is the cause, and which are its consequences. Knows nothing of how they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from marin_research.digest.clean import excerpt
from marin_research.digest.severity import RANK, Severity
from marin_research.digest.times import passed, read_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from marin_research.digest.index import Index, Position, SevereLine, TracebackInfo

_TRACEBACK_LINES = 8
_LONGEST = 400


def loose(index: Index) -> list[SevereLine]:
    """The severe lines that are not part of tracebacks."""
    templates = index.templates
    return [line for line in index.severe if templates[line.template].in_tracebacks < templates[line.template].count]


class Decisive(NamedTuple):
    """The few lines that say how it ended."""

    lines: tuple[str, ...]
    at: Position | None
    """Where the first of them stands, or the traceback whose end they are; None for what is merely the log's end."""


def decisive(index: Index, *, limit: int = 12) -> Decisive:
    """The lines that say how it ended: of the first host that failed, and not because another one did.

    The end of its last traceback and the errors behind that; without a traceback its last errors. If nothing but
    consequences of errors elsewhere is known, those; else what sounds wrong; else the last lines.
    """
    errors = loose(index)
    for is_wanted in (_is_cause, _is_consequence):
        tracebacks = [traceback for traceback in index.tracebacks if is_wanted(traceback.severity)]
        lines = [line for line in errors if is_wanted(line.severity)]
        ends = _last_of_streams([one.last for one in tracebacks] or [one.last for one in lines])
        if ends:
            return _ending(min(ends, key=lambda end: _delay(end, ends)), tracebacks, lines, limit)
    sounding = sorted(errors, key=lambda line: (line.last.stream, line.last.line))[-limit:]
    if sounding:
        return _shown([line.text for line in sounding], sounding[0].last)
    return _shown([line for stream in index.streams for line in stream.tail[-limit:]][-limit:], None)


def _ending(end: Position, tracebacks: Iterable[TracebackInfo], lines: Iterable[SevereLine], limit: int) -> Decisive:
    found = next((traceback.text.splitlines() for traceback in tracebacks if traceback.last == end), [])
    found = found[-min(limit, _TRACEBACK_LINES) :]
    here = [line for line in lines if line.last.stream == end.stream and (not found or line.last.line > end.line)]
    here.sort(key=lambda line: line.last.line)
    if not found:
        return _shown([line.text for line in here[-limit:]], here[-limit:][0].last)
    grave = sorted(here, key=lambda line: RANK[line.severity])[: limit - len(found)]
    return _shown([*found, *(line.text for line in here if line in grave)], end)


def _shown(lines: Iterable[str], at: Position | None) -> Decisive:
    return Decisive(tuple(excerpt(line, _LONGEST) for line in lines), at)


def _is_cause(severity: Severity) -> bool:
    return severity in (Severity.FATAL, Severity.ERROR)


def _is_consequence(severity: Severity) -> bool:
    return severity is Severity.SECONDARY


def _last_of_streams(positions: Iterable[Position]) -> list[Position]:
    last: dict[str, Position] = {}
    for position in positions:
        if position.stream not in last or position.line > last[position.stream].line:
            last[position.stream] = position
    return list(last.values())


def _delay(position: Position, others: list[Position]) -> int:
    """Seconds after the earliest that can be compared to it."""
    time = read_time((position.time or "").encode())
    known = [read_time((other.time or "").encode()) for other in others]
    return max((passed(other, time) for other in known if other), default=0) if time else 0
