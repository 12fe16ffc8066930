"""Turns the record's frozen dataclasses into JSON and back. Knows no record type by name.

JSON has no NaN, no infinities, no dates and no "unknown": they are written as ``"NaN"``, ``"Infinity"``,
``"-Infinity"``, ISO 8601 text in UTC, and ``{"unknown": why}``. Reading is tolerant on purpose: a field that this
version does not know is passed over and a field that is missing takes its default, so that a store stays readable
across versions.
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


@dataclasses.dataclass(frozen=True, slots=True)
class Unknown:
    """A fact that was looked for and not found, with the reason."""

    why: str

    def __bool__(self) -> bool:
        return False


def encode(value: Any) -> Any:
    """The JSON form of a dataclass, or of any tree of dataclasses, enums, dates, containers and scalars."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float):
        return encode_float(value)
    if isinstance(value, Unknown):
        return {"unknown": value.why}
    if isinstance(value, datetime):
        return format_time(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [encode(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no JSON form")


def encode_float(value: float) -> float | str:
    if math.isfinite(value):
        return float(value)
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def decode_float(value: float | str) -> float:
    return _NON_FINITE[value] if isinstance(value, str) and value in _NON_FINITE else float(value)


def dump(value: Any) -> bytes:
    """UTF-8 JSON with a final newline, safe to hand to any JSON reader."""
    return (json.dumps(encode(value), ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8", "backslashreplace")


def decode[T](kind: type[T], raw: Any) -> T:
    """Build ``kind`` from its JSON form.

    Raises:
        TypeError, ValueError: ``raw`` is not the JSON form of ``kind``.
    """
    try:
        result: T = _decode(kind, raw)
    except OverflowError as error:
        raise ValueError(f"not the JSON form of {kind}: {error!r}") from error
    return result


def _decode(kind: Any, raw: Any) -> Any:
    if kind is Any:
        return raw
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _decode_union(get_args(kind), raw)
    if origin in (tuple, list):
        item = get_args(kind)[0]
        return origin(_decode(item, each) for each in _of_type(list, raw))
    if origin is dict:
        item = get_args(kind)[1]
        return {key: _decode(item, each) for key, each in _of_type(dict, raw).items()}
    if kind is datetime:
        return parse_time(raw)
    if kind is float:
        return decode_float(raw)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(raw)
    if dataclasses.is_dataclass(kind):
        return _decode_dataclass(kind, raw)
    return _of_type(kind, raw)


def _of_type(kind: type, raw: Any) -> Any:
    if not isinstance(raw, kind):
        raise TypeError(f"expected {kind.__name__}, found {type(raw).__name__}")
    return raw


def _decode_union(options: tuple[Any, ...], raw: Any) -> Any:
    if raw is None and type(None) in options:
        return None
    if isinstance(raw, dict) and set(raw) == {"unknown"} and Unknown in options:
        return Unknown(raw["unknown"])
    problem: Exception | None = None
    for option in options:
        if option not in (Unknown, type(None)):
            try:
                return _decode(option, raw)
            except (TypeError, ValueError) as error:
                problem = error
    raise TypeError(f"fits none of {options}") from problem


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _decode_dataclass(kind: Any, raw: Any) -> Any:
    given = _of_type(dict, raw)
    return kind(**{name: _decode(hint, given[name]) for name, hint in _hints(kind).items() if name in given})


def format_time(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
