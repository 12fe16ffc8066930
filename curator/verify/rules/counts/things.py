"""Judges counts of other things than runs: devices, hosts, attempts, seeds, steps, values of a setting."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from curator.attempt_facts import EXIT_CODE
from curator.facts import FactKind
from curator.verify.known.fits import Fit, fit
from curator.verify.reading.keys import key_of
from curator.verify.reading.senses import sense_at
from curator.verify.reading.ties import BELIEVABLE
from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind
from curator.verify.rules.counts.nouns import PASSING
from curator.verify.rules.outcomes import outcome_at
from curator.verify.text import words

if TYPE_CHECKING:
    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector
    from curator.verify.rules.quoted import QuotedNumbers

_COUNTING = frozenset({FactKind.COUNT, FactKind.CONFIG, FactKind.METRIC})
_SAME_THING = (
    words.word_set("device chip gpu tpu accelerator core"),
    words.word_set("host node machine worker process"),
    words.word_set("parameter param"),
    words.word_set("document doc"),
)
_MAKERS = words.word_set("nvidia amd google tpu gpu")
_WHOLE = words.word_set("all the these over across of in with for on")
_ENUMERATED = words.word_set("phase gate table figure section part stage option chapter appendix item note")
"""Nouns before a number that is part of a name, and never a count."""


class Things:
    """The rule for counts of things."""

    def __init__(self, world: World, quoted: QuotedNumbers) -> None:
        self._world, self._quoted = world, quoted

    def check(self, reader: Reader, s: Sentence, i: int, noun: str, found: Collector) -> bool:
        """Judge the count at ``i`` of what ``noun`` says; whether that settled it."""
        token, numeral = s.tokens[i], s.numeral(i)
        if numeral is None:
            return False
        if _is_article(s, i):
            return True
        if _is_exit_code(s, i):
            self._check_exit_code(reader, s, i, found)
            return True
        if key_of(s, i):
            return False
        if noun and (facts := self._named_after(reader, s, i, noun)):
            found.support(token.start, token.end, facts)
            return True
        if noun not in words.COUNTED:
            return _says_nothing(s, i, noun)
        about = [f for f in self._world.facts if f.kind in _COUNTING and _is_about(f.name, noun)]
        if not about:
            return numeral.value == 1 and numeral.word
        known = dict.fromkeys(str(f.value) for f in about if f.kind is not FactKind.METRIC)
        if not known or (numeral.word and s.hedged(i)):
            return False
        found.object_to(FindingKind.COUNT, token, f"the facts say {', '.join(known)}")
        return True

    def check_metrics(self, s: Sentence, i: int, found: Collector) -> None:
        """``three of the four metrics``: no more than were measured."""
        measured = {fact.name: fact.id for fact in self._world.facts if fact.kind is FactKind.METRIC}
        token, numeral = s.tokens[i], s.numeral(i)
        if numeral is not None and numeral.value > max(1, len(measured)):
            found.object_to(FindingKind.COUNT, token, f"the facts have {len(measured)} metrics")
        else:
            found.support(token.start, token.end, measured.values())

    def _check_exit_code(self, reader: Reader, s: Sentence, i: int, found: Collector) -> None:
        """``finished with exit code 0``: of the run that is spoken of; what succeeded ended with 0."""
        token, numeral, subjects = s.tokens[i], s.numeral(i), reader.subjects(i)
        said = numeral.value if numeral else None
        facts = [f for f in self._world.facts if f.kind is FactKind.COUNT and f.name == EXIT_CODE]
        facts += [f for f in self._world.facts if f.kind is FactKind.STATUS and f.value == "succeeded"]
        codes = {f.id: 0 if f.kind is FactKind.STATUS else f.value for f in facts}
        right = [f.id for f in facts if codes[f.id] == said and subjects.cost(frozenset({f.subject})) <= BELIEVABLE]
        right = right or list(self._quoted.match(s, i, subjects))
        if right:
            found.support(token.start, token.end, right)
        else:
            of = sorted({f"{codes[f.id]} ({f.subject})" for f in facts})
            found.object_to(FindingKind.COUNT, token, f"the facts say {', '.join(of) or 'nothing of an exit code'}")

    def device_noun(self, s: Sentence, i: int) -> str:
        """``on eight A100s``: a kind of device, counted by its name."""
        j = s.skip(i + 1, _MAKERS)
        name = s.word(j).removesuffix("s")
        if s.kind(j) not in {TokenKind.FACT, TokenKind.IDENTIFIER}:
            return "devices" if name in self._device_kinds else ""  # "1 × cpu"
        return "devices" if any(name in kind for kind in self._device_kinds) else ""

    @cached_property
    def _device_kinds(self) -> tuple[str, ...]:
        return tuple(text.lower() for fact, text in self._world.strings if fact.kind is FactKind.DEVICE)

    def _named_after(self, reader: Reader, s: Sentence, i: int, noun: str) -> list[str]:
        """Facts of this value that are about what is counted."""
        numeral, subjects = s.numeral(i), reader.subjects(i)
        about = [
            q
            for q in self._world.quantities
            if q.kind in _COUNTING and not q.extreme and _is_about(q.name, noun) and numeral is not None
            if fit(numeral, q) is Fit.MATCH and subjects.cost(q.runs) <= BELIEVABLE
        ]
        return [fact_id for q in about for fact_id in q.ids] or list(self._quoted.match(s, i, subjects))


def _is_article(s: Sentence, i: int) -> bool:
    """``One step takes 41 ms``, ``the time of one step``: of any of them, however many there were."""
    if s.word(i) != "one" or s.word(s.skip(i + 1, PASSING)).endswith("s"):
        return False
    low, high = s.clause(i)
    if s.word(i - 1) in {"of", "for", "per"} and s.names(i - 2):
        return True
    told = any(s.kind(j) is TokenKind.NUMBER or sense_at(s, j) for j in range(i + 1, high))
    opens = i == low or s.word(i - 1) == ","
    return opens and told and not any(outcome_at(s, j, counted=True) for j in range(i + 1, high))


def _is_exit_code(s: Sentence, i: int) -> bool:
    """``exit code 137``, ``exit status 1``, ``exited with 1``, ``exited with code 1``."""
    j = s.skip(i - 1, frozenset({"with", "code", "status", "of", "was", "is", "a", "an", "=", ":", "("}), -1)
    named = s.word(j) == "exit" and any(s.word(k) in {"code", "status"} for k in range(j, i))
    return named or (s.word(j) in {"exited", "exits"} and s.word(j + 1) == "with")


def _is_about(name: str, noun: str) -> bool:
    """Whether a name says what is counted, by the same word or another for the same thing."""
    stem = noun.removesuffix("s") if len(noun) > 3 else noun
    stems = next((group for group in _SAME_THING if stem in group), frozenset({stem}))
    parts = set(re.split(r"[^a-z]+", name.lower()))
    return any(each in parts or f"{each}s" in parts for each in stems)


def _says_nothing(s: Sentence, i: int, noun: str) -> bool:
    """Numbers that name or enumerate, and small ones in words that count nothing recorded: ``two reasons``."""
    numeral = s.numeral(i)
    if numeral is None:
        return False
    if s.word(i - 1) in _ENUMERATED and not s.context.cell and not numeral.decimals:
        return True
    listed = s.word(i - 1) in {"(", "["} and s.word(i + 1) in {")", "]"} and numeral.value <= 9
    if listed and s.word(i - 2) in {"", ";", ",", ":", "and", "."}:
        return True
    earlier = any(s.numeral(j) and s.word(j + 1) for j in s.of_kind(TokenKind.NUMBER, (0, i)))
    return numeral.word and (bool(noun) or numeral.value <= 2 or earlier)
