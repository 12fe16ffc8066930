"""The runs among which a sentence speaks: ``Seeds at batch 4096: ...``, ``Within HNSW, ...``. Reads words alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.verify.reading.mentions import FRAMING
from curator.verify.text import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.verify.reading.mentions import Mention
    from curator.verify.reading.sentences import Sentence

_TITLE = 6
"""Tokens within which a sentence says of which runs it will speak."""


def frame(s: Sentence, runs: Sequence[Mention]) -> frozenset[str]:
    """The runs that it sets out to speak of: ``Seeds at batch 4096: seed 0 is ahead``, ``Within HNSW, M32 is``."""
    first = runs[0] if runs else None
    if first is None or len(first.meant) < 2 or first.reference or first.first > _TITLE:
        return frozenset()
    behind = s.skip(first.last + 1, words.RUN_NOUNS)
    titled = s.word(behind) == ":" and s.word(behind - 1) != "("
    fronted = s.word(behind) == "," and s.word(s.skip(first.first - 1, words.ARTICLES, -1)) in FRAMING
    return first.meant if titled or fronted else frozenset()
