"""Axes: a setting that a sentence moves instead of naming runs: ``larger batches``, ``as the window shrinks``.

What is said of a move is said of every two runs that the setting tells apart. Never looks at a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.verify.reading.tokens import TokenKind
from curator.verify.text import words
from curator.verify.text.words import Sense

if TYPE_CHECKING:
    from curator.verify.reading.sentences import Sentence

_TO_KEY = words.ARTICLES | words.word_set("number of size count amount length depth")
_FROM_KEY = words.word_set("size sizes count is are was were being gets get got has have been size length")
_SET = words.word_set("= : of to at from is was")
_AFTER_MOVE = words.ENDINGS | words.ARROWS | words.word_set("by to from and beyond past further")
_STEADILY = words.word_set(
    "steadily monotonically roughly linearly slightly slowly quickly clearly consistently up down"
)
_SIDEWAYS = words.word_set("unchanged fixed constant same")


@dataclass(frozen=True, slots=True)
class Axis:
    """A setting and the way it is moved."""

    key: str
    sense: Sense
    first: int
    last: int


def axes(s: Sentence, varying: frozenset[str]) -> list[Axis]:
    """The settings that a sentence moves, in order."""
    found = []
    for j, token in enumerate(s.tokens):
        keys = sorted(token.keys & varying)
        if keys and not token.runs and (moved := _move(s, j)):
            found.append(Axis(keys[0], moved[0], min(j, moved[1]), max(j, moved[1])))
    return found


def _move(s: Sentence, j: int) -> tuple[Sense, int] | None:
    """Which way the setting at ``j`` goes, and where the word stands that says so."""
    after, measured = s.skip(j + 1, _FROM_KEY), bool(s.names(j))
    if s.word(after) in words.RESIZED and not measured and s.word(after + 1) in _AFTER_MOVE:
        return words.RESIZED[s.word(after)], after
    valued = s.kind(s.skip(j + 1, _SET)) is TokenKind.NUMBER
    before = s.skip(j - 1, _TO_KEY, -1)
    for k in (before, s.skip(before - 1, _TO_KEY, -1)):  # "a larger query tile"
        sure = not measured or s.word(k) in words.ADJECTIVES or s.word(k).endswith("ing")
        if not valued and sure and s.word(k) in words.RESIZED:
            return words.RESIZED[s.word(k)], k
        if not s.is_word(k) or s.word(k) in words.LINKS:
            break
    if s.word(before) != "with" or valued or measured or s.word(after) in _SIDEWAYS:
        return None
    moving = s.word(s.skip(before - 1, _STEADILY, -1)) in words.SENSES  # "falls with the batch size over all runs"
    return (Sense.UP, before) if s.word(after) in words.ENDINGS | {"("} or moving else None
