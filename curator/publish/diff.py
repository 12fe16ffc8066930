"""Unified diffs for people to read and for ``git apply``."""

from __future__ import annotations

import difflib


def unified(name: str, before: bytes, after: bytes) -> str:
    """What changes in the file ``name``."""
    return "".join(difflib.unified_diff(_lines(before), _lines(after), f"a/{name}", f"b/{name}"))


def _lines(data: bytes) -> list[str]:
    lines = [line.decode("utf-8", "replace") for line in data.splitlines(keepends=True)]
    return [line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines]
