"""From runs to drafts in the queue: gathers evidence, has a drafter write, and keeps what it wrote."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from curator.before import logbook_file
from curator.draft import OF_SKILLEVOLVE, Attachment, Draft, DraftKind
from curator.drafters import template
from curator.drafters.heartbeat import heartbeat_text
from curator.drafters.sections import OF_ISSUE_BODY, Additions
from curator.drafters.template import Fielded
from curator.drafters.wording import id_range
from curator.errors import CuratorError
from curator.evidence import gather, groups
from curator.failure import ToRead
from curator.front_matter import join
from curator.living import SECTIONS, lines_of_drafts, with_additions
from curator.plots import sweep_plot
from curator.queue import DraftQueue
from curator.skillevolve.community import community_posts
from curator.skillevolve.craft import gather_craft
from curator.skillevolve.privacy import Privacy
from curator.standing import Standing
from curator.writing import Writing  # noqa: TC001 - part of a dataclass
from marin_research.errors import MarinResearchError, UsageError
from marin_research.logbook import NewEntry, entry_text
from marin_research.logbook.sections import find_section, is_called
from marin_research.redact import Redactor
from marin_research.thread import LogbookStyle

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from curator.drafters.template import Drafted, Entry
    from curator.evidence import Evidence
    from curator.facts import Fact
    from curator.model.options import Options
    from marin_research.store import RecordStore
    from marin_research.thread import Thread


CLAUDE = "claude"
DRAFTERS = (template.NAME, CLAUDE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one kind of write-up of one group of runs."""

    kind: DraftKind
    runs: tuple[str, ...]
    draft: Draft | None
    why_none: str | None
    title: str = ""
    """Of the draft, or of the section that there is none of."""
    failed: bool = False
    """There is none because the place it would change could not be read."""
    reused: bool = False
    """An open draft with the same text was there already."""
    writing: Writing | None = None
    """A model's part in this attempt, where one was asked."""
    superseded: tuple[str, ...] = ()
    """IDs of drafts whose place this one takes."""


def make_drafts(
    run_ids: Sequence[str],
    thread: Thread,
    store: RecordStore,
    *,
    kinds: Collection[DraftKind] = template.KINDS,
    drafter: str = template.NAME,
    options: Options | None = None,
    each: bool = False,
    sections: Collection[str] = (),
) -> list[Outcome]:
    """Draft the write-up of some runs: one per sweep, or one per run.

    Args:
        run_ids: experiment IDs.
        thread: whose logbook, issue and metrics the write-up is for.
        store: where the records are, and where the drafts go.
        kinds: what to write.
        drafter: ``template`` or ``claude``.
        options: how the model is asked, for ``claude``.
        each: one write-up per run even where the runs are a sweep.
        sections: of those that are kept current, only these.

    Raises:
        CuratorError: there is no such drafter.
        UsageError: there is no such section.
        RunNotFoundError: one of the runs is not in the store.
    """
    if drafter not in DRAFTERS:
        raise CuratorError(f"there is no {drafter} drafter; use {' or '.join(DRAFTERS)}")
    _require_sections(sections, thread, kinds)
    queue = DraftQueue(store)
    of_thread = [run for run in store.runs(thread.prefix) if run.thread == thread.topic]
    outcomes = []
    standing = Standing(thread, queue)
    for group in _grouped(run_ids, store, kinds, each=each):
        evidence = gather(group, thread, store).with_posts(lambda error: _posts_about(error, thread))
        evidence = _with_plot(evidence)
        if OF_SKILLEVOLVE.intersection(kinds):
            evidence = replace(evidence, craft=gather_craft(evidence, queue))
        writing = None
        if drafter == CLAUDE:
            from curator.drafters import claude  # with pydantic, and Anthropic's SDK when it asks

            written, writing = claude.draft(evidence, of_thread, kinds, options)
        else:
            written = template.draft(evidence, of_thread, kinds)
        asked = [drafted for drafted in written if _is_asked(drafted, sections)]
        outcomes += [_keep(drafted, evidence, standing, queue, writing) for drafted in asked]
    return outcomes


def _posts_about(error: str, thread: Thread) -> list[ToRead]:
    """What the community wrote about an error; nothing without a SkillEvolve key."""
    found = community_posts(error, names=tuple(thread.private_names))
    return [ToRead(title=post.title, link=post.link) for post in found]


def draft_heartbeat(run_ids: Sequence[str], thread: Thread, store: RecordStore) -> Draft:
    """Draft the update that says that some runs are still in progress.

    Raises:
        RunNotFoundError: one of them is not in the store.
    """
    queue = DraftQueue(store)
    evidence = gather(run_ids, thread, store)
    text, facts, _ = _proposal(heartbeat_text(evidence), evidence, None)
    # It is about no run that an entry could be about: none has ended.
    return queue.twin(DraftKind.ISSUE, (), text) or queue.propose(
        thread.prefix,
        kind=DraftKind.ISSUE,
        thread=thread.topic,
        runs=(),
        title=f"{id_range(run_ids)} in progress",
        target=target_of(DraftKind.ISSUE, thread),
        text=text,
        facts=facts,
        drafter=template.NAME,
    )


def _with_plot(evidence: Evidence) -> Evidence:
    """The evidence with a picture of the sweep, where the thread has a place for it."""
    plot = sweep_plot(evidence) if evidence.thread.logbook.style != LogbookStyle.ISSUE else None
    if plot is None:
        return evidence
    facts = {fact.id: fact for fact in plot.facts(evidence.thread.topic)}
    return replace(evidence, plot=plot, facts=evidence.facts | facts)


def _attachments(text: str, evidence: Evidence, queue: DraftQueue) -> tuple[Attachment, ...]:
    """The files that a text in the logbook shows."""
    plot = evidence.plot
    if plot is None or plot.beside(evidence.thread.topic) not in text:
        return ()
    return (Attachment(name=plot.name, blob=queue.store.put_blob(plot.svg)),)


def _grouped(
    run_ids: Sequence[str], store: RecordStore, kinds: Collection[DraftKind], *, each: bool
) -> list[list[str]]:
    if DraftKind.CLOSING in kinds:
        return [list(run_ids)]  # one end for the whole thread
    return [[run_id] for run_id in run_ids] if each else groups(run_ids, store)


def _require_sections(wanted: Collection[str], thread: Thread, kinds: Collection[DraftKind]) -> None:
    of_kind = {DraftKind.INDEX: thread.logbook.indices, DraftKind.ISSUE_BODY: OF_ISSUE_BODY}
    kept = list(dict.fromkeys(name for kind in kinds for name in of_kind.get(kind, ())))
    if wanted and not SECTIONS.intersection(kinds):
        raise UsageError("--kind logbook-index or --kind issue-body keep sections current; add the one that is meant")
    for name in wanted:
        if not any(is_called(section, name) for section in kept):
            raise UsageError(f"there is no section {name!r} to keep current; there are {', '.join(kept)}")


def _is_asked(drafted: Drafted, sections: Collection[str]) -> bool:
    return drafted.kind not in SECTIONS or not sections or any(is_called(drafted.title, name) for name in sections)


def _keep(
    drafted: Drafted, evidence: Evidence, standing: Standing, queue: DraftQueue, writing: Writing | None
) -> Outcome:
    thread, replaces, content = evidence.thread, None, drafted.content
    none = Outcome(
        kind=drafted.kind,
        runs=evidence.runs,
        draft=None,
        why_none=drafted.why_none,
        title=drafted.title,
        writing=writing,
    )
    if content is None:
        return none
    if isinstance(content, Additions):
        evidence = replace(evidence, facts=evidence.facts | {fact.id: fact for fact in content.facts})
        try:
            replaces, merged = _merged(drafted.kind, content, standing, queue.all(thread.topic))
        except MarinResearchError as error:
            return replace(none, why_none=str(error), failed=True)
        if merged is None:
            return replace(none, why_none=f"the section {drafted.title!r} says it already")
        content = merged
    text, facts, writing = _proposal(content, evidence, writing)
    known = queue.twin(drafted.kind, evidence.runs, text)
    if known is not None:
        draft = queue.keep_writing(known, writing) if writing is not None else known
        return replace(none, draft=draft, reused=True, writing=writing)
    draft = queue.propose(
        thread.prefix,
        kind=drafted.kind,
        thread=thread.topic,
        runs=evidence.runs,
        title=drafted.title,
        target=target_of(drafted.kind, thread),
        text=text,
        facts=facts,
        drafter=CLAUDE if writing is not None and not writing.instead else template.NAME,
        writing=writing,
        replaces=replaces,
        attachments=_attachments(text, evidence, queue),
    )
    return replace(none, draft=draft, writing=writing, superseded=queue.supersede(draft))


def _merged(
    kind: DraftKind, added: Additions, standing: Standing, drafts: list[Draft]
) -> tuple[str | None, str | None]:
    """A section as it stands, and as it would be with the new lines; None for what does not exist."""
    current = find_section(standing.text(kind), added.section)
    redactor = Redactor.from_environment()
    # What people wrote around the lines is theirs and public already.
    clean = replace(added, lines=tuple(redactor.text(line).text for line in added.lines))
    earlier = lines_of_drafts(drafts, kind, added.section)
    text = current.text if current else None
    return text, with_additions(text, clean, earlier=earlier, level=standing.level(kind))


def _proposal(
    content: Entry | Fielded | str, evidence: Evidence, writing: Writing | None
) -> tuple[str, tuple[Fact, ...], Writing | None]:
    """The text, its facts and a model's part in it, without credentials, nor personal data where everybody reads it."""
    facts = tuple(evidence.facts.values())
    if isinstance(content, Fielded):
        privacy = Privacy(evidence.thread.private_names)
        clean: Callable[[str], str] = privacy.clean
        text = join(privacy.tree(content.fields), clean(content.body))
        facts = tuple(replace(fact, value=privacy.tree(fact.value)) for fact in facts)
    else:
        redactor = Redactor.from_environment()
        clean = lambda words: redactor.text(words).text  # noqa: E731
        text = clean(content if isinstance(content, str) else _entry_text(content, evidence.thread))
    if writing is not None:
        opinions = map(clean, writing.opinions)
        writing = replace(writing, opinions=tuple(opinion for opinion in opinions if opinion in text))
    return text, facts, writing


def _entry_text(entry: Entry, thread: Thread) -> str:
    """The entry as it will stand in the thread's logbook, heading included, in that file's own style."""
    path = logbook_file(thread)
    data = path.read_bytes() if path is not None and path.exists() else b""
    return entry_text(data, NewEntry(ids=(entry.ids,), label=entry.label, time=entry.time, body=entry.body))


def target_of(kind: DraftKind, thread: Thread) -> str:
    """Where a draft of a kind will go, in words or as an address."""
    match kind:
        case DraftKind.LOGBOOK | DraftKind.INDEX:
            return thread.logbook_path
        case DraftKind.KICKOFF:
            return "a new issue"
        case DraftKind.ISSUE | DraftKind.FIX | DraftKind.ISSUE_BODY | DraftKind.CLOSING:
            return thread.issue or f"no issue yet; add its URL to the thread file ({thread.topic}.yaml, key issue)"
        case _:
            return "SkillEvolve"
