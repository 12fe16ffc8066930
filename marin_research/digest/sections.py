"""What a digest's text says, section by section, most important things first. Knows not how much room there is."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marin_research.digest.clean import excerpt
from marin_research.digest.fields import BAR, STEP
from marin_research.digest.ranking import decisive, loose
from marin_research.digest.severity import Severity
from marin_research.digest.templates import MOST_SHOWN
from marin_research.digest.wording import Wording, curve, when
from marin_research.units import format_duration, format_number, format_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from marin_research.digest.index import Index, SeriesInfo, SevereLine, TracebackInfo

_LONGEST_TRACEBACK = 1500
_LONGEST_LINE = 400
_MOST_TAILS = 3
_MOST_OF_A_KIND = 5
"""Findings about values and times; there may be one of each host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of the text."""

    title: str
    share: int
    """What it gets in relation to the others, as long as it needs it."""
    items: Sequence[str]
    """Most important first."""
    unit: str
    """What an item is."""
    is_tail: bool = False
    """Its last items are the most important ones."""


def summary(index: Index) -> str:
    """What it is a digest of."""
    words = Wording(index)
    size, lines = sum(stream.bytes for stream in index.streams), sum(stream.lines for stream in index.streams)
    name = index.streams[0].name if len(index.streams) == 1 else f"{len(index.streams)} streams"
    rows = [f"Digest of {name}: {format_size(size)}, {lines:,} lines of {len(index.templates):,} kinds"]
    if len(words.hosts) > 1:
        rows.append(f"{len(words.hosts)} hosts{f', all of {words.common}' if words.common else ''}")
    rows += [
        f"{stream.name}: {when(stream.first)} to {when(stream.last)}"
        for stream in index.streams[:_MOST_TAILS]
        if stream.first and stream.last and stream.first.time and stream.last.time
    ]
    counts: dict[Severity, int] = defaultdict(int)
    for template in index.templates:
        counts[template.severity] += template.count
    told = [f"{counts[severity]:,} {severity}" for severity in Severity if counts[severity]]
    if told:
        rows.append(f"lines: {', '.join(told)}; tracebacks: {sum(one.count for one in index.tracebacks):,}")
    if index.left_out.severe_lines:
        rows.append(f"of {index.left_out.severe_lines:,} of these lines the kind is kept, but not the words")
    return "\n".join([*rows, ""])


def sections(index: Index) -> list[Section]:
    """All of them, some without items."""
    words = Wording(index)
    errors = loose(index)
    causes = [one for one in index.tracebacks if one.severity is not Severity.SECONDARY]
    effects = [one for one in index.tracebacks if one.severity is Severity.SECONDARY]
    secondary = _kinds(errors, words, Severity.SECONDARY)
    rows = [
        ("Tracebacks", 8, [_traceback(one, words) for one in reversed(causes)], "kinds"),
        ("Errors", 8, _kinds(errors, words, Severity.FATAL, Severity.ERROR), "kinds"),
        ("First error of each host", 2, list(_firsts(index, words)), "lines"),
        ("Values, restarts and silences", 3, [*_values(index, words), *_times(index, words)], "findings"),
        ("Consequences of errors elsewhere", 2, [*(_traceback(one, words) for one in effects), *secondary], "kinds"),
        ("Suspicious lines, rare ones first", 6, _kinds(errors, words, Severity.SUSPECT), "kinds"),
        ("Warnings", 2, _templates(index, words, Severity.WARNING), "kinds"),
        ("Progress", 3, list(_progress(index, words)), "series"),
        ("Frequent lines", 3, _templates(index, words, Severity.INFO), "kinds"),
    ]
    made = [Section(title=title, share=share, items=items, unit=unit) for title, share, items, unit in rows]
    telling, at = decisive(index) if errors or index.tracebacks else ((), None)
    title = f"The most telling lines{f', from {words.at(at)} on' if at else ''}"
    first = Section(title=title, share=3, items=telling, unit="lines", is_tail=True)
    return [first, *made, *_tails(index)]


def _traceback(traceback: TracebackInfo, words: Wording) -> str:
    seen = words.seen(traceback.count, traceback.first, traceback.last, traceback.hosts)
    text = traceback.text
    if len(text) > _LONGEST_TRACEBACK:
        text = f"{text[: _LONGEST_TRACEBACK // 3]}\n  …\n{text[-_LONGEST_TRACEBACK * 2 // 3 :]}"
    return f"{seen}\n    " + text.replace("\n", "\n    ")


def _kinds(lines: Iterable[SevereLine], words: Wording, *severities: Severity) -> list[str]:
    """An item for each template, rare ones first: the first of its lines, and what is known of all of them."""
    by_template: dict[int, list[SevereLine]] = defaultdict(list)
    for line in lines:
        if line.severity in severities:
            by_template[line.template].append(line)
    kinds = [(words.index.templates[number], found) for number, found in by_template.items()]
    kinds.sort(key=lambda kind: (list(Severity).index(kind[0].severity), kind[0].count))
    items = []
    for template, found in kinds:
        seen = words.seen(template.count, template.first, template.last, template.hosts)
        forms = f", {len(found)}{'+' if len(found) >= MOST_SHOWN else ''} forms" if len(found) > 1 else ""
        first = min(found, key=lambda line: (line.first.stream, line.first.line))
        items.append(f"{excerpt(first.text, _LONGEST_LINE)}\n    {seen}{forms}")
    return items


def _firsts(index: Index, words: Wording) -> Iterator[str]:
    """Only where there are several hosts."""
    missing = set(words.hosts) if len(words.hosts) > 1 else set()
    errors = [(one.first, one.exceptions[-1] if one.exceptions else one.text, one.hosts) for one in index.tracebacks]
    errors += [(line.first, line.text, line.hosts) for line in loose(index) if line.severity is not Severity.SUSPECT]
    for first, text, shown in sorted(errors, key=lambda error: error[0].line):
        hosts = missing & shown.keys()
        if hosts:
            missing -= hosts
            yield f"{excerpt(text, _LONGEST_LINE)}\n    {words.at(first)}{words.on(hosts)}"


def _values(index: Index, words: Wording) -> Iterator[str]:
    odd = [series for series in index.series if series.first_not_finite]
    for series in odd[:_MOST_OF_A_KIND]:
        at = words.at(series.first_not_finite.at) if series.first_not_finite else ""
        yield f"{_name(series, words)} is no number {series.not_finite:,} times, first at {at}"
    measured = (series for series in index.series if series.name.rpartition("/")[2] not in (STEP, BAR))
    jumpy = [series for series in measured if series.is_jumpy and not series.first_not_finite]
    for series in jumpy[:_MOST_OF_A_KIND]:
        if series.jump:
            change = f"{format_number(series.jump.before)} to {format_number(series.jump.after)}"
            yield f"{_name(series, words)} jumps from {change}, {words.at(series.jump.at)}"


def _times(index: Index, words: Wording) -> Iterator[str]:
    for restart in index.restarts[:_MOST_OF_A_KIND]:
        yield f"{excerpt(restart.why, _LONGEST_LINE)}\n    {words.at(restart.at)}{words.on([restart.host])}"
    for silence in index.silences[:_MOST_OF_A_KIND]:
        yield f"no line for {format_duration(silence.seconds)} after {words.at(silence.before)}"
    for silence in index.stalls[:_MOST_OF_A_KIND]:
        yield f"no step told for {format_duration(silence.seconds)} after {words.at(silence.before)}"
    silent = [(host.name, host.silence) for host in index.hosts if host.silence]
    for name, silence in sorted(silent, key=lambda one: -one[1].seconds)[:_MOST_OF_A_KIND]:
        where = f"{words.host(name)} after {words.at(silence.before)}"
        yield f"no line for {format_duration(silence.seconds)} of {where}"
    stopped = sorted((host for host in index.hosts if host.stopped), key=lambda host: host.last.line)
    for host in stopped[:_MOST_OF_A_KIND]:
        yield f"{words.host(host.name)} is last heard of at {words.at(host.last)}, before the log ends"
    if len(stopped) > _MOST_OF_A_KIND:
        yield f"{len(stopped) - _MOST_OF_A_KIND:,} more hosts fall silent before the log ends"


def _progress(index: Index, words: Wording) -> Iterator[str]:
    """One host's series for each name: that of the host with most values."""
    by_name: dict[str, list[SeriesInfo]] = defaultdict(list)
    for series in index.series:
        by_name[series.name].append(series)
    for name, found in by_name.items():
        series = max(found, key=lambda one: one.count)
        others = f" (one of {len(found)} hosts)" if len(found) > 1 else ""
        count = f"{series.count:,} values{' (a sample)' if series.is_sample else ''}"
        values = f"{format_number(series.first)} → {format_number(series.last)}, {count}"
        extremes = [
            f"{what} {format_number(value.value)} at {words.at(value.at)}"
            for what, value in (("lowest", series.minimum), ("highest", series.maximum))
            if value
        ]
        yield f"{name}{others}: {', '.join([values, *extremes])}\n    {curve(series.points)}"


def _templates(index: Index, words: Wording, severity: Severity) -> list[str]:
    return [
        f"{template.count:,} × {excerpt(template.text, _LONGEST_LINE) or '(blank)'}"
        f"{f' (and {template.repeats:,} that Ray left out)' if template.repeats else ''}"
        f"\n    {words.at(template.first)}{f' to {words.at(template.last)}' if template.count > 1 else ''}"
        for template in index.templates
        if template.severity is severity and 2 * template.in_tracebacks < template.count
    ]


def _tails(index: Index) -> Iterator[Section]:
    streams = [stream for stream in index.streams if stream.tail]
    if len(streams) <= _MOST_TAILS:
        for stream in streams:
            title = f"The end{f' of {stream.name}' if len(index.streams) > 1 else ''}"
            lines = [excerpt(line, _LONGEST_LINE) for line in stream.tail]
            yield Section(title=title, share=2, items=lines, unit="lines", is_tail=True)
        return
    lines = [f"{stream.name}: {excerpt(stream.tail[-1], _LONGEST_LINE)}" for stream in streams]
    yield Section(title="The last line of each stream", share=3, items=lines, unit="streams")


def _name(series: SeriesInfo, words: Wording) -> str:
    return f"{series.name}{words.on([series.host])}"
