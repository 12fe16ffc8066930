"""What commonly ends a run, and the log lines that say so. A closed list: a cause is a hypothesis, never a finding."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    name: str
    says: str
    """Fits behind "likely cause:"."""
    lines: re.Pattern[str]
    """What a log line must hold to speak for it."""


def _cause(name: str, says: str, pattern: str) -> Cause:
    return Cause(name, says, re.compile(pattern, re.IGNORECASE))


DIVERGENCE = "non-finite-numbers"

CAUSES = (
    _cause(
        DIVERGENCE,
        "its numbers stopped being finite",
        r"\b(?:nan|-?inf(?:inity)?)\b|non-?finite|FloatingPointError|diverg|overflow encountered",
    ),
    _cause(
        "device-memory",
        "it ran out of accelerator memory",
        r"RESOURCE_EXHAUSTED|memory space (?:hbm|vmem)|hbm capacity|CUDA out of memory|OutOfMemoryError"
        r"|CUDA_ERROR_OUT_OF_MEMORY|HIP out of memory",
    ),
    _cause(
        "host-memory",
        "it ran out of host memory",
        r"\bMemoryError\b|bad_alloc|cannot allocate memory|OOM[- ]?kill|\bOOMKilled\b|exceeded memory limit"
        r"|exit code 137",
    ),
    _cause("disk-full", "the disk was full", r"no space left on device|disk quota exceeded|\bENOSPC\b"),
    _cause(
        "preemption",
        "its machine was taken away",
        r"preempt|\bevicted\b|spot instance|SIGTERM received|unhealthy worker|OwnerDiedError|node .{0,40}\bwas lost",
    ),
    _cause(
        "busy-device",
        "another process held the accelerator",
        r"already in use|device or resource busy|iommu group|failed to initialize TPU",
    ),
    _cause(
        "device-fault",
        "the accelerator failed",
        r"core halted unexpectedly|device halted|Xid \d|uncorrectable ECC|CUDA error: (?!out of memory)"
        r"|device-side assert",
    ),
    _cause(
        "hang",
        "a process stopped answering the others",
        r"collective operation timeout|detects a hang|no progress after|DEADLINE_EXCEEDED|heartbeat timeout|timed out",
    ),
    _cause(
        "lost-peer",
        "another process of the job died first",
        r"another task died|coordination service|socket closed|sibling .{0,60} failed|connection reset by peer",
    ),
    _cause(
        "network",
        "a service could not be reached",
        r"connection (?:refused|error|aborted)|ConnectionError|name or service not known|TransientError"
        r"|temporary failure in name resolution|max retries exceeded|operation too slow"
        r"|\b50[234]\b.{0,30}(?:error|unavail)",
    ),
    _cause(
        "access",
        "it was not allowed to read or write something",
        r"permission ?denied|PermissionError|\b40[13]\b.{0,30}(?:error|forbidden|unauthori)|access denied"
        r"|unauthori[sz]ed|gated repo",
    ),
    _cause(
        "missing-file",
        "a file that it needs is not there",
        r"FileNotFoundError|no such file or directory|NoSuchKey|\b404\b.{0,30}not found",
    ),
    _cause(
        "missing-package",
        "a package that it needs is missing or of another version",
        r"ModuleNotFoundError|ImportError|undefined symbol|no module named|incompatible version",
    ),
    _cause(
        "shapes",
        "arrays of different shapes met",
        r"incompatible (?:shapes|sizes|dimensions)|(?:shape|size|dimension)s? mismatch|cannot be broadcast"
        r"|(?:got|incompatible|expected) .{0,20}shape",
    ),
    _cause("killed", "it was killed from outside", r"\bkilled\b|SIGKILL|signal 9|exit code 13[07]|KeyboardInterrupt"),
    _cause(
        "crash",
        "native code crashed",
        r"segmentation fault|SIGSEGV|SIGABRT|core dumped|illegal instruction|fatal python error",
    ),
    _cause(
        "bad-value",
        "the code met a value that it does not handle",
        r"\b(?:ValueError|TypeError|KeyError|IndexError|AttributeError|AssertionError|ZeroDivisionError"
        r"|ArithmeticError|NotImplementedError)\b|assertion failed",
    ),
)
"""The more telling before the more general."""

BY_NAME = {cause.name: cause for cause in CAUSES}


def likely_cause(line: str) -> Cause | None:
    """The first cause that a line speaks for."""
    return next((cause for cause in CAUSES if cause.lines.search(line)), None)
