"""Judges superlatives over a sweep: best, lowest, fastest, second-best. Knows nothing of pairs of runs."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from curator.facts import FactKind, render
from curator.verify import lexicon
from curator.verify.binding import Binder
from curator.verify.directions import moves
from curator.verify.lexicon import Sense
from curator.verify.matching import Fit, fit, numeric_value
from curator.verify.naming import names_of_numbers, recent_names
from curator.verify.report import FindingKind
from curator.verify.tokens import TokenKind

if TYPE_CHECKING:
    from curator.facts import Fact
    from curator.verify.index import FactIndex
    from curator.verify.numerals import Numeral
    from curator.verify.report import Collector
    from curator.verify.sentences import Sentence

_FILLERS = lexicon.ARTICLES | frozenset(
    {"final", "mean", "average", "training", "validation", "eval", "observed", "measured", "overall"}
)
_RANGES = frozenset(
    {"ranged", "ranges", "range", "varied", "varies", "vary", "spanned", "spans", "span", "lie", "lies", "lay"}
)
_KNOWN_CHOICES = frozenset(
    {"finished", "completed", "successful", "succeeded", "other", "remaining", "launched", "five"}
)
_EXCLUDING = frozenset({"other", "remaining", "rest", "others", "non-baseline"})


class Superlatives:
    """The rule for superlatives."""

    def __init__(self, index: FactIndex) -> None:
        self._index = index

    def check(self, s: Sentence, found: Collector) -> None:
        for i, token in enumerate(s.tokens):
            sense = lexicon.SUPERLATIVES.get(token.lower) if token.kind is TokenKind.WORD else None
            if sense is None or self._is_idiom(s, i) or s.hedged(i):
                continue
            run = self._run(s, i)
            if key := self._config_key(s, i):
                self._judge_config(s, i, sense, key, run, found)
                continue
            names = self._names(s, i, sense, found)
            if group := self._ranked_group(s, i):
                self._judge_group(s, i, sense, names, group, found)
                continue
            if names and run:
                self._judge(s, i, sense, names, run, found)
            if len(names) == 1:
                self._judge_value(s, i, sense, next(iter(names)), found)
        self._check_range(s, found)

    def _is_idiom(self, s: Sentence, i: int) -> bool:
        before, after = s.word(i - 1), s.word(i + 1)
        if before in lexicon.NOT_SUPERLATIVE_AFTER or after in lexicon.NOT_SUPERLATIVE_BEFORE:
            return True
        if self._is_partial(s):
            return True
        among = before in {"among", "of"} or (
            before == "the" and s.word(i - 2) in {"among", "of"} and s.word(i - 3) in {"one", "some"}
        )
        counted = before in {"most", "least"} or (
            s.word(i) in {"most", "least"} and s.kind(i + 1) is not TokenKind.METRIC
        )
        return among or counted

    def _is_partial(self, s: Sentence) -> bool:
        """``among the smoothed runs``: a choice of runs that the words alone do not tell."""
        for j in range(len(s.tokens) - 1):
            if s.word(j) in {"among", "of"} and s.word(j + 1) in {"the", "all", "our"}:
                k = j + 2
                while s.kind(k) is TokenKind.NUMBER or s.word(k) in _KNOWN_CHOICES:
                    k += 1
                if (
                    s.kind(k) is TokenKind.WORD
                    and s.word(k) not in lexicon.RUN_NOUNS
                    and s.word(k + 1) in lexicon.RUN_NOUNS
                ):
                    return True
        return False

    def _names(self, s: Sentence, i: int, sense: Sense, found: Collector) -> frozenset[str]:
        j = i + 1
        while (
            s.word(j) in _FILLERS
            or s.word(j) in {"in", "on", "of", "by", "for", "and"}
            or s.word(j) in lexicon.RUN_NOUNS
        ):
            j += 1
        if s.kind(j) is TokenKind.METRIC:
            return s.tokens[j].names
        if s.kind(j) is TokenKind.CONFIG and s.word(j - 1) not in {"of", "by"}:
            return frozenset()
        plain = s.kind(i + 1) is TokenKind.WORD and s.word(i + 1) not in lexicon.FOLLOWERS | lexicon.RUN_NOUNS | {
            "one",
            "result",
            "results",
            "score",
            "value",
            "overall",
        }
        if plain:
            return frozenset()
        low, high = s.clause(i)
        for k in chain(s.leftwards(i), range(i + 1, high)):
            speed = sense in {Sense.FASTER, Sense.SLOWER}
            if s.kind(k) is TokenKind.METRIC and k >= low and not (speed and not self._speeds(s.tokens[k].names)):
                return s.tokens[k].names
        spoken: frozenset[str] = (
            s.context.metrics or names_of_numbers(s, (low, high), found, self._index) or recent_names(s)
        )
        return spoken if spoken and sense not in {Sense.FASTER, Sense.SLOWER} else self._candidates(sense)

    def _speeds(self, names: frozenset[str]) -> bool:
        return any(self._index.speed(name) for name in names)

    def _candidates(self, sense: Sense) -> frozenset[str]:
        """Without a metric in the sentence: any for which the claim can be decided."""
        names = frozenset(name for _, name in self._index.values)
        if sense in {Sense.FASTER, Sense.SLOWER}:
            return frozenset(name for name in names if self._index.speed(name))
        primary = self._index.primary if sense in {Sense.BETTER, Sense.WORSE} else ""
        return frozenset({primary}) if primary else frozenset()

    def _run(self, s: Sentence, i: int) -> str:
        """The run that is called so: the nearest before the word in its clause, else the first behind it."""
        binder = Binder(s, self._index)
        low, high = s.clause(i)
        single = [j for j in range(len(s.tokens)) if len(s.tokens[j].runs) == 1 and not s.is_reference(j)]
        before = [j for j in single if low <= j < i and s.tokens[j].depth <= s.tokens[i].depth]
        behind = [j for j in single if i < j < max(high, i + 12) and not self._in_set(s, j)]
        if s.word(i + 1) in {"in", "for", "at", "with", "by"} and behind and behind[0] <= i + 4:
            return next(iter(s.tokens[behind[0]].runs))
        apposed = i + 3 if s.word(i + 1) in lexicon.RUN_NOUNS | {"one"} and s.word(i + 2) in {",", "("} else -1
        if apposed in behind:
            return next(iter(s.tokens[apposed].runs))
        said = next((j for j in range(i + 1, min(i + 6, high)) if s.word(j) in {"is", "was"}), None)
        if said is not None and said + 1 in behind:
            return next(iter(s.tokens[said + 1].runs))
        if before and not self._in_set(s, before[-1]):
            return next(iter(s.tokens[before[-1]].runs))
        if behind:
            return next(iter(s.tokens[behind[0]].runs))
        if any(s.tokens[j].runs for j in range(low, high)):
            return ""
        inherited = binder.inherited_topic() or frozenset()
        return next(iter(inherited)) if len(inherited) == 1 and s.word(0) in lexicon.PRONOUN_STARTS else ""

    def _in_set(self, s: Sentence, j: int) -> bool:
        """Whether the run is one of a list that the superlative ranges over: ``of LR-001, LR-002 and LR-003``."""
        return len(s.coordinated(j)) > 1

    def _judge(self, s: Sentence, i: int, sense: Sense, names: frozenset[str], run: str, found: Collector) -> None:
        rank = lexicon.RANKS.get(s.word(i - 1), 1)
        if s.word(i - 1) == "-":
            rank = lexicon.RANKS.get(s.word(i - 2), 1)
        among = self._among(s, run)
        results = {name: self._is_ranked(sense, name, run, rank, among) for name in sorted(names)}
        decided = [result for result in results.values() if result is not None]
        token, negated = s.tokens[i], s.negated(i)
        if not decided:
            return
        if all(result is negated for result in decided):
            name = next(name for name, result in results.items() if result is not None)
            found.object(FindingKind.SUPERLATIVE, token.start, token.end, self._why(sense, name, run, among))
        else:
            ids = [
                f.id
                for name, result in results.items()
                if result is not negated
                for f in self._ranked(sense, name, among)
            ]
            found.support(token.start, token.end, ids)

    # -- several at once: the two best runs are ... -----------------------------------------------

    def _ranked_group(self, s: Sentence, i: int) -> frozenset[str]:
        """The runs that ``the two best runs`` are said to be."""
        verb = next((j for j in range(i + 1, len(s.tokens)) if s.word(j) in {"are", "were", ":"}), None)
        first = next((j for j in range(verb or 0, len(s.tokens)) if s.kind(j) is TokenKind.RUN), None)
        counted = s.kind(i - 1) is TokenKind.NUMBER and s.word(i + 1) in lexicon.RUN_NOUNS
        if verb is None or first is None or not counted:
            return frozenset()
        return frozenset(run for j in s.coordinated(first) for run in s.tokens[j].runs)

    def _judge_group(
        self, s: Sentence, i: int, sense: Sense, names: frozenset[str], group: frozenset[str], found: Collector
    ) -> None:
        count, token = s.tokens[i - 1].numeral, s.tokens[i]
        if count and count.value != len(group):
            found.object(FindingKind.COUNT, s.tokens[i - 1].start, s.tokens[i - 1].end, f"{len(group)} runs are named")
        ranked = [self._ranked(sense, name, frozenset(self._index.runs)) for name in names]
        tops = [frozenset(fact.subject for fact in facts[: len(group)]) for facts in ranked if len(facts) > len(group)]
        if tops and group not in tops:
            found.object(FindingKind.SUPERLATIVE, token.start, token.end, f"these are {', '.join(sorted(tops[0]))}")
        elif tops:
            found.support(token.start, token.end, [f.id for facts in ranked for f in facts])

    # -- config values: the largest learning rate -------------------------------------------------

    def _config_key(self, s: Sentence, i: int) -> str:
        j = i + 1
        while s.word(j) in _FILLERS:
            j += 1
        names = s.tokens[j].names if s.kind(j) is TokenKind.CONFIG else frozenset()
        return next(iter(names)) if len(names) == 1 else ""

    def _judge_config(self, s: Sentence, i: int, sense: Sense, key: str, run: str, found: Collector) -> None:
        per_run = {
            r: value for r, f in self._index.configs[key].items() if r and (value := numeric_value(f)) is not None
        }
        if sense not in {Sense.UP, Sense.DOWN} or len(set(per_run.values())) < 2 or s.word(i - 1) in lexicon.RANKS:
            return
        extreme = max(per_run.values()) if sense is Sense.UP else min(per_run.values())
        stated = self._stated(s, i)
        wrong_run = run in per_run and per_run[run] != extreme
        wrong_value = stated is not None and stated.value != extreme and stated.value in per_run.values()
        token = s.tokens[i]
        if (wrong_run or wrong_value) != s.negated(i):
            found.object(
                FindingKind.SUPERLATIVE, token.start, token.end, f"{key} is {extreme} at that end of the sweep"
            )
        else:
            ids = [fact.id for r, fact in self._index.configs[key].items() if per_run.get(r) == extreme]
            found.support(token.start, token.end, ids)

    # -- the value that is called so: the lowest loss, 2.31 ---------------------------------------

    def _stated(self, s: Sentence, i: int) -> Numeral | None:
        """The numeral that the superlative is said of, when it stands right behind: ``the lowest loss (2.31)``."""
        j = i + 1
        while s.kind(j) in {TokenKind.METRIC, TokenKind.CONFIG} or s.word(j) in _FILLERS | {
            "of",
            "is",
            "was",
            "now",
            "(",
            ",",
            "=",
        }:
            j += 1
        apposed = s.word(i - 1) == "the" and s.word(i - 2) == "," and s.kind(i - 3) is TokenKind.NUMBER
        if apposed and s.kind(j) is not TokenKind.NUMBER:
            return s.tokens[i - 3].numeral
        return s.tokens[j].numeral if s.kind(j) is TokenKind.NUMBER and s.word(j - 1) != "the" else None

    def _judge_value(self, s: Sentence, i: int, sense: Sense, name: str, found: Collector) -> None:
        stated = self._stated(s, i)
        ranked = self._ranked(sense, name, frozenset(self._index.runs))
        if (
            stated is None
            or len(ranked) < 2
            or s.word(i - 1) in lexicon.RANKS
            or s.word(i - 1) == "-"
            or s.runs - self._index.baseline - {ranked[0].subject}
        ):
            return
        fits = [fact for fact in ranked if fit(stated, fact) is Fit.MATCH]
        if fits and ranked[0] not in fits and numeric_value(fits[0]) != numeric_value(ranked[0]) and not s.negated(i):
            token = s.tokens[i]
            found.object(FindingKind.SUPERLATIVE, token.start, token.end, f"{ranked[0].id} is {render(ranked[0])}")

    def _check_range(self, s: Sentence, found: Collector) -> None:
        """``losses ranged from 2.31 to 2.51`` names the two ends, when it speaks of no run in particular."""
        verbs = [j for j in range(len(s.tokens)) if s.word(j) in _RANGES and s.word(j + 1) in {"from", "between"}]
        if not verbs or s.runs or s.hedged(verbs[0]):
            return
        at = [j for j in s.of_kind(TokenKind.NUMBER) if verbs[0] < j <= verbs[0] + 6][:2]
        named = [
            s.tokens[j].names for j in range(verbs[0]) if s.kind(j) is TokenKind.METRIC and len(s.tokens[j].names) == 1
        ]
        if len(at) != 2 or not named:
            return
        ranked = self._ranked(Sense.UP, next(iter(named[-1])), frozenset(self._index.runs))
        met: set[str] = set()
        for j in at if len(ranked) > 1 else ():
            numeral = s.tokens[j].numeral
            ends = {fact.id for fact in (ranked[0], ranked[-1]) if numeral and fit(numeral, fact) is Fit.MATCH}
            new = ends - met
            met |= ends
            if numeral and not new:
                found.object(
                    FindingKind.SUPERLATIVE,
                    s.tokens[j].start,
                    s.tokens[j].end,
                    f"the values go from {render(ranked[-1])} to {render(ranked[0])}",
                )

    def _among(self, s: Sentence, run: str) -> frozenset[str]:
        """The runs it ranges over: a list or range that the sentence names, else all."""
        sets = [token.runs for token in s.tokens if len(token.runs) > 1 and run in token.runs]
        listed = [frozenset(r for k in s.coordinated(j) for r in s.tokens[k].runs) for j in s.of_kind(TokenKind.RUN)]
        sets += [group for group in listed if len(group) > 2 and run in group]
        everyone = frozenset(self._index.runs)
        if s.words & _EXCLUDING and run not in self._index.baseline:
            everyone -= self._index.baseline
        return sets[0] if sets else everyone

    def _ranked(self, sense: Sense, name: str, among: frozenset[str]) -> list[Fact]:
        """The runs' values of a metric, the most so first."""
        facts = [f for (run, key), f in self._index.values.items() if key == name and run in among and self._counts(f)]
        upwards = moves(1.0, sense, name, self._index)
        return (
            sorted(facts, key=lambda fact: numeric_value(fact) or 0, reverse=bool(upwards))
            if upwards is not None
            else []
        )

    def _counts(self, fact: Fact) -> bool:
        """A run that did not reach its end lasted as long as it lasted, which ranks nowhere."""
        cut_short = fact.kind is FactKind.DURATION and not self._index.ended_well(fact.subject)
        return numeric_value(fact) is not None and not cut_short

    def _is_ranked(self, sense: Sense, name: str, run: str, rank: int, among: frozenset[str]) -> bool | None:
        ranked = self._ranked(sense, name, among)
        if len(ranked) < max(2, rank):
            return None
        mine = self._index.values.get((run, name))
        if mine is None or numeric_value(mine) is None:
            return False if sense is Sense.BETTER else None
        return numeric_value(ranked[rank - 1]) == numeric_value(mine)

    def _why(self, sense: Sense, name: str, run: str, among: frozenset[str]) -> str:
        ranked = self._ranked(sense, name, among)
        mine = self._index.values.get((run, name))
        said = render(mine) if mine else "not recorded"
        return f"{name} is {said} in {run} and {render(ranked[0])} in {ranked[0].subject}"
