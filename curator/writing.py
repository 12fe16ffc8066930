"""How a model took part in a draft: which, at what cost, what was cut, what it was not shown. Knows no model."""

from __future__ import annotations

from dataclasses import dataclass

from marin_research.codec import Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A part of a model's answer that is not in the draft."""

    said: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """Something that was taken out of what a model was shown."""

    kind: str
    """As in its placeholder: ``github``, ``email``."""
    where: str
    """ID of the fact, or the part of the prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """A model's part in one draft. The tokens are those of all its answers; drafts of one launch share them."""

    model: str
    rounds: int = 0
    """Answers that were asked for; more than one where the first had to be mended."""
    seconds: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_written_tokens: int = 0
    cost_usd: float | Unknown = Unknown("no price is known")  # noqa: RUF009 - it is immutable
    prices: str = ""
    """The day of the price table."""
    opinions: tuple[str, ...] = ()
    """Passages of the text that are the model's own words, as they stand in it."""
    cut: tuple[Cut, ...] = ()
    left_out: tuple[str, ...] = ()
    """Evidence that did not fit into the budget."""
    masked: tuple[Masked, ...] = ()
    instead: str = ""
    """Why the template wrote this draft although the model was asked; empty where the model's answer is in it."""
