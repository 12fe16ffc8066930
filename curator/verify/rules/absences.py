"""Judges what is said to be missing: a run without a metric, although the record has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind
from curator.verify.text import words
from curator.verify.text.inflection import forms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector

_HAVING = forms("produce report record log yield deliver return measure compute give get reach") | words.word_set(
    "have has had write wrote written"
)
_RECORDED = words.word_set(
    "recorded logged measured reported written computed produced stored kept known available saved found given"
)
_MISSING = words.word_set("missing absent unavailable unknown unrecorded unreported")
_LACKING = forms("lack")
_DENYING = words.word_set("not never didn't doesn't hasn't haven't don't wasn't weren't isn't")
_NONE = words.word_set("no any a an the its single final last")
_BEHIND = (
    words.ENDINGS
    | words.BE
    | words.word_set(
        "for at because since as and or either value values recorded on to whatsoever , which so while but in from of"
    )
)
_PLAIN = words.word_set("loss losses error errors gain gains cost costs memory time failure failures")
"""Metrics whose names are also plain nouns: ``no loss in throughput``."""


class Absences:
    """The rule for metrics that a run is said not to have."""

    def __init__(self, world: World) -> None:
        self._world = world

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:
        for i in s.of_kind(TokenKind.METRIC):
            if s.names(i) and _is_missing(s, i) and not s.hedged(i):
                self._judge(reader, s, i, found)

    def _judge(self, reader: Reader, s: Sentence, i: int, found: Collector) -> None:
        ties = [tie for tie in reader.subjects(i).all if tie.cost <= 1.0]
        present = [self._present(tie.meant, s.names(i)) for tie in ties]
        if present and all(present):
            run = min(ties[0].meant)
            found.object_to(FindingKind.STATUS, s.tokens[i], f"the record of {run} has it")

    def _present(self, runs: frozenset[str], names: frozenset[str]) -> bool:
        """Whether each of the runs has all that may be meant."""
        return bool(runs) and all(
            (run, name) in self._world.values and not self._world.is_not_finite(run, name)
            for run in runs
            for name in names
        )


def _is_missing(s: Sentence, i: int) -> bool:
    """Whether the metric at ``i`` is said not to be there."""
    return any(_readings(s, i))


def _readings(s: Sentence, i: int) -> Iterator[bool]:
    before = s.skip(i - 1, _NONE, -1)
    said = {s.word(j) for j in range(before + 1, i)}
    plain = s.word(i) in _PLAIN and not said & {"final", "last"}
    if plain or s.word(i + 1) not in _BEHIND or any(s.names(j) for j in (i + 2, i + 3)):
        return
    if s.word(i + 1) != "of":
        having = s.word(before) in _HAVING
        yield "no" in said and (having or s.word(before) in words.BE)  # "has no loss", "there is no loss"
        yield s.word(before) in {"without", *_LACKING}  # "ended without a loss"
        yield having and _is_denied(s, before)  # "never reported a loss"
    verb = next((j for j in range(i + 1, i + 6) if s.word(j) in words.BE), None)
    if verb is None:
        return
    told = s.skip(verb + 1, words.word_set("ever also still not never"))
    denied = "no" in said or _is_denied(s, told)
    yield s.word(told) in _MISSING or (denied and s.word(told) in _RECORDED)  # "no loss was recorded"


def _is_denied(s: Sentence, verb: int) -> bool:
    return bool(_DENYING & {s.word(verb - 1), s.word(verb - 2)})
