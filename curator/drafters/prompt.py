"""What a drafting model is shown: instructions from files, evidence as JSON, the least important left out first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from curator.drafters import wording
from curator.drafters.shown import LONGEST_VALUE, Mask, as_json, is_sent, shown
from curator.facts import Fact, FactKind
from curator.model.port import ModelError, Request, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from curator.claims.base import Grounds
    from curator.writing import Masked
    from marin_research.redact import Redactor
    from marin_research.thread import Thread

_ROUNDS_TO_FIT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One piece of evidence."""

    part: str
    """``facts``, ``log_lines``, ``earlier_entries``, ``failures``."""
    key: str
    value: Any
    importance: int
    """0 is never left out; the highest goes first."""
    what: str
    """What it is one of, for saying what was left out: ``other settings``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What is shown of a record, and what is not."""

    thread: Mapping[str, Any]
    items: tuple[Item, ...]
    masked: tuple[Masked, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def untrusted(self) -> tuple[str, ...]:
        """Text beside the facts that others wrote."""
        return tuple(item.value for item in self.items if item.part == "earlier_entries")

    def request(self, schema: Mapping[str, Any], max_output_tokens: int, turns: Sequence[Turn] = ()) -> Request:
        """The request for the model's next turn, after the given ones."""
        context = {"thread": self.thread, "earlier_entries": self._part("earlier_entries")}
        record = {part: self._part(part) for part in ("facts", "log_lines", "failures")}
        first = Turn(role="user", text=f"{_file('task')}\n{as_json(record)}")
        return Request(
            system=(_file("instructions"), as_json(context)),
            turns=(first, *turns),
            schema=schema,
            max_output_tokens=max_output_tokens,
        )

    def _part(self, part: str) -> dict[str, Any]:
        return {item.key: item.value for item in self.items if item.part == part}


def compose(grounds: Grounds, entries: Sequence[str], redactor: Redactor) -> Prompt:
    """Everything that bears on the result.

    Args:
        grounds: the facts.
        entries: the logbook's latest entries, the oldest first.
        redactor: what takes secrets out of it.
    """
    mask = Mask(redactor)
    thread = mask.tree(_about(grounds.evidence.thread), "thread")
    items = []
    for item in (*_facts(grounds), *_lines(grounds), *_failures(grounds), *_entries(entries)):
        if mask.text(item.key, item.key) == item.key:
            value = mask.tree(item.value, item.key)
            items.append(Item(part=item.part, key=item.key, value=value, importance=item.importance, what=item.what))
    return Prompt(thread=thread, items=tuple(items), masked=tuple(dict.fromkeys(mask.found)))


def fitted(prompt: Prompt, limit: int, count: Callable[[Prompt], int]) -> Prompt:
    """The prompt with its least important items left out until it fits.

    Args:
        prompt: everything.
        limit: tokens.
        count: counts the tokens of a prompt.

    Raises:
        ModelError: even what is never left out does not fit.
    """
    sizes = [_size(item) for item in prompt.items]
    # The last of equals goes first: runs and settings come in the order in which they matter.
    kept = sorted(range(len(sizes)), key=lambda index: prompt.items[index].importance)
    for _ in range(_ROUNDS_TO_FIT):
        current = _only(prompt, set(kept))
        tokens = count(current)
        if tokens <= limit:
            return current
        size = sum(sizes[index] for index in kept)
        # Everything else in a prompt is of fixed size, so what goes must make up for all that is too much.
        surplus = 1.1 * (tokens - limit) * (size + _fixed(prompt)) / tokens
        while surplus > 0 and kept and prompt.items[kept[-1]].importance:
            surplus -= sizes[kept.pop()]
        if sum(sizes[index] for index in kept) == size:
            break
    raise ModelError(
        f"the record's main facts take {tokens} tokens, more than the {limit} that the budget leaves for them"
    )


def repair(violations: Sequence[str]) -> Turn:
    """The turn that asks to mend an answer."""
    return Turn(role="user", text=f"{_file('repair')}\n" + "\n".join(f"- {violation}" for violation in violations))


def _about(thread: Thread) -> dict[str, Any]:
    return {
        "topic": thread.topic,
        "title": thread.title,
        "goal": thread.goal,
        "metrics": [f"{m.name}: {m.direction} is better{f', in {m.unit}' if m.unit else ''}" for m in thread.metrics],
        "constraints": thread.constraints,
        "stop_criteria": thread.stop_criteria,
    }


def _facts(grounds: Grounds) -> Iterator[Item]:
    primary = {metric.name for metric in wording.primary_metrics(grounds.evidence)}
    varied = {*grounds.evidence.axis, *grounds.evidence.seeds}
    for fact in grounds.facts.values():
        if not is_sent(fact) or fact.kind is FactKind.QUOTE:
            continue
        importance, what = _importance(fact, primary, varied, earlier=fact.id in grounds.more)
        yield Item(part="facts", key=fact.id, value=shown(fact), importance=importance, what=what)


def _importance(fact: Fact, primary: set[str], varied: set[str], *, earlier: bool) -> tuple[int, str]:
    main = fact.name in primary
    match fact.kind:
        case FactKind.RUN | FactKind.STATUS:
            found = 0, "statuses"
        case FactKind.CONFIG:
            found = (0, "tested settings") if fact.name in varied else (6, "other settings")
        case FactKind.PERCENT if main:
            found = 0, "main metrics"
        case FactKind.METRIC if main and "/metric/" in fact.id:
            found = 0, "main metrics"
        case FactKind.TEXT | FactKind.NAME | FactKind.LABEL:
            found = 1, "hypotheses and names"
        case FactKind.DEVIATION:
            found = 2, "deviations"
        case _ if main:
            found = 3, "extremes and differences of the main metrics"
        case FactKind.DURATION | FactKind.COUNT | FactKind.DEVICE:
            found = 4, "durations and counts"
        case _:
            found = 5, "other metrics"
    return (found[0] + 4, f"{found[1]} of earlier runs") if earlier else found


def _lines(grounds: Grounds) -> Iterator[Item]:
    for line_id, (_, line) in grounds.lines.items():
        yield Item(part="log_lines", key=line_id, value=line[:LONGEST_VALUE], importance=2, what="log lines")


def _failures(grounds: Grounds) -> Iterator[Item]:
    for failure in grounds.evidence.failures:
        said = {"error": failure.error, "similar": list(failure.similar), "negative_results": list(failure.known)}
        if failure.cause is not None:
            said["likely_cause"] = failure.cause.name
        yield Item(part="failures", key=failure.run, value=said, importance=1, what="failures")


def _entries(entries: Sequence[str]) -> Iterator[Item]:
    for age, entry in enumerate(reversed(entries)):
        yield Item(
            part="earlier_entries",
            key=f"entry {age + 1} before this one",
            value=entry[: 4 * LONGEST_VALUE],
            importance=8 + age,
            what="earlier entries",
        )


def _only(prompt: Prompt, kept: set[int]) -> Prompt:
    """The prompt with these items, and what is missing said by the number."""
    there = Counter(item.what for item in prompt.items)
    gone = Counter(item.what for index, item in enumerate(prompt.items) if index not in kept)
    return replace(
        prompt,
        items=tuple(item for index, item in enumerate(prompt.items) if index in kept),
        left_out=tuple(f"{number} of {there[what]} {what}" for what, number in gone.items()),
    )


def _size(item: Item) -> int:
    return len(as_json({item.key: item.value}))


def _fixed(prompt: Prompt) -> int:
    return len(_file("instructions")) + len(_file("task")) + len(as_json(dict(prompt.thread)))


def _file(name: str) -> str:
    return (files("curator.drafters") / "prompts" / f"{name}.md").read_text(encoding="utf-8").strip()
