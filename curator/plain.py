"""Single lines of plain text for people. Knows no terminal; the web pages and JSON have no use for it.

Characters that a terminal would act on, or that it would hide, are written as their code points: nobody can sign what
they could not see.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from curator.draft import DraftKind

if TYPE_CHECKING:
    from datetime import datetime

    from curator.log import LogEntry
    from curator.proof import Proof, Settled
    from curator.writing import Writing

KIND_NAMES = {
    DraftKind.KICKOFF: "experiment issue",
    DraftKind.LOGBOOK: "logbook entry",
    DraftKind.INDEX: "logbook section",
    DraftKind.ISSUE: "issue comment",
    DraftKind.FIX: "correction of a comment",
    DraftKind.ISSUE_BODY: "section of the issue",
    DraftKind.CLOSING: "final summary of the issue",
    DraftKind.POST: "forum post",
    DraftKind.SESSION: "session report",
    DraftKind.COMMENT: "forum comment",
    DraftKind.VOTE: "vote",
    DraftKind.RESOLUTION: "resolution of a forum post",
    DraftKind.MESSAGE: "message",
    DraftKind.SKILL: "skill upload",
    DraftKind.REGISTRATION: "registration",
}
TAKEN_OUT = re.compile(r"\[REDACTED:[a-z0-9-]+\]")
"""What stands where a secret stood."""
_HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Unicode categories of what has no glyph of its own: controls, invisible formatting, line and paragraph separators."""


def visible(text: str) -> str:
    """``text`` with every character that has no glyph as ``<U+001B>``; tabs and line feeds stay."""
    return "".join(map(visible_character, text))


def visible_character(char: str) -> str:
    if char in "\t\n" or unicodedata.category(char) not in _HIDDEN:
        return char
    return f"<U+{ord(char):04X}>"


def one_line(text: str) -> str:
    """``text`` on a single line."""
    return visible(" ".join(text.split()))


def counted(number: int, noun: str) -> str:
    """``no findings``, ``1 finding``, ``2 findings``."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def when(time: datetime) -> str:
    """A time in UTC to the minute."""
    return f"{time:%Y-%m-%d %H:%M} UTC"


def line_of(text: str, offset: int) -> int:
    """The line of a character, counted from 1."""
    return text.count("\n", 0, offset) + 1


def decision_line(entry: LogEntry) -> str:
    """One decision in words: ``approved by Ada Lovelace past F-1a2b3c4d (sha256 1f0c...)``."""
    past = f" past {', '.join(finding.id for finding in entry.accepted)}" if entry.accepted else ""
    link = f" as {one_line(entry.link)}" if entry.link else ""
    why = f": {one_line(entry.why)}" if entry.why else ""
    return f"{entry.decision} by {one_line(entry.by)}{past}{link}{why} (sha256 {entry.sha256[:16]})"


def model_line(writing: Writing) -> str:
    """A model's part in a draft: ``claude-opus-5-5: 1 answer in 12.3 s, 6,210 tokens in and 812 out, 0.04 USD``."""
    if writing.instead:
        spent = f"; it took {_spent(writing)}" if writing.output_tokens else ""
        return f"the template wrote this in place of {writing.model}: {one_line(writing.instead)}{spent}"
    cut = f"; {counted(len(writing.cut), 'part')} of its answer cut out" if writing.cut else ""
    left = f"; not shown to it for want of budget: {', '.join(writing.left_out)}" if writing.left_out else ""
    return (
        f"{writing.model}: {counted(writing.rounds, 'answer')} in {writing.seconds:.1f} s, {_spent(writing)}{cut}{left}"
    )


def proof_line(proof: Proof) -> str:
    """What came of a proofreading: ``claude-opus-5-5, 2026-11-28 07:10 UTC: 2 doubts settled, no objections``."""
    came = f"{counted(len(proof.settled), 'doubt')} settled, {counted(len(proof.objections), 'objection')}"
    return f"{proof.writing.model}, {when(proof.time)}: {came}; {_spent(proof.writing)}"


def settled_line(settled: Settled) -> str:
    """A doubt that is none: the words, and the facts that they are said of."""
    return f"{one_line(settled.text)}: {one_line(settled.meaning)}"


def _spent(writing: Writing) -> str:
    cached = f" ({writing.cache_read_tokens:,} of them cached)" if writing.cache_read_tokens else ""
    read = writing.input_tokens + writing.cache_read_tokens + writing.cache_written_tokens
    cost = f", {writing.cost_usd:.3f} USD (prices of {writing.prices})" if isinstance(writing.cost_usd, float) else ""
    return f"{read:,} tokens in{cached} and {writing.output_tokens:,} out{cost}"
