"""Makes the index of what a digester has read."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from marin_research.digest.clean import clean
from marin_research.digest.digester import Digester
from marin_research.digest.fields import STEP
from marin_research.digest.gaps import SHORTEST_S
from marin_research.digest.header import read_header
from marin_research.digest.index import (
    HostInfo,
    Index,
    Jump,
    LeftOut,
    Position,
    Restart,
    SeriesInfo,
    SevereLine,
    Silence,
    StreamInfo,
    TemplateInfo,
    TracebackInfo,
    Value,
)
from marin_research.digest.judge import Judge
from marin_research.digest.severity import RANK, Severity, is_severe
from marin_research.digest.times import passed, read_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from marin_research.digest.blocks import Place, Readable
    from marin_research.digest.gaps import Gap
    from marin_research.digest.series import Mark, Series
    from marin_research.digest.stream import Stream
    from marin_research.digest.template import Sighting, Template
    from marin_research.digest.tracebacks import Traceback

_BEGINS_AGAIN = re.compile(
    r"\bresum(?:e|ed|ing)\b|\brestart(?:ed|ing)?\b|\brestor(?:ed|ing)\b.*\bcheckpoint|\bloaded\b.*\bcheckpoint",
    re.IGNORECASE,
)
_JUMPY = 10
"""Times the mean change."""
_TRAINING_STEPS = (STEP, f"train/{STEP}")


def index_of(
    sources: Iterable[tuple[str, Iterable[bytes] | Readable]],
    *,
    several: bool,
    overflow: Callable[[Place, str], object] | None = None,
) -> Index:
    """Read some streams to their ends, one after the other.

    Args:
        sources: With their names.
        several: Whether there will be more than one, so that hosts need to be told apart by the stream.
        overflow: Is told of severe lines that the index has no room for, with where they stand.
    """
    digester = Digester(several=several, overflow=overflow)
    for name, source in sources:
        digester.read(name, source)
    digester.templates.merge()
    return _Builder(digester).index()


class _Builder:
    def __init__(self, digester: Digester) -> None:
        self._read = digester
        self._judge = Judge()

    def index(self) -> Index:
        read = self._read
        templates = sorted(
            [*read.templates.own.values(), *read.templates.pools.values()],
            key=lambda template: (RANK[template.severity], -template.count),
        )
        severe = self._severe(templates)
        return Index(
            streams=tuple(map(self._stream, read.streams)),
            severe=tuple(severe),
            tracebacks=tuple(map(self._traceback, sorted(read.tracebacks.kinds.values(), key=lambda kind: kind.first))),
            templates=tuple(map(self._template, templates)),
            series=tuple(map(self._series, read.progress.series.values())),
            silences=self._silences((stream.name, stream.silences.longest) for stream in read.streams),
            stalls=self._silences((name, gaps.longest) for name, gaps in read.progress.stalls.items()),
            restarts=tuple(sorted(self._restarts(templates), key=lambda restart: (restart.at.stream, restart.at.line))),
            hosts=tuple(self._hosts()),
            left_out=LeftOut(
                severe_lines=sum(t.count for t in templates if is_severe(t.severity)) - sum(s.count for s in severe),
                pooled_lines=sum(template.count for template in read.templates.pools.values()),
                tracebacks=read.tracebacks.left_out,
                values=read.progress.others.count,
            ),
        )

    def _position(self, place: Place) -> Position:
        time = read_header(place.head).time.decode("ascii", "replace")
        stream = self._read.streams[place.stream].name
        return Position(stream=stream, line=place.line, offset=place.offset, time=time or None)

    def _host(self, place: Place, said: bytes | None = None) -> str:
        host = read_header(place.head).host if said is None else said
        return self._read.hosts.name(host, self._read.streams[place.stream].name)

    def _stream(self, stream: Stream) -> StreamInfo:
        return StreamInfo(
            name=stream.name,
            bytes=stream.bytes,
            lines=stream.lines,
            states=stream.states,
            first=self._position(stream.first) if stream.first else None,
            last=self._position(stream.last) if stream.last else None,
            tail=tuple(map(clean, stream.tail())),
        )

    def _template(self, template: Template) -> TemplateInfo:
        shown = [self._host(seen.first, said) for (_, said, _), seen in template.shown.items()]
        return TemplateInfo(
            text=template.text,
            severity=template.severity,
            count=template.count,
            repeats=template.repeats,
            in_tracebacks=template.in_tracebacks,
            is_pool=template.is_pool,
            example=template.example,
            first=self._position(template.first),
            last=self._position(template.last),
            hosts=tuple(dict.fromkeys(shown or [self._host(template.first), self._host(template.last)])),
        )

    def _severe(self, templates: Sequence[Template]) -> list[SevereLine]:
        found = []
        for number, template in enumerate(templates):
            if not is_severe(template.severity):
                continue
            by_message: dict[bytes, list[tuple[bytes, Sighting]]] = defaultdict(list)
            for (_, said, message), sighting in template.shown.items():
                if message is not None:
                    by_message[message].append((said, sighting))
            for message, sightings in by_message.items():
                seen = [sighting for _, sighting in sightings]
                hosts: Counter[str] = Counter()
                for said, sighting in sightings:
                    hosts[self._host(sighting.first, said)] += sighting.count
                found.append(
                    SevereLine(
                        text=clean(message).strip(),
                        severity=template.severity,
                        template=number,
                        count=sum(sighting.count for sighting in seen),
                        first=self._position(min(sighting.first for sighting in seen)),
                        last=self._position(max(sighting.last for sighting in seen)),
                        hosts=dict(hosts),
                    )
                )
        return sorted(found, key=lambda line: (RANK[line.severity], line.count))

    def _traceback(self, traceback: Traceback) -> TracebackInfo:
        said = self._judge.severity("", traceback.exceptions[-1]) if traceback.exceptions else Severity.ERROR
        return TracebackInfo(
            exceptions=traceback.exceptions,
            severity=said if said is Severity.SECONDARY else Severity.ERROR,
            count=traceback.count,
            first=self._position(traceback.first),
            last=self._position(traceback.last),
            hosts={host: seen.count for host, seen in traceback.hosts.items()},
            text=traceback.text,
        )

    def _series(self, series: Series) -> SeriesInfo:
        finite = series.count - series.not_finite
        jump = series.jump
        return SeriesInfo(
            host=series.host,
            name=series.name,
            count=series.count,
            is_sample=series.name in self._read.progress.sampled,
            not_finite=series.not_finite,
            first=series.first,
            last=series.last,
            minimum=self._value(series.minimum),
            maximum=self._value(series.maximum),
            first_not_finite=self._value(series.first_not_finite),
            jump=Jump(before=jump.before, after=jump.after, at=self._position(jump.place)) if jump else None,
            is_jumpy=jump is not None and abs(jump.after - jump.before) * (finite - 1) > _JUMPY * series.changes,
            points=tuple(series.points),
            stride=series.stride,
        )

    def _value(self, mark: Mark | None) -> Value | None:
        return Value(value=mark.value, at=self._position(mark.place)) if mark else None

    def _silences(self, longest: Iterable[tuple[str, Sequence[Gap]]]) -> tuple[Silence, ...]:
        found = [self._silence(name, gap) for name, gaps in longest for gap in gaps]
        return tuple(sorted(found, key=lambda silence: -silence.seconds))

    def _silence(self, of: str, gap: Gap) -> Silence:
        return Silence(of=of, seconds=gap.seconds, before=self._position(gap.before), after=self._position(gap.after))

    def _restarts(self, templates: Sequence[Template]) -> Iterable[Restart]:
        for attempt in self._read.hosts.attempts:
            why = f"attempt {attempt.before}, then attempt {attempt.after}"
            yield Restart(host=attempt.host, why=why, at=self._position(attempt.place))
        for series in self._read.progress.series.values():
            for drop in series.drops if series.name in _TRAINING_STEPS else ():
                why = f"after step {drop.before:,.0f} came step {drop.after:,.0f}"
                yield Restart(host=series.host, why=why, at=self._position(drop.place))
        for template in templates:
            if _BEGINS_AGAIN.search(template.text):
                yield Restart(host=self._host(template.first), why=template.example, at=self._position(template.first))

    def _hosts(self) -> Iterable[HostInfo]:
        for host in self._read.hosts.seen.values():
            end = self._read.streams[host.last.stream].last
            yield HostInfo(
                name=host.name,
                first=self._position(host.first),
                last=self._position(host.last),
                silence=self._silence(host.name, host.silence) if host.silence else None,
                stopped=_seconds(host.last, end) > SHORTEST_S and host.is_missed(self._read.hosts.looks),
            )


def _seconds(before: Place, after: Place | None) -> int:
    times = [read_time(read_header(place.head).time) for place in (before, after) if place]
    return passed(times[0], times[1]) if len(times) == 2 and times[0] and times[1] else 0
