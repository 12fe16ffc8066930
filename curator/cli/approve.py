"""``curator approve``: a person's yes, without a terminal."""

from __future__ import annotations

import click

from curator.check import check
from curator.cli.queue import by_option, open_to_decide
from curator.errors import RefusedError, StaleDraftError
from curator.log import LogEntry
from curator.person import person
from curator.review import approve
from marin_research.cli.lazy import root_option
from marin_research.errors import UsageError

_SHORTEST_HASH = 12


@click.command(
    help="Approve drafts as they stand, all of them or none. What has findings is refused unless each is accepted.\n\n"
    "\b\nExamples:\n"
    "  curator approve LR-D004\n"
    "  curator approve LR-D004 LR-D005 --by 'Ada Lovelace'\n"
    "  curator approve LR-D006 --accept F-1a2b3c4d --sha256 $(curator show LR-D006 --json | jq -r .sha256)"
)
@click.argument("drafts", nargs=-1, required=True)
@by_option
@click.option("--accept", "accepted", multiple=True, metavar="FINDING", help="Approve past this finding; repeatable.")
@click.option("--sha256", metavar="HEX", help="Refuse if the text's hash does not begin with this (12 digits or more).")
@root_option
def command(
    *, drafts: tuple[str, ...], by: str | None, accepted: tuple[str, ...], sha256: str | None, root: str | None
) -> None:
    if sha256 is not None and (len(drafts) > 1 or len(sha256) < _SHORTEST_HASH):
        raise UsageError(f"--sha256 takes at least {_SHORTEST_HASH} digits of the hash of one draft; name one draft")
    queue, name = open_to_decide(root), person(by)
    entries, known = list[LogEntry](), set[str]()
    for draft in [queue.get(draft_id) for draft_id in dict.fromkeys(drafts)]:
        report = check(draft, queue.store, approving=[entry.draft for entry in entries])
        known |= {finding.id for finding in report.findings}
        if sha256 is not None and not draft.sha256.startswith(sha256.lower()):
            raise StaleDraftError(draft.id)
        own = [finding.id for finding in report.findings if finding.id in accepted]
        entries.append(approve(draft, report, by=name, seen_sha256=draft.sha256, accept=own))
    strangers = [finding for finding in accepted if finding not in known]
    if strangers:
        raise RefusedError(f"no such finding: {', '.join(strangers)}; `curator verify DRAFT` lists them")
    for entry in entries:
        queue.log.append(entry)
        past = f" past {', '.join(finding.id for finding in entry.accepted)}" if entry.accepted else ""
        click.echo(f"approved {entry.draft} (sha256 {entry.sha256[:16]}) as {name}{past}")
    click.echo("next: curator publish --approved", err=True)
