"""Judges names that nobody recorded: of settings and flags in code, ``--batch-size 64``, and of errors, ``KeyError``.

A number in a piece of code may be known while the key before it is not.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.reading.holders import holders
from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind

if TYPE_CHECKING:
    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector

_SETTING = re.compile(r"([a-z_][\w.]*)=[^\s=]+")
_FLAG = re.compile(r"--([a-z][\w-]*)(?:[= ]\S+)?")
_KEY = re.compile(r"[a-z]\w*_\w*")
_SET_TO = frozenset({"to", "=", "from", "of", "at"})
_ERROR = re.compile(r"\w*[a-z](?:Error|Exception)")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


class Unrecorded:
    """The rule for names of settings and errors."""

    def __init__(self, world: World) -> None:
        self._world = world

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:
        for i, token in enumerate(s.tokens):
            if token.kind not in {TokenKind.CODE, TokenKind.WORD} or s.hedged(i) or s.negated(i):
                continue
            if any(issue.start == token.start for issue in found.issues):
                continue
            if _ERROR.fullmatch(token.text):
                self._check_error(reader, s, i, found)
            elif token.kind is TokenKind.CODE and (key := _key(s, i)) and not self._is_known(key):
                found.object_to(FindingKind.NAME, token, "no recorded setting is called so")

    def _is_known(self, key: str) -> bool:
        """Whether a setting is called so, or the facts speak of it at all."""
        name = key.replace("-", "_")
        last = name.rpartition(".")[2]
        return {name, last} <= self._keys or last in self._keys or key.lower() in self._world.words

    @cached_property
    def _keys(self) -> frozenset[str]:
        """The keys of settings and their last parts, and the flags of commands."""
        keys = {part for key in self._world.configs for part in (key, key.rpartition(".")[2])}
        commands = (text for fact, text in self._world.strings if fact.kind is FactKind.COMMAND)
        flags = {flag for text in commands for flag in re.findall(r"(?<!\S)--?([A-Za-z][\w-]*)", text)}
        return frozenset(key.replace("-", "_") for key in keys | flags)

    # -- errors -------------------------------------------------------------------------------------------------

    def _check_error(self, reader: Reader, s: Sentence, i: int, found: Collector) -> None:
        token = s.tokens[i]
        of = self._raised(token.text)
        told = holders(reader, s, i)
        if of is None:
            found.object_to(FindingKind.NAME, token, "no fact has this error")
        elif of and told and not any(runs & of for runs in told):
            found.object_to(FindingKind.ATTRIBUTION, token, f"{token.text} is of {', '.join(sorted(of)[:3])}")

    def _raised(self, name: str) -> frozenset[str] | None:
        """The runs whose facts have an error, by its name or in words, ``out of memory``; None where no fact has it."""
        words = " ".join(_HUMP.split(name)[:-1]).lower()
        held = [
            fact.subject
            for fact, text in self._world.strings
            if re.search(rf"(?<!\w){name}(?!\w)", text) or (" " in words and words in text.lower())
        ]
        return frozenset(held) - {""} if held else None


def _key(s: Sentence, i: int) -> str:
    """The setting that a piece of code names, ``lr=0.1``, ``--lr 0.1``, ``warmup_steps`` before "to 500"."""
    text = s.tokens[i].text
    if found := _SETTING.fullmatch(text) or _FLAG.fullmatch(text):
        return found[1]
    told = s.word(i + 1) in _SET_TO or (s.word(i + 1) == "" and s.word(i + 2) in _SET_TO)
    valued = TokenKind.NUMBER in {s.kind(i + 2), s.kind(i + 3)}
    return text if _KEY.fullmatch(text) and told and valued else ""
