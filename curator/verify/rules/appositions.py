"""Judges what a run is called beside its ID: ``LR-003 (larger rate)``, ``lower rate (LR-002)``, ``baseline LR-001``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind
from curator.verify.text import words

if TYPE_CHECKING:
    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector


class Appositions:
    """The rule for two names of one run."""

    def __init__(self, world: World) -> None:
        self._world = world

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:  # noqa: ARG002 - as every rule
        for i in s.of_kind(TokenKind.RUN):
            if s.tokens[i].described or len(s.runs(i)) != 1 or not self._is_id(s, i):
                continue
            for j in _beside(s, i):
                called = s.runs(j)
                doubted = {s.tokens[i].start, s.tokens[j].start} & {issue.start for issue in found.issues}
                if called and not called & s.runs(i) and not doubted:
                    why = f"{s.tokens[j].text} is {', '.join(sorted(called)[:3])}"
                    found.object_to(FindingKind.ATTRIBUTION, s.tokens[i], why)

    def _is_id(self, s: Sentence, i: int) -> bool:
        return any(run.lower() == s.word(i) for run in self._world.runs)


def _beside(s: Sentence, i: int) -> list[int]:
    """Where the run's other name stands: alone in parentheses behind it, or before it with its ID in parentheses."""
    inside = s.skip(i + 2, words.ARTICLES)
    if s.word(i + 1) == "(" and s.runs(inside) and s.tokens[inside].described:
        behind = next((j for j in range(inside + 1, inside + 4) if not s.is_word(j)), inside)
        return [inside] if s.word(behind) in {")", ","} else []
    if s.word(i - 1) == "(" and s.word(i + 1) == ")" and i > 1:
        return [i - 2]
    return [i - 1] if s.kind(i - 1) is TokenKind.RUN and i else []
