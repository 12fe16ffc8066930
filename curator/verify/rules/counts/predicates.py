"""What is said of the things that are counted, as a question that can be asked of each run, and of which runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from curator.verify.reading.senses import equality_at, sense_at
from curator.verify.reading.ties import SLACK
from curator.verify.rules.counts.bounded import bounded_before, bounds, kept
from curator.verify.rules.counts.nouns import ALL, DONE, NONE, OTHERS, PASSING, THEM
from curator.verify.rules.outcomes import Outcome, outcome_at
from curator.verify.text import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.rules.comparisons import Comparison, Comparisons

_STATUS_NOUNS = {"failure": "failed", "success": "succeeded", "preemption": "preempted", "crash": "failed"}
_CHOOSING = words.word_set("with without at for under using")
_KNOWN_CHOICES = (
    PASSING
    | DONE
    | OTHERS
    | words.RUN_NOUNS
    | ALL
    | NONE
    | THEM
    | words.word_set("variant single failed baseline nor or and")
)


@dataclass(frozen=True, slots=True)
class Predicate:
    """A status or a comparison that is said of some runs."""

    holds: Callable[[str], bool | None]
    """Whether it is so of a run; None where nothing can be told."""
    at: int = -1
    """Where its word stands; -1 where the noun itself says it: ``two failures``."""
    status: str = ""
    """The status that it says, to the letter."""
    decided: bool = False
    """It is a comparison or a bound, which is not so of a run that has no value."""


class Predicates:
    """Finds predicates, and the runs that they range over."""

    def __init__(self, world: World, comparisons: Comparisons) -> None:
        self._world, self._comparisons = world, comparisons

    def behind(self, reader: Reader, s: Sentence, i: int) -> Predicate | None:
        """The status or comparison from ``i`` on."""
        for at in _candidates(s, i):
            outcome = outcome_at(s, at, counted=True)
            if outcome is not None and not s.hedged(at):
                outcome = replace(outcome, negated=s.negated(at, i - 1))
                return Predicate(self._asked(outcome), at, "" if outcome.negated else outcome.status)
            bound = None if s.hedged(at) else bounds(s, at)
            told = None if bound is None else self._kept(reader, s, bound, at, negated=s.negated(at, i - 1))
            if told is not None:
                return told
            if (sense_at(s, at) or equality_at(s, at)) is not None and not s.hedged(at):
                claim = self._comparisons.claim_at(reader, s, at)
                negated = s.negated(at, i - 1)
                return Predicate(self._compared(claim, negated=negated), at, decided=not negated) if claim else None
        return None

    def before(self, reader: Reader, s: Sentence, i: int) -> Predicate | None:
        """The bound that stands before a count: ``p99 stays under 10 ms in two runs``."""
        bound = bounded_before(s, i)
        return None if bound is None or s.hedged(i) else self._kept(reader, s, bound, -1, negated=s.negated(bound))

    def _kept(self, reader: Reader, s: Sentence, bound: int, at: int, *, negated: bool) -> Predicate | None:
        holds = kept(self._world, reader, s, bound, negated=negated)
        return Predicate(holds, at, decided=not negated) if holds else None

    def labelled(self, s: Sentence, i: int) -> Predicate | None:
        """``Succeeded: 4``."""
        status = words.STATUS_WORDS.get(s.word(i - 2)) if s.word(i - 1) in {":", "="} else None
        return Predicate(self._asked(Outcome(status, i - 2, negated=False)), i - 2) if status else None

    def of_noun(self, noun: str) -> Predicate | None:
        """``two failures``."""
        singular = (noun, noun.removesuffix("s"), noun.removesuffix("es"))
        status = next((_STATUS_NOUNS[each] for each in singular if each in _STATUS_NOUNS), None)
        return Predicate(self._asked(Outcome(status, 0, negated=False))) if status else None

    def _asked(self, outcome: Outcome) -> Callable[[str], bool | None]:
        return lambda run: outcome.holds(self._world, run)

    def _compared(self, claim: Comparison, *, negated: bool) -> Callable[[str], bool | None]:
        against = list(claim.references.within(SLACK))
        names = claim.names.surest
        loose = frozenset[str]() if names else self._comparisons.name_choices(claim)[0][0] - self._world.durations

        def holds(run: str) -> bool | None:
            others = [other for other in against if other != run]
            truths = [claim.truth(self._world, run, other, names) for other in others]
            decided = [truth for truth in truths if truth is not None]
            if not decided:
                # Of a metric that nobody names it is told only where every one that it may be says the same.
                told = {claim.truth(self._world, run, other, {name}) for other in others for name in loose} - {None}
                return told.pop() if len(told) == 1 else None
            # Compared with any of several, one that bears it out is enough.
            return not all(decided) if negated else any(decided)

        return holds

    # -- of which runs ----------------------------------------------------------------------------------------------

    def domain(self, reader: Reader, s: Sentence, i: int, noun: int, at: int) -> frozenset[str]:
        """The runs that a count at ``i`` with its noun and predicate ranges over."""
        near = {s.word(j) for j in range(i, min(noun + 2, at))}
        mention = next((m for m in reader.runs if i < m.first <= noun + 1 and m.last < at and not m.reference), None)
        domain = mention.meant if mention else self._world.all_runs
        if near & {"variant", "variants", "new", "alternatives"}:
            domain -= self._world.baseline
        if near & DONE:
            domain = frozenset(run for run in domain if self._world.ended_well(run))
        if near & OTHERS:
            domain -= reader.named or reader.named_before
        if sense_at(s, at) is not None and bounds(s, at) is None:
            domain -= reader.references(at).surest
        return domain

    def chosen(self, reader: Reader, s: Sentence, noun: int) -> tuple[frozenset[str] | None, int]:
        """The runs that what stands behind a noun leaves, None where it is not known, and where that ends.

        ``all runs with smoothing that finished``
        """
        left, j = self._world.all_runs, noun + 1
        runs: frozenset[str] | None
        while True:
            if s.word(j) in {"that", "which"}:
                at = next((at for at in range(j + 1, j + 5) if outcome_at(s, at, counted=True)), -1)
                outcome = outcome_at(s, at, counted=True) if at > 0 else None
                if outcome is None:
                    return left, j  # "that beat the baseline", which is a claim of its own
                runs, end = frozenset(run for run in left if outcome.holds(self._world, run)), at
            elif s.word(j) in _CHOOSING:
                mention = next((m for m in reader.runs if j <= m.first <= j + 4), None)
                runs, end = (mention.meant, mention.last) if mention else (None, j)
            else:
                return left, j
            if runs is None:
                return None, j
            left &= runs
            j = end + 1
            while s.keys(j) and not s.runs(j):
                j += 1


def predicate_word(s: Sentence, i: int) -> int | None:
    """Where a word from ``i`` on stands that may say something of runs."""
    return next((at for at in _candidates(s, i) if outcome_at(s, at, counted=True) or sense_at(s, at)), None)


def has_unknown_choice(s: Sentence, i: int, noun: int) -> bool:
    """Whether an adjective that the facts do not know chooses some of the runs: ``all smoothed runs``."""
    return any(s.is_word(j) and s.word(j) not in _KNOWN_CHOICES and not s.runs(j) for j in range(i + 1, noun))


def _candidates(s: Sentence, i: int) -> Iterator[int]:
    _, high = s.clause(min(i, len(s.tokens) - 1))
    for j in range(i, min(high, i + 14)):
        if j > i and s.numeral(j) is not None and not s.runs(j):
            return
        yield j
