"""Judges confidence labels in a text: exploratory, replicated, stable, each against the one that was computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.report import FindingKind
from curator.verify.text import words

if TYPE_CHECKING:
    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector


class Labels:
    """The rule for confidence labels."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._labels = [f for f in world.facts if f.kind is FactKind.LABEL and str(f.value).lower() in words.CONFIDENCE]

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:
        for i, token in enumerate(s.tokens):
            if token.lower in words.CONFIDENCE and self._is_label(s, i) and not s.negated(i) and not s.hedged(i):
                self._judge(reader, s, i, found)

    @staticmethod
    def _is_label(s: Sentence, i: int) -> bool:
        if s.context.field.startswith("confidence"):
            return True
        return any(s.word(j) in {"confidence", "label"} for j in range(max(0, i - 4), min(len(s.tokens), i + 3)))

    def _judge(self, reader: Reader, s: Sentence, i: int, found: Collector) -> None:
        token = s.tokens[i]
        runs = reader.named
        mine = [f for f in self._labels if not runs or f.subject in {*runs, ""}] or self._labels
        right = [f for f in mine if str(f.value).lower() == token.lower]
        if right:
            found.support(token.start, token.end, [f.id for f in right])
        else:
            said = ", ".join(dict.fromkeys(str(f.value) for f in mine)) or "not computed"
            found.object_to(FindingKind.LABEL, token, f"the computed label is {said}")
