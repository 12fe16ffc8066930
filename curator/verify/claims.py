"""Judges comparisons in words: better, lower, improved, beats, unchanged, against the signs of the facts.

A claim that the sentence does not pin down to a metric and a run is left alone. Numerals are judged elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from curator.facts import FactKind, render
from curator.verify import lexicon
from curator.verify.directions import moves, sense_at
from curator.verify.lexicon import Sense
from curator.verify.matching import numeric_value
from curator.verify.naming import names_of_numbers, recent_names
from curator.verify.report import FindingKind
from curator.verify.steps import settles
from curator.verify.subjects import reference, subjects
from curator.verify.tokens import TokenKind

if TYPE_CHECKING:
    from curator.facts import Fact
    from curator.verify.index import FactIndex
    from curator.verify.report import Collector
    from curator.verify.sentences import Sentence

_SAME_WITHIN = 0.01
"""How far apart two values may be, relative to the reference, and still be called unchanged."""
_VERDICTS = frozenset({Sense.BETTER, Sense.WORSE, Sense.FASTER, Sense.SLOWER})
_QUALITY_NOUNS = lexicon.RUN_NOUNS | {
    "choice",
    "option",
    "result",
    "results",
    "outcome",
    "one",
    "performance",
    "value",
    "values",
}
_BETWEEN = lexicon.ARTICLES | frozenset(
    {"final", "mean", "average", "last", "its", "best", "training", "validation", "eval"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one word claims: of which metrics, of which runs, against which run."""

    sense: Sense
    names: frozenset[str] | None
    """None when it does not say and means any."""
    runs: tuple[str, ...]
    references: tuple[str, ...]
    """The run it is against; several when the sentence leaves open which of them it means."""


class Claims:
    """The rule for comparisons."""

    def __init__(self, index: FactIndex) -> None:
        self._index = index

    def check(self, sentence: Sentence, found: Collector) -> None:
        for i, token in enumerate(sentence.tokens):
            if token.start in found.judged or not self._states_direction(sentence, i):
                continue
            if self._is_rule(sentence, i):
                self._check_rule(sentence, i, found)
            elif not sentence.hedged(i) and not self._settled(sentence, i, found):
                claim = self.claim_at(sentence, i, found)
                if claim and claim.names is None:
                    spoken = names_of_numbers(sentence, sentence.clause(i), found, self._index) or recent_names(
                        sentence
                    )
                    relevant = frozenset(name for name in spoken if name in self._judgeable(claim.sense))
                    claim = replace(claim, names=relevant or None)
                if claim:
                    self._judge(claim, sentence, i, found)

    def claim_at(self, s: Sentence, i: int, found: Collector) -> Claim | None:
        """What the word at ``i`` claims, when the sentence pins it down."""
        sense = self._sense(s, i)
        if sense is None or self._than_a_value(s, i):
            return None
        names, clear = self._metric(s, i, sense)
        if not clear:
            return None
        runs, references = self._parties(s, i)
        if not runs and names:
            runs = self._measured(s, i, names, found)
        named = {
            run for j in range(i) for run in s.tokens[j].runs if len(s.tokens[j].runs) == 1 and not s.is_reference(j)
        }
        if reference(s, i) and (itself := set(runs) & set(references) & named):
            return Claim(sense=sense, names=names, runs=tuple(itself), references=())
        runs = tuple(run for run in runs if len(runs) == 1 or run not in references)
        references = tuple(run for run in references if run not in runs)
        if not runs or not references:
            return None
        return Claim(sense=sense, names=names, runs=runs, references=references)

    def holders(self, s: Sentence, i: int) -> dict[str, bool | None] | None:
        """For each run whether the comparison at ``i`` is true of it; None when it is not pinned down."""
        sense = self._sense(s, i)
        names, clear = self._metric(s, i, sense) if sense else (None, False)
        if clear and names is None and sense in {Sense.BETTER, Sense.WORSE} and self._index.primary:
            names = frozenset({self._index.primary})
        if sense is None or not clear or names is None or len(names) != 1:
            return None
        against = reference(s, i) or self._only(self._index.baseline)
        others = [run for run in self._index.runs if run != against]
        if not against:
            return None
        return {run: self._holds(sense, next(iter(names)), run, against) for run in others}

    def _than_a_value(self, s: Sentence, i: int) -> bool:
        """``lower than 2.40`` sets a value against a numeral, which is judged with the numeral."""
        j = i + 2
        while s.word(j) in lexicon.ARTICLES | lexicon.APPROXIMATE:
            j += 1
        plain = s.kind(j) is TokenKind.NUMBER and not s.tokens[j].runs
        return s.word(i + 1) == "than" and plain and not reference(s, i)

    # -- the word -----------------------------------------------------------------------------------------------

    def _states_direction(self, s: Sentence, i: int) -> bool:
        return self._sense(s, i) is not None

    def _sense(self, s: Sentence, i: int) -> Sense | None:
        word = s.word(i)
        if s.kind(i) is not TokenKind.WORD:
            return None
        if word in lexicon.PRICES or self._has_amount(s, i):
            return None
        if word in _EFFECTS:
            return _EFFECT_SENSES.get(s.word(i - 1))
        if word in {"more", "less", "fewer"} and s.kind(i + 1) is not TokenKind.METRIC:
            return None
        if word in {"above", "below", "ahead", "behind"}:
            run = next((j for j in range(i + 1, i + 5) if s.kind(j) is TokenKind.RUN), None)
            return lexicon.PLACES[word] if run is not None and s.is_reference(run) else None
        if word in lexicon.CONTESTS and not self._object_run(s, i):
            return None
        return sense_at(s, i)

    def _has_amount(self, s: Sentence, i: int) -> bool:
        """``a gain of less than 1 %``: the numeral is judged, and the noun with it."""
        amount = any(s.kind(j) is TokenKind.NUMBER for j in range(i + 2, i + 6))
        return s.word(i) in lexicon.NOUNS and s.word(i + 1) == "of" and amount

    def _object_run(self, s: Sentence, i: int) -> bool:
        for j in range(i + 1, min(i + 5, len(s.tokens))):
            if s.kind(j) is TokenKind.RUN:
                return True
            if s.word(j) not in lexicon.ARTICLES | {"by"} and s.kind(j) is not TokenKind.METRIC:
                return False
        return False

    def _settled(self, s: Sentence, i: int, found: Collector) -> bool:
        sense = self._sense(s, i)
        return sense is not None and settles(s, i, sense, self._index, found)

    def _is_rule(self, s: Sentence, i: int) -> bool:
        return s.word(i + 1) == "is" and s.word(i + 2) == "better"

    def _check_rule(self, s: Sentence, i: int, found: Collector) -> None:
        """``lower is better`` must be what the metric's own direction says."""
        found.judged.add(s.tokens[i + 2].start)
        names = {n for j in s.of_kind(TokenKind.METRIC) for n in s.tokens[j].names} or set(s.context.metrics)
        sense = lexicon.SENSES[s.word(i)]
        directions = {better for name in names if (better := self._index.better(name))}
        if len(directions) == 1 and sense in {Sense.UP, Sense.DOWN}:
            right = (directions.pop().value == "higher") == (sense is Sense.UP)
            if not right:
                found.object(
                    FindingKind.COMPARATIVE,
                    s.tokens[i].start,
                    s.tokens[i + 2].end,
                    f"{'/'.join(names)} is better the other way",
                )

    # -- the metric ---------------------------------------------------------------------------------------------

    def _metric(self, s: Sentence, i: int, sense: Sense) -> tuple[frozenset[str] | None, bool]:
        """The metrics the word speaks of (None for any), and whether that is clear enough to judge."""
        ahead, other = self._ahead(s, i)
        if ahead is not None:
            return (ahead, True) if ahead else (None, False)
        if other:
            return None, False
        behind = self._behind(s, i, across=sense not in {Sense.FASTER, Sense.SLOWER})
        if behind is not None:
            return behind, bool(behind)
        if s.context.metrics:
            return s.context.metrics, True
        return None, sense in _VERDICTS

    def _ahead(self, s: Sentence, i: int) -> tuple[frozenset[str] | None, bool]:
        """The metric behind the word as its object, or whether something else is its object."""
        j = i + 1
        word = s.word(i)
        contest = word in lexicon.CONTESTS or word in lexicon.PLACES
        if contest or s.word(j) in {"than", "upon"} or (s.word(j) == "on" and word not in {"effect", "impact"}):
            return self._after_reference(s, j), False
        while s.word(j) in _BETWEEN or (s.word(j) in {"in", "of", "on"} and word not in lexicon.INTRANSITIVE):
            j += 1
        if s.kind(j) is TokenKind.METRIC:
            return s.tokens[j].names, False
        if s.kind(j) is TokenKind.CONFIG:
            return None, True
        plain = s.kind(j) is TokenKind.WORD and s.word(j) not in lexicon.FOLLOWERS | lexicon.HEDGES | lexicon.NEGATIONS
        if plain and word not in lexicon.INTRANSITIVE and not s.word(j).endswith("ly"):
            if s.kind(j + 1) is TokenKind.METRIC:
                return s.tokens[j + 1].names, False
            verdict = lexicon.SENSES.get(word) in _VERDICTS and s.word(j) in _QUALITY_NOUNS
            return None, not verdict
        return None, False

    def _after_reference(self, s: Sentence, j: int) -> frozenset[str] | None:
        """``beats the baseline in loss``, ``improved on LR-001 in throughput``."""
        _, high = s.clause(j)
        for k in range(j, min(high, j + 9)):
            if s.kind(k) is TokenKind.METRIC and s.word(k - 1) in {"in", "on", "by", "for", "'s"}:
                return s.tokens[k].names
            if s.kind(k) is TokenKind.NUMBER:
                return None
        return None

    def _behind(self, s: Sentence, i: int, *, across: bool) -> frozenset[str] | None:
        """The metric before the word as its subject; empty when the nearest thing is a config key."""
        low, _ = s.clause(i)
        own_clause = True
        for j in s.leftwards(i):
            own_clause = own_clause and j >= low
            if s.kind(j) is TokenKind.METRIC:
                return s.tokens[j].names
            if (
                s.kind(j) is TokenKind.CONFIG
                and own_clause
                and s.kind(j + 1) not in {TokenKind.NUMBER, TokenKind.PUNCT}
            ):
                return frozenset()
            if s.word(j) == ";" or (not own_clause and (s.kind(j) is TokenKind.RUN or not across)):
                return None
        return None

    # -- the runs -----------------------------------------------------------------------------------------------

    def _parties(self, s: Sentence, i: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The runs that are judged and the ones they may be judged against."""
        if span := self._from_run_to_run(s, i):
            return span
        if s.word(i) in lexicon.CONTESTS and s.word(i + 1) == "by":
            winner = next((j for j in s.of_kind(TokenKind.RUN) if j > i), None)
            loser = subjects(s, i, self._index)
            return (tuple(s.tokens[winner].runs), loser) if winner is not None else ((), ())
        runs = subjects(s, i, self._index) or self._only_variant()
        if against := reference(s, i):
            return runs, (against,)
        if frozenset(runs) == self._index.baseline:
            others = [run for run in self._index.runs if run not in runs]
            return runs, tuple(others) if len(others) == 1 else ()
        return runs, (*self._index.baseline, *self._mentioned_before(s, i))

    def _measured(self, s: Sentence, i: int, names: frozenset[str], found: Collector) -> tuple[str, ...]:
        """The run whose value stands behind the word, when no run is named: ``MFU improved to 44.6 %``."""
        at = next((j for j in range(i + 1, min(i + 6, s.clause(i)[1])) if s.kind(j) is TokenKind.NUMBER), None)
        if at is None or s.word(at - 1) not in {"to", "at"} or s.runs:
            return ()
        ids = [x for start, _, facts in found.evidence if start == s.tokens[at].start for x in facts]
        facts = [self._index.by_id[x] for x in ids if x in self._index.by_id]
        runs = {fact.subject for fact in facts if fact.kind is FactKind.METRIC and fact.name in names}
        return tuple(runs - self._index.baseline) if len(runs) == 1 else ()

    def _mentioned_before(self, s: Sentence, i: int) -> tuple[str, ...]:
        """Runs that "rises again" may look back to."""
        here = frozenset(run for token in s.tokens[:i] if len(token.runs) == 1 for run in token.runs)
        before = s.previous.runs if s.previous else frozenset()
        return tuple(sorted((here | before) - self._index.baseline))

    def _from_run_to_run(self, s: Sentence, i: int) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        for j in s.of_kind(TokenKind.RUN):
            if s.word(j - 1) == "from" and s.word(j + 1) == "to" and s.kind(j + 2) is TokenKind.RUN and abs(i - j) < 8:
                return tuple(sorted(s.tokens[j + 2].runs)), tuple(sorted(s.tokens[j].runs))
        return None

    def _only_variant(self) -> tuple[str, ...]:
        variants = frozenset(self._index.runs) - self._index.baseline
        return tuple(variants) if len(variants) == 1 else ()

    def _only(self, runs: frozenset[str]) -> str:
        return next(iter(runs)) if len(runs) == 1 else ""

    # -- the verdict --------------------------------------------------------------------------------------------

    def _judge(self, claim: Claim, s: Sentence, i: int, found: Collector) -> None:
        negated = s.negated(i) and not (s.word(i) in _EFFECTS and s.word(i - 1) == "no")
        if claim.references and negated and (s.softened(i) or claim.sense is Sense.SAME):
            return
        token = s.tokens[i]
        support: list[str] = []
        if not claim.references:
            found.object_to(FindingKind.COMPARATIVE, token, f"this compares {', '.join(claim.runs)} with itself")
            return
        for run in claim.runs:
            objections = [
                self._objection(claim, run, reference, support, negated=negated) for reference in claim.references
            ]
            if all(objections):
                found.object_to(FindingKind.COMPARATIVE, token, objections[0])
                return
        found.support(token.start, token.end, support)

    def _objection(self, claim: Claim, run: str, reference: str, support: list[str], *, negated: bool) -> str:
        """Why the claim is wrong of one run against one reference; empty when it is not. Adds what supports it."""
        names = claim.names if claim.names is not None else self._judgeable(claim.sense)
        results = {name: self._holds(claim.sense, name, run, reference) for name in sorted(names)}
        wrong = {name: result is negated for name, result in results.items() if result is not None}
        if wrong and (all(wrong.values()) or (claim.names is None and self._outweighs(wrong, run, reference))):
            name = next(iter(wrong))
            return f"{name} is {self._say(name, run)} in {run} and {self._say(name, reference)} in {reference}"
        support += [x for name, is_wrong in wrong.items() if not is_wrong for x in self._ids(name, run, reference)]
        return ""

    def _outweighs(self, wrong: dict[str, bool], run: str, reference: str) -> bool:
        """Whether "better" is wrong of the primary metric, and no metric it is right of changed half as much."""
        primary = self._index.primary
        if not wrong.get(primary):
            return False
        sizes = {name: abs(self._change(name, run, reference) or 0) for name in wrong}
        return all(2 * sizes[name] < sizes[primary] for name, is_wrong in wrong.items() if not is_wrong)

    def _judgeable(self, sense: Sense) -> frozenset[str]:
        names = frozenset(self._index.metric_names)
        if sense in {Sense.FASTER, Sense.SLOWER}:
            return frozenset(name for name in names if self._index.speed(name))
        return frozenset(name for name in names if self._index.better(name))

    def _holds(self, sense: Sense, name: str, run: str, reference: str) -> bool | None:
        change = self._change(name, run, reference)
        if change is None or self._cut_short(name, run):
            return None
        if sense is Sense.SAME:
            return abs(change) <= _SAME_WITHIN
        return moves(math.copysign(1, change) if change else 0, sense, name, self._index)

    def _cut_short(self, name: str, run: str) -> bool:
        """Whether the value is how long a run lasted that did not reach its end, which compares with nothing."""
        fact = self._index.values.get((run, name))
        return fact is not None and fact.kind is FactKind.DURATION and not self._index.ended_well(run)

    def _change(self, name: str, run: str, reference: str) -> float | None:
        """The change of a metric relative to the reference; None where a value is missing or not finite."""
        a, b = self._index.values.get((run, name)), self._index.values.get((reference, name))
        if a and b:
            x, y = numeric_value(a), numeric_value(b)
            return None if x is None or y is None else float((x - y) / abs(y)) if y else float(x - y)
        for fact in self._index.facts:
            stored = fact.kind in {FactKind.DELTA, FactKind.PERCENT} and (fact.subject, fact.name) == (run, name)
            if stored and self._index.reference(fact) in {reference, ""} and (value := numeric_value(fact)) is not None:
                return float(value) / 100 if fact.kind is FactKind.PERCENT else float(value)
        return None

    def _ids(self, name: str, run: str, reference: str) -> tuple[str, ...]:
        facts = [self._index.values.get((run, name)), self._index.values.get((reference, name))]
        return tuple(fact.id for fact in facts if fact)

    def _say(self, name: str, run: str) -> str:
        fact: Fact | None = self._index.values.get((run, name))
        return render(fact) if fact else "not recorded"


_EFFECTS = frozenset({"effect", "impact", "difference"})
_EFFECT_SENSES = {
    **dict.fromkeys(("no", "little", "negligible"), Sense.SAME),
    **dict.fromkeys(("positive", "beneficial", "favourable", "favorable"), Sense.BETTER),
    **dict.fromkeys(("negative", "adverse", "detrimental", "harmful"), Sense.WORSE),
}
