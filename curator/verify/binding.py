"""Which run and which metric a numeral is said of, and whether it is said as a value or as a difference.

Reads word order and the names in a sentence; never looks at a value. Where the sentence does not say, it answers None.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from curator.verify import lexicon
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
_ADJACENT = frozenset({"'s", "(", ":", "=", "-", "\u2013", "\u2014", '"', "at", "of", "reached", "which", "was", "is", "had", "has", "~", "\u2248", "a", "an", "the"})  # fmt: skip
_SEPARATORS = frozenset({",", "and", "or", "/", "&", "vs", "vs.", "versus", "against"})
_PAIRING = frozenset({"vs", "vs.", "versus", "against"})
_SPEEDS = frozenset({"faster", "slower", "quicker", "speedup", "slowdown", "speed-up", "slow-down"})
_VAGUE_NOUNS = frozenset({"winner", "others", "rest", "former", "latter", "control", "one", "ones"})
_VAGUE_ADJECTIVES = frozenset(
    "best worst fastest slowest other others previous last first second third next winning losing remaining same final "
    "preceding earlier default new another".split()  # noqa: SIM905 - reads better
)
_CONFIG_LINKS = frozenset(
    {"=", ":", "of", "is", "was", "to", "at", "(", "-", "~", "\u2248", "from", "->", "\u2192", '"', ">"}
    | {"set", "raised", "lowered", "increased", "reduced", "changed", "kept", "fixed", "held"}
)
_RUN_TO_CONFIG = frozenset(
    "( , = : with used using at ran runs has had 's a the of is was set to uses an and".split()  # noqa: SIM905
)
_REFERRING = lexicon.COMPARE_BEFORE | {"from", "below", "above", "under"}


class Role(StrEnum):
    """What a numeral is said to be."""

    ANY = "any"
    VALUE = "value"
    CHANGE = "change"


class Binder:
    """Answers for the numerals of one sentence."""

    def __init__(self, sentence: Sentence, index: FactIndex) -> None:
        self._s = sentence
        self._index = index

    # -- which run ----------------------------------------------------------------------------------------------------

    def runs_of(self, i: int, *, bound: bool = False) -> Runs | None:
        """The runs one of which the numeral at ``i`` must be about; None when the sentence leaves it open.

        Args:
            i: where the numeral stands.
            bound: it bounds a value from one side, ``above 400k``, and so is nobody's value itself.
        """
        if i in self._behind:
            return self._behind[i][0]
        if (stepped := self._stepped(i)) is not None or (stepped := self._fronted(i)) is not None:
            return stepped
        if (paired := self._paired(i, TokenKind.RUN)) is not None:
            return paired
        topic, ambiguous = self._topic_before(i)
        if topic is None:
            return None
        if (
            not topic
            and not bound
            and self.is_reference_value(i)
            and self._s.runs
            and self._index.baseline
            and self._s.word(i - 1) == "from"
        ):
            return (
                self._s.runs
                | self._index.baseline
                | self._s.context.topics
                | (self._s.previous.runs if self._s.previous else frozenset())
            )
        if not topic:
            inherited = self.inherited_topic()
            if inherited is None or self._behind:
                return None
            topic = inherited if self._s.context.cell else inherited | self._baseline_if_compared()
        if not bound and self.is_reference_value(i):
            if not ambiguous and self._s.word(i - 1) != "from" and "baseline" not in self._s.words_and_names:
                return None
            before = self._s.previous.runs if self._s.previous else frozenset()
            return topic | ambiguous | self._index.baseline | self._s.runs | before
        return topic | ambiguous

    @cached_property
    def _behind(self) -> dict[int, tuple[Runs, list[int]]]:
        """Numerals with their run behind them, ``2.31 for LR-003``, and where that run stands."""
        found: dict[int, tuple[Runs, list[int]]] = {}
        for i in reversed(self._s.of_kind(TokenKind.NUMBER)):
            at = self._mention_behind(i)
            if at is not None and not self._introduces(at, found):
                group = self._s.coordinated(at)
                found[i] = (frozenset(run for j in group for run in self._s.tokens[j].runs), group)
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
        change = self.role_of(i) is Role.CHANGE
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
        while s.word(j) in lexicon.ARTICLES | {"run", "runs", "variant"} or (
            s.kind(j) is TokenKind.CONFIG and s.word(j + 1) in {"=", "of"}
        ):
            j += 2 if s.kind(j) is TokenKind.CONFIG else 1
        return j if self._is_mention(j) else None

    def _is_relative(self, i: int, connector: str) -> bool:
        """``3.9 % of the baseline`` and ``0.09 from the baseline`` are not said of the baseline."""
        numeral = self._s.tokens[i].numeral
        share = bool(numeral and numeral.unit and numeral.unit.dimension in {PERCENT, FACTOR})
        return (connector == "of" and share) or (connector in {"from", "of"} and self.role_of(i) is Role.CHANGE)

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
        """The nearest run before the numeral, and runs it may be about as well; None for a run the text only hints at."""
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
        start = self.from_of(i)
        return frozenset(range(start, i)) if start is not None else frozenset()

    def from_of(self, i: int) -> int | None:
        """Where the first numeral of ``from X to Y`` stands, when ``i`` is the second."""
        s = self._s
        before = i - 1
        while s.word(before) in lexicon.ARTICLES | lexicon.APPROXIMATE or s.kind(before) is TokenKind.METRIC:
            before -= 1
        if s.word(before) not in {"to", "->", "\u2192", "into"}:
            return None
        for j in range(before - 1, max(-1, before - 12), -1):
            if s.word(j) == "from":
                return next((k for k in range(j, before) if s.kind(k) is TokenKind.NUMBER), None)
            if s.word(j) in {";"}:
                return None
        return None

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
        if self.from_of(i) is not None:
            return s.tokens[runs + 2].runs
        seconds = [j for j in s.of_kind(TokenKind.NUMBER) if self.from_of(j) == i]
        return s.tokens[runs].runs if seconds else None

    def _fronted(self, i: int) -> Runs | None:
        """``With 2.31 nats/byte, LR-003 has ...``."""
        s = self._s
        if s.word(0) in {"with", "at"} and i == 1 and s.word(2) == "," and self._is_mention(3):
            return s.tokens[3].runs
        return None

    def is_reference_value(self, i: int) -> bool:
        """Whether the numeral is the value something is compared with: ``down from 2.40``, ``against a loss of 2.40``."""
        s, j = self._s, i - 1
        while s.word(j) in lexicon.ARTICLES | lexicon.APPROXIMATE | {"of"} or s.kind(j) is TokenKind.METRIC:
            j -= 1
        return s.word(j) in _REFERRING or (s.word(j - 1), s.word(j)) in lexicon.COMPARE_PAIRS

    def inherited_topic(self) -> Runs | None:
        """What a sentence without a run is about: the run of the sentence before, or of the heading; None if unclear."""
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

    # -- which metric -------------------------------------------------------------------------------------------------

    def names_of(self, i: int) -> frozenset[str] | None:
        """The metrics one of which the numeral at ``i`` must be; empty for one that no fact knows; None when left open."""
        behind = self._metric_behind(i)
        if behind is not None:
            return behind
        if self._s.word(i + 1) in _SPEEDS:
            return None
        paired = self._paired(i, TokenKind.METRIC)
        if paired is not None:
            return paired
        if self.noun_before(i) or self.noun_after(i):
            return None
        for j in self._s.leftwards(i):
            if self._s.kind(j) is TokenKind.METRIC:
                return self._s.tokens[j].names
            if self._s.word(j) == ";":
                return self._names_before(j)
        return self._s.context.metrics or None

    def _names_before(self, j: int) -> frozenset[str] | None:
        """What a list goes on about after a semicolon: any metric named before it."""
        return (
            frozenset(name for k in self._s.of_kind(TokenKind.METRIC, (0, j)) for name in self._s.tokens[k].names)
            or None
        )

    def _metric_behind(self, i: int) -> frozenset[str] | None:
        s, j = self._s, i + 1
        while s.word(j) in lexicon.DIFFERENCE_NOUNS | set(lexicon.ADJECTIVES):
            j += 1
        linked = s.word(j) in {"of", "in", "on", "for"}
        j += linked
        while s.word(j) in lexicon.ARTICLES and (linked or s.word(j) not in {"a", "an"}):
            j += 1
        if s.kind(j) is not TokenKind.METRIC:
            return None
        change = self.role_of(i) is Role.CHANGE
        return s.tokens[j].names if change or not self._owns_next(j) else None

    def _owns_next(self, j: int) -> bool:
        """Whether the metric at ``j`` has a numeral of its own behind it."""
        k = j + 1
        while self._s.word(k) in lexicon.LINKS and self._s.word(k) not in {"and", "or"} and k < j + 5:
            k += 1
        return k > j + 1 and self._s.kind(k) is TokenKind.NUMBER

    def config_of(self, i: int) -> tuple[frozenset[str], bool] | None:
        """The config keys the numeral is a value of, and whether they stand right beside it."""
        s = self._s
        after = i + 2 if s.word(i + 1) == "-" else i + 1
        if s.kind(after) is TokenKind.CONFIG:
            return s.tokens[after].names, True
        direct = True
        for j in range(i - 1, max(-1, i - 14), -1):
            if s.kind(j) is TokenKind.CONFIG:
                counted = s.kind(j - 1) is TokenKind.NUMBER or s.word(j - 1) in {
                    *lexicon.ADJECTIVES,
                    *lexicon.SUPERLATIVES,
                }
                direct = direct and s.word(j + 1) != "("
                return None if counted else (s.tokens[j].names, direct)
            listed = s.kind(j) is TokenKind.NUMBER or s.word(j) in {",", "and", "or", "between", "vs", "/", "vs."}
            if listed:
                direct = False
            elif s.word(j) not in _CONFIG_LINKS | lexicon.ARTICLES | lexicon.APPROXIMATE:
                return None
        return None

    def config_runs(self, i: int) -> Runs | None:
        """The run a config value is said of: ``LR-003 (lr=0.01)``."""
        s = self._s
        if s.context.cell and s.context.topics:
            return s.context.topics
        for j in range(i - 1, max(-1, i - 12), -1):
            if s.kind(j) is TokenKind.RUN:
                return s.tokens[j].runs if len(s.tokens[j].runs) == 1 and s.word(j + 1) not in {","} else None
            value = s.kind(j) in {TokenKind.NUMBER, TokenKind.CONFIG}
            if not value and s.word(j) not in _RUN_TO_CONFIG:
                return None
        return None

    def noun_after(self, i: int) -> str:
        """The word that says what is counted; empty when there is none, or when it is a metric or a config key."""
        j = i + 2 if self._s.word(i + 1) == "-" else i + 1
        steps = 0
        while self._s.word(j).endswith(("ed", "ful", "al", "ing")) and self._s.kind(j) is TokenKind.WORD and steps < 2:
            if self._s.word(j) in lexicon.FOLLOWERS:
                return ""
            j, steps = j + 1, steps + 1
        word = self._s.word(j)
        plain = self._s.kind(j) is TokenKind.WORD and word not in lexicon.FOLLOWERS and word not in lexicon.SENSES
        return word if plain and (steps == 0 or word in lexicon.COUNT_NOUNS) else ""

    def noun_before(self, i: int) -> str:
        """The word right before the numeral when it is a thing, as in ``rank 3``."""
        j = i - 1
        while self._s.word(j) in {"=", ":", "#", "-", '"'}:
            j -= 1
        word = self._s.word(j)
        known = word in lexicon.LINKS or word in lexicon.SENSES or word in lexicon.DIFFERENCE_NOUNS
        verbal = word.endswith(("ly", "ing", "ed")) or word in lexicon.SUPERLATIVES or word in lexicon.ARTICLES
        field = j == 0 and self._s.word(1) == ":"
        plain = self._s.kind(j) is TokenKind.WORD and not (known or verbal or field)
        return word if plain and word not in lexicon.APPROXIMATE | lexicon.HEDGES | lexicon.NEGATIONS else ""

    # -- lists side by side -------------------------------------------------------------------------------------------

    def _paired(self, i: int, kind: TokenKind) -> frozenset[str] | None:
        """For ``LR-002 and LR-003 reached 2.35 and 2.31``: what the numeral's place in its list gives."""
        numbers = self._list_around(i)
        if len(numbers) < 2:
            return None
        things = self._list_before(numbers[0], kind)
        if len(things) < 2:
            return None
        if len(things) == len(numbers):
            token = self._s.tokens[things[numbers.index(i)]]
            return token.runs if kind is TokenKind.RUN else token.names
        tokens = [self._s.tokens[j] for j in things]
        return frozenset(x for token in tokens for x in (token.runs if kind is TokenKind.RUN else token.names))

    def _list_around(self, i: int) -> list[int]:
        found = [i]
        for step in (-1, 1):
            j = i + step
            while self._s.word(j) in _SEPARATORS or self._s.kind(j) is TokenKind.NUMBER:
                if self._s.kind(j) is TokenKind.NUMBER:
                    found.append(j)
                j += step
        return sorted(found)

    def _list_before(self, first: int, kind: TokenKind) -> list[int]:
        s = self._s
        for j in range(first - 1, -1, -1):
            if s.kind(j) is kind and (kind is not TokenKind.RUN or s.tokens[j].runs):
                group = s.coordinated(j) if kind is TokenKind.RUN else self._joined(j, kind)
                versus = s.word(first + 1) in _PAIRING and kind is TokenKind.RUN
                return group if len(group) > 1 or not versus else self._two_runs_before(first)
            if s.kind(j) is TokenKind.NUMBER or s.word(j) == ";":
                return []
        return []

    def _joined(self, j: int, kind: TokenKind) -> list[int]:
        group, k = [j], j - 1
        while self._s.word(k) in {",", "and", "/", "&"} or self._s.kind(k) is kind:
            if self._s.kind(k) is kind:
                group.append(k)
            k -= 1
        return sorted(group)

    def _two_runs_before(self, first: int) -> list[int]:
        """``LR-003 beats LR-001 (2.31 vs. 2.40)``: the run the clause is about, then the other one."""
        found = [j for j in self._s.of_kind(TokenKind.RUN, (0, first)) if len(self._s.tokens[j].runs) == 1]
        topic = next((j for j in reversed(found) if not self._s.is_reference(j)), None)
        if len(found) != 2 or topic is None:
            return []
        return [topic, *(j for j in found if j != topic)]

    # -- as what ------------------------------------------------------------------------------------------------------

    def role_of(self, i: int) -> Role:
        s = self._s
        numeral = s.tokens[i].numeral
        before, after = s.word(i - 1), s.word(i + 1)
        if before in lexicon.APPROXIMATE | {"a", "an", "another", "further", "the", "some", "only", "just"}:
            before = s.word(i - 2)
        if s.context.change or self._is_by(i, before):
            return Role.CHANGE
        if after in lexicon.ADJECTIVES and not (
            after in {"more", "less", "fewer"} and s.word(i + 2) in lexicon.RUN_NOUNS
        ):
            return Role.CHANGE
        if after in lexicon.DIFFERENCE_NOUNS or self._is_placed(i):
            return Role.CHANGE
        if s.word(i + 2) in lexicon.DIFFERENCE_NOUNS and s.kind(i + 1) is TokenKind.METRIC:
            return Role.CHANGE
        if before == "of" and self._difference_noun_before(i):
            return Role.CHANGE
        if before in {"up", "down"} | lexicon.PRICES or (numeral and numeral.sign == "+"):
            return Role.CHANGE
        low, _ = s.clause(i)
        differs = any(s.word(j) in lexicon.DIFFERENCE_NOUNS for j in range(low, i))
        return Role.VALUE if before in lexicon.VALUE_BEFORE and not differs else Role.ANY

    def _is_by(self, i: int, before: str) -> bool:
        if before != "by":
            return False
        low, _ = self._s.clause(i)
        verbs = {"differ", "differs", "differed", "changed", "changes", "moved", "off", "shifted", "varied", "varies"}
        return any(
            self._s.word(j) in lexicon.SENSES or self._s.word(j) in verbs | lexicon.DIFFERENCE_NOUNS
            for j in range(low, i)
        )

    def _is_placed(self, i: int) -> bool:
        """``3.9 % below the baseline``."""
        if self._s.word(i + 1) not in {"above", "below", "ahead", "behind", "over", "under"}:
            return False
        return any(self._s.kind(j) is TokenKind.RUN for j in range(i + 2, i + 9))

    def _difference_noun_before(self, i: int) -> bool:
        low, _ = self._s.clause(i)
        near = [self._s.word(j) for j in range(max(low, i - 6), i)]
        numbers = [j for j in range(max(low, i - 6), i) if self._s.kind(j) is TokenKind.NUMBER]
        return bool(set(near) & lexicon.DIFFERENCE_NOUNS) and not numbers
