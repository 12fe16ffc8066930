"""What is known of lines that are alike: how many, where, on which hosts, in which variants. Decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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


class Shown(NamedTuple):
    """Who showed what."""

    stream: int
    host: bytes
    """As the line says; empty when it does not."""
    message: bytes | None
    """What stands behind the header; None for those messages that there was no room for."""


class Template(Sighting):
    """Lines that are the same but for what varies."""

    __slots__ = (
        "example",
        "in_tracebacks",
        "is_pool",
        "repeats",
        "severity",
        "shown",
        "text",
    )

    def __init__(self, *, text: str, severity: Severity, example: str, first: Place, is_pool: bool = False) -> None:
        super().__init__(first)
        self.is_pool = is_pool
        self.text = text
        """A line with ``<*>`` where its siblings differ."""
        self.severity = severity
        self.example = example
        """The first of the lines as it stood there."""
        self.shown: dict[tuple[int, bytes, bytes | None], Sighting] = {}
        """Like ``Shown``; only kept for lines that are more than information."""
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
        self.first = min(self.first, other.first)
        self.last = max(self.last, other.last)
