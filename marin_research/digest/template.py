"""What is known of lines that are alike: how many, where, on which hosts, in which variants. Decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from marin_research.digest.blocks import Place
    from marin_research.digest.severity import Severity


class Sighting:
    """How often something was seen, and where first and last."""

    __slots__ = ("count", "first", "last")

    def __init__(self, first: Place) -> None:
        self.count = 0
        self.first = first
        self.last = first


class Template(Sighting):
    """Lines that are the same but for what varies."""

    __slots__ = (
        "example",
        "hosts",
        "in_tracebacks",
        "more_variants",
        "repeats",
        "severity",
        "streams",
        "text",
        "variants",
    )

    def __init__(self, *, text: str, severity: Severity, example: str, first: Place) -> None:
        super().__init__(first)
        self.text = text
        """A line with ``<*>`` where its siblings differ."""
        self.severity = severity
        self.example = example
        """The first of the lines as it stood there."""
        self.streams = 0
        """A set of stream numbers, as bits."""
        self.hosts: dict[str, Sighting] = {}
        """By what the lines say of their host; only kept for lines that are more than information."""
        self.variants: dict[bytes, Sighting] = {}
        """By message, the first few; only kept for lines that are more than information."""
        self.more_variants = 0
        """Lines whose message is not among ``variants``."""
        self.repeats = 0
        """Further lines that Ray counted instead of printing them."""
        self.in_tracebacks = 0
        """Lines that stand in a traceback."""

    def absorb(self, other: Template) -> None:
        """Count the lines of ``other`` too."""
        if other is self:
            return
        self.count += other.count
        self.repeats += other.repeats
        self.in_tracebacks += other.in_tracebacks
        self.streams |= other.streams
        self.first = min(self.first, other.first)
        self.last = max(self.last, other.last)
