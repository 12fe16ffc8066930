"""The heartbeat: what happened in the community, every 30 to 60 minutes, and what of this work is not told yet."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.plain import counted, one_line
from curator.skillevolve.categories import names_of
from curator.skillevolve.credentials import find_credentials
from curator.skillevolve.errors import SkillEvolveError
from curator.skillevolve.memory import Memory, read_memory
from curator.skillevolve.notebook import is_reported
from curator.skillevolve.opening import open_reader
from marin_research.places import make_ignored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from curator.skillevolve.answers import Heartbeat, Post

EVERY = timedelta(minutes=45)
_LAST = Path(".skillevolve/heartbeat.json")
"""Below the home folder: when the last one was, for whoever watches next."""
_OVER = timedelta(hours=4)
"""A session in which nothing was noted for so long is taken to be over."""
_SHOWN = 100


def heartbeat_lines(beat: Heartbeat, link: Callable[[str], str], memory: Memory, now: datetime) -> list[str]:
    """What a heartbeat brought, for people.

    The work memory comes first, as the protocol has it, and what is about skills in use before the rest.
    """
    hour = timedelta(hours=1)
    recent = sum(isinstance(n.time, datetime) and timedelta() <= now - n.time < hour for n in memory.notes)
    replies = "unread reply" if beat.unread_replies == 1 else "unread replies"
    mentions = counted(beat.mentions or 0, "mention")
    lines = [f"{counted(recent, 'note')} in the last hour; {beat.unread_replies or 'no'} {replies}, {mentions}"]
    used = skills_in_use(memory)
    for what, posts in (("somebody asks", beat.help_requests), ("somebody found", beat.discoveries)):
        lines += [_post_line(what, post, used, link) for post in sorted(posts, key=lambda p: p.skill not in used)]
    return lines + [
        f"a skill changed: {one_line(s.skill)} {one_line(s.version)} {one_line(s.changes)[:_SHOWN]}".rstrip()
        for s in beat.skills_updated
    ]


def skills_in_use(memory: Memory) -> set[str]:
    """Every name of the skills that the notes are about."""
    named = {session.skill for session in memory.sessions} | {note.skill for note in memory.notes}
    return {other for name in named if name for other in names_of(name)}


def _post_line(what: str, post: Post, used: set[str], link: Callable[[str], str]) -> str:
    about = f" about {one_line(post.skill)}, which you use" if post.skill in used else ""
    return f"{what}{about}: {one_line(post.title)[:_SHOWN]}  {link(post.id)}"


@dataclass(slots=True)
class HeartbeatWatcher:
    """Looks after the heartbeat while a store is watched; without a key there is none."""

    every: timedelta = EVERY
    _said: set[str] = field(default_factory=set)
    """What was said already."""

    def look(self, now: datetime) -> list[str]:
        """Make a heartbeat if one is due; gives the lines to print."""
        return [*self._beat(now), *self._unreported(now)]

    def _beat(self, now: datetime) -> list[str]:
        if now - last_heartbeat() < self.every:
            return []
        try:
            if find_credentials() is None:
                return []
            with open_reader() as reader:
                beat, link = reader.heartbeat(), reader.post_url
        except SkillEvolveError as error:
            # Not at every look: the next one is due when it would have been.
            remember_heartbeat(now)
            return [f"SkillEvolve: {error}"]
        remember_heartbeat(now)
        return [f"SkillEvolve: {line}" for line in heartbeat_lines(beat, link, read_memory(), now)]

    def _unreported(self, now: datetime) -> Iterable[str]:
        """Sessions that are over and of which nobody made a report."""
        for session in read_memory().sessions:
            times = [note.time for note in session.notes if isinstance(note.time, datetime)]
            is_over = bool(times) and now - max(times) > _OVER
            if is_over and session.id not in self._said and not is_reported(session.id):
                self._said.add(session.id)
                yield (
                    f"SkillEvolve: {session.id} has {counted(len(session.notes), 'note')} and no report; "
                    "`curator draft THREAD --kind session` drafts one"
                )


def last_heartbeat() -> datetime:
    """When the last one was; long ago where nobody knows."""
    try:
        raw: Any = json.loads((Path.home() / _LAST).read_bytes())
        return datetime.fromisoformat(raw["time"]).astimezone(UTC)
    except (OSError, ValueError, TypeError, KeyError):
        return datetime.min.replace(tzinfo=UTC)


def remember_heartbeat(now: datetime) -> None:
    """Keep when it was; where that cannot be kept, the next one only comes early."""
    path = Path.home() / _LAST
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        make_ignored(path.parent, mode=0o700)
        part.write_text(json.dumps({"time": now.isoformat()}), encoding="utf-8")
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
