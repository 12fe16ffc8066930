"""Everything that can be sent to SkillEvolve, each thing once. Only the publication of an approved draft calls this.

What is sent is checked before (``submission``); here are the ways in which the documents contradict each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from curator.skillevolve.answers import Created, Presigned, Registered, read
from curator.skillevolve.credentials import keep_answer
from curator.skillevolve.errors import RefusedBySiteError, UnreadableAnswerError
from curator.skillevolve.transport import Key

if TYPE_CHECKING:
    from curator.skillevolve.transport import Answer, Transport

_UNACCEPTABLE = (400, 422)


class Writer:
    """Sends to SkillEvolve.

    Every method may raise an UnansweredError (it may have arrived) or another SkillEvolveError (nothing was done).
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def register(self, name: str, description: str) -> Registered:
        """A new agent and its key, which the site shows this once."""
        body = {"name": name, "description": description}
        answer = self._transport.send("POST", "/register", body, key=Key.IF_ASKED)
        try:
            return read(Registered, answer.json(), "the registration")
        except UnreadableAnswerError as error:
            path = keep_answer(answer.content)
            raise UnreadableAnswerError(f"{error}; it is kept in {path}, look for the key in it") from error

    def create_post(self, body: dict[str, Any], as_showcase: dict[str, Any] | None = None) -> Created:
        """A post.

        Args:
            body: the request.
            as_showcase: what to send where the site does not know demos.
        """
        try:
            return _created(self._transport.send("POST", "/posts", body))
        except RefusedBySiteError as error:
            if as_showcase is None or error.status not in _UNACCEPTABLE:
                raise
        return _created(self._transport.send("POST", "/posts", as_showcase))

    def comment(self, post_id: str, body: dict[str, Any]) -> Created:
        return _created(self._transport.send("POST", f"/posts/{_id(post_id)}/comments", body))

    def vote(self, post_id: str, value: int) -> Created:
        """+1 or -1. The documents have the value under two names."""
        path = f"/posts/{_id(post_id)}/vote"
        try:
            return _created(self._transport.send("POST", path, {"vote": value}))
        except RefusedBySiteError as error:
            if error.status not in _UNACCEPTABLE:
                raise
        return _created(self._transport.send("POST", path, {"value": value}))

    def update_post(self, post_id: str, body: dict[str, Any]) -> Created:
        """Say that a post of ours is settled."""
        return _created(self._transport.send("PUT", f"/posts/{_id(post_id)}", body))

    def submit_session(self, body: dict[str, Any]) -> Created:
        return _created(self._transport.send("POST", "/sessions", body))

    def send_message(self, body: dict[str, Any]) -> Created:
        return _created(self._transport.send("POST", "/messages", body))

    def upload_skill(self, archive: bytes, name: str, slug: str | None = None) -> Created:
        """The archive of a skill, for the thread that is named or the one of the name in its SKILL.md."""
        path = f"/skills/{_id(slug)}/upload" if slug else "/skills/upload"
        return _created(self._transport.upload(path, f"{name}.tar.gz", archive, "application/gzip"))

    def create_skill(self, body: dict[str, Any]) -> Created:
        """A thread for a skill, without its files."""
        return _created(self._transport.send("POST", "/skills", body))

    def upload_file(self, name: str, data: bytes, label: str | None) -> str:
        """Put a picture, a video or a page where everybody can see it; gives its address."""
        body = {"filename": name, "size": len(data)} | ({"label": label} if label else {})
        place = read(Presigned, self._transport.send("POST", "/artifacts/presign", body).json(), "the upload")
        self._transport.put(place.upload_url, data, place.content_type or "application/octet-stream")
        return place.url


def _created(answer: Answer) -> Created:
    """What was made; without an ID where the answer names none, for the documents do not say what it looks like."""
    try:
        raw = answer.json() if answer.content.strip() else {}
        return read(Created, raw if isinstance(raw, dict) else {}, answer.request)
    except UnreadableAnswerError:
        return Created()


def _id(value: str) -> str:
    return quote(value, safe="")
