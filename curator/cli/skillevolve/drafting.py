"""The commands that draft what should go to SkillEvolve. Each makes a draft; none sends anything."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curator.cli.queue import open_queue
from curator.cli.skillevolve.reading import POST_TYPES
from curator.draft import DraftKind
from curator.plain import one_line
from curator.skillevolve.proposing import Proposal, file_sha256, propose
from marin_research.cli.lazy import json_option, print_json, root_option
from marin_research.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from curator.facts import Fact
    from curator.queue import DraftQueue
    from marin_research.thread import Thread

_ENDINGS = {
    "png": "image", "jpg": "image", "jpeg": "image", "gif": "image", "svg": "image", "mp4": "video", "webm": "video",
    "html": "html",
}  # fmt: skip
"""What the site takes, and the type of attachment it becomes."""


def _common(function: Callable[..., Any]) -> Callable[..., Any]:
    return root_option(json_option(function))


@click.command(
    help="Draft a post: its text from standard input, or from notes. With runs, their facts stand behind it, and it "
    "may be called verified where they repeat.\n\n\b\nExamples:\n"
    "  curator skillevolve post --type discovery --skill grpo-rl-training --title 'Partial credit first' \\\n"
    "      --severity medium --tag GRPO --thread grpo --run GRPO-001 --run GRPO-002 --verified < finding.md\n"
    "  curator skillevolve post --type help_wanted --skill deepspeed --title 'generate() hangs' \\\n"
    "      --urgency medium --environment '4x A100, DeepSpeed 0.14' --tried 'gathering params' < question.md\n"
    "  curator skillevolve post --type discovery --note N-1a2b3c4d --title 'Set it before the import'\n"
    "  curator skillevolve post --type demo --skill vllm --title 'A dashboard' --attach board.png='The board' < demo.md"
)
@click.option("--type", "kind", type=click.Choice(POST_TYPES), help="What it is for; a note's own type by default.")
@click.option("--title", help="At most 300 characters; a note's first sentence by default.")
@click.option("--skill", metavar="NAME", help="The skill it is about, by name or slug; it is looked up.")
@click.option("--tag", "tags", multiple=True, help="A tag; repeatable.")
@click.option("--severity", type=click.Choice(["critical", "high", "medium", "low"]), help="Of what was found.")
@click.option("--urgency", type=click.Choice(["high", "medium", "low"]), help="Of a question.")
@click.option("--environment", metavar="TEXT", help="Hardware and versions.")
@click.option("--tried", multiple=True, metavar="TEXT", help="For a question: what did not help; repeatable.")
@click.option("--verified", is_flag=True, help="It was repeated: the runs behind it have to say so too.")
@click.option("--attach", "attached", multiple=True, metavar="FILE[=LABEL]", help="A picture, video, page; repeatable.")
@click.option("--link", "links", multiple=True, metavar="URL", help="Something to look at elsewhere; repeatable.")
@click.option("--field", "more", multiple=True, metavar="NAME=VALUE", help="Any other field of a post; repeatable.")
@click.option("--note", "notes", multiple=True, metavar="N-ID", help="Write it from this note; repeatable.")
@click.option("--thread", "topic", metavar="THREAD", help="Whose private names are masked, and whose runs are named.")
@click.option("--run", "runs", multiple=True, metavar="ID", help="A run that stands behind it; repeatable.")
@_common
def post(
    *, kind: str | None, title: str | None, skill: str | None, attached: tuple[str, ...], links: tuple[str, ...],
    more: tuple[str, ...], notes: tuple[str, ...], topic: str | None, runs: tuple[str, ...], root: str | None,
    as_json: bool, **told: Any,
) -> None:  # fmt: skip
    from curator.skillevolve.from_notes import material

    queue = open_queue(root)
    thread = _thread(topic, queue)
    if runs and thread is None:
        raise UsageError("--run names a run of a thread; say --thread THREAD")
    noted = material(notes)
    kind, title = kind or noted.type, title or noted.title
    if kind is None or title is None:
        raise UsageError("a post has a --type and a --title, or is written from a --note")
    files, attachments = _attachments(attached, links)
    fields = {
        "type": kind,
        "title": title,
        **_skill(skill or noted.skill or (thread.skill if thread else "")),
        "discovery_type": noted.discovery_type if kind == "discovery" else None,
        **{name: (list(value) if isinstance(value, tuple) else value) or None for name, value in told.items()},
        "attachments": attachments or None,
        "if_unknown": "discovery" if kind == "demo" else None,
        **dict(_pair(each, "--field") for each in more),
    }
    proposal = Proposal(
        kind=DraftKind.POST,
        title=title,
        target="SkillEvolve",
        fields=fields,
        body=noted.body or _stdin(),
        facts=(*noted.facts, *_facts(runs, thread, queue)),
        runs=runs,
        files=files,
    )
    _drafted(proposal, queue, thread, as_json=as_json)


@click.command(
    help="Draft a comment on a post; its text is read from standard input.\n\n\b\nExample:\n"
    "  echo 'This worked for me, too.' | curator skillevolve comment post-789"
)
@click.argument("post_id", metavar="POST")
@click.option("--thread", "topic", metavar="THREAD", help="Whose private names are masked.")
@click.option("--note", "notes", multiple=True, metavar="N-ID", help="Write it from this note; repeatable.")
@_common
def comment(*, post_id: str, topic: str | None, notes: tuple[str, ...], root: str | None, as_json: bool) -> None:
    from curator.skillevolve.from_notes import material

    queue, told = open_queue(root), material(notes)
    title, link = _about(post_id)
    proposal = Proposal(
        kind=DraftKind.COMMENT,
        title=f"comment on {title}",
        target=link,
        fields={"post_id": post_id},
        body=told.body or _stdin(),
        facts=told.facts,
    )
    _drafted(proposal, queue, _thread(topic, queue), as_json=as_json)


@click.command(
    help="Draft a vote for a post that helped.\n\n\b\nExamples:\n"
    "  curator skillevolve vote post-789\n"
    "  curator skillevolve vote post-790 --down"
)
@click.argument("post_id", metavar="POST")
@click.option("--down", is_flag=True, help="Against it.")
@_common
def vote(*, post_id: str, down: bool, root: str | None, as_json: bool) -> None:
    title, link = _about(post_id)
    which = "down" if down else "up"
    fields = {"post_id": post_id, "vote": which}
    proposal = Proposal(kind=DraftKind.VOTE, title=f"{which}vote for {title}", target=link, fields=fields)
    _drafted(proposal, open_queue(root), as_json=as_json)


@click.command(
    help="Draft that a post of yours is settled, and by which comment.\n\n\b\nExamples:\n"
    "  curator skillevolve resolve post-12 --comment comment-34\n"
    "  curator skillevolve resolve post-12 --closed"
)
@click.argument("post_id", metavar="POST")
@click.option("--comment", "comment_id", metavar="COMMENT", help="The comment that settled it.")
@click.option("--closed", is_flag=True, help="It is no longer relevant, rather than solved.")
@_common
def resolve(*, post_id: str, comment_id: str | None, closed: bool, root: str | None, as_json: bool) -> None:
    title, link = _about(post_id)
    status = "closed" if closed else "resolved"
    fields = {"post_id": post_id, "status": status, "resolution_comment_id": comment_id}
    proposal = Proposal(kind=DraftKind.RESOLUTION, title=f"{status}: {title}", target=link, fields=fields)
    _drafted(proposal, open_queue(root), as_json=as_json)


@click.command(
    help="Draft a message to another agent; its text is read from standard input.\n\n\b\nExample:\n"
    "  curator skillevolve message agent-xyz --subject 'your post on FSDP' < message.md"
)
@click.argument("agent")
@click.option("--subject", help="At most 300 characters.")
@_common
def message(*, agent: str, subject: str | None, root: str | None, as_json: bool) -> None:
    fields = {"to": agent, "subject": subject}
    proposal = Proposal(
        kind=DraftKind.MESSAGE,
        title=subject or f"to {agent}",
        target=f"SkillEvolve: {agent}",
        fields=fields,
        body=_stdin(),
    )
    _drafted(proposal, open_queue(root), as_json=as_json)


@click.command(
    help="Draft the upload of a skill's folder, so that there is a thread to post about it. Without a folder, a thread "
    "is opened by name alone.\n\n\b\nExamples:\n"
    "  curator skillevolve upload ~/.claude/skills/add-pallas-kernel\n"
    "  curator skillevolve upload .agents/skills/run-research --slug run-research--marin\n"
    "  curator skillevolve upload --name optax-tuning --description 'choosing learning rates'"
)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--name", help="Without a folder: of the skill.")
@click.option("--author", help="Without a folder: who made it.")
@click.option("--description", help="Without a folder: what it is for.")
@click.option("--slug", help="With a folder: the thread that it is added to.")
@_common
def upload(
    *, folder: Path | None, name: str | None, author: str | None, description: str | None, slug: str | None,
    root: str | None, as_json: bool,
) -> None:  # fmt: skip
    if (folder is None) == (name is None):
        raise UsageError("name a folder with a SKILL.md, or give --name to open a thread without files")
    fields: dict[str, Any] = {"name": name, "author": author, "description": description}
    files: dict[str, bytes] = {}
    if folder is not None:
        from curator.skillevolve.archive import ArchiveError, pack
        from curator.skillevolve.skills import read_skill

        packed, known = pack(folder), read_skill(folder)
        if known is None:
            raise ArchiveError(f"{folder / 'SKILL.md'} does not say its name between two lines of ---; add it")
        name = known.name
        files[f"{folder.resolve().name}.tar"] = packed.tar
        fields |= {"name": name, "skill_slug": slug, "sha256": file_sha256(packed.tar), "files": list(packed.files)}
    proposal = Proposal(
        kind=DraftKind.SKILL, title=f"the skill {name}", target="SkillEvolve", fields=fields, files=files
    )
    _drafted(proposal, open_queue(root), as_json=as_json)


@click.command(
    help="Draft the registration of an agent. Publishing it saves the key in ~/.skillevolve/config.json and prints the "
    "address where a person claims the agent.\n\n\b\nExample:\n"
    "  curator skillevolve register MarinCurator --description 'writes up experiments run with Marin'"
)
@click.argument("name")
@click.option("--description", required=True, help="What the agent does; everybody can read it.")
@_common
def register(*, name: str, description: str, root: str | None, as_json: bool) -> None:
    from curator.skillevolve.credentials import find_credentials

    known = find_credentials()
    if known is not None:
        raise UsageError(
            f"there is a key already, from {known.source}; to register another agent, move that away first"
        )
    fields = {"name": name, "description": description}
    proposal = Proposal(kind=DraftKind.REGISTRATION, title=f"the agent {name}", target="SkillEvolve", fields=fields)
    _drafted(proposal, open_queue(root), as_json=as_json)


def _drafted(proposal: Proposal, queue: DraftQueue, thread: Thread | None = None, *, as_json: bool) -> None:
    draft, is_new = propose(proposal, queue, thread)
    if as_json:
        print_json(draft)
        return
    stands = "" if is_new else f" (there already, {draft.status})"
    click.echo(f"drafted {draft.id}  {draft.kind}: {one_line(draft.title)}{stands}")
    click.echo(f"read and approve: curator show {draft.id}, curator approve {draft.id}", err=True)


def _stdin() -> str:
    if sys.stdin.isatty():
        click.echo("the text, ended by Ctrl-D:", err=True)
    return sys.stdin.buffer.read().decode("utf-8", "surrogateescape")


def _about(post_id: str) -> tuple[str, str]:
    """A post's title and address; its ID where it cannot be looked at now."""
    from curator.skillevolve.credentials import api_url
    from curator.skillevolve.errors import SkillEvolveError
    from curator.skillevolve.opening import open_reader

    try:
        with open_reader() as reader:
            return f'"{one_line(reader.post(post_id).title)}"', reader.post_url(post_id)
    except SkillEvolveError as error:
        click.echo(f"curator: the post could not be looked at: {error}", err=True)
        return post_id, f"{api_url()}/posts/{post_id}"


def _skill(name: str) -> dict[str, str | None]:
    """How a post names a skill: by its thread where there is one."""
    from curator.skillevolve.lookup import skill_called

    if not name:
        return {}
    skill = skill_called(name)
    if isinstance(skill.slug, str):
        return {"skill_slug": skill.slug}
    click.echo(f"curator: {skill.name}: {skill.slug.why}", err=True)
    return {"skill_name": skill.name, "skill_author": skill.author or None}


def _thread(topic: str | None, queue: DraftQueue) -> Thread | None:
    from marin_research.thread import find_thread

    return find_thread(topic, queue.store) if topic else None


def _facts(runs: Sequence[str], thread: Thread | None, queue: DraftQueue) -> tuple[Fact, ...]:
    """What the record says of some runs, and how well they support each other."""
    if not runs or thread is None:
        return ()
    from curator.drafters.template import rate
    from curator.evidence import gather

    evidence = gather(runs, thread, queue.store)
    rate(evidence, [run for run in queue.store.runs(thread.prefix) if run.thread == thread.topic])
    return tuple(evidence.facts.values())


def _attachments(attached: Sequence[str], links: Sequence[str]) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    """The files by name, and what is said of them and of what is elsewhere."""
    files: dict[str, bytes] = {}
    said: list[dict[str, Any]] = []
    for each in attached:
        path, _, label = each.partition("=")
        kind = _ENDINGS.get(path.rpartition(".")[2].lower())
        if kind is None:
            raise UsageError(f"{path} is nothing that the site shows; attach {', '.join(_ENDINGS)}")
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}; name a file that is there") from error
        name = Path(path).name
        files[name] = data
        said.append({"type": kind, "file": name, "sha256": file_sha256(data), "label": label or None})
    said += [{"type": "link", "url": url} for url in links]
    return files, [{key: value for key, value in each.items() if value is not None} for each in said]


def _pair(text: str, option: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found:
        raise UsageError(f"{option} takes NAME=VALUE, not {text!r}; write the name, = and the value")
    return name, value
