"""A picture of a sweep: the primary metric over the tested axis, against the baseline. Small SVG, no scripts.

A plot is known by the hash of its bytes, which is its name: the text that shows it names it, so that an approval of the
text covers the picture too.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.drafters import wording
from curator.facts import Fact, FactKind, number
from marin_research.record import Status
from marin_research.thread import files_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.evidence import Evidence, Subject
    from marin_research.thread import PrimaryMetric

_FEWEST = 3
"""Two numbers are quicker read than looked at."""
_MOST = 12
"""More values do not fit below an axis."""
_SIZE = (640, 320)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    title: str
    svg: bytes

    @property
    def name(self) -> str:
        """Of its file."""
        return f"{hashlib.sha256(self.svg).hexdigest()[:16]}.svg"

    def beside(self, topic: str) -> str:
        """The picture in Markdown that stands in the logbook."""
        return f"![{self.title}]({files_folder(topic)}/{self.name})"

    def pinned(self) -> str:
        """The picture in Markdown that stands elsewhere; publishing gives it the address in the entry's commit."""
        return f"![{self.title}](plot:{self.name})"

    def facts(self, topic: str) -> list[Fact]:
        """That a text may show it."""
        source = "drawn from the metric facts of these runs"
        return [
            Fact(id="plot/file", kind=FactKind.LINK, value=f"{files_folder(topic)}/{self.name}", source=source),
            Fact(id="plot", kind=FactKind.LINK, value=f"plot:{self.name}", source=source),
        ]


def sweep_plot(evidence: Evidence) -> Plot | None:
    """The plot of a sweep over one axis; None where there is too little to see."""
    metric = next(iter(wording.primary_metrics(evidence)), None)
    if metric is None or len(evidence.axis) != 1:
        return None
    points = list(_points(evidence, metric))
    places = _places(evidence)
    if len({place for place, _ in points}) < _FEWEST or len(places) > _MOST:
        return None
    title = f"{metric.name} by {evidence.axis[0]}"
    return Plot(title=title, svg=_drawn(evidence, metric, points, places).encode())


def _places(evidence: Evidence) -> list[str]:
    """The values of the axis from left to right, evenly spaced: rates and sizes are swept by factors."""
    values = {_value(subject, evidence) for subject in evidence.subjects}
    return sorted(values, key=lambda text: (0, float(text), "") if _is_number(text) else (1, 0.0, text))


def _points(evidence: Evidence, metric: PrimaryMetric) -> Iterator[tuple[int, float]]:
    places = _places(evidence)
    for subject in evidence.subjects:
        fact = evidence.fact(subject.result.id, "metric", metric.name)
        if fact is not None and wording.is_finite(fact) and subject.result.status is Status.SUCCEEDED:
            yield places.index(_value(subject, evidence)) + 1, number(fact)


def _value(subject: Subject, evidence: Evidence) -> str:
    fact = evidence.fact(subject.result.id, "config", evidence.axis[0])
    return str(fact.value) if fact is not None else "?"


def _drawn(evidence: Evidence, metric: PrimaryMetric, points: list[tuple[int, float]], places: list[str]) -> str:
    import leather

    for part in ("title", "tick", "axis_title", "legend"):
        setattr(leather.theme, f"{part}_font_family", "sans-serif")
    without = [place for at, place in enumerate(places, start=1) if at not in {x for x, _ in points}]
    labels = [f"{place} (no result)" if place in without else place for place in places]
    chart = leather.Chart(wording.metric_head(metric))
    chart.add_x_scale(0.5, len(places) + 0.5)
    baseline = evidence.fact(evidence.baseline.id, "metric", metric.name) if evidence.baseline else None
    if evidence.baseline is not None and baseline is not None and wording.is_finite(baseline):
        height = number(baseline)
        ends = [(0.5, height), (len(places) + 0.5, height)]
        chart.add_line(ends, name=f"baseline {evidence.baseline.id}", stroke_color="#d62728", width=1)
    chart.add_dots(points, name="runs", fill_color="#1f77b4", radius=5)
    ticks = list(range(1, len(places) + 1))
    chart.add_x_axis(ticks=ticks, tick_formatter=lambda at, *_: labels[int(at) - 1], name=evidence.axis[0])
    width, height_px = _SIZE
    return str(chart.to_svg(width=width, height=height_px))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
