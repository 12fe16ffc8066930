"""The commands that read SkillEvolve. Texts from there are shown on one line, with nothing a terminal would act on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curator.plain import counted, one_line, visible
from curator.skillevolve.opening import open_reader
from marin_research.cli.lazy import json_option, print_json
from marin_research.summary import table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import BaseModel

    from curator.skillevolve.answers import Post

POST_TYPES = ("discovery", "help_wanted", "improvement", "discussion", "demo")
_SHOWN = 100
"""Characters of a text in a list."""


@click.command(
    help="Show whose key is found, what the site knows of that agent, and whether a person claimed it. Exits with 1 "
    "where the agent may not write.\n\n\b\nExamples:\n"
    "  curator skillevolve whoami\n"
    "  SKILLEVOLVE_API_KEY=... curator skillevolve whoami --json"
)
@json_option
def whoami(*, as_json: bool) -> int:
    from curator.skillevolve.credentials import require_credentials
    from curator.skillevolve.refusals import claim_hint

    credentials = require_credentials()
    with open_reader() as reader:
        profile = reader.me()
    agent = profile.agent
    if as_json:
        print_json({**profile.model_dump(), "claimed": agent.is_claimed})
        return 0 if agent.is_claimed else 1
    state = agent.claim_status or agent.status or "unknown"
    posted = f"{counted(len(profile.posts), 'post')}, {counted(len(profile.sessions), 'session')} of late"
    click.echo(f"{one_line(agent.name)} ({one_line(agent.id)}), {one_line(state)}; {posted}")
    click.echo(f"the key is from {credentials.source}")
    if not agent.is_claimed:
        click.echo(f"curator: {claim_hint(credentials)}", err=True)
    return 0 if agent.is_claimed else 1


@click.command(
    help="Search posts, skills and sessions. What you type is sent to the site; text that looks like a secret is "
    "not.\n\n\b\nExamples:\n"
    "  curator skillevolve search 'FSDP OOM gradient checkpointing'\n"
    "  curator skillevolve search 'ZeRO-3 generate hangs' --json | jq -r '.posts[].title'"
)
@click.argument("words", nargs=-1, required=True)
@json_option
def search(*, words: tuple[str, ...], as_json: bool) -> None:
    from curator.skillevolve.community import sendable_query

    with open_reader() as reader:
        found = reader.search(sendable_query(" ".join(words)))
        link = reader.post_url
    if as_json:
        print_json(found.model_dump())
        return
    rows = [_post_row(post, link(post.id)) for post in found.posts]
    rows += [["skill", "", one_line(s.name), one_line(s.slug), one_line(s.author)] for s in found.skills]
    rows += [["session", "", one_line(s.task)[:_SHOWN], one_line(s.skill), one_line(s.id)] for s in found.sessions]
    _print(rows, "nothing was found; ask with `curator skillevolve post --type help_wanted`")


@click.command(
    help="Show what the site thinks you should read.\n\n\b\nExample:\n  curator skillevolve feed --json | jq '.[0]'"
)
@json_option
def feed(*, as_json: bool) -> None:
    with open_reader() as reader:
        _posts(reader.feed(), reader.post_url, as_json=as_json)


@click.command(
    help="List posts, of a skill or of a type.\n\n\b\nExamples:\n"
    "  curator skillevolve posts --skill deepspeed --type discovery\n"
    "  curator skillevolve posts --skill vllm --limit 10 --sort votes"
)
@click.option("--skill", metavar="SLUG", help="Only about this skill (see `curator skillevolve skills`).")
@click.option("--type", "kind", type=click.Choice(POST_TYPES), help="Only of this type.")
@click.option("--search", "words", metavar="TEXT", help="Only those that hold these words.")
@click.option("--sort", type=click.Choice(["recent", "votes"]), help="Newest or best first.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@json_option
def posts(
    *, skill: str | None, kind: str | None, words: str | None, sort: str | None, limit: int | None, as_json: bool
) -> None:
    from curator.skillevolve.community import sendable_query

    with open_reader() as reader:
        asked = sendable_query(words) if words else None
        found = reader.posts(skill=skill, kind=kind, search=asked, sort=sort, limit=limit)
        _posts(found, reader.post_url, as_json=as_json)


@click.command(
    help="Read one post with its comments.\n\n\b\nExamples:\n"
    "  curator skillevolve show post-789\n"
    "  curator skillevolve show post-789 --json | jq .comments"
)
@click.argument("post_id", metavar="POST")
@json_option
def show(*, post_id: str, as_json: bool) -> None:
    with open_reader() as reader:
        post = reader.post(post_id)
        link = reader.post_url(post_id)
    if as_json:
        print_json({**post.model_dump(), "link": link})
        return
    votes = "" if post.votes is None else f", {counted(post.votes, 'vote')}"
    click.echo(f"{one_line(post.title)}\n{one_line(post.type)} about {one_line(post.skill)}{votes}, {link}\n")
    click.echo(visible(post.content))
    for comment in post.comments:
        click.echo(f"\n-- {one_line(comment.agent_name or comment.agent_id or 'somebody')} ({one_line(comment.id)}):")
        click.echo(visible(comment.content))


@click.command(
    help="List session reports.\n\n\b\nExamples:\n"
    "  curator skillevolve sessions --skill grpo-rl-training\n"
    "  curator skillevolve sessions --search 'reward hacking' --json"
)
@click.option("--skill", metavar="SLUG", help="Only with this skill.")
@click.option("--search", "words", metavar="TEXT", help="Only those that hold these words.")
@json_option
def sessions(*, skill: str | None, words: str | None, as_json: bool) -> None:
    from curator.skillevolve.community import sendable_query

    with open_reader() as reader:
        found = reader.sessions(skill=skill, search=sendable_query(words) if words else None)
    if as_json:
        _json(found)
    else:
        rows = [[one_line(s.id), one_line(s.skill), one_line(s.time), one_line(s.task)[:_SHOWN]] for s in found]
        _print(rows, "no session reports fit")


@click.command(
    help="Look skills up: by name, or by words.\n\n\b\nExamples:\n"
    "  curator skillevolve skills --name vllm\n"
    "  curator skillevolve skills distributed training --json | jq -r '.[].slug'"
)
@click.argument("words", nargs=-1)
@click.option("--name", help="Exactly this name.")
@click.option("--author", help="By this author.")
@click.option("--tag", help="With this tag.")
@json_option
def skills(*, words: tuple[str, ...], name: str | None, author: str | None, tag: str | None, as_json: bool) -> None:
    with open_reader() as reader:
        found = reader.skills(name=name, author=author, tag=tag, search=" ".join(words) or None)
    if as_json:
        _json(found)
    else:
        rows = [(s.slug, s.name, s.author, s.version, s.description[:_SHOWN]) for s in found]
        _print(
            [[one_line(part) for part in row] for row in rows],
            "no skill fits; `curator skillevolve upload FOLDER` drafts the upload of one",
        )


@click.command(
    help="Download a skill and unpack it below ~/.skillevolve/cache. Read what you unpack before an agent does.\n\n"
    "\b\nExamples:\n"
    "  curator skillevolve download vllm--orchestra\n"
    "  curator skillevolve download vllm--orchestra --version original --to ./vllm"
)
@click.argument("slug")
@click.option("--version", "which", metavar="VERSION", help="original, latest (the default) or a version.")
@click.option("--to", "target", type=click.Path(path_type=Path), help="Where to; what is there is replaced.")
@json_option
def download(*, slug: str, which: str | None, target: Path | None, as_json: bool) -> None:
    from curator.skillevolve.archive import unpack

    with open_reader() as reader:
        data = reader.download(slug, which)
    folder = unpack(data, target or Path.home() / ".skillevolve/cache" / Path(slug).name)
    if as_json:
        print_json({"folder": str(folder), "bytes": len(data)})
    else:
        click.echo(folder)


@click.command(
    help="See what happened since the last one, and what of this work is not noted yet. `curator watch` does it every "
    "45 minutes.\n\n\b\nExamples:\n"
    "  curator skillevolve heartbeat\n"
    "  curator skillevolve heartbeat --json | jq .help_requests"
)
@json_option
def heartbeat(*, as_json: bool) -> None:
    from curator.skillevolve.heartbeat import heartbeat_lines, remember_heartbeat
    from curator.skillevolve.memory import read_memory

    with open_reader() as reader:
        beat, link = reader.heartbeat(), reader.post_url
    remember_heartbeat(datetime.now(UTC))
    if as_json:
        print_json(beat.model_dump())
    else:
        click.echo("\n".join(heartbeat_lines(beat, link, read_memory(), datetime.now(UTC))))


@click.command(
    help="List replies and mentions.\n\n\b\nExample:\n  curator skillevolve notifications --json | jq -r '.[].text'"
)
@json_option
def notifications(*, as_json: bool) -> None:
    with open_reader() as reader:
        found = reader.notifications()
    if found is None:
        click.echo("the site has no list of notifications; `curator skillevolve heartbeat` counts them", err=True)
    if as_json:
        _json(found or [])
    elif found is not None:
        rows = [[one_line(part) for part in (n.created_at, n.type, n.post_id, n.text)] for n in found]
        _print(rows, "none")


@click.command(help="List your messages.\n\n\b\nExample:\n  curator skillevolve messages --json | jq '.[0]'")
@json_option
def messages(*, as_json: bool) -> None:
    with open_reader() as reader:
        found = reader.messages()
    if as_json:
        _json(found)
    else:
        rows = [[one_line(part)[:_SHOWN] for part in (m.created_at, m.sender, m.subject, m.content)] for m in found]
        _print(rows, "no messages")


def _posts(found: Sequence[Post], link: Any, *, as_json: bool) -> None:
    if as_json:
        print_json([{**post.model_dump(), "link": link(post.id)} for post in found])
    else:
        _print([_post_row(post, link(post.id)) for post in found], "no posts fit")


def _post_row(post: Post, link: str) -> list[str]:
    votes = "" if post.votes is None else f"{post.votes:+d}"
    return [one_line(post.type), votes, one_line(post.title)[:_SHOWN], one_line(post.skill), link]


def _json(found: Iterable[BaseModel]) -> None:
    print_json([each.model_dump() for each in found])


def _print(rows: list[list[str]], nothing: str) -> None:
    if rows:
        click.echo("\n".join(table(rows)))
    else:
        click.echo(nothing, err=True)
