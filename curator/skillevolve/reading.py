"""Everything that can be read of SkillEvolve. Reading is free: nothing here tells the site more than what is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from curator.skillevolve import limits
from curator.skillevolve.answers import (
    Found,
    Heartbeat,
    Message,
    Notification,
    Post,
    Profile,
    Session,
    Skill,
    read,
    read_list,
)
from curator.skillevolve.errors import MissingError, RefusedBySiteError, SkillEvolveError
from curator.skillevolve.transport import Key
from marin_research.errors import UsageError

if TYPE_CHECKING:
    from curator.skillevolve.transport import Answer, Transport

_WRONG_METHOD = 405


class Reader:
    """Asks SkillEvolve. Every method may raise a SkillEvolveError that says what to do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._heartbeat_by_post = False

    @property
    def site(self) -> str:
        """Where people read: the API's address without its path."""
        scheme, _, rest = self._transport.url.partition("://")
        return f"{scheme}://{rest.partition('/')[0]}"

    @property
    def api(self) -> str:
        return self._transport.url

    def post_url(self, post_id: str) -> str:
        return f"{self.site}/forum/{quote(post_id, safe='')}"

    def me(self) -> Profile:
        """Our own profile: who the key belongs to, whether a person claimed it, what it wrote lately."""
        return read(Profile, self._transport.get("/agents/me", key=Key.ALWAYS).json(), "who we are")

    def search(self, query: str) -> Found:
        """Posts, skills and sessions that fit."""
        _require_short(query)
        raw = self._transport.get("/search", {"q": query}).json()
        if isinstance(raw, dict) and not any(isinstance(raw.get(n), list) for n in ("posts", "skills", "sessions")):
            raw = raw.get("data", raw.get("results", raw))
        if isinstance(raw, list):
            raw = {name: [item for item in raw if _is(item, name)] for name in ("posts", "skills", "sessions")}
        lists = raw if isinstance(raw, dict) else {}
        return Found(
            posts=read_list(Post, lists.get("posts", []), "posts", what="the search"),
            skills=read_list(Skill, lists.get("skills", []), "skills", what="the search"),
            sessions=read_list(Session, lists.get("sessions", []), "sessions", what="the search"),
        )

    def feed(self) -> list[Post]:
        """What the site thinks we should read."""
        return read_list(
            Post, self._transport.get("/forum/feed", key=Key.ALWAYS).json(), "posts", "feed", what="the feed"
        )

    def posts(
        self,
        *,
        skill: str | None = None,
        kind: str | None = None,
        search: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
    ) -> list[Post]:
        """Posts, newest or best first as ``sort`` says (``recent``, ``votes``).

        Args:
            skill: slug; sent under both of its documented names, and what is about another skill is left out.
            kind: type of post.
            search: words.
            sort: order.
            limit: how many.
        """
        _require_short(search or "")
        asked = {"skill": skill, "skill_slug": skill, "type": kind, "search": search, "sort": sort, "limit": limit}
        posts = read_list(Post, self._transport.get("/posts", asked).json(), "posts", what="the list of posts")
        return [
            post
            for post in posts
            if (skill is None or post.skill in ("", skill)) and (kind is None or post.type in ("", kind))
        ]

    def post(self, post_id: str) -> Post:
        """One post with its comments."""
        raw = self._transport.get(f"/posts/{quote(post_id, safe='')}").json()
        inner = raw.get("post", raw.get("data", raw)) if isinstance(raw, dict) else raw
        if isinstance(inner, dict) and isinstance(raw, dict) and "comments" not in inner:
            inner = {**inner, "comments": raw.get("comments", [])}
        return read(Post, inner, f"post {post_id}")

    def sessions(self, *, search: str | None = None, skill: str | None = None) -> list[Session]:
        """Session reports."""
        _require_short(search or "")
        raw = self._transport.get("/sessions", {"search": search, "skill": skill}).json()
        return read_list(Session, raw, "sessions", what="the list of sessions")

    def skills(self, **asked: str | None) -> list[Skill]:
        """Skills by ``name`` (and ``author``), ``search``, ``tag`` or ``slug``."""
        _require_short(asked.get("search") or "")
        try:
            raw = self._transport.get("/skills", asked).json()
        except MissingError:
            return []
        return read_list(Skill, raw, "skills", what="the list of skills")

    def heartbeat(self) -> Heartbeat:
        """What happened since the last one. The documents have it as GET and as POST; the one that is taken is kept."""
        if not self._heartbeat_by_post:
            try:
                return read(Heartbeat, self._transport.get("/heartbeat", key=Key.ALWAYS).json(), "the heartbeat")
            except (MissingError, RefusedBySiteError) as error:
                if isinstance(error, RefusedBySiteError) and error.status != _WRONG_METHOD:
                    raise
        answer = self._transport.send("POST", "/heartbeat", {})
        self._heartbeat_by_post = True
        return read(Heartbeat, answer.json(), "the heartbeat")

    def notifications(self) -> list[Notification] | None:
        """Replies and mentions; None where the site does not have them."""
        try:
            raw = self._transport.get("/agents/me/notifications", key=Key.ALWAYS).json()
        except MissingError:
            return None
        return read_list(Notification, raw, "notifications", what="our notifications")

    def messages(self) -> list[Message]:
        """Our messages."""
        raw = self._transport.get("/messages", key=Key.ALWAYS).json()
        return read_list(Message, raw, "messages", what="our messages")

    def download(self, slug: str, version: str | None = None) -> bytes:
        """The archive of a skill: ``original``, ``latest`` or a version."""
        answer = self._transport.get(f"/skills/{quote(slug, safe='')}/download", {"version": version})
        if answer.content_type != "application/json":
            return answer.content
        return self._transport.fetch(_download_url(answer)).content


def _download_url(answer: Answer) -> str:
    raw: Any = answer.json()
    url = raw.get("download_url") or raw.get("url") if isinstance(raw, dict) else None
    if not isinstance(url, str):
        raise SkillEvolveError("the answer names no address to download from; look for the skill on the site")
    return url


def _is(item: Any, name: str) -> bool:
    """Whether something in a mixed list of hits belongs to ``posts``, ``skills`` or ``sessions``."""
    said = str(item.get("kind") or item.get("type") or "") if isinstance(item, dict) else ""
    kind = said if said in ("skill", "session") else "post"
    return f"{kind}s" == name


def _require_short(query: str) -> None:
    if limits.length(query) > limits.QUERY:
        raise UsageError(f"the site takes queries of at most {limits.QUERY} characters; ask for less")
