"""Which lines of a text are worth the detailed rules. Finds no secret itself and may point at lines that hold none.

Training logs are gigabytes without a secret in them, so the question must be cheap. Every pattern here begins with a
literal: those alone are searched at about a gigabyte a second, alternatives and character classes at a tenth of that.
A line that no pattern here points at is not looked at any further, so each shape and name of the detailed rules must
be covered.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SIGN = r"[\w.-]{0,64}+[\\\"'\]]{0,4}+[ \t]{0,4}+(?:=>|:=|[:=])"
_NO_NUMBER = r"(?![ \t]{0,8}+[-+]?\d[\d.,_]{0,40}+(?:e[-+]?\d++)?[a-z%]{0,3}+(?:[\s,;)\]}|]|\Z))"
_LONG_VALUE = r"(?=[^\s]{0,200}?[a-z0-9+]{12})"

_AFTER_UNDERSCORE = (
    r"_(?=[\w-]{16})(?:(?<=gh[pousr]_)|(?<=_pat_)|(?<=hf_)|(?<=npm_)|(?<=k_live_)|(?<=k_test_)|(?<=gsk_)|(?<=r8_)"
    r"|(?<=n_api_)|(?<=i_org_)|(?<=b_v\d_))"
)
_AFTER_DASH = (
    r"-(?=[\w-]{10})(?:(?<=sk-)|(?<=xox[a-z]-)|(?<=xapp-)|(?<=pypi-)|(?<=glpat-)|(?<=gl[dr]t-)|(?<=GOCSPX-)"
    r"|(?<=xai-)|(?<=pplx-)|(?<=tskey-))"
)
_OPTION = (
    r"--(?=[a-z])(?<!---)(?:env|set-?env|[\w.-]{0,64}?(?:key|token|secret|pass|pwd|auth|cred|bearer))"
    r"[\w.-]{0,64}[\"', \t]"
)

_BY_SHAPE = (
    ("_", _AFTER_UNDERSCORE),
    ("-", _AFTER_DASH),
    (".", r"\.[\w-]{6}\.[\w-]{27}"),
    (".", r"\.(?=[\w-]{16})(?:(?<=ya29\.)|(?<=SG\.)|(?<=hvs\.))"),
    ("J", r"J(?<=eyJ)[\w-]{8}"),
    ("I", r"I(?:(?<=A[KS]I)A[A-Z0-9]{16}|(?<=AI)za)"),
    ("hooks.slack.com/", r"hooks\.slack\.com/"),
    ("/webhooks/", r"/webhooks/"),
    ("@", r"://[^\s/@\"'<>`\\\0]{1,512}@"),
    ("-", r"-(?:e(?=[\"',]{0,2}[ \t])|[uUpaw](?<=[\s\"']-.)|-(?:proxy-)?user[\"', \t=\\])"),
)
"""What must be in the text, and what then points at a line; in the text as it is."""

_BY_NAME = (
    ("token", rf"token{_SIGN}{_NO_NUMBER}"),
    ("key", rf"key(?:(?<=[\w-]key)|(?={_SIGN}{_LONG_VALUE})){_SIGN}{_NO_NUMBER}"),
    ("secret", rf"secret{_SIGN}"),
    ("pass", rf"pass(?:{_SIGN}|word[ \t])"),
    ("pwd", rf"pwd{_SIGN}"),
    ("cred", rf"cred{_SIGN}"),
    ("auth", rf"auth{_SIGN}"),
    ("bearer", rf"bearer(?:[ \t]|{_SIGN})"),
    ("cookie", r"cookie"),
    ("wandb", r"wandb(?:\.login|[ \t]{1,8}login)"),
    ("?", r"\?(?:x-|sig|jwt|aws|goog|key=)"),
    ("&", r"&(?:amp;)?(?:x-|sig|jwt|aws|goog|key=)"),
    ("--", _OPTION),
)
"""The same, in the text with its ASCII letters lowered."""


def suspicious_positions(text: str) -> Iterator[int]:
    r"""Positions, in no order, in each line that may hold a secret; a line ends before ``\n`` or ``\r``."""
    lowered = _ascii_lowered(text)
    for haystack, patterns in ((text, _BY_SHAPE), (lowered, _BY_NAME)):
        for needle, pattern in patterns:
            if needle in haystack:
                for match in _compiled(pattern).finditer(haystack):
                    yield match.start()


def _ascii_lowered(text: str) -> str:
    """Of the same length, which ``str.lower`` does not promise for all of Unicode."""
    if text.isascii():
        return text.lower()
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def lines_at(text: str, positions: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Start and end of the lines that the positions stand in, in order and each once; the ends of lines excluded."""
    end = 0
    for position in sorted(positions):
        if position >= end:
            start = max(text.rfind("\n", end, position), text.rfind("\r", end, position)) + 1 or end
            match = _compiled(r"[^\n\r]*").match(text, position)
            end = match.end() if match else position
            yield start, end


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)
