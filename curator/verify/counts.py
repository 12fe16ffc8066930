"""Judges counts: of runs, of runs with a status, of runs for which a comparison holds, and of devices, seeds and steps.

Runs are counted from the facts themselves. Numerals with a unit and values of metrics are judged elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from curator.facts import Fact, FactKind
from curator.verify import lexicon
from curator.verify.binding import Binder
from curator.verify.directions import sense_at
from curator.verify.matching import Fit, fit, numeric_value
from curator.verify.nouns import config_of, noun_after, noun_before
from curator.verify.report import FindingKind
from curator.verify.tokens import TokenKind
from curator.verify.units import FACTOR, PERCENT

if TYPE_CHECKING:
    from curator.verify.claims import Claims
    from curator.verify.index import FactIndex
    from curator.verify.quoted import QuotedNumbers
    from curator.verify.report import Collector
    from curator.verify.sentences import Sentence

_DEVICES = frozenset({"device", "chip", "gpu", "tpu", "accelerator"})
_HOSTS = frozenset({"host", "node", "machine", "process", "worker"})
_SAME_THING = tuple((words, words) for words in (_DEVICES, _HOSTS))
_THEM = frozenset({"them", "these", "those"})
_ALL_RUNS = re.compile(r"run|total|variant|config|setting|experiment|trial|attempted|launched")
_STATUS_NOUNS = {"failure": "failed", "success": "succeeded", "crash": "failed", "divergence": "diverged"}


@dataclass(frozen=True, slots=True)
class _Count:
    """A numeral that counts runs: the part or the whole of ``3 of 4 runs``."""

    part: int | None
    whole: int | None


class Counts:
    """The rule for counts."""

    def __init__(self, index: FactIndex, quoted: QuotedNumbers, claims: Claims) -> None:
        self._index = index
        self._quoted = quoted
        self._claims = claims

    def check(self, s: Sentence, i: int, found: Collector) -> bool:
        """Judge the numeral at ``i`` if it is a count; whether it was one."""
        token = s.tokens[i]
        if token.numeral is None or s.context.hypothetical:
            return False
        share = token.numeral.unit is not None and token.numeral.unit.dimension in {PERCENT, FACTOR}
        if share:
            return self._check_share(s, i, found)
        if not token.numeral.whole or token.numeral.sign:
            return False
        count, noun = self._fraction(s, i)
        if noun in lexicon.RUN_NOUNS and not noun.endswith("s") and token.numeral.value > 1:
            return False  # "the 16k run" is named by its config
        if noun in {"metric", "metrics"}:
            return self._check_metrics(s, i, count, found)
        if noun in lexicon.RUN_NOUNS or noun in _THEM or noun == "n" or noun.rstrip("s") in _STATUS_NOUNS:
            return self._check_runs(s, i, count, noun, found)
        return self._check_nouns(s, i, noun, found)

    # -- which words --------------------------------------------------------------------------------------------

    def _fraction(self, s: Sentence, i: int) -> tuple[_Count, str]:
        """The two numerals of ``3 of the 4 runs`` when ``i`` is one of them, and what is counted."""
        after = self._partner(s, i, 1)
        before = self._partner(s, i, -1)
        noun = self._noun(s, after if after is not None else i)
        if after is not None:
            return _Count(i, after), noun
        if before is not None:
            return _Count(before, i), noun
        return _Count(i, None), noun

    def _partner(self, s: Sentence, i: int, step: int) -> int | None:
        j = i + step
        while s.word(j) in {"of", "out", "the", "all", "these", "/", "our"}:
            j += step
        joined = {s.word(k) for k in range(min(i, j) + 1, max(i, j))} & {"of", "/"}
        token = s.tokens[j] if 0 <= j < len(s.tokens) else None
        counts = (
            token is not None and token.kind is TokenKind.NUMBER and token.numeral is not None and token.numeral.whole
        )
        return j if joined and counts else None

    def _noun(self, s: Sentence, i: int) -> str:
        noun = noun_after(s, i)
        if noun:
            return noun
        if s.kind(i + 1) is TokenKind.CONFIG:
            return ""
        j = i + 1
        while (
            s.word(j) in lexicon.STATUS_WORDS
            or s.word(j) in {"of", "other", "more", "remaining", "different", "baseline"} | lexicon.ARTICLES
        ):
            j += 1
        if s.word(j) in lexicon.RUN_NOUNS or (s.word(j) in _THEM and s.word(j - 1) == "of"):
            return s.word(j)
        before = noun_before(s, i)
        if before:
            return before
        lone_status = s.word(i + 1) in lexicon.STATUS_WORDS and s.tokens[i].numeral is not None
        return "runs" if lone_status or self._is_label(s, i) else ""

    def _is_label(self, s: Sentence, i: int) -> bool:
        """``Succeeded: 4``."""
        return s.word(i - 1) in {":", "="} and s.word(i - 2) in lexicon.STATUS_WORDS

    # -- runs ---------------------------------------------------------------------------------------------------

    def _check_runs(self, s: Sentence, i: int, count: _Count, noun: str, found: Collector) -> bool:
        token = s.tokens[i]
        value = int(token.numeral.value) if token.numeral else 0
        if count.whole == i:
            allowed, facts = self._totals(s, i, noun)
        else:
            status = _STATUS_NOUNS.get(noun.rstrip("s")) or self._status_near(s, i)
            if status:
                allowed, facts = self._with_status(status)
            elif (comparison := self._comparison(s, i, found)) is not None:
                holders, undecided = comparison
                whole = s.word(i - 1) in {"all", "the", "these", "those"}
                allowed = {len(holders), len(holders) + undecided} | set(range(1, len(holders) + 1) if whole else ())
                facts = [f.id for f in self._index.facts if f.subject in holders and f.kind is FactKind.METRIC]
            elif value == 1 and count.whole is None:
                return True
            elif count.whole is not None:
                allowed, facts = self._any_count()
            else:
                allowed, facts = self._totals(s, i, noun)
        if value in allowed:
            found.support(token.start, token.end, facts)
        else:
            said = " or ".join(str(n) for n in sorted(allowed)) or "unknown"
            found.object_to(FindingKind.COUNT, token, f"the facts count {said}")
        return True

    def _status_near(self, s: Sentence, i: int) -> str:
        """The status word that the count is of: after it in its clause, or its label."""
        low, high = s.clause(i)
        depth = s.tokens[i].depth
        ahead = [j for j in range(i + 1, high) if s.word(j) in lexicon.STATUS_WORDS and s.tokens[j].depth == depth]
        for j in ahead:
            if not any(
                s.kind(k) is TokenKind.NUMBER and not self._is_whole_of(s, i, k) for k in range(i + 1, j)
            ) and not self._is_other_use(s, j):
                return lexicon.STATUS_WORDS[s.word(j)]
        if self._is_label(s, i):
            return lexicon.STATUS_WORDS[s.word(i - 2)]
        behind = [
            j for j in range(low, i) if s.word(j) in lexicon.STATUS_WORDS and s.word(j + 1) in {"in", "for", "on", ":"}
        ]
        return lexicon.STATUS_WORDS[s.word(behind[-1])] if behind else ""

    def _is_whole_of(self, s: Sentence, i: int, k: int) -> bool:
        return self._partner(s, i, 1) == k

    def _is_other_use(self, s: Sentence, j: int) -> bool:
        return s.word(j) in lexicon.FAILED_TO and s.word(j + 1) == "to"

    def _with_status(self, status: str) -> tuple[set[int], list[str]]:
        same = {word for word, meaning in lexicon.STATUS_WORDS.items() if meaning == status} | {status}
        named = [f for f in self._index.facts if f.kind is FactKind.COUNT and same & set(f.name.lower().split("_"))]
        if named:
            return {int(f.value) for f in named if isinstance(f.value, int | float)}, [f.id for f in named]
        runs = [run for run, value in self._index.statuses.items() if value in same]
        if status == "diverged":
            runs = [run for run in self._index.runs if self._index.non_finite(run)] or runs
        facts = [f.id for f in self._index.facts if f.kind is FactKind.STATUS and f.subject in runs]
        return {len(runs)}, facts

    def _totals(self, s: Sentence, i: int, noun: str) -> tuple[set[int], list[str]]:
        facts = [
            f
            for f in self._index.facts
            if f.kind is FactKind.COUNT and not f.subject and _ALL_RUNS.search(f.name.lower())
        ]
        total, allowed = len(self._index.runs), {int(f.value) for f in facts if isinstance(f.value, int | float)}
        others = len(frozenset(self._index.runs) - self._index.baseline)
        own = {total} if noun in {"run", "runs"} else {total, others}
        named = [s.runs, s.context.topics, s.previous.runs if s.previous else frozenset()]
        allowed |= {*own, *(len(runs) for runs in named if len(runs) > 1)}
        allowed |= {len(runs - self._index.baseline) for runs in named if len(runs) > 2}
        if {s.word(i - 1), s.word(i + 1)} & {"other", "remaining", "others", "rest"}:
            allowed = {n - k for n in allowed for k in (1, 2, max(1, len(s.runs))) if n > k} | {others}
        allowed |= self._with_status("succeeded")[0] - {0}
        allowed |= {len(group) for key in self._index.varying for group in self._groups(key)}
        return allowed, [f.id for f in facts] or [f.id for f in self._index.facts if f.kind is FactKind.RUN]

    def _groups(self, key: str) -> list[list[str]]:
        """The runs that share a value of a config key."""
        per_run = self._index.configs[key]
        return [
            [run for run, f in per_run.items() if f.value == value]
            for value in {repr(f.value): f.value for f in per_run.values()}.values()
        ]

    def _any_count(self) -> tuple[set[int], list[str]]:
        facts = [f for f in self._index.facts if f.kind is FactKind.COUNT]
        return {int(f.value) for f in facts if isinstance(f.value, int)}, [f.id for f in facts]

    def _comparison(self, s: Sentence, i: int, found: Collector) -> tuple[tuple[str, ...], int] | None:
        """The runs for which the comparison behind the count holds: ``three of the variants beat the baseline``.

        With how many runs have no value to decide it by, when the comparison is denied: they did not beat it either.
        """
        _, high = s.clause(i)
        for j in range(i + 1, high):
            if s.kind(j) is TokenKind.NUMBER and not self._is_whole_of(s, i, j):
                return None
            if (sense_at(s, j) or s.word(j) in {"above", "below"}) and not s.hedged(j):
                holders = self._claims.holders(s, j)
                if holders is None:
                    return None
                found.judged.add(s.tokens[j].start)
                negated = s.negated(j)
                undecided = sum(holds is None for holds in holders.values()) if negated else 0
                return tuple(run for run, holds in holders.items() if holds is (not negated)), undecided
        return None

    def _check_metrics(self, s: Sentence, i: int, count: _Count, found: Collector) -> bool:
        """``three of the four metrics``: the whole is what was measured, the part no more than that."""
        measured = {fact.name: fact.id for fact in self._index.facts if fact.kind is FactKind.METRIC}
        token = s.tokens[i]
        value = token.numeral.value if token.numeral else 0
        partial = count.whole is not None and count.part == i
        if value == len(measured) or (partial and value < len(measured)):
            found.support(token.start, token.end, measured.values())
        elif value > 1:
            found.object_to(FindingKind.COUNT, token, f"the facts have {len(measured)} metrics")
        return True

    # -- shares -------------------------------------------------------------------------------------------------

    def _check_share(self, s: Sentence, i: int, found: Collector) -> bool:
        """``half of the runs failed``, ``80 % of the runs succeeded``."""
        j = i + 1
        if s.word(j) != "of":
            return False
        while s.word(j) in {"of", "all"} | lexicon.ARTICLES:
            j += 1
        status = self._status_near(s, i)
        numeral = s.tokens[i].numeral
        if numeral is None or not self._index.runs:
            return False
        if s.word(j) not in lexicon.RUN_NOUNS:
            return numeral.word and s.kind(j) is TokenKind.WORD
        holders = None if status else self._comparison(s, i, found)
        if not status and holders is None:
            return False
        counts, facts = self._with_status(status) if status else ({len(holders[0]) if holders else 0}, [])
        total = len(self._index.runs) if status else len(self._index.runs) - len(self._index.baseline)
        reading = numeral.readings[0]
        scale = 100 if reading.unit and reading.unit.dimension == PERCENT else 1
        if any(abs(Decimal(n) / total * scale - reading.value) <= reading.quantum / 2 for n in counts):
            found.support(s.tokens[i].start, s.tokens[i].end, facts)
        else:
            found.object_to(FindingKind.COUNT, s.tokens[i], f"it is {min(counts)} of {total} runs")
        return True

    # -- other things -------------------------------------------------------------------------------------------

    def _check_nouns(self, s: Sentence, i: int, noun: str, found: Collector) -> bool:
        token = s.tokens[i]
        numeral = token.numeral
        if numeral is None or config_of(s, i):
            return False
        if noun and (facts := self._named_after(s, i, noun)):
            found.support(token.start, token.end, facts)
            return True
        if noun in lexicon.COUNT_NOUNS - lexicon.RUN_NOUNS:
            about = self._about(noun)
            if numeral.value == 1 and numeral.word and not (about and noun.rstrip("s") in _DEVICES | _HOSTS):
                return True
            distinct = [f.id for f in self._index.numeric if numeral.significant >= 3 and fit(numeral, f) is Fit.MATCH]
            if distinct and not about:
                found.support(token.start, token.end, distinct)
                return True
            known = [str(f.value) for f in about if f.kind in {FactKind.COUNT, FactKind.CONFIG}]
            why = f"the facts say {', '.join(dict.fromkeys(known))}" if known else f"no fact counts this many {noun}"
            found.object_to(FindingKind.COUNT, token, why)
            return True
        return self._says_nothing(s, i, noun)

    def _says_nothing(self, s: Sentence, i: int, noun: str) -> bool:
        """Numbers that name or enumerate, and small ones in words that count nothing recorded: ``two reasons``."""
        numeral = s.tokens[i].numeral
        named = noun in lexicon.LABEL_NOUNS and noun_before(s, i) == noun
        listed = (
            s.word(i - 1) == "("
            and s.word(i + 1) == ")"
            and numeral is not None
            and numeral.value <= 9
            and not s.context.cell
        )
        footnote = s.word(i - 1) == "[" and s.word(i + 1) == "]"
        elliptic = any(s.tokens[j].numeral and s.word(j + 1) for j in s.of_kind(TokenKind.NUMBER, (0, i))) and not noun
        small = numeral is not None and numeral.word and (bool(noun) or numeral.value <= 2 or elliptic)
        first = s.word(i - 2) in {"", ";", ",", ":", "and"}
        return named or footnote or (listed and first) or small

    def _named_after(self, s: Sentence, i: int, noun: str) -> list[str]:
        """Facts of this value that are about what is counted."""
        numeral = s.tokens[i].numeral
        if numeral is None:
            return []
        about = [fact for fact in self._about(noun) if fit(numeral, fact) is Fit.MATCH]
        runs = Binder.of(s, self._index).runs_of(i)
        mine = [fact.id for fact in about if runs is None or fact.subject in runs or not fact.subject]
        return mine or list(self._quoted.match(s, i, runs=runs)) or self._distinct(noun, int(numeral.value))

    def _about(self, noun: str) -> list[Fact]:
        stem = noun.removesuffix("s") if len(noun) > 3 else noun
        stems = next((words for words, _ in _SAME_THING if stem in words), frozenset({stem}))
        return [
            fact
            for fact in self._index.facts
            if fact.kind in {FactKind.COUNT, FactKind.CONFIG, FactKind.METRIC}
            and numeric_value(fact) is not None
            and any(each in fact.name.lower() or each in fact.unit.lower() for each in stems)
        ]

    def _distinct(self, noun: str, value: int) -> list[str]:
        """``three seeds`` when the config has three values of ``seed``."""
        stem = noun.removesuffix("s")
        for key, per_run in self._index.configs.items():
            facts = [fact for run, fact in per_run.items() if run]
            if stem == key.lower() and len({repr(fact.value) for fact in facts}) == value:
                return [fact.id for fact in facts]
        return []
