"""How a model is asked, and which. Knows no API."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from curator.model.messages import DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MODEL_VARIABLE = "MARIN_RESEARCH_MODEL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a model is asked."""

    model: str = ""
    """Its name; else that of ``MARIN_RESEARCH_MODEL``, of the thread, or the default."""
    budget_tokens: int = 90_000
    """Input and output of all answers for all that is asked for at once together."""
    deadline_s: float = 300.0
    """Seconds for all of it, retries and mending included."""
    max_output_tokens: int = 8_000
    progress: Callable[[str], None] = field(default=lambda _: None)
    """Told what is being done, in a few words."""


def model_name(options: Options, declared: str, environ: Mapping[str, str] = os.environ) -> str:
    """The model to ask.

    Args:
        options: what the person said.
        declared: what the thread says; may be empty.
        environ: where ``MARIN_RESEARCH_MODEL`` may stand.
    """
    return options.model or environ.get(MODEL_VARIABLE, "") or declared or DEFAULT_MODEL
