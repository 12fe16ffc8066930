"""The numbers that tell success from failure: exit codes, signals, HTTP statuses, counts of errors. Knows no levels.

Digits can be the error: ``exit_code=0`` and ``exit_code=137`` differ in nothing else. Where such numbers stand
(``outcomes``) and what they say (``said_by_numbers``, ``without_benign``) must agree, so both are told here.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from marin_research.digest.severity import Severity

_COUNTED = (
    r"err(?:or)?s?|fail(?:ure|ed)?s?|exceptions?|warnings?|problems?|killed|kills|timeouts?|retries|lost|dropped|rejected"
    r"|rejects|invalid|missing|nans?|infs?"
)
_EXIT = r"(?:exit|return)(?:ed|s|ing)?[ _-]?(?:with )?(?:code|status|value)|exit(?:ed|s)? with"
_CODED = rf"{_EXIT}|code|status|signal|errno|state"
_TO = r"[\"']?[ =:(]{1,3}[\"']?"
_END = r"(?![\d.])"
_HTTP = r"http/\d(?:\.\d)?[\" ]{1,2}|(?:status|response)(?:[_ ]code)?[\"' =:]{1,3}"

_OUTCOME = re.compile(
    rf"(?:{_HTTP})(\d{{3}}){_END}|(?:{_CODED}){_TO}(-?\d+){_END}|(?:{_COUNTED}){_TO}(\d+){_END}"
    rf"|(?<![\d.])(\d+) (?:\w+ )?(?:{_COUNTED})\b".encode()
)
_COUNT_GROUPS = (3, 4)
_BENIGN = re.compile(
    rf"\b(?:no|zero|without(?: any)?|if any|(?<![\d.])0+) (?:\w+ )?(?:{_COUNTED})\b"
    rf"|(?<![a-z])(?:{_CODED}|{_COUNTED}){_TO}0+(?=\s*(?:$|[,;)\]}}\"'|/]|\w+\s?[=:]))"
    rf"|(?:{_COUNTED}|code|status|signal|errno)[\"']?\s*[=:]\s*[\"']?(?:none|null|false|ok|success|\[\]|\{{\}}|\"\"|'')(?!\w)"
    r"|(?:timeout|deadline|retries)\w*(?:\(\w+\))?[\"']?\s*[=:]\s*[\"']?\d[\d.]*",
    re.IGNORECASE,
)
"""Words of failure that say that there was none, and settings that are named after one."""

_FAILED_EXIT = re.compile(
    rf"(?:{_EXIT}){_TO}(?:(-0*[1-9]\d*|0*1[2-6]\d)|0*[1-9]\d*){_END}|\bsignal{_TO}(0*[1-9]\d*){_END}"
)
"""A group says that it was a signal."""
_FAILED_REQUEST = re.compile(rf"(?:{_HTTP})[45]\d\d{_END}")
_CALLED = ("exit", "return", "signal", "http/", "status", "response")
"""What is in a text that one of them matches; to look for it is faster. All these are for texts in lower case."""


class Outcome(NamedTuple):
    """One number that tells success from failure."""

    start: int
    end: int
    counts: bool
    """It counts failures: what matters is whether it is 0."""


def outcomes(message: bytes) -> list[Outcome]:
    """Where those numbers stand: lines that differ in them do not mean the same."""
    return [
        Outcome(*match.span(match.lastindex or 0), match.lastindex in _COUNT_GROUPS)
        for match in _OUTCOME.finditer(message.lower())
    ]


def said_by_numbers(text: str) -> Severity:
    """What the numbers say of the line, whatever its words are."""
    failed = _failed(text)
    if failed is None:
        return Severity.INFO
    if failed.re is _FAILED_REQUEST:
        return Severity.SUSPECT
    return Severity.FATAL if failed.lastindex else Severity.ERROR


def where_numbers_say(text: str) -> int | None:
    """The offset of the first number that tells a failure, with what stands before it."""
    failed = _failed(text)
    return failed.start() if failed else None


def _failed(text: str) -> re.Match[str] | None:
    lower = text.lower()
    if not any(called in lower for called in _CALLED):
        return None
    return _FAILED_EXIT.search(lower) or _FAILED_REQUEST.search(lower)


def without_benign(text: str) -> str:
    """The text without the words of failure that say that there was none: ``0 errors``, ``timeout=600``."""
    return _BENIGN.sub(" ", text)
