"""The templates of a log: gives each line the one it belongs to, within bounds. Knows no blocks and no readers.

Every line belongs to exactly one template. What is more than information is only masked, never merged with anything.
Beyond the bounds new kinds of lines share templates that say so; nothing is lost from the counts.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from marin_research.digest.clean import clean, excerpt
from marin_research.digest.header import read_header
from marin_research.digest.judge import Judge
from marin_research.digest.mask import WILD, mask
from marin_research.digest.merge import merge
from marin_research.digest.severity import Severity
from marin_research.digest.template import Shown, Sighting, Template

if TYPE_CHECKING:
    from collections.abc import Callable

    from marin_research.digest.blocks import Place

MOST_PLAIN = 10_000
"""Kinds of lines that are mere information."""
MOST_GRAVE = 4000
"""Kinds of lines of each other severity."""
MOST_SHOWN = 256
"""Messages, each of one host, that are kept of each of those."""
MOST_HOSTS = 4096

_SHOWN_BYTES = 16 << 20
_SHOWN_COST = 300
_LONGEST_MASKED = 2000
_LONGEST_EXAMPLE = 2000
_LONGEST_PLAIN_EXAMPLE = 400
_MOST_POOLS = 1000
_RAY = re.compile(r"(?:\[repeated \d+x across cluster\]|\(Ray deduplicates logs by default.*)")
"""What Ray puts behind a message that several workers printed."""
_LONGEST_POOLED = 40


class Templates:
    """Args: overflow: What is told of severe lines that got no template of their own, with their text."""

    def __init__(self, overflow: Callable[[Place, str], object] | None = None) -> None:
        self.own: dict[tuple[Severity, str], Template] = {}
        self.pools: dict[tuple[Severity, str], Template] = {}
        """Templates that many kinds of lines share, because there were too many."""
        self._judge = Judge()
        self._overflow = overflow
        self._distinct: Counter[Severity] = Counter()
        self._shown_bytes = 0
        self._crowded = False
        """Merging does not help."""

    def of(self, line: bytes, place: Callable[[], Place]) -> Template:
        """The template of a line, which is judged on all of it."""
        header = read_header(line)
        text = _RAY.sub("", clean(line[header.end :]))
        severity = self._judge.severity(header.level, text)
        grave = severity is not Severity.INFO
        if self._crowded and not grave:
            return self._pool(severity, text.partition(" ")[0], line, place)
        around = self._judge.where(text) if grave and len(text) > _LONGEST_MASKED else 0
        masked = mask(excerpt(text, _LONGEST_MASKED, around))
        template = self.own.get((severity, masked))
        if template is None:
            whole = clean(line)
            limit = _LONGEST_EXAMPLE if grave else _LONGEST_PLAIN_EXAMPLE
            example = excerpt(whole, limit, around + len(whole) - len(text))
            template = self._new(severity, masked, example, place)
        return template

    def sighting(self, template: Template, key: Shown, place: Callable[[], Place]) -> Sighting:
        """Where a new message of a host is counted: of its own, as long as there is room."""
        if len(template.shown) >= MOST_SHOWN or self._shown_bytes > _SHOWN_BYTES:
            key = key._replace(message=None) if len(template.shown) < MOST_HOSTS else Shown(0, b"", None)
            known = template.shown.get(key)
            if known:
                return known
        self._shown_bytes += len(key.message or b"") + _SHOWN_COST
        template.shown[key] = Sighting(place())
        return template.shown[key]

    @property
    def are_many(self) -> bool:
        """Whether it is time to ``merge``."""
        return self._distinct[Severity.INFO] >= MOST_PLAIN and not self._crowded

    def merge(self) -> None:
        """Merge information that differs in one word only. What was given out before is void after it."""
        plain = {text: template for (severity, text), template in self.own.items() if severity is Severity.INFO}
        for text, merged in merge(plain).items():
            if text != merged:
                template = self.own.pop((Severity.INFO, text))
                template.text = merged
                self.own.setdefault((Severity.INFO, merged), template).absorb(template)
        self._distinct[Severity.INFO] = sum(severity is Severity.INFO for severity, _ in self.own)
        self._crowded = self._distinct[Severity.INFO] > MOST_PLAIN * 3 // 4

    def _new(self, severity: Severity, text: str, example: str, place: Callable[[], Place]) -> Template:
        grave = severity is not Severity.INFO
        if self._distinct[severity] < (MOST_GRAVE if grave else MOST_PLAIN):
            self._distinct[severity] += 1
            template = Template(text=text, severity=severity, example=example, first=place())
            self.own[severity, text] = template
            return template
        if grave and self._overflow:
            self._overflow(place(), example)
        return self._pool(severity, "" if grave else text.partition(" ")[0], example.encode(), place)

    def _pool(self, severity: Severity, word: str, line: bytes, place: Callable[[], Place]) -> Template:
        """The template of all lines that begin with a word and have no template of their own."""
        word = word[:_LONGEST_POOLED] if len(self.pools) < _MOST_POOLS else ""
        pool = self.pools.get((severity, word))
        if pool is None:
            text, example = f"{word} {WILD}".strip(), excerpt(clean(line), _LONGEST_PLAIN_EXAMPLE)
            pool = Template(text=text, severity=severity, example=example, first=place(), is_pool=True)
            self.pools[severity, word] = pool
        return pool
