"""What a write-up says beyond its tables: findings in words, opinions, next steps. Every drafter gives one of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One reading of the record, shared by every kind of write-up, so that none tells another story."""

    findings: tuple[str, ...]
    """Sentences that the facts entail, the most important first; one about several runs may have items below it."""
    caveats: tuple[str, ...] = ()
    """Sentences that no write-up leaves out: what came to no result, and whether comparisons are fair."""
    opinions: tuple[str, ...] = ()
    """Passages of a model's own words about what it means."""
    actions: tuple[str, ...] = ()
    """What to try or to decide next; a model's own words among them are marked."""
    author: str = ""
    """The model behind the opinions."""

    def interpretation(self, *, findings: int | None = None) -> Iterator[str]:
        """The lines below Interpretation, or the most important of them."""
        yield from self.findings[:findings]
        yield from self.caveats
        yield from (f"{opinion_mark(self.author)} {text}" for text in self.opinions)


def opinion_mark(author: str) -> str:
    """What stands before a passage of a model's own words."""
    return f"(opinion of {author})"
