"""Judges statements about how runs ended: succeeded, failed, diverged, preempted; and confidence labels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify import lexicon
from curator.verify.report import FindingKind
from curator.verify.subjects import subjects
from curator.verify.tokens import TokenKind

if TYPE_CHECKING:
    from curator.verify.index import FactIndex
    from curator.verify.report import Collector
    from curator.verify.sentences import Sentence

_ENDED = frozenset({"succeeded", "failed", "preempted", "lost", "cancelled", "running", "cached"})
_COMPATIBLE: dict[str, frozenset[str]] = {
    "succeeded": frozenset({"succeeded", "cached"}),
    "failed": frozenset({"failed", "lost", "preempted", "cancelled"}),
    "preempted": frozenset({"preempted"}),
    "cancelled": frozenset({"cancelled"}),
    "lost": frozenset({"lost"}),
    "cached": frozenset({"cached"}),
}
_DIVERGED = re.compile(r"nan|diverg|inf\b|non-?finite|explod|blew up", re.IGNORECASE)
_MEMORY = re.compile(
    r"out of memory|\boom|outofmemory|resource_?exhausted|\bkilled\b|\b137\b|bad_alloc|memoryerror|cannot allocate",
    re.IGNORECASE,
)
_TELLING = (FactKind.QUOTE, FactKind.TEXT, FactKind.STATUS, FactKind.NAME)


class Statuses:
    """The rule for how runs ended."""

    def __init__(self, index: FactIndex) -> None:
        self._index = index

    def check(self, s: Sentence, found: Collector) -> None:
        for i, token in enumerate(s.tokens):
            if token.kind not in {TokenKind.WORD, TokenKind.METRIC}:
                continue
            status = lexicon.STATUS_WORDS.get(token.lower)
            if status and self._is_statement(s, i) and not s.hedged(i):
                self._judge(s, i, status, found)
            elif (
                (token.lower in {"nan", "inf", "oom"} or self._is_out_of_memory(s, i))
                and not s.hedged(i)
                and not s.negated(i)
            ):
                self._check_event(s, i, found)
            elif token.lower in lexicon.CONFIDENCE and self._is_label(s, i):
                self._check_label(s, i, found)

    def _is_statement(self, s: Sentence, i: int) -> bool:
        """Whether the word says how a run ended, and is no count, no "failed to improve", no "lost 0.1"."""
        word, after = s.word(i), s.word(i + 1)
        if word in lexicon.FAILED_TO and after == "to":
            return False
        if s.kind(i + 1) is TokenKind.NUMBER or s.kind(i + 1) is TokenKind.METRIC or s.kind(i - 1) is TokenKind.NUMBER:
            return False
        if word in {
            "lost",
            "passed",
            "converges",
            "converged",
            "cached",
            "finished",
            "completed",
        } and not self._is_final(s, i):
            return False
        if after in {"run", "variant", "attempt"} and self._named_run(s, i):
            return True
        adjective = after in lexicon.RUN_NOUNS or (s.kind(i + 1) is TokenKind.WORD and after in lexicon.COUNT_NOUNS)
        return not adjective or s.context.cell

    def _named_run(self, s: Sentence, i: int) -> tuple[str, ...]:
        """``the failed run (LR-005)``."""
        j = i + 2
        while s.word(j) in {"(", ","}:
            j += 1
        return tuple(sorted(s.tokens[j].runs)) if j < len(s.tokens) and s.kind(j) is TokenKind.RUN else ()

    def _is_final(self, s: Sentence, i: int) -> bool:
        """Whether a word of several meanings ends its statement, or is followed by how or when."""
        after = s.word(i + 1)
        usual = {
            "",
            ".",
            ",",
            ";",
            ")",
            "and",
            "but",
            "while",
            "successfully",
            "without",
            "normally",
            "cleanly",
            "as",
            "in",
            "after",
        }
        return after in usual and not (s.word(i) == "converged" and after == "in")

    def _judge(self, s: Sentence, i: int, status: str, found: Collector) -> None:
        runs = self._runs(s, i)
        negated = s.negated(i)
        token = s.tokens[i]
        results = {run: self._holds(status, run) for run in runs}
        decided = {run: result for run, result in results.items() if result is not None}
        wrong = [run for run, result in decided.items() if result is negated]
        if decided and wrong:
            said = ", ".join(f"{run} is {self._index.statuses.get(run, 'unknown')}" for run in wrong[:3])
            found.object_to(FindingKind.STATUS, token, said)
        elif decided:
            ids = [f.id for f in self._index.facts if f.kind is FactKind.STATUS and f.subject in decided]
            found.support(token.start, token.end, ids)

    def _runs(self, s: Sentence, i: int) -> tuple[str, ...]:
        """The runs the word is said of; a sentence about "the run" means the one its heading names."""
        if s.kind(i + 1) is TokenKind.RUN and not s.hedged(i):
            return tuple(sorted(s.tokens[i + 1].runs))
        if s.word(i + 1) in lexicon.RUN_NOUNS and (named := self._named_run(s, i)):
            return named
        _, high = s.clause(i)
        listed = next(
            (j for j in range(i + 1, high) if s.tokens[j].runs and s.word(j - 1) in {":", "were", "was", "are", "is"}),
            None,
        )
        if listed is not None and not any(token.runs for token in s.tokens[:i]):
            return tuple(sorted(s.tokens[listed].runs))
        found = subjects(s, i, self._index) or self._noted(s, i)
        if found or len(self._index.runs) > 1:
            return found
        return self._index.runs

    def _noted(self, s: Sentence, i: int) -> tuple[str, ...]:
        """``The run crashed at step 412 (LR-005).``: a run alone in parentheses behind."""
        alone = [
            j for j in range(i + 1, len(s.tokens)) if s.tokens[j].runs and s.word(j - 1) == "(" and s.word(j + 1) == ")"
        ]
        return tuple(sorted(s.tokens[alone[0]].runs)) if alone and not any(token.runs for token in s.tokens[:i]) else ()

    def _holds(self, status: str, run: str) -> bool | None:
        known = self._index.statuses.get(run, "")
        if status == "diverged":
            return known == "diverged" or self._index.non_finite(run) or self._told(run, _DIVERGED)
        if status == "converged":
            return None if known in {"succeeded", "cached", ""} and not self._index.non_finite(run) else False
        if known not in _ENDED:
            return True if known == status else None
        if status == "preempted" and known != "preempted":
            return self._was_preempted(run)
        if status == "lost" and known not in {"lost", "succeeded"}:
            return None
        return known in _COMPATIBLE[status]

    def _was_preempted(self, run: str) -> bool | None:
        """Whether an earlier attempt of the run was preempted; None when the facts count nothing that tells."""
        counted = [
            f for f in self._index.facts if f.kind is FactKind.COUNT and f.subject == run and isinstance(f.value, int)
        ]
        if any("preempt" in f.name and f.value for f in counted):
            return True
        return None if any("attempt" in f.name and f.value != 1 for f in counted) else False

    def _told(self, run: str, pattern: re.Pattern[str]) -> bool:
        """Whether a text of the run's own facts, or of no run, says so."""
        return any(
            fact.subject in {run, ""} and fact.name != "hypothesis"
            for fact in self._index.mentioning(pattern, _TELLING)
        )

    def _is_out_of_memory(self, s: Sentence, i: int) -> bool:
        return s.word(i) == "memory" and s.word(i - 1) == "of" and s.word(i - 2) == "out"

    def _check_event(self, s: Sentence, i: int, found: Collector) -> None:
        pattern = _MEMORY if s.word(i) in {"oom", "memory"} else _DIVERGED
        runs = self._runs(s, i) or self._index.runs
        told = any(self._told(run, pattern) or (pattern is _DIVERGED and self._index.non_finite(run)) for run in runs)
        if not told:
            token = s.tokens[i]
            found.object_to(FindingKind.STATUS, token, "no value and no log line of the run says so")

    def _is_label(self, s: Sentence, i: int) -> bool:
        if s.context.field.startswith("confidence"):
            return True
        return any(s.word(j) in {"confidence", "label"} for j in range(max(0, i - 4), min(len(s.tokens), i + 3)))

    def _check_label(self, s: Sentence, i: int, found: Collector) -> None:
        token = s.tokens[i]
        labels = [
            f for f in self._index.facts if f.kind is FactKind.LABEL and str(f.value).lower() in lexicon.CONFIDENCE
        ]
        runs = self._runs(s, i)
        mine = [f for f in labels if not runs or f.subject in {*runs, ""}] or labels
        right = [f for f in mine if str(f.value).lower() == token.lower]
        if right and not s.negated(i):
            found.support(token.start, token.end, [f.id for f in right])
        elif not s.negated(i):
            said = ", ".join(dict.fromkeys(str(f.value) for f in mine)) or "not computed"
            found.object_to(FindingKind.LABEL, token, f"the computed label is {said}")
