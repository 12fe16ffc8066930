"""Judges superlatives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.known.fits import Fit, fit
from curator.verify.known.wording import of_quantities
from curator.verify.reading.ties import SLACK, Tie
from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind
from curator.verify.rules.superlatives.choices import choice_of
from curator.verify.rules.superlatives.phrase import FILLERS, superlatives
from curator.verify.rules.superlatives.scope import domain_of, names_of, ranges_over_some, subjects_of
from curator.verify.text import words
from curator.verify.text.words import SIZES, Sense

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.verify.known.quantities import Quantity
    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.reading.ties import Ties
    from curator.verify.report import Collector
    from curator.verify.rules.superlatives.phrase import Superlative


@dataclass(frozen=True, slots=True)
class _Verdict:
    """One reading of a superlative that could be decided."""

    cost: float
    holds: bool
    runs: frozenset[str]
    ranked: list[Quantity]


class Superlatives:
    """The rule for superlatives."""

    def __init__(self, world: World) -> None:
        self._world = world

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:
        for it in superlatives(s):
            if it.sense in SIZES and (key := self._config_key(it)):
                self._judge_config(it, key, reader, found)
                continue
            names = names_of(it, self._world, reader, found)
            if not names.all:
                continue
            if group := _group(it, reader):
                self._judge_group(it, names, group, found)
                continue
            self._judge_run(it, names, reader, found)
            for name in sorted(names.surest):
                self._judge_value(it, name, reader, found)

    def _ranked(self, sense: Sense, name: str, among: frozenset[str]) -> list[Quantity]:
        """The runs' values of a metric, the one that is most so first; empty when nobody said which way that is."""
        upwards = self._world.upwards(sense, name)
        if upwards is None:
            return []
        found = [
            q
            for (run, key), q in self._world.values.items()
            # A run that did not reach its end lasted as long as it lasted, which ranks nowhere.
            if key == name and run in among and not (q.kind is FactKind.DURATION and not self._world.ended_well(run))
        ]
        return sorted(found, key=lambda q: q.value, reverse=upwards)

    # -- a run: LR-003 is the best ----------------------------------------------------------------------------------

    def _judge_run(self, it: Superlative, names: Ties, reader: Reader, found: Collector) -> None:
        verdicts = sorted(self._verdicts(it, names, reader), key=lambda v: v.cost)
        right = [v for v in verdicts if v.holds and v.cost <= verdicts[0].cost + SLACK]
        if right:
            token = it.s.tokens[it.i]
            found.support(token.start, token.end, [x for q in right[0].ranked for x in q.ids])
        elif verdicts:
            mine = [q for q in verdicts[0].ranked if q.runs & verdicts[0].runs][:1]
            _object(it, found, of_quantities([*mine, *verdicts[0].ranked[:1]], self._world))

    def _verdicts(self, it: Superlative, names: Ties, reader: Reader) -> Iterator[_Verdict]:
        for subject, among in self._ranges(it, reader):
            for named in names.all:
                rankings = [self._ranked(it.sense, name, among) for name in sorted(named.meant)]
                results = [self._holds(it, ranked, subject.meant) for ranked in rankings]
                decided = [result for result in results if result is not None]
                if decided:
                    shown = next((ranked for ranked in rankings if ranked), [])
                    holds = any(decided) is not it.negated
                    yield _Verdict(subject.cost + named.cost, holds, subject.meant, shown)

    def _ranges(self, it: Superlative, reader: Reader) -> Iterator[tuple[Tie, frozenset[str]]]:
        """Who may be called so, and among which runs."""
        choice = choice_of(it, self._world, reader)
        if choice is None:
            for subject in subjects_of(it, reader).all:
                yield subject, domain_of(it, self._world, reader, subject.meant)
            return
        named = choice.named(it, self._world)
        for subject in [Tie(named)] if named else subjects_of(it, reader, apart=choice.named_at).all:
            for among in choice.domains(self._world, subject.meant):
                yield replace(subject, meant=choice.widened(self._world, subject.meant, among)), among

    @staticmethod
    def _holds(it: Superlative, ranked: list[Quantity], runs: frozenset[str]) -> bool | None:
        if len(ranked) < max(2, it.rank):
            return None
        mine = [q for q in ranked if q.runs & runs]
        if not mine:
            return False if it.sense is Sense.BETTER else None
        return any(q.value == ranked[it.rank - 1].value for q in mine)

    # -- several at once: the two best runs are ... -----------------------------------------------------------------

    def _judge_group(self, it: Superlative, names: Ties, group: frozenset[str], found: Collector) -> None:
        count = it.s.tokens[it.i - 1]
        if count.numeral and count.numeral.value != len(group):
            found.object_to(FindingKind.COUNT, count, f"{len(group)} runs are named")
        ranked = [self._ranked(it.sense, name, self._world.all_runs) for name in names.surest]
        tops = [frozenset(x for q in qs[: len(group)] for x in q.runs) for qs in ranked if len(qs) > len(group)]
        if tops and group not in tops:
            _object(it, found, f"these are {', '.join(sorted(tops[0]))}")

    # -- a config value: the largest learning rate ------------------------------------------------------------------

    def _config_key(self, it: Superlative) -> str:
        j = it.s.skip(it.i + 1, FILLERS)
        keys = it.s.keys(j) & self._world.varying
        return next(iter(keys)) if len(keys) == 1 and not it.s.names(j) else ""

    def _judge_config(self, it: Superlative, key: str, reader: Reader, found: Collector) -> None:
        settings = [q for q in self._world.quantities if q.kind is FactKind.CONFIG and q.name == key and q.runs]
        numbers = {next(iter(q.runs)): q.value for q in settings}
        if len(set(numbers.values())) < 2 or it.rank > 1:
            return
        extreme = max(numbers.values()) if it.sense is Sense.UP else min(numbers.values())
        stated = it.stated.value if it.stated is not None else extreme
        subjects = subjects_of(it, reader).surest & numbers.keys()
        wrong = stated != extreme and stated in numbers.values()
        wrong = wrong or (bool(subjects) and all(numbers[run] != extreme for run in subjects))
        if wrong != it.negated:
            _object(it, found, f"{key} is {extreme:g} at that end of the sweep")

    # -- a value: the lowest loss, 2.31 -----------------------------------------------------------------------------

    def _judge_value(self, it: Superlative, name: str, reader: Reader, found: Collector) -> None:
        choice = choice_of(it, self._world, reader)
        stated = it.stated or (choice.stated(it) if choice else None)
        if stated is None or it.rank > 1 or it.negated or it.s.word(it.i - 1) == "-" or ranges_over_some(it):
            return
        everyone = domain_of(it, self._world, reader, frozenset())
        domains = choice.domains(self._world, frozenset()) if choice else [everyone]
        rankings = [each for among in domains if len(each := self._ranked(it.sense, name, among)) > 1]
        others = reader.named - self._world.baseline - (choice.around if choice else frozenset())
        if not rankings or any(others - ranked[0].runs for ranked in rankings):
            return
        fitting = [[q for q in ranked if fit(stated, q) is Fit.MATCH] for ranked in rankings]
        right = [q for fits, ranked in zip(fitting, rankings, strict=True) for q in fits if q.value == ranked[0].value]
        if any(fitting) and not right:
            _object(it, found, of_quantities(rankings[0][:1], self._world))


def _group(it: Superlative, reader: Reader) -> frozenset[str]:
    """The runs of ``the two best runs are LR-002 and LR-003``; none where it is said of one."""
    s, i = it.s, it.i
    verb = next((j for j in range(i + 1, len(s.tokens)) if s.word(j) in {"are", "were", ":"}), None)
    counted = s.kind(i - 1) is TokenKind.NUMBER and s.word(i + 1) in words.RUN_NOUNS
    mention = next((m for m in reader.runs if verb is not None and m.first > verb), None)
    return mention.meant if mention and counted else frozenset()


def _object(it: Superlative, found: Collector, why: str) -> None:
    found.object_to(FindingKind.SUPERLATIVE, it.s.tokens[it.i], why)
