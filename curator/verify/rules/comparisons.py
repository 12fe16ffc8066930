"""Judges comparisons: better, lower, improved, beats, unchanged, up 3 %, against the values of the facts.

A comparison has a sense, a metric, someone it is said of and someone it is compared with. Each may be open; of all the
readings that the sentence allows, the cheapest that can be decided counts, and a true one nearly as cheap wins.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from curator.verify.known.noise import noise
from curator.verify.known.wording import of_quantities
from curator.verify.reading.phrasing import (
    LONG,
    after_reference,
    claims,
    is_against_all,
    is_against_unknown,
    is_of_several,
    is_of_time,
    is_passive,
)
from curator.verify.reading.senses import EFFECTS, amount_word, equality_at, freed, graded, has_no_effect, sense_at
from curator.verify.reading.ties import BELIEVABLE, SLACK, Tie, Ties
from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind
from curator.verify.rules.directions import went
from curator.verify.text import words
from curator.verify.text.inflection import forms
from curator.verify.text.words import ALIKE, SPEEDS, Sense

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from curator.verify.known.quantities import Quantity
    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector

_FARTHEST = 2.5
"""What a run may cost that something is compared with."""
_SIMILAR = 5
_NEARLY = 2
"""How many times the noise values may lie apart that are about, and practically, the same."""
_VERDICTS = frozenset({Sense.BETTER, Sense.WORSE, Sense.FASTER, Sense.SLOWER})
_OUTCOMES = words.word_set("choice option result results outcome one performance value values overall")
_PRACTICALLY = words.word_set("practically virtually essentially basically effectively")
_WHOSE = words.word_set("the each every its 's") | {""}
_QUALITIES = words.RUN_NOUNS | _OUTCOMES
_ON = words.word_set("on in at the of data set sets")
_THROUGHOUT = words.word_set("keep keeps kept always steadily monotonically throughout each every")
_WORKING = forms("train run step compute execute serve") | words.ARTICLES
_BETWEEN = (
    words.ARTICLES
    | words.word_set("lot bit touch hair tad little great deal no nothing us")
    | words.word_set("last best training validation eval test peak in of on")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What one word claims."""

    sense: Sense
    at: int
    names: Ties
    """The metrics; no ties where it may be any."""
    references: Ties
    equal: bool = False
    """``as fast as``: at least so."""
    within: int = 1
    """How many times the noise is near enough."""
    denied: bool = False
    """A "not" stands before it, and it is said of an effect, not of a contest."""

    def truth(self, world: World, run: str, against: str, names: Iterable[str]) -> bool | None:
        """Whether it is so of one run, in one of the metrics; None where nothing can be told."""
        results = [self._of(world, run, against, name) for name in names]
        decided = [result for result in results if result is not None]
        return any(decided) if decided else None

    def _of(self, world: World, run: str, against: str, name: str) -> bool | None:
        a, b = world.values.get((run, name)), world.values.get((against, name))
        if a is None and b is not None and world.is_not_finite(run, name):
            return False  # whatever is said of a NaN
        if a is None or b is None or run == against:
            return None
        near = abs(a.value - b.value) <= noise(world, run, against, name) * self.within
        if self.sense is Sense.SAME:
            return near
        if self.sense is Sense.OTHER:
            return a.value != b.value
        upwards = world.upwards(self.sense, name)
        if upwards is None:
            return None
        if self.equal and near:
            return True
        if self.denied and near:
            return False  # "throughput did not suffer"
        return (a.value > b.value) if upwards else (a.value < b.value)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """One reading of a comparison that could be decided."""

    cost: float
    holds: bool
    values: list[Quantity]
    """Set side by side."""


class Comparisons:
    """The rule for comparisons in words."""

    def __init__(self, world: World) -> None:
        self._world = world

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:
        for i in s.of_kind(TokenKind.NUMBER):
            self._check_amount(s, i, found)
        for i, token in enumerate(s.tokens):
            if token.kind is not TokenKind.WORD or token.start in found.judged or s.hedged(i):
                continue
            if self._is_rule(s, i):
                self._check_rule(s, i, found)
            elif claim := self.claim_at(reader, s, i):
                self._judge(claim, reader, s, found)

    # -- beside an amount: 3.9 % lower, fell by 0.09 ------------------------------------------------------------

    def _check_amount(self, s: Sentence, i: int, found: Collector) -> None:
        """A change must have gone the way that the word beside it says."""
        meant = found.meant.get(s.tokens[i].start, ())
        at = amount_word(s, i)
        if not meant or not all(q.is_change for q in meant) or s.context.change or at is None or s.hedged(at):
            return
        found.judged.add(s.tokens[at].start)
        sense = sense_at(s, at)
        if sense in {None, Sense.SAME} or s.negated(at):
            return
        results = {went(self._world, q, sense) for q in meant}
        if False in results and True not in results:
            found.object_to(FindingKind.DIRECTION, s.tokens[at], of_quantities(meant[:1], self._world))

    # -- alone: LR-003 is better --------------------------------------------------------------------------------

    def claim_at(self, reader: Reader, s: Sentence, i: int) -> Comparison | None:
        """What the word at ``i`` claims; None where it claims nothing that can be judged."""
        equal = equality_at(s, i)
        sense = equal or sense_at(s, i)
        if sense is None or not (equal or claims(s, i)) or reader.axis_at(i):
            return None
        names = self._names(reader, s, i, sense)
        if names is None:
            return None
        said = {s.word(i), s.word(i - 1), s.word(i - 2)}
        within = _SIMILAR if said & (words.LIKE | words.APPROXIMATE) else _NEARLY if said & _PRACTICALLY else 1
        turned = is_passive(s, i) or _moves_to(reader, s, i)
        references = reader.subjects(i) if turned else reader.rivals(i)
        if is_against_all(s, i):
            each = tuple(frozenset({run}) for run in self._world.runs)
            references = Ties([Tie(self._world.all_runs, 0.0, each)], explicit=True)
        if is_against_unknown(s, range(*s.clause(i)) if not references.explicit else range(i + 1, i + 5)):
            return None
        return Comparison(sense=sense, at=i, names=names, references=references, equal=equal is not None, within=within)

    def _names(self, reader: Reader, s: Sentence, i: int, sense: Sense) -> Ties | None:
        """The metrics it may be of; None when its object is something else."""
        word, j = s.word(i), i + 1 + (graded(s, i) is not None)
        if parts := self._parts(s, i, sense, j + (s.word(j) == "per")):
            return Ties([Tie(parts)])  # "a shorter step", "faster per step"
        if is_of_time(s, i) and (lasting := self._world.lasting):
            return Ties([Tie(lasting)])
        if s.word(j) == "to" and s.is_word(j + 1) and s.word(j + 1) not in _WORKING:
            return None  # "slower to read": of no metric that we could name
        objectless = words.is_contest(word, s.word(j)) or word in words.PLACES or s.word(j) in {"than", "upon", "as"}
        objectless = objectless or (word in words.LIKE and s.word(j) in {"to", "with"})
        if objectless or (s.word(j) == "on" and word not in EFFECTS):
            after = after_reference(s, j)
            return Ties([Tie(after)]) if after else self._names_before(reader, s, i, sense)
        while s.word(j) in _BETWEEN or s.word(j).endswith("ly"):
            j += 1
        if s.word(j) == "to" and s.names(j + 1):
            return Ties([Tie(s.names(j + 1))])  # "faster to fill, slower to read"
        if s.kind(j) is TokenKind.METRIC and not (word == "same" and s.keys(j)):
            return Ties([Tie(s.names(j))])
        numeral = s.numeral(j)
        if s.keys(j) or (numeral is not None and numeral.word and numeral.whole):
            return None  # "improves three of the four metrics"
        if word in LONG and s.is_word(j) and (lengths := self._world.lengths):
            return Ties([Tie(lengths)])  # "longer answers"
        plain = s.is_word(j) and s.word(j) not in words.FOLLOWERS | words.HEDGES | words.NEGATIONS | words.DEGREES
        if plain and word not in words.MOVES:
            if s.kind(j + 1) is TokenKind.METRIC:
                return Ties([Tie(s.names(j + 1))])
            judging = words.SENSES.get(word) in _VERDICTS
            if not (judging or word == "same") or s.word(j) not in (_QUALITIES if judging else _OUTCOMES):
                return None  # "the same setup"
            if measured := self._world.measured_on(s.word(s.skip(j + 1, _ON))):
                return Ties([Tie(measured)])  # "a better result on the evaluation"
        return self._names_before(reader, s, i, sense)

    def _parts(self, s: Sentence, i: int, sense: Sense, j: int) -> frozenset[str]:
        """What was measured of the part of a run that the word at ``j`` names, for a word of time or speed at ``i``."""
        long = s.word(i) in LONG
        if not long and sense not in SPEEDS:
            return frozenset()
        part = s.word(j).removesuffix("s")
        named = {name: self._world.speed(name) for name in self._world.metric_names if part in re.split(r"\W|_", name)}
        return frozenset(name for name, speed in named.items() if speed and (speed is Sense.DOWN or not long))

    def _names_before(self, reader: Reader, s: Sentence, i: int, sense: Sense) -> Ties | None:
        low, _ = s.clause(i)
        for j in range(low, i):
            if s.word(j - 1) in _WHOSE and (parts := self._parts(s, i, sense, j)):
                return Ties([Tie(parts)])  # "the step is shorter"
        last = next((j for j in range(i - 1, low - 1, -1) if s.names(j) or (s.keys(j) and not _is_counted(s, j))), None)
        valued = last is not None and s.kind(last + 1) in {TokenKind.NUMBER, TokenKind.PUNCT}
        if last is not None and not s.names(last) and not valued and reader.axis_at(last) is None:
            return None  # it is a setting that goes up
        after = frozenset[str]() if any(m.last < i for m in reader.metrics.named) else after_reference(s, i + 1)
        ties = Ties([Tie(after)]) if after else reader.metrics.of(i, ahead=False)
        if s.word(i) in LONG:  # no rate is longer
            lasting = self._world.lengths | self._world.lasting
            timed = [
                t for t in ties.all if t.meant & lasting or any(self._world.speed(n) is Sense.DOWN for n in t.meant)
            ]
            return Ties(timed, ties.missing) if timed else None
        if sense in SPEEDS:
            fast = [tie for tie in ties.all if any(self._world.speed(name) for name in tie.meant)]
            return Ties(fast, ties.missing)
        return ties if ties.all or sense in _VERDICTS else None

    # -- the verdict --------------------------------------------------------------------------------------------

    def _judge(self, claim: Comparison, reader: Reader, s: Sentence, found: Collector) -> None:
        i = claim.at
        low, _ = s.clause(i)
        if not any(low <= m.first < i for m in reader.runs) and is_of_several(s, low, i):
            return
        negated = s.negated(i) and not (freed(s, i) or has_no_effect(s, i))
        if negated and s.softened(i):
            return
        negated = negated or (claim.sense is Sense.OTHER and s.word(i - 1) in {"barely", "scarcely", "little"})
        if negated and claim.sense in ALIKE:
            claim, negated = replace(claim, sense=words.OPPOSITE[claim.sense]), False
        claim = replace(claim, denied=negated and s.word(i) not in words.CONTESTS)
        verdicts = sorted(self._verdicts(claim, reader, s, found, negated=negated), key=lambda v: v.cost)
        right = [v for v in verdicts if v.holds and v.cost <= verdicts[0].cost + SLACK]
        token = s.tokens[i]
        if right:
            found.support(token.start, token.end, [x for q in right[0].values for x in q.ids])
        elif verdicts and verdicts[0].cost <= BELIEVABLE:
            found.object_to(FindingKind.COMPARATIVE, token, of_quantities(verdicts[0].values, self._world))

    def _verdicts(
        self, claim: Comparison, reader: Reader, s: Sentence, found: Collector, *, negated: bool
    ) -> Iterator[_Verdict]:
        """Each reading that can be decided."""
        if pairs := self._moved(claim, reader, s):
            yield from self._along(claim, pairs, s, negated=negated)
            return
        references = [tie for tie in claim.references.all if tie.cost <= _FARTHEST]
        for subject in self._subjects(claim, reader, s, found).all:
            described = len(reader.runs) == 1 and s.tokens[reader.runs[0].first].kind is not TokenKind.RUN
            if not claim.references.explicit and (claim.sense in ALIKE or described):
                made_from = (self._world.counterparts(run) for run in sorted(subject.meant))
                references = [*references, *(Tie(each, 0.5) for each in made_from if each)]
            for names, cost in self.name_choices(claim):
                for reference in references:
                    if reference.meant == subject.meant and claim.sense not in ALIKE and not claim.references.explicit:
                        continue
                    both = itertools.product(subject.parts or (subject.meant,), reference.parts or (reference.meant,))
                    apart = [(a, b) for a, b in both if not (reference.parts and b <= a)]
                    results = [self._holds(claim, a, b, names, negated=negated) for a, b in apart]
                    decided = [result for result in results if result is not None]
                    if decided:
                        shown = self._pair(min(subject.meant), min(reference.meant), names)
                        yield _Verdict(subject.cost + cost + reference.cost, all(decided), shown)

    def _moved(self, claim: Comparison, reader: Reader, s: Sentence) -> list[tuple[str, str]]:
        """The pairs of runs that a setting's move leads between; none where the claim is said of runs by name."""
        axis = reader.axis(claim.at)
        named = [m for m in reader.runs if len(m.meant) == 1 and s.clause(claim.at)[0] <= m.first]
        named = [
            m for m in named if m.last < claim.at or s.numeral(m.first) is None
        ]  # "as it grows: 41.5 at 4, 27.9 at 5"
        if axis is None or named:
            return []
        pairs = list(self._world.moves[axis.key])
        for m in reader.runs:  # "larger batches in the background": among the runs that are so
            pairs = [(a, b) for a, b in pairs if {a, b} <= m.meant] or pairs
        pairs = [(a, b) if axis.sense is Sense.UP else (b, a) for a, b in pairs]
        return _of_stage(pairs, s, claim.at)

    def _along(
        self, claim: Comparison, pairs: list[tuple[str, str]], s: Sentence, *, negated: bool
    ) -> Iterator[_Verdict]:
        throughout = bool(s.words & _THROUGHOUT)
        for names, cost in self.name_choices(claim):
            results = {pair: claim.truth(self._world, *pair, names) for pair in pairs}
            decided = [result is not negated for result in results.values() if result is not None]
            if decided:
                yield _Verdict(cost, (all if throughout else any)(decided), self._pair(*pairs[0], names))

    def _holds(
        self, claim: Comparison, runs: frozenset[str], against: frozenset[str], names: frozenset[str], *, negated: bool
    ) -> bool | None:
        """Whether it is so of one of the runs against one of the others: a name that several have may mean any."""
        if runs == against and len(runs) == 1 and claim.sense is not Sense.SAME and claim.references.explicit:
            return negated  # nothing is better than itself
        pairs = self._world.nearest((a, b) for a in sorted(runs) for b in sorted(against) if a != b)
        truths = [claim.truth(self._world, a, b, names) for a, b in pairs]
        decided = [truth for truth in truths if truth is not None]
        return (not negated) in decided if decided else None

    def _pair(self, run: str, against: str, names: frozenset[str]) -> list[Quantity]:
        name = next((n for n in sorted(names) if (run, n) in self._world.values), "")
        both = (self._world.values.get((run, name)), self._world.values.get((against, name)))
        return [quantity for quantity in both if quantity]

    def name_choices(self, claim: Comparison) -> list[tuple[frozenset[str], float]]:
        """The metrics it may be of, each choice with its cost; what nobody names is the first."""
        if claim.names.all:
            return [(tie.meant, tie.cost) for tie in claim.names.all]
        every = frozenset(name for _, name in self._world.values)
        known = frozenset(name for name in every if self._world.upwards(claim.sense, name) is not None)
        if claim.sense in {Sense.BETTER, Sense.WORSE} and self._world.primary in known:
            return [(frozenset({self._world.primary}), 0.0), (known - {self._world.primary}, 1.5)]
        return [(known, 0.0)]

    def _subjects(self, claim: Comparison, reader: Reader, s: Sentence, found: Collector) -> Ties:
        """Whom it is said of; the passive turns it round, and without a name the value beside it tells."""
        i = claim.at
        if is_passive(s, i):
            return reader.references(i)
        if reached := _moves_to(reader, s, i):
            return Ties([Tie(reached)])
        subjects = reader.subjects(i)
        compared = frozenset(run for tie in claim.references.all if claim.references.explicit for run in tie.meant)
        if any(tie.meant - compared for tie in subjects.all):
            return subjects
        values = [q for j in s.of_kind(TokenKind.NUMBER, s.clause(i)) for q in found.meant.get(s.tokens[j].start, ())]
        told = frozenset(run for q in values if not q.is_change for run in q.runs) - self._world.baseline
        if told and self._world.tells_apart(told):
            return Ties([Tie(told)])
        if compared and not told:
            return Ties([Tie(self._world.all_runs - compared)])  # whoever it is said of
        return Ties([Tie(self._world.variants)] if len(self._world.variants) == 1 else [])

    # -- lower is better ----------------------------------------------------------------------------------------

    @staticmethod
    def _is_rule(s: Sentence, i: int) -> bool:
        return s.word(i) in words.ADJECTIVES and s.word(i + 1) == "is" and s.word(i + 2) == "better"

    def _check_rule(self, s: Sentence, i: int, found: Collector) -> None:
        """``lower is better`` must be what the metric's own direction says."""
        found.judged.add(s.tokens[i + 2].start)
        names = {n for j in s.of_kind(TokenKind.METRIC) for n in s.names(j)} or set(s.context.names)
        sense = words.ADJECTIVES[s.word(i)]
        told = {self._world.upwards(Sense.BETTER, name) for name in names} - {None}
        if len(told) == 1 and sense in words.SIZES and told != {sense is Sense.UP}:
            why = f"{'/'.join(sorted(names))} is better the other way"
            found.object(FindingKind.COMPARATIVE, s.tokens[i].start, s.tokens[i + 2].end, why)


def _is_counted(s: Sentence, j: int) -> bool:
    """``two of the five learning rates improve``: its values are spoken of, and not how large it is."""
    counted = s.skip(j - 1, words.ARTICLES | {"other", "further", "more", "additional", "new"}, -1)
    return s.word(j).endswith("s") and s.kind(counted) is TokenKind.NUMBER


def _of_stage(pairs: list[tuple[str, str]], s: Sentence, i: int) -> list[tuple[str, str]]:
    """``first rises and then falls``: the moves from where the setting begins, or to where it ends."""
    first, then = s.word(i - 1) == "first", s.word(i - 1) == "then" and "first" in s.words
    begun, ended = {b for _, b in pairs} - {a for a, _ in pairs}, {a for a, _ in pairs} - {b for _, b in pairs}
    if first:
        from_start = [(a, b) for a, b in pairs if b in begun]
        reached = {a for a, _ in from_start}
        return [(a, b) for a, b in from_start if not any(x == a and y in reached for x, y in pairs)]
    if then:
        to_end = [(a, b) for a, b in pairs if a in ended]
        left = {b for _, b in to_end}
        return [(a, b) for a, b in to_end if not any(y == b and x in left for x, y in pairs)]
    return pairs


def _moves_to(reader: Reader, s: Sentence, i: int) -> frozenset[str]:
    """``falls to 2.31 at 0.8 and climbs again to 2.40 at 0.6``: the run that a value has moved on to."""
    at = next((j for j in range(i + 1, i + 5) if s.kind(j) is TokenKind.NUMBER), None)
    if s.word(i) not in words.MOVES or at is None or s.word(at - 1) != "to":
        return frozenset()
    before = [m for m in reader.runs if m.last < i and not m.reference]
    reached = next((m.meant for m in reader.runs if at in m.taken), frozenset[str]())
    return reached if before and s.word(i - 1) in {"and", "then", "but"} else frozenset()
