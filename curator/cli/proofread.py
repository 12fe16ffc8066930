"""``curator proofread``: have Claude read a text beside the record."""

from __future__ import annotations

import click

from curator.check import check
from curator.cli.asking import asking
from curator.cli.queue import open_queue
from curator.cli.verify import lines, read_facts, read_text, text_options
from curator.draft import DraftStatus
from curator.plain import proof_line, settled_line
from curator.proof import doubts
from curator.verify import report, to_json, verify
from marin_research.cli.lazy import json_option, print_json, root_option
from marin_research.codec import encode
from marin_research.errors import UsageError
from marin_research.redact import Redactor


@click.command(
    help="Have Claude read a text beside the record. It says which facts a doubted passage means, which settles the "
    "doubt where they agree, and it objects to what the facts contradict: that becomes a finding. What it said of a "
    "draft is kept with it until the text changes. Secrets and personal data are not sent. Exits with 1 if there are "
    "findings.\n\n\b\nExamples:\n"
    "  curator proofread LR-D004\n"
    "  curator proofread LR-D004 --model claude-sonnet-5-5\n"
    "  curator proofread --facts draft.json --file entry.md --json"
)
@text_options
@click.option("--model", default="", help="Which model reads (MARIN_RESEARCH_MODEL, or the thread's; claude-opus-5-5).")
@click.option(
    "--budget",
    type=click.IntRange(min=30_000),
    default=90_000,
    show_default=True,
    help="Tokens that it may take, an answer that had to be mended included.",
)
@click.option(
    "--deadline", type=click.FloatRange(min=1), default=300, show_default=True, help="Seconds after which it gives up."
)
@root_option
@json_option
def command(
    *, draft: str | None, facts: str | None, text_file: str | None, model: str, budget: int, deadline: float,
    root: str | None, as_json: bool,
) -> int:  # fmt: skip
    # With pydantic, which only what asks a model needs.
    from curator.proofreading.drafts import proofread_draft
    from curator.proofreading.proofreader import proofread

    if draft is not None and facts is None and text_file is None:
        queue = open_queue(root)
        found = queue.get(draft)
        name, text = found.id, found.text
        with asking(model=model, budget_tokens=budget, deadline_s=deadline) as options:
            found, proof = proofread_draft(found, queue, options)
        status, checked = found.status, check(found, queue.store)
    elif draft is None and facts is not None and text_file is not None:
        name, text, known = text_file, read_text(text_file), read_facts(facts)
        with asking(model=model, budget_tokens=budget, deadline_s=deadline) as options:
            proof = proofread(text, known, Redactor.from_environment(public=True), options)
        status, verified = DraftStatus.DRAFT, verify(text, known)
        checked = report(text, doubts(text, verified, proof), verified.evidence)
    else:
        raise UsageError("name a draft, or both --facts FACTS.json and --file TEXT.md")
    if as_json:
        print_json({**to_json(checked), "proof": encode(proof)})
    else:
        settled = [f"  settled     {settled_line(each)}" for each in proof.settled]
        click.echo("\n".join([*lines(name, text, checked), *settled]))
        click.echo(proof_line(proof), err=True)
        if status is DraftStatus.APPROVED and not checked.ok:
            click.echo(f"{name} is approved all the same; `curator reject {name} --why ...` holds it back", err=True)
    return 0 if checked.ok else 1
