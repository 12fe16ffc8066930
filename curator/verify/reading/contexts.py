"""What a block's place says about it: the run in its heading, its field label, its table row and column.

Knows no rule about values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from curator.verify.reading.sentences import Context
from curator.verify.reading.tokens import Token, TokenKind
from curator.verify.text import units, words
from curator.verify.text.blocks import Block, BlockKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from curator.verify.known.vocabulary import Vocabulary
    from curator.verify.known.world import World

_LABEL = re.compile(r"\s*([A-Z][A-Za-z /&'-]{1,40}?)\s*:(?:\s|$)")
_BARE_LABEL = re.compile(r"\s*([A-Z][A-Za-z /&'-]{1,40}?)\s*:?\s*$")
_CHANGE_COLUMN = re.compile(
    r"\u0394|\u2206|\bdelta\b|\bdiff|\bchange\b|\bvs\b|\bgain\b|\bimprovement\b|relative to", re.IGNORECASE
)
_SUMMARY = re.compile(
    r"mean|average|median|total|sum\b|std|spread|delta|\u0394|difference|gain|change|best|all\b|$", re.IGNORECASE
)
_DECIDED = r"(?: is| was)? (?:rejected|refuted|confirmed|supported|holds|failed|outcome)"
_HYPOTHETICAL = re.compile(rf"(?:{'|'.join(words.HYPOTHETICAL_FIELDS)})\b(?!{_DECIDED})", re.IGNORECASE)
_VERDICT = re.compile(
    r"[A-Z][A-Za-z -]{1,60}: ?(?:not |partly |only )*(?:refuted|rejected|confirmed|supported|borne|met|missed)\b"
)
"""``Hypothesis on the cache: refuted.``: that is a result, and what follows it as well."""


def contexts(
    blocks: Sequence[Block], tokens: Sequence[list[Token]], world: World, vocabulary: Vocabulary
) -> Iterator[Context]:
    """The context of each block, in order.

    Args:
        blocks: of one text.
        tokens: of each block.
        world: the facts, to tell runs, config values and units in table headers.
        vocabulary: what people call them.
    """
    headings: list[tuple[int, frozenset[str], bool]] = []
    fields: list[tuple[int, str]] = []
    tables: dict[int, _Table] = {}
    for number, block in enumerate(blocks):
        if block.kind is BlockKind.HEADING:
            headings = [entry for entry in headings if entry[0] < block.level]
            headings.append((block.level, _topics(tokens[number]), bool(_hypothetical(block.text))))
            fields = []
        label = _label(block)
        if label is not None or block.kind is not BlockKind.CELL:
            fields = [
                entry
                for entry in fields
                if entry[0] < block.depth or (label is None and not block.depth and _bare(entry))
            ]
        if label:
            fields.append((block.depth, label))
        topics = next((runs for _, runs, _ in reversed(headings) if runs), frozenset())
        field = fields[-1][1].strip("*") if fields else ""
        hypothetical = bool(_hypothetical(field)) if field else any(flag for *_, flag in headings)
        hypothetical = hypothetical and not _VERDICT.match(block.text.strip())
        context = Context(topics=topics, hypothetical=hypothetical, field=field)
        if block.kind is BlockKind.CELL:
            if block.table not in tables:
                cells = [(b, t) for b, t in zip(blocks, tokens, strict=True) if b.table == block.table]
                tables[block.table] = _Table(cells, world, vocabulary)
            context = tables[block.table].context(block, context)
        yield context


def _bare(entry: tuple[int, str]) -> bool:
    """A label that had its block to itself holds for the blocks after it."""
    return entry[1].endswith("*")


def _label(block: Block) -> str | None:
    if block.kind not in {BlockKind.PARAGRAPH, BlockKind.HEADING}:
        return None
    if block.kind is BlockKind.HEADING:
        found = _BARE_LABEL.match(block.text)
        return f"{found[1].lower()}*" if found and len(found[1]) < 30 else None
    bare = _BARE_LABEL.fullmatch(block.text)
    if (bare and block.text.rstrip().endswith(":")) or (bare and not block.depth and len(bare[1].split()) <= 3):
        return f"{bare[1].lower()}*"
    found = _LABEL.match(block.text)
    return found[1].strip().lower() if found else None


def _hypothetical(text: str) -> bool:
    return bool(_HYPOTHETICAL.match(text.strip()))


def _topics(tokens: Sequence[Token]) -> frozenset[str]:
    return frozenset(run for token in tokens if token.kind is TokenKind.RUN for run in token.runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    """What a header cell, or a row's first cell, says about the others."""

    runs: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    change: bool = False
    unit: units.Unit | None = None


def _named_by_value(tokens: Sequence[Token], world: World, vocabulary: Vocabulary) -> frozenset[str]:
    """The runs that a header means by a config value: ``FP8``, ``accuracy (0.1)``, ``64k BPE``."""
    meant: list[frozenset[str]] = []
    for token in tokens:
        if token.kind in {TokenKind.IDENTIFIER, TokenKind.WORD, TokenKind.RUN}:
            runs = token.runs or vocabulary.described.get(token.lower) or vocabulary.config_words.get(token.lower)
            meant += [runs] if runs else []
        if token.numeral is not None and token.numeral.unit is None:
            found = [runs for key in sorted(world.varying) if (runs := world.runs_with(key, token.numeral.value))]
            meant += found if len(found) == 1 else []
    both = frozenset.intersection(*meant) if meant else frozenset()
    return both if world.tells_apart(both) else frozenset()


def _header(block: Block, tokens: Sequence[Token], world: World, vocabulary: Vocabulary) -> _Header:
    return _Header(
        runs=_topics(tokens) or _named_by_value(tokens, world, vocabulary),
        names=frozenset(name for token in tokens for name in token.names),
        keys=frozenset(key for token in tokens for key in token.keys),
        change=bool(_CHANGE_COLUMN.search(block.text)),
        unit=_stated_unit(block.text),
    )


class _Table:
    """The runs, metrics and units of one table's rows and columns."""

    def __init__(self, cells: Sequence[tuple[Block, list[Token]]], world: World, vocabulary: Vocabulary) -> None:
        self._columns = {b.column: _header(b, t, world, vocabulary) for b, t in cells if b.row == 0}
        self._rows = {b.row: _header(b, t, world, vocabulary) for b, t in reversed(cells) if b.row}
        for row, first in self._rows.items():
            others = [(b, t) for b, t in cells if b.row == row]
            named = next((runs for _, tokens in others if (runs := _topics(tokens))), frozenset())
            configured = [runs for b, t in others if (runs := _config_runs(t, self._columns.get(b.column), world))]
            meant = frozenset.intersection(*configured) if configured else frozenset()
            telling = meant if world.tells_apart(meant) else frozenset()
            self._rows[row] = replace(first, runs=named or telling or first.runs)
        self._name_the_rest(cells, world)

    def _name_the_rest(self, cells: Sequence[tuple[Block, list[Token]]], world: World) -> None:
        """The one row that names no run is of the runs that the others leave."""
        unnamed = [row for row, header in self._rows.items() if not header.runs]
        named = [header.runs for header in self._rows.values() if header.runs]
        summed = any(_SUMMARY.match(b.text.strip()) for b, _ in cells if b.row in unnamed and not b.column)
        if len(unnamed) != 1 or len(named) < 2 or summed or any(column.runs for column in self._columns.values()):
            return
        rest = world.all_runs - frozenset().union(*named)
        if rest and not self._rows[unnamed[0]].names:
            self._rows[unnamed[0]] = replace(self._rows[unnamed[0]], runs=rest)

    def context(self, block: Block, around: Context) -> Context:
        if block.row == 0:
            return replace(around, cell=True, header=True)
        column = self._columns.get(block.column, _Header())
        row = self._rows.get(block.row, _Header())
        beside = row if block.column else _Header()
        headers = (*self._rows.values(), *self._columns.values())
        nowhere = frozenset() if any(header.runs for header in headers) else around.topics
        return replace(
            around,
            topics=(row.runs & column.runs) or row.runs or column.runs or nowhere,
            names=column.names or beside.names,
            keys=column.keys or beside.keys,
            unit=column.unit or (None if column.change else beside.unit),
            change=column.change or beside.change,
            cell=True,
        )


def _config_runs(tokens: Sequence[Token], column: _Header | None, world: World) -> frozenset[str]:
    """The runs that have the config value a cell states."""
    for key in sorted(column.keys & world.varying) if column else ():
        for token in tokens:
            value = float(token.numeral.value) if token.numeral else token.text
            if runs := world.runs_with(key, value):
                return runs
    return frozenset()


def _stated_unit(text: str) -> units.Unit | None:
    """The unit a header gives: ``wall (s)``, ``throughput [tok/s]``, ``change, %``."""
    found = re.search(r"[(\[,]\s*([^()\[\],]+?)\s*[)\]]?$", text)
    if found and units.AFTER_NUMBER.fullmatch(found[1].strip()):
        return units.parse(found[1].strip())
    return units.parse("%") if "%" in text else None
