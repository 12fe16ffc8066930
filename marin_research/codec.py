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
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable

_AS_THEY_ARE = frozenset({type(None), bool, int, str})
_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


@dataclasses.dataclass(frozen=True, slots=True)
class Unknown:
    """A fact that was looked for and not found, with the reason."""

    why: str

    def __bool__(self) -> bool:
        return False


def encode(value: Any) -> Any:
    """The JSON form of a dataclass, or of any tree of dataclasses, enums, dates, containers and scalars."""
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is float:
        return value if math.isfinite(value) else encode_float(value)
    if kind is tuple or kind is list:
        return [encode(item) for item in value]
    if kind is dict:
        return {str(key): encode(item) for key, item in value.items()}
    names = _field_names(kind)  # type: ignore[arg-type]  # a class can be hashed
    if names is not None:
        return {name: encode(getattr(value, name)) for name in names}
    return _encode_other(value)


def _encode_other(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float):
        return encode_float(value)
    if isinstance(value, Unknown):
        return {"unknown": value.why}
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, dict):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [encode(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no JSON form")


@cache
def _field_names(kind: type) -> tuple[str, ...] | None:
    """Of a dataclass that is written as an object."""
    if not dataclasses.is_dataclass(kind) or issubclass(kind, Unknown):
        return None
    return tuple(field.name for field in dataclasses.fields(kind))


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
    shape: Any = kind
    try:
        result: T = _decoder(shape)(raw)
    except OverflowError as error:
        raise ValueError(f"not the JSON form of {kind}: {error!r}") from error
    return result


@cache
def _decoder(kind: Any) -> Callable[[Any], Any]:
    """What builds ``kind``. Looked up once a kind, not once a value: records are read by the ten thousand."""
    if kind is Any:
        return lambda raw: raw
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _union_decoder(get_args(kind))
    if origin in (tuple, list):
        item = _decoder(get_args(kind)[0])
        return lambda raw: origin(map(item, _of_type(list, raw)))
    if origin is dict:
        value = _decoder(get_args(kind)[1])
        return lambda raw: {key: value(each) for key, each in _of_type(dict, raw).items()}
    if kind is datetime:
        return parse_time
    if kind is float:
        return decode_float
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    if dataclasses.is_dataclass(kind):
        return _dataclass_decoder(kind)
    return partial(_of_type, kind)


def _of_type(kind: type, raw: Any) -> Any:
    if not isinstance(raw, kind):
        raise TypeError(f"expected {kind.__name__}, found {type(raw).__name__}")
    return raw


def _union_decoder(options: tuple[Any, ...]) -> Callable[[Any], Any]:
    nullable, may_be_unknown = type(None) in options, Unknown in options
    decoders = [_decoder(option) for option in options if option not in (Unknown, type(None))]

    def decode_union(raw: Any) -> Any:
        if raw is None and nullable:
            return None
        if may_be_unknown and isinstance(raw, dict) and set(raw) == {"unknown"}:
            return Unknown(raw["unknown"])
        problem: Exception | None = None
        for decoder in decoders:
            try:
                return decoder(raw)
            except (TypeError, ValueError) as error:
                problem = error
        raise TypeError(f"fits none of {options}") from problem

    return decode_union


def _dataclass_decoder(kind: Any) -> Callable[[Any], Any]:
    decoders = {name: _decoder(hint) for name, hint in get_type_hints(kind).items()}

    def decode_dataclass(raw: Any) -> Any:
        given = _of_type(dict, raw)
        return kind(**{name: decoders[name](value) for name, value in given.items() if name in decoders})

    return decode_dataclass


def format_time(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
