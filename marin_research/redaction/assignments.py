"""Secrets that the name before them gives away: ``API_KEY=...``, ``"token": "..."``, ``--api-key X``, ``-e NAME X``.

Sees one line at a time; which names count is for ``names``, which values for ``values``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from marin_research.redaction.names import Strength, is_bare, is_secret_header, kind_of, strength, word_set
from marin_research.redaction.removed import Removed
from marin_research.redaction.values import is_expression, is_no_word, is_number, is_reference, is_secret, looks_random

if TYPE_CHECKING:
    from collections.abc import Iterator

_ASSIGNMENT = re.compile(
    r"(?<![\w.-])(?P<name>[A-Za-z_-][\w.-]*+)[\\\"'\]]{0,4}[ \t]{0,4}(?P<sign>:=|=>|=(?!=)|:(?!:|//))[ \t]{0,8}",
    re.ASCII,
)
_GAP = r"(?:[ \t]++|[\"'],?[ \t]*+[\"'])"
_OPTION = re.compile(rf"(?<![\w-])--(?P<name>[A-Za-z][\w.-]*+){_GAP}", re.ASCII)
_VARIABLE = re.compile(rf"(?<![\w-])(?:-e|--env(?:[_-]vars?)?|--set-?env){_GAP}(?P<name>[A-Za-z_]\w*+){_GAP}", re.ASCII)
BY_NAME = word_set("docker echo egrep fgrep grep nerdctl perl podman rg sed")
"""Programs whose ``-e NAME`` takes no value: what follows is the next argument."""
_BY_NAME = re.compile(rf"\b(?:{'|'.join(sorted(BY_NAME))})\b")
_QUOTED = (
    r"""[bru]?\\+["'](?P<escaped>[^"'\\\0]{1,4096})"""
    r"""|[bru]?"(?P<double>(?:[^"\\\0]|\\[^\0]){1,4096})"""
    r"""|[bru]?'(?P<single>(?:[^'\\\0]|\\[^\0]){1,4096})"""
)
_COMMA = r",(?![\s\"'\0]|[\w.-]{1,64}[ \t]?[=:]|\Z)"
"""One inside a value, not one between two assignments."""
_VALUE = re.compile(rf"{_QUOTED}|(?P<bare>(?:[^\s\"'`;&|<>\\,\0]|{_COMMA}){{1,4096}})", re.ASCII)
_WEAK_VALUE = re.compile(rf"{_QUOTED}|(?P<bare>(?:[^\s\"'`;&|<>\\,\0=]|{_COMMA}){{1,4096}}={{0,3}})", re.ASCII)
"""Without ``=`` except at the end: after ``key`` another assignment is likelier than a secret."""
_UP_TO_CLOSING = re.compile(r"[^(\[{)\]}]*(?=[)\]}])")
_SENTENCE = re.compile(r"[a-z]+[.,;]?[ \t]+[A-Za-z]")
_MORE_WORDS = re.compile(r"[\"']?[ \t]+\S", re.ASCII)
_PARTICLES = word_set(
    "also argument authentication before cannot file flag from have instead into must option parameter should that "
    "then this value values were when where which will with without would"
)
_LONGEST_NAME = 128
_MIN_LENGTH = 4
"""Shorter values in free text are left alone."""


class _Value(NamedTuple):
    text: str
    start: int
    end: int
    quoted: bool


def assigned(line: str) -> Iterator[Removed]:
    """The secrets in one line (no line end in it) that stand after a name; they may overlap."""
    yield from _after_signs(line)
    if "-" in line:
        yield from _after_blanks(line, _OPTION)
        yield from _after_blanks(line, _VARIABLE)


def _after_signs(line: str) -> Iterator[Removed]:
    at = 0
    while match := _ASSIGNMENT.search(line, at):
        at = match.end()
        name = match["name"][-_LONGEST_NAME:]
        in_shell = name.isupper() and line[match.end("name") : at] == "="
        if not strength(name) or is_secret_header(name) or (not in_shell and is_expression(line, at)):
            continue
        apart = match["sign"] == "=" and match.end("name") == match.start("sign") and match.end("sign") < at
        # The word after `NAME= ` may itself be an assignment, whose name is to stay.
        value = _value(line, at, Strength.WEAK if apart else strength(name), in_shell=in_shell)
        spoken = match["sign"] == ":" and value is not None and not value.quoted
        if value is None or (spoken and _SENTENCE.match(line, value.start)):
            continue
        if apart and _is_next_word(line, name, value):
            continue
        if _is_assigned_secret(name, value, in_shell=in_shell, spoken=spoken):
            yield Removed(kind_of(name), value.start, value.end)
            at = value.end


def _after_blanks(line: str, pattern: re.Pattern[str]) -> Iterator[Removed]:
    for match in pattern.finditer(line):
        name = match["name"][-_LONGEST_NAME:]
        if not strength(name) or (pattern is _VARIABLE and _BY_NAME.search(line, 0, match.start())):
            continue
        value = _value(line, match.end(), strength(name), in_shell=True)
        if value and _is_given_secret(name, value.text):
            yield Removed(kind_of(name), value.start, value.end)


def _value(line: str, at: int, how_sure: Strength, *, in_shell: bool) -> _Value | None:
    """The value that begins there.

    ``in_shell``: a bare value may hold brackets; elsewhere it ends before the one that closes what it stands in.
    """
    match = (_VALUE if how_sure is Strength.STRONG else _WEAK_VALUE).match(line, at)
    if match is None:
        return None
    start, end = match.span(str(match.lastgroup))
    quoted = match.lastgroup != "bare"
    closing = None if quoted or in_shell else _UP_TO_CLOSING.match(line, start, end)
    if closing:
        end = closing.end()
    return _Value(line[start:end], start, end, quoted)


def _is_next_word(line: str, name: str, value: _Value) -> bool:
    """Whether ``NAME= value`` leaves the name empty, as a shell reads it, though programs print a secret so as well."""
    if looks_random(value.text):
        return False
    is_followed = value.text.endswith(("=", ":")) or _MORE_WORDS.match(line, value.end) is not None
    return is_followed or (name.isupper() and not value.quoted)


def _is_assigned_secret(name: str, value: _Value, *, in_shell: bool, spoken: bool) -> bool:
    """``spoken``: a colon stands between them, which ordinary sentences have too."""
    text = value.text
    if len(text) < _MIN_LENGTH or (is_number(text) and kind_of(name) != "password"):
        return False
    if not value.quoted and not in_shell and is_reference(text, name):
        return False
    how_sure = strength(name)
    if how_sure is Strength.WEAK and not spoken and (is_bare(name) or in_shell) and is_no_word(text):
        how_sure = Strength.STRONG
    return is_secret(text, name, how_sure)


def _is_given_secret(name: str, value: str) -> bool:
    """Of a value that only a blank sets apart from the name."""
    if len(value) < _MIN_LENGTH or value.lower() in _PARTICLES or (value.startswith("-") and not looks_random(value)):
        return False
    how_sure = strength(name)
    if how_sure is Strength.WEAK and (is_bare(name) or name.isupper()) and is_no_word(value):
        how_sure = Strength.STRONG
    return is_secret(value, name, how_sure)
