"""The words and phrases that tell how grave a line is. Knows no lines, no levels and no numbers (see ``judge``).

The lists come from what training stacks print (XLA, JAX, libtpu, NCCL, Ray, Iris, Kubernetes, gRPC, W&B), from general
English, and from the platform itself (the texts of its ``errno`` values). They are broad on purpose: a line that is
wrongly suspected costs a place in a list, one that is wrongly passed over may cost the cause of a failure.
"""

from __future__ import annotations

import errno
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from marin_research.digest.severity import RANK, Severity

if TYPE_CHECKING:
    from collections.abc import Callable

_PHRASES = {
    Severity.SECONDARY: [
        *("another task died", "polled an error from coordination service", "leader task was preempted"),
        *("failed to send rpc to coordination service", "failed to retrieve preemption notice", "coscheduled sibling"),
        *("bounced for atomic re-scheduling", "ownerdiederror", "slice terminated", "detected by watchdog at work"),
        "the node it was running on is dead",
    ],
    Severity.FATAL: [
        *("segmentation fault", "core dumped", "fatal python error", "oom killed", "oom-kill", "out of memory: kill"),
        *("exceeded memory limit", "killed by sig", "received by pid", "check failed:", "kernel panic", "core halted"),
        *("terminate called", "double free", "stack smashing", "no progress after"),
    ],
    Severity.ERROR: [
        *sorted({os.strerror(code).lower() for code in errno.errorcode}),
        *("traceback (most recent", "exception group traceback", "out of memory", "ran out of", "timed out"),
        *("timing out", "watchdog caught", "no accelerator found", "falling back to cpu", "error reading"),
        *("exceeded hbm", "not healthy", "giving up", "gave up", "detects a hang"),
    ],
    Severity.SUSPECT: [
        *("not found", "not ready", "not respond", "not exist", "not allowed", "not available", "not connected"),
        *("not initialized", "not match", "not enough", "not permitted", "not supported", "not recognized"),
        *("did not", "could not", "can not", "would not", "no such", "no longer", "no heartbeat", "no response"),
        *("too many", "too large", "too long", "too slow", "too old", "is full", "disk full", "is down", "link down"),
        *("went down", "already in use", "already exists", "rolled back", "bad node", "out of range"),
        *("out of bounds", "went away", "gone away", "is gone", "blocked for more than", "lagging behind"),
    ],
    Severity.WARNING: ["falling back", "ignoring ", "ignored", "skipping "],
}
_SHOUTED = {
    Severity.FATAL: ["BUG"],
    Severity.ERROR: [
        *("CRITICAL", "SEVERE", "FAILED", "OOM", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "UNAVAILABLE", "ABORTED"),
        *("INTERNAL", "DATA_LOSS", "FAILED_PRECONDITION", "UNAUTHENTICATED", "PERMISSION_DENIED", "INVALID_ARGUMENT"),
        *("NOT_FOUND", "ALREADY_EXISTS", "OUT_OF_RANGE", "UNIMPLEMENTED", "CANCELLED"),
    ],
}
"""Whole words, in capitals."""
_WORDS = {
    Severity.FATAL: ["fatal", "panic"],
    Severity.ERROR: [
        *("error", "errors", "exception", "exceptions", "preempted", "preempting", "preemption", "evicted", "exceeded"),
        *("nan", "nans", "crashed", "assertion", "aborted"),
    ],
    Severity.SUSPECT: [
        *("died", "dying", "hang", "hangs", "hanged", "hanging", "hung", "lost", "losing", "inf", "infs", "ecc", "xid"),
        *("bad", "err", "blew", "can't", "won't", "couldn't", "doesn't", "didn't", "wasn't", "isn't", "oom", "trap"),
        *("traps", "trapped", "unable", "death"),
    ],
}
"""Whole words, or parts that underscores separate."""
_STEMS = {
    Severity.FATAL: ["segfault", "sigsegv", "sigkill", "sigabrt", "sigbus", "sigill", "sigfpe", "oomkill", "coredump"],
    Severity.ERROR: ["traceback", "sigterm", "bad_alloc"],
    Severity.SUSPECT: [
        *("error", "fail", "exception", "fatal", "critical", "severe", "abort", "kill", "crash", "panic", "denied"),
        *("deny", "refus", "reject", "corrupt", "preempt", "evict", "sigint", "sighup", "timeout", "timedout"),
        *("time_out", "time-out", "timed_out", "timed-out", "deadline", "dead", "stall", "halt", "illegal", "cannot"),
        *("missing", "mismatch", "overflow", "underflow", "diverg", "leak", "exceed", "expir", "broken", "violat"),
        *("throttl", "degrad", "disconnect", "conflict", "malform", "truncat", "damag", "wrong", "fault", "assert"),
        *("abnormal", "quota", "forbid", "interrupt", "cancel", "terminat", "lockup", "oops", "starv", "poison"),
        *("stuck", "exhaust", "explod", "orphan", "zombie", "problem", "alert", "collapse", "invalid", "incorrect"),
        *("insufficient", "incomplete", "inconsisten", "incompatib", "inaccessib", "unavailab", "unhealth"),
        *("unexpect", "unreach", "unrespons", "unrecog", "unresolv", "unsupport", "undefin", "undeclar", "unauthori"),
        *("unimplement", "unhandled", "uncorrect", "unknown", "unstable"),
    ],
    Severity.WARNING: ["warn", "deprecat", "retry", "retri", "fallback", "slow", "insecure"],
}
"""Anywhere in a word."""
_HARMLESS = ("install", "forestall", "stallion", "default", "faulthandler", "undead", "skill")
"""What contains a stem and does not mean it."""
_EXCEPTION = re.compile(r"[A-Z]\w*(?:Error|Exception|Failure|Interrupt|Timeout|Exhausted)s?(?![a-z])")
_WORD = re.compile(r"[A-Za-z_]+(?:['-][A-Za-z_]+)*")
_KNOWN_WORDS = 50_000
_LONGEST_WORD = 200
_WINDOW = 1 << 16
_LONGEST_PHRASE = 100
_STEM_START = 4


def _flat(listed: dict[Severity, list[str]]) -> dict[str, Severity]:
    return {text: severity for severity, texts in listed.items() for text in texts}


def _by_start(listed: dict[Severity, list[str]], start: Callable[[str], str]) -> dict[str, list[tuple[str, Severity]]]:
    found: dict[str, list[tuple[str, Severity]]] = {}
    for text, severity in _flat(listed).items():
        found.setdefault(start(text), []).append((text, severity))
    return found


class _Word(NamedTuple):
    """What one word says, and the phrases that begin with it."""

    severity: Severity
    phrases: tuple[tuple[str, Severity], ...]


_NOTHING = _Word(Severity.INFO, ())


class Vocabulary(dict[str, _Word]):
    """Knows words it has seen: logs use few different ones, so each is looked at once."""

    def __init__(self) -> None:
        super().__init__()
        self._phrases = _by_start(_PHRASES, lambda phrase: _WORD.findall(phrase)[0])
        self._stems = _by_start(_STEMS, lambda stem: stem[:_STEM_START])
        self._words = _flat(_WORDS)
        self._shouted = _flat(_SHOUTED)

    def __missing__(self, word: str) -> _Word:
        known = _Word(self._severity(word), tuple(self._phrases.get(word.lower(), ())))
        if len(self) < _KNOWN_WORDS and len(word) <= _LONGEST_WORD:
            self[word] = known
        return known

    def gravest(self, text: str) -> Severity:
        """What the gravest word or phrase of ``text`` says; that an error is secondary outweighs everything."""
        if len(text) > _WINDOW:
            starts = range(0, len(text), _WINDOW - _LONGEST_PHRASE)  # they overlap
            return _gravest({self.gravest(text[start : start + _WINDOW]) for start in starts})
        words = set(map(self.__getitem__, set(_WORD.findall(text)))) - {_NOTHING}
        lower = text.lower() if words else ""
        told = {word.severity for word in words} | {Severity.INFO}
        told |= {severity for word in words for phrase, severity in word.phrases if phrase in lower}
        return _gravest(told)

    def where(self, text: str) -> int | None:
        """The offset in ``text`` of its gravest word, or word that begins its gravest phrase; None if there is none."""
        lower = text.lower()
        gravest, found = RANK[Severity.INFO], None
        for match in _WORD.finditer(text):
            known = self[match[0]]
            phrases = (severity for phrase, severity in known.phrases if lower.startswith(phrase, match.start()))
            rank = min(RANK[severity] for severity in (known.severity, *phrases))
            if rank < gravest:
                gravest, found = rank, match.start()
        return found

    def _severity(self, word: str) -> Severity:
        if word in self._shouted:
            return self._shouted[word]
        if len(word) > _LONGEST_WORD:
            word = f"{word[: _LONGEST_WORD // 2]} {word[-_LONGEST_WORD // 2 :]}"
        lower = word.lower()
        for harmless in _HARMLESS:
            lower = lower.replace(harmless, " ")
        told = [self._words[part] for part in (lower, *lower.split("_")) if part in self._words]
        for start in range(len(lower) - _STEM_START + 1):
            stems = self._stems.get(lower[start : start + _STEM_START], ())
            told += [severity for stem, severity in stems if lower.startswith(stem, start)]
        if not word.islower() and _EXCEPTION.search(word):
            told.append(Severity.ERROR)
        return min(told, key=RANK.__getitem__, default=Severity.INFO)


def _gravest(told: set[Severity]) -> Severity:
    return Severity.SECONDARY if Severity.SECONDARY in told else min(told, key=RANK.__getitem__)
