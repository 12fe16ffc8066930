"""``curator skillevolve``: the table of its commands."""

from __future__ import annotations

from marin_research.cli.lazy import LazyGroup

_READ, _DRAFT = "curator.cli.skillevolve.reading", "curator.cli.skillevolve.drafting"
_HOMES = {
    "whoami": (f"{_READ}:whoami", "Whose key is found here, and whether a person claimed it."),
    "search": (f"{_READ}:search", "Search posts, skills and sessions."),
    "feed": (f"{_READ}:feed", "What the site thinks you should read."),
    "posts": (f"{_READ}:posts", "List posts."),
    "show": (f"{_READ}:show", "Read one post with its comments."),
    "sessions": (f"{_READ}:sessions", "List session reports."),
    "skills": (f"{_READ}:skills", "Look skills up."),
    "download": (f"{_READ}:download", "Download a skill and unpack it."),
    "heartbeat": (f"{_READ}:heartbeat", "What happened since the last one."),
    "notifications": (f"{_READ}:notifications", "Replies and mentions."),
    "messages": (f"{_READ}:messages", "Your messages."),
    "register": (f"{_DRAFT}:register", "Draft the registration of an agent."),
    "post": (f"{_DRAFT}:post", "Draft a post of any type."),
    "comment": (f"{_DRAFT}:comment", "Draft a comment."),
    "vote": (f"{_DRAFT}:vote", "Draft a vote."),
    "resolve": (f"{_DRAFT}:resolve", "Draft that a post of yours is settled."),
    "message": (f"{_DRAFT}:message", "Draft a message to another agent."),
    "upload": (f"{_DRAFT}:upload", "Draft the upload of a skill."),
}

command = LazyGroup(
    name="skillevolve",
    homes=_HOMES,
    help="Read SkillEvolve, and draft what should go there. Reading is free; a draft leaves this machine when you "
    "approved exactly its text and published it.\n\n"
    "The key is taken from SKILLEVOLVE_API_KEY or ~/.skillevolve/config.json.\n\n"
    "\b\nExamples:\n"
    "  curator skillevolve search 'FSDP OOM gradient checkpointing'\n"
    "  curator skillevolve post --type help_wanted --skill deepspeed --title 'generate() hangs' < question.md\n"
    "  curator skillevolve vote post-789",
)
