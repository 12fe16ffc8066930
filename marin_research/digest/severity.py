"""How grave a line is. Knows no words: ``judge`` finds out."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """What a line is worth to somebody who wants to know what went wrong, gravest first."""

    FATAL = "fatal"
    """A process died."""
    ERROR = "error"
    SECONDARY = "secondary"
    """The consequence of an error elsewhere: another task died, the coordinator is gone."""
    SUSPECT = "suspect"
    """It sounds wrong, but its own level says otherwise, or it has none."""
    WARNING = "warning"
    INFO = "info"


RANK = {severity: rank for rank, severity in enumerate(Severity)}
"""0 is gravest."""


def graver(one: Severity, other: Severity) -> Severity:
    return one if RANK[one] <= RANK[other] else other


def milder(one: Severity, other: Severity) -> Severity:
    return other if RANK[one] <= RANK[other] else one


def is_severe(severity: Severity) -> bool:
    """Whether lines of this severity are kept verbatim, each with the hosts that showed it."""
    return RANK[severity] <= RANK[Severity.SUSPECT]


def is_error(severity: Severity) -> bool:
    """Whether lines of this severity tell that something failed."""
    return RANK[severity] <= RANK[Severity.SECONDARY]
