"""Judges how grave one line is, from its level, its words and its numbers. Knows no counts and no other lines."""

from __future__ import annotations

import re

from marin_research.digest.outcome import said_by_numbers, where_numbers_say, without_benign
from marin_research.digest.severity import RANK, Severity, graver, milder
from marin_research.digest.words import Vocabulary

_BOILERPLATE = re.compile(
    r"constant folding an instruction is taking > \d*s?|this isn't necessarily a bug[^\n]*|the operation took \d[\d.]*s"
    r"|(?:\[compiling module [^\]\n]*\] )?very slow compile\?[^\n]*|if you(?:'d like| want) to file a bug[^\n]*"
    r"|unable to register cu\w+ factory: attempting to register factory for plugin \w+ when one has already been"
    r"|ray deduplicates logs by default[^\n]*|extension modules: .*|\*{4,}",
    re.IGNORECASE,
)
"""What is logged as an error, or sounds like one, and is none."""
_LAST_WORDS = ("Killed", "Terminated", "Aborted", "Bus error")
"""All that a shell says of a program that a signal ended."""


class Judge:
    """Remembers the words it has seen, which makes it fast; its judgement does not depend on that."""

    def __init__(self) -> None:
        self._vocabulary = Vocabulary()

    def severity(self, level: str, text: str) -> Severity:
        """``level`` is one of D, I, W, E, F, or empty when the line has none; ``text`` is the whole line after it."""
        if text.strip() in _LAST_WORDS:
            return Severity.FATAL
        said = self._vocabulary.gravest(text)
        if said is not Severity.INFO or level in ("E", "F"):
            text, boilerplate = _BOILERPLATE.subn(" ", text)
            said = self._vocabulary.gravest(without_benign(text))
            level = "I" if boilerplate else level
        if said is Severity.SECONDARY:
            return said
        return _with_level(level, graver(said, said_by_numbers(text)))

    def where(self, text: str) -> int:
        """Where in a long line the reader should look."""
        by_numbers = RANK[said_by_numbers(text)] < RANK[self._vocabulary.gravest(text)]
        return (where_numbers_say(text) if by_numbers else self._vocabulary.where(text)) or 0


def _with_level(level: str, said: Severity) -> Severity:
    """A level that says error is believed; one that says less tones down what the words say."""
    if level in ("E", "F"):
        return graver(said, Severity.FATAL if level == "F" else Severity.ERROR)
    if level == "":
        return said
    if said is Severity.FATAL:
        return Severity.ERROR
    toned = milder(said, Severity.SUSPECT)
    return graver(toned, Severity.WARNING) if level == "W" else toned
