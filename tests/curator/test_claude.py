"""Drafting with a model: what it says right is in the draft, what it says wrong is not."""

from __future__ import annotations

from curator.verify import verify


def test_an_honest_answer_becomes_the_interpretation(sweep, written, honest):
    record = sweep()
    text, writing = written(record, honest)
    print(text)
    print(writing)
    assert verify(text, tuple(record[0].facts.values())).ok
    assert not writing.cut
