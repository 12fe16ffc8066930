"""The words and phrases that tell how grave a line is. Knows no lines, no levels and no numbers (see ``severity``).

The lists come from what training stacks print (XLA, JAX, libtpu, NCCL, Ray, Iris, Kubernetes, gRPC, W&B), from general
English, and from the platform itself (the texts of its ``errno`` values). They are broad on purpose: a line that is
wrongly suspected costs a place in a list, one that is wrongly passed over may cost the cause of a failure.
"""

from __future__ import annotations

import errno
import os
import re
from enum import StrEnum
from typing import NamedTuple, override


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


_PHRASES: tuple[tuple[Severity, tuple[str, ...]], ...] = (
    (
        Severity.SECONDARY,
        (
            "another task died",
            "polled an error from coordination service",
            "failed to send rpc to coordination service",
            "leader task was preempted",
            "failed to retrieve preemption notice",
            "coscheduled sibling",
            "bounced for atomic re-scheduling",
            "ownerdiederror",
            "slice terminated",
            "the node it was running on is dead",
            "detected by watchdog at work",
        ),
    ),
    (
        Severity.FATAL,
        (
            "segmentation fault",
            "core dumped",
            "fatal python error",
            "oom killed",
            "oom-kill",
            "out of memory: kill",
            "exceeded memory limit",
            "killed by sig",
            "received by pid",
            "check failed:",
            "kernel panic",
            "core halted",
            "terminate called",
            "double free",
            "stack smashing",
            "no progress after",
        ),
    ),
    (
        Severity.ERROR,
        (
            *sorted({os.strerror(code).lower() for code in errno.errorcode}),
            "traceback (most recent",
            "exception group traceback",
            "out of memory",
            "ran out of",
            "timed out",
            "timing out",
            "watchdog caught",
            "no accelerator found",
            "falling back to cpu",
            "error reading",
            "exceeded hbm",
            "not healthy",
            "giving up",
            "gave up",
            "detects a hang",
        ),
    ),
    (
        Severity.SUSPECT,
        (
            *("not found", "not ready", "not respond", "not exist", "not allowed", "not available", "not connected"),
            *("not initialized", "not match", "not enough", "not permitted", "not supported", "not recognized"),
            *("did not", "could not", "can not", "would not", "no such", "no longer", "no heartbeat", "no response"),
            *(
                "too many",
                "too large",
                "too long",
                "too slow",
                "too old",
                "is full",
                "disk full",
                "is down",
                "link down",
            ),
            *("went down", "already in use", "already exists", "rolled back", "bad node", "out of range"),
            *("out of bounds", "went away", "gone away", "is gone", "blocked for more than", "lagging behind"),
        ),
    ),
    (Severity.WARNING, ("falling back", "ignoring ", "ignored", "skipping ")),
)

_WORDS = (
    (
        Severity.FATAL,
        re.compile(r"(?i:segfault|sig(?:segv|kill|abrt|bus|ill|fpe)|oomkill|coredump|^fatal$|^panic$)|^BUG$"),
    ),
    (
        Severity.ERROR,
        re.compile(
            r"[A-Z]\w*(?:Error|Exception|Failure|Interrupt|Timeout|Exhausted)s?(?![a-z])"
            r"|^(?:CRITICAL|SEVERE|FAILED|OOM|RESOURCE_EXHAUSTED|DEADLINE_EXCEEDED|UNAVAILABLE|ABORTED|INTERNAL|DATA_LOSS"
            r"|FAILED_PRECONDITION|UNAUTHENTICATED|PERMISSION_DENIED|INVALID_ARGUMENT|NOT_FOUND|ALREADY_EXISTS"
            r"|OUT_OF_RANGE|UNIMPLEMENTED|CANCELLED)$"
            r"|(?i:traceback|^errors?$|^exceptions?$|^preempt(?:ed|ing|ion)$|^evicted$|sigterm|exceeded$|^nans?$|^crashed$"
            r"|bad_alloc|^assertion$|^aborted$)"
        ),
    ),
    (
        Severity.SUSPECT,
        re.compile(
            r"(?i:error|fail|exception|fatal|critical|severe|abort|(?<!s)kill|crash|panic|den(?:ied|y)|refus|reject|corrupt"
            r"|preempt|evict|sigint|sighup|time[d_-]?out|deadline|(?<!un)dead|^died$|^dying|^hang(?:s|ed|ing)?$|^hung"
            r"|(?<!in)(?<!fore)stall(?!ion)|halt|illegal|cannot|(?:can|won|couldn|doesn|didn|wasn|isn)'t|^lost$|^losing"
            r"|missing|mismatch|(?:over|under)flow|diverg|leak|exceed|expir|broken|violat|throttl|degrad|disconnect"
            r"|conflict|malform|truncat|damag|wrong|(?<!de)fault(?!hand)|^trap|assert|abnormal|^infs?$|(?:^|_)oom|quota"
            r"|forbid|interrupt|cancel|terminat|^ecc|^xid|lockup|oops|starv|poison|stuck|exhaust|deadlock|explod"
            r"|orphan|zombie|^bad(?:$|_)|(?:^|_)err$|problem|alert|collapse|^blew|invalid|incorrect|insufficient"
            r"|incomplete|inconsisten|incompatib|inaccessib|(?:^|_)unable|unavailab|unhealth|unexpect|unreach|unrespons"
            r"|unrecog|unresolv|unsupport|undefin|undeclar|unauthori|unimplement|unhandled|uncorrect|unknown|unstable)"
        ),
    ),
    (Severity.WARNING, re.compile(r"(?i:warn|deprecat|retry|retri|fallback|slow|insecure)")),
)
_WORD = re.compile(r"[A-Za-z_]+(?:['-][A-Za-z_]+)*")
_KNOWN_WORDS = 50_000
_LONGEST_KNOWN = 64


def _by_first_word() -> dict[str, list[tuple[str, Severity]]]:
    phrases: dict[str, list[tuple[str, Severity]]] = {}
    for severity, listed in _PHRASES:
        for phrase in listed:
            phrases.setdefault(_WORD.findall(phrase)[0], []).append((phrase, severity))
    return phrases


class _Word(NamedTuple):
    """What one word says, and the phrases that begin with it."""

    severity: Severity
    phrases: list[tuple[str, Severity]]


class Vocabulary(dict[str, _Word]):
    """Knows words it has seen: logs use few different ones, so each is looked at once."""

    def __init__(self) -> None:
        super().__init__()
        self._phrases = _by_first_word()

    @override
    def __missing__(self, word: str) -> _Word:
        severity = next((severity for severity, pattern in _WORDS if pattern.search(word)), Severity.INFO)
        known = _Word(severity, self._phrases.get(word.lower(), []))
        if len(self) < _KNOWN_WORDS and len(word) <= _LONGEST_KNOWN:
            self[word] = known
        return known

    def gravest(self, text: str) -> Severity:
        """What the gravest word or phrase of ``text`` says; that an error is secondary outweighs everything."""
        lower = text.lower()
        gravest = Severity.INFO
        for word in set(_WORD.findall(text)):
            known = self[word]
            gravest = graver(gravest, known.severity)
            for phrase, severity in known.phrases:
                if phrase in lower:
                    if severity is Severity.SECONDARY:
                        return severity
                    gravest = graver(gravest, severity)
        return gravest

    def where(self, text: str, severity: Severity) -> int:
        """The offset in ``text`` of the first word, or word that begins a phrase, as grave as ``severity``."""
        lower = text.lower()
        for match in _WORD.finditer(text):
            known = self[match[0]]
            if known.severity is severity or any(
                lower.startswith(phrase, match.start()) for phrase, _ in known.phrases
            ):
                return match.start()
        return 0
