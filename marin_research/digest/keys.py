"""Knows for each line of a block what to do with it: to count it, or to read it because its digits matter.

A key is a line without its digits. Few distinct ones stand for nearly all lines, so Python looks at those only.
"""

from __future__ import annotations

import re
from functools import partial
from itertools import batched, repeat
from typing import TYPE_CHECKING

import numpy as np

from marin_research.digest.reader import LONGEST, Reader
from marin_research.digest.severity import Severity, is_error
from marin_research.digest.tracebacks import CONTINUES, prefixes_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from marin_research.digest.blocks import Block, Numbers, Place
    from marin_research.digest.reader import Row
    from marin_research.digest.template import Template
    from marin_research.digest.templates import Templates

MOST_OUTCOMES = 256
"""Exit codes and the like that are remembered of lines that are otherwise the same."""

_CACHE_BYTES = 16 << 20
_LONGEST_KEY = 1 << 16
_KEY_BYTES = 150
_KIND_BYTES, _READER_BYTES = 400, 2000
_TOGETHER = 2048
"""So many new keys are looked at together."""
_DIGITS = b"0123456789"
_HEXADECIMAL = bytes(2 if chr(code) in "0123456789" else chr(code) in "abcdef" for code in range(256))
_LONGEST_TEXT = 400
_MOST_PREFIXES = 100


class Kind:
    """What to do with the lines of one key, and of others that differ from it in what looks like an identifier."""

    __slots__ = ("by_numbers", "by_outcome", "is_telling", "prefixes", "reader", "tells_outcome", "template", "text")

    def __init__(self, line: bytes, text: bytes, template: Template, reader: Reader | None) -> None:
        self.template = template
        """Of the first of them."""
        self.reader = reader
        """None if they need not be read, only counted."""
        self.text = text[:_LONGEST_TEXT]
        """What they have in common."""
        self.is_telling = reader is not None and (reader.repeats is not None or is_error(template.severity))
        """Each of them is to be read; of others, which are measurements and warnings, a sample is enough."""
        self.prefixes = tuple(map(without_identifiers, prefixes_of(line)))
        """How lines may begin that belong to the traceback that starts here, if one does."""
        self.tells_outcome = reader is not None and reader.tells_outcome
        self.by_numbers: dict[Row, Template] = {}
        """The templates of those that tell an outcome, which depend on their numbers."""
        self.by_outcome: dict[Row, Template] = {}
        if reader and self.tells_outcome:
            self.by_outcome[reader.outcome(reader.numbers([line])[0])] = template


class Keys:
    """A cache: what it knows can be found again."""

    def __init__(self, templates: Templates) -> None:
        self.kinds: list[Kind] = []
        self._templates = templates
        self._numbers: dict[bytes, int] = {}
        """Where in ``kinds`` a key's is; the same for lines without what looks like an identifier."""
        self._bytes = 0
        self._prefixes: set[bytes] = set()
        """How lines of tracebacks begin."""
        self._continuation: re.Pattern[bytes] | None = None
        self._continues: list[bool] = []
        """Of the first kinds, whether their lines match it."""

    def look_up(self, block: Block) -> Numbers:
        """For each line of a block the index of its kind."""
        keys = block.keys
        found = np.fromiter(map(self._numbers.get, keys, repeat(-1)), np.intp, len(keys))
        new = np.flatnonzero(found < 0)
        for part in batched(new.tolist(), _TOGETHER):
            first: dict[bytes, int] = {}
            for index in part:
                first.setdefault(keys[index], index)
            numbers = self._learn(block, first)
            found[list(part)] = [numbers[keys[index]] for index in part]
        return found

    def template(self, kind: Kind, numbers: Row, block: Block, index: int) -> Template:
        """The template of lines that tell an outcome by these numbers, one of which is given."""
        assert kind.reader  # noqa: S101 - it was read
        template = kind.by_numbers.get(numbers)
        if template is None:
            outcome = kind.reader.outcome(numbers)
            template = kind.by_outcome.get(outcome) or self._templates.of(
                block.line(index), partial(block.place, index)
            )
            for known, key in ((kind.by_outcome, outcome), (kind.by_numbers, numbers)):
                if len(known) < MOST_OUTCOMES:
                    known[key] = template
        return template

    def continuing(self) -> list[int]:
        """The kinds of lines that may go on with a traceback."""
        if self._continuation is None:
            prefixes = b"|".join(map(re.escape, self._prefixes))
            self._continuation = re.compile(b"(?:" + prefixes + b")" + CONTINUES)
            self._continues.clear()
        match = self._continuation.match
        self._continues += (match(kind.text) is not None for kind in self.kinds[len(self._continues) :])
        return [number for number, continues in enumerate(self._continues) if continues]

    def tidy(self) -> None:
        """Keep within bounds; what was given out is void after it."""
        if self._templates.are_many:
            self._templates.merge()
        elif self._bytes < _CACHE_BYTES:
            return
        self.kinds.clear()
        self._numbers.clear()
        self._continues.clear()
        self._bytes = 0

    def _learn(self, block: Block, first: dict[bytes, int]) -> dict[bytes, int]:
        """The kinds of keys that are new, given the first line of each."""
        lines = block.lines(np.array(list(first.values())))
        texts = without_identifiers(b"\n".join(line[:LONGEST] for line in lines)).split(b"\n")
        for (key, index), line, text in zip(first.items(), lines, texts, strict=True):
            marked = b"#" + text
            number = self._numbers.get(marked) if len(line) <= LONGEST else None
            if number is None:
                number = self._new(line, text, partial(block.place, index))
                if len(line) <= LONGEST:
                    self._remember(marked, number)
            self._remember(key, number)
            first[key] = number
        return first

    def _new(self, line: bytes, text: bytes, place: Callable[[], Place]) -> int:
        template = self._templates.of(line, place)
        reader = None if template.is_pool else Reader(line)  # the lines of a pool are only counted
        if reader and template.severity is Severity.INFO and not reader.finds:
            reader = None
        kind = Kind(line, text, template, reader)
        if not self._prefixes.issuperset(kind.prefixes) and len(self._prefixes) < _MOST_PREFIXES:
            self._prefixes.update(kind.prefixes)
            self._continuation = None
        self._bytes += _KIND_BYTES + (_READER_BYTES if reader else 0)
        self.kinds.append(kind)
        return len(self.kinds) - 1

    def _remember(self, key: bytes, number: int) -> None:
        if len(key) <= _LONGEST_KEY:
            self._bytes += len(key) + _KEY_BYTES
            self._numbers[key] = number


def without_identifiers(text: bytes) -> bytes:
    """The text without its digits and what looks hexadecimal around them: ``dead`` is a word, ``dead5`` is not."""
    kinds = np.frombuffer(text.translate(_HEXADECIMAL), np.uint8)
    edges = np.flatnonzero(np.diff(kinds > 0, prepend=False, append=False))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return text
    has_digit = np.maximum.reduceat(kinds, starts) == 2
    changes = np.zeros(len(text) + 1, np.int8)
    changes[starts[has_digit]] = 1
    changes[ends[has_digit]] = -1
    kept = np.cumsum(changes[:-1], dtype=np.int8) == 0
    return bytes(np.frombuffer(text, np.uint8)[kept])
