"""Texts whose spans say what they claim, so that a planted error is known to be one without asking the verifier.

``{2.31|v LR-003 eval/loss|2.13}`` reads: the text says "2.31", that is the value of ``eval/loss`` of LR-003, and "2.13"
would be wrong. The claims are checked against the thread file itself, in arithmetic of their own.

======  ====================================================================================================
``v``   the last value of a metric, ``f`` its first, ``x`` its highest, ``m`` the value in another unit of time
``d``   the difference of two runs in a metric, ``p`` their relative difference in percent, ``r`` their ratio
``s``   a number minus the value of a metric
``dur`` the wall time of a run's last attempt; ``c`` a value of its config
``cmp`` and other words: nothing is computed; the alternatives are what would be wrong
======  ====================================================================================================
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

SPAN = re.compile(r"\{([^{}|]+)\|([^{}|]+)((?:\|[^{}|]*)*)\}")
NUMBER = re.compile(r"[-+−]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
COMPUTED = {"v", "f", "x", "m", "d", "p", "r", "s", "dur", "c", "s2", "dr"}


@dataclass(frozen=True, kw_only=True)
class Claim:
    start: int
    end: int
    text: str
    kind: str
    about: tuple[str, ...]
    wrong: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Sample:
    thread: str
    text: str
    claims: tuple[Claim, ...]
    line: int


@dataclass(frozen=True, kw_only=True)
class Planted:
    sample: Sample
    kind: str
    text: str
    start: int
    end: int


def read(path: Path) -> Iterator[Sample]:
    whole = path.read_text(encoding="utf-8")
    for found in re.finditer(r"(?ms)^@@ (\S+)\n(.*?)(?=^@@ |\Z)", whole):
        text, claims, at = "", [], 0
        raw = found[2].rstrip("\n")
        for span in SPAN.finditer(raw):
            text += raw[at : span.start()]
            kind, *about = span[2].split()
            claims.append(
                Claim(
                    start=len(text),
                    end=len(text) + len(span[1]),
                    text=span[1],
                    kind=kind,
                    about=tuple(about),
                    wrong=tuple(span[3].split("|")[1:]),
                )
            )
            text += span[1]
            at = span.end()
        text += raw[at:]
        yield Sample(thread=found[1], text=text, claims=tuple(claims), line=whole.count("\n", 0, found.start()) + 1)


class Truth:
    """The numbers of a thread file, and what is computed from them."""

    def __init__(self, table: dict[str, Any]) -> None:
        self.runs: dict[str, dict[str, Any]] = {run["id"]: run for run in table["runs"]}
        self.table = table

    def value(self, claim: Claim, run: str | None = None) -> float | None:
        """What the claim is about, in the thread's own unit; None where there is no such number."""
        a, *rest = claim.about
        a = run or a
        match claim.kind:
            case "v" | "m":
                return self._metric(a, rest[0], 1)
            case "f":
                return self._metric(a, rest[0], 0)
            case "x":
                return self._metric(a, rest[0], 3)
            case "s":
                value = self._metric(rest[0], rest[1], 1)
                return None if value is None else float(a) - value
            case "dur":
                return float(self.runs[a]["wall"]) if a in self.runs else None
            case "s2" | "dr":
                mine, theirs = float(self.runs[a]["wall"]), float(self.runs[rest[0]]["wall"])
                return mine - theirs if claim.kind == "s2" else mine / theirs
            case "c":
                value = {**self.table.get("config", {}), **self.runs[a].get("config", {})}[rest[0]]
                return float(value)
            case "d" | "p" | "r":
                return self._change(claim.kind, self._metric(a, rest[1], 1), self._metric(rest[0], rest[1], 1))
        return None

    def _metric(self, run: str, name: str, place: int) -> float | None:
        value = self.runs.get(run, {}).get("metrics", {}).get(name)
        if isinstance(value, list):
            value = value[place]
        elif place == 0:
            value = None
        return float(value) if value is not None and math.isfinite(float(value)) else None

    @staticmethod
    def _change(kind: str, a: float | None, b: float | None) -> float | None:
        if a is None or b is None or not b:
            return None
        return {"d": a - b, "p": 100 * (a - b) / abs(b), "r": a / b}[kind]


SCALES = (1, 60, 3600, 1e3, 1e6, 1e9, 1e-3, 1e-6, 100, 0.01)


def states(text: str, value: float) -> bool:
    """Whether the first number in ``text`` is ``value`` rounded to its digits, in some unit."""
    found = NUMBER.search(text)
    if not found or re.search(r"\d ?h \d", text):
        return True
    written = found.group().replace(",", "").replace("−", "-")
    number = Decimal(written)
    quantum = Decimal(1).scaleb(number.as_tuple().exponent)  # type: ignore[arg-type]
    for scale in SCALES:
        for sign in (1, -1):
            exact = Decimal(repr(value * sign)) / Decimal(repr(scale))
            slack = quantum / 2 * Decimal("1.0001")
            if abs(abs(exact) - abs(number)) <= slack:
                return True
            # Zeros before the point may have been rounded to.
            zeros = len(written.lstrip("+-")) - len(written.lstrip("+-").rstrip("0")) if "." not in written else 0
            if zeros and abs(abs(exact) - abs(number)) <= Decimal(10) ** zeros / 2 and abs(number) > 99:
                return True
    return False


def plant(sample: Sample, truth: Truth) -> Iterator[Planted]:
    """Every text with one error that the sample's claims allow."""
    for claim in sample.claims:
        for wrong in claim.wrong:
            yield _with(sample, claim, wrong, _kind_of(claim, wrong))
        before = {word.strip("(") for word in sample.text[: claim.start].rstrip().split()[-2:]}
        bounded = bool(before & {"within", "under", "over", "below", "above", "than", "least", "most"})
        if claim.kind in {"v", "f", "x", "m", "d", "p", "s", "dur"} and not bounded:
            yield from _digits(sample, claim, truth)
        if claim.kind == "v":
            yield from _swapped_values(sample, claim, truth)
        if claim.kind in {"v", "d"}:
            yield from _other_role(sample, claim, truth)
    yield from _swapped_runs(sample, truth)


def _kind_of(claim: Claim, wrong: str) -> str:
    if claim.kind not in COMPUTED:
        return claim.kind
    mine, theirs = NUMBER.findall(claim.text), NUMBER.findall(wrong)
    if not mine or not theirs:
        return "ratio word" if claim.kind in {"r", "p"} else "number word"
    return "unit" if mine == theirs else "digits"


def _with(sample: Sample, claim: Claim, by: str, kind: str) -> Planted:
    text = sample.text[: claim.start] + by + sample.text[claim.end :]
    return Planted(sample=sample, kind=kind, text=text, start=claim.start, end=claim.start + len(by))


def _replace_number(claim: Claim, number: str) -> str:
    found = NUMBER.search(claim.text)
    assert found
    return claim.text[: found.start()] + number + claim.text[found.end() :]


def _digits(sample: Sample, claim: Claim, truth: Truth) -> Iterator[Planted]:
    found = NUMBER.search(claim.text)
    value = truth.value(claim)
    if not found or value is None or "e" in found.group():
        return
    written = found.group()
    places = [n for n, c in enumerate(written) if c.isdigit()]
    significant = [n for n in places if written[: n + 1].strip("-+−0.,")]
    for at in significant[1:3] or significant[:1]:
        number = written[:at] + str((int(written[at]) + 3) % 10) + written[at + 1 :]
        text = _replace_number(claim, number)
        if not states(text, value):
            yield _with(sample, claim, text, "digit")
    whole, dot, part = written.partition(".")
    if dot and claim.kind in {"v", "f", "x", "d"}:
        cut = f"{whole}.{part[:-1]}" if len(part) > 1 else whole
        last = int(cut[-1])
        for number in {cut[:-1] + str((last + 1) % 10), cut[:-1] + str((last - 1) % 10)}:
            text = _replace_number(claim, number)
            if not states(text, value) and last not in {0, 9}:
                yield _with(sample, claim, text, "rounding")


def _is_named(sample: Sample, run: str, truth: Truth) -> bool:
    """Whether the text tells by a name of its own which run it speaks of."""
    text = sample.text.lower()
    if run.lower() in text:
        return True
    if truth.runs[run].get("baseline") and re.search(r"\b(?:baseline|reference)\b", text):
        return True
    mine = _names(truth.runs[run])
    others = set().union(*(_names(other) for name, other in truth.runs.items() if name != run))
    return any(re.search(rf"(?<![\w.]){re.escape(word)}(?![\w.])", text) for word in mine - others)


def _names(row: dict[str, Any]) -> set[str]:
    label = str(row.get("label", "")).lower()
    values = {str(value).lower() for value in row.get("config", {}).values() if isinstance(value, str)}
    return {word for word in {label, *label.split(), *values} if len(word) > 2}


def _swapped_values(sample: Sample, claim: Claim, truth: Truth) -> Iterator[Planted]:
    if not _is_named(sample, claim.about[0], truth):
        return
    mine = truth.value(claim)
    found = NUMBER.search(claim.text)
    if not found or mine is None or not {".", ","} & set(found.group()):
        return
    for run in truth.runs:
        other = truth.value(claim, run)
        if run == claim.about[0] or other is None:
            continue
        scale = next((s for s in SCALES if states(found.group(), mine) and _close(found.group(), mine / s)), None)
        if scale is None:
            continue
        text = _replace_number(claim, _like(found.group(), other / scale))
        if not states(text, mine):
            yield _with(sample, claim, text, "swapped value")


def _close(written: str, value: float) -> bool:
    number = float(written.replace(",", "").replace("−", "-"))
    return math.isclose(number, value, rel_tol=0.02)


def _like(written: str, value: float) -> str:
    decimals = len(written.partition(".")[2])
    return f"{value:,.{decimals}f}" if "," in written else f"{value:.{decimals}f}"


def _other_role(sample: Sample, claim: Claim, truth: Truth) -> Iterator[Planted]:
    """A value stated as a difference, a difference as a value."""
    found = NUMBER.search(claim.text)
    if not found or claim.kind != "d" or found.group()[0] in "+-−":
        return
    value = truth._metric(claim.about[0], claim.about[2], 1)
    mine = truth.value(claim)
    if value is None or mine is None:
        return
    text = _replace_number(claim, _like(found.group(), value))
    if not states(text, mine):
        yield _with(sample, claim, text, "role")


def _swapped_runs(sample: Sample, truth: Truth) -> Iterator[Planted]:
    for found in re.finditer(r"\b[A-Z]+(?:-[A-Z]+)*-\d{3}\b", sample.text):
        run = found.group()
        if sample.text.count(run) != 1 or run not in truth.runs:
            continue
        claims = [c for c in sample.claims if c.kind in {"v", "d", "p", "r", "dur", "f"} and c.about[0] == run]
        for other in truth.runs:
            if other in sample.text or other == run:
                continue
            values = [truth.value(c, other) for c in claims]
            wrong = any(
                value is None or not states(claim.text, value)
                for claim, value in zip(claims, values, strict=True)
                if NUMBER.search(claim.text)
            )
            if claims and wrong:
                text = sample.text[: found.start()] + other + sample.text[found.end() :]
                yield Planted(sample=sample, kind="swapped run", text=text, start=found.start(), end=found.end())


def problems(sample: Sample, truth: Truth) -> Iterator[str]:
    """Claims of a sample that are not true: a mistake of whoever wrote it."""
    for claim in sample.claims:
        if claim.kind in COMPUTED:
            value = truth.value(claim)
            if value is None:
                yield f"line {sample.line}: {claim.text!r} has no value ({claim.kind} {' '.join(claim.about)})"
            elif not states(claim.text, value):
                yield f"line {sample.line}: {claim.text!r} is {value}"
