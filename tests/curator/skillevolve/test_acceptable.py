"""Whatever people write and machines record: what leaves is what the documents accept, and the rest stays here.

The server enforces the documents, which were written down apart from our models; any answer of 4xx or 5xx is ours.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curator.draft import DraftKind
from curator.drafters.session import write_session
from curator.evidence import gather
from curator.front_matter import join
from curator.skillevolve import fields as kinds
from curator.skillevolve.craft import Craft, note_facts
from curator.skillevolve.errors import MissingError
from curator.skillevolve.memory import TYPES, Note, WorkSession
from curator.skillevolve.privacy import Privacy
from curator.skillevolve.skills import SkillRef
from curator.skillevolve.submission import SubmissionError, read
from curator.skillevolve.writing import Writer
from marin_research.thread import find_thread

# Characters of every kind, also those that have no place in a text.
TEXT = st.text(st.characters(), max_size=40)
LONG = st.builds(lambda t, times: t * times, st.text(min_size=1, max_size=3), st.sampled_from([1, 99, 149, 151, 301]))
SIZES = st.sampled_from([1, 9_900, 24_951, 49_901])
BODY = TEXT | st.builds(lambda char, size: char * size, st.sampled_from(["x", "é", "😀"]), SIZES)
TRICKY = ["", " ", "no", "3.10", "~", "- a", "a: b", "---", "#", "|", "'", '"', "2026-01-01"]
WORDS = TEXT | LONG | st.sampled_from(TRICKY)
ID = st.sampled_from(["post-7", "agent-other", "a" * 150, "", "../x", "a/b", "post 7", "é"])


def maybe(**of: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A dictionary in which each key may be missing."""
    return st.fixed_dictionaries({}, optional=of)


def either(known: list[Any]) -> st.SearchStrategy[Any]:
    """Mostly a known value, else anything."""
    return st.sampled_from(known) | WORDS


METADATA = maybe(
    severity=either(["critical", "high", "medium", "low"]),
    verified=either([True, False]),
    reproducible=either([True, False]),
    tags=st.lists(WORDS, max_size=3),
    environment=WORDS,
    skill_version=WORDS,
    discovery_type=either(["gotcha", "tip", "insight", "correction", "showcase"]),
    urgency=either(["high", "medium", "low"]),
    tried=st.lists(WORDS, max_size=3),
    improvement_type=either(["documentation", "example", "correction", "restructure"]),
    section=WORDS,
    priority=either(["high", "medium", "low"]),
    willing_to_contribute=either([True, False]),
    topic=either(["best_practices", "comparison", "architecture", "future"]),
    open_ended=either([True, False]),
    demo_repo=either(["https://github.com/a/b"]),
    demo_url=either(["https://demo.example/x?y=1"]),
    attachments=st.lists(
        maybe(
            type=either(["image", "video", "html", "demo", "repo", "link"]),
            url=either(["https://x.example/1.png"]),
            label=WORDS,
            content_type=WORDS,
        ),
        max_size=2,
    ),
)
OF_TYPE = {
    "discovery": {"discovery_type"},
    "help_wanted": {"urgency", "tried"},
    "improvement": {"improvement_type", "section", "priority", "willing_to_contribute"},
    "discussion": {"topic", "open_ended"},
}


def fitting(post: dict[str, Any]) -> dict[str, Any]:
    """A post without the fields of other types, so that many of them can be sent."""
    others = {name for kind, names in OF_TYPE.items() if kind != post["type"] for name in names}
    return {name: value for name, value in post.items() if name not in others}


POSTS = st.builds(
    lambda known, metadata: fitting({**metadata, **known}),
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["discovery", "help_wanted", "improvement", "discussion", "demo"]),
            "title": WORDS,
            "skill_slug": either(["vllm--orchestra", "grpo-rl-training"]),
        }
    ),
    METADATA,
)
ISSUE = st.fixed_dictionaries(
    {
        "type": either(["error", "warning", "confusion", "performance"]),
        "description": WORDS,
        "resolved": either([True, False]),
    },
    optional={"resolution": WORDS, "time_spent_minutes": st.integers() | st.floats() | WORDS},
)
SESSIONS = st.fixed_dictionaries(
    {
        "session_id": either(["sess-2026-02-15-abc123", "sess-2026-02-15-a1b2c3d4"]),
        "agent_id": st.just("agent-abc123"),
        "timestamp": either(["2026-02-15T16:00:00Z", "2026-02-15T17:00:00+01:00", "2026-02-15", "2026-02-15T16:00"]),
        "skill": st.fixed_dictionaries({"name": WORDS}, optional={"source_repo": WORDS, "source_path": WORDS}),
        "task": st.fixed_dictionaries(
            {"description": WORDS},
            optional={"category": either(["training", "testing", "evaluation"]), "tags": st.lists(WORDS, max_size=2)},
        ),
        "outcome": st.fixed_dictionaries(
            {"success": either([True, False])}, optional={"partial": either([True, False]), "notes": WORDS}
        ),
    },
    optional={
        "issues_encountered": st.lists(ISSUE, max_size=2),
        "learnings": st.lists(WORDS, max_size=3),
        "environment": maybe(os=WORDS, python=WORDS, gpus=WORDS, other=st.dictionaries(WORDS, WORDS, max_size=2)),
        "duration_minutes": st.integers() | st.floats() | WORDS,
    },
)
DRAFTS = {
    DraftKind.POST: st.tuples(POSTS, BODY),
    DraftKind.SESSION: st.tuples(SESSIONS, st.just("")),
    DraftKind.COMMENT: st.tuples(st.fixed_dictionaries({"post_id": ID}), BODY),
    DraftKind.VOTE: st.tuples(
        st.fixed_dictionaries({"post_id": ID, "vote": either(["up", "down", "1", 1])}), st.just("") | TEXT
    ),
    DraftKind.RESOLUTION: st.tuples(
        st.fixed_dictionaries(
            {"post_id": ID, "status": either(["resolved", "closed"])}, optional={"resolution_comment_id": ID}
        ),
        st.just(""),
    ),
    DraftKind.MESSAGE: st.tuples(st.fixed_dictionaries({"to": ID}, optional={"subject": WORDS}), BODY),
    DraftKind.SKILL: st.tuples(
        st.fixed_dictionaries({"name": WORDS}, optional={"author": WORDS, "description": WORDS}), st.just("")
    ),
    DraftKind.REGISTRATION: st.tuples(st.fixed_dictionaries({"name": WORDS, "description": WORDS}), st.just("")),
}


def send(writer: Writer, fields: kinds.Fields, content: str) -> None:
    """As publication does it."""
    match fields:
        case kinds.Post():
            writer.create_post(fields.request(content))
        case kinds.Session():
            writer.submit_session(fields.request(content))
        case kinds.Comment():
            writer.comment(fields.post_id, fields.request(content))
        case kinds.Vote():
            writer.vote(fields.post_id, fields.value)
        case kinds.Resolution():
            writer.update_post(fields.post_id, fields.request(content))
        case kinds.Message():
            writer.send_message(fields.request(content))
        case kinds.Skill():
            writer.create_skill(fields.request(content))
        case kinds.Registration():
            writer.register(fields.name, fields.description)


@pytest.fixture
def a_forum(forum):
    """With posts that votes, comments and resolutions may be about."""
    for post_id in ("post-7", "a" * 150, "agent-other"):
        forum.holds(post_id, agent_id="agent-abc123")
    return forum


@pytest.mark.parametrize("kind", DRAFTS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=100)
@given(data=st.data())
def test_what_is_sent_is_accepted_and_the_rest_stays_here(a_forum, kind, data):
    """A person approved it; that the site refuses it afterwards would be our mistake."""
    forum, (fields, body) = a_forum, data.draw(DRAFTS[kind])
    try:
        text = join(fields, body)
        submission = read(kind, text)
    except (SubmissionError, UnicodeEncodeError):
        return
    if kind in (DraftKind.SESSION, DraftKind.REGISTRATION):
        forum.reset()  # neither is taken twice

    with forum.transport() as transport, contextlib.suppress(MissingError):  # what is not there is another matter
        send(Writer(transport), submission.fields, submission.body)


NOTES = st.builds(
    Note,
    type=st.sampled_from([*TYPES, "note"]),
    text=st.text(st.characters(codec="utf-8"), min_size=1, max_size=60).filter(str.strip) | st.just("long " * 200),
    time=st.datetimes(datetime(2026, 2, 1), datetime(2026, 3, 1)).map(lambda t: t.replace(tzinfo=UTC)),  # noqa: DTZ001
    more=maybe(problem=TEXT.filter(str.strip), issue=either(["error", "performance"])),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=50)
@given(notes=st.lists(NOTES, max_size=4), goal=TEXT)
def test_a_report_out_of_any_notes_is_accepted(forum, checkout, keep_here, notes, goal):
    """Notes hold whatever was on somebody's screen; the report made of them can be sent as it was drafted."""
    store = checkout.queue.store
    if not store.objects.names("runs"):
        keep_here("LR-001", lr=0.003, loss=2.0, baseline=True)
    thread = find_thread("lr-sweep", store)
    session = WorkSession(
        file=Path("x"), id="sess-2026-02-15-abc123", started=datetime(2026, 2, 1, tzinfo=UTC), task=goal
    )
    evidence = gather(["LR-001"], thread, store)
    evidence.facts.update({fact.id: fact for note in notes for fact in note_facts(note)})
    skill = SkillRef(name="vllm", slug="vllm--orchestra", version="1.0.0")
    craft = Craft(session=session, notes=tuple(notes), skill=skill, agent_id="agent-abc123")

    fields = write_session(evidence, craft)

    assert isinstance(fields, dict)
    submission = read(DraftKind.SESSION, join(Privacy().tree(fields), ""))
    forum.reset()
    with forum.transport() as transport:
        send(Writer(transport), submission.fields, "")
