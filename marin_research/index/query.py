"""What is asked of the index, and the SQL for it. Knows the tables, and nothing of where they come from."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from marin_research.errors import UsageError
from marin_research.index.tables import setting_name, text_of
from marin_research.record import Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from marin_research.index.tables import Tables

_CONDITION = re.compile(
    r"\s*(?P<name>[^\s<>][^<>]*?)(?<![\s=!])\s*(?P<sign><=|>=|==|!=|<|>|=)\s*(?P<value>[^\s<>=!](?:[^<>=!]*[^\s<>=!])?)\s*"
)
_AND = re.compile(r"\s+and\s+")
_COLUMNS = {
    "id": "id",
    "thread": "thread",
    "status": "status",
    "label": "label",
    "launch": "launch",
    "commit": "commit_hash",
    "device": "device",
    "devices": "devices",
    "attempts": "attempts",
    "wall_s": "wall_s",
}
_TEXTS = {"id", "thread", "status", "label", "launch"}
_SETTING = "(SELECT json_extract(settings, {}) FROM config WHERE config.run = run.key)"
_EXAMPLE = "for example --where 'eval/loss<2.5' or --where 'config.optimizer=adam and status=failed'"


class Condition(NamedTuple):
    """One comparison that a run must stand."""

    name: str
    """A field of ``_COLUMNS``, a metric, or a key of the config."""
    sign: str
    text: str
    number: float | None
    """``text`` as a number, if it is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which runs, in which order."""

    topic: str | None = None
    prefix: str | None = None
    status: Status | None = None
    since: datetime | None = None
    conditions: Sequence[Condition] = ()
    sort: str = "id"
    """``id``, ``time``, or what a condition may name; after a ``-`` from high to low. Runs without it come last."""
    limit: int | None = None


class Found(NamedTuple):
    """What a list shows of a run."""

    key: int
    id: str
    thread: str
    status: str
    label: str
    declared: float
    """Seconds since 1970."""
    wall_s: float | None


class Measured(NamedTuple):
    """What a list shows of a metric."""

    value: float | None
    """None for NaN."""
    unit: str
    trend: str


def parse_conditions(text: str) -> list[Condition]:
    """Conditions from ``loss<2.5 and status=failed``.

    Raises:
        UsageError: the text is not a comparison, or compares texts by size.
    """
    return [_condition(part, text) for part in _AND.split(text)]


def _condition(part: str, text: str) -> Condition:
    found = _CONDITION.fullmatch(part)
    if found is None:
        raise UsageError(f"--where {text!r} is not NAME<VALUE; {_EXAMPLE}")
    try:
        number = float(found["value"])
    except ValueError:
        number = None
    sign = "=" if found["sign"] == "==" else found["sign"]
    if number is None and sign not in ("=", "!="):
        raise UsageError(f"--where {text!r} asks which of two texts is larger; {_EXAMPLE}")
    if found["name"] == "status" and found["value"] not in set(Status):
        raise UsageError(f"--where {text!r} names no status; the statuses are {', '.join(Status)}")
    return Condition(found["name"], sign, text_of(found["value"]), number)


def find(tables: Tables, query: Query) -> list[Found]:
    """The runs that fit."""
    named: dict[str, object] = {"limit": -1 if query.limit is None else query.limit}
    where = ["1"]
    for column, wanted in (("thread", query.topic), ("prefix", query.prefix), ("status", query.status)):
        if wanted is not None:
            where.append(f"{column} = :{column}")
            named[column] = text_of(wanted)
    if query.since is not None:
        where.append("declared >= :since")
        named["since"] = query.since.timestamp()
    for number, condition in enumerate(query.conditions):
        where.append(_clause(condition, str(number)))
        named |= _operands(tables, condition, str(number))
    found: list[Found] = []
    for source, order in _sources(tables, query, named):
        rows = tables.database.execute(
            f"SELECT run.key, id, thread, status, label, declared, wall_s FROM {source} "  # noqa: S608 - names are ours
            f"WHERE {' AND '.join(where)} ORDER BY {order} LIMIT :limit",
            named,
        )
        found = [Found(*row) for row in rows]
        if len(found) == query.limit:
            break
    return found


def unknown_names(tables: Tables, query: Query) -> list[str]:
    """What the conditions and the order ask for and no run has; nothing where there are no runs."""
    if tables.database.execute("SELECT NOT EXISTS (SELECT 1 FROM run)").fetchone()[0]:
        return []
    asked = [condition.name for condition in query.conditions]
    if query.sort.removeprefix("-") != "time":
        asked.append(query.sort.removeprefix("-"))
    return [name for name in dict.fromkeys(asked) if name not in _COLUMNS and not _is_known(tables, name)]


def _is_known(tables: Tables, name: str) -> bool:
    found = tables.database.execute(
        "SELECT EXISTS (SELECT 1 FROM metric WHERE name = ?) "
        "OR EXISTS (SELECT 1 FROM config WHERE json_type(settings, ?) IS NOT NULL)",
        (tables.known_word(text_of(name)), _path(name)),
    )
    return bool(found.fetchone()[0])


def names(tables: Tables) -> list[str]:
    """What a condition or the order may ask for: the metrics and keys that runs have, then what each run has."""
    rows = tables.database.execute(
        "SELECT text FROM word WHERE key IN (SELECT name FROM metric) "
        "UNION SELECT setting.key FROM config, json_each(settings) AS setting"
    )
    return [*sorted(name for (name,) in rows), *_COLUMNS]


def measured(tables: Tables, name: str, runs: Sequence[Found]) -> dict[int, Measured]:
    """What the runs measured under ``name``, by key."""
    few = len(runs) < 200
    only = f" AND run IN ({','.join(str(run.key) for run in runs)})" if few else ""
    rows = tables.database.execute(
        f"SELECT run, value, unit, trend FROM metric WHERE name = ?{only}",  # noqa: S608 - numbers of ours
        (tables.known_word(text_of(name)),),
    )
    return {key: Measured(*of_run) for key, *of_run in rows}


def _clause(condition: Condition, number: str) -> str:
    """The SQL of a condition; its operands are called by its number."""
    name, sign, *_ = condition
    if name == "commit":
        return f"substr(commit_hash, 1, length(:text{number})) {sign} :text{number}"
    if name in _COLUMNS:
        operand = "text" if condition.number is None or name in _TEXTS else "number"
        return f"{_COLUMNS[name]} {sign} :{operand}{number}"
    setting = _comparison(_SETTING.format(f":path{number}"), condition, number)
    if name.startswith("config."):
        return setting
    # A name that is both is the metric's.
    of_run = f"SELECT 1 FROM metric WHERE metric.run = run.key AND name = :word{number}"  # noqa: S608
    fits = _comparison("value", condition, number)
    return f"(EXISTS ({of_run} AND {fits}) OR NOT EXISTS ({of_run}) AND {setting})"


def _comparison(value: str, condition: Condition, number: str) -> str:
    sign = condition.sign
    if condition.number is None:
        return f"{value} {sign} :text{number}"
    if math.isnan(condition.number):
        # Of a metric it is kept as NULL, which a config key that is missing would seem to be, too.
        return f"{value} IS {'NOT ' if sign == '!=' else ''}NULL" if value == "value" else f"{value} {sign} 'NaN'"
    if sign == "=":
        return f"{value} IN (:number{number}, :text{number})"
    if sign == "!=":
        # NaN is no number, but a value all the same; only metrics may have it.
        return f"({value} NOT IN (:number{number}, :text{number}){' OR value IS NULL' if value == 'value' else ''})"
    return f"(typeof({value}) != 'text' AND {value} {sign} :number{number})"


def _operands(tables: Tables, condition: Condition, number: str) -> dict[str, object]:
    return {
        f"text{number}": condition.text,
        f"number{number}": condition.number,
        f"word{number}": tables.known_word(text_of(condition.name)),
        f"path{number}": _path(condition.name),
    }


def _path(name: str) -> str:
    return f'$."{setting_name(name)}"'


def _sources(tables: Tables, query: Query, named: dict[str, object]) -> list[tuple[str, str]]:
    """Tables to be searched and the order of what is found, each if those before it did not have enough."""
    by_id = "prefix, number, id"
    name, falling = query.sort.removeprefix("-"), " DESC" if query.sort.startswith("-") else ""
    if name == "id":
        return [("run", f"prefix{falling}, number{falling}, id{falling}")]
    if name == "time":
        return [("run", f"declared{falling}, {by_id}")]
    word = tables.known_word(text_of(name))
    if name not in _COLUMNS and word > 0:
        named["sorted"] = word
        this = "ON sorted.run = run.key AND sorted.name = :sorted"
        with_it = f"metric AS sorted INDEXED BY metric_value CROSS JOIN run {this} AND sorted.value IS NOT NULL"
        order = f"sorted.value{falling}, {by_id}"
        all_runs = (f"run LEFT JOIN metric AS sorted {this}", f"sorted.value IS NULL, {order}")
        return [all_runs] if query.limit is None else [(with_it, order), all_runs]
    named["sorted"] = _path(name)
    value = _COLUMNS.get(name, _SETTING.format(":sorted"))
    return [("run", f"{value} IS NULL, {value}{falling}, {by_id}")]
