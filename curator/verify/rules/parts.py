"""The parts of a hypothesis: ``lowers the loss at no cost in memory`` promises two things."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.verify.reading.tokens import TokenKind
from curator.verify.text import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.verify.reading.sentences import Sentence

_SAME = words.word_set("same equal no identical comparable")
_BREAKS = words.word_set("and but while without , ; whereas")
HOW = ""
"""How a run ended, among the names of metrics."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a hypothesis."""

    names: frozenset[str]
    """The metrics that it is about; ``HOW`` for one about how a run ends."""
    truth: bool | None
    """Whether it is so of its run; None where the facts do not decide it."""


def split_up(s: Sentence) -> Iterator[tuple[int, int]]:
    """Where each part begins and ends."""
    low = 0
    for j in range(len(s.tokens)):
        at_same = s.word(j) == "at" and _SAME & {s.word(j + 1), s.word(j + 2)}
        goes_on = s.word(j) == "," and s.word(j + 1) in {"by", "to", "at"}  # "falls, by 0.1 at most"
        if j > low and (s.word(j) in _BREAKS or at_same or _is_price(s, low, j)) and not goes_on:
            yield low, j
            low = j
    yield low, len(s.tokens)


def _is_price(s: Sentence, low: int, j: int) -> bool:
    """``keeps 85 % recall in a tenth of the memory``: with what stands behind "in" at ``j`` another amount begins."""
    if s.word(j) == "at" and s.word(j + 1) in {"least", "most"}:
        return False
    k = s.skip(j + 1, words.APPROXIMATE | {"only", "less", "more", "than", "at", "most", "least"})
    numeral = s.numeral(k)
    told = any(not s.runs(n) and not s.word(n).endswith("ing") for n in s.of_kind(TokenKind.NUMBER, (low, j)))
    return s.word(j) in {"in", "with", "for", "at"} and told and numeral is not None and numeral.relative
