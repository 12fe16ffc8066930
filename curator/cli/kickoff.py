"""``curator kickoff``: open a thread's experiment issue."""

from __future__ import annotations

import click

from curator.beginning import draft_kickoff
from curator.cli.queue import open_queue
from curator.drafters.kickoff import Said
from marin_research.cli.lazy import json_option, print_json, root_option
from marin_research.thread import find_thread


@click.command(
    help="Draft the experiment issue that opens THREAD, after a look for issues like it. When it is approved and "
    "published, the issue's address goes into the thread's file and its logbook.\n\n\b\nExamples:\n"
    "  curator kickoff lr-sweep\n"
    "  curator kickoff lr-sweep --description 'How far can the rate go before training diverges?' \\\n"
    "      --hypothesis 'a longer warm-up allows twice the rate' --experiment '0.03, 0.06, 0.1 and 0.3' \\\n"
    "      --code experiments/lr_sweep.py --reference https://arxiv.org/abs/2203.03466"
)
@click.argument("thread")
@click.option("--description", default="", help="Context for somebody from another lab (default: the thread's goal).")
@click.option("--hypothesis", "hypotheses", multiple=True, help="Repeatable.")
@click.option("--experiment", "matrix", multiple=True, help="One of the first experiments; repeatable.")
@click.option("--baseline", default="", help="The fixed case that results are compared with.")
@click.option("--code", multiple=True, help="Path or link of the code it is about; repeatable.")
@click.option("--reference", "references", multiple=True, help="A paper or post; repeatable.")
@click.option("--repository", default="", metavar="OWNER/NAME", help="Where the issue goes (default: this checkout's).")
@root_option
@json_option
def command(*, thread: str, repository: str, root: str | None, as_json: bool, **said: str | tuple[str, ...]) -> None:
    queue = open_queue(root)
    begun = draft_kickoff(find_thread(thread, queue.store), Said(**said), queue, repository=repository)  # type: ignore[arg-type]
    if as_json:
        print_json(begun)
        return
    for issue in begun.alike:
        click.echo(f"there is an issue like it: {issue.url}  {issue.title} ({issue.state})", err=True)
    if begun.alike:
        click.echo("give the thread's file its address (key issue), or list it under looked_at in the draft", err=True)
    if begun.unknown:
        click.echo(f"whether there is an issue like it is looked up when it is published: {begun.unknown}", err=True)
    click.echo(f"drafted {begun.draft.id}  {begun.draft.kind}: {begun.draft.title}")
    click.echo(f"read and approve: curator review {begun.draft.thread}", err=True)
