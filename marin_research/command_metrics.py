"""What a recorded command says of its metrics: in named lines of its output, and in the file that it may leave.

Knows nothing of who reads it: that is the recorder, and after a recorder that was killed the sidecar.
"""

from __future__ import annotations

import json
import math
import time
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from marin_research.record import Gap, Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from marin_research.history import History
    from marin_research.output import StoredOutput
    from marin_research.output_metrics import MetricPattern, OutputMetrics

METRICS_VARIABLE = "MARIN_RESEARCH_METRICS"
"""Names the JSON file where a command may leave metrics: ``{"loss": 2.3, "speed": {"value": 9, "unit": "tok/s"}}``."""


class CommandMetrics:
    """One command's metrics, as far as they were read."""

    def __init__(self, output: Callable[[], StoredOutput], patterns: Sequence[MetricPattern], file: Path) -> None:
        """Nothing is read yet.

        Args:
            output: gives what the command prints, from its beginning. Only called if there are ``patterns``.
            patterns: what its lines are called that are wanted.
            file: where it may leave metrics; need not exist.
        """
        self._output = output
        self._patterns = patterns
        self._file = file
        self._histories: dict[str, History] = {}
        self._said: dict[str, str] = {}
        """By the file, when it was read last."""

    def read(self, *, last: bool = False) -> Iterator[Metric | Gap]:
        """What has changed since the last call; at the ``last`` one all lines' metrics, and what makes no sense."""
        yield from self._left_in_file(complain=last)
        if self._patterns:
            yield from self._printed(last=last)

    def _printed(self, *, last: bool) -> Iterator[Metric]:
        from marin_research.history import History

        output, named = self._named
        changed = set()
        for name, value, step in named.read(output.read(), last=last):
            self._histories.setdefault(name, History()).add(value, step, time.time())
            changed.add(name)
        for name in sorted(self._histories if last else changed):
            yield self._histories[name].metric(name, "output")

    @cached_property
    def _named(self) -> tuple[StoredOutput, OutputMetrics]:
        from marin_research.output_metrics import OutputMetrics  # most commands have no patterns

        return self._output(), OutputMetrics(self._patterns)

    def _left_in_file(self, *, complain: bool) -> Iterator[Metric | Gap]:
        try:
            raw = json.loads(self._file.read_text(encoding="utf-8"))
            if not isinstance(raw, dict):
                raise TypeError("it does not hold an object of names and numbers")  # noqa: TRY301
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, RecursionError) as error:
            if complain:  # else it is just being written
                yield Gap(what="the metrics file", why=f"${METRICS_VARIABLE} cannot be read: {error}")
            return
        for name, said in raw.items():
            value, unit = (said.get("value"), str(said.get("unit", ""))) if isinstance(said, dict) else (said, "")
            number = _as_number(value)
            if number is not None and self._said.get(name) != repr(said):  # unlike NaN, its text equals itself
                self._said[name] = repr(said)
                now, broken = datetime.now(UTC), int(not math.isfinite(number))
                yield Metric(name=str(name), value=number, unit=unit, source="file", time=now, non_finite=broken)
            elif number is None and complain:
                yield Gap(what=f"metric {name}", why=f"{said!r:.80} in ${METRICS_VARIABLE} is not a number")


def _as_number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None
