"""Puts tracebacks together again that many hosts printed into one log at the same time. Knows no counts of other lines.

A traceback's lines are those that begin like its first one (times aside) and are indented, up to the exception itself;
then what chains it to another one, and the indented rest of its message.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from marin_research.digest.clean import clean
from marin_research.digest.mask import mask
from marin_research.digest.template import Sighting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from marin_research.digest.blocks import Place

MOST_KINDS = 1000
_HEADERS = (b"Traceback (most recent call last)", b"Fatal Python error: ")
_HEADER = re.compile(rb"(?:[ \t]*\+ Exception Group )?Traceback \(most recent call last\)|Fatal Python error: ")
_TIME = re.compile(rb"\d{1,4}(?:[-/:.,]\d+)*|\d+")
_CHAIN = re.compile(
    rb"The above exception was the direct cause|During handling of the above exception|Set JAX_TRACEBACK_FILTERING"
)
