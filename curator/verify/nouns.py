"""What a numeral counts or is a value of: the words and config keys right beside it. Never looks at a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify import lexicon
from curator.verify.tokens import TokenKind

if TYPE_CHECKING:
    from curator.verify.sentences import Sentence


_CONFIG_LINKS = frozenset(
    {"=", ":", "of", "is", "was", "to", "at", "(", "-", "~", "\u2248", "from", "->", "\u2192", '"', ">"}
    | {"set", "raised", "lowered", "increased", "reduced", "changed", "kept", "fixed", "held"}
)
_RUN_TO_CONFIG = lexicon.word_set(
    """
    ( , = : with used using at ran runs has had 's a the of is was set to uses an and
    """
)


def noun_after(s: Sentence, i: int) -> str:
    """The word that says what is counted; empty when there is none, or when it is a metric or a config key."""
    j = i + 2 if s.word(i + 1) == "-" else i + 1
    steps = 0
    while s.word(j).endswith(("ed", "ful", "al", "ing")) and s.kind(j) is TokenKind.WORD and steps < 2:
        if s.word(j) in lexicon.FOLLOWERS:
            return ""
        j, steps = j + 1, steps + 1
    word = s.word(j)
    plain = s.kind(j) is TokenKind.WORD and word not in lexicon.FOLLOWERS and word not in lexicon.SENSES
    return word if plain and (steps == 0 or word in lexicon.COUNT_NOUNS) else ""


def noun_before(s: Sentence, i: int) -> str:
    """The word right before the numeral when it is a thing, as in ``rank 3``."""
    j = i - 1
    while s.word(j) in {"=", ":", "#", "-", '"'}:
        j -= 1
    word = s.word(j)
    known = word in lexicon.LINKS or word in lexicon.SENSES or word in lexicon.DIFFERENCE_NOUNS
    verbal = word.endswith(("ly", "ing", "ed")) or word in lexicon.SUPERLATIVES or word in lexicon.ARTICLES
    field = j == 0 and s.word(1) == ":"
    plain = s.kind(j) is TokenKind.WORD and not (known or verbal or field)
    return word if plain and word not in lexicon.APPROXIMATE | lexicon.HEDGES | lexicon.NEGATIONS else ""


def config_of(s: Sentence, i: int) -> tuple[frozenset[str], bool] | None:
    """The config keys the numeral is a value of, and whether they stand right beside it."""
    after = i + 2 if s.word(i + 1) == "-" else i + 1
    if s.kind(after) is TokenKind.CONFIG:
        return s.tokens[after].names, True
    if (keys := _key_of_list(s, i)) is not None:
        return keys, False
    direct = True
    for j in range(i - 1, max(-1, i - 14), -1):
        if s.kind(j) is TokenKind.CONFIG:
            counted = s.kind(j - 1) is TokenKind.NUMBER or s.word(j - 1) in {
                *lexicon.ADJECTIVES,
                *lexicon.SUPERLATIVES,
            }
            aside = s.word(j - 1) in {"with", "without", "for", "in", "at", "per"} and s.word(j + 1) in {"is", "was"}
            direct = direct and s.word(j + 1) not in {"(", ":"} and not aside
            return None if counted else (s.tokens[j].names, direct)
        listed = s.kind(j) is TokenKind.NUMBER or s.word(j) in {",", "and", "or", "between", "vs", "/", "vs."}
        if listed:
            direct = False
        elif s.word(j) not in _CONFIG_LINKS | lexicon.ARTICLES | lexicon.APPROXIMATE:
            return None
    return None


def _key_of_list(s: Sentence, i: int) -> frozenset[str] | None:
    """The key behind a list of its values: ``from four to eight workers``, ``1, 2 and 4 workers``."""
    j = i + 1
    while s.word(j) in {",", "and", "or", "to", "/"} or s.kind(j) is TokenKind.NUMBER:
        j += 1
    return (
        s.tokens[j].names if j > i + 1 and s.kind(j) is TokenKind.CONFIG and s.kind(j - 1) is TokenKind.NUMBER else None
    )


def config_runs(s: Sentence, i: int) -> frozenset[str] | None:
    """The run a config value is said of: ``LR-003 (lr=0.01)``."""
    if s.context.cell and s.context.topics:
        return s.context.topics
    for j in range(i - 1, max(-1, i - 12), -1):
        if s.kind(j) is TokenKind.RUN:
            return s.tokens[j].runs if len(s.tokens[j].runs) == 1 and s.word(j + 1) != "," else None
        value = s.kind(j) in {TokenKind.NUMBER, TokenKind.CONFIG}
        if not value and s.word(j) not in _RUN_TO_CONFIG:
            return None
    return None
