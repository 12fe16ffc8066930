"""Turns any config into JSON that a person can read. Never fails, never imports what it describes.

Configs hold callables, arrays, paths, dtypes and objects of every library; each becomes the shortest text that still
says what it is. Anything too deep or too large is cut, and says so.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_DEPTH = 24
_MAX_ITEMS = 1000
_MAX_TOTAL = 20_000
"""Values in all: what is shared or contains itself would otherwise multiply with every level."""
_MAX_TEXT = 4000
_MAX_BITS = 1024
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def describe(value: Any) -> Any:
    """A JSON value (floats may be NaN or infinite; the codec spells those)."""
    return _Description().of(value, 0)


def describe_config(config: Any) -> dict[str, Any]:
    """A config as a JSON object, whatever it is."""
    described = describe(config)
    return described if isinstance(described, dict) else {} if config is None else {"config": described}


class _Description:
    """One description, and how much of it there is already."""

    def __init__(self) -> None:
        self.total = 0

    def of(self, value: Any, depth: int) -> Any:
        self.total += 1
        try:
            return self._scalar(value) if _is_scalar(value) else self._other(value, depth)
        except Exception as error:  # noqa: BLE001 - a config's own code (properties, __repr__) may raise anything
            return f"<{_type_name(value)} that cannot be described: {type(error).__name__}>"

    def _scalar(self, value: Any) -> Any:
        if isinstance(value, Enum):
            return value.name or repr(value)
        if isinstance(value, str):
            return _cut(str(value))
        if isinstance(value, int) and value.bit_length() > _MAX_BITS:
            return f"<integer of {value.bit_length()} bits>"
        return value

    def _other(self, value: Any, depth: int) -> Any:
        if isinstance(value, PurePath):
            return str(value)
        if isinstance(value, bytes | bytearray):
            return f"<{len(value)} bytes>"
        if depth >= _MAX_DEPTH:
            return f"<{_type_name(value)}, nested too deeply>"
        if self.total > _MAX_TOTAL:
            return f"<{_type_name(value)}, left out of a config that is too large>"
        if isinstance(value, Mapping):
            return self._items(((_key(key), item) for key, item in value.items()), len(value), depth)
        if isinstance(value, list | tuple):
            return self._sequence(value, depth)
        if isinstance(value, AbstractSet):
            return self._sequence(sorted(value, key=str), depth)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._attributes(value, [field.name for field in dataclasses.fields(value)], depth)
        if isinstance(fields := getattr(type(value), "model_fields", None), dict):  # pydantic
            return self._attributes(value, [*fields, *(getattr(value, "model_extra", None) or {})], depth)
        if isinstance(value, functools.partial):
            return self._partial(value, depth)
        if hasattr(value, "shape") and hasattr(value, "dtype") and not isinstance(value, type):
            return self._array(value)
        return _name_or_repr(value)

    def _items(self, items: Iterable[tuple[str, Any]], size: int, depth: int) -> dict[str, Any]:
        described = {key: self.of(item, depth + 1) for key, item in islice(items, _MAX_ITEMS)}
        if size > _MAX_ITEMS:
            described["..."] = f"{size - _MAX_ITEMS} more"
        return described

    def _sequence(self, value: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
        described = [self.of(item, depth + 1) for item in value[:_MAX_ITEMS]]
        if len(value) > _MAX_ITEMS:
            described.append(f"... {len(value) - _MAX_ITEMS} more")
        return described

    def _attributes(self, value: Any, names: list[str], depth: int) -> dict[str, Any]:
        described = {}
        for name in names:
            try:
                item = getattr(value, name)
            except Exception as error:  # noqa: BLE001 - one broken property must not hide the other fields
                described[name] = f"<cannot be read: {type(error).__name__}>"
            else:
                described[name] = self.of(item, depth + 1)
        return described

    def _partial(self, value: functools.partial[Any], depth: int) -> str:
        given = [str(self.of(item, depth + 1)) for item in (value.func, *value.args)]
        given += [f"{name}={self.of(item, depth + 1)}" for name, item in value.keywords.items()]
        return _cut(f"partial({', '.join(given)})")

    def _array(self, value: Any) -> Any:
        if value.shape == () and hasattr(value, "item"):
            item = value.item()
            return self._scalar(item) if _is_scalar(item) else _cut(repr(item))
        return f"<{value.dtype} array of shape {tuple(value.shape)}>"


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str | Enum)


def _key(key: Any) -> str:
    """The text of a mapping's key, which may be anything that can be hashed."""
    if isinstance(key, Enum):
        return key.name or repr(key)
    return _cut(str(key)) if isinstance(key, str | int | float | None) else _name_or_repr(key)


def _name_or_repr(value: Any) -> str:
    name = getattr(value, "__qualname__", None) if callable(value) else None
    if isinstance(name, str):
        return f"{getattr(value, '__module__', '?')}.{name}"
    return _cut(_ADDRESS.sub("", repr(value)))


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}... ({len(text) - _MAX_TEXT} more characters)"


def _type_name(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"
