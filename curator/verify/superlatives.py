"""Judges superlatives over a sweep: best, lowest, fastest, second-best, the two best. Knows nothing of pairs."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from curator.facts import render
from curator.verify import lexicon
from curator.verify.binding import Binder
from curator.verify.lexicon import Sense
from curator.verify.lists import list_around
from curator.verify.matching import Fit, fit, numeric_value
from curator.verify.naming import names_of_numbers, recent_names
from curator.verify.ranks import all_ranked, is_ranked
from curator.verify.report import FindingKind
from curator.verify.tokens import TokenKind

if TYPE_CHECKING:
    from curator.verify.index import FactIndex
    from curator.verify.numerals import Numeral
    from curator.verify.report import Collector
    from curator.verify.sentences import Sentence

_FILLERS = lexicon.ARTICLES | lexicon.word_set(
    "final mean average training validation eval observed measured overall single individual finished completed"
)
_TO_METRIC = _FILLERS | lexicon.RUN_NOUNS | {"in", "on", "of", "by", "for", "and"}
_TO_VALUE = _FILLERS | {"of", "is", "was", "now", "(", ",", "="}
_VALUE_NOUNS = frozenset({"one", "result", "results", "score", "value", "overall"})
_KNOWN_CHOICES = lexicon.word_set("finished completed successful succeeded other remaining launched five")
_EXCLUDING = frozenset({"other", "remaining", "rest", "others", "non-baseline"})
_GOES_ON = frozenset({"which", "also", "it", "has", "is", "but", "and"})
_SPEEDS = frozenset({Sense.FASTER, Sense.SLOWER})
_SIZES = frozenset({Sense.UP, Sense.DOWN})


class Superlatives:
    """The rule for superlatives."""

    def __init__(self, index: FactIndex) -> None:
        self._index = index

    def check(self, s: Sentence, found: Collector) -> None:
        for i, token in enumerate(s.tokens):
            sense = lexicon.SUPERLATIVES.get(token.lower) if token.kind is TokenKind.WORD else None
            if sense is not None and not _is_idiom(s, i) and not s.hedged(i):
                _Superlative(s, i, sense, self._index).judge(found)


class _Superlative:
    """One superlative in its sentence."""

    def __init__(self, s: Sentence, i: int, sense: Sense, index: FactIndex) -> None:
        self._s, self._i, self._sense, self._index = s, i, sense, index
        self._token = s.tokens[i]

    def judge(self, found: Collector) -> None:
        run, key = self._run(), self._config_key()
        if key:
            self._judge_config(key, run, found)
            return
        names = self._names(found)
        if group := self._group():
            self._judge_group(names, group, found)
            return
        if names and run:
            self._judge_run(names, run, found)
        for name in names:
            self._judge_value(name, found)

    def _object(self, found: Collector, why: str) -> None:
        found.object_to(FindingKind.SUPERLATIVE, self._token, why)

    # -- of which metric ----------------------------------------------------------------------------------------

    def _names(self, found: Collector) -> frozenset[str]:
        """The metrics it may be said of; empty when it is said of something else."""
        s, i = self._s, self._i
        j = _pass(s, i + 1, _TO_METRIC)
        if s.kind(j) is TokenKind.METRIC:
            return s.tokens[j].names
        if s.kind(j) is TokenKind.CONFIG and s.word(j - 1) not in {"of", "by"}:
            return frozenset()
        noun = _pass(s, i + 1, _FILLERS)
        known = lexicon.FOLLOWERS | lexicon.RUN_NOUNS | _VALUE_NOUNS
        if s.kind(noun) is TokenKind.WORD and s.word(noun) not in known:
            return frozenset()
        low, high = s.clause(i)
        for k in chain(s.leftwards(i), range(i + 1, high)):
            near = k >= low or (self._sense in _SIZES and s.kind(i + 1) is not TokenKind.WORD)
            if s.kind(k) is TokenKind.METRIC and near and self._suits(s.tokens[k].names):
                return s.tokens[k].names
        if self._sense in _SPEEDS:
            return frozenset(name for _, name in self._index.values if self._index.speed(name))
        spoken = s.context.metrics or names_of_numbers(s, (low, high), found, self._index) or recent_names(s)
        primary = self._index.primary if self._sense not in _SIZES else ""
        return spoken or (frozenset({primary}) if primary else frozenset())

    def _suits(self, names: frozenset[str]) -> bool:
        return self._sense not in _SPEEDS or any(self._index.speed(name) for name in names)

    # -- of which run -------------------------------------------------------------------------------------------

    def _run(self) -> str:
        """The run that is called so: the nearest before the word in its clause, else the first behind it."""
        s, i = self._s, self._i
        low, high = s.clause(i)
        single = [j for j in range(len(s.tokens)) if len(s.tokens[j].runs) == 1 and not s.is_reference(j)]
        alone = [j for j in single if len(_listed(s, j)) == 1]
        before = [j for j in single if low <= j < i and s.tokens[j].depth <= self._token.depth]
        behind = [j for j in alone if i < j < max(high, i + 12)]
        said = self._said_behind(behind, high)
        if said is not None:
            return self._named(said)
        if before and before[-1] in alone:
            return self._named(before[-1])
        if behind:
            return self._named(behind[0])
        if any(s.tokens[j].runs for j in range(low, high)):
            return ""
        earlier = [j for j in single if j < low]
        if earlier and (s.word(i - 2) == "it" or s.word(low) in _GOES_ON):
            return self._named(earlier[-1])
        inherited = Binder.of(s, self._index).inherited_topic() or frozenset()
        return next(iter(inherited)) if len(inherited) == 1 and s.word(0) in lexicon.PRONOUN_STARTS else ""

    def _named(self, j: int) -> str:
        return next(iter(self._s.tokens[j].runs))

    def _said_behind(self, behind: list[int], high: int) -> int | None:
        """A run that the words right behind name: ``highest in LR-003``, ``the best one, LR-003``."""
        s, i = self._s, self._i
        where = i + 1
        if s.word(where) == "(":
            where = 1 + next((j for j in range(where, len(s.tokens)) if s.word(j) == ")"), where)
        if s.word(where) in {"in", "for", "at", "with", "by"} and behind and behind[0] <= where + 3:
            return behind[0]
        if s.word(i + 1) in lexicon.RUN_NOUNS | {"one"} and s.word(i + 2) in {",", "("} and i + 3 in behind:
            return i + 3
        verbs = [j for j in range(i + 1, min(i + 6, high)) if s.word(j) in {"is", "was"}]
        return verbs[0] + 1 if verbs and verbs[0] + 1 in behind else None

    # -- one run: LR-003 has the lowest loss --------------------------------------------------------------------

    def _judge_run(self, names: frozenset[str], run: str, found: Collector) -> None:
        s, i = self._s, self._i
        rank = lexicon.RANKS.get(s.word(i - 2) if s.word(i - 1) == "-" else s.word(i - 1), 1)
        among = self._among(run)
        results = {name: is_ranked(self._index, self._sense, name, run, rank, among) for name in sorted(names)}
        decided = {name: result for name, result in results.items() if result is not None}
        negated = s.negated(i)
        right = [name for name, result in decided.items() if result is not negated]
        if right:
            facts = [fact for name in right for fact in all_ranked(self._index, self._sense, name, among)]
            found.support(self._token.start, self._token.end, [fact.id for fact in facts])
        elif decided:
            name = next(iter(decided))
            first, mine = all_ranked(self._index, self._sense, name, among)[0], self._index.values.get((run, name))
            said = render(mine) if mine else "not recorded"
            self._object(found, f"{name} is {said} in {run} and {render(first)} in {first.subject}")

    def _among(self, run: str) -> frozenset[str]:
        """The runs it ranges over: a list or range that the sentence names, else all."""
        s = self._s
        sets = [token.runs for token in s.tokens if len(token.runs) > 1 and run in token.runs]
        listed = [frozenset(r for k in s.coordinated(j) for r in s.tokens[k].runs) for j in s.of_kind(TokenKind.RUN)]
        sets += [group for group in listed if len(group) > 2 and run in group]
        everyone = frozenset(self._index.runs)
        if s.words & _EXCLUDING and run not in self._index.baseline:
            everyone -= self._index.baseline
        return sets[0] if sets else everyone

    # -- several at once: the two best runs are ... -------------------------------------------------------------

    def _group(self) -> frozenset[str]:
        """The runs that ``the two best runs`` are said to be."""
        s, i = self._s, self._i
        verb = next((j for j in range(i + 1, len(s.tokens)) if s.word(j) in {"are", "were", ":"}), None)
        first = next((j for j in range(verb or 0, len(s.tokens)) if s.kind(j) is TokenKind.RUN), None)
        counted = s.kind(i - 1) is TokenKind.NUMBER and s.word(i + 1) in lexicon.RUN_NOUNS
        if verb is None or first is None or not counted:
            return frozenset()
        return frozenset(run for j in s.coordinated(first) for run in s.tokens[j].runs)

    def _judge_group(self, names: frozenset[str], group: frozenset[str], found: Collector) -> None:
        count = self._s.tokens[self._i - 1]
        if count.numeral and count.numeral.value != len(group):
            found.object_to(FindingKind.COUNT, count, f"{len(group)} runs are named")
        ranked = [all_ranked(self._index, self._sense, name, frozenset(self._index.runs)) for name in names]
        tops = [frozenset(fact.subject for fact in facts[: len(group)]) for facts in ranked if len(facts) > len(group)]
        if tops and group not in tops:
            self._object(found, f"these are {', '.join(sorted(tops[0]))}")
        elif tops:
            found.support(self._token.start, self._token.end, [fact.id for facts in ranked for fact in facts])

    # -- a config value: the largest learning rate --------------------------------------------------------------

    def _config_key(self) -> str:
        j = _pass(self._s, self._i + 1, _FILLERS)
        names = self._s.tokens[j].names if self._s.kind(j) is TokenKind.CONFIG else frozenset()
        return next(iter(names)) if len(names) == 1 else ""

    def _judge_config(self, key: str, run: str, found: Collector) -> None:
        values = {r: v for r, f in self._index.configs[key].items() if r and (v := numeric_value(f)) is not None}
        if self._sense not in _SIZES or len(set(values.values())) < 2 or self._s.word(self._i - 1) in lexicon.RANKS:
            return
        extreme = max(values.values()) if self._sense is Sense.UP else min(values.values())
        stated = self._stated()
        wrong_value = stated is not None and stated.value != extreme and stated.value in values.values()
        wrong = wrong_value or (run in values and values[run] != extreme)
        if wrong != self._s.negated(self._i):
            self._object(found, f"{key} is {extreme} at that end of the sweep")
        else:
            ids = [fact.id for r, fact in self._index.configs[key].items() if values.get(r) == extreme]
            found.support(self._token.start, self._token.end, ids)

    # -- a value: the lowest loss, 2.31 -------------------------------------------------------------------------

    def _stated(self) -> Numeral | None:
        """The numeral that is called so: ``the lowest loss (2.31)``, ``2.31, the lowest``, ``2.31 is the lowest``."""
        s, i = self._s, self._i
        j = i + 1
        while s.kind(j) in {TokenKind.METRIC, TokenKind.CONFIG} or s.word(j) in _TO_VALUE:
            j += 1
        if s.kind(j) is TokenKind.NUMBER and s.word(j - 1) != "the":
            return s.tokens[j].numeral
        subject = i - 4 if s.word(i - 3) == ")" else i - 3
        told = s.word(i - 1) == "the" and s.word(i - 2) in {",", "is", "was"}
        return s.tokens[subject].numeral if told and s.kind(subject) is TokenKind.NUMBER else None

    def _judge_value(self, name: str, found: Collector) -> None:
        s, stated = self._s, self._stated()
        ranked = all_ranked(self._index, self._sense, name, frozenset(self._index.runs))
        if stated is None or len(ranked) < 2 or s.word(self._i - 1) in lexicon.RANKS or s.word(self._i - 1) == "-":
            return
        if s.runs - self._index.baseline - {ranked[0].subject} or s.negated(self._i):
            return
        fits = [fact for fact in ranked if fit(stated, fact) is Fit.MATCH]
        if fits and all(numeric_value(fact) != numeric_value(ranked[0]) for fact in fits):
            self._object(found, f"{ranked[0].id} is {render(ranked[0])}")


def _listed(s: Sentence, j: int) -> list[int]:
    return s.coordinated(j) if s.kind(j) is TokenKind.RUN else list_around(s, j)


def _pass(s: Sentence, j: int, words: frozenset[str]) -> int:
    while s.word(j) in words:
        j += 1
    return j


def _is_idiom(s: Sentence, i: int) -> bool:
    """``at best``, ``one of the best``, ``most of the runs``: no claim about one run."""
    before, after = s.word(i - 1), s.word(i + 1)
    if before in lexicon.NOT_SUPERLATIVE_AFTER or after in lexicon.NOT_SUPERLATIVE_BEFORE or _is_partial(s):
        return True
    some = before == "the" and s.word(i - 2) in {"among", "of"} and s.word(i - 3) in {"one", "some"}
    counts = s.word(i) in {"most", "least"} and s.kind(i + 1) is not TokenKind.METRIC
    return before in {"among", "of", "most", "least"} or some or counts


def _is_partial(s: Sentence) -> bool:
    """``among the smoothed runs``: a choice of runs that the words alone do not tell."""
    for j in range(len(s.tokens) - 1):
        if s.word(j) in {"among", "of"} and s.word(j + 1) in {"the", "all", "our"}:
            k = j + 2
            while s.kind(k) is TokenKind.NUMBER or s.word(k) in _KNOWN_CHOICES:
                k += 1
            chosen = s.kind(k) is TokenKind.WORD and s.word(k) not in lexicon.RUN_NOUNS
            if chosen and s.word(k + 1) in lexicon.RUN_NOUNS:
                return True
    return False
