"""The check of a text against the facts, whoever wrote it: numerals, comparisons, statuses, references, quotations.

Works on the final text alone and needs nothing but the facts. A finding is a place for a person to look at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify import blocks as markdown
from curator.verify.blocks import BlockKind
from curator.verify.claims import Claims
from curator.verify.consistency import Consistency
from curator.verify.contexts import contexts
from curator.verify.counts import Counts
from curator.verify.index import FactIndex
from curator.verify.mentions import with_config_runs, with_shared_units
from curator.verify.quotations import Quotations
from curator.verify.quoted import QuotedNumbers
from curator.verify.rankings import Rankings
from curator.verify.ranks import Ranges
from curator.verify.references import References
from curator.verify.report import Collector, Report
from curator.verify.sentences import Sentence, split
from curator.verify.statuses import Statuses
from curator.verify.superlatives import Superlatives
from curator.verify.tokens import Lexer, TokenKind
from curator.verify.values import Values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.facts import Fact


def verify(text: str, facts: Sequence[Fact]) -> Report:
    """Check a Markdown text against the facts.

    Args:
        text: the final text; offsets in the report are characters of it.
        facts: everything the text may state.
    """
    return _Verifier(facts).report(text)


class _Verifier:
    def __init__(self, facts: Sequence[Fact]) -> None:
        self._index = FactIndex(facts)
        self._lexer = Lexer(self._index)
        quoted = QuotedNumbers(self._index, self._lexer)
        self._claims = Claims(self._index)
        self._counts = Counts(self._index, quoted, self._claims)
        self._values = Values(self._index, quoted)
        self._references = References(self._index)
        self._quotations = Quotations(self._index, self._references)
        self._rules = (
            Consistency(self._index),
            Rankings(self._index),
            Ranges(self._index),
            Superlatives(self._index),
            Statuses(self._index),
            self._claims,
            self._references,
        )

    def report(self, text: str) -> Report:
        found = Collector()
        blocks = markdown.parse(markdown.normalise(text))
        tokens = [self._lexer.tokens(block) for block in blocks]
        for block, cut, context in zip(blocks, tokens, contexts(blocks, tokens, self._index), strict=True):
            self._quotations.check(block, cut, found)
            if block.kind is BlockKind.FENCE or (block.quoted and any(i.start == block.start for i in found.issues)):
                continue
            spans = self._quotations.quoted_spans(block)
            own = [t for t in cut if t.kind is TokenKind.LINK or not any(a <= t.start < b for a, b in spans)]
            for sentence in split(with_config_runs(with_shared_units(own), context, self._index), context):
                self._check(sentence, found)
        return found.report(text)

    def _check(self, sentence: Sentence, found: Collector) -> None:
        for i in sentence.of_kind(TokenKind.NUMBER):
            if not self._counts.check(sentence, i, found):
                self._values.check(sentence, i, found)
        for rule in self._rules:
            rule.check(sentence, found)
