"""Which way a change went, and whether a word says so: up of any metric, better of one that knows which way that is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from curator.facts import Fact, FactKind
from curator.verify import lexicon
from curator.verify.lexicon import Sense
from curator.verify.matching import numeric_value
from curator.verify.tokens import TokenKind

if TYPE_CHECKING:
    from curator.verify.index import FactIndex
    from curator.verify.sentences import Sentence


def sense_at(sentence: Sentence, j: int) -> Sense | None:
    """The direction that the word at ``j`` states, if it states one."""
    token = sentence.tokens[j]
    if token.kind is TokenKind.NUMBER and token.lower in {"doubled", "doubles", "tripled"}:
        return Sense.UP
    if token.kind is not TokenKind.WORD:
        return None
    if token.lower in {"up", "down"}:
        verb = sentence.word(j - 1) in {"is", "was", "are", "were", "went", "goes", "came", "comes", "brought", "gone"}
        phrase = sentence.word(j - 1) in {
            "ends",
            "ended",
            "ending",
            "end",
            "adds",
            "made",
            "makes",
            "set",
            "picks",
            "takes",
        }
        amount = not phrase and (sentence.kind(j + 1) is TokenKind.NUMBER or sentence.word(j + 1) == "by")
        stated = amount or (verb and sentence.word(j + 1) in {"to", "from"})
        return lexicon.PLACES[token.lower] if stated else None
    beside = sentence.kind(j - 1) is TokenKind.NUMBER
    if token.lower in {"above", "below", "ahead", "behind", "under"} and beside:
        return lexicon.PLACES[token.lower]
    return lexicon.SENSES.get(token.lower)


def agrees(fact: Fact, sense: Sense, index: FactIndex) -> bool | None:
    """Whether a change went the way a word says; None when the facts do not decide it."""
    value = numeric_value(fact)
    if value is None:
        return None
    moved = value - 1 if fact.kind is FactKind.RATIO else value
    return moves(math.copysign(1, moved) if moved else 0, sense, fact.name, index)


def moves(sign: float, sense: Sense, name: str, index: FactIndex) -> bool | None:
    """Whether a change of this sign in a metric is what a word says; None when nobody said which way is better.

    Args:
        sign: of the change; 0 for none.
        sense: what the word says.
        name: of the metric.
        index: tells which way the metric is better, and whether it is a speed.
    """
    if sense is Sense.SAME:
        return sign == 0
    if sense in {Sense.UP, Sense.DOWN}:
        return sign > 0 if sense is Sense.UP else sign < 0
    if sense in {Sense.FASTER, Sense.SLOWER}:
        speed = index.speed(name)
        if speed is None:
            return None
        faster = sign > 0 if speed is Sense.UP else sign < 0
        return bool(sign) and faster == (sense is Sense.FASTER)
    better = index.better(name)
    if better is None:
        return None
    improved = sign > 0 if better.value == "higher" else sign < 0
    return bool(sign) and improved == (sense is Sense.BETTER)
