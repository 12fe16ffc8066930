"""Masks the secrets in an argument vector, one argument at a time, so that it still is the same command.

Adds to the rules for text what only the boundaries of arguments tell: ``--password`` and the argument after it, a value
with blanks in it, ``wandb login KEY``.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from marin_research.redaction.assignments import BY_NAME
from marin_research.redaction.names import Strength, is_bare, kind_of, variable_strength, word_set
from marin_research.redaction.programs import passwords
from marin_research.redaction.values import is_secret, looks_random

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_NAMED = re.compile(r"(?P<name>-{0,2}[A-Za-z_][\w.-]*)=(?P<value>\S.*)", re.ASCII | re.DOTALL)
_OPTION = re.compile(r"--?(?P<name>[A-Za-z][\w.-]+)", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_SETS_VARIABLE = frozenset(
    {"-e", "--env", "--env-var", "--env-vars", "--env_var", "--env_vars", "--setenv", "--set-env"}
)
_SHELLS = word_set("bash dash eval fish ksh sh ssh su tmux xargs zsh")
"""Programs that take a script, or a command with its variables, as one argument."""
_CURL_COOKIE = frozenset({"-b", "--cookie"})
_MIN_POSITIONAL = 8


class Masks(NamedTuple):
    """How a piece is masked."""

    text: Callable[[str], str]
    """Masks what the rules for text find."""
    whole: Callable[[str, str], str]
    """Masks a whole value, given the kind that its name tells."""


def masked_arguments(argv: Sequence[str], masks: Masks) -> Iterator[str]:
    """The arguments, as many and in the same order, with what is secret masked."""
    programs: set[str] = set()  # last parts of the paths of all arguments: any may be a program that another one starts
    given = dict(passwords(argv))
    for index, argument in enumerate(argv):
        if index in given:
            masked = _masked_password(argument, given[index], masks)
        else:
            masked = _after_the_one_before(argv, index, programs, masks)
        yield _by_itself(argument, programs, masks) if masked is None else masked
        programs.add(PurePath(argument).name)


def _after_the_one_before(argv: Sequence[str], index: int, programs: set[str], masks: Masks) -> str | None:
    """The argument masked as the value of the option before it; None where it is no secret value."""
    argument, before = argv[index], argv[index - 1] if index else ""
    if "curl" in programs and before in _CURL_COOKIE and "=" in argument:
        return masks.whole(argument, "cookie")
    if _is_wandb_key(argv, index):
        return masks.whole(argument, "wandb")
    name = _announced(argv, index, programs)
    if name is None or (argument.startswith("-") and not looks_random(argument)):
        return None
    how_sure = Strength.STRONG if is_bare(name) else variable_strength(name)
    return masks.whole(argument, kind_of(name)) if is_secret(argument, name, how_sure) else None


def _announced(argv: Sequence[str], index: int, programs: set[str]) -> str | None:
    """The name under which the option before, or ``-e NAME`` before, announces this argument."""
    before = argv[index - 1] if index else ""
    if index >= 2 and argv[index - 2] in _SETS_VARIABLE and _VARIABLE.fullmatch(before):
        return before if programs.isdisjoint(BY_NAME) else None
    option = _OPTION.fullmatch(before)
    return option["name"] if option else None


def _by_itself(argument: str, programs: set[str], masks: Masks) -> str:
    named = _NAMED.fullmatch(argument)
    is_script = any(blank in argument for blank in " \t\n") and not programs.isdisjoint(_SHELLS)
    if named and not is_script:
        name, value = named["name"], named["value"]
        how_sure = Strength.STRONG if is_bare(name) and name.startswith("--") else variable_strength(name)
        if is_secret(value, name, how_sure):
            return f"{masks.text(name)}={masks.whole(value, kind_of(name))}"
    return masks.text(argument)


def _masked_password(argument: str, start: int, masks: Masks) -> str | None:
    password = argument[start:]
    is_given = is_secret(password, "password", Strength.STRONG)
    return masks.text(argument[:start]) + masks.whole(password, "password") if is_given else None


def _is_wandb_key(argv: Sequence[str], index: int) -> bool:
    """Whether this is the positional argument of ``wandb login``, with a few options between at most."""
    argument = argv[index]
    if argument.startswith("-") or len(argument) < _MIN_POSITIONAL:
        return False
    words = [word for word in argv[max(0, index - 8) : index] if not word.startswith("-")]
    return [PurePath(word).name for word in words[-2:]] == ["wandb", "login"]
