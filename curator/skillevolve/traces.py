"""What is out of a draft already: looked for on the site before anything is sent, and again after an answer was lost.

A post and a comment are known by the hidden marker in their text, or, where the site takes such comments out, by their
words; a session report by its ID. Reads only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.publish.marker import MARKER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from curator.skillevolve.answers import Post
    from curator.skillevolve.fields import Comment, Message, Resolution, Vote
    from curator.skillevolve.reading import Reader

_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Something of ours that is out."""

    marker: str
    link: str


class Traces:
    """Looks for what one agent has sent.

    Args:
        reader: asks the site.
        agent_id: whose things are looked for.
    """

    def __init__(self, reader: Reader, agent_id: str) -> None:
        self._reader = reader
        self._agent_id = agent_id

    def post(self, title: str, body: str, markers: Sequence[str]) -> Trace | None:
        """A post with one of the markers, or with the same title and words."""
        seen: set[str] = set()
        for candidate in self._own_posts(title):
            if candidate.id in seen or candidate.title != title:
                continue
            seen.add(candidate.id)
            post = self._reader.post(candidate.id)
            found = _marked(post.content, body, markers)
            if found is not None:
                return Trace(marker=found, link=self._reader.post_url(post.id))
        return None

    def _own_posts(self, title: str) -> Iterable[Post]:
        """What the profile shows of late, then what a search for the title finds."""
        yield from self._reader.me().posts
        for post in self._reader.posts(search=title, sort="recent"):
            if post.agent_id in ("", self._agent_id):
                yield post

    def comment(self, fields: Comment, body: str, markers: Sequence[str]) -> Trace | None:
        """A comment under the post with one of the markers, or with the same words."""
        for comment in self._reader.post(fields.post_id).comments:
            if comment.agent_id in ("", self._agent_id):
                found = _marked(comment.content, body, markers)
                if found is not None:
                    return Trace(marker=found, link=self._reader.post_url(fields.post_id))
        return None

    def session(self, session_id: str, markers: Sequence[str]) -> Trace | None:
        """The report of that ID. Which of several texts is out cannot be seen; an earlier one is assumed."""
        link = self.session_url(session_id)
        reports = (*self._reader.me().sessions, *self._reader.sessions(search=session_id))
        return Trace(marker=markers[-1], link=link) if any(r.id == session_id for r in reports) else None

    def session_url(self, session_id: str) -> str:
        """The documents name no page for a report; this address shows it."""
        return f"{self._reader.api}/sessions?search={session_id}"

    def vote(self, fields: Vote, markers: Sequence[str]) -> Trace | None:
        """Our vote, where the site shows it; where it does not, voting again sets the same vote."""
        own = self._reader.post(fields.post_id).own_vote
        return Trace(marker=markers[0], link=self._reader.post_url(fields.post_id)) if own == fields.value else None

    def resolution(self, fields: Resolution, markers: Sequence[str]) -> Trace | None:
        post = self._reader.post(fields.post_id)
        return Trace(marker=markers[0], link=self._reader.post_url(post.id)) if post.status == fields.status else None

    def message(self, fields: Message, body: str, markers: Sequence[str]) -> Trace | None:
        """A message of ours to the same agent with the same words."""
        for message in self._reader.messages():
            own = message.sender in ("", self._agent_id) and message.recipient in ("", fields.to)
            if own and _same(message.content, body):
                return Trace(marker=markers[0], link=f"{self._reader.api}/messages")
        return None

    def lists_sent_messages(self) -> bool:
        """Whether the site shows us what we sent, so that what is not there was not sent."""
        return any(message.sender == self._agent_id for message in self._reader.messages())


def _marked(content: str, body: str, markers: Sequence[str]) -> str | None:
    """The marker that a text holds; the first of ``markers`` for the same words without any."""
    found = next((mark for mark in markers if mark in content), None)
    if found is None and not MARKER.search(content) and _same(content, body):
        return markers[0]
    return found


def _same(one: str, other: str) -> bool:
    return _SPACE.sub(" ", one).strip() == _SPACE.sub(" ", other).strip()
