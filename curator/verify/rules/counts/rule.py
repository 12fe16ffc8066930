"""Judges numerals that count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.reading.belonging import listed, listed_behind
from curator.verify.reading.keys import key_of
from curator.verify.report import FindingKind
from curator.verify.rules.counts.nouns import ALL, THEM, Fraction, fraction_at, noun_at, noun_before
from curator.verify.rules.counts.predicates import Predicate, Predicates, has_unknown_choice, predicate_word
from curator.verify.rules.counts.quantifiers import Quantifiers
from curator.verify.rules.counts.runs import totals
from curator.verify.rules.counts.things import Things
from curator.verify.rules.counts.values import Values
from curator.verify.text import words
from curator.verify.text.units import PERCENT

if TYPE_CHECKING:
    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector
    from curator.verify.rules.comparisons import Comparisons
    from curator.verify.rules.quoted import QuotedNumbers
    from curator.verify.text.numerals import Numeral


@dataclass(frozen=True, slots=True)
class _Count:
    """One numeral that counts runs."""

    reader: Reader
    s: Sentence
    i: int
    fraction: Fraction
    noun: str

    @property
    def value(self) -> int:
        numeral = self.s.numeral(self.i)
        return int(numeral.value) if numeral else 0

    def totals(self, world: World) -> set[int]:
        return totals(world, self.reader, self.s, self.i, self.noun)


_HAVING = words.word_set("was were has have been got")
_REST = words.pairs("the other, the others, the rest, the remaining, another was")
_SCORES = frozenset({"metric", "metrics", "score", "scores"})


class Counts:
    """The rule for numerals that count, and for all, none, both and only."""

    def __init__(self, world: World, quoted: QuotedNumbers, comparisons: Comparisons) -> None:
        self._world = world
        self._predicates = Predicates(world, comparisons)
        self._quantifiers = Quantifiers(world, self._predicates)
        self._things = Things(world, quoted)
        self._values = Values(world, self._predicates)

    def check_words(self, reader: Reader, s: Sentence, found: Collector) -> None:
        """All, none, both, only."""
        self._quantifiers.check(reader, s, found)

    def check_number(self, reader: Reader, s: Sentence, i: int, found: Collector) -> bool:
        """Judge the numeral at ``i`` if it is a count; whether that settled it."""
        numeral = s.numeral(i)
        if numeral is None:
            return False
        if numeral.relative and s.word(i + 1) == "of" and self._world.runs:
            return self._check_share(reader, s, i, numeral, found)
        if s.context.hypothetical or s.context.cell or not numeral.whole or numeral.sign:
            return False
        if _is_pronoun(s, i):
            return True
        fraction = fraction_at(s, i)
        noun = self._noun(s, i, fraction)
        if self._is_name(s, i, fraction, noun):
            return False
        if self._values.check(reader, s, i, noun, found):
            return True
        if noun in _SCORES:
            self._things.check_metrics(s, i, found)
            return True
        if self._counts_runs(s, i, fraction, noun):
            return self._check_runs(_Count(reader, s, i, fraction, noun), found)
        return self._things.check(reader, s, i, noun, found)

    def _noun(self, s: Sentence, i: int, fraction: Fraction) -> str:
        if devices := self._things.device_noun(s, i):
            return devices
        at = noun_at(s, fraction)
        return s.word(at) if at is not None else noun_before(s, i)

    @staticmethod
    def _is_name(s: Sentence, i: int, fraction: Fraction, noun: str) -> bool:
        """``shard 57 of 96``, ``lr=0.01``, ``the 16k run``: a number that only names something."""
        if fraction.whole is not None:
            return s.word(s.skip(fraction.part - 1, frozenset({"#"}), -1)) in words.NUMBERED
        numeral = s.numeral(i)
        one = noun in words.RUN_NOUNS and not noun.endswith("s")
        return bool(s.runs(i)) or (one and numeral is not None and numeral.value > 1)

    def _counts_runs(self, s: Sentence, i: int, fraction: Fraction, noun: str) -> bool:
        if s.word(i - 1) == "=" and s.word(i - 2) == "n":
            return True
        numeral = s.numeral(i)
        opens = numeral is not None and numeral.word and s.word(i - 1) == "" and s.word(i + 1).endswith("s")
        if opens and numeral is not None and numeral.value == len(self._world.runs):
            return True  # "Four cooldowns of 50B tokens"
        others = noun in THEM and numeral is not None and numeral.value > 2 * len(self._world.runs)
        if others:
            return False  # "the einsum drops tokens, 412 of them"
        if noun in words.RUN_NOUNS or noun in THEM or self._predicates.of_noun(noun):
            return True
        if noun in words.COUNTED or noun in words.NUMBERED:
            return False
        if key_of(s, i):
            return False
        whole = s.numeral(fraction.whole) if fraction.whole is not None else None
        if whole is not None:  # "four of the five tokenizers"
            every = whole.value in {len(self._world.runs), len(self._world.variants)}
            return (not noun and whole.value <= 2 * len(self._world.runs)) or (every and noun.endswith("s"))
        if not noun:
            related = s.word(i + 1) in {"that", "which"} and s.word(i - 1) == "the"
            among = s.word(i - 1) in {"the", "all"} and s.word(i - 2) in {"of", "among"} and s.word(i - 3) != "of"
            follows = s.word(s.skip(i + 1, _HAVING)) in words.STATUS_WORDS or related
            if among and numeral is not None and numeral.word and s.word(i + 1) in {"and", ",", ".", ";", ""}:
                return True  # "the lowest loss of the four"
            return (follows or self._predicates.labelled(s, i) is not None) and not s.runs(i)
        # "of the five tilings that compiled, q256 is the fastest"
        chosen = s.word(i - 1) in ALL | {"the"} and s.word(i - 2) in {"of", "all", "among", "in"}
        return chosen and noun.endswith("s") and predicate_word(s, i + 1) is not None

    # -- runs -------------------------------------------------------------------------------------------------------

    def _check_runs(self, it: _Count, found: Collector) -> bool:
        token, allowed = it.s.tokens[it.i], self._allowed(it, found)
        if allowed is None:
            return it.value == 1 or it.fraction.whole is not None
        if it.value in allowed:
            found.support(token.start, token.end, self._ids(self._world.all_runs))
        else:
            said = " or ".join(str(n) for n in sorted(allowed)) or "unknown"
            found.object_to(FindingKind.COUNT, token, f"the facts count {said}")
        return True

    def _allowed(self, it: _Count, found: Collector) -> set[int] | None:
        """The numbers of runs that it may be; None where nothing is known of what is said of them."""
        s, i, whole = it.s, it.i, it.fraction.whole
        if whole == i:
            return it.totals(self._world)
        at = noun_at(s, it.fraction)
        start = max(at if at is not None else i, whole if whole is not None else i)
        told, _ = listed(s, i, start)
        if told and len(told) != self._whole(it):
            return {len(told)}
        limit, after = self._predicates.chosen(it.reader, s, start)
        if not it.noun and s.word(0) in {"of", "among"}:  # "Of the four runs without a bonus, three finished"
            whole_noun = next((j for j in range(i) if s.word(j) in words.RUN_NOUNS), i)
            limit, _ = self._predicates.chosen(it.reader, s, whole_noun)
        predicate = self._predicates.labelled(s, i) or self._predicates.of_noun(it.noun)
        predicate = predicate or self._predicates.behind(it.reader, s, after)
        predicate = predicate or self._predicates.before(it.reader, s, i)
        every = limit == self._world.all_runs
        if predicate is None and not every and limit is not None and whole is None:
            if has_unknown_choice(s, i, start):
                return None
            return {len(limit & self._predicates.domain(it.reader, s, i, start, after))}
        if predicate is None:
            return None if whole is not None or it.value == 1 else it.totals(self._world)
        if predicate.at >= 0:
            found.judged.add(s.tokens[predicate.at].start)
        if named := listed_behind(s, predicate.at):
            return {len(named - frozenset(run for run in named if predicate.holds(run) is False))}
        if limit is None:
            return None
        allowed = self._satisfied(it, predicate, limit)
        before = s.word(i - 1)
        of = before in {"of", "over", "across"} or (before in {"the", "all", "these"} and whole is None)
        if of and every:
            allowed |= it.totals(self._world)
        elif before in {"the", "all", "these"} and limit is not None:
            allowed.add(len(limit & self._predicates.domain(it.reader, s, i, start, after)))
        return allowed

    @staticmethod
    def _whole(it: _Count) -> int:
        """The five of ``two of the five runs``; 0 where none stands there."""
        numeral = it.s.numeral(it.fraction.whole) if it.fraction.whole is not None else None
        return int(numeral.value) if numeral else 0

    def _satisfied(self, it: _Count, predicate: Predicate, limit: frozenset[str]) -> set[int]:
        """How many runs the predicate may hold for: those it does, and perhaps those nothing is known of."""
        s, i, at = it.s, it.i, predicate.at
        domain = self._predicates.domain(it.reader, s, i, i + 2, at) if at >= 0 else self._world.all_runs
        results = [predicate.holds(run) for run in domain & limit]
        sure, unknown = sum(r is True for r in results), sum(r is None for r in results)
        unknown = 0 if predicate.decided else unknown
        strictly = sum(self._world.statuses.get(run) == predicate.status for run in domain & limit)
        partial = s.word(i - 1) in {"the", "these", "those", "all"} and it.fraction.whole is None and it.noun
        return {strictly or sure, *range(sure, sure + unknown + 1), *(range(1, sure + 1) if partial else ())}

    def _ids(self, runs: frozenset[str]) -> list[str]:
        return [f.id for f in self._world.facts if f.kind is FactKind.STATUS and f.subject in runs]

    # -- shares -----------------------------------------------------------------------------------------------------

    def _check_share(self, reader: Reader, s: Sentence, i: int, numeral: Numeral, found: Collector) -> bool:
        """``half of the runs failed``, ``80 % of the runs succeeded``; a third of something else is left alone."""
        j = s.skip(i + 1, words.ARTICLES | {"of", "all"})
        if s.word(j) not in words.RUN_NOUNS:
            return numeral.word and s.is_word(j) and not s.runs(j) and s.word(j) not in words.DIFFERENCES
        predicate = self._predicates.behind(reader, s, j + 1)
        if predicate is None:
            return False
        found.judged.add(s.tokens[predicate.at].start)
        domain = self._predicates.domain(reader, s, i, j, predicate.at)
        reading = numeral.readings[0]
        scale = 100 if reading.unit and reading.unit.dimension == PERCENT else 1
        count = sum(predicate.holds(run) is True for run in domain)
        if domain and abs(count / len(domain) * scale - reading.value) <= reading.quantum / 2:
            found.support(s.tokens[i].start, s.tokens[i].end, self._ids(domain))
        else:
            found.object_to(FindingKind.COUNT, s.tokens[i], f"it is {count} of {len(domain)} runs")
        return True


def _is_pronoun(s: Sentence, i: int) -> bool:
    """Whether "one" stands for a noun, and counts nothing: ``the lost one``, ``one crashed, the other diverged``."""
    if s.word(i) != "one":
        return False
    named = s.word(i - 1) in words.DEMONSTRATIVES or (
        s.is_word(i - 1) and s.word(i - 1) not in words.LINKS and s.word(i - 2) in words.DEMONSTRATIVES
    )
    named = named or bool(s.runs(i - 1)) or (s.word(i + 1) == "of" and bool(s.runs(i + 2)))  # "the fp32 one"
    rest = any((s.word(j), s.word(j + 1)) in _REST for j in range(i + 1, len(s.tokens)))
    return named or rest
