"""Sentences and table cells that facts entail. Every value comes out of ``render``; nothing here makes one up."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from curator.facts import Fact, number, render
from marin_research.compare import changes_between_attempts, flat_config
from marin_research.devices import denied
from marin_research.record import Blob, Devices, Run, Status, Unknown
from marin_research.store import run_order
from marin_research.thread import Direction, PrimaryMetric

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from curator.evidence import Evidence, Subject


_LIVE = re.compile(
    r"://|www\.|mailto:|@\w|\]\s*[(\[:]|!\[|<[A-Za-z/!?]|&#?\w+;|`|\\|(?<!\w)#\w|^[#>|=+*-]|\*\*|__|~~|\|"
)
"""What is more than text to Markdown or to GitHub."""
_REFERENCE = re.compile(r"(?<!\w)#\d+\b")
"""An issue or a pull request."""
_QUOTED = 160
"""Characters of a log line that are quoted in a sentence; whole lines stand in their own block."""


def id_range(ids: Sequence[str]) -> str:
    """``LR-001..LR-006`` for IDs without a hole, else a list."""
    if not ids:
        return ""
    ordered = sorted(ids, key=run_order)
    numbers = [run_order(run_id)[1] for run_id in ordered]
    whole = numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    one_prefix = len({run_order(run_id)[0] for run_id in ordered}) == 1
    return f"{ordered[0]}..{ordered[-1]}" if len(ordered) > 2 and whole and one_prefix else ", ".join(ordered)


def entry_link(ids: Sequence[str]) -> str:
    """A link to the logbook entry about some runs; its address is that of the commit that will hold the entry."""
    named = id_range(ids)
    return f"[entry {named}]({entry_address(ids)})"


def entry_address(ids: Sequence[str]) -> str:
    return f"logbook:{id_range(ids).replace(', ', ',')}"


def listed(items: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def with_items(sentence: str, items: Sequence[str]) -> str:
    """A sentence with a list below it; ``bullet`` makes an item of it."""
    return "\n".join([sentence, *(f"- {item}" for item in items)])


def flat(text: str) -> str:
    """A sentence and the list below it as sentences in a row."""
    return text.replace("\n- ", " ")


def bullet(text: str, indent: str = "") -> str:
    """A text as a list item, with its own items below it."""
    return f"{indent}- {text}".replace("\n", f"\n{indent}  ")


def by_text(subjects: Sequence[Subject], say: Callable[[Subject], str]) -> dict[str, list[str]]:
    """The IDs of the runs of which the same is said, by what is said."""
    found: dict[str, list[str]] = {}
    for subject in subjects:
        found.setdefault(say(subject), []).append(subject.run.id)
    return found


def whose(said: Mapping[str, Sequence[str]]) -> list[str]:
    """``LR-001, LR-003: what is said of them`` for each thing that is said."""
    return [f"{id_range(ids)}: {text}" for text, ids in said.items()]


def primary_metrics(evidence: Evidence) -> list[PrimaryMetric]:
    """The thread's metrics; for a thread that declares none, what the runs measured."""
    if evidence.thread.metrics:
        return evidence.thread.metrics
    names = dict.fromkeys(name for subject in evidence.subjects for name in subject.result.metrics)
    return [PrimaryMetric(name=name, direction="", unit="") for name in list(names)[:6]]


def is_finite(fact: Fact) -> bool:
    return isinstance(fact.value, int | float) and math.isfinite(fact.value)


def metric_head(metric: PrimaryMetric) -> str:
    """``eval/loss ↓ (nats/byte)``: which way is better, and the unit of the column."""
    arrow = {Direction.LOWER: " ↓", Direction.HIGHER: " ↑"}.get(Direction(metric.direction)) if metric.direction else ""
    return f"{recorded(metric.name)}{arrow}{f' ({metric.unit})' if metric.unit else ''}"


def shown(fact: Fact | None) -> str:
    """A fact's value with its unit."""
    return "-" if fact is None else render(fact)


def bare(fact: Fact | None) -> str:
    """A fact's value without its unit, for a cell whose column says the unit."""
    if fact is None:
        return "-"
    text = render(fact)
    return text.removesuffix(f" {fact.unit}") if fact.unit else text


def commit(run: Run) -> str:
    """The commit a run was launched from, and whether that is the whole truth."""
    git = run.attempt.git if run.attempt else None
    if git is None or isinstance(git.commit, Unknown):
        return f"unknown ({git.commit.why if git and isinstance(git.commit, Unknown) else 'the run never started'})"
    if not git.dirty:
        return f"`{git.commit}`"
    if isinstance(git.diff, Blob):
        return f"`{git.commit}` with uncommitted changes (diff `{git.diff.sha256[:12]}` in the record)"
    why = git.diff.why if isinstance(git.diff, Unknown) else ""
    return f"`{git.commit}` with uncommitted changes that are not in the record ({why})"


def command(run: Run) -> str:
    """The command line, and where to run it when that is not the top of the checkout."""
    if run.attempt is None:
        return "none: it was not started"
    said = run.attempt.command
    ticks = "``" if "`" in said.line else "`"
    where = said.cwd_in_repository
    inside = f" (in `{where}`)" if isinstance(where, str) and where != "." else ""
    return f"{ticks}{said.line}{ticks}{inside}"


def devices(run: Run) -> str:
    """Device kind and count, and who says so."""
    if run.attempt is None:
        return "none: it was not started"
    found = run.attempt.devices
    if not isinstance(found, Devices):
        return f"unknown ({found.why})"
    by = "as JAX saw them" if found.source == "jax" else "as declared"
    asked = denied(run.attempt)
    instead = f" (**not** the {recorded(asked.kind)} that was asked for)" if asked is not None else ""
    return f"{found.count} × {recorded(found.kind)}, {by}{instead}"


def attempts(run: Run) -> str:
    """What became of each try at a run, in their order; and loudly where a retry was no repetition."""
    told = []
    for attempt in run.attempts:
        end = attempt.end
        last = attempt is run.attempt
        why = f" ({recorded(end.why)})" if end is not None and not last else ""
        told.append(f"{end.status if end is not None else run.status}{why}")
    changes = changes_between_attempts(run)
    names = dict.fromkeys(recorded(each.name) for change in changes for each in change.differences)
    warning = f". **Not the same in every attempt**: {listed(list(names))}" if names else ""
    return ", then ".join(told) + warning


NO_CONFIG = "none"


def config(run: Run, *, without: Sequence[str] = ()) -> str:
    """``key=value`` pairs as code."""
    pairs = [code(f"{key}={_plain(value)}") for key, value in flat_config(run).items() if key not in without]
    return ", ".join(pairs) or NO_CONFIG


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value


def axis_value(subject: Subject, axis: Sequence[str]) -> str:
    """``learning_rate=0.01`` of one run of a sweep; its label where the axis says nothing."""
    return setting(subject.result, axis) or stated(subject.run.label)


def setting(run: Run, axis: Sequence[str]) -> str:
    """``learning_rate=0.01``; empty where the axis says nothing of the run."""
    values = flat_config(run)
    return recorded(", ".join(f"{key}={_plain(values[key])}" for key in axis if key in values))


def wandb(evidence: Evidence) -> str:
    """The W&B runs: links, and those that were offline by their IDs."""
    linked, offline = dict[str, None](), dict[str, None]()
    for subject in evidence.subjects:
        for run in subject.result.wandb:
            if isinstance(run.url, str):
                linked[f"{subject.result.id} {run.url}"] = None
            else:
                offline[f"{subject.result.id} `{run.id}`"] = None
    parts = [", ".join(linked), f"offline, not yet synced: {', '.join(offline)}" if offline else ""]
    return "; ".join(part for part in parts if part) or "no run was started"


def improvement(fact: Fact) -> int:
    """+1 when a change is for the better, -1 for the worse, 0 when it is neither or nobody said which way is better."""
    if not isinstance(fact.value, int | float) or fact.better is None or fact.value != fact.value or fact.value == 0:
        return 0
    return 1 if (fact.value > 0) == (fact.better is Direction.HIGHER) else -1


def noise(evidence: Evidence, metric: PrimaryMetric) -> Fact | None:
    """The largest relative change of a metric among repetitions of the baseline: what a seed alone does."""
    changes = [
        change
        for subject in evidence.subjects
        if subject.repeats
        and (change := evidence.fact(subject.result.id, "percent", metric.name)) is not None
        and is_finite(change)
    ]
    return max(changes, key=lambda change: abs(number(change)), default=None)


def best(evidence: Evidence, metric: PrimaryMetric) -> Subject | None:
    """The succeeded run with the best finite value of a metric."""
    measured = [
        (number(fact), index)
        for index, subject in enumerate(evidence.subjects)
        if subject.result.status is Status.SUCCEEDED
        and (fact := evidence.fact(subject.result.id, "metric", metric.name)) is not None
        and is_finite(fact)
    ]
    if not measured or not metric.direction:
        return None
    pick = max if metric.direction == Direction.HIGHER else min
    return evidence.subjects[pick(measured)[1]]


def failure(subject: Subject) -> str:
    """How a run failed, in a few words of its own: ``FloatingPointError: loss is nan at step 30``."""
    end = subject.result.attempt.end if subject.result.attempt else None
    if end is None or end.exception is None:
        return subject.result.why
    message = end.exception.message.strip().partition("\n")[0]
    return f"{end.exception.type}: {message}" if message else end.exception.type


def recorded(text: str) -> str:
    """Text that a person or a program left in the record, on one line, so that it stays text wherever it stands.

    What Markdown would make a link, a mention, an image or HTML of is shown as code.
    """
    line = " ".join(text.split())
    return code(line) if _LIVE.search(line) else line


def stated(text: str) -> str:
    """Text that the researcher wrote when they launched a run: as ``recorded``, but ``#1234`` refers to that issue."""
    line = " ".join(text.split())
    return line if not _LIVE.search(_REFERENCE.sub("", line)) else code(line)


def code(text: str) -> str:
    """A text as inline code that none of it can close."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    ticks = "`" * (longest + 1)
    inner = f" {text} " if text.startswith("`") or text.endswith("`") else text
    return f"{ticks}{inner}{ticks}"


def shortened(line: str) -> str:
    """The beginning of a line, cut between words, for a sentence that quotes it."""
    line = line.strip()
    if len(line) <= _QUOTED:
        return line
    return line[: line.rfind(" ", 0, _QUOTED) if " " in line[:_QUOTED] else _QUOTED]
