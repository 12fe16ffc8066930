"""Drafts that the template writes from records, those of our own experiments and perturbed ones, with errors planted.

An error is planted from the facts and not by looking for words: a cell of the table gets a value that nothing recorded
of its run and metric rounds to, a sentence is added that the record contradicts. Never asks what checks the texts.
"""

from __future__ import annotations

import copy
import math
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from curator.draft import DraftKind
from curator.drafting import make_drafts
from curator.facts import Fact, FactKind, render
from tests.evaluation import records
from tests.evaluation.annotated import states

type Error = tuple[str, str]
"""What kind of error it is, and the text that has it."""

_OTHER_UNITS = {
    "nats": "bits", "bits": "nats", "tok/s": "tok/min", "ms": "s", "us": "ms", "s": "ms", "GiB": "MiB", "GB/s": "MB/s",
    "%": "ms", "TFLOP/s": "GFLOP/s",
}  # fmt: skip
_ROW = re.compile(r"(?m)^ *\| (?P<run>[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*-\d+)[^|\n]*\|.*$")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_CHANGE = re.compile(r" \((?P<change>[-+][\d.]+) %\)")
_INTERPRETATION = "- Interpretation:\n"


@dataclass(frozen=True, kw_only=True)
class Drafted:
    """One draft as it was proposed."""

    text: str
    facts: tuple[Fact, ...]

    @cached_property
    def metrics(self) -> dict[tuple[str, str], Fact]:
        """The last value of each metric, by run and name."""
        ends = (f for f in self.facts if f.kind is FactKind.METRIC and "/metric/" in f.id and f.subject)
        return {(f.subject, f.name): f for f in ends if isinstance(f.value, int | float) and math.isfinite(f.value)}

    @cached_property
    def statuses(self) -> dict[str, str]:
        return {fact.subject: str(fact.value) for fact in self.facts if fact.kind is FactKind.STATUS}

    @cached_property
    def baseline(self) -> str:
        found = re.search(r"against the baseline ([A-Z0-9-]+\d)", self.text)
        return found[1] if found else ""

    def of(self, run: str, name: str) -> list[float]:
        """All numbers that the record has of a run's metric: the last, its history, its changes."""
        kinds = {FactKind.METRIC, FactKind.DELTA, FactKind.PERCENT, FactKind.RATIO}
        own = (fact.value for fact in self.facts if fact.subject == run and fact.name == name and fact.kind in kinds)
        return [float(value) for value in own if isinstance(value, int | float)]

    def ranked(self, name: str) -> list[str]:
        """The runs by a metric, the best first; without an order where nobody said which way is better."""
        found = {run: fact for (run, metric), fact in self.metrics.items() if metric == name}
        better = next((fact.better for fact in found.values()), None)
        if better is None:
            return []
        return sorted(found, key=lambda run: float(found[run].value), reverse=better.value == "higher")  # type: ignore[arg-type]

    def with_sentence(self, sentence: str) -> str:
        """The text with a sentence that somebody added to its interpretation."""
        return self.text.replace(_INTERPRETATION, f"{_INTERPRETATION}  - {sentence}\n", 1)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Where the table of a draft states a metric's last value."""

    draft: Drafted
    start: int
    end: int
    fact: Fact

    @property
    def written(self) -> str:
        return self.draft.text[self.start : self.end]

    def instead(self, number: str) -> str:
        """The draft with another number in this place."""
        return self.draft.text[: self.start] + number + self.draft.text[self.end :]

    def is_wrong(self, number: str) -> bool:
        """Whether nothing that the record has of this run and metric rounds to the number."""
        return number != self.written and not any(
            states(number, value) for value in self.draft.of(self.fact.subject, self.fact.name)
        )


def drafts(thread_name: str, *, seeds: range = range(3)) -> Iterator[Drafted]:
    """A thread's drafts, of the whole sweep and of each run: as recorded, then with every measurement moved."""
    for seed in seeds:
        raw = perturbed(records.table(thread_name), seed) if seed else records.table(thread_name)
        thread, store = records.stored(raw)
        runs = [row["id"] for row in raw["runs"]]
        for each in (False, True):
            for outcome in make_drafts(runs, thread, store, kinds=[DraftKind.LOGBOOK], each=each):
                if outcome.draft is not None:
                    yield Drafted(text=outcome.draft.text, facts=tuple(outcome.draft.facts))


def perturbed(raw: dict[str, Any], seed: int) -> dict[str, Any]:
    """The same thread with each measurement moved by up to a fifth."""
    rng, other = random.Random(seed), copy.deepcopy(raw)  # noqa: S311 - no secret
    for row in other["runs"]:
        for name, value in row.get("metrics", {}).items():
            factor = rng.uniform(0.8, 1.2)
            moved = [_moved(each, factor) for each in (value if isinstance(value, list) else [value])]
            row["metrics"][name] = moved if isinstance(value, list) else moved[0]
    return other


def _moved(value: Any, factor: float) -> Any:
    return round(value * factor) if isinstance(value, int) else float(value) * factor


def cells(draft: Drafted) -> list[Cell]:
    """Every value of a metric in the draft's table."""
    found = []
    for row in _ROW.finditer(draft.text):
        for (run, _), fact in draft.metrics.items():
            written = render(fact).split()[0]
            at = row.group().find(f"| {written} ") if run == row["run"] and _NUMBER.fullmatch(written) else -1
            if at >= 0:
                start = row.start() + at + 2
                found.append(Cell(draft=draft, start=start, end=start + len(written), fact=fact))
    return found


# -- the kinds of error -----------------------------------------------------------------------------------------------


def wrong_digit(draft: Drafted) -> Iterator[str]:
    for cell in cells(draft):
        places = [n for n, c in enumerate(cell.written) if c.isdigit() and cell.written[: n + 1].strip("0.,")]
        for at in places[1:2]:
            number = f"{cell.written[:at]}{(int(cell.written[at]) + 3) % 10}{cell.written[at + 1 :]}"
            if cell.is_wrong(number):
                yield cell.instead(number)


def rounded_too_far(draft: Drafted) -> Iterator[str]:
    for cell in cells(draft):
        whole, _, part = cell.written.partition(".")
        if len(part) > 1 and part[-2] != "9":
            number = f"{whole}.{part[:-2]}{int(part[-2]) + (part[-1] < '5')}"
            if cell.is_wrong(number):
                yield cell.instead(number)


def swapped_value(draft: Drafted) -> Iterator[str]:
    for cell in cells(draft):
        for (run, name), fact in draft.metrics.items():
            number = render(fact).split()[0]
            if name == cell.fact.name and run != cell.fact.subject and cell.is_wrong(number):
                yield cell.instead(number)
                break


def swapped_run(draft: Drafted) -> Iterator[str]:
    by_run = {cell.fact.subject: cell for cell in cells(draft)}
    for (a, mine), (b, theirs) in zip(list(by_run.items()), list(by_run.items())[1:], strict=False):
        if mine.fact.name == theirs.fact.name and mine.is_wrong(theirs.written):
            instead = {a: b, b: a}
            pieces = re.split(rf"(?m)^( *\| )({a}|{b})\b", draft.text)
            yield "".join(instead.get(piece, piece) for piece in pieces)


def wrong_unit(draft: Drafted) -> Iterator[str]:
    for found in re.finditer(r"(?m)^ *\| run .*$", draft.text):
        for unit in re.finditer(r"\((?P<unit>[^()\s/]+)(?P<rest>/[a-z]+)?\)", found.group()):
            whole, first = unit["unit"] + (unit["rest"] or ""), unit["unit"]
            other = _OTHER_UNITS.get(whole) or (f"{_OTHER_UNITS[first]}{unit['rest']}" if first in _OTHER_UNITS else "")
            if other:
                at = found.start() + unit.start()
                yield f"{draft.text[:at]}({other}){draft.text[at + len(unit.group()) :]}"


def stale_baseline(draft: Drafted) -> Iterator[str]:
    """A change in brackets is against another run than it says."""
    for cell in cells(draft):
        change = _CHANGE.match(draft.text, cell.end)
        for (run, name), fact in draft.metrics.items() if change else ():
            if name != cell.fact.name or run in {cell.fact.subject, draft.baseline} or not fact.value:
                continue
            percent = f"{100 * (float(cell.fact.value) / float(fact.value) - 1):+.1f}"  # type: ignore[arg-type]
            if change and not states(percent, float(change["change"])) and percent[0] == change["change"][0]:
                yield draft.text[: change.start("change")] + percent + draft.text[change.end("change") :]
                break


def flipped_sign(draft: Drafted) -> Iterator[str]:
    for cell in cells(draft):
        change = _CHANGE.match(draft.text, cell.end)
        if change and float(change["change"]):
            at = change.start("change")
            yield draft.text[:at] + ("-" if draft.text[at] == "+" else "+") + draft.text[at + 1 :]


def flipped_comparative(draft: Drafted) -> Iterator[str]:
    for name in {name for _, name in draft.metrics}:
        order = draft.ranked(name)
        if len(order) < 2 or draft.metrics[order[0], name].value == draft.metrics[order[-1], name].value:
            continue
        best, worst = draft.metrics[order[0], name], draft.metrics[order[-1], name]
        word = "higher" if best.value < worst.value else "lower"  # type: ignore[operator]
        yield draft.with_sentence(f"{order[0]} has a {word} {name} than {order[-1]}.")
        yield draft.with_sentence(f"{order[-1]} is better than {order[0]} in {name}.")


def false_superlative(draft: Drafted) -> Iterator[str]:
    for name in {name for _, name in draft.metrics}:
        order = draft.ranked(name)
        if len(order) > 2 and draft.metrics[order[0], name].value != draft.metrics[order[1], name].value:
            yield draft.with_sentence(f"Of all runs {order[1]} has the best {name}.")


def wrong_count(draft: Drafted) -> Iterator[str]:
    well = sum(status == "succeeded" for status in draft.statuses.values())
    if len(draft.statuses) > 2:
        yield draft.with_sentence(f"{well - 1 or well + 1} of the {len(draft.statuses)} runs succeeded.")
        yield draft.with_sentence(f"These are {len(draft.statuses) + 1} runs.")


def wrong_status(draft: Drafted) -> Iterator[str]:
    for run, status in draft.statuses.items():
        other = {"succeeded": "failed", "failed": "succeeded"}.get(status)
        row = re.search(rf"(?m)^ *\| {run}\b[^\n]*\| (?P<status>{status}) ", draft.text)
        if other and row:
            yield draft.text[: row.start("status")] + other + draft.text[row.end("status") :]


def statement_without_a_number(draft: Drafted) -> Iterator[str]:
    for run, status in draft.statuses.items():
        if status == "succeeded":
            yield draft.with_sentence(f"{run} crashed.")
        elif status == "failed":
            yield draft.with_sentence(f"{run} ran to its end.")
    if len(draft.statuses) > 1 and "failed" in draft.statuses.values():
        yield draft.with_sentence("No run failed.")


def wrong_role(draft: Drafted) -> Iterator[str]:
    """A value is given as a difference."""
    for (run, name), fact in draft.metrics.items():
        other = draft.metrics.get((draft.baseline, name))
        if other is None or run == draft.baseline or not fact.value:
            continue
        gap = abs(float(fact.value) - float(other.value))  # type: ignore[arg-type]
        if not states(render(fact), gap):
            yield draft.with_sentence(f"{run} differs from the baseline by {render(fact)} in {name}.")


def one_character(kind: FactKind, *, places: slice = slice(None)) -> Callable[[Drafted], Iterator[str]]:
    """A planter that changes one digit of what is copied from a fact."""

    def plant(draft: Drafted) -> Iterator[str]:
        known = {str(fact.value) for fact in draft.facts}
        for fact in [fact for fact in draft.facts if fact.kind is kind][places]:
            value = str(fact.value)
            at = next((n for n in range(len(value) - 1, -1, -1) if value[n].isdigit()), -1)
            other = f"{value[:at]}{(int(value[at]) + 3) % 10}{value[at + 1 :]}" if at >= 0 else value
            if value in draft.text and other not in known:
                yield draft.text.replace(value, other)

    return plant


def wrong_label(draft: Drafted) -> Iterator[str]:
    for mine, other in (("exploratory", "replicated"), ("replicated", "exploratory"), ("exploratory", "stable")):
        if f"- Confidence: {mine}" in draft.text:
            yield draft.text.replace(f"- Confidence: {mine}", f"- Confidence: {other}")


def stale_config(draft: Drafted) -> Iterator[str]:
    """A setting is given as another run's or as none's."""
    for found in re.finditer(r"`(?P<key>[\w.]+)=(?P<value>\d+)`", draft.text):
        yield draft.text[: found.start("value")] + str(int(found["value"]) * 2 + 1) + draft.text[found.end("value") :]


PLANTERS: dict[str, Callable[[Drafted], Iterator[str]]] = {
    "wrong digit": wrong_digit,
    "rounding too far": rounded_too_far,
    "swapped value": swapped_value,
    "swapped run": swapped_run,
    "wrong unit": wrong_unit,
    "stale baseline": stale_baseline,
    "wrong sign": flipped_sign,
    "flipped comparative": flipped_comparative,
    "false superlative": false_superlative,
    "wrong count": wrong_count,
    "wrong status": wrong_status,
    "statement without a number": statement_without_a_number,
    "wrong role": wrong_role,
    "invented link": one_character(FactKind.LINK),
    "wrong commit": one_character(FactKind.COMMIT, places=slice(1)),
    "wrong command": one_character(FactKind.COMMAND, places=slice(1)),
    "changed log line": one_character(FactKind.QUOTE),
    "wrong label": wrong_label,
    "wrong config": stale_config,
}
