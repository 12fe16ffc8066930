"""Which run a numeral is said of.

Reads word order and the names in a sentence; never looks at a value. Where the sentence does not say, it answers None.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, cast

from curator.verify import lexicon
from curator.verify.lists import from_of, is_of_several, is_reference_value, list_around, paired, starts_step
from curator.verify.roles import Role, role_of
from curator.verify.tokens import TokenKind
from curator.verify.units import FACTOR, PERCENT

if TYPE_CHECKING:
    from curator.verify.index import FactIndex
    from curator.verify.sentences import Sentence

type Runs = frozenset[str]

_CONNECTORS = frozenset({"for", "in", "with", "of", "on", "under", "at", "by", "from"})
_PARTICIPLES = frozenset(
    {"recorded", "reached", "seen", "measured", "obtained", "found", "set", "achieved", "reported"}
)
_CHANGE_WORDS = frozenset(lexicon.ADJECTIVES) | lexicon.DIFFERENCE_NOUNS
_INTRODUCERS = frozenset({"'s", "(", ":", "=", "at"})
_ADJACENT = lexicon.word_set("'s ( : = - \u2013 \u2014 \" at of reached which was is had has ~ \u2248 a an the")
_CONDITIONS = frozenset({"when", "once", "after", "with", "if", "as"})
_VAGUE_NOUNS = frozenset({"winner", "others", "rest", "former", "latter", "control", "one", "ones"})
_VAGUE_ADJECTIVES = lexicon.word_set(
    """
    best worst fastest slowest other others previous last first second third next winning losing remaining same
    final preceding earlier default new another
    """
)


class Binder:
    """Answers for the numerals of one sentence."""

    @classmethod
    def of(cls, sentence: Sentence, index: FactIndex) -> Binder:
        """The one binder of a sentence."""
        binder = sentence.memo.setdefault(index, cls(sentence, index))
        return cast("Binder", binder)

    def __init__(self, sentence: Sentence, index: FactIndex) -> None:
        self._s = sentence
        self._index = index

    def runs_of(self, i: int, *, bound: bool = False) -> Runs | None:
        """The runs one of which the numeral at ``i`` must be about; None when the sentence leaves it open.

        Args:
            i: where the numeral stands.
            bound: it bounds a value from one side, ``above 400k``, and so is nobody's value itself.
        """
        if i in self._behind:
            return self._behind[i][0]
        for placed in (self._stepped(i), self._fronted(i), paired(self._s, i, TokenKind.RUN)):
            if placed is not None:
                return placed
        topic, others = self._topic_before(i)
        if topic is None or self._is_too_few(i, topic):
            return None
        reference = not bound and is_reference_value(self._s, i)
        if not topic and reference and starts_step(self._s, i) and self._s.runs and self._index.baseline:
            return self._mentioned() | self._s.context.topics
        if not topic:
            inherited = self.inherited_topic()
            if inherited is None or self._behind:
                return None if others else self._only_mention(i)
            topic = inherited if self._s.context.cell else inherited | self._baseline_if_compared()
        if reference:
            said = others or starts_step(self._s, i) or "baseline" in self._s.words_and_names
            return topic | others | self._mentioned() if said else None
        return topic if role_of(self._s, i) is Role.CHANGE else topic | others

    def _is_too_few(self, i: int, topic: Runs) -> bool:
        """Whether the numeral is one of more values than there are runs to have them."""
        several = is_of_several(self._s, i) and not self._s.context.cell
        return several and len(topic) < len(list_around(self._s, i))

    def _mentioned(self) -> Runs:
        """What a value may be compared with: the baseline, and the runs that this sentence and the last one name."""
        before = self._s.previous.runs if self._s.previous else frozenset()
        return self._index.baseline | self._s.runs | before

    def _only_mention(self, i: int) -> Runs | None:
        """``fell to 158,420 once the capacity factor was 2.0``: the one thing named behind, where nothing is before."""
        s = self._s
        behind = [j for j in range(i + 1, len(s.tokens)) if self._is_mention(j)]
        if not behind or self._behind or any(token.runs for token in s.tokens[:i]):
            return None
        condition = any(s.word(j) in _CONDITIONS for j in range(i + 1, behind[0]))
        lone = len({s.tokens[j].runs for j in behind}) == 1 and not any(s.is_reference(j) for j in behind)
        return s.tokens[behind[0]].runs if condition and lone else None

    @cached_property
    def _behind(self) -> dict[int, tuple[Runs, list[int]]]:
        """Numerals with their run behind them, ``2.31 for LR-003``, and where that run stands."""
        found: dict[int, tuple[Runs, list[int]]] = {}
        for i in reversed(self._s.of_kind(TokenKind.NUMBER)):
            at = self._mention_behind(i)
            if at is None or self._introduces(at, found):
                continue
            group, numbers = self._mentions_from(at), list_around(self._s, i)
            if len(numbers) == len(group) > 1:
                found |= {n: (self._s.tokens[j].runs, [j]) for n, j in zip(numbers, group, strict=True)}
            elif not is_of_several(self._s, i) or self._s.kind(at) is TokenKind.RUN:
                found[i] = (frozenset(run for j in group for run in self._s.tokens[j].runs), group)
        return found

    def _mentions_from(self, at: int) -> list[int]:
        """The runs named one after the other from ``at`` on: ``for 1, 2 and 4 workers``."""
        if self._s.kind(at) is TokenKind.RUN:
            return self._s.coordinated(at)
        found, j = [at], at + 1
        while self._s.word(j) in {",", "and", "or", "/"} or (
            self._is_mention(j) and self._s.kind(j) is TokenKind.NUMBER
        ):
            found += [j] if self._is_mention(j) else []
            j += 1
        return found

    def _mention_behind(self, i: int) -> int | None:
        s, j = self._s, i + 1
        if s.word(j) == ")" and s.word(j + 1) in {"for", "in", "with", "at"}:
            j += 1
        if s.word(j) == "(":
            j += 1
            while s.word(j) in _CONNECTORS | lexicon.ARTICLES:
                j += 1
            return j if self._is_mention(j) and not self._numbers_until_close(j) else None
        change = role_of(self._s, i) is Role.CHANGE
        while s.kind(j) is TokenKind.METRIC or s.word(j) in _PARTICIPLES or (change and s.word(j) in _CHANGE_WORDS):
            j += 1
        if (
            s.word(j) == ","
            and s.word(j + 1) in {"was", "were", "is"}
            and s.word(j + 2) in _PARTICIPLES | {"from", "in", "at"}
        ):
            j += 2 + (s.word(j + 2) in _PARTICIPLES)
        connector = s.word(j)
        if connector not in _CONNECTORS or self._is_relative(i, connector):
            return None
        j += 1
        while s.word(j) in lexicon.ARTICLES | {"run", "runs", "variant"}:
            j += 1
        if s.kind(j) is TokenKind.CONFIG:
            j += 1 + (s.word(j + 1) in {"=", "of", "-", ":"})
        return j if self._is_mention(j) else None

    def _is_relative(self, i: int, connector: str) -> bool:
        """``3.9 % of the baseline`` and ``0.09 from the baseline`` are not said of the baseline."""
        numeral = self._s.tokens[i].numeral
        share = bool(numeral and numeral.unit and numeral.unit.dimension in {PERCENT, FACTOR})
        return (connector == "of" and share) or (
            connector in {"from", "of", "on", "under"} and role_of(self._s, i) is Role.CHANGE
        )

    def _is_mention(self, j: int) -> bool:
        return 0 <= j < len(self._s.tokens) and bool(self._s.tokens[j].runs)

    def _numbers_until_close(self, j: int) -> bool:
        depth = self._s.tokens[j].depth
        for k in range(j + 1, len(self._s.tokens)):
            token = self._s.tokens[k]
            if token.depth < depth or (token.text in {")", "]"} and token.depth < depth):
                return False
            if token.kind is TokenKind.NUMBER and not token.runs:
                return True
        return False

    def _introduces(self, j: int, behind: dict[int, tuple[Runs, list[int]]]) -> bool:
        """Whether the run at ``j`` belongs to the numeral that follows it: ``with LR-001 at 2.40``."""
        k = j + 1
        while self._s.word(k) in _INTRODUCERS or (self._s.kind(k) is TokenKind.METRIC and k > j + 1):
            k += 1
        follows = self._s.kind(k) is TokenKind.NUMBER and not self._s.tokens[k].runs
        return follows and k > j + 1 and k not in behind

    def _topic_before(self, i: int) -> tuple[Runs | None, Runs]:
        """The nearest run before the numeral, and others it may be about; None for a run the text only hints at."""
        s = self._s
        consumed = {j for _, group in self._behind.values() for j in group}
        skipped = self._between_from_and_to(i)
        ambiguous: set[str] = set()
        here = self._has_own_mention(i)
        for j in s.leftwards(i):
            if j in skipped or j in consumed:
                continue
            if s.word(j) == ";" and here:
                return None, frozenset()
            if self.is_vague(j):
                return None, frozenset()
            runs = s.tokens[j].runs
            if not runs:
                if s.kind(j) is TokenKind.RUN:
                    return None, frozenset()
                continue
            if s.kind(j) is not TokenKind.RUN:
                runs = self._narrowed(j, runs)
            group = (
                frozenset(run for k in s.coordinated(j) for run in s.tokens[k].runs)
                if s.kind(j) is TokenKind.RUN
                else runs
            )
            if self._adjacent(j, i):
                return group, frozenset()
            if s.is_reference(j):
                ambiguous |= group
                continue
            return group, frozenset(ambiguous)
        return frozenset(), frozenset(ambiguous)

    def _has_own_mention(self, i: int) -> bool:
        """Whether a run is named between the semicolons around the numeral."""
        s = self._s
        low = next((j for j in range(i - 1, -1, -1) if s.word(j) == ";"), 0)
        high = next((j for j in range(i + 1, len(s.tokens)) if s.word(j) == ";"), len(s.tokens))
        return any(s.tokens[j].runs for j in range(low, high) if j != i)

    def _narrowed(self, j: int, runs: Runs) -> Runs:
        """The run that a config value is an attribute of: ``LR-003 trains at lr=0.01 and reaches ...``."""
        low, _ = self._s.clause(j)
        named = (self._s.tokens[k].runs for k in range(j - 1, low - 1, -1) if self._s.kind(k) is TokenKind.RUN)
        return next((run for run in named if run and run <= runs), runs)

    def is_vague(self, j: int) -> bool:
        """Whether the word at ``j`` means a run without naming it: ``the winner``, ``the other runs``."""
        word = self._s.word(j)
        if self._s.kind(j) is not TokenKind.WORD:
            return False
        if self._is_predicate(j):
            return False
        if word in _VAGUE_NOUNS and self._s.word(j - 1) in lexicon.ARTICLES | _VAGUE_ADJECTIVES:
            return not self._apposed_run(j)
        noun = word in lexicon.RUN_NOUNS and self._s.word(j - 1) in _VAGUE_ADJECTIVES
        return noun and not self._apposed_run(j)

    def _is_predicate(self, j: int) -> bool:
        """``LR-001 is the fastest run``: the words speak of a run that is named before them."""
        k = j - 1
        while self._s.word(k) in lexicon.ARTICLES | _VAGUE_ADJECTIVES | {"clear", "overall"}:
            k -= 1
        return self._s.word(k) in {"is", "was", "remains", "remained", "became", "stays", "as"}

    def _apposed_run(self, j: int) -> bool:
        """``the best run (LR-003)`` and ``the best run, LR-003,`` are not vague."""
        return any(self._is_mention(k) for k in (j + 1, j + 2))

    def _adjacent(self, j: int, i: int) -> bool:
        """Whether nothing but links stands between a run and a numeral: ``LR-001's 2.40``, ``the baseline (2.40)``."""
        between = range(j + 1, i)
        return (
            all(self._s.word(k) in _ADJACENT or self._s.kind(k) is TokenKind.METRIC for k in between)
            and len(between) <= 5
        )

    def _between_from_and_to(self, i: int) -> frozenset[int]:
        """The positions between "from" and "to" when the numeral at ``i`` is the second of the two."""
        start = from_of(self._s, i)
        return frozenset(range(start, i)) if start is not None else frozenset()

    def _stepped(self, i: int) -> Runs | None:
        """``from LR-001 to LR-003 ... from 2.40 to 2.31``: the numerals go with the runs."""
        s = self._s
        runs = next(
            (
                j
                for j in s.of_kind(TokenKind.RUN)
                if s.word(j - 1) == "from" and s.word(j + 1) == "to" and s.kind(j + 2) is TokenKind.RUN
            ),
            None,
        )
        if runs is None:
            return None
        if from_of(self._s, i) is not None:
            return s.tokens[runs + 2].runs
        seconds = [j for j in s.of_kind(TokenKind.NUMBER) if from_of(self._s, j) == i]
        return s.tokens[runs].runs if seconds else None

    def _fronted(self, i: int) -> Runs | None:
        """``With 2.31 nats/byte, LR-003 has ...``."""
        s = self._s
        if s.word(0) in {"with", "at"} and i == 1 and s.word(2) == "," and self._is_mention(3):
            return s.tokens[3].runs
        return None

    def inherited_topic(self) -> Runs | None:
        """What a sentence without a run is about: the run before it, or that of the heading; None if unclear."""
        s = self._s
        if s.context.cell:
            return s.context.topics or None
        if s.previous and s.previous.runs:
            if s.word(0) not in {"it", "its"}:
                return None
            earlier: Sentence | None = s.previous
            while earlier:
                named = [j for j in earlier.of_kind(TokenKind.RUN) if not earlier.is_reference(j)]
                main = frozenset(run for j in named for run in earlier.tokens[j].runs)
                if main:
                    return main if len(main) == 1 else None
                earlier = earlier.previous
        return s.context.topics or None

    def _baseline_if_compared(self) -> Runs:
        words = self._s.words
        compared = words & (
            lexicon.COMPARE_BEFORE
            | {"from", "baseline", "compared", "relative", "up", "down", "previous", "below", "above"}
        )
        return self._index.baseline if compared or self._s.is_question else frozenset()
