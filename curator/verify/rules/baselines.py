"""Judges who is said to be the baseline: ``The baseline is LR-001``, ``LR-001 serves as our baseline``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify.reading.mentions import PREPOSITIONS
from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind
from curator.verify.text import words
from curator.verify.text.inflection import forms

if TYPE_CHECKING:
    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector

_PART = forms("serve act function use take choose treat keep")
"""Before "as": ``LR-001 serves as the baseline``, ``we used LR-001 as the baseline``."""
_BEING = words.BE | forms("remain stay")
_STILL = words.word_set("still again always here throughout indeed")
_LATER = words.word_set("now henceforth next future onwards onward")
_OPENING = words.ENDINGS | words.word_set("and as so while that because since where but")
_AGAINST = PREPOSITIONS | words.word_set("compared relative against over unlike")


class Baselines:
    """The rule for the run that is said to be the baseline."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ids = frozenset(run.lower() for run in world.runs)

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:  # noqa: ARG002 - as every rule
        for i in s.of_kind(TokenKind.RUN):
            if s.runs(i) != self._world.baseline or self._is_id(s, i) or s.hedged(i) or s.words & _LATER:
                continue
            run = self._called(s, i)
            if run is None or any(issue.start == s.tokens[run].start for issue in found.issues):
                continue
            if (s.runs(run) <= self._world.baseline) is s.negated(max(run, i)):
                why = f"the baseline is {', '.join(sorted(self._world.baseline))}"
                found.object_to(FindingKind.ATTRIBUTION, s.tokens[run], why)

    def _called(self, s: Sentence, i: int) -> int | None:
        """Where the run stands that is said to be the baseline of ``i``; None where no run is."""
        behind = s.skip(i + 1, words.BE | _STILL | _PART | {"we", "i"})
        opens = s.word(s.skip(i - 1, words.ARTICLES, -1)) in _OPENING
        if opens and behind > i + 1 and self._is_alone(s, behind):
            return behind  # "The baseline is LR-001", "As the baseline we took LR-001"
        if s.word(i + 1) == "," and self._is_id(s, i + 2) and s.word(i + 3) in words.ENDINGS:
            return i + 2 if self._is_apposed(s, i + 2) else None
        if s.word(s.skip(i + 1, _STILL)) not in words.ENDINGS:
            return None  # "is the baseline for the next sweep"
        before = s.skip(i - 1, words.ARTICLES | {"not", "never"}, -1)
        used = s.word(before) == "as" and self._is_id(s, before - 1) and any(s.word(j) in _PART for j in range(before))
        if used:
            return before - 1  # "we used LR-001 as the baseline"
        if s.word(before) == "as" and s.word(before - 1) in _PART:
            subject = s.skip(before - 2, words.BE, -1)
        elif s.word(before) in _BEING:
            subject = before - 1
        else:
            return None
        return subject if self._is_id(s, subject) else None

    @staticmethod
    def _is_apposed(s: Sentence, j: int) -> bool:
        """``our baseline, LR-001, ends``, and neither a list nor the subject behind what is compared with."""
        if s.word(j + 1) != ",":
            return True
        after = s.skip(j + 2, words.ARTICLES | {"and", "or"})
        return s.word(0) not in _AGAINST and after == j + 2 and not s.runs(after)

    def _is_alone(self, s: Sentence, j: int) -> bool:
        """Whether a run's ID stands at ``j`` and ends what is said."""
        return self._is_id(s, j) and s.word(j + 1) in words.ENDINGS | {"(", "at", "with"}

    def _is_id(self, s: Sentence, j: int) -> bool:
        return s.kind(j) is TokenKind.RUN and s.word(j) in self._ids
