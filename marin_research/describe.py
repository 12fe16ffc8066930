"""Turns any config into JSON that a person can read. Never fails, never imports what it describes.

Configs hold callables, arrays, paths, dtypes and objects of every library; each becomes the shortest text that still
says what it is. Anything too deep or too large is cut, and says so.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from pathlib import PurePath
from typing import Any

_MAX_DEPTH = 24
_MAX_ITEMS = 1000
_MAX_TEXT = 4000
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def describe(value: Any) -> Any:
    """A JSON value (floats may be NaN or infinite; the codec spells those)."""
    return _describe(value, 0)


def describe_config(config: Any) -> dict[str, Any]:
    """A config as a JSON object, whatever it is."""
    described = describe(config)
    return described if isinstance(described, dict) else {} if config is None else {"config": described}


def _describe(value: Any, depth: int) -> Any:
    if value is None or type(value) in (bool, int, float):
        return value
    if isinstance(value, str):
        return _cut(str(value))
    if depth > _MAX_DEPTH:
        return f"<{_type_name(value)}, nested too deeply>"
    try:
        return _describe_object(value, depth)
    except Exception as error:  # noqa: BLE001 - a config's own code (properties, __repr__) may raise anything
        return f"<{_type_name(value)} that cannot be described: {type(error).__name__}>"


def _describe_object(value: Any, depth: int) -> Any:
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, bool | int | float):  # subclasses, and numbers of no special kind
        return value
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, bytes | bytearray):
        return f"<{len(value)} bytes>"
    if isinstance(value, Mapping):
        return _items({str(key): item for key, item in _first(value.items())}, len(value), depth)
    if isinstance(value, list | tuple):
        return _sequence(value, depth)
    if isinstance(value, AbstractSet):
        return _sequence(sorted(value, key=str), depth)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return _items(fields, len(fields), depth)
    if isinstance(model_fields := getattr(type(value), "model_fields", None), dict):  # pydantic
        return _items({name: getattr(value, name) for name in model_fields}, len(model_fields), depth)
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return _array(value)
    if isinstance(value, type) or callable(value):
        return _callable_name(value)
    return _cut(_ADDRESS.sub("", repr(value)))


def _array(value: Any) -> Any:
    if value.shape == () and hasattr(value, "item"):
        return _describe(value.item(), _MAX_DEPTH)
    return f"<{value.dtype} array of shape {tuple(value.shape)}>"


def _callable_name(value: Any) -> str:
    inner = getattr(value, "func", None)  # functools.partial
    if inner is not None:
        return f"partial({_callable_name(inner)})"
    name = getattr(value, "__qualname__", None)
    if name is None:
        return _cut(_ADDRESS.sub("", repr(value)))
    return f"{getattr(value, '__module__', '?')}.{name}"


def _items(items: Mapping[str, Any], size: int, depth: int) -> dict[str, Any]:
    described = {key: _describe(item, depth + 1) for key, item in items.items()}
    if size > _MAX_ITEMS:
        described["..."] = f"{size - _MAX_ITEMS} more"
    return described


def _sequence(value: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
    described = [_describe(item, depth + 1) for item in value[:_MAX_ITEMS]]
    if len(value) > _MAX_ITEMS:
        described.append(f"... {len(value) - _MAX_ITEMS} more")
    return described


def _first(items: Any) -> list[Any]:
    return [item for _, item in zip(range(_MAX_ITEMS), items, strict=False)]


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}... ({len(text) - _MAX_TEXT} more characters)"


def _type_name(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"
