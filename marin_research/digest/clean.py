"""Makes text of what a program wrote: without colours and control characters, whatever the bytes were."""

from __future__ import annotations

import re

_ANSI = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def clean(line: bytes) -> str:
    r"""The line as a terminal would show it. Bytes that are no UTF-8 become ``\xff``, control characters vanish."""
    if b"\x1b" in line:
        line = _ANSI.sub(b"", line)
    return _CONTROL.sub("", line.decode("utf-8", "backslashreplace")).rstrip()


def excerpt(text: str, limit: int, around: int = 0) -> str:
    """At most ``limit`` characters of ``text``: its beginning, and what stands ``around`` an offset."""
    if len(text) <= limit:
        return text
    if around < limit * 2 // 3:
        return f"{text[: limit - 1]}…"
    head = limit // 4
    start = around - limit // 4
    return f"{text[:head]} … {text[start : start + limit - head - 5]}…"
