"""Any config becomes JSON that says what it was, at any price except an exception or a hang."""

from __future__ import annotations

import collections
import dataclasses
import enum
import functools
import json
import math
import types
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marin_research.codec import dump
from marin_research.describe import describe, describe_config


class Color(enum.Enum):
    RED = 1


class Mode(enum.StrEnum):
    FAST = "fast"


class Level(enum.IntEnum):
    HIGH = 3


class Access(enum.Flag):
    READ = 1
    WRITE = 2


@dataclasses.dataclass(frozen=True)
class Optimizer:
    lr: float = 0.003
    schedule: Any = None


@dataclasses.dataclass(slots=True)
class HalfBuilt:
    """``late`` has no value before somebody sets it."""

    early: int = 1
    late: int = dataclasses.field(init=False)


class Stubborn:
    """Has a property, which hides the field of the same name, that cannot be read outside of a build."""

    @property
    def path(self) -> str:
        raise RuntimeError("no build context")


@dataclasses.dataclass(init=False)
class StubbornConfig(Stubborn):
    lr: float
    path: str


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    width: int = 64
    optimizer: Optimizer = Optimizer()


class Point(NamedTuple):
    x: int
    y: int


class Hostile:
    """Raises whatever is asked of it."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError("no")

    def __hash__(self) -> int:
        return 7


class HostileText(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("no")


class NotText:
    def __repr__(self) -> Any:
        return 5


class Endless(collections.UserDict[str, Any]):
    def __len__(self) -> int:
        return 3

    def __iter__(self) -> Any:
        raise RuntimeError("no")


def train(lr: float) -> None:
    """A function that a config may name."""


def as_json(value: Any) -> Any:
    return json.loads(dump(describe(value)))


@pytest.mark.parametrize(
    ("value", "described"),
    [
        (None, None),
        (True, True),
        (0.003, 0.003),
        ("text", "text"),
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (Color.RED, "RED"),
        (Mode.FAST, "FAST"),
        (Level.HIGH, "HIGH"),
        (Access.READ | Access.WRITE, "READ|WRITE"),
        (Path("/data/x"), "/data/x"),
        (PurePosixPath("x"), "x"),
        (b"abc", "<3 bytes>"),
        (bytearray(2), "<2 bytes>"),
        ((1, 2), [1, 2]),
        (Point(1, 2), [1, 2]),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset("a"), ["a"]),
        ({"a": {"b": [1]}}, {"a": {"b": [1]}}),
        (
            {1: "a", None: "b", Color.RED: "c", (1, 2): "d", 0.5: "e"},
            {"1": "a", "None": "b", "RED": "c", "(1, 2)": "d", "0.5": "e"},
        ),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        (collections.OrderedDict(a=1), {"a": 1}),
        (collections.ChainMap({"a": 1}, {"b": 2}), {"a": 1, "b": 2}),
        (Optimizer(), {"lr": 0.003, "schedule": None}),
        (Model(width=8, note="x"), {"width": 8, "optimizer": {"lr": 0.003, "schedule": None}, "note": "x"}),  # type: ignore[call-arg]
        (np.float32(0.5), 0.5),
        (np.float64(0.1), 0.1),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.array(3), 3),
        (np.zeros((2, 3), "float32"), "<float32 array of shape (2, 3)>"),
        (np.dtype("float32"), "dtype('float32')"),
        (np.float32, "numpy.float32"),
        (len, "builtins.len"),
        (math.sqrt, "math.sqrt"),
        (Optimizer, "test_describe.Optimizer"),
        (range(3), "range(0, 3)"),
        (1j, "1j"),
        (types.SimpleNamespace(a=1), "namespace(a=1)"),
        (int | None, "int | None"),
    ],
    ids=repr,
)
def test_a_config_value_becomes_what_a_reader_would_write(value, described):
    """The config in a logbook entry is read by people; it must say what ran, not how Python stored it."""
    found = as_json(value)

    assert (found.removeprefix(f"{__name__.rpartition('.')[0]}.") if isinstance(found, str) else found) == described


def test_a_function_is_named_by_where_it_is():
    """Two runs with different functions must have different configs; one function must not look like two."""
    assert as_json(train) == f"{__name__}.train"
    assert as_json([lambda: 1]) == [f"{__name__}.test_a_function_is_named_by_where_it_is.<locals>.<lambda>"]
    assert "0x" not in as_json(Optimizer().__init__)  # type: ignore[misc]
    assert "0x" not in as_json(object())


def test_a_partial_shows_what_was_filled_in():
    """``partial(train, lr=0.1)`` and ``partial(train, lr=0.2)`` are two experiments."""
    assert as_json(functools.partial(train, lr=0.1)) == f"partial({__name__}.train, lr=0.1)"
    assert as_json(functools.partial(functools.partial(train), 5)) == f"partial({__name__}.train, 5)"
    assert as_json({"schedule": functools.partial(print, Optimizer())})["schedule"].startswith("partial(")


def test_one_field_that_cannot_be_read_hides_no_other():
    """The learning rate must be in the record although a path can only be read inside a build."""
    config = StubbornConfig()
    config.lr = 0.1

    assert as_json(config) == {"lr": 0.1, "path": "<cannot be read: RuntimeError>"}
    assert as_json(HalfBuilt()) == {"early": 1, "late": "<cannot be read: AttributeError>"}


@pytest.mark.parametrize(
    "make",
    [
        Hostile,
        NotText,
        Endless,
        lambda: HostileText("x"),
        lambda: {"a": Hostile()},
        lambda: {Hostile(): 1},
        lambda: [HostileText("x")],
        lambda: {Hostile()},
    ],
)
def test_an_object_that_raises_whatever_is_asked_is_named_by_its_type(make):
    """A config's own code must not be able to stop the experiment from being recorded."""
    assert "cannot be described" in json.dumps(as_json(make()))


def test_a_config_that_contains_itself_ends():
    """Objects that know their parents are common; following them must not take for ever."""
    loop: dict[str, Any] = {"lr": 0.1}
    loop["self"] = loop
    knot: list[Any] = []
    knot += [knot, knot, knot]
    web = Optimizer(schedule=[])
    web.schedule.extend([web, web])

    assert as_json(loop)["self"]["self"]["lr"] == 0.1
    for value in (loop, knot, web, {"a": knot, "b": web}):
        assert len(dump(describe(value))) < 3_000_000


@pytest.mark.parametrize(
    "value",
    [
        list(range(10**6)),
        [[[0] * 1000] * 1000] * 1000,
        {str(n): n for n in range(10**5)},
        set(range(10**5)),
        "x" * 10**7,
        10**5000,
    ],
    ids=["list", "nested lists", "dict", "set", "text", "number"],
)
def test_what_is_too_large_is_cut_and_says_so(value):
    """A config that lists a million files must neither slow the start of a run nor fill the store."""
    written = dump(describe({"lr": 0.1, "huge": value}))

    assert len(written) < 1_000_000
    assert any(sign in written for sign in (b"more", b"too large", b"bits>"))
    assert json.loads(written)["lr"] == 0.1


def test_what_is_nested_too_deeply_is_cut_and_says_so():
    """Python's own recursion limit is reached by such configs."""
    deep: list[Any] = []
    for _ in range(10**5):
        deep = [deep]

    assert "nested too deeply" in json.dumps(as_json(deep))


def test_a_config_is_always_an_object():
    """`show` and `compare` go through its keys."""
    assert describe_config(None) == {}
    assert describe_config({"lr": 0.1}) == {"lr": 0.1}
    assert describe_config(Optimizer()) == {"lr": 0.003, "schedule": None}
    assert describe_config([1]) == {"config": [1]}
    assert list(describe_config(Hostile())) == ["config"]


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**400, 10**401)
    | st.floats()
    | st.complex_numbers()
    | st.text(st.characters(), max_size=10)
    | st.binary(max_size=10)
    | st.dates()
    | st.datetimes()
    | st.timedeltas()
    | st.decimals()
    | st.fractions()
    | st.uuids()
    | st.sampled_from([Color.RED, Mode.FAST, Access(0), train, int, len, Ellipsis, NotImplemented])
    | st.builds(Hostile)
    | st.builds(NotText)
    | st.sampled_from([np.float16("nan"), np.datetime64("2026-11-22"), np.zeros((0,)), np.array(None), np.dtype("V8")])
)
KEYS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=5)
    | st.binary(max_size=3)
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(KEYS | st.tuples(KEYS, KEYS), inner, max_size=3)
        | st.builds(Optimizer, schedule=inner)
        | st.builds(functools.partial, st.just(train), inner)
        | st.builds(functools.partial, st.just(train), lr=inner)
        | st.builds(types.SimpleNamespace, a=inner)
    ),
    max_leaves=8,
)


@given(ANYTHING)
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=150)
def test_anything_can_be_described_and_written(value):
    """Recording must never be the reason that an experiment does not start."""
    described = describe_config(value)

    again = json.loads(dump(described))

    assert isinstance(again, dict)
    assert dump(describe_config(value)) == dump(described)
