"""What became of a hypothesis: the model says what it comes down to, code decides.

How the model reads the hypothesis may be wrong, so the reading is shown, and where the words of the hypothesis
themselves can be held against the facts, they must agree with the outcome.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from pydantic import Field  # noqa: TID253

from curator.claims.base import Claim, Grounds, RefusedError, Statement
from curator.claims.criteria import Compared, Decided, Ended, Extreme, Reached
from curator.drafters import wording
from curator.facts import Fact, FactKind
from curator.verify import FindingKind, verify
from curator.verify.known.quantities import number_of
from curator.verify.reading.tokens import Lexer, Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.verify.text.numerals import Numeral

_CONTRADICTIONS = frozenset(
    {FindingKind.COMPARATIVE, FindingKind.DIRECTION, FindingKind.SUPERLATIVE, FindingKind.STATUS}
)
_BOUND = r"\b(?:by|within|least|most|up to|exceeds?)(?:\s(?:about|at least|at most|more than|less than))?"
_SAID = {"supported": "is supported", "refuted": "is refuted", "inconclusive": "is left open"}
_STATED = re.compile(r"The hypothesis of (?P<run>\S+) is (?P<said>supported|refuted|left open): (?P<why>.*)", re.DOTALL)
"""What ``_words`` writes."""


class Outcome(Claim):
    """Whether the record supports a hypothesis, by the tests that the hypothesis comes down to."""

    kind: Literal["hypothesis"]
    hypothesis: str = Field(description="the hypothesis fact of the run")
    tests: list[Compared | Reached | Extreme | Ended] = Field(
        max_length=4, description="all of them must hold; none where nothing that was measured decides it"
    )
    outcome: Literal["supported", "refuted", "inconclusive"]

    def state(self, grounds: Grounds) -> Statement:
        hypothesis = grounds.fact(self.hypothesis, FactKind.TEXT)
        if not is_hypothesis(hypothesis):
            raise RefusedError(f"{hypothesis.id} is no hypothesis")
        text = str(hypothesis.value)
        decided = [test.decide(grounds, lambda piece: _threshold(piece, text, grounds)) for test in self.tests]
        if (
            not any(hypothesis.subject in grounds.facts[use].subject for each in decided for use in each.uses)
            and decided
        ):
            raise RefusedError(f"the tests say nothing of {hypothesis.subject}, whose hypothesis it is")
        right = _outcome(decided)
        if right != self.outcome:
            raise RefusedError(
                f"by these tests the outcome is {right}: the record has {'; '.join(each.found for each in decided)}"
            )
        if self.outcome != "inconclusive":
            _require_whole(text, [piece for test in self.tests for piece in test.thresholds], grounds)
            _agree(self.outcome, hypothesis, grounds)
        return Statement(
            text=_words(self.outcome, hypothesis.subject, decided),
            uses=(hypothesis.id, *(use for each in decided for use in each.uses)),
        )


def is_hypothesis(fact: Fact) -> bool:
    """Whether a fact is what was hoped for, which is no result."""
    return fact.kind is FactKind.TEXT and fact.id.endswith("/hypothesis")


def _words(outcome: str, run_id: str, decided: Sequence[Decided]) -> str:
    head = f"The hypothesis of {run_id} {_SAID[outcome]}"
    if not decided:
        return f"{head}: nothing that was measured decides it."
    expected = wording.listed([each.expected for each in decided])
    several = len(decided) > 1
    found = "; ".join(f"{each.name} {each.found}" if several and each.name else each.found for each in decided)
    return f"{head}: it expected {expected}; the record has {found}."


def folded(sentences: Sequence[str]) -> tuple[str, ...]:
    """The sentences; where hypotheses of several runs came out alike, one for all of them, with an item for each."""
    found = {sentence: stated for sentence in sentences if (stated := _STATED.fullmatch(sentence))}
    alike: dict[str, list[re.Match[str]]] = {}
    for stated in found.values():
        alike.setdefault(stated["said"], []).append(stated)
    together = {said: _together(several) for said, several in alike.items() if len({s["run"] for s in several}) > 1}
    said = {sentence: together.get(stated["said"], sentence) for sentence, stated in found.items()}
    return tuple(dict.fromkeys(said.get(sentence, sentence) for sentence in sentences))


def _together(alike: Sequence[re.Match[str]]) -> str:
    whose = wording.listed(list(dict.fromkeys(stated["run"] for stated in alike)))
    items = [f"{stated['run']}: {stated['why']}" for stated in alike]
    return wording.with_items(f"The hypotheses of {whose} are {alike[0]['said']}.", items)


def _outcome(decided: Sequence[Decided]) -> str:
    results = [each.holds for each in decided]
    if False in results:
        return "refuted"
    return "inconclusive" if not results or None in results else "supported"


def _threshold(piece: str, text: str, grounds: Grounds) -> Numeral:
    """The one numeral in a piece of the hypothesis.

    Raises:
        RefusedError: the hypothesis has no such piece, or it holds no single numeral.
    """
    if not piece.strip() or " ".join(piece.split()) not in " ".join(text.split()):
        raise RefusedError(f"the hypothesis does not say {piece!r}; copy its threshold word for word")
    found = [token.numeral for token in _tokens(piece, grounds) if token.numeral is not None]
    if len(found) != 1:
        raise RefusedError(f"{piece!r} holds {len(found)} numbers; copy exactly one, with its unit")
    return found[0]


def _require_whole(text: str, thresholds: Sequence[str], grounds: Grounds) -> None:
    """Refuse an outcome by tests that pass over an amount.

    Raises:
        RefusedError: the hypothesis names an amount that no test uses.
    """
    configs = {number_of(fact) for fact in grounds.facts.values() if fact.kind is FactKind.CONFIG}
    used = {token.numeral.value for piece in thresholds for token in _tokens(piece, grounds) if token.numeral}
    for token in _tokens(text, grounds):
        if token.kind is not TokenKind.NUMBER or token.numeral is None or token.numeral.value in used:
            continue
        bound = re.search(
            rf"{_BOUND}\s+{re.escape(token.text)}|{re.escape(token.text)}\S*(?:\s\S+)?\s+at (?:most|least)", text
        )
        setting = token.numeral.unit is None and token.numeral.value in configs and not bound
        if token.numeral.word or setting:
            continue  # the setting that the run tries, or a count in passing
        if re.search(rf"{re.escape(token.text)}\s*(?:steps?|epochs?|tokens?|seeds?|layers?|devices?)\b", text):
            continue
        raise RefusedError(
            f"the hypothesis names {token.text!r}; use it as the threshold of a test, or say inconclusive"
        )


def _agree(outcome: str, hypothesis: Fact, grounds: Grounds) -> None:
    """Hold the words of the hypothesis themselves against the facts.

    Raises:
        RefusedError: they cannot be both so and have this outcome.
    """
    # With the hypotheses among the facts, each would back itself.
    facts = tuple(fact for fact in grounds.evidence.facts.values() if not is_hypothesis(fact))
    report = verify(f"{hypothesis.subject}: {hypothesis.value}\n", facts)
    wrong = [finding for finding in report.findings if finding.kind in _CONTRADICTIONS]
    if outcome == "supported" and wrong:
        raise RefusedError(f"the record contradicts {wrong[0].text!r} of the hypothesis: {wrong[0].why}")


def _tokens(text: str, grounds: Grounds) -> list[Token]:
    return Lexer.of(tuple(grounds.facts.values())).plain(text)
