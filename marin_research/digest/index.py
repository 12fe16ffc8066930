"""The complete index of a log: what ``marin-research digest --json`` prints and what a digest's text is made of.

Positions are line numbers from 1 and byte offsets. Times are as the lines tell them, mostly without a zone.
"""

from __future__ import annotations

from dataclasses import dataclass

from marin_research.digest.severity import Severity  # noqa: TC001 - the codec reads the annotations at run time

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a line stands, and when it says it was printed."""

    stream: str
    line: int
    offset: int
    time: str | None
    """None if the line tells none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamInfo:
    """One file, or what one host printed."""

    name: str
    bytes: int
    lines: int
    """What is separated by line feeds."""
    states: int
    """Lines and each state of a progress bar: what the templates' counts add up to, over all streams."""
    first: Position | None
    last: Position | None
    """None for what is empty."""
    tail: tuple[str, ...]
    """The last lines, of a progress bar only its last state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateInfo:
    """Lines that are the same but for what varies. Every line belongs to exactly one template."""

    text: str
    """With ``<*>`` where something varies."""
    severity: Severity
    count: int
    repeats: int
    """Further lines that Ray counted instead of printing them."""
    in_tracebacks: int
    """Lines of these that stand in a traceback."""
    is_pool: bool
    """Lines of many kinds, which share a template because there were too many."""
    example: str
    first: Position
    last: Position
    hosts: tuple[str, ...]
    """Who showed it; of mere information, as far as its first and last line tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SevereLine:
    """What one or several lines that are more than a warning say, word for word behind the header."""

    text: str
    severity: Severity
    template: int
    """Its place among the templates."""
    count: int
    first: Position
    last: Position
    hosts: dict[str, int]
    """How often each showed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TracebackInfo:
    """Tracebacks with the same exceptions from the same places."""

    exceptions: tuple[str, ...]
    """The lines with the exceptions of the first of them, in their order; the last one is what ended it."""
    severity: Severity
    """``secondary`` when it is the consequence of an error elsewhere."""
    count: int
    first: Position
    last: Position
    hosts: dict[str, int]
    text: str
    """The first of them, without what a launcher put before its lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    value: float
    at: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """Two finite values that follow each other."""

    before: float
    after: float
    at: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesInfo:
    """What one measured quantity did on one host."""

    host: str
    name: str
    count: int
    """Values that were read."""
    is_sample: bool
    """Some of its lines were not read, because the log is long; none that tells what is no number."""
    not_finite: int
    first: float
    last: float
    minimum: Value | None
    maximum: Value | None
    first_not_finite: Value | None
    jump: Jump | None
    """The largest change, up or down."""
    is_jumpy: bool
    """The largest change is far larger than the others."""
    points: tuple[float, ...]
    """Every ``stride``-th value from the first on."""
    stride: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A time in which a stream, or one host of it, or its step, said nothing."""

    of: str
    """The stream or host."""
    seconds: int
    before: Position
    after: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """A sign that something began again."""

    host: str
    why: str
    at: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class HostInfo:
    """Somebody whose lines say whose they are, in a log of several; times to within some hundred lines."""

    name: str
    first: Position
    last: Position
    silence: Silence | None
    """The longest, if it is an unusually long one."""
    stopped: bool
    """It is not heard of for an unusually long time before its stream ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """What there was no room for."""

    severe_lines: int
    """Lines whose text is among no severe line, only in the count of a template."""
    pooled_lines: int
    """Lines that share a template with other kinds."""
    tracebacks: int
    """Tracebacks of further kinds."""
    values: int
    """Measurements of further series."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """Everything that is kept of a log."""

    version: int = VERSION
    streams: tuple[StreamInfo, ...]
    severe: tuple[SevereLine, ...]
    """Gravest first, then rarest."""
    tracebacks: tuple[TracebackInfo, ...]
    """In the order in which they first came."""
    templates: tuple[TemplateInfo, ...]
    """Gravest first, then most frequent."""
    series: tuple[SeriesInfo, ...]
    silences: tuple[Silence, ...]
    """Of whole streams, longest first."""
    stalls: tuple[Silence, ...]
    """Between two lines that told a step, longest first."""
    restarts: tuple[Restart, ...]
    hosts: tuple[HostInfo, ...]
    left_out: LeftOut
