"""Numerals that stand inside a fact's text: ``step 412`` of a log line, the threshold of a hypothesis.

A sentence may repeat them when it says the same thing of them, which the word beside them tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.sentences import Sentence
from curator.verify.tokens import TokenKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.verify.index import FactIndex
    from curator.verify.numerals import Numeral
    from curator.verify.tokens import Lexer

_KINDS = frozenset({FactKind.QUOTE, FactKind.TEXT, FactKind.STATUS, FactKind.DEVICE, FactKind.NAME, FactKind.LABEL})
_EMPTY = frozenset({"of", "the", "a", "on", "in", "at", "to", ":", "=", "(", ")", ",", ".", "/", "", "and", "by"})


@dataclass(frozen=True, slots=True)
class _Stated:
    numeral: Numeral
    fact_id: str
    kind: FactKind
    run: str
    before: str
    after: str


class QuotedNumbers:
    """The numerals inside the text of the facts."""

    def __init__(self, index: FactIndex, lexer: Lexer) -> None:
        self._stated = list(_stated(index, lexer))

    def match(
        self, sentence: Sentence, i: int, *, runs: frozenset[str] | None = None, loose: bool = False
    ) -> tuple[str, ...]:
        """IDs of the facts whose text states the numeral at ``i``.

        Args:
            sentence: where it stands.
            i: its position.
            runs: whose facts may state it; None for any.
            loose: the value alone is enough, as for a threshold in a hypothesis.
        """
        numeral = sentence.tokens[i].numeral
        if numeral is None:
            return ()
        before, after = neighbours(sentence, i)
        return tuple(
            stated.fact_id
            for stated in self._stated
            if _equal(numeral, stated.numeral)
            and (runs is None or not stated.run or stated.run in runs)
            and (
                (loose and stated.kind is FactKind.TEXT)
                or (before not in _EMPTY and before == stated.before)
                or (after not in _EMPTY and after == stated.after)
                or (numeral.unit is not None and stated.kind in {FactKind.QUOTE, FactKind.STATUS})
            )
        )


def neighbours(sentence: Sentence, i: int) -> tuple[str, str]:
    """The words beside a numeral, singular, marks and links passed over."""
    before, after = i - 1, i + 1
    while sentence.word(before) in {"=", ":", "-", "of", "is", "was", "the", "(", "#"}:
        before -= 1
    while sentence.word(after) in {"-", "x", "\u00d7", "/"}:
        after += 1
    return _singular(sentence.word(before)), _singular(sentence.word(after))


def _singular(word: str) -> str:
    return word.removesuffix("s") if len(word) > 3 else word


def _stated(index: FactIndex, lexer: Lexer) -> Iterator[_Stated]:
    for fact, text in index.strings:
        if fact.kind in _KINDS:
            sentence = Sentence(tuple(lexer.plain(text)))
            for i in sentence.of_kind(TokenKind.NUMBER):
                numeral = sentence.tokens[i].numeral
                if numeral:
                    yield _Stated(numeral, fact.id, fact.kind, fact.subject, *neighbours(sentence, i))


def _equal(a: Numeral, b: Numeral) -> bool:
    """Whether two numerals are one value; a unit that one of them leaves out is taken as the other's."""
    if (a.unit is None or b.unit is None) and a.value == b.value:
        return True
    return any(
        x.value * (x.unit.scale if x.unit else 1) == y.value * (y.unit.scale if y.unit else 1)
        and (x.unit.dimension if x.unit else "") == (y.unit.dimension if y.unit else "")
        for x in a.readings
        for y in b.readings
    )
