"""Judges what a text concludes: a hypothesis that holds or does not, and repetitions that agree or do not.

A hypothesis is read like any other sentence, as if it were a result of its run: what the facts contradict is refuted,
what they bear out is supported, and of what they do not decide nothing may be wrong.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind
from curator.verify.text import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector

AGREE_WITHIN_PERCENT = 2.0
"""Sample standard deviation of repetitions, relative to their mean, up to which they agree."""
_EXPECTATIONS = words.word_set("hypothesis hypotheses prediction expectation criterion claim conjecture")
_EXPECTED = words.word_set("expected predicted hoped-for promised anticipated hypothesised hypothesized")
_RIGHT = words.word_set(
    "supported confirmed holds held hold right correct met true validated verified accepted stands borne exceeded seen"
)
_WRONG = words.word_set(
    "refuted rejected wrong incorrect false disproved falsified contradicted missed fails failed fell"
)
_PARTLY = words.word_set("half partly partially only mostly largely part almost nearly not-yet open undecided unclear")
_ALIKE = words.word_set("seeds repetitions replicates repeats seed replications reruns")
_AGREEING = words.forms("agree coincide") | words.word_set("reproducible consistent close stable")
_DISAGREEING = words.forms("disagree differ vary diverge") | words.word_set("inconsistent irreproducible unstable")


class Hypotheses:
    """The rule for verdicts on a hypothesis."""

    def __init__(self, world: World, truth: Callable[[str, str], bool | None]) -> None:
        self._world, self._truth = world, truth
        self._stated = [
            (f.subject, f.value)
            for f in world.facts
            if f.kind is FactKind.TEXT and "hypothesis" in f.id and isinstance(f.value, str)
        ]
        self._known: dict[tuple[str, str], bool | None] = {}

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:
        said = next((i for i in range(len(s.tokens)) if _is_expectation(s, i)), None)
        if said is None or s.context.hypothetical or s.is_question:
            return
        at = next((i for i in self._around(s, said) if s.word(i) in _RIGHT | _WRONG and s.is_word(i)), None)
        partly = any(s.word(i) in _PARTLY for i in range(len(s.tokens)))
        if at is None or partly or (s.word(at) in words.FAILED_TO and s.word(at + 1) == "to"):
            return
        positive = (s.word(at) in _RIGHT) is not s.negated(at)
        truths = {self._asked(text, subject) for subject, text in self._meant(reader, s, at)} - {None}
        token = s.tokens[at]
        found.judged.add(token.start)
        if truths and positive not in truths:
            why = f"the facts {'bear it out' if True in truths else 'contradict it'}"
            found.object_to(FindingKind.STATUS, token, why)

    @staticmethod
    def _around(s: Sentence, said: int) -> Iterator[int]:
        yield from range(said + 1, len(s.tokens))
        yield from range(said - 1, -1, -1)

    def _meant(self, reader: Reader, s: Sentence, at: int) -> Iterator[tuple[str, str]]:
        """The hypotheses that may be meant: those of the runs in question, else any."""
        runs = (reader.subjects(at).surest or s.context.topics) & {subject for subject, _ in self._stated}
        yield from ((subject, text) for subject, text in self._stated if not runs or subject in runs)

    def _asked(self, text: str, subject: str) -> bool | None:
        key = (text, subject)
        if key not in self._known:
            self._known[key] = self._truth(text, subject)
        return self._known[key]


def _is_expectation(s: Sentence, i: int) -> bool:
    """``the hypothesis``, ``the expected gain``."""
    expected = s.word(i) in _EXPECTED and s.word(i + 1) in words.DIFFERENCES | {"effect", "result", "outcome"}
    stated = s.word(i) in _EXPECTATIONS and s.word(i - 1) != "a"  # "likely cause, a hypothesis: the code met ..."
    return stated or (expected and s.word(i - 1) in {"the", "our", "its"})


class Agreement:
    """The rule for what is said of repetitions: ``the seeds agree``, ``stable across seeds``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:
        for i, token in enumerate(s.tokens):
            told = s.word(i) in _AGREEING, s.word(i) in _DISAGREEING
            if token.kind is TokenKind.WORD and any(told) and self._is_of_repeats(s, i) and not s.hedged(i):
                agree = told[0] is not s.negated(i)
                self._judge(reader, s, i, agree=agree, found=found)

    @staticmethod
    def _is_of_repeats(s: Sentence, i: int) -> bool:
        """Whether seeds or the like are its subject, or what it holds across."""
        before = any(s.tokens[j].kind is TokenKind.WORD and s.word(j) in _ALIKE for j in range(max(0, i - 8), i))
        across = s.word(i + 1) in {"across", "over", "between", "among"} and any(
            s.word(j) in _ALIKE for j in range(i + 2, i + 7)
        )
        return before or across

    def _judge(self, reader: Reader, s: Sentence, i: int, *, agree: bool, found: Collector) -> None:
        names = reader.names(i).surest or frozenset({self._world.primary} - {""})
        runs = reader.named or s.context.topics or self._world.all_runs
        spreads = [
            spread
            for name in names
            for group in self._groups(runs)
            if (spread := self._spread(group, name)) is not None
        ]
        if not spreads:
            return
        near = [spread <= AGREE_WITHIN_PERCENT for spread in spreads]
        if agree not in near:
            token = s.tokens[i]
            found.judged.add(token.start)
            found.object_to(FindingKind.STATUS, token, f"they lie {min(spreads):.1f} % apart")

    def _groups(self, runs: frozenset[str]) -> set[frozenset[str]]:
        return {group for run in runs if len(group := self._world.repeats(run)) > 1}

    def _spread(self, group: frozenset[str], name: str) -> float | None:
        values = [self._world.values[run, name].value for run in group if (run, name) in self._world.values]
        if len(values) < 2 or not (mean := statistics.fmean(values)):
            return None
        return 100 * statistics.stdev(values) / abs(mean)
