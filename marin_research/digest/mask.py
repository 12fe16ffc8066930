"""Replaces what varies in a line (numbers, dates, paths, addresses, identifiers) by ``<*>``.

Works on one line at a time and knows neither other lines (``merge``) nor what a line means (``severity``).
"""

from __future__ import annotations

import re

WILD = "<*>"

_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_VARYING = re.compile(
    rf"\b(?:{_DAY}[a-z]*,?\s+)?{_MONTH}\s+\d{{1,2}}(?:\s+\d{{1,2}}:\d\d:\d\d)?(?:\s+[A-Z]{{3,4}})?(?:\s+\d{{4}})?\b"
    r"|[a-z][a-z0-9+.-]*://[^\s,;)\]}\"'>]+"
    r"|(?:[\w.~$-]*/)(?:[\w.+@:$%?=&#~-]+/?)+"  # a path
    r"|\b[A-Za-z][\w-]*(?:\.[\w-]+)*:\d+\b(?![:\d])"  # host:port, file:line
    r"|[^\s=,:;()\[\]{}<>\"'|]*\d[^\s=,;()\[\]{}<>\"'|]*"
)
_BAR = re.compile(r"(?<=%)\|[^|]*(?:\||$)")
"""How far a progress bar is."""
_UNIT = re.compile(r"<\*> ?(?:[KMGTP]?i?B|[kKMGT]?[bB]ytes?|ms|us|ns|secs?|seconds?|mins?|hours?|hrs?)\b")
_REPEATED = re.compile(r"<\*>(?:[\s.,:/\-]*<\*>)+")
_EMPTY_PARENTHESES = re.compile(r"\s*\((?:<\*>)?\)")


def mask(text: str) -> str:
    """The text with ``<*>`` wherever something stands that is likely to differ from line to line."""
    masked = _UNIT.sub(WILD, _VARYING.sub(WILD, _BAR.sub("|", text)))
    masked = masked.replace("<<*>", WILD)
    return " ".join(_REPEATED.sub(WILD, _EMPTY_PARENTHESES.sub("", masked)).split())
