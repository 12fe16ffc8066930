"""Judges what is quoted: fenced commands, configs and log lines, blockquotes, and words in quotation marks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind
from curator.verify.rules.references import is_command, squeeze
from curator.verify.text.blocks import BlockKind, normalise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.verify.known.world import World
    from curator.verify.reading.tokens import Token
    from curator.verify.report import Collector
    from curator.verify.rules.references import References
    from curator.verify.text.blocks import Block

_SHELLS = frozenset({"bash", "sh", "shell", "console", "zsh"})
_PAIR = re.compile(
    r"^\s*[\"']?(?P<key>[A-Za-z_][\w./-]*)[\"']?\s*[:=]\s*[\"']?(?P<value>[^\"',#{}\[\]]+?)[\"']?\s*,?\s*(?:#.*)?$"
)
_QUOTABLE = frozenset({FactKind.QUOTE, FactKind.TEXT, FactKind.COMMAND, FactKind.STATUS})
_NOTE = re.compile(r"\s*\[?!?(?:note|warning|tip|important|caution|tl;?dr)\b", re.IGNORECASE)
_SAYS = re.compile(
    r"(?:log|logs|logged|printed|prints|message|error|says|said|reads|wrote|output|raised|warning|with)\W{0,12}$",
    re.IGNORECASE,
)
_QUOTED = re.compile(r'"([^"\n]{8,}?)"')
_ELLIPSIS = re.compile(r"\s*(?:\.\.\.|\u2026|\[\.\.\.\])\s*")


class Quotations:
    """The rule for quotations."""

    def __init__(self, world: World, references: References) -> None:
        self._references = references
        self._world = world
        self._texts = [(f.id, squeeze(text)) for f, text in world.strings if f.kind in _QUOTABLE]

    def check(self, block: Block, tokens: list[Token], found: Collector) -> None:
        if block.kind is BlockKind.FENCE:
            self._fence(block, found)
        elif block.quoted and not _NOTE.match(block.text):
            self._blockquote(block, tokens, found)
        else:
            self._marks(block, tokens, found)

    def _fence(self, block: Block, found: Collector) -> None:
        whole = squeeze(block.text)
        if ids := self._quoting(whole) or self._references.code_ids(block.text):
            found.support(block.start, block.end, ids)
            return
        shell = block.info in _SHELLS
        for start, line in _logical_lines(block.text):
            at = block.start + start
            if not line.strip() or line.strip().startswith("#"):
                continue
            if shell or is_command(line.strip()):
                self._command(line, at, found)
            elif ids := self._quoting(squeeze(line)) or self._pair(line):
                found.support(at, at + len(line), ids)
            elif any(c.isalnum() for c in line):
                found.object(FindingKind.QUOTE, at, at + len(line.rstrip()), "no recorded line is this one")

    def _command(self, line: str, at: int, found: Collector) -> None:
        wanted = squeeze(line.strip())
        ids = [f.id for f, known in self._world.strings if f.kind is FactKind.COMMAND and squeeze(known) == wanted]
        if ids:
            found.support(at, at + len(line), ids)
        else:
            found.object(FindingKind.COMMAND, at, at + len(line.rstrip()), "no recorded command is this one")

    def _pair(self, line: str) -> list[str]:
        """The config facts that a ``key: value`` line states."""
        pair = _PAIR.match(line)
        if not pair:
            return []
        key, value = pair["key"], pair["value"].strip()
        names = {name for name in self._world.configs if name == key or name.endswith((f".{key}", f"/{key}"))}
        facts = [f for name in names for f in self._world.configs[name].values()]
        return [f.id for f in facts if _is_value(f.value, value)]

    def _quoting(self, text: str) -> list[str]:
        """The facts that a quotation is a contiguous part of; an ellipsis joins two parts of one fact."""
        parts = [part for part in _ELLIPSIS.split(text.strip()) if part]
        if not parts or sum(map(len, parts)) < 3:
            return []
        return [fact_id for fact_id, known in self._texts if all(part in known for part in parts)]

    def _blockquote(self, block: Block, tokens: list[Token], found: Collector) -> None:
        if ids := self._quoting(squeeze(block.text)):
            found.support(block.start, block.end, ids)
        elif block.text.rstrip().endswith("?"):
            return  # somebody's question, which is answered below it
        elif any(token.kind not in {TokenKind.FACT, TokenKind.PUNCT} for token in tokens):
            found.object_to(FindingKind.QUOTE, block, "no recorded line holds this quotation")

    def _marks(self, block: Block, tokens: list[Token], found: Collector) -> None:
        """Quotation marks after "the log says" and the like."""
        for quoted in _QUOTED.finditer(block.text):
            at = block.start + quoted.start(1)
            known = self._quoting(squeeze(quoted[1].strip(" .,;")))
            if known:
                found.support(at, at + len(quoted[1]), known)
            elif _SAYS.search(block.text[: quoted.start()]) and len(quoted[1].split()) > 1 and not _covered(tokens, at):
                found.object(FindingKind.QUOTE, at, at + len(quoted[1]), "no recorded line holds this quotation")

    def quoted_spans(self, block: Block) -> list[tuple[int, int]]:
        """Where a block quotes facts word for word, so that nothing inside is a claim of its own."""
        if block.quoted and self._quoting(squeeze(block.text)):
            return [(block.start, block.end)]
        found = [(q, self._quoting(squeeze(q[1].strip(" .,;")))) for q in _QUOTED.finditer(block.text)]
        return [(block.start + q.start(1), block.start + q.end(1)) for q, ids in found if ids]


def _covered(tokens: list[Token], at: int) -> bool:
    return any(token.kind is TokenKind.FACT and token.start <= at < token.end for token in tokens)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their offsets, a line that ends in a backslash joined to the next."""
    start, at = 0, 0
    for line in text.splitlines(keepends=True):
        at += len(line)
        if not line.rstrip("\r\n").endswith("\\"):
            yield start, text[start:at].rstrip("\r\n")
            start = at
    if start < len(text):
        yield start, text[start:]


def _is_value(known: object, written: str) -> bool:
    if normalise(str(known)).lower() == written.lower():
        return True
    try:
        return isinstance(known, int | float) and float(known) == float(written)
    except ValueError:
        return False
