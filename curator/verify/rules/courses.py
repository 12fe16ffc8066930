"""Judges what is said of the course of one run: ``was still falling``, ``kept rising``, against where it began."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify.known.wording import of_quantities
from curator.verify.report import FindingKind
from curator.verify.text import words
from curator.verify.text.inflection import forms
from curator.verify.text.words import SIZES

if TYPE_CHECKING:
    from curator.verify.known.quantities import Quantity
    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector

_STILL = words.word_set("still steadily slowly constantly")
_GOING_ON = forms("keep")
_CONTINUED = forms("continue go")


class Courses:
    """The rule for how a run's own values went."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._first = {
            (run, q.name): q for q in world.quantities if q.extreme and "/first/" in q.ids[0] for run in q.runs
        }

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:
        for i, token in enumerate(s.tokens):
            sense = words.MOVES.get(token.lower) or words.CAUSES.get(token.lower)
            if sense not in SIZES or not _is_course(s, i) or s.hedged(i) or s.negated(i):
                continue
            ends = list(self._ends(reader, i))
            if not ends:
                continue
            found.judged.add(token.start)
            right = [pair for pair in ends if (pair[1].value > pair[0].value) == (sense is words.Sense.UP)]
            if right:
                found.support(token.start, token.end, [*right[0][0].ids, *right[0][1].ids])
            else:
                found.object_to(FindingKind.DIRECTION, token, of_quantities(ends[0], self._world))

    def _ends(self, reader: Reader, i: int) -> list[tuple[Quantity, Quantity]]:
        """Where the metric of the runs that it is said of began, and where it ended."""
        names, runs = reader.metrics.of(i, ahead=False).surest, reader.subjects(i).surest
        both = [(self._first.get((run, name)), self._world.values.get((run, name))) for run in runs for name in names]
        return [(a, b) for a, b in both if a is not None and b is not None and a.value != b.value]


def _is_course(s: Sentence, i: int) -> bool:
    """``was still falling``, ``kept falling``, ``continued to fall``."""
    before = s.word(i - 1)
    if s.word(i).endswith("ing"):
        return before in _GOING_ON or (before in _STILL and s.word(i - 2) in words.BE)
    return before == "to" and s.word(i - 2) in _CONTINUED
