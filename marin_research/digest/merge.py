"""Finds masked lines that differ in one word only, and makes that word a ``<*>``. Knows no counts and no raw text."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING

from marin_research.digest.mask import WILD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

type Tokens = tuple[str, ...]

_TOKEN = re.compile(r"[^\s=,:;()\[\]\"'|]+|[=,:;()\[\]\"'|]|\s+")
_WORD = re.compile(r"[A-Za-z_]{2,}")
_OUTCOME = re.compile(
    r"err|fail|succe|warn|fatal|abort|kill|crash|except|^nan$|^inf$|oom|denied|refused|time|invalid|lost|dead|panic"
    r"|preempt|health|start|stop|open|clos|^up$|^down$|true|false|^ok$|enable|disable|^on$|^off$|accept|reject|begin"
    r"|^end$|^add|remov|delet|creat|^yes$|^no$|^not$|connect|send|sent|receiv|read|writ|load|sav|regist|mount|attach"
    r"|run|exit|wait|halt|alive|pass",
    re.IGNORECASE,
)
_ROUNDS = 4
_DISTINCT = 6
_CONSTANT = 2


def merge(masks: Iterable[str]) -> dict[str, str]:
    """For each mask the one that stands for it, which is itself unless it was merged."""
    current = {mask: tuple(_TOKEN.findall(mask)) for mask in masks}
    tells_outcome = cache(lambda token: _OUTCOME.search(token) is not None)
    for _ in range(_ROUNDS):
        changed = _round(set(current.values()), tells_outcome)
        if not changed:
            break
        current = {mask: changed.get(tokens, tokens) for mask, tokens in current.items()}
    return {mask: "".join(tokens) for mask, tokens in current.items()}


def _round(all_tokens: set[Tokens], tells_outcome: Callable[[str], bool]) -> dict[Tokens, Tokens]:
    """What becomes of the lines that differ from enough others in exactly one place."""
    groups: dict[tuple[int, int, int], list[Tokens]] = defaultdict(list)
    for tokens in sorted(all_tokens):
        parts = list(map(hash, enumerate(tokens)))
        whole = sum(parts)
        for place in _places(tokens):
            groups[len(tokens), place, whole - parts[place]].append(tokens)  # all but one are the same
    best: dict[Tokens, tuple[int, int]] = {}
    for (_, place, _), group in groups.items():
        words = [tokens for tokens in group if tokens[place] == WILD or not tells_outcome(tokens[place])]
        wild = any(tokens[place] == WILD for tokens in words)
        if len(words) >= (2 if wild else _DISTINCT):
            for tokens in words:
                best[tokens] = max(best.get(tokens, (0, 0)), (len(words), place))
    return {
        tokens: (*tokens[:place], WILD, *tokens[place + 1 :])
        for tokens, (_, place) in best.items()
        if tokens[place] != WILD
    }


def _places(tokens: Tokens) -> list[int]:
    """Where a line may vary: words, as long as enough constant ones are left."""
    constant = [bool(_WORD.match(token)) for token in tokens]
    left = sum(constant) - _CONSTANT
    return [
        place
        for place, token in enumerate(tokens)
        if (token == WILD or len(token) > 1 or token.isalnum()) and not token.isspace() and left - constant[place] >= 0
    ]
