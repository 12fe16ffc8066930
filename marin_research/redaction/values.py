"""Whether a value that a secret's name announced is really one: ``$HF_TOKEN``, ``None`` and ``args.api_key`` are not.

Knows nothing of where in a text the value stands.
"""

from __future__ import annotations

import itertools
import re

from marin_research.redaction.names import Strength, kind_of, word_set, words
from marin_research.redaction.removed import hide_placeholders

_STAND_IN = re.compile(
    r"(?:none|null|nil|n/a|true|false|yes|no|on|off|unset|undefined|unknown|empty|missing|required|optional|redacted|hidden"
    r"|masked|set|not|invalid|incorrect|correct|wrong|expired|rejected|accepted|str|string|int|bool|bytes|secretstr"
    r"|x{3,}"
    r"|[!-/:-@\[-`{-~\s]+"  # punctuation alone: stars, dots
    r"|<[^<>]*>|\$\{[^{}]*\}|\$[A-Z_][A-Z0-9_]*|\$\(.*|\{\{?[\w. ]*\}?\}|%\(\w+\)s?|%\w%?)",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_EXPRESSION = re.compile(
    r"[(\[{:]|[A-Za-z_][A-Za-z_.]*[(\[{]|[A-Za-z_]\w*\([^()\0]{0,80}\)|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\("
    r"|(?:self|args|cfg|config|os|settings|options|opts|env|environ|flags|params|kwargs|request)\.\w",
    re.ASCII,
)
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z_.]*")
_TYPE = re.compile(r"(?:[A-Z][a-z]+){2,}")
_REFERENCES = word_set("auth await credential credentials creds key passwd password pwd token")
_NUMBER = re.compile(r"[-+]?\d[\d.,_]*(?:e[-+]?\d+)?[a-z%]{0,3}", re.ASCII | re.IGNORECASE)
_RUN = re.compile(r"[A-Za-z0-9+]{12,}")
_FEWEST_CHANGES = 0.38
"""Of a run's characters, the share that follow one of another class: 0.6 if random, below 0.36 in ``TypeNames``."""
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_FILE = re.compile(r"(?:~|\.{1,2})?/[\w.@+ /-]*", re.ASCII)
_OBJECT = re.compile(r"[a-z][a-z0-9+]{1,8}://[^\s:@]*", re.ASCII)
_FILED = frozenset({"credential", "credentials", "creds"})


def is_stand_in(value: str) -> bool:
    """A word or a variable in the place of a value, or something blotted out already."""
    return "\0" in value or _STAND_IN.fullmatch(value) is not None


def is_expression(text: str, at: int) -> bool:
    """Whether code begins there that fetches a secret and does not hold it: ``os.environ[``, ``get_token(``."""
    return _EXPRESSION.match(text, at) is not None


def is_reference(value: str, name: str) -> bool:
    """A variable or a type of a program, as in ``auth_token=worker_token`` and ``key: PrivateKey``."""
    if not _IDENTIFIER.fullmatch(value):
        return False
    if not _REFERENCES.isdisjoint(words(value)[-1:]) or _TYPE.fullmatch(value):
        return True
    return kind_of(name) != "password" and ("_" in value or "." in value)


def is_number(value: str) -> bool:
    """A number, with or without a short unit."""
    return _NUMBER.fullmatch(value) is not None


def looks_random(value: str, *, hex_counts: bool = True) -> bool:
    """Whether letters, capitals and digits stand mixed as no word or file name has them.

    ``hex_counts``: hexadecimal runs are secrets too, not the hashes that a ``key`` often is.
    """
    if _FILE.fullmatch(value) or _OBJECT.fullmatch(value) or is_number(value):
        return False
    runs = _RUN.findall(value)
    return any(_is_mixed(run) and (hex_counts or not _HEX.fullmatch(run)) for run in runs)


def _is_mixed(run: str) -> bool:
    digits = sum(character.isdigit() for character in run)
    if run.islower() or run.isupper():
        return digits >= 2
    changes = sum(_class(one) != _class(other) for one, other in itertools.pairwise(run))
    return changes >= _FEWEST_CHANGES * len(run)


def _class(character: str) -> tuple[bool, bool]:
    return character.isdigit(), character.isupper()


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
