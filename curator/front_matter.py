"""Fields at the head of a text, for what is published beside its body: a title, labels, the kind of a post.

They are part of the text, so that one approval and one hash cover everything that leaves, and an edit may change it.
Every value is read as the text it is written as (``3.10`` stays ``3.10``, ``no`` stays ``no``), with the place where it
stands; aliases and repeated keys are refused: what a person reads is what is sent. Knows no field by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curator.errors import CuratorError
from marin_research.yaml_text import dump_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    import yaml

type Path = tuple[str | int, ...]
"""The way to a value: ``("task", "tags", 0)``."""

_HEAD = re.compile(r"---[ \t]*\r?\n(?P<fields>.*?)(?<=\n)---[ \t]*(?:(?:\r?\n)+|\Z)", re.DOTALL)


class FrontMatterError(CuratorError):
    """The head of a text cannot be read."""

    def __init__(self, why: str, start: int, end: int) -> None:
        self.why = why
        self.start = start
        """Offset of the first character in question."""
        self.end = end
        super().__init__(f"the head of the text cannot be read ({why}); mend it with `curator edit`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The fields of a text."""

    fields: dict[str, Any]
    """Mappings, lists and texts. A key with nothing after it is not there."""
    end: int
    """Where the body begins."""
    spans: Mapping[Path, tuple[int, int]]
    """Where the value at a path stands in the text."""

    def span(self, path: Path) -> tuple[int, int]:
        """Where the value at ``path`` stands, or the nearest one around it."""
        while path not in self.spans:
            path = path[:-1]
        return self.spans[path]


def split(text: str) -> tuple[dict[str, Any], str]:
    """The fields of a text and its body; no fields where it does not begin with ``---``.

    Raises:
        FrontMatterError: as for `read_head`.
    """
    head = read_head(text)
    return (head.fields, text[head.end :]) if head else ({}, text)


def join(fields: Mapping[str, Any], body: str) -> str:
    """A text with these fields at its head; those that are None are left out."""
    said = {key: value for key, value in fields.items() if value is not None}
    return f"---\n{dump_yaml(said)}---\n" + (f"\n{body}" if body else "")


def read_head(text: str) -> Head | None:
    """The head of a text; None where it does not begin with ``---``.

    Raises:
        FrontMatterError: the head is not plain YAML, or not keys and values; says where.
    """
    import yaml

    found = _HEAD.match(text)
    if found is None:
        return None
    (start, end), source = found.span("fields"), found["fields"]
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(source, Loader=yaml.BaseLoader)):
            raise FrontMatterError("write values out instead of naming them by an alias (*)", start, end)
        node = yaml.compose(source, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = start + (mark.index if mark else 0)
        raise FrontMatterError(error.problem or "this is no YAML", at, min(at + 1, len(text))) from error
    except yaml.reader.ReaderError as error:
        at = start + int(error.position)
        raise FrontMatterError("a character that has no place in YAML", at, at + 1) from error
    except RecursionError:
        raise FrontMatterError("values are nested too deeply", start, end) from None
    spans: dict[Path, tuple[int, int]] = {(): (start, end)}
    fields = _value(node, (), start, spans)
    if not isinstance(fields, dict):
        raise FrontMatterError("there are no keys and values", start, end)
    return Head(fields=fields, end=found.end(), spans=spans)


def _value(node: yaml.Node | None, path: Path, offset: int, spans: dict[Path, tuple[int, int]]) -> Any:
    import yaml

    if node is None:
        return None
    if path:
        spans[path] = (offset + node.start_mark.index, offset + node.end_mark.index)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*path, index), offset, spans) for index, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return node.value
    found: dict[str, Any] = {}
    for key, item in node.value:
        at = offset + key.start_mark.index, offset + key.end_mark.index
        if not isinstance(key, yaml.ScalarNode):
            raise FrontMatterError("a key must be a word", *at)
        if (*path, key.value) in spans:
            raise FrontMatterError(f"{key.value} is there twice", *at)
        value = _value(item, (*path, key.value), offset, spans)
        if item.end_mark.index > item.start_mark.index:
            found[key.value] = value
    return found
