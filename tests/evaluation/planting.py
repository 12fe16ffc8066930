"""Plants one error at a time in texts that are right, so that the verifier can be measured on what it misses.

Each planter yields ``(text, start, end)``: a text with one error in it and where that error stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from curator.facts import FactKind, render

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from curator.facts import Fact
    from curator.verify import Evidence, Report

type Planted = tuple[str, int, int]

_PAIRS = """
lower higher, lowers raises, lowered raised, better worse, improves degrades, improve degrade, improved worsened,
improvement regression, faster slower, fell rose, falls rises, below above, beat trail, beats trails, less more,
increased decreased, increase decrease, outperforms underperforms, down up, smaller larger
"""
_ONE_WAY = {"dropped": "rose", "reduced": "increased", "grew": "fell", "costs": "gains", "cuts": "raises"}
OPPOSITES = dict(pair.split() for pair in _PAIRS.split(",")) | _ONE_WAY
OPPOSITES |= {b: a for a, b in OPPOSITES.items() if b not in OPPOSITES}
SUPERLATIVES = {
    "best": "worst",
    "lowest": "highest",
    "fastest": "slowest",
    "largest": "smallest",
    "quickest": "slowest",
}
SUPERLATIVES |= {b: a for a, b in SUPERLATIVES.items()}
UNITS = {
    "nats/byte": "bits/byte", "tok/s": "tok/min", "ms": "s", "GiB": "MiB", "%": "ms", "s": "min", "points": "%",
    "tokens per second": "tokens per minute",
}  # fmt: skip
COUNTS = {
    "one": "two", "two": "three", "three": "four", "four": "three", "five": "seven", "six": "five", "eight": "sixteen",
    "1319": "1320", "4": "8", "2": "4",
}  # fmt: skip


def replaced(text: str, start: int, end: int, by: str) -> Planted:
    return text[:start] + by + text[end:], start, start + len(by)


def wrong_digit(text: str, report: Report, facts: Sequence[Fact]) -> Iterator[Planted]:
    """One digit of a measured numeral is another one."""
    for evidence in _measured(report, facts):
        digits = [
            m.start()
            for m in re.finditer(r"\d", evidence.text)
            if not re.fullmatch(r"0[.,0]*", evidence.text[: m.end()])
        ]
        for at in digits[1:3] or digits[:1]:
            old = int(evidence.text[at])
            new = (old + 3) % 10
            yield replaced(text, evidence.start + at, evidence.start + at + 1, str(new))


def swapped_value(text: str, report: Report, facts: Sequence[Fact]) -> Iterator[Planted]:
    """The value of another run stands in place of a run's own."""
    known = {fact.id: fact for fact in facts}
    for evidence in _measured(report, facts):
        own = {known[x].subject for x in evidence.fact_ids if x in known}
        fact = known.get(evidence.fact_ids[0])
        if fact is None or fact.kind is not FactKind.METRIC or len(own) != 1 or fact.inputs:
            continue
        for other in facts:
            value = re.match(r"[\d.,]+", render(other))
            same = other.kind is FactKind.METRIC and other.name == fact.name and other.unit == fact.unit
            written = re.match(r"[\d.,]+", evidence.text)
            if same and other.subject not in own and other.subject and value and written and not other.inputs:
                yield replaced(text, evidence.start, evidence.start + written.end(), value.group())


def swapped_run(text: str, report: Report, facts: Sequence[Fact]) -> Iterator[Planted]:
    """Another run's ID stands in place of the right one."""
    runs = sorted({fact.subject for fact in facts if fact.subject})
    for found in re.finditer(r"[A-Z]+(?:-[A-Z]+)*-\d{3}", text):
        for other in runs:
            if other != found.group() and other not in text:
                yield replaced(text, *found.span(), other)
                break


def flipped(text: str, report: Report, facts: Sequence[Fact]) -> Iterator[Planted]:
    """A comparative says the opposite."""
    yield from _words(text, OPPOSITES)


def superlative(text: str, report: Report, facts: Sequence[Fact]) -> Iterator[Planted]:
    """A superlative says the opposite."""
    yield from _words(text, SUPERLATIVES)


def wrong_unit(text: str, report: Report, facts: Sequence[Fact]) -> Iterator[Planted]:
    """A numeral has another unit."""
    for evidence in _measured(report, facts):
        for unit, other in UNITS.items():
            if evidence.text.endswith((f" {unit}", f"{unit}")) and re.search(rf"\d ?{re.escape(unit)}$", evidence.text):
                yield replaced(text, evidence.end - len(unit), evidence.end, other)
                break


def too_far(text: str, report: Report, facts: Sequence[Fact]) -> Iterator[Planted]:
    """A numeral is rounded to fewer digits, and wrongly."""
    for evidence in _measured(report, facts):
        found = re.match(r"(\d+)\.(\d)(\d+)?", evidence.text)
        if found and found[3]:
            wrong = f"{found[1]}.{(int(found[2]) + 1) % 10}" if int(found[3][0]) < 5 else f"{found[1]}.{found[2]}"
            yield replaced(text, evidence.start, evidence.start + found.end(), wrong)


def invented_link(text: str, report: Report, facts: Sequence[Fact]) -> Iterator[Planted]:
    """A link, a commit, a path or a command differs in one character."""
    for found in re.finditer(
        r"https://[\w./-]+\w|\b[0-9a-f]{7,40}\b|`[^`]*/[^`]*`|`(?:uv|python|torchrun) [^`]*`", text
    ):
        at = found.end() - 2
        if any(c.isdigit() for c in found.group()):
            yield replaced(text, at, at + 1, "7" if text[at] != "7" else "3")


def wrong_count(text: str, report: Report, facts: Sequence[Fact]) -> Iterator[Planted]:
    """A count is another one."""
    nouns = r"(?: of| successful| finished)*(?: the)?(?: \w+)? (?:runs?|variants|seeds|devices|chips|attempts|items)\b"
    for found in re.finditer(rf"\b({'|'.join(COUNTS)}){nouns}", text, re.IGNORECASE):
        other = COUNTS[found[1].lower()]
        yield replaced(text, *found.span(1), other.capitalize() if found[1][0].isupper() else other)


PLANTERS: dict[str, Callable[[str, Report, Sequence[Fact]], Iterator[Planted]]] = {
    "wrong digit": wrong_digit,
    "swapped value": swapped_value,
    "swapped run": swapped_run,
    "flipped comparative": flipped,
    "wrong unit": wrong_unit,
    "rounding too far": too_far,
    "invented link": invented_link,
    "wrong count": wrong_count,
    "false superlative": superlative,
}


def _measured(report: Report, facts: Sequence[Fact]) -> list[Evidence]:
    kinds = {FactKind.METRIC, FactKind.DELTA, FactKind.PERCENT, FactKind.RATIO, FactKind.DURATION}
    known = {fact.id: fact for fact in facts if fact.kind in kinds}
    return [e for e in report.evidence if re.match(r"[-+\u2212]?\d", e.text) and any(x in known for x in e.fact_ids)]


def _words(text: str, opposites: dict[str, str]) -> Iterator[Planted]:
    for found in re.finditer(r"[A-Za-z]+", text):
        other = opposites.get(found.group().lower())
        if other:
            yield replaced(text, *found.span(), other.capitalize() if found.group()[0].isupper() else other)
