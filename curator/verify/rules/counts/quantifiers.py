"""Judges all, every, both, none, no, not a single, and only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.known.sweeps import sweeps, swept_key
from curator.verify.reading.belonging import of_whom
from curator.verify.reading.mentions import FRAMING, PREPOSITIONS
from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind
from curator.verify.rules.counts.bounded import bounds
from curator.verify.rules.counts.nouns import ALL, NONE, PASSING, THEM
from curator.verify.rules.counts.predicates import has_unknown_choice
from curator.verify.rules.outcomes import excepted
from curator.verify.text import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from curator.verify.known.world import World
    from curator.verify.reading.mentions import Mention
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector
    from curator.verify.rules.counts.predicates import Predicate, Predicates

_ELSEWHERE = frozenset({"w&b", "wandb"})
"""Labels of lines that speak of other runs than ours."""
_ALONE = frozenset({"none", "nothing", "everything"})
_MOST = 4


class Quantifiers:
    """The rule for words that say of how many runs something is so."""

    def __init__(self, world: World, predicates: Predicates) -> None:
        self._world, self._predicates = world, predicates

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:
        for i, token in enumerate(s.tokens):
            if token.kind is not TokenKind.WORD or s.hedged(i) or s.context.field in _ELSEWHERE:
                continue
            if token.lower == "only":
                self._check_only(reader, s, i, found)
            elif _is_quantifier(s, i):
                self._check_all(reader, s, i, found)

    def _check_all(self, reader: Reader, s: Sentence, i: int, found: Collector) -> None:
        word = s.word(i)
        noun = s.skip(i + 1, PASSING)
        while s.kind(noun) is TokenKind.NUMBER or s.word(noun) in PASSING:
            noun += 1
        if s.kind(noun) is TokenKind.CONFIG and s.word(i - 1) in PREPOSITIONS:
            return  # "it pays off on both seeds"
        if self._check_values(reader, s, i, noun, found):
            return
        mention = next((m for m in reader.runs if m.first in {noun, noun - 1}), None)
        last = s.is_word(noun) and s.word(noun + 1) in words.RUN_NOUNS
        alone = word in _ALONE and s.word(i + 1) in {*words.STATUS_WORDS, *words.BE}
        noun = i if alone else noun
        counted = alone or s.word(noun) in words.RUN_NOUNS | THEM or mention or last
        if not counted and not (word in _ALONE and not s.is_word(noun)):
            return
        end = mention.last if mention else noun + last
        spared, end = _spared(s, end + (s.word(end + 1) in words.RUN_NOUNS))
        if has_unknown_choice(s, i, noun if spared else end) or s.word(end + 1) in {"who", "whose"}:
            return
        limit, after = self._predicates.chosen(reader, s, end)
        predicate = self._predicates.behind(reader, s, after)
        if predicate is None or limit is None or s.word(after) in {"that", "which"}:
            return
        domain = (self._predicates.domain(reader, s, i, noun, predicate.at) & limit) - excepted(s, reader)
        results = {run: predicate.holds(run) for run in domain}
        found.judged.add(s.tokens[predicate.at].start)
        if spared:
            domain = frozenset(filter(self._world.ended_well, domain))
        wrong = [run for run in sorted(domain) if results[run] is (word not in ALL)]
        if len(wrong) != spared:
            self._object(s, i, wrong, found)
        elif any(held is not None for held in results.values()):
            ids = [f.id for f in self._world.facts if f.kind is FactKind.STATUS and f.subject in domain]
            found.support(s.tokens[i].start, s.tokens[i].end, ids)

    def _check_values(self, reader: Reader, s: Sentence, i: int, noun: int, found: Collector) -> bool:
        """``none of the seeds``, ``every seed of LR-003``: of the runs among which the setting is moved."""
        key = swept_key(self._world, s.keys(noun)) if not s.names(noun) else ""
        groups = sweeps(self._world, key) if key else []
        if not groups:
            return False
        of = of_whom(s, noun, i, reader.runs)
        if of and of.meant:
            groups = sweeps(self._world, key, of.meant)
            groups = [inside if len(inside := group & of.meant) > 1 else group for group in groups]
        limit, after = self._predicates.chosen(reader, s, of.last if of and of.first > noun else noun)
        predicate = self._predicates.behind(reader, s, after)
        if predicate is None or limit is None:
            return True
        found.judged.add(s.tokens[predicate.at].start)
        wrong = [
            [run for run in sorted(group & limit) if predicate.holds(run) is (s.word(i) not in ALL)] for group in groups
        ]
        if all(wrong):
            self._object(s, i, wrong[0], found)
        return True

    def _check_only(self, reader: Reader, s: Sentence, i: int, found: Collector) -> None:
        """``Only LR-003 improved``, ``LR-003 is the only run that improved``."""
        mention = next((m for m in reader.runs if i < m.first <= i + 2), None)
        start = mention.last if mention else i
        if mention is None:
            start = next((j for j in range(i + 1, i + 4) if s.word(j) in words.RUN_NOUNS | THEM), i)
            if s.word(i - 1) == "the" and not has_unknown_choice(s, i, start):
                mention = next((m for m in reversed(reader.runs) if m.last < i and not m.reference), None)
        if mention is None or s.word(i - 1) == "not" or mention.reference:
            return
        predicate = self._predicates.behind(reader, s, start + 1)
        if predicate is None:
            return
        others = self._others(reader, s, i, mention, predicate)
        wrong = [run for run in mention.meant if predicate.holds(run) is False]
        if len(wrong) < len(mention.meant) > len(mention.members):
            wrong = []  # "only LZ4 is faster": by a setting that several have, it is said of the one that is compared
        wrong = wrong or [run for run in others if predicate.holds(run) and self._is_literal(predicate, run)]
        if wrong:
            found.judged.add(s.tokens[predicate.at].start)
            self._object(s, i, wrong, found)

    def _others(self, reader: Reader, s: Sentence, i: int, mention: Mention, predicate: Predicate) -> frozenset[str]:
        """Of whom it must not be so, if it is so of those that are named alone."""
        at, (_, high) = predicate.at, s.clause(predicate.at)
        if mention.first < i or any(s.tokens[j].described for j in mention.members):
            return self._predicates.domain(reader, s, i, i + 1, at) - mention.meant
        sized = bounds(s, at) is None and bool(s.of_kind(TokenKind.NUMBER, (at, high)))  # "slower by more than 10 %"
        if sized or any(s.word(j) in {"also", "too", "both"} for j in range(i, high)):
            return frozenset()
        others = self._predicates.domain(reader, s, i, i - 1, at) - mention.meant
        return others & reader.frame if s.word(0) in FRAMING else others  # "Among those with dropout, only LR-003"

    def _is_literal(self, predicate: Predicate, run: str) -> bool:
        """Whether a run's own status is the one that is said, where any run has it: one lost has not failed."""
        said = predicate.status in self._world.statuses.values()
        return not said or self._world.statuses.get(run) == predicate.status

    @staticmethod
    def _object(s: Sentence, i: int, wrong: Iterable[str], found: Collector) -> None:
        found.object_to(FindingKind.COUNT, s.tokens[i], f"not so of {', '.join(sorted(wrong)[:_MOST])}")


def _spared(s: Sentence, end: int) -> tuple[int, int]:
    """How many are taken out by ``but one that finished``, and where the subject with it ends."""
    numeral = s.numeral(end + 2) if s.word(end + 1) in {"but", "except", "save"} else None
    if numeral is None or not numeral.whole:
        return 0, end
    last = end + 2
    if s.word(last + 1) in {"that", "which"} and s.word(last + 2) in words.ENDED_WELL:
        last += 2
    return int(numeral.value), last


def _is_quantifier(s: Sentence, i: int) -> bool:
    if s.word(i) == "single":  # "not a single run"
        return s.word(i - 1) == "a" and s.word(i - 2) == "not"
    if (
        s.word(i) not in ALL | NONE
        or (s.word(i - 1) == "(" and s.word(i + 2) == ")")
        or s.negated(i)
        or s.word(i - 1) in {"not", "="}
    ):
        return False
    return not (s.word(i) in {"each", "all"} and s.word(i - 1) in {"at", "in", "of", "after"})
