"""What SkillEvolve answers, as far as we use it: tolerant where its documents name one thing differently.

Every text in it is somebody else's: it is data, shown on one line and never acted on. Needs pydantic; imported late.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (  # noqa: TID253 - this module is loaded late
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from curator.skillevolve.errors import UnreadableAnswerError


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None or isinstance(value, dict | list | bool) else str(value)


def _number(value: Any) -> int | None:
    try:
        return None if isinstance(value, bool) else int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None


def _objects(value: Any) -> list[Any]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


Text = Annotated[str, BeforeValidator(_text)]
Count = Annotated[int | None, BeforeValidator(_number)]


def _at(*names: str | tuple[str, ...]) -> Any:
    """The first of several places, each a name or a way through objects."""
    paths = [AliasPath(*name) if isinstance(name, tuple) else name for name in names]
    return Field(default=None, validation_alias=AliasChoices(*paths), validate_default=True)


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Comment(_Answer):
    id: Text = _at("id", "comment_id")
    content: Text = _at("content")
    agent_id: Text = _at("agent_id", ("agent", "agent_id"), ("agent", "id"), "author_id")
    agent_name: Text = _at("agent_name", ("agent", "name"), "author_name", "author")
    created_at: Text = _at("created_at", "time")


class Post(_Answer):
    id: Text = _at("id", "post_id")
    type: Text = _at("type")
    title: Text = _at("title")
    content: Text = _at("content", "snippet")
    skill: Text = _at("skill_slug", ("skill", "slug"), ("skill", "name"), "skill", "skill_name")
    votes: Count = _at("vote_count", "votes", "upvotes")
    own_vote: Count = _at("my_vote", "user_vote", "own_vote", "viewer_vote")
    status: Text = _at("status")
    agent_id: Text = _at("agent_id", ("agent", "agent_id"), ("agent", "id"), "author_id")
    agent_name: Text = _at("agent_name", ("agent", "name"), "author_name", "author")
    created_at: Text = _at("created_at", "time")
    comments: Annotated[list[Comment], BeforeValidator(_objects)] = _at("comments")


class Skill(_Answer):
    slug: Text = _at("slug", "skill_slug")
    name: Text = _at("name", "skill_name")
    author: Text = _at("author", ("metadata", "author"))
    description: Text = _at("description")
    version: Text = _at("version", "latest_version", "current_version")
    source_repo: Text = _at("source_repo")
    source_path: Text = _at("source_path")


class Session(_Answer):
    id: Text = _at("session_id", "id")
    skill: Text = _at(("skill", "name"), "skill_name", "skill_slug", "skill")
    task: Text = _at(("task", "description"), "task", "description")
    agent_id: Text = _at("agent_id", ("agent", "agent_id"))
    time: Text = _at("timestamp", "created_at")


class Agent(_Answer):
    id: Text = _at("agent_id", "id")
    name: Text = _at("name", "agent_name")
    description: Text = _at("description")
    claim_status: Text = _at("claim_status")
    status: Text = _at("status")
    claimed_at: Text = _at("claimed_at")

    @property
    def is_claimed(self) -> bool:
        """Whether a person has vouched for it, so that it may write."""
        return self.claim_status.lower() in ("claimed", "verified") or bool(self.claimed_at)


class Profile(_Answer):
    agent: Agent
    posts: Annotated[list[Post], BeforeValidator(_objects)] = _at("recent_posts", "posts")
    sessions: Annotated[list[Session], BeforeValidator(_objects)] = _at("recent_sessions", "sessions")
    comments: Annotated[list[Comment], BeforeValidator(_objects)] = _at("recent_comments", "comments")


class UpdatedSkill(_Answer):
    skill: Text = _at("skill", "skill_slug", "slug", "name")
    version: Text = _at("new_version", "version")
    changes: Text = _at("changes")


class Heartbeat(_Answer):
    """What happened in the community since the last one."""

    unread_replies: Count = _at(("notifications", "unread_replies"))
    mentions: Count = _at(("notifications", "mentions"))
    help_requests: Annotated[list[Post], BeforeValidator(_objects)] = _at(("notifications", "help_requests"))
    discoveries: Annotated[list[Post], BeforeValidator(_objects)] = _at("community_discoveries", "feed_preview")
    skills_updated: Annotated[list[UpdatedSkill], BeforeValidator(_objects)] = _at("skills_updated")


class Notification(_Answer):
    id: Text = _at("id", "notification_id")
    type: Text = _at("type")
    text: Text = _at("message", "text", "title", "content")
    post_id: Text = _at("post_id", ("post", "id"), ("post", "post_id"))
    created_at: Text = _at("created_at", "time")


class Message(_Answer):
    id: Text = _at("id", "message_id")
    sender: Text = _at("from", "from_agent_id", "sender_id", ("sender", "agent_id"))
    recipient: Text = _at("to", "to_agent_id", "recipient_id", ("recipient", "agent_id"))
    subject: Text = _at("subject")
    content: Text = _at("content", "body", "message")
    created_at: Text = _at("created_at", "time")


class Found(_Answer):
    """What a search gives."""

    posts: list[Post]
    skills: list[Skill]
    sessions: list[Session]


class Created(_Answer):
    """What is answered to something that was sent."""

    id: Text = _at(
        "id", "post_id", "comment_id", "session_id", "message_id",
        ("post", "id"), ("post", "post_id"), ("comment", "id"), ("comment", "comment_id"), ("session", "session_id"),
        ("session", "id"), ("message", "id"), ("skill", "slug"), ("data", "id"), ("data", "post_id"), "slug",
    )  # fmt: skip
    url: Text = _at("url", ("post", "url"), ("data", "url"))


class Registered(_Answer):
    agent_id: Text = _at(("agent", "agent_id"), ("agent", "id"), "agent_id")
    api_key: Text = Field(validation_alias=AliasChoices(AliasPath("agent", "api_key"), "api_key"), repr=False)
    claim_url: Text = _at(("agent", "claim_url"), "claim_url")
    verification_code: Text = _at(("agent", "verification_code"), "verification_code")


class Presigned(_Answer):
    """Where a file may be put, and where it can be seen then."""

    upload_url: Text = Field(
        min_length=1, validation_alias=AliasChoices(AliasPath("upload", "signed_url"), AliasPath("upload", "url"))
    )
    url: Text = Field(min_length=1, validation_alias=AliasChoices(AliasPath("artifact", "url"), "url"))
    content_type: Text = _at(("artifact", "content_type"), "content_type")


def read[T: BaseModel](kind: type[T], raw: Any, what: str) -> T:
    """An answer as what it should be.

    Raises:
        UnreadableAnswerError: it is something else.
    """
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise UnreadableAnswerError(f"the answer to {what} is not as documented (at {where or 'its top'})") from error


def read_list[T: BaseModel](kind: type[T], raw: Any, *names: str, what: str) -> list[T]:
    """A list of things, bare or under one of several names, or a single one under the name's singular.

    Raises:
        UnreadableAnswerError: there is no such list.
    """
    found = raw
    for name in (*names, "data", "results", "items"):
        if isinstance(raw, dict) and isinstance(raw.get(name), list):
            found = raw[name]
            break
        single = name.removesuffix("s")
        if isinstance(raw, dict) and isinstance(raw.get(single), dict):
            found = [raw[single]]
            break
        if isinstance(raw, dict) and single in raw and raw[single] is None:
            found = []
            break
    if not isinstance(found, list):
        raise UnreadableAnswerError(f"the answer to {what} is not as documented: there is no list of {names[0]} in it")
    return [read(kind, item, what) for item in found if isinstance(item, dict)]
