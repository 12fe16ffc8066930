"""What the verification of a finished text holds against the passages that came from a model.

Stricter than the verification itself: that one leaves alone what a sentence does not pin down, but a model's own words
may claim nothing of a metric unless the facts bear it out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from curator.claims.outcome import is_hypothesis
from curator.claims.reply import Passage, Violation, is_prose
from curator.verify import verify
from curator.verify.text import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from curator.facts import Fact
    from curator.verify import Report

_CLAIMS = frozenset(
    {*words.ADJECTIVES, *words.MOVES, *words.SUPERLATIVES, *words.STATUS_WORDS}
    | words.word_set("improved improves improvement faster slower stable unstable proves proved proven proof confirms")
)
_HEDGES = words.HEDGES | words.word_set(
    "suggests suggest seems seem appears appear likely probably presumably plausible plausibly unclear to why how could"
)
_MODALS = words.word_set("may might could would should")
"""``A larger batch would ...`` supposes and claims nothing."""
_SENTENCE = re.compile(r"[^.!?;]+")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


def objections(text: str, facts: Sequence[Fact], passages: Sequence[Passage]) -> list[Violation]:
    """The passages that do not stand in a text, each with the reasons.

    Args:
        text: in which every passage stands.
        facts: all that the text may state.
        passages: that came from a model.
    """
    # What was hoped for is in the claim about a hypothesis; in prose it would be evidence for itself.
    known = tuple(fact for fact in facts if not is_hypothesis(fact))
    reports = {prose: verify(text, known if prose else facts) for prose in {is_prose(passage) for passage in passages}}
    found = []
    for passage in passages:
        start = text.find(passage.statement.text)
        end = start + len(passage.statement.text)
        report = reports[is_prose(passage)]
        reasons = [f"{f.text!r}: {f.why}" for f in report.findings if f.start < end and f.end > start]
        if is_prose(passage):
            reasons += _unbacked(text[start:end], start, report)
        if reasons:
            said = passage.statement.text
            found.append(Violation(place=passage.place, said=said, why="; ".join(reasons[:3])))
    return found


def _unbacked(passage: str, start: int, report: Report) -> Iterator[str]:
    """What prose asserts that no fact was found for."""
    backed = [(each.start - start, each.end - start) for each in report.evidence]
    for sentence in _SENTENCE.finditer(passage):
        spelled = [*_WORD.finditer(sentence.group())]
        said = [word.group().lower() for word in spelled]
        for index, word in enumerate(spelled):
            at = sentence.start() + word.start()
            hedged = _HEDGES.intersection(said[:index]) or _MODALS.intersection(said[index + 1 : index + 4])
            if said[index] not in _CLAIMS or hedged:
                continue
            if not any(a <= at < b for a, b in backed):
                yield f"{word.group()!r} claims something; name its run and metric, choose a claim for it, or say may"
                return
