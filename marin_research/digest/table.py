"""The templates of a log: gives each line the one it belongs to, within bounds. Knows no files and reads no blocks.

Every line belongs to exactly one template. What is more than information is only masked, never merged with anything.
Beyond the bounds new kinds of lines share templates that say so; nothing is lost from the counts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from marin_research.digest.clean import clean, excerpt
from marin_research.digest.header import read_header
from marin_research.digest.mask import WILD, mask
from marin_research.digest.merge import merge
from marin_research.digest.reader import Reader
from marin_research.digest.severity import Judge, Severity
from marin_research.digest.template import Sighting, Template

if TYPE_CHECKING:
    from collections.abc import Callable

    from marin_research.digest.blocks import Place

MOST_PLAIN = 10_000
"""Kinds of lines that are mere information."""
MOST_GRAVE = 10_000
"""Kinds of all other lines."""
MOST_VARIANTS = 64
"""Messages that are kept of each of those."""
MOST_OUTCOMES = 64
"""Exit codes and the like that are remembered of lines that are otherwise the same."""

_VARIANT_BYTES = 16 << 20
_CACHE_BYTES = 12 << 20
_ENTRY_BYTES = 150
_LONGEST_KEY = 4096
_LONGEST_MASKED = 2000
_LONGEST_EXAMPLE = 2000
_LONGEST_PLAIN_EXAMPLE = 400
_BUCKETS = 1000
_DIGITS = b"0123456789"
_HEX = re.compile(rb"[0-9a-f]{6,}")


class Watched:
    """Lines that are the same but for their digits, which matter: they have to be read one by one."""

    def __init__(self, reader: Reader, templates: dict[tuple[bytes, ...], Template]) -> None:
        self.reader = reader
        self.templates = templates
        """By outcome: the numbers that tell success from failure."""


class Cache[T]:
    """Forgets everything when it has grown too large: what it knows can be found again."""

    def __init__(self) -> None:
        self._known: dict[bytes, T] = {}
        self._bytes = 0
        self.get = self._known.get

    def put(self, key: bytes, value: T) -> None:
        if len(key) > _LONGEST_KEY:
            return
        self._bytes += len(key) + _ENTRY_BYTES
        if self._bytes > _CACHE_BYTES:
            self.clear()
        self._known[key] = value

    def clear(self) -> None:
        self._known.clear()
        self._bytes = 0


class Table:
    """Args: spill: What is told of severe lines that got no template of their own, with their text."""

    def __init__(self, spill: Callable[[Place, str], object] | None = None) -> None:
        self.templates: dict[tuple[Severity, str], Template] = {}
        self.pools: dict[tuple[Severity, str], Template] = {}
        """Templates that many kinds of lines share, because there were too many."""
        self._judge = Judge()
        self._spill = spill
        self._plain = 0
        self._crowded = False
        self._variant_bytes = 0
        self._entries = Cache[Template | Watched]()
        self._alike = Cache[Template | Watched]()
        self.known = self._entries.get

    def entry(self, key: bytes, line: bytes, place: Callable[[], Place]) -> Template | Watched:
        """What to do with the lines of a new key, of which ``line`` is the first."""
        text = _HEX.sub(b"#", line).translate(None, _DIGITS) if len(line) <= _LONGEST_KEY else line
        entry = self._alike.get(text)
        if entry is None:
            entry = self._judged(line, place)
            self._alike.put(text, entry)
        elif isinstance(entry, Watched):
            entry = Watched(Reader(line), entry.templates)
        self._entries.put(key, entry)
        return entry

    def template(
        self, watched: Watched, outcome: tuple[bytes, ...], line: bytes, place: Callable[[], Place]
    ) -> Template:
        """The template of a line that is watched."""
        template = watched.templates.get(outcome)
        if template is None or len(line) > _LONGEST_KEY:
            template = self.classify(line, place)
            if len(watched.templates) < MOST_OUTCOMES:
                watched.templates[outcome] = template
        return template

    def classify(self, line: bytes, place: Callable[[], Place]) -> Template:
        """The template of a line, judged on all of it."""
        header = read_header(line)
        text = clean(line[header.end :])
        severity = self._judge.severity(header.level, text)
        grave = severity is not Severity.INFO
        around = self._judge.where(text, severity) if grave and len(text) > _LONGEST_MASKED else 0
        masked = mask(excerpt(text, _LONGEST_MASKED, around))
        template = self.templates.get((severity, masked))
        if template is None:
            limit = _LONGEST_EXAMPLE if grave else _LONGEST_PLAIN_EXAMPLE
            whole = clean(line)
            example = excerpt(whole, limit, around + len(whole) - len(text))
            template = self._new(severity, masked, example, place())
        return template

    def keep_variant(self, template: Template, message: bytes, place: Callable[[], Place]) -> Sighting | None:
        """Where a new message of a template is counted; None if there is no room for it."""
        size = len(message) + 2 * _ENTRY_BYTES
        if len(template.variants) >= MOST_VARIANTS or self._variant_bytes + size > _VARIANT_BYTES:
            return None
        self._variant_bytes += size
        return template.variants.setdefault(message, Sighting(place()))

    def tidy(self) -> None:
        """Merge information when there is too much of it; entries that were given out before are void after it."""
        if self._plain < MOST_PLAIN or self._crowded:
            return
        plain = {text: template for (severity, text), template in self.templates.items() if severity is Severity.INFO}
        for text, merged in merge(plain).items():
            if text != merged:
                template = self.templates.pop((Severity.INFO, text))
                template.text = merged
                self.templates.setdefault((Severity.INFO, merged), template).absorb(template)
        self._plain = sum(severity is Severity.INFO for severity, _ in self.templates)
        self._crowded = self._plain > MOST_PLAIN * 3 // 4
        self._entries.clear()
        self._alike.clear()

    def _judged(self, line: bytes, place: Callable[[], Place]) -> Template | Watched:
        template = self.classify(line, place)
        reader = Reader(line)
        if template.severity is Severity.INFO and not (reader.fields or reader.outcomes or len(line) > _LONGEST_KEY):
            return template
        return Watched(reader, {reader.outcome(reader.read([0], [line])[0])[0]: template})

    def _new(self, severity: Severity, text: str, example: str, first: Place) -> Template:
        grave = severity is not Severity.INFO
        if (len(self.templates) - self._plain if grave else self._plain) < (MOST_GRAVE if grave else MOST_PLAIN):
            self._plain += not grave
            template = self.templates[severity, text] = Template(
                text=text, severity=severity, example=example, first=first
            )
            return template
        if grave and self._spill:
            self._spill(first, example)
        word = "" if grave else text.partition(" ")[0][:40]
        if len(self.pools) >= _BUCKETS:
            word = ""
        pool = self.pools.get((severity, word))
        if pool is None:
            text = f"{word} {WILD}".strip()
            pool = self.pools[severity, word] = Template(text=text, severity=severity, example=example, first=first)
        return pool
