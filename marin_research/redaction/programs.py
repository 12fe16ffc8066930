"""Passwords that no name announces but the program they are given to: ``curl -u USER:PASSWORD``, ``mysql -pPASSWORD``.

Sees the words of a command, or one line of a text that may hold one; which options count is in one table.
"""

from __future__ import annotations

import re
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from marin_research.redaction.names import Strength, word_set
from marin_research.redaction.removed import Removed
from marin_research.redaction.values import is_reference, is_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class _Option(NamedTuple):
    """How some programs take a password."""

    programs: frozenset[str]
    names: frozenset[str]
    command: str = ""
    """A word that must stand between the program and the option."""
    divider: str = ""
    """What stands between the name of the user and the password; no password is given where it is missing."""
    is_apart: bool = True
    """Whether the password may be the next word; else it is part of the option's own."""
    leads: bool = False
    """Whether the option follows its program at once: later ones belong to the program that this one starts."""

    def is_of(self, words: Sequence[str], index: int, programs: Mapping[str, int]) -> bool:
        """Whether one of its programs takes the option at ``index``; ``programs`` has the places of those before."""
        since = max((programs[name] for name in self.programs & programs.keys()), default=index)
        if self.leads:
            return index - since == 1
        return since < index and (not self.command or self.command in words[since:index])

    def password(self, words: Sequence[str], index: int) -> tuple[int, int] | None:
        """The word, and the place in it, where the password begins that the word at ``index`` gives or announces."""
        word, start = words[index], 0
        if word in self.names:
            if not self.is_apart or index + 1 == len(words) or words[index + 1].startswith("-"):
                return None
            index += 1
        else:
            name = next((name for name in self.names if word.startswith(f"{name}=" if name[:2] == "--" else name)), "")
            if not name:
                return None
            start = len(name) + (name[:2] == "--")
        if self.divider:
            start = words[index].find(self.divider, start) + 1
        return (index, start) if start or not self.divider else None


_OPTIONS = (
    _Option(word_set("curl"), word_set("-u -U --user --proxy-user"), divider=":"),
    _Option(word_set("az buildah crane docker helm nerdctl oras podman skopeo"), word_set("-p"), command="login"),
    _Option(word_set("sshpass"), word_set("-p"), leads=True),
    _Option(word_set("mariadb mariadb-dump mysql mysqladmin mysqldump mysqlimport"), word_set("-p"), is_apart=False),
    _Option(word_set("mongo mongodump mongoexport mongoimport mongorestore mongosh"), word_set("-p")),
    _Option(word_set("redis-cli"), word_set("-a")),
    _Option(word_set("ldapadd ldapmodify ldappasswd ldapsearch ldapwhoami"), word_set("-w")),
    _Option(word_set("smbclient"), word_set("-U"), divider="%"),
    _Option(word_set("http https xh"), word_set("-a --auth"), divider=":"),
)
_STARTS = tuple({name[:2] for option in _OPTIONS for name in option.names})
_MOST_WORDS = 40
"""Words of a command in a text that are looked at."""
_PROGRAM = re.compile(
    rf"(?<![\w.-])(?:{'|'.join(sorted(program for option in _OPTIONS for program in option.programs))})(?=[ \t\"'\\])"
)
_BARE = r"[^\s\"'\\`|;&<>)\0]"
_IN_QUOTES = r"(?:\"[^\"\0]{0,512}+\"|'[^'\0]{0,512}+'|\\\"[^\"\0]{0,512}+\")"
_WORD = re.compile(
    r"\\?[\"'],[ \t]*+\\?[\"'](?P<listed>[^\"'\\\0]{0,512}+)"
    rf"|[ \t]++(?P<word>(?:-[A-Za-z]|{_BARE}{{0,256}}[:=])?{_IN_QUOTES}|{_BARE}{{1,512}}+)",
    re.ASCII,
)
"""One of a shell, perhaps quoted or with a value that is, or the next one in a list as Python and JSON write it."""
_QUOTED = re.compile(r"(\\?[\"'])(.*)\1", re.DOTALL)


def passwords(words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Which words of a command hold a password, and where in the word it begins; it ends with the word."""
    programs: dict[str, int] = {}  # the place of each word: any may be a program that another one starts
    for index, word in enumerate(words):
        for option in _OPTIONS if word.startswith(_STARTS) else ():
            if option.is_of(words, index, programs) and (found := option.password(words, index)):
                yield found
        programs[PurePath(word).name] = index


def given_passwords(line: str) -> Iterator[Removed]:
    """The passwords in the commands of one line (no line end in it); they may overlap."""
    return _given(line, 0, len(line)) if any(start in line for start in _STARTS) else iter(())


def _given(line: str, at: int, end: int) -> Iterator[Removed]:
    while program := _PROGRAM.search(line, at, end):
        places = [program.span(), *islice(_words(line, program.end(), end), _MOST_WORDS)]
        at = places[-1][1]
        words = [line[slice(*place)] for place in places]
        for index, offset in passwords(words):
            start, stop = _unquoted(line, places[index][0] + offset, places[index][1])
            password = line[start:stop]
            if is_secret(password, "password", Strength.STRONG) and not is_reference(password, "password"):
                yield Removed("password", start, stop)
        for word, place in zip(words, places, strict=True):
            if " " in word:  # a command of its own, which this one runs in a shell or on another machine
                yield from _given(line, *place)


def _words(line: str, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Start and end of the words from there on, without the quotes around them, while they are of one command."""
    while match := _WORD.match(line, at, end):
        at = match.end()
        yield _unquoted(line, *match.span(str(match.lastgroup)))


def _unquoted(line: str, start: int, end: int) -> tuple[int, int]:
    quoted = _QUOTED.fullmatch(line, start, end)
    return quoted.span(2) if quoted else (start, end)
