"""Every command can be used, has help with an example, and is in the README."""

from __future__ import annotations

import re
import shlex
from importlib import import_module
from pathlib import Path

import click
import pytest

from curator.cli.main import group as curator
from marin_research.cli.main import group as marin_research

README = Path(__file__).parents[2] / "README.md"
GROUPS = {"marin-research": marin_research, "curator": curator}
COMMANDS = [(program, name) for program, group in GROUPS.items() for name in group.list_commands(click.Context(group))]


def command_of(program: str, name: str) -> click.Command:
    group = GROUPS[program]
    found = group.get_command(click.Context(group), name)
    assert found is not None
    return found


def leaves(program: str, name: str) -> list[tuple[str, click.Command]]:
    """A command, or the commands below it."""
    command = command_of(program, name)
    if not isinstance(command, click.Group):
        return [(f"{program} {name}", command)]
    return [
        (f"{program} {name} {below}", found)
        for below in command.list_commands(click.Context(command))
        if (found := command.get_command(click.Context(command), below)) is not None
    ]


LEAVES = [leaf for program, name in COMMANDS for leaf in leaves(program, name)]


@pytest.mark.parametrize(("called", "command"), LEAVES, ids=[called for called, _ in LEAVES])
def test_a_command_explains_itself(called, command):
    """Help says what it does, shows how it is called, and explains every option."""
    assert command.help
    assert examples(called, command)
    unexplained = [
        option.opts[0]
        for option in command.params
        if isinstance(option, click.Option) and not option.help and not option.hidden
    ]
    assert unexplained == []


@pytest.mark.parametrize(("called", "command"), LEAVES, ids=[called for called, _ in LEAVES])
def test_an_example_can_be_used_as_it_stands(called, command):
    """Examples are copied; one with a wrong option or an impossible value is worse than none."""
    for example in examples(called, command):
        command.make_context(called, shlex.split(example.removeprefix(called)))


def test_the_commands_of_the_readme_can_be_used_as_they_stand():
    """They are the first that anybody copies."""
    blocks = re.findall(r"```sh\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    said = [words for line in lines if (words := shlex.split(line, comments=True)) and words[0] in GROUPS]
    assert said
    commands = {tuple(called.split()): command for called, command in LEAVES}

    for words in said:
        length = 2 if tuple(words[:2]) in commands else 3
        commands[tuple(words[:length])].make_context(" ".join(words), words[length:])


def examples(called: str, command: click.Command) -> list[str]:
    """What the help shows of how to call a command, without the pipes and redirections around it."""
    shown = (command.help or "").partition("Example")[2].replace("\\\n", " ")
    simple = re.sub(r"\$\([^)]*\)", "0123456789abcdef", shown)  # what another command would have said
    parts = (part.strip() for line in simple.splitlines() for part in re.split(r"\s(?:\||>>?|<|&&|;)\s", line))
    return [part for part in parts if f"{part} ".startswith(f"{called} ")]


@pytest.mark.parametrize("program", GROUPS)
def test_every_command_is_in_the_readme(program):
    """What is not in the README does not exist for a new user."""
    text = README.read_text(encoding="utf-8")
    if not text.strip():
        pytest.skip("the README is still to be written")

    assert [name for other, name in COMMANDS if other == program and f"{program} {name}" not in text] == []


@pytest.mark.parametrize(("program", "name"), COMMANDS, ids=[" ".join(pair) for pair in COMMANDS])
def test_data_can_be_had_as_json(program, name):
    """Commands that print what is known print it for programs, too."""
    printing = {
        "marin-research": {"runs", "show", "compare", "check"},
        "curator": {"draft", "drafts", "show", "verify", "publish"},
    }
    options = {option for each in leaves(program, name) for param in each[1].params for option in param.opts}

    assert name not in printing[program] or "--json" in options


def test_a_commands_line_in_the_list_is_a_sentence():
    """It is all that most people read."""
    for group in GROUPS.values():
        context = click.Context(group)
        formatter = click.HelpFormatter()
        group.format_commands(context, formatter)
        for name in group.list_commands(context):
            line = next(line for line in formatter.getvalue().splitlines() if line.startswith(f"  {name} "))
            assert line.endswith(".")
            assert len(line.split(None, 1)[1]) < 80


def test_commands_are_loaded_when_they_are_used():
    """The table of commands and the modules behind it agree."""
    for program, name in COMMANDS:
        home = GROUPS[program]._homes[name][0]
        assert import_module(home).command is command_of(program, name)
