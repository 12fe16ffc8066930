"""A model that answers from a script: for trying the path without a key, and for tests of what reads its answers."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from curator.model.port import Answer, ModelError, Request, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_CHARACTERS_A_TOKEN = 4


class ScriptedModel:
    """Gives the replies in order, the last one again and again, and remembers what it was asked."""

    def __init__(self, replies: Iterable[str | ModelError], *, name: str = "scripted") -> None:
        self.name = name
        self.requests: list[Request] = []
        self._replies = deque(replies)

    def count(self, request: Request) -> int | None:
        """About one token for four characters."""
        return sum(map(len, (*request.system, *(turn.text for turn in request.turns)))) // _CHARACTERS_A_TOKEN

    def ask(self, request: Request, on_text: Callable[[str], None]) -> Answer:
        self.requests.append(request)
        reply = self._replies.popleft() if len(self._replies) > 1 else self._replies[0]
        if isinstance(reply, ModelError):
            raise reply
        on_text(reply)
        used = Usage(input_tokens=self.count(request) or 0, output_tokens=len(reply) // _CHARACTERS_A_TOKEN)
        return Answer(text=reply, usage=used, stop_reason="end_turn", model=self.name)
