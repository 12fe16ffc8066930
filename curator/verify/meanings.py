"""Whether what somebody else reads in doubted words is true: they say which facts are meant, and code compares.

The rules of this package guess who and what is meant where a text names neither. A reader who understands the text can
tell; they are believed only as far as the facts, and the names in the sentence itself, bear it out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.known.fits import Fit, fit
from curator.verify.known.quantities import changes
from curator.verify.reading.senses import amount_word, equality_at, sense_at
from curator.verify.reading.tokens import TokenKind
from curator.verify.text import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.verify.known.quantities import Quantity
    from curator.verify.known.world import World
    from curator.verify.reading.sentences import Sentence
    from curator.verify.text.words import Sense


_MARKS = frozenset(",;:.()")


class Relation(StrEnum):
    """What doubted words say of facts."""

    VALUE = "value"  # the number is the fact's
    CHANGE = "change"  # the number lies between two facts
    COMPARISON = "comparison"  # the word sets facts against others
    EXTREME = "extreme"  # the word puts a fact before all others


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What some words of a text state, by the IDs of facts."""

    relation: Relation
    of: tuple[str, ...]
    against: tuple[str, ...] = ()


def is_true(meaning: Meaning, world: World, s: Sentence, span: tuple[int, int]) -> bool:
    """Whether the facts bear the meaning out, and the sentence may be meant so.

    Args:
        meaning: what somebody reads in the words.
        world: the facts.
        s: the sentence that the words stand in.
        span: offsets of the words.
    """
    own, others = _quantities(meaning.of, world), _quantities(meaning.against, world)
    at = [i for i, token in enumerate(s.tokens) if span[0] <= token.start < span[1]]
    if not own or not at or s.negated(at[0]) or not _may_be_meant(meaning.relation, own, others, s, at[0]):
        return False
    match meaning.relation:
        case Relation.VALUE:
            return any(_states(s, i, own) for i in at)
        case Relation.CHANGE:
            pairs = [(a, b) for a in own for b in others if a.name == b.name]
            return any(_changes_so(s, i, a, b, world) for i in at for a, b in pairs)
        case Relation.COMPARISON:
            return any(_compares(s, i, own, others, world) for i in at)
        case Relation.EXTREME:
            return any(_leads(s, i, own, others, world) for i in at)


def _quantities(fact_ids: Sequence[str], world: World) -> list[Quantity]:
    """The numbers of facts; none where one has none, as the rest would be another meaning."""
    known = {quantity.ids[0]: quantity for quantity in world.quantities if len(quantity.ids) == 1}
    return [known[fact_id] for fact_id in fact_ids] if known.keys() >= set(fact_ids) else []


def _may_be_meant(relation: Relation, own: list[Quantity], others: list[Quantity], s: Sentence, i: int) -> bool:
    """Whether the text leaves it open: it means the runs named in the sentence, and a metric named beside the words.

    Only IDs, and names as the record writes them, bind: what a phrase stands for is what the reader is asked.
    """
    runs = frozenset(run for quantity in own for run in quantity.runs)
    if relation in {Relation.CHANGE, Relation.COMPARISON}:  # a value is set against nothing
        runs |= frozenset(run for quantity in others for run in quantity.runs)
    said = _named(s)
    if said and not (runs <= said or (len(said) == 1 and said <= runs)):
        return False
    measured = {quantity.name for quantity in (*own, *others) if quantity.kind is not FactKind.CONFIG}
    names = {name for j in _beside(s, i) for name in s.names(j) if s.word(j) == name.lower()}
    return not measured or not names or measured <= names


def _named(s: Sentence) -> frozenset[str]:
    """The runs that a sentence names by their IDs, or as the baseline."""
    named = [token for token in s.tokens if token.kind is TokenKind.RUN and not token.described]
    return frozenset(run for token in named for run in token.runs)


def _beside(s: Sentence, i: int) -> range:
    """The words around ``i`` up to the next marks."""
    marks = [j for j in range(len(s.tokens)) if s.word(j) in _MARKS]
    return range(max([-1, *(j for j in marks if j < i)]) + 1, min([len(s.tokens), *(j for j in marks if j > i)]))


def _states(s: Sentence, i: int, quantities: Sequence[Quantity]) -> bool:
    numeral = s.numeral(i)
    return numeral is not None and any(fit(numeral, quantity) is Fit.MATCH for quantity in quantities)


def _changes_so(s: Sentence, i: int, a: Quantity, b: Quantity, world: World) -> bool:
    """Whether the number is how far ``a`` is from ``b``, and it went the way that the sentence says."""
    at = amount_word(s, i)
    sense = sense_at(s, at) if at is not None else None
    up = world.upwards(sense, a.name) if sense is not None else None
    if up is not None and (a.value > b.value) != up:
        return False
    # "3.8x smaller" says how many times the larger one is of the smaller.
    inverse = [change for change in changes(b, a) if change.kind is FactKind.RATIO and up is not None]
    return _states(s, i, [*changes(a, b), *inverse])


def _compares(s: Sentence, i: int, own: list[Quantity], others: list[Quantity], world: World) -> bool:
    sense = sense_at(s, i) or equality_at(s, i) or words.PLACES.get(s.word(i))
    return sense is not None and _all_go(sense, own, others, world)


def _leads(s: Sentence, i: int, own: list[Quantity], others: list[Quantity], world: World) -> bool:
    """Whether it is the first of all that measured it; people set variants against each other without the baseline."""
    ranked = {s.word(i - 1), s.word(i - 2)} & words.RANKS.keys()  # "the second-best"
    sense = words.SUPERLATIVES.get(s.word(i)) if not ranked else None
    measured = {run for run, name in world.values if name == own[0].name and world.ended_well(run)}
    compared = {run for quantity in (*own, *others) for run in quantity.runs}
    left_out = frozenset[str]() if _named(s) else world.baseline
    return sense is not None and measured <= compared | left_out and _all_go(sense, own, others, world)


def _all_go(sense: Sense, own: list[Quantity], others: list[Quantity], world: World) -> bool:
    return bool(others) and all(_goes(sense, a, b, world) for a in own for b in others)


def _goes(sense: Sense, a: Quantity, b: Quantity, world: World) -> bool:
    up = world.upwards(sense, a.name)
    return a.name == b.name and up is not None and a.value != b.value and (a.value > b.value) == up
