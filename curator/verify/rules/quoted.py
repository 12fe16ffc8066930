"""Numerals that stand inside a fact's text: ``step 412`` of a log line, the threshold of a hypothesis.

A sentence may repeat them when it says the same thing of them, which the word or the unit beside them tells.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.reading.sentences import Sentence
from curator.verify.reading.tokens import TokenKind
from curator.verify.text import words
from curator.verify.text.inflection import forms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.verify.known.world import World
    from curator.verify.reading.ties import Ties
    from curator.verify.reading.tokens import Lexer
    from curator.verify.text.numerals import Numeral, Reading

_KINDS = frozenset({FactKind.QUOTE, FactKind.TEXT, FactKind.STATUS, FactKind.DEVICE, FactKind.NAME, FactKind.LABEL})
_SAID = frozenset({FactKind.QUOTE, FactKind.STATUS})
_JOINED = re.compile(r"(?<=[a-z])[._/](?=\d)|(?<=\d)[._](?=[a-z])")
"""Inside ``layers.17.mlp`` and ``step_750`` stand numbers, too."""
_EMPTY = frozenset(
    {"of", "the", "a", "on", "in", "at", "to", ":", "=", "(", ")", ",", ".", "/", "", "and", "by", "is", "wa"}
)
_FAR = 0.25
"""By what share a numeral may be rounded at most: "0.01" is no "6e-3"."""
_PARTING = words.word_set("and or but by while when than with after before because as whereas although")
"""Behind which something else is spoken of."""
_ROLES = {
    **dict.fromkeys(forms("allocate ask request want need require try"), "wanted"),
    **dict.fromkeys(words.word_set("free left available unused spare remaining remained"), "free"),
    **dict.fromkeys(words.word_set("total capacity size"), "all"),
}
"""Words by which a text may say what the message of an allocation that failed says in others."""


@dataclass(frozen=True, slots=True)
class _Stated:
    numeral: Numeral
    fact_id: str
    kind: FactKind
    run: str
    before: str
    after: str
    own: frozenset[str]
    """What its text says of it."""
    others: frozenset[str]
    """What its text says of the other numerals in its unit."""


class QuotedNumbers:
    """The numerals inside the text of the facts."""

    def __init__(self, world: World, lexer: Lexer) -> None:
        self._stated = list(_stated(world, lexer))

    def match(
        self, s: Sentence, i: int, runs: Ties | None, *, loose: bool = False, measured: bool = False
    ) -> tuple[str, ...]:
        """IDs of the facts whose text states the numeral at ``i``.

        Args:
            s: where it stands.
            i: its position.
            runs: whose facts may state it; None for any.
            loose: the value alone is enough, as for a threshold in a hypothesis.
            measured: it is said to be the value of a metric, which a text may not only mention.
        """
        numeral = s.tokens[i].numeral
        if numeral is None:
            return ()
        before, after = neighbours(s, i)
        said = _said_of(s, i)
        plain = not (numeral.whole and numeral.value < 10)
        return tuple(
            stated.fact_id
            for stated in self._stated
            if _equal(numeral, stated.numeral)
            and (runs is None or not stated.run or runs.cost(frozenset({stated.run})) <= 2.0)
            and (
                (loose and stated.kind is FactKind.TEXT)
                or (not measured and before not in _EMPTY and before == stated.before)
                or (after not in _EMPTY and after == stated.after)
                or (plain and not measured and stated.kind in _SAID and not _is_swapped(said, stated))
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


def _said_of(s: Sentence, i: int) -> frozenset[str]:
    """The words that are nearer to a numeral than to any other: ``free`` of 6.40 in ``6.40 GiB of 79.11 GiB free``."""
    if s.word(i - 1) == "of" and TokenKind.NUMBER in {s.kind(i - 2), s.kind(i - 3)}:
        return frozenset()  # the whole
    found = set[str]()
    for step in (-1, 1):
        said, j = list[str](), i + step
        while s.is_word(j) and s.word(j) not in _PARTING:
            whole = step > 0 and s.word(j) == "of" and s.kind(j + 1) is TokenKind.NUMBER
            said.append(_role(s.word(j)))
            j += 2 if whole else step
        found.update(said[: len(said) // 2] if s.kind(j) is TokenKind.NUMBER else said)
    return frozenset(found - _EMPTY)


def _role(word: str) -> str:
    return _ROLES.get(word, _singular(word))


def _is_swapped(said: frozenset[str], stated: _Stated) -> bool:
    """Whether a sentence says of a numeral what the quoted text says of another one beside it, and not what of it."""
    return bool(said & stated.others) and not said & stated.own


def _singular(word: str) -> str:
    return word.removesuffix("s") if len(word) > 3 else word


def _stated(world: World, lexer: Lexer) -> Iterator[_Stated]:
    for fact, text in world.strings:
        if fact.kind in _KINDS:
            sentence = Sentence(tuple(lexer.plain(_JOINED.sub(" ", text))))
            about = {i: _said_of(sentence, i) for i in sentence.of_kind(TokenKind.NUMBER)}
            for i, own in about.items():
                numeral = sentence.tokens[i].numeral
                if numeral and numeral.unit is None and sentence.word(i + 1) in {"more", "further", "additional"}:
                    joined = lexer.plain(f"{sentence.tokens[i].text} {sentence.word(i + 2)}")
                    numeral = joined[0].numeral if joined else numeral  # "two more points"
                if numeral:
                    alike = [j for j in about if j != i and _is_alike(numeral, sentence.numeral(j))]
                    others = frozenset(word for j in alike for word in about[j]) - own
                    beside = neighbours(sentence, i)
                    yield _Stated(numeral, fact.id, fact.kind, fact.subject, *beside, own, others)


def _is_alike(a: Numeral, b: Numeral | None) -> bool:
    """Whether two numerals are in units of one dimension, so that one may be taken for the other."""
    return bool(a.unit and b and b.unit and a.unit.dimension == b.unit.dimension and a.value != b.value)


def _equal(a: Numeral, b: Numeral) -> bool:
    """Whether two numerals are one value, each at its own digits; a unit that one leaves out is the other's."""
    return any(_states(x, y) for x in a.readings for y in b.readings)


def _states(x: Reading, y: Reading) -> bool:
    """Whether ``x`` is ``y``, or ``y`` rounded to the digits of ``x``."""
    if x.unit is not None and (y.unit is None or x.unit.dimension != y.unit.dimension):
        return False  # "57 %" is not the 57 of "line 57"
    mine, theirs = _scale(x, y), _scale(y, x)
    rounded = x.quantum * mine > y.quantum * theirs
    nearly = min(x.quantum * mine / 2, _FAR * abs(y.value * theirs)) if rounded else abs(y.value) * 1e-9
    return abs(x.value * mine - y.value * theirs) <= nearly


def _scale(x: Reading, other: Reading) -> float:
    return x.unit.scale if x.unit is not None and other.unit is not None else 1.0
