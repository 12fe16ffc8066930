"""``marin-research completion``: the script that makes a shell complete our commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command(
    help="Print the completion script of a shell, for both command lines.\n\n\b\nExamples:\n"
    "  marin-research completion bash >> ~/.bashrc\n"
    "  marin-research completion fish > ~/.config/fish/completions/marin-research.fish"
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(*, shell: str) -> None:
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"{shell} is not supported; use bash, zsh or fish")
    for program in ("marin-research", "curator"):
        variable = f"_{program.upper().replace('-', '_')}_COMPLETE"
        click.echo(kind(click.Command(program), {}, program, variable).source())
