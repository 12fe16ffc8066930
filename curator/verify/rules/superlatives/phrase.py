"""One superlative as it is written: its rank, its idioms, and the numerals that belong to it. Reads word order only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.verify.reading.senses import graded
from curator.verify.reading.tokens import TokenKind
from curator.verify.text import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.verify.reading.sentences import Sentence
    from curator.verify.text.numerals import Numeral
    from curator.verify.text.words import Sense

FILLERS = words.ARTICLES | words.word_set(
    "training validation eval observed measured single individual finished completed"
)
"""What may stand between a superlative and its noun."""
_TO_VALUE = FILLERS | words.word_set("of is was now ( , = at with")
_NOT_AFTER = words.word_set(
    "at do does did its their try tried our very previous former prior old my among of most least"
)
_NOT_BEFORE = words.word_set(
    """
    practice practices effort efforts guess checkpoint case known likely recent way part thing of-breed fit match
    explanation available next idea importantly
    """
)
_MOVING = words.PRICES | words.CAUSES.keys() | words.MOVES.keys()
_KNOWN_CHOICES = words.word_set("finished completed successful succeeded other remaining launched surviving finite")
_WHOLE = words.word_set("the all our")
_EXCLUDING = words.word_set("other remaining rest others non-baseline")


@dataclass(frozen=True, slots=True)
class Superlative:
    """One superlative in its sentence."""

    s: Sentence
    i: int
    sense: Sense
    rank: int
    """1 for the best, 2 for the second-best."""

    @property
    def negated(self) -> bool:
        return self.s.negated(self.i)

    @property
    def of_others(self) -> bool:
        """Whether the sentence speaks of others than the baseline: ``the best of the rest``."""
        return bool(self.s.words & _EXCLUDING)

    @property
    def stated(self) -> Numeral | None:
        """The numeral that is called so: ``the lowest loss (2.31)``, ``2.31, the lowest``, ``2.31 is the lowest``."""
        s, i = self.s, self.i
        j = i + 1
        while s.kind(j) in {TokenKind.METRIC, TokenKind.CONFIG} or s.word(j) in _TO_VALUE:
            j += 1
        if s.kind(j) is TokenKind.NUMBER and s.word(j - 1) != "the":
            return s.numeral(j)
        subject = i - 4 if s.word(i - 3) == ")" else i - 3
        told = s.word(i - 1) == "the" and s.word(i - 2) in {",", "is", "was"}
        return s.numeral(subject) if told and s.kind(subject) is TokenKind.NUMBER else None

    @property
    def counted(self) -> int:
        """The number of ``the best of the three``; 0 where none stands there."""
        s = self.s
        of = next((j for j in range(self.i + 1, self.i + 6) if s.word(j) in {"of", "among"}), None)
        k = s.skip(of + 1, words.ARTICLES) if of is not None else len(s.tokens)
        numeral = s.numeral(k)
        return int(numeral.value) if numeral is not None and numeral.whole and not s.runs(k) else 0


def superlatives(s: Sentence) -> Iterator[Superlative]:
    """The superlatives of a sentence that claim something."""
    for i, token in enumerate(s.tokens):
        word = token.kind is TokenKind.WORD and token.lower in words.SUPERLATIVES
        sense = (graded(s, i) or words.SUPERLATIVES[token.lower]) if word else None
        if sense is not None and not _is_idiom(s, i) and not s.hedged(i):
            before = s.word(i - 2) if s.word(i - 1) == "-" else s.word(i - 1)
            yield Superlative(s, i, sense, words.RANKS.get(before, 1))


def _is_idiom(s: Sentence, i: int) -> bool:
    """``at best``, ``one of the best``, ``most of the runs``: no claim about one run."""
    moved = s.word(i - 2) in _MOVING and s.word(i - 1) == "the"  # "lost the least"
    ours = s.word(i - 1) == "our" and (s.keys(i + 1) or s.names(i + 1) or s.word(i + 1) in words.RUN_NOUNS)
    if moved or (s.word(i - 1) in _NOT_AFTER and not ours) or s.word(i + 1) in _NOT_BEFORE or _is_partial(s):
        return True
    some = s.word(i - 1) == "the" and s.word(i - 2) in {"among", "of"} and s.word(i - 3) in {"one", "some"}
    counts = s.word(i) in {"most", "least"} and s.kind(i + 1) is not TokenKind.METRIC and not graded(s, i)
    return some or counts


def _is_partial(s: Sentence) -> bool:
    """``among the smoothed runs``: a choice of runs that the words alone do not tell."""
    for j in range(len(s.tokens) - 1):
        if s.word(j) in {"among", "of"} and s.word(j + 1) in {"those", "these"} and s.is_word(j + 2):
            return not (s.word(j + 2) in {"that", "which"} and s.word(j + 3) in words.ENDED_WELL)
        if s.word(j) in {"among", "of"} and s.word(j + 1) in _WHOLE:
            k = s.skip(j + 1, _WHOLE)
            while s.kind(k) is TokenKind.NUMBER or s.word(k) in _KNOWN_CHOICES:
                k += 1
            chosen = s.is_word(k) and s.word(k) not in words.RUN_NOUNS and not s.runs(k)
            if chosen and s.word(k + 1) in words.RUN_NOUNS:
                return True
    return False
