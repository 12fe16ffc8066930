"""Changes that the facts imply and nobody stated: between two runs that a sentence names itself."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from typing import TYPE_CHECKING

from curator.facts import CHANGES, Fact, FactError, delta, percent, ratio
from curator.verify import lexicon
from curator.verify.matching import numeric_value
from curator.verify.roles import Role
from curator.verify.units import FACTOR, PERCENT, POINTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.verify.index import FactIndex
    from curator.verify.numerals import Numeral
    from curator.verify.sentences import Sentence

SOURCE = "implied"
"""Of an implied fact: it stands in no record, its inputs do."""
_MOST_PAIRED = 4


def implied_changes(
    s: Sentence, numeral: Numeral, role: Role, runs: frozenset[str] | None, index: FactIndex
) -> Iterator[Fact]:
    """The changes that ``numeral`` may state though they are no facts.

    Args:
        s: the sentence, which names the runs.
        numeral: what is written.
        role: as what it is said.
        runs: which it is said of; None for any.
        index: the facts.
    """
    parties = sorted(_parties(s, index))
    if len(parties) not in range(2, _MOST_PAIRED + 1) or not _says_change(s, numeral, role):
        return
    known = {(f.kind, f.subject, index.reference(f), f.name) for f in index.facts if f.kind in CHANGES}
    for a, b in itertools.permutations(parties, 2):
        if (runs is not None and a not in runs) or (a in index.baseline and runs != frozenset({a})):
            continue
        for (run, name), fact in index.values.items():
            other = index.values.get((b, name))
            if run == a and other and numeric_value(fact) is not None and numeric_value(other) is not None:
                changes = changes_between(fact, other)
                yield from (c for c in changes if (c.kind, a, b, name) not in known)


def _parties(s: Sentence, index: FactIndex) -> frozenset[str]:
    if not s.runs:
        return s.previous.runs if s.previous else frozenset()
    return s.runs | s.context.topics | (index.baseline if len(s.runs) == 1 else frozenset())


def _says_change(s: Sentence, numeral: Numeral, role: Role) -> bool:
    relative = numeral.unit is not None and numeral.unit.dimension in {PERCENT, POINTS, FACTOR}
    hinted = relative or bool(numeral.sign) or bool(s.words & (lexicon.DIFFERENCE_NOUNS | lexicon.PRICES))
    return role is Role.CHANGE or (role is Role.ANY and hinted)


def changes_between(a: Fact, b: Fact) -> Iterator[Fact]:
    """The changes of ``a`` against ``b``; a reference of zero has no relative ones."""
    for make in (delta, percent, ratio):
        with contextlib.suppress(FactError):
            yield dataclasses.replace(make(a, b), source=SOURCE)
