"""The kinds of errors that are planted in drafts.

An error is planted from the facts and not by looking for words: a value becomes one that nothing recorded of its run
and metric rounds to, a sentence is added that the record contradicts. Never asks what checks the texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from curator.draft import DraftKind
from curator.facts import FactKind, render
from tests.evaluation.annotated import states
from tests.evaluation.drafts import Cell, Drafted, cells, said

_OTHER_UNITS = {
    "nats": "bits", "bits": "nats", "tok/s": "tok/min", "ms": "s", "us": "ms", "s": "ms", "GiB": "MiB", "GB/s": "MB/s",
    "%": "ms", "TFLOP/s": "GFLOP/s",
}  # fmt: skip
_CHANGE = re.compile(r" \((?P<change>[-+][\d.]+) %\)")
_SAID_CHANGE = re.compile(r"(?<![(\w])(?P<change>[-+]\d[\d.]*)\s%")
_SETTING = re.compile(r"(?P<key>[A-Za-z_][\w.]*)=(?P<value>[\w.-]*\w)(?=[,)`:])")
_ITS_SETTING = re.compile(rf"(?<=\d \()`?{_SETTING.pattern}")
"""That of a run, behind its ID."""
_VERDICTS = {
    "is better than": "is worse than", "are better than": "are worse than", "did not reach": "is better than",
}  # fmt: skip


def stated(draft: Drafted) -> list[Cell]:
    return [*cells(draft), *said(draft)]


def wrong_digit(draft: Drafted) -> Iterator[str]:
    for cell in stated(draft):
        places = [n for n, c in enumerate(cell.written) if c.isdigit() and cell.written[: n + 1].strip("0.,")]
        for at in places[1:2]:
            number = f"{cell.written[:at]}{(int(cell.written[at]) + 3) % 10}{cell.written[at + 1 :]}"
            if cell.is_wrong(number):
                yield cell.instead(number)


def rounded_too_far(draft: Drafted) -> Iterator[str]:
    for cell in stated(draft):
        whole, _, part = cell.written.partition(".")
        if len(part) > 1 and part[-2] != "9":
            number = f"{whole}.{part[:-2]}{int(part[-2]) + (part[-1] < '5')}"
            if cell.is_wrong(number):
                yield cell.instead(number)


def swapped_value(draft: Drafted) -> Iterator[str]:
    for cell in stated(draft):
        for (run, name), fact in draft.metrics.items():
            number = render(fact).split()[0]
            if name == cell.fact.name and run != cell.fact.subject and cell.is_wrong(number):
                yield cell.instead(number)
                break


def swapped_run(draft: Drafted) -> Iterator[str]:
    by_run = {cell.fact.subject: cell for cell in cells(draft)}
    for (a, mine), (b, theirs) in zip(list(by_run.items()), list(by_run.items())[1:], strict=False):
        if mine.fact.name == theirs.fact.name and mine.is_wrong(theirs.written):
            instead = {a: b, b: a}
            pieces = re.split(rf"(?m)^( *\| )({a}|{b})\b", draft.text)
            yield "".join(instead.get(piece, piece) for piece in pieces)


def wrong_unit(draft: Drafted) -> Iterator[str]:
    for found in re.finditer(r"(?m)^ *\| run .*$", draft.text):
        for unit in re.finditer(r"\((?P<unit>[^()\s/]+)(?P<rest>/[a-z]+)?\)", found.group()):
            whole, first = unit["unit"] + (unit["rest"] or ""), unit["unit"]
            other = _OTHER_UNITS.get(whole) or (f"{_OTHER_UNITS[first]}{unit['rest']}" if first in _OTHER_UNITS else "")
            if other:
                at = found.start() + unit.start()
                yield f"{draft.text[:at]}({other}){draft.text[at + len(unit.group()) :]}"


def stale_baseline(draft: Drafted) -> Iterator[str]:
    """A change in brackets is against another run than it says."""
    for cell in stated(draft):
        change = _CHANGE.match(draft.text, cell.end)
        for (run, name), fact in draft.metrics.items() if change else ():
            if name != cell.fact.name or run in {cell.fact.subject, draft.baseline} or not fact.value:
                continue
            percent = f"{100 * (float(cell.fact.value) / float(fact.value) - 1):+.1f}"  # type: ignore[arg-type]
            if change and not states(percent, float(change["change"])) and percent[0] == change["change"][0]:
                yield draft.text[: change.start("change")] + percent + draft.text[change.end("change") :]
                break


def flipped_sign(draft: Drafted) -> Iterator[str]:
    for cell in stated(draft):
        change = _CHANGE.match(draft.text, cell.end)
        if change and float(change["change"]):
            at = change.start("change")
            yield draft.text[:at] + ("-" if draft.text[at] == "+" else "+") + draft.text[at + 1 :]


def flipped_comparative(draft: Drafted) -> Iterator[str]:
    for name in {name for _, name in draft.metrics}:
        order = draft.ranked(name)
        if len(order) < 2 or draft.metrics[order[0], name].value == draft.metrics[order[-1], name].value:
            continue
        best, worst = draft.metrics[order[0], name], draft.metrics[order[-1], name]
        word = "higher" if best.value < worst.value else "lower"  # type: ignore[operator]
        yield draft.with_sentence(f"{order[0]} has a {word} {name} than {order[-1]}.")
        yield draft.with_sentence(f"{order[-1]} is better than {order[0]} in {name}.")


def false_superlative(draft: Drafted) -> Iterator[str]:
    for name in {name for _, name in draft.metrics}:
        order = draft.ranked(name)
        if len(order) > 2 and draft.metrics[order[0], name].value != draft.metrics[order[1], name].value:
            yield draft.with_sentence(f"Of all runs {order[1]} has the best {name}.")


def wrong_count(draft: Drafted) -> Iterator[str]:
    well = sum(status == "succeeded" for status in draft.statuses.values())
    if len(draft.statuses) > 2:
        yield draft.with_sentence(f"{well - 1 or well + 1} of the {len(draft.statuses)} runs succeeded.")
        yield draft.with_sentence(f"These are {len(draft.statuses) + 1} runs.")


def wrong_status(draft: Drafted) -> Iterator[str]:
    for run, status in draft.statuses.items():
        other = {"succeeded": "failed", "failed": "succeeded"}.get(status)
        row = re.search(rf"(?m)^ *\| {run}\b[^\n]*\| (?P<status>{status}) ", draft.text)
        if other and row:
            yield draft.text[: row.start("status")] + other + draft.text[row.end("status") :]
        sentence = re.search(rf"\b{run}(?:\s\([^()]*\))?\s(?P<status>{status}): ", draft.text)
        if other and sentence:
            yield draft.text[: sentence.start("status")] + other + draft.text[sentence.end("status") :]


def statement_without_a_number(draft: Drafted) -> Iterator[str]:
    for run, status in draft.statuses.items():
        if status == "succeeded":
            yield draft.with_sentence(f"{run} crashed.")
        elif status == "failed":
            yield draft.with_sentence(f"{run} ran to its end.")
    if len(draft.statuses) > 1 and "failed" in draft.statuses.values():
        yield draft.with_sentence("No run failed.")


def wrong_role(draft: Drafted) -> Iterator[str]:
    """A value is given as a difference."""
    for (run, name), fact in draft.metrics.items():
        other = draft.metrics.get((draft.baseline, name))
        if other is None or run == draft.baseline or not fact.value:
            continue
        gap = abs(float(fact.value) - float(other.value))  # type: ignore[arg-type]
        if not states(render(fact), gap):
            yield draft.with_sentence(f"{run} differs from the baseline by {render(fact)} in {name}.")


def one_character(kind: FactKind, *, places: slice = slice(None)) -> Callable[[Drafted], Iterator[str]]:
    """A planter that changes one digit of what is copied from a fact."""

    def plant(draft: Drafted) -> Iterator[str]:
        known = {str(fact.value) for fact in draft.facts}
        for fact in [fact for fact in draft.facts if fact.kind is kind][places]:
            value = str(fact.value)
            at = next((n for n in range(len(value) - 1, -1, -1) if value[n].isdigit()), -1)
            other = f"{value[:at]}{(int(value[at]) + 3) % 10}{value[at + 1 :]}" if at >= 0 else value
            if value in draft.text and other not in known:
                yield draft.text.replace(value, other)

    return plant


def wrong_label(draft: Drafted) -> Iterator[str]:
    for mine, other in (("exploratory", "replicated"), ("replicated", "exploratory"), ("exploratory", "stable")):
        if f"- Confidence: {mine}" in draft.text:
            yield draft.text.replace(f"- Confidence: {mine}", f"- Confidence: {other}")


def stale_config(draft: Drafted) -> Iterator[str]:
    """A setting is given as another run's or as none's."""
    for found in re.finditer(r"`(?P<key>[\w.]+)=(?P<value>\d+)`", draft.text):
        yield draft.text[: found.start("value")] + str(int(found["value"]) * 2 + 1) + draft.text[found.end("value") :]


def changed_percentage(draft: Drafted) -> Iterator[str]:
    """A change that a sentence states has another sign or size."""
    known = [float(f.value) for f in draft.facts if f.kind is FactKind.PERCENT and isinstance(f.value, int | float)]
    for found in _SAID_CHANGE.finditer(draft.text):
        sign, size = found["change"][0], found["change"][1:]
        for other in ("-" if sign == "+" else "+") + size, f"{sign}{float(size) * 2 + 3:.1f}":
            if not any(abs(float(other) - value) < 0.06 for value in known):
                yield draft.text[: found.start()] + other + draft.text[found.end("change") :]


def flipped_verdict(draft: Drafted) -> Iterator[str]:
    """What a draft itself says of runs and the baseline is turned round."""
    text = draft.text
    for right, wrong in _VERDICTS.items():
        for found in re.finditer(right.replace(" ", r"\s+"), text):
            yield text[: found.start()] + wrong + text[found.end() :]


def other_setting(draft: Drafted) -> Iterator[str]:
    """A setting that tells a run from others is given as another run's."""
    by_key: dict[str, set[str]] = {}
    for fact in draft.facts:
        if fact.kind is FactKind.CONFIG:
            by_key.setdefault(fact.name, set()).add(str(fact.value))
    whole = draft.kind is DraftKind.POST
    for found in (_SETTING if whole else _ITS_SETTING).finditer(draft.text):
        others = sorted(by_key.get(found["key"], set()) - {found["value"]})
        if found["value"] in by_key.get(found["key"], ()):
            other = others[0] if others else f"{found['value']}7"
            yield draft.text[: found.start("value")] + other + draft.text[found.end("value") :]


def wrong_machine(draft: Drafted) -> Iterator[str]:
    """Another number of devices, or another version."""
    for found in re.finditer(
        r"(?m)(?<=Devices: )(\d+)(?= ×)|(?<=^environment: )(\d+)(?= ×)|(?<=gpus: )(\d+)(?=x )", draft.text
    ):
        yield draft.text[: found.start()] + str(int(found.group()) + 1) + draft.text[found.end() :]
    for found in re.finditer(r"(?:jax:? |CPython |python: )\d+\.(?P<minor>\d+)(?=\.\d)", draft.text):
        yield draft.text[: found.start("minor")] + str(int(found["minor"]) + 2) + draft.text[found.end("minor") :]


def changed_message(draft: Drafted) -> Iterator[str]:
    """A number in a message that a sentence quotes is another one."""
    known = "\n".join(str(fact.value) for fact in draft.facts)
    for found in re.finditer(r"`(?P<type>[A-Z]\w+(?:Error|Exception)): [^`]*?(?P<digit>\d)(?=\D[^`]*`|`)", draft.text):
        other = str((int(found["digit"]) + 3) % 10)
        line = " ".join((draft.text[found.start() + 1 : found.start("digit")] + other).split())
        if line not in " ".join(known.split()):
            yield draft.text[: found.start("digit")] + other + draft.text[found.end("digit") :]


def wrong_span(draft: Drafted) -> Iterator[str]:
    """A session took another time, or ended at another."""
    for found in re.finditer(r"(?m)^duration_minutes: (?P<minutes>\d+)$", draft.text):
        yield draft.text[: found.start("minutes")] + str(int(found["minutes"]) + 7) + draft.text[found.end("minutes") :]
    for found in re.finditer(r"(?m)^timestamp: '\S+:(?P<second>\d\d)Z'$", draft.text):
        other = f"{(int(found['second']) + 7) % 60:02}"
        yield draft.text[: found.start("second")] + other + draft.text[found.end("second") :]


PLANTERS: dict[str, Callable[[Drafted], Iterator[str]]] = {
    "wrong digit": wrong_digit,
    "rounding too far": rounded_too_far,
    "swapped value": swapped_value,
    "swapped run": swapped_run,
    "wrong unit": wrong_unit,
    "stale baseline": stale_baseline,
    "wrong sign": flipped_sign,
    "flipped comparative": flipped_comparative,
    "false superlative": false_superlative,
    "wrong count": wrong_count,
    "wrong status": wrong_status,
    "statement without a number": statement_without_a_number,
    "wrong role": wrong_role,
    "invented link": one_character(FactKind.LINK),
    "wrong commit": one_character(FactKind.COMMIT, places=slice(1)),
    "wrong command": one_character(FactKind.COMMAND, places=slice(1)),
    "changed log line": one_character(FactKind.QUOTE),
    "wrong label": wrong_label,
    "wrong config": stale_config,
    "changed percentage": changed_percentage,
    "flipped verdict": flipped_verdict,
    "other setting": other_setting,
    "wrong machine": wrong_machine,
    "changed message": changed_message,
    "wrong span": wrong_span,
}
