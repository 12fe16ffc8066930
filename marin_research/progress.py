"""Finds the training step in what a program prints, cheaply enough for every chunk of output. Keeps nothing."""

from __future__ import annotations

import re

NAMED = re.compile(
    rb"\b(?:global_|train_)?(?:step|iteration|iter)[\"']?(?: ?[=:#] ?| |/)"
    rb"(?P<number>\d[\d,]*)(?P<unit>)(?![\d.]*[\w%])",
    re.IGNORECASE,
)
"""``step 4,600/51,550``, ``step:250/1290``, ``"global_step": 12``, ``iter=7``."""
LOGGED = re.compile(rb"\bProgress on:\S+ (?P<number>\d+(?:\.\d+)?)(?P<unit>[kMG]?)\w*/")
"""``Progress on:train 4.60kit/5.16kit``, as tqdm_loggable writes it."""
BAR = re.compile(rb"\b(?P<number>\d+)(?P<unit>)(?:/\d+|it) \[\d")
"""``| 450/1000 [00:12``, ``450it [00:12``: a training step, or how many files were loaded."""
SCALE = {b"": 1.0, b"k": 1e3, b"K": 1e3, b"M": 1e6, b"G": 1e9}

_WINDOW = 4096


def last_step(output: bytes) -> int | None:
    """The step that the end of some output tells last, None if it tells none.

    Only the last 4 KiB are looked at, so that a chunk costs the same whatever its size. What is called a step is
    preferred to the count of a progress bar. ``4.60kit`` gives 4600: as exact as it was printed.
    """
    end = output[-_WINDOW:]
    found = [match for form in (NAMED, LOGGED) for match in form.finditer(end)] or list(BAR.finditer(end))
    if not found:
        return None
    last = max(found, key=re.Match.start)
    return round(float(last["number"].replace(b",", b"")) * SCALE[last["unit"]])
