"""How often the verifier cries wolf and what it misses; ``python -m tests.evaluation`` tries all that these sample."""

from __future__ import annotations

import pytest

from curator.draft import DraftKind
from tests.evaluation import annotated, measuring, records
from tests.evaluation.measuring import Tally

KINDS = {
    "lr-sweep": (DraftKind.LOGBOOK, DraftKind.POST),
    "attention-kernel": (DraftKind.LOGBOOK, DraftKind.SESSION),
    "reward": (DraftKind.LOGBOOK, DraftKind.ISSUE),
    "remat": (DraftKind.SESSION, DraftKind.ISSUE),
}
"""Drafts of these threads are tried, the first two of our own experiments."""


@pytest.fixture(scope="module")
def sentences() -> Tally:
    return of_sentences("round[1-7]")


@pytest.fixture(scope="module")
def harder_sentences() -> Tally:
    """By writers who knew nothing of the verifier, on threads that it was not made with."""
    return of_sentences("round[89]")


def of_sentences(rounds: str) -> Tally:
    whole = Tally()
    for name in records.names():
        whole.add(measuring.of_sentences(name, rounds=rounds, every=8))
    return whole


@pytest.fixture(scope="module")
def drafts() -> Tally:
    whole = Tally()
    for name, kinds in KINDS.items():
        whole.add(measuring.of_drafts(name, kinds=kinds, most=2, share=1))
    return whole


def test_every_claim_in_the_texts_is_true_by_arithmetic_of_its_own():
    """A mistake in the evaluation would teach the verifier to make it."""
    samples = [sample for path in measuring.TEXTS.glob("*.txt") for sample in annotated.read(path)]
    wrong = [
        problem
        for sample in samples
        for problem in annotated.problems(sample, annotated.Truth(records.table(sample.thread)))
    ]

    assert wrong == []
    assert len(samples) >= 150


def test_right_sentences_raise_hardly_a_finding(sentences, harder_sentences):
    """Whoever is warned without need stops reading warnings."""
    assert sentences.false_alarms < 0.02, "\n".join(sentences.doubted)
    assert harder_sentences.false_alarms < 0.02, "\n".join(harder_sentences.doubted)


def test_errors_planted_in_sentences_are_found(sentences):
    """What a person writes over a draft is checked like the draft."""
    assert sentences.found >= 0.9, sentences.missed


def test_errors_planted_in_harder_sentences_are_found_less_often(harder_sentences):
    """It is what to expect of prose that nobody made the verifier with."""
    assert harder_sentences.found >= 0.75, harder_sentences.missed


def test_no_draft_of_the_template_is_doubted(drafts):
    """It is right, and everybody reads it first."""
    assert drafts.doubted == []


def test_errors_planted_in_drafts_are_found(drafts):
    """A draft that was edited, or made from another record than it says, does not pass."""
    assert drafts.found >= 0.99, drafts.missed
    assert drafts.planted.total() >= 100
