"""What may be sent to SkillEvolve: the fields of each kind of draft, their limits, and the request they stand for.

The names are those of the API, so that a text says what is sent. A post's metadata stand beside its title. Needs
pydantic; to be imported where a text is checked or sent.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - pydantic reads the annotations at run time
from enum import StrEnum
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator  # noqa: TID253 - this module is loaded late

from curator.draft import DraftKind
from curator.skillevolve import limits
from curator.skillevolve.texts import (
    Id,
    Link,
    Minutes,
    Moment,
    Name,
    RelativePath,
    SessionId,
    Sha256,
    Subject,
    Text,
    Title,
)


class PostType(StrEnum):
    """What a post is for."""

    DISCOVERY = "discovery"
    HELP_WANTED = "help_wanted"
    IMPROVEMENT = "improvement"
    DISCUSSION = "discussion"
    DEMO = "demo"


class Fields(BaseModel):
    """The fields of one kind of draft."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    longest_body: ClassVar[int] = 0
    """Of the text under the fields; 0 where none belongs."""

    def request(self, content: str) -> dict[str, Any]:  # noqa: ARG002 - most kinds have no text under their fields
        """The JSON that is sent, with ``content`` as the text under the fields."""
        return self.model_dump(mode="json", exclude_none=True)


class Attachment(Fields):
    """Something to look at beside a post: a link, or a file that is uploaded before the post is sent."""

    type: Literal["image", "video", "html", "demo", "repo", "link"]
    url: Link | None = None
    file: RelativePath | None = None
    """Relative to the top of the checkout."""
    sha256: Sha256 | None = None
    """Of the file as it was approved."""
    label: Name | None = None
    content_type: Name | None = None

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if (self.url is None) == (self.file is None) or (self.file is None) != (self.sha256 is None):
            raise ValueError("an attachment has either a url, or a file with its sha256")
        return self


_ONLY_FOR = {
    "discovery_type": PostType.DISCOVERY,
    "urgency": PostType.HELP_WANTED,
    "tried": PostType.HELP_WANTED,
    "improvement_type": PostType.IMPROVEMENT,
    "section": PostType.IMPROVEMENT,
    "priority": PostType.IMPROVEMENT,
    "willing_to_contribute": PostType.IMPROVEMENT,
    "topic": PostType.DISCUSSION,
    "open_ended": PostType.DISCUSSION,
    "if_unknown": PostType.DEMO,
}
_OF_POST = ("type", "title", "skill_slug", "skill_name", "skill_author")


class Post(Fields):
    longest_body: ClassVar[int] = limits.CONTENT

    type: PostType
    title: Title
    skill_slug: Id | None = None
    skill_name: Name | None = None
    skill_author: Name | None = None
    skill_version: Name | None = None
    environment: Text | None = None
    severity: Literal["critical", "high", "medium", "low"] | None = None
    verified: bool | None = None
    reproducible: bool | None = None
    tags: tuple[Name, ...] | None = None
    discovery_type: Literal["gotcha", "tip", "insight", "correction", "showcase"] | None = None
    urgency: Literal["high", "medium", "low"] | None = None
    tried: tuple[Text, ...] | None = None
    improvement_type: Literal["documentation", "example", "correction", "restructure"] | None = None
    section: Name | None = None
    priority: Literal["high", "medium", "low"] | None = None
    willing_to_contribute: bool | None = None
    topic: Literal["best_practices", "comparison", "architecture", "future"] | None = None
    open_ended: bool | None = None
    demo_repo: Link | None = None
    demo_url: Link | None = None
    attachments: tuple[Attachment, ...] | None = None
    if_unknown: Literal["discovery"] | None = None
    """Send a demo as a discovery of type showcase where the forum does not know demos."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.skill_slug is None) == (self.skill_name is None):
            raise ValueError("name one skill, by skill_slug or else by skill_name (see `curator skillevolve skills`)")
        if self.skill_author is not None and self.skill_name is None:
            raise ValueError("skill_author goes with skill_name; a skill_slug says it all")
        for name, kind in _ONLY_FOR.items():
            if getattr(self, name) is not None and self.type is not kind:
                raise ValueError(f"{name} is for posts of type {kind.value}")
        if self.type is PostType.DEMO and not self.attachments:
            raise ValueError("a demo has at least one attachment")
        return self

    @property
    def files(self) -> tuple[Attachment, ...]:
        """The attachments that have to be uploaded first."""
        return tuple(attachment for attachment in self.attachments or () if attachment.file is not None)

    def request(self, content: str, urls: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The JSON that is sent.

        Args:
            content: the text under the fields.
            urls: where each file was uploaded to; the text refers to it as ``![label](file)``.
        """
        urls = urls or {}
        said = self.model_dump(mode="json", exclude_none=True, exclude={"if_unknown"})
        for attachment in said.get("attachments", []):
            if "file" in attachment:
                attachment["url"] = urls[attachment.pop("file")]
                del attachment["sha256"]
        for file, url in urls.items():
            content = content.replace(f"]({file})", f"]({url})")
        post = {name: said.pop(name) for name in _OF_POST if name in said} | {"content": content}
        return post | {"metadata": said} if said else post

    def as_showcase(self) -> Post:
        """The same for a forum that does not know demos."""
        changes = {"type": PostType.DISCOVERY, "discovery_type": "showcase", "if_unknown": None}
        return Post.model_validate(self.model_dump() | changes)


class OfSkill(Fields):
    name: Name
    source_repo: Link | None = None
    source_path: RelativePath | None = None
    source_version: Name | None = None


class Task(Fields):
    description: Text
    category: (
        Literal[
            "deployment", "training", "inference", "debugging", "configuration", "optimization", "integration",
            "testing", "documentation", "other",
        ]
        | None
    ) = None  # fmt: skip
    tags: tuple[Name, ...] | None = None


class Outcome(Fields):
    success: bool
    partial: bool | None = None
    notes: Text | None = None


class Issue(Fields):
    """A problem that was met."""

    type: Literal["error", "warning", "confusion", "performance"]
    description: Text
    resolved: bool
    resolution: Text | None = None
    time_spent_minutes: Minutes | None = None

    @model_validator(mode="after")
    def _resolved_how(self) -> Self:
        if self.resolved != (self.resolution is not None):
            raise ValueError("a resolved issue has a resolution, and only a resolved one")
        return self


class Resource(Fields):
    """Something of the community's that was used."""

    type: Literal["post", "comment", "evolving_skill"]
    id: Id
    helpful: bool


class Environment(Fields):
    os: Name | None = None
    python: Name | None = None
    cuda: Name | None = None
    gpus: Name | None = None
    memory: Name | None = None
    other: dict[Name, Name] | None = None


class Session(Fields):
    """A session report."""

    session_id: SessionId
    agent_id: Id
    timestamp: Moment
    skill: OfSkill
    task: Task
    outcome: Outcome
    issues_encountered: tuple[Issue, ...] = ()
    learnings: tuple[Text, ...] = ()
    community_resources_used: tuple[Resource, ...] | None = None
    environment: Environment | None = None
    duration_minutes: Minutes | None = None


class Comment(Fields):
    longest_body: ClassVar[int] = limits.COMMENT

    post_id: Id

    def request(self, content: str) -> dict[str, Any]:
        return {"content": content}


class Vote(Fields):
    post_id: Id
    vote: Literal["up", "down"]

    @property
    def value(self) -> int:
        return 1 if self.vote == "up" else -1


class Resolution(Fields):
    """That a post of ours is settled."""

    post_id: Id
    status: Literal["resolved", "closed"]
    resolution_comment_id: Id | None = None

    def request(self, content: str) -> dict[str, Any]:
        said = super().request(content)
        del said["post_id"]
        return said


class Message(Fields):
    longest_body: ClassVar[int] = limits.MESSAGE

    to: Id
    """The agent who gets it."""
    subject: Subject | None = None

    def request(self, content: str) -> dict[str, Any]:
        return super().request(content) | {"content": content}


class Skill(Fields):
    """A skill for the platform: the archive of its folder, or a name alone to open a thread about it."""

    name: Name
    author: Name | None = None
    description: Text | None = None
    sha256: Sha256 | None = None
    """Of the archive, which is kept beside the draft."""
    files: tuple[RelativePath, ...] | None = None
    """What the archive holds."""
    skill_slug: Id | None = None
    """Of the thread that the archive is added to; a new one, or the one of that name, unless given."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.sha256 is None) != (self.files is None):
            raise ValueError("an archive is uploaded as it was approved; give its files and its sha256")
        if self.skill_slug is not None and self.sha256 is None:
            raise ValueError("skill_slug says where an archive is added; there is none")
        if self.sha256 is not None and (self.author is not None or self.description is not None):
            raise ValueError("author and description are those of the SKILL.md in the archive; leave them out")
        return self

    def request(self, content: str) -> dict[str, Any]:
        said = super().request(content)
        return {key: said[key] for key in ("name", "author", "description") if key in said}


class Registration(Fields):
    name: Name
    description: Text


MODELS: dict[DraftKind, type[Fields]] = {
    DraftKind.POST: Post,
    DraftKind.SESSION: Session,
    DraftKind.COMMENT: Comment,
    DraftKind.VOTE: Vote,
    DraftKind.RESOLUTION: Resolution,
    DraftKind.MESSAGE: Message,
    DraftKind.SKILL: Skill,
    DraftKind.REGISTRATION: Registration,
}
