"""The facts, arranged for looking up: by run and name, by what people call them, and by the words inside their strings.

Decides which run is the baseline and which way a metric is better. Knows nothing of the text that is checked.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from curator.facts import CHANGES, Fact, FactKind
from curator.verify import aliases, lexicon, units
from curator.verify.blocks import normalise
from curator.verify.lexicon import Sense
from curator.verify.matching import fact_unit, numeric_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from marin_research.thread import Direction

NAMED = frozenset({FactKind.METRIC, FactKind.DURATION, FactKind.DEVIATION, *CHANGES})
STRINGS = frozenset(
    {
        FactKind.NAME,
        FactKind.LINK,
        FactKind.COMMAND,
        FactKind.PATH,
        FactKind.DEVICE,
        FactKind.LABEL,
        FactKind.QUOTE,
        FactKind.TEXT,
        FactKind.STATUS,
        FactKind.CONFIG,
        FactKind.RUN,
        FactKind.COMMIT,
        FactKind.TIME,
    }
)
TOKEN = re.compile(r"[^\s\"'`,;()\[\]{}<>]+")
_INNER = re.compile(r"[A-Za-z0-9]+(?:[.\-][A-Za-z0-9]+)*")
_RUN_ID = re.compile(r"(?P<prefix>[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z][A-Za-z0-9]*)*)-(?P<number>\d+)(?P<suffix>[a-z]?)")
_RUN_NAMES = frozenset({"label", "name", "run name", "wandb name", "W&B name"})
_RATE = re.compile(r"throughput|per_second|per_sec|per_s$|tok_s$|/s$|speed")
_TIME = re.compile(r"time|latency|duration|elapsed|wall|seconds")


class FactIndex:
    """The facts of one draft."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self.facts = tuple(facts)
        self.by_id = {fact.id: fact for fact in facts}

    @cached_property
    def runs(self) -> tuple[str, ...]:
        """Every run the facts are about, in order."""
        named = [fact.value for fact in self.facts if fact.kind is FactKind.RUN and isinstance(fact.value, str)]
        return tuple(dict.fromkeys([*(f.subject for f in self.facts if f.subject), *named]))

    @cached_property
    def prefixes(self) -> frozenset[str]:
        """Of the run IDs, lower case: ``lr`` for ``LR-003``."""
        found = (_RUN_ID.fullmatch(run) for run in self.runs)
        return frozenset(match["prefix"].lower() for match in found if match)

    @cached_property
    def baseline(self) -> frozenset[str]:
        """The baseline: the run that is said to be it, else the only one that changes refer to."""
        said = {fact.subject for fact in self.facts if fact.name == "baseline" and fact.value is True and fact.subject}
        said |= {
            f.value for f in self.facts if f.name == "baseline" and f.kind is FactKind.RUN and isinstance(f.value, str)
        }
        said |= {f.subject for f in self.facts if f.subject and f.kind is FactKind.LABEL and f.value == "baseline"}
        references = {ref for fact in self.facts if (ref := self.reference(fact))}
        return frozenset(said or (references if len(references) == 1 else ()))

    def reference(self, fact: Fact) -> str:
        """The run that a change is relative to; empty when the facts do not say."""
        if fact.kind not in CHANGES or len(fact.inputs) != 2:
            return ""
        other = self.by_id.get(fact.inputs[1])
        return other.subject if other else fact.inputs[1].partition("/")[0]

    @cached_property
    def values(self) -> Mapping[tuple[str, str], Fact]:
        """Measured values by run and name; means and deviations excluded."""
        kinds = {FactKind.METRIC, FactKind.DURATION}
        found: dict[tuple[str, str], Fact] = {}
        for fact in self.facts:
            # A metric's first value and extremes follow its last one, under the same name.
            if fact.kind in kinds and fact.subject and not fact.inputs:
                found.setdefault((fact.subject, fact.name), fact)
        return found

    @cached_property
    def metric_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(f.name for f in self.facts if f.kind in NAMED and f.name))

    @cached_property
    def configs(self) -> Mapping[str, Mapping[str, Fact]]:
        """Config facts by key and run."""
        found: dict[str, dict[str, Fact]] = defaultdict(dict)
        for fact in self.facts:
            if fact.kind is FactKind.CONFIG and fact.name:
                found[fact.name][fact.subject] = fact
        return found

    @cached_property
    def varying(self) -> frozenset[str]:
        """Config keys that differ between runs: what a sweep varies."""
        return frozenset(k for k, per_run in self.configs.items() if len({repr(f.value) for f in per_run.values()}) > 1)

    @cached_property
    def statuses(self) -> Mapping[str, str]:
        return {f.subject: str(f.value).lower() for f in self.facts if f.kind is FactKind.STATUS and f.subject}

    @cached_property
    def metric_phrases(self) -> Mapping[str, frozenset[str]]:
        durations = {fact.name for fact in self.facts if fact.kind is FactKind.DURATION}
        rates = {
            fact.name: fact.unit.lower() for fact in self.facts if fact.kind is FactKind.METRIC and "/s" in fact.unit
        }
        spoken = ((name, aliases.phrases(name, duration=name in durations)) for name in self.metric_names)
        return _phrases((name, {**found, **({rates[name]: 2} if name in rates else {})}) for name, found in spoken)

    @cached_property
    def config_phrases(self) -> Mapping[str, frozenset[str]]:
        return _phrases((name, aliases.phrases(name)) for name in self.configs)

    @cached_property
    def strings(self) -> tuple[tuple[Fact, str], ...]:
        """Text of the facts that are text, normalised like the text that is checked."""
        return tuple((f, normalise(f.value)) for f in self.facts if isinstance(f.value, str) and f.kind in STRINGS)

    @cached_property
    def words(self) -> Mapping[str, tuple[str, ...]]:
        """Every token inside a string, name or run ID, lower case, with the facts it stands in."""
        found: dict[str, list[str]] = defaultdict(list)
        for fact in self.facts:
            pieces = [fact.name, fact.subject]
            if isinstance(fact.value, str):
                pieces.append(normalise(fact.value))
            for token in {t for piece in pieces for t in _tokens(piece)}:
                found[token].append(fact.id)
        return {token: tuple(ids) for token, ids in found.items()}

    @cached_property
    def labels(self) -> Mapping[str, frozenset[str]]:
        """What runs are called besides their IDs: labels and names, lower case, each with its runs."""
        found: dict[str, set[str]] = defaultdict(set)
        for fact in self.facts:
            calls = fact.kind is FactKind.LABEL or (fact.kind is FactKind.NAME and fact.name in _RUN_NAMES)
            named = calls and fact.subject and isinstance(fact.value, str)
            if named and str(fact.value).lower() not in lexicon.CONFIDENCE and len(str(fact.value)) > 3:
                found[normalise(str(fact.value)).lower()].add(fact.subject)
        return {label: frozenset(runs) for label, runs in found.items() if len(runs) < max(2, len(self.runs))}

    @cached_property
    def unit_pattern(self) -> re.Pattern[str]:
        """What stands behind a number as its unit: the usual ones and those of the facts."""
        own = sorted({re.escape(f.unit) for f in self.facts if f.unit}, key=len, reverse=True)
        mine = "|".join(rf"(?:{unit})(?![\w/])" for unit in own)
        return re.compile(f"{mine}|{units.AFTER_NUMBER.pattern}" if mine else units.AFTER_NUMBER.pattern)

    @cached_property
    def primary(self) -> str:
        """The metric that "better" means when a sentence names none: the first whose direction is known."""
        return next((f.name for f in self.facts if f.kind is FactKind.METRIC and f.better and f.subject), "")

    def better(self, name: str) -> Direction | None:
        return next((f.better for f in self.facts if f.name == name and f.better), None)

    def speed(self, name: str) -> Sense | None:
        """Which way a metric moves when things get faster; None when it says nothing about speed."""
        fact = next(
            (f for f in self.facts if f.name == name and f.kind in NAMED and f.kind is not FactKind.PERCENT), None
        )
        unit = fact_unit(fact) if fact and fact.kind is not FactKind.RATIO else None
        name = name.rpartition("/")[2]
        if (unit and unit.dimension.endswith("/time")) or (unit is None and _RATE.search(name.lower())):
            return Sense.UP
        if (unit and unit.dimension == units.TIME) or (unit is None and _TIME.search(name.lower())):
            return Sense.DOWN
        return None

    def non_finite(self, run: str) -> bool:
        """Whether something the run measured is NaN or infinite."""
        return any(
            isinstance(fact.value, float) and not math.isfinite(fact.value)
            for (subject, _), fact in self.values.items()
            if subject == run
        )

    def in_unit(self, dimension: str) -> frozenset[str]:
        """The metrics measured in a dimension."""
        kinds = {FactKind.METRIC, FactKind.DURATION}
        return frozenset(
            f.name for f in self.numeric if f.kind in kinds and (unit := fact_unit(f)) and unit.dimension == dimension
        )

    def ended_well(self, run: str) -> bool:
        """Whether the run reached its end, as far as the facts say."""
        return self.statuses.get(run, "succeeded") in {"succeeded", "cached"}

    def runs_with(self, key: str, value: object) -> frozenset[str]:
        """The runs whose config has this value, unless that tells them from no other run."""
        per_run = self.configs.get(key, {})
        found = frozenset(run for run, fact in per_run.items() if run and _same(fact.value, value))
        return found if len(found) < len([run for run in self.runs if run]) else frozenset()

    @cached_property
    def runs_by_value(self) -> Mapping[str, frozenset[str]]:
        """Runs by a config value in words, lower case, where it tells them from the others: ``fp8``."""
        found: dict[str, frozenset[str]] = {}
        for key in self.varying:
            for fact in self.configs[key].values():
                if isinstance(fact.value, str) and (runs := self.runs_with(key, fact.value)):
                    found[fact.value.lower()] = found.get(fact.value.lower(), runs) & runs
        return found

    def mentioning(self, pattern: re.Pattern[str], kinds: Iterable[FactKind]) -> Iterator[Fact]:
        wanted = set(kinds)
        return (fact for fact, text in self.strings if fact.kind in wanted and pattern.search(text))

    @cached_property
    def numeric(self) -> tuple[Fact, ...]:
        """The facts whose value is a finite number."""
        return tuple(fact for fact in self.facts if numeric_value(fact) is not None)


def _same(a: object, b: object) -> bool:
    return str(a) == str(b) or (isinstance(a, int | float) and isinstance(b, int | float) and a == b)


def _phrases(named: Iterable[tuple[str, Mapping[str, int]]]) -> dict[str, frozenset[str]]:
    """Which names a phrase means: those it fits best."""
    ranked: dict[str, dict[str, int]] = defaultdict(dict)
    for name, found in named:
        for phrase, rank in found.items():
            ranked[phrase][name] = rank
    return {
        phrase: frozenset(name for name, rank in ranks.items() if rank == min(ranks.values()))
        for phrase, ranks in ranked.items()
    }


def _tokens(text: str) -> set[str]:
    found = set()
    for token in TOKEN.findall(text.lower()):
        found.add(token.strip(".:!?"))
        found.update(_INNER.findall(token))
        found.update(part for part in re.split(r"[/=:._\-@+]+", token) if part)
        found.update(part for part in re.split(r"[/=:@+]+", token) if part)
    return found
