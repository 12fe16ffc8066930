"""Whether a value that a secret's name announced is really one: ``$HF_TOKEN``, ``None`` and ``args.api_key`` are not.

Knows nothing of where in a text the value stands.
"""

from __future__ import annotations

import re

from marin_research.redaction.names import Strength, words
from marin_research.redaction.removed import hide_placeholders

_STAND_IN = re.compile(
    r"(?:none|null|nil|n/a|true|false|yes|no|on|off|unset|undefined|unknown|empty|missing|required|optional|redacted|hidden"
    r"|masked|set|not|invalid|incorrect|correct|wrong|expired|rejected|accepted|str|string|int|bool|bytes|secretstr"
    r"|x{3,}"
    r"|[!-/:-@\[-`{-~\s]+"  # punctuation alone: stars, dots
    r"|<[^<>]*>|\$\{[^{}]*\}|\$[A-Z_][A-Z0-9_]*|\$\(.*|\{\{?[\w. ]*\}?\}|%\(\w+\)s?|%\w%?)",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_FETCHED = re.compile(
    r"[A-Za-z_][A-Za-z_.]*[(\[]|(?:self|args|cfg|config|os|settings|options|opts|env|environ|flags|params|kwargs|request)\.\w",
    re.ASCII,
)
_NUMBER = re.compile(r"[-+]?\d[\d.,_]*(?:e[-+]?\d+)?[a-z%]{0,3}", re.ASCII | re.IGNORECASE)
_SEGMENT = re.compile(r"[A-Za-z0-9+]{12,}")
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_FILE = re.compile(r"(?:~|\.{1,2})?/[\w.@+ /-]*", re.ASCII)
_OBJECT = re.compile(r"[a-z][a-z0-9+]{1,8}://[^\s:@]*", re.ASCII)
_FILED = frozenset({"credential", "credentials", "creds"})


def is_stand_in(value: str) -> bool:
    """A word or a variable in the place of a value, or something blotted out already."""
    return "\0" in value or _STAND_IN.fullmatch(value) is not None


def is_code(value: str, name: str) -> bool:
    """An expression that fetches the secret instead of holding it: ``os.environ[``, ``get_token(``, ``api_key=api_key``."""
    last = name.rpartition(".")[2].lstrip("-")
    return _FETCHED.match(value) is not None or value == last or value.endswith((f"_{last}", f".{last}"))


def is_number(value: str) -> bool:
    """A number, with or without a short unit."""
    return _NUMBER.fullmatch(value) is not None


def looks_random(value: str, *, hex_counts: bool = True) -> bool:
    """Whether letters and digits stand mixed as no word or file name has them.

    ``hex_counts``: hexadecimal runs are secrets too, not the hashes that a ``key`` often is.
    """
    if _FILE.fullmatch(value) or _OBJECT.fullmatch(value) or is_number(value):
        return False
    for segment in _SEGMENT.findall(value):
        digits = sum(character.isdigit() for character in segment)
        if 2 <= digits < len(segment) and (hex_counts or not _HEX.fullmatch(segment)):
            return True
    return False


def is_secret(value: str, name: str, how_sure: Strength) -> bool:
    """Whether a whole value, held under a name of that strength, is to be removed; not one that was redacted before."""
    if not value or is_stand_in(hide_placeholders(value)) or _OBJECT.fullmatch(value):
        return False
    found = words(name)
    if how_sure is Strength.STRONG:
        return _FILED.isdisjoint(found) or not _FILE.fullmatch(value)
    return how_sure is Strength.WEAK and looks_random(value, hex_counts="key" not in found)


def is_no_word(value: str) -> bool:
    """At least 8 characters, letters and digits mixed or long: ``token=`` may also announce a piece of text."""
    mixed = any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
    return len(value) >= 8 and (mixed or len(value) >= 20) and value.isascii() and " " not in value
