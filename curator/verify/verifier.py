"""The check of a text against the facts, whoever wrote it. Works on the final text alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from curator.verify.known.vocabulary import Vocabulary
from curator.verify.known.world import World
from curator.verify.meanings import is_true
from curator.verify.reading.contexts import contexts
from curator.verify.reading.marking import marked
from curator.verify.reading.reader import Reader
from curator.verify.reading.roles import is_change
from curator.verify.reading.sentences import Context, Sentence, split
from curator.verify.reading.tokens import Lexer, TokenKind
from curator.verify.report import Collector, Report
from curator.verify.rules.absences import Absences
from curator.verify.rules.appositions import Appositions
from curator.verify.rules.baselines import Baselines
from curator.verify.rules.causes import Causes
from curator.verify.rules.chains import Chains
from curator.verify.rules.comparisons import Comparisons
from curator.verify.rules.consistency import Consistency
from curator.verify.rules.counts.rule import Counts
from curator.verify.rules.courses import Courses
from curator.verify.rules.differences import Differences
from curator.verify.rules.effects import Effects
from curator.verify.rules.expectations import parts
from curator.verify.rules.labels import Labels
from curator.verify.rules.numbers.ratios import Ratios
from curator.verify.rules.numbers.rule import Numbers
from curator.verify.rules.outcomes import Outcomes
from curator.verify.rules.quotations import Quotations
from curator.verify.rules.quoted import QuotedNumbers
from curator.verify.rules.ranges import Ranges
from curator.verify.rules.references import References
from curator.verify.rules.settings import Settings
from curator.verify.rules.superlatives.rule import Superlatives
from curator.verify.rules.swept import Swept
from curator.verify.rules.unrecorded import Unrecorded
from curator.verify.rules.verdicts import Agreement, Hypotheses
from curator.verify.text import blocks as markdown
from curator.verify.text.blocks import BlockKind
from curator.verify.text.fields import fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from curator.facts import Fact
    from curator.verify.meanings import Meaning
    from curator.verify.reading.tokens import Token
    from curator.verify.report import Finding
    from curator.verify.rules.parts import Part
    from curator.verify.text.blocks import Block


_WRITTEN = re.compile(r"[^\r\n]")


class Rule(Protocol):
    """Judges one kind of claim in a sentence."""

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None: ...


def verify(text: str, facts: Sequence[Fact]) -> Report:
    """Check a Markdown text against the facts.

    Args:
        text: the final text; offsets in the report are characters of it.
        facts: everything the text may state.
    """
    return Verifier(facts).report(text)


class Verifier:
    """Checks texts against one set of facts."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self._world = World(facts)
        self._vocabulary = Vocabulary(self._world)
        self._lexer = Lexer(self._world, self._vocabulary)
        quoted = QuotedNumbers(self._world, self._lexer)
        comparisons = Comparisons(self._world)
        self._numbers = Numbers(self._world, quoted)
        self._counts = Counts(self._world, quoted, comparisons)
        self._outcomes = Outcomes(self._world)
        self._references = References(self._world, self._vocabulary)
        self._quotations = Quotations(self._world, self._references)
        self._rules: tuple[Rule, ...] = (
            Consistency(self._world),
            Ranges(self._world),
            Swept(self._world),
            Chains(self._world),
            Superlatives(self._world),
            Ratios(),
            Effects(self._world),
            Courses(self._world),
            comparisons,
            Hypotheses(self._world, self._parts),
            Agreement(self._world),
            self._outcomes,
            Absences(self._world),
            Differences(self._world, self._vocabulary),
            Causes(self._world),
            Labels(self._world),
            Settings(self._world, self._vocabulary),
            Appositions(self._world),
            Baselines(self._world),
            self._references,
            Unrecorded(self._world),
        )

    def report(self, text: str) -> Report:
        found = Collector()
        for block, cut, context in self._blocks(text):
            self._quotations.check(block, cut, found)
            if block.kind is BlockKind.FENCE or (block.quoted and any(i.start == block.start for i in found.issues)):
                continue
            before: Reader | None = None
            for sentence in self._sentences(block, cut, context):
                before = Reader(sentence, self._world, before)
                self._check(before, sentence, found)
        return found.report(text)

    def bears_out(self, meaning: Meaning, finding: Finding, text: str) -> bool:
        """Whether the facts say what somebody reads in the words of a finding."""
        return any(
            is_true(meaning, self._world, sentence, (finding.start, finding.end))
            for sentence in self._sentences_of(finding, text)
        )

    def names_a_run(self, finding: Finding, text: str) -> bool:
        """Whether the sentence of a finding names a run or is about one, so that the rules need not guess who is meant.

        A run is named by its ID; a sentence is about the run of its heading.
        """
        return any(
            len(sentence.context.topics) == 1
            or any(t.kind is TokenKind.RUN and any(run.lower() in t.lower for run in t.runs) for t in sentence.tokens)
            for sentence in self._sentences_of(finding, text)
        )

    def _sentences_of(self, finding: Finding, text: str) -> list[Sentence]:
        return [
            sentence
            for block, cut, context in self._blocks(text)
            for sentence in self._sentences(block, cut, context)
            if any(finding.start <= token.start < finding.end for token in sentence.tokens)
        ]

    def _blocks(self, text: str) -> Iterator[tuple[Block, list[Token], Context]]:
        head, body = fields(text)
        # The body keeps its offsets behind a head that is blank to it.
        blocks = (*head, *markdown.parse(markdown.blank(text[:body], _WRITTEN) + markdown.normalise(text[body:])))
        tokens = [self._lexer.tokens(block) for block in blocks]
        return zip(blocks, tokens, contexts(blocks, tokens, self._world, self._vocabulary), strict=True)

    def _sentences(self, block: Block, cut: Sequence[Token], context: Context) -> Iterator[Sentence]:
        spans = self._quotations.quoted_spans(block)
        own = [t for t in cut if t.kind is TokenKind.LINK or not any(a <= t.start < b for a, b in spans)]
        return split(marked(own, context, self._world, self._vocabulary), context)

    def _parts(self, hypothesis: str, run: str) -> tuple[Part, ...]:
        """The parts of a hypothesis, and whether they are so of its run."""
        context = Context(topics=frozenset({run} - {""}))
        tokens = marked(self._lexer.cut(markdown.normalise(hypothesis), 0), context, self._world, self._vocabulary)
        return tuple(part for s in split(tokens, context) for part in parts(s, self._world, run))

    def _check(self, reader: Reader, sentence: Sentence, found: Collector) -> None:
        self._counts.check_words(reader, sentence, found)
        numbers = sentence.of_kind(TokenKind.NUMBER)
        # A change may be relative to a value that stands behind it: "76 % more than the 17.8 s of the other".
        for i in sorted(numbers, key=lambda i: is_change(sentence, i)):
            if not self._counts.check_number(reader, sentence, i, found):
                self._numbers.check(reader, sentence, i, found)
        for rule in self._rules:
            rule.check(reader, sentence, found)
