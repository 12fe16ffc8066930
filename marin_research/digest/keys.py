"""Knows for each line of a block what to do with it: to count it, or to read it because its digits matter.

A key is a line without its digits. Few distinct ones stand for nearly all lines, so Python looks at those only.
"""

from __future__ import annotations

import re
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING

import numpy as np

from marin_research.digest.reader import LONGEST, Reader
from marin_research.digest.severity import Severity, is_error
from marin_research.digest.tracebacks import starts_traceback

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
_READER_BYTES = 2000
_DIGITS = b"0123456789"
_IDENTIFIERS = (re.compile(rb"[0-9a-f]{5,}"), re.compile(rb"[a-f]*[0-9][0-9a-f]*"))
"""The first is faster, the second finds the short ones. Neither takes ``dead`` for an identifier."""


class Kind:
    """What to do with the lines of one key."""

    __slots__ = ("by_numbers", "by_outcome", "is_telling", "reader", "starts_traceback", "tells_outcome", "template")

    def __init__(self, line: bytes, template: Template, reader: Reader | None) -> None:
        self.template = template
        """Of the first of them."""
        self.reader = reader
        """None if they need not be read, only counted."""
        self.tells_outcome = reader is not None and reader.tells_outcome
        """The template of a line depends on its numbers."""
        counts = reader is not None and reader.repeats is not None
        self.is_telling = counts or self.tells_outcome or is_error(template.severity)
        """Each of them is to be read; of others, which are measurements and warnings, a sample is enough."""
        self.starts_traceback = starts_traceback(line)
        self.by_numbers: dict[Row, Template] = {}
        """The templates of those that tell an outcome."""
        self.by_outcome: dict[Row, Template] = {}
        if reader and self.tells_outcome:
            self.by_outcome[reader.outcome(reader.numbers(reader.read([line])[0]))] = template

    def like(self, line: bytes) -> Kind:
        """The same for a line that has another key but the same text around its identifiers."""
        kind = Kind(line, self.template, Reader(line))
        kind.by_outcome = self.by_outcome
        return kind


class Keys:
    """A cache: what it knows can be found again."""

    def __init__(self, templates: Templates) -> None:
        self.kinds: list[Kind] = []
        self._templates = templates
        self._numbers: dict[bytes, int] = {}
        """Where in ``kinds`` a key's is; the same for lines without what looks like an identifier."""
        self._of_template: dict[Template, int] = {}
        self._bytes = 0

    def look_up(self, block: Block) -> Numbers:
        """For each line of a block the index of its kind."""
        found = np.fromiter(map(self._numbers.get, block.keys, repeat(-1)), np.intp, len(block))
        for index in np.flatnonzero(found < 0).tolist():
            key = block.keys[index]
            number = self._numbers.get(key)
            if number is None:
                number = self._number(block.line(index), partial(block.place, index))
                self._remember(key, number)
            found[index] = number
        return found

    def template(self, kind: Kind, row: Row, block: Block, index: int) -> Template:
        """The template of a line that was read and tells an outcome."""
        assert kind.reader  # noqa: S101 - it was read
        numbers = kind.reader.numbers(row)
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

    def tidy(self) -> None:
        """Keep within bounds; what was given out is void after it."""
        if self._templates.are_many:
            self._templates.merge()
        elif self._bytes < _CACHE_BYTES:
            return
        self.kinds.clear()
        self._numbers.clear()
        self._of_template.clear()
        self._bytes = 0

    def _number(self, line: bytes, place: Callable[[], Place]) -> int:
        texts: list[bytes] = []
        for identifiers in () if len(line) > LONGEST else _IDENTIFIERS:
            texts.append(b"#" + identifiers.sub(b"#", line).translate(None, _DIGITS))
            number = self._numbers.get(texts[-1])
            if number is not None:
                known = self.kinds[number]
                return self._add(known.like(line)) if known.reader else number
        number = self._new(line, place)
        for text in texts:
            self._remember(text, number)
        return number

    def _new(self, line: bytes, place: Callable[[], Place]) -> int:
        template = self._templates.of(line, place)
        if not template.is_pool or starts_traceback(line):  # the lines of a pool are only counted
            reader = Reader(line)
            if reader.fields or reader.repeats or reader.tells_outcome or template.severity is not Severity.INFO:
                return self._add(Kind(line, template, reader))
        number = self._of_template.get(template)
        if number is None:
            number = self._of_template[template] = self._add(Kind(line, template, None))
        return number

    def _add(self, kind: Kind) -> int:
        self._bytes += _READER_BYTES if kind.reader else 0
        self.kinds.append(kind)
        return len(self.kinds) - 1

    def _remember(self, key: bytes, number: int) -> None:
        if len(key) <= _LONGEST_KEY:
            self._bytes += len(key) + _KEY_BYTES
            self._numbers[key] = number
