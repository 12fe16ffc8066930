"""``curator publish``: carry out what was approved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from curator.cli.queue import by_option, open_queue
from curator.person import person
from curator.publish import Outcome, plan, publish, publishable
from curator.publish.destination import Reach
from marin_research.cli.lazy import json_option, print_json, root_option
from marin_research.errors import UsageError

if TYPE_CHECKING:
    from curator.publish import Publication

_NOT_OUT = frozenset({Outcome.FAILED, Outcome.GONE})


@click.command(
    help="Publish approved drafts, each exactly once, logbook entries first. Exits with 1 if one failed, which can be "
    "tried again, or if somebody removed one where it was published.\n\n"
    "A logbook in the research repository is written, and committed or pushed only if asked; one in a repository of "
    "its own is pushed, on top of what others pushed there. Nothing is ever forced.\n\n\b\nExamples:\n"
    "  curator publish --approved --dry-run\n"
    "  curator publish --approved\n"
    "  curator publish --approved --push\n"
    "  curator publish LR-D004 --json\n"
    "  curator publish LR-D004 --again"
)
@click.argument("drafts", nargs=-1)
@click.option("--approved", is_flag=True, help="Everything that is approved and not out.")
@click.option("--dry-run", is_flag=True, help="Print what would change, and change nothing.")
@click.option("--commit", is_flag=True, help="Commit what goes into logbooks, and nothing else.")
@click.option("--push", is_flag=True, help="Commit it and push the branch.")
@click.option("--again", is_flag=True, help="Send once more what somebody removed where it had been published.")
@by_option
@root_option
@json_option
def command(
    *, drafts: tuple[str, ...], approved: bool, dry_run: bool, commit: bool, push: bool, again: bool,
    by: str | None, root: str | None, as_json: bool,
) -> int:  # fmt: skip
    if bool(drafts) == approved:
        raise UsageError("name drafts, or say --approved for everything that is approved")
    if again and approved:
        raise UsageError("name the drafts that are to go out once more; --again does not go with --approved")
    queue = open_queue(root)
    chosen = publishable(queue) if approved else [queue.get(draft_id) for draft_id in dict.fromkeys(drafts)]
    if not chosen:
        click.echo("nothing is approved and not out; see `curator drafts`", err=True)
    reach = Reach.PUSH if push else Reach.COMMIT if commit else None
    done = []
    for publication in (
        plan(chosen, queue, reach=reach, again=again)
        if dry_run
        else publish(chosen, queue, by=person(by), reach=reach, again=again)
    ):
        done.append(publication)
        if not as_json:
            click.echo(_line(publication), err=publication.outcome in _NOT_OUT)
            click.echo(publication.diff or "", nl=False)
    if as_json:
        print_json(done)
    return 1 if any(publication.outcome in _NOT_OUT for publication in done) else 0


def _line(publication: Publication) -> str:
    said = [publication.draft, publication.outcome, publication.link or ""]
    return "  ".join(part for part in said if part) + (f": {publication.why}" if publication.why else "")
