"""The facts of one draft, arranged for looking up: runs, values, configs, statuses, and the words inside strings.

Decides which run is the baseline and which way a metric is better. Knows nothing of the text that is checked.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from curator.facts import CHANGES, Fact, FactKind
from curator.verify.known.quantities import STATES, Quantity, means, number_of, quantities, unit_of
from curator.verify.text import units
from curator.verify.text.blocks import normalise
from curator.verify.text.words import Sense
from marin_research.compare import is_repetition_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from marin_research.thread import Direction

QUALIFIERS: dict[str, str] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("eval", "evaluation", "validation", "val", "dev", "heldout"), "eval"),
    "test": "test",
}
"""Words that say on which data something was measured, and which of them mean the same."""
NAMED = frozenset({FactKind.METRIC, FactKind.DURATION, FactKind.DEVIATION, *CHANGES})
_STRINGS = frozenset(
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
_TELLING = frozenset({FactKind.QUOTE, FactKind.TEXT, FactKind.STATUS, FactKind.NAME})
_TOKEN = re.compile(r"[^\s\"'`,;()\[\]{}<>]+")
_INNER = re.compile(r"[A-Za-z0-9]+(?:[.\-][A-Za-z0-9]+)*")
_RUN_ID = re.compile(r"(?P<prefix>[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z][A-Za-z0-9]*)*)-(?P<number>\d+)(?P<suffix>[a-z]?)")
_RATE = re.compile(r"throughput|per_second|per_sec|per_s$|tok_s$|/s$|speed|flops")
_TIME = re.compile(r"time|latency|duration|elapsed|wall|seconds")


class World:
    """What is known."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self.facts = tuple(facts)
        self.by_id = {fact.id: fact for fact in facts}
        self._alike: dict[str, dict[str, frozenset[str]]] = {}
        """By a key that does not count, the runs that are alike but for it."""

    # -- runs -------------------------------------------------------------------------------------------------------

    @cached_property
    def runs(self) -> tuple[str, ...]:
        """Every run the facts are about, in order."""
        named = [fact.value for fact in self.facts if fact.kind is FactKind.RUN and isinstance(fact.value, str)]
        return tuple(dict.fromkeys([*(f.subject for f in self.facts if f.subject), *named]))

    @cached_property
    def all_runs(self) -> frozenset[str]:
        return frozenset(self.runs)

    @cached_property
    def prefixes(self) -> frozenset[str]:
        """Of the run IDs, lower case: ``lr`` for ``LR-003``."""
        found = (_RUN_ID.fullmatch(run) for run in self.runs)
        return frozenset(match["prefix"].lower() for match in found if match)

    @cached_property
    def references(self) -> Mapping[str, str]:
        """For each fact that is a change the run it is relative to, where the facts say."""
        found = {}
        for fact in self.facts:
            if fact.kind in CHANGES and len(fact.inputs) == 2:
                other = self.by_id.get(fact.inputs[1])
                found[fact.id] = other.subject if other else fact.inputs[1].partition("/")[0]
        return found

    @cached_property
    def baseline(self) -> frozenset[str]:
        """The baseline: the run that is said to be it, else the only one that changes refer to."""
        said = {fact.subject for fact in self.facts if fact.name == "baseline" and fact.value is True and fact.subject}
        said |= {
            f.value for f in self.facts if f.name == "baseline" and f.kind is FactKind.RUN and isinstance(f.value, str)
        }
        said |= {f.subject for f in self.facts if f.subject and f.kind is FactKind.LABEL and f.value == "baseline"}
        referred = set(self.references.values()) - {""}
        return frozenset(said or (referred if len(referred) == 1 else ()))

    @cached_property
    def variants(self) -> frozenset[str]:
        return self.all_runs - self.baseline

    @cached_property
    def statuses(self) -> Mapping[str, str]:
        return {f.subject: str(f.value).lower() for f in self.facts if f.kind is FactKind.STATUS and f.subject}

    def ended_well(self, run: str) -> bool:
        """Whether the run reached its end, as far as the facts say."""
        return self.statuses.get(run, "succeeded") in {"succeeded", "cached"}

    @cached_property
    def _not_finite(self) -> frozenset[tuple[str, str]]:
        return frozenset(
            (fact.subject, fact.name)
            for fact in self.facts
            if fact.kind in STATES and isinstance(fact.value, float) and not math.isfinite(fact.value)
        )

    def non_finite(self, run: str) -> bool:
        """Whether something the run measured is NaN or infinite."""
        return any(subject == run for subject, _ in self._not_finite)

    def is_not_finite(self, run: str, name: str) -> bool:
        return (run, name) in self._not_finite

    def repeats(self, run: str, but: str = "") -> frozenset[str]:
        """The runs that differ from it in nothing of the config but a seed or repetition, and one key; itself too."""
        if but not in self._alike:
            groups: dict[frozenset[tuple[str, str]], set[str]] = {}
            for other, own in self._settings.items():
                groups.setdefault(frozenset(each for each in own if each[0] != but), set()).add(other)
            self._alike[but] = {each: frozenset(group) for group in groups.values() for each in group}
        return self._alike[but].get(run, frozenset({run}))

    @cached_property
    def _settings(self) -> Mapping[str, frozenset[tuple[str, str]]]:
        found: dict[str, set[tuple[str, str]]] = {run: set() for run in self.runs}
        for key, per_run in self.configs.items():
            for run, fact in per_run.items():
                if not is_repetition_key(key) and run in found:
                    found[run].add((key, repr(fact.value)))
        return {run: frozenset(settings) for run, settings in found.items() if settings}

    # -- numbers ----------------------------------------------------------------------------------------------------

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        stated = quantities(self.facts, self.references)
        repeated = dict.fromkeys(self.repeats(run) for run in self.runs)
        ended = (frozenset(run for run in group if self.ended_well(run)) for group in repeated)
        return (*stated, *means(stated, [group for group in ended if len(group) > 1]))

    @cached_property
    def values(self) -> Mapping[tuple[str, str], Quantity]:
        """What each run measured in the end, by run and name."""
        found: dict[tuple[str, str], Quantity] = {}
        for quantity in self.quantities:
            if quantity.kind in STATES and len(quantity.runs) == 1 and not quantity.extreme:
                found.setdefault((next(iter(quantity.runs)), quantity.name), quantity)
        return found

    @cached_property
    def named_numbers(self) -> frozenset[float]:
        """Numbers inside the names of metrics: 1024 of ``forward_ms/t1024_h4``."""
        return frozenset(float(part) for name in self.metric_names for part in re.findall(r"\d{2,}", name))

    @cached_property
    def durations(self) -> frozenset[str]:
        """The names of what lasted as long as a run did."""
        return frozenset(fact.name for fact in self.facts if fact.kind is FactKind.DURATION)

    @cached_property
    def metric_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(f.name for f in self.facts if f.kind in NAMED and f.name))

    @cached_property
    def primary(self) -> str:
        """The metric that "better" means when a sentence names none: the first whose direction is known."""
        return next((f.name for f in self.facts if f.kind is FactKind.METRIC and f.better and f.subject), "")

    @cached_property
    def lengths(self) -> frozenset[str]:
        """The metrics that say how long something is that is no time."""
        return frozenset(
            name for name in self.metric_names if re.search(r"(?:^|[^a-z])len(?:gth)?s?(?:$|[^a-z])", name)
        )

    @cached_property
    def lasting(self) -> frozenset[str]:
        """What says how long a run, or a part of it, took."""
        timed = {name for _, name in self.values if re.search(r"(?:^|[_/])(?:wall|elapsed|time)", name)}
        return self.durations | {name for name in timed if self.speed(name) is Sense.DOWN}

    def measured_on(self, word: str) -> frozenset[str]:
        """The metrics that are better one way and measured on what a word says: ``evaluation``."""
        data = QUALIFIERS.get(word)
        return frozenset(
            name for name in self._directions if data and data in {QUALIFIERS.get(p) for p in re.split(r"\W|_", name)}
        )

    @cached_property
    def _directions(self) -> Mapping[str, Direction]:
        return {fact.name: fact.better for fact in reversed(self.facts) if fact.better}

    @cached_property
    def _measured_in(self) -> Mapping[str, units.Unit | None]:
        return {
            fact.name: unit_of(fact)
            for fact in reversed(self.facts)
            if fact.kind in NAMED - {FactKind.PERCENT, FactKind.RATIO}
        }

    def unit(self, name: str) -> units.Unit | None:
        """What a metric is measured in."""
        return self._measured_in.get(name)

    @property
    def unitless(self) -> frozenset[str]:
        """The metrics of which no unit is known, which may be shares."""
        return frozenset(name for name in self.metric_names if self.unit(name) is None)

    def in_unit(self, dimension: str) -> frozenset[str]:
        """The metrics measured in a dimension."""
        return frozenset(name for name, unit in self._measured_in.items() if unit and unit.dimension == dimension)

    def upwards(self, sense: Sense, name: str) -> bool | None:
        """Whether a metric goes up when it goes that way; None when nobody said, or for "the same"."""
        if sense in {Sense.UP, Sense.DOWN}:
            return sense is Sense.UP
        better = self._directions.get(name)
        if sense in {Sense.BETTER, Sense.WORSE} and better is not None:
            return (better.value == "higher") == (sense is Sense.BETTER)
        faster = self.speed(name)
        if sense in {Sense.FASTER, Sense.SLOWER} and faster is not None:
            return (faster is Sense.UP) == (sense is Sense.FASTER)
        return None

    def speed(self, name: str) -> Sense | None:
        """Which way a metric moves when things get faster; None when it says nothing about speed."""
        if name not in self._measured_in:
            return None
        unit, short = self._measured_in[name], name.rpartition("/")[2].lower()
        if (unit and unit.dimension.endswith("/time")) or (unit is None and _RATE.search(short)):
            return Sense.UP
        if (unit and unit.dimension == units.TIME) or (unit is None and _TIME.search(short)):
            return Sense.DOWN
        return None

    # -- configs ----------------------------------------------------------------------------------------------------

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
        some = len(self.runs)
        return frozenset(
            key
            for key, per_run in self.configs.items()
            if len({repr(f.value) for f in per_run.values()}) > 1 or ("" not in per_run and len(per_run) < some)
        )

    def runs_with(self, key: str, value: object) -> frozenset[str]:
        """The runs whose config has this value."""
        per_run = self.configs.get(key, {})
        return frozenset(run for run, fact in per_run.items() if run and _same(fact.value, value))

    def counterparts(self, run: str, among: frozenset[str] | None = None) -> frozenset[str]:
        """The runs that differ from this one in the fewest settings, those with its seed if any have.

        Args:
            run: whose counterparts are looked for.
            among: where; the runs before it if nothing is said, the baseline if there are none.
        """
        before = self.runs[: self.runs.index(run)] if run in self.runs else ()
        apart = {other: self.apart(run, other) for other in sorted(among or before)}
        apart = {other: n for other, n in apart.items() if n} or dict.fromkeys(self.baseline - {run}, 1)
        nearest = [other for other, n in apart.items() if n == min(apart.values())]
        alike = [other for other in nearest if self._seeds(other) == self._seeds(run)] or nearest
        return frozenset(alike) & self.baseline or frozenset(alike)

    def apart(self, run: str, other: str) -> int:
        """In how many settings two runs differ."""
        differing = self._settings.get(run, frozenset()) ^ self._settings.get(other, frozenset())
        return len({key for key, _ in differing})

    def _seeds(self, run: str) -> set[str]:
        return {repr(f.value) for key in self.configs if is_repetition_key(key) and (f := self.configs[key].get(run))}

    def nearest(self, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Of pairs of runs those that one compares when nothing more is said: alike in most settings and the seed."""
        known = list(pairs)
        ended = [pair for pair in known if all(map(self.ended_well, pair))] or known
        least = min((self.apart(a, b) for a, b in ended), default=0)
        near = [(a, b) for a, b in ended if self.apart(a, b) == least]
        return [(a, b) for a, b in near if self._seeds(a) == self._seeds(b)] or near

    @cached_property
    def moves(self) -> Mapping[str, tuple[tuple[str, str], ...]]:
        """By setting, every run that has more of it than another and that other; alike in all else where any are."""
        return {key: tuple(self._moves(key)) for key in self.varying if not is_repetition_key(key)}

    def _moves(self, key: str) -> list[tuple[str, str]]:
        numbers = {run: value for run, f in self.configs[key].items() if (value := number_of(f)) is not None}
        apart = [(a, b) for a in numbers for b in numbers if numbers[a] > numbers[b]]
        others = {run: {each for each in self._settings.get(run, ()) if each[0] != key} for run in numbers}
        return [(a, b) for a, b in apart if others[a] == others[b]] or apart

    def is_whole(self, key: str) -> bool:
        """Whether a config key has no values but whole numbers."""
        values = [number_of(fact) for fact in self.configs.get(key, {}).values()]
        return bool(values) and all(value is not None and value == int(value) for value in values)

    def between(self, first: frozenset[str], last: frozenset[str]) -> tuple[str, ...]:
        """The runs that reached their end, from those with one value of a setting to those with another, in order."""
        for key in sorted(self.varying):
            numbers = {run: value for run, f in self.configs[key].items() if (value := number_of(f)) is not None}
            ends = [{numbers[run] for run in runs & numbers.keys()} for runs in (first, last)]
            if all(len(end) == 1 for end in ends):
                low, high = sorted(min(end) for end in ends)
                inside = [run for run in self.runs if low <= numbers.get(run, high + 1) <= high]
                inside = [run for run in inside if self.ended_well(run)]
                return tuple(sorted(inside, key=numbers.__getitem__, reverse=max(ends[0]) > max(ends[1])))
        return ()

    def tells_apart(self, runs: frozenset[str]) -> bool:
        """Whether a set of runs is some of them and not all."""
        return 0 < len(runs) < len(self.all_runs)

    # -- strings ----------------------------------------------------------------------------------------------------

    @cached_property
    def strings(self) -> tuple[tuple[Fact, str], ...]:
        """Text of the facts that are text, normalised like the text that is checked."""
        return tuple((f, normalise(f.value)) for f in self.facts if isinstance(f.value, str) and f.kind in _STRINGS)

    def told_of(self, run: str) -> Sequence[tuple[Fact, str]]:
        """What the facts of a run, or of none (``""``), say in words of what became of it; no hopes. With the text."""
        return self._told.get(run, ())

    @cached_property
    def _told(self) -> Mapping[str, list[tuple[Fact, str]]]:
        found: dict[str, list[tuple[Fact, str]]] = defaultdict(list)
        for fact, text in self.strings:
            hoped = "hypothesis" in fact.id or fact.name == "hypothesis"
            if fact.kind in _TELLING and not hoped:
                found[fact.subject].append((fact, text))
        return found

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
    def unit_pattern(self) -> re.Pattern[str]:
        """What stands behind a number as its unit: the usual ones and those of the facts."""
        own = sorted({re.escape(f.unit) for f in self.facts if f.unit}, key=len, reverse=True)
        mine = "|".join(rf"(?:{unit})(?![\w/])" for unit in own)
        usual = units.AFTER_NUMBER.pattern
        # "four bits" is a setting where one is called so.
        keys = "|".join(re.escape(key.rstrip("s")) for key in self.configs if key.rstrip("s") in units.WORDS)
        usual = rf"(?!(?:{keys})s?(?![\w/])){usual}" if keys else usual
        return re.compile(f"{mine}|{usual}" if mine else usual)


def _same(a: object, b: object) -> bool:
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    return str(a).lower() == str(b).lower() or (isinstance(a, int | float) and isinstance(b, int | float) and a == b)


def _tokens(text: str) -> set[str]:
    found = set()
    for token in _TOKEN.findall(text.lower()):
        found.add(token.strip(".:!?"))
        found.update(_INNER.findall(token))
        found.update(part for part in re.split(r"[/=:._\-@+]+", token) if part)
        found.update(part for part in re.split(r"[/=:@+]+", token) if part)
    return found


__all__ = ["NAMED", "World", "number_of"]
