"""Judges why a run is said to have failed: a full disk, a timeout, corrupt data, against what its record says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind

if TYPE_CHECKING:
    from curator.facts import Fact
    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector


@dataclass(frozen=True, slots=True)
class _Cause:
    """One kind of cause."""

    said: re.Pattern[str]
    """How a text names it."""
    told: re.Pattern[str]
    """What a record says that bears it out."""


def _cause(said: str, told: str) -> _Cause:
    return _Cause(re.compile(rf"\b(?:{said})\b"), re.compile(told, re.IGNORECASE))


_CAUSES = (
    _cause(
        r"(?:lack|shortage) of memory|too little memory",
        r"memory|oom|resource_?exhausted|\b137\b|bad_alloc|cannot allocate",
    ),
    _cause(
        r"(?:disk|device|drive|volume) (?:was |is |ran |got )?full|full (?:disk|device|drive|volume)"
        r"|out of (?:disk )?space|no space left",
        r"no space left|disk quota|errno 28|enospc",
    ),
    _cause(r"timed out|time ?outs?", r"time(?:d )?out|did not (?:answer|respond)|deadline"),
    _cause(r"corrupt(?:ed|ion)?|(?:bad|broken) shard", r"corrupt|checksum|decompress|malformed|truncated"),
    _cause(
        r"with an? nan|not finite|non - finite|non-finite",
        r"nan|diverg|inf\b|non-?finite|overflow|explod|floatingpoint",
    ),
    _cause(r"assertions?(?: error)?", r"assert"),
    _cause(
        r"unreachable|connection (?:was )?(?:lost|reset|refused)|network (?:error|failure)", r"connect|network|reach"
    ),
    _cause(r"permission (?:was )?denied|access (?:was )?denied", r"permission|denied|forbidden|\b40[13]\b"),
    _cause(
        r"(?:host|node|machine|vm) (?:went away|died|was lost|was taken)|lost (?:its|a|the) (?:host|node|machine|vm)"
        r"|hardware (?:fault|failure)",
        r"heartbeat|silent|taken away|preempt|hardware|host .*(?:lost|gone|down)",
    ),
    _cause(r"(?:by|from) its owner|its owner (?:stopped|cancelled|killed)", r"owner"),
)


class Causes:
    """The rule for causes of failures."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._bad = frozenset(run for run in world.runs if not world.ended_well(run))

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:
        if not self._bad or s.context.hypothetical:
            return
        text, places = _joined(s)
        for cause in _CAUSES:
            for said in cause.said.finditer(text):
                first, last = places[said.start()], places[said.end() - 1]
                quoted = any(s.kind(i) is TokenKind.FACT for i in range(first, last + 1))
                if not (quoted or s.negated(first) or s.hedged(first)):
                    self._judge(cause, reader, s, (first, last), found)

    def _judge(self, cause: _Cause, reader: Reader, s: Sentence, at: tuple[int, int], found: Collector) -> None:
        runs = self._meant(reader, s, at[0])
        told = [f for run in runs | reader.named | s.context.topics for f in self._texts(run)]
        ids = [fact.id for fact in told if cause.told.search(str(fact.value))]
        start, end = s.tokens[at[0]].start, s.tokens[at[1]].end
        if ids:
            found.support(start, end, ids)
        elif told:
            found.object(FindingKind.STATUS, start, end, f"the record of {', '.join(sorted(runs)[:3])} says otherwise")

    def _meant(self, reader: Reader, s: Sentence, at: int) -> frozenset[str]:
        """Which failed runs may be meant; any of them where the sentence does not say."""
        for runs in (reader.subjects(at).surest, reader.named, s.context.topics, reader.named_before):
            if failed := runs & self._bad:
                return failed
        return self._bad

    def _texts(self, run: str) -> list[Fact]:
        """What the record says of how a run ended."""
        return [fact for fact, _ in self._world.told_of(run) if fact.name != "label"]


def _joined(s: Sentence) -> tuple[str, list[int]]:
    """The words of a sentence in one string, and which token each of its characters is of."""
    text, places = "", list[int]()
    for i, token in enumerate(s.tokens):
        text += f"{token.lower} "
        places += [i] * (len(token.lower) + 1)
    return text, places
