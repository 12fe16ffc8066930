"""What a recorder would say that is gone: how much was printed since, and what that measures. Knows no process.

Whoever kills the recorder of a command leaves the command undisturbed, so there may be much to say yet.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from marin_research.command_metrics import CommandMetrics
    from marin_research.record import Gap, Metric, Output
    from marin_research.store import RecordStore


class StandIn:
    """Of one step or command."""

    def __init__(self, message: dict[str, Any]) -> None:
        """``message`` is the one that opened its pipes; a command's also says where metrics are to be found."""
        self._message = message
        self._metrics: CommandMetrics | None = None
        self._said: Output | None = None

    def facts(
        self, store: RecordStore, printed: dict[str, Any], *, redact: Callable[[str], str], last: bool
    ) -> list[tuple[str, Any]]:
        """What is new since the last call, by the kind of its event; at the ``last`` one everything.

        Args:
            store: where the output is kept.
            printed: how much of it there is, and what is wrong with it.
            redact: masks secrets in what is quoted.
            last: nothing more will come.
        """
        from marin_research.record import Gap, Output

        output = Output(size=printed["size"], lines=printed["lines"], shared=printed["shared"])
        facts: list[tuple[str, Any]] = [("output", output)] if last or output != self._said else []
        self._said = output
        found = self._measured(store, last=last)
        if last and printed["problem"]:
            found.append(Gap(what="the output", why=printed["problem"]))
        for each in found:
            if isinstance(each, Gap):
                facts.append(("gap", replace(each, why=redact(each.why))))
            else:
                facts.append(("metric", each))
        return facts

    def tidy(self) -> None:
        """Remove what a recorder would have removed at the end."""
        if "metrics_file" in self._message:
            Path(self._message["metrics_file"]).unlink(missing_ok=True)

    def _measured(self, store: RecordStore, *, last: bool) -> list[Metric | Gap]:
        from marin_research.record import Gap

        if "metrics_file" not in self._message:
            return []
        try:
            self._metrics = self._metrics or self._begin(store)
            return list(self._metrics.read(last=last))
        except Exception as error:  # noqa: BLE001 - the store may answer again; how much was printed is known anyway
            why = f"what was printed after the recorder had ended could not be read: {error}"
            return [Gap(what="the metrics", why=why)] if last else []

    def _begin(self, store: RecordStore) -> CommandMetrics:
        from marin_research.command_metrics import CommandMetrics
        from marin_research.output import StoredOutput
        from marin_research.output_metrics import parse_pattern

        told = self._message
        patterns = [parse_pattern(text) for text in told["metric_patterns"]]
        return CommandMetrics(
            lambda: StoredOutput(store, told["run_id"], told["attempt"], told["writer"]),
            patterns,
            Path(told["metrics_file"]),
        )
