"""What SkillEvolve does when it is asked something, by its documents, in each way that they contradict each other.

Knows no socket. Nothing of our client is used.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
import threading
from dataclasses import dataclass
from typing import Any

from documents import VOTE, Validator, problem  # type: ignore[import-not-found]  # beside this file

API = "/api/v1"
KEY = "sk-0123456789abcdef0123456789abcdef"
AGENT = "agent-abc123"
MODES: dict[str, Any] = {
    "claim": "claimed",  # claimed, verified, pending, unclaimed, claimed_at (no word for it, but a date)
    "auth": "documented",  # documented (x-api-key for presign, Bearer elsewhere), bearer, x-api-key
    "public_reads": True,
    "vote": "vote",  # vote, value
    "own_vote": False,
    "heartbeat": "GET",  # GET, POST
    "filter": "skill",  # skill, skill_slug
    "skills": "list",  # list, single
    "post_key": "either",  # either, slug, name
    "demo": True,
    "created": "id",  # id, post_id, post.id, post.post_id, data.id, none, text
    "download": "json",  # json, tar
    "notifications": True,
    "recent": True,
    "strip_comments": False,
    "sent_messages": True,
    "unclaimed_status": 403,
    "redirect": "",
}


class RefusedError(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, error: str, **headers: str) -> None:
        self.status, self.error, self.headers = status, error, headers


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request."""

    method: str
    route: str
    """The path below the API's."""
    query: dict[str, str]
    headers: dict[str, str]
    """Names in small letters."""
    body: bytes

    @property
    def call(self) -> str:
        return f"{self.method} {self.route}"

    def json(self) -> Any:
        """The body, where it is said to be JSON and is; else None."""
        try:
            return json.loads(self.body) if self._is_json else None
        except ValueError:
            return None

    def valid(self, call: str) -> dict[str, Any]:
        """The body, as the documents want it."""
        if not self._is_json:
            raise RefusedError(415, "Content-Type must be application/json")
        body = self.json()
        wrong = problem(call, body)
        if wrong is not None:
            raise RefusedError(422, wrong)
        assert isinstance(body, dict)
        if "\0" in json.dumps(body, ensure_ascii=False):
            raise RefusedError(500, "unsupported Unicode escape sequence")
        return body

    @property
    def _is_json(self) -> bool:
        return self.headers.get("content-type", "").startswith("application/json")

    def file(self) -> bytes:
        """The file of a form."""
        found = re.fullmatch(r"multipart/form-data; boundary=(.+)", self.headers.get("content-type", ""))
        if found is None:
            raise RefusedError(415, "send a form")
        for part in self.body.split(b"--" + found[1].encode()):
            head, _, data = part.partition(b"\r\n\r\n")
            if b'name="file"' in head:
                return data.removesuffix(b"\r\n")
        raise RefusedError(422, "the form has no file")


class Site:
    """What the site holds and does."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        self.modes = dict(MODES)
        self.faults: list[dict[str, Any]] = []
        self.log: list[dict[str, Any]] = []
        self.agents = {KEY: {"agent_id": AGENT, "name": "Tester", "description": "tests"}}
        self.posts: list[dict[str, Any]] = []
        self.sessions: list[dict[str, Any]] = []
        self.skills: list[dict[str, Any]] = [
            {"slug": "grpo-rl-training", "name": "grpo-rl-training", "author": "Orchestra Research"},
            {"slug": "vllm--orchestra", "name": "vllm", "author": "Orchestra Research"},
        ]
        self.messages: list[dict[str, Any]] = []
        self.votes: dict[str, dict[str, int]] = {}
        self.artifacts: dict[str, dict[str, Any]] = {}
        self.archives: dict[str, bytes] = {}
        self.count = 0

    def number(self) -> int:
        self.count += 1
        return self.count

    def act(self, asked: Asked) -> tuple[int, Any]:
        if self.modes["redirect"]:
            raise RefusedError(307, "moved", Location=self.modes["redirect"])
        self._require_documented_auth(asked)
        parts = asked.route.strip("/").split("/")
        match asked.method, parts:
            case "POST", ["register"]:
                return self._register(asked)
            case "GET", ["agents", "me"]:
                return self._me(asked)
            case "GET", ["agents", "me", "notifications"]:
                self._agent(asked)
                if not self.modes["notifications"]:
                    raise RefusedError(404, "not found")
                return 200, {"notifications": [{"id": "n1", "type": "reply", "message": "hi", "post_id": "post-1"}]}
            case "GET" | "POST", ["heartbeat"]:
                return self._heartbeat(asked)
            case "GET", ["search"]:
                return self._search(asked)
            case "GET", ["forum", "feed"]:
                self._agent(asked)
                return 200, {"posts": [self._shown(post) for post in self.posts]}
            case "GET", ["posts"]:
                return self._list_posts(asked)
            case "POST", ["posts"]:
                return self._create_post(asked)
            case "GET", ["posts", post_id]:
                return 200, {"post": self._shown(self._post(post_id))}
            case "PUT", ["posts", post_id]:
                return self._update_post(asked, post_id)
            case "POST", ["posts", post_id, "comments"]:
                return self._comment(asked, post_id)
            case "POST", ["posts", post_id, "vote"]:
                return self._vote(asked, post_id)
            case "GET", ["sessions"]:
                return self._list_sessions(asked)
            case "POST", ["sessions"]:
                return self._submit_session(asked)
            case "GET", ["skills"]:
                return self._list_skills(asked)
            case "POST", ["skills"]:
                return self._create_skill(asked)
            case "POST", ["skills", "upload"]:
                return self._upload_skill(asked, None)
            case "POST", ["skills", slug, "upload"]:
                return self._upload_skill(asked, slug)
            case "GET", ["skills", slug, "download"]:
                return self._download(asked, slug)
            case "POST", ["artifacts", "presign"]:
                return self._presign(asked)
            case "PUT", ["storage", name]:
                return self._store(asked, name)
            case "GET", ["messages"]:
                return self._list_messages(asked)
            case "POST", ["messages"]:
                return self._send_message(asked)
            case _:
                raise RefusedError(404, "no such address")

    def _require_documented_auth(self, asked: Asked) -> None:
        headers = asked.headers
        if headers.get("authorization") and headers.get("x-api-key"):
            raise RefusedError(400, "one key is enough")
        if asked.route.startswith("/storage/") and (headers.get("authorization") or headers.get("x-api-key")):
            raise RefusedError(400, "storage must not be given a key")

    def _agent(self, asked: Asked) -> dict[str, Any]:
        bearer = (asked.headers.get("authorization") or "").removeprefix("Bearer ")
        plain = asked.headers.get("x-api-key") or ""
        mode = self.modes["auth"]
        if mode == "documented":
            key = plain if asked.route == "/artifacts/presign" else bearer
        else:
            key = bearer if mode == "bearer" else plain
        if key not in self.agents:
            raise RefusedError(401, "invalid or missing API key")
        return self.agents[key]

    def _writer(self, asked: Asked) -> dict[str, Any]:
        agent = self._agent(asked)
        if self.modes["claim"] not in ("claimed", "verified", "claimed_at"):
            raise RefusedError(self.modes["unclaimed_status"], "your agent has not been claimed by a human yet")
        return agent

    def _reader(self, asked: Asked) -> None:
        if not self.modes["public_reads"]:
            self._agent(asked)

    def _register(self, asked: Asked) -> tuple[int, Any]:
        body = asked.valid("POST /register")
        if any(agent["name"] == body["name"] for agent in self.agents.values()):
            raise RefusedError(409, "that name is taken")
        number = self.number()
        key = f"sk-{number:032x}"
        self.agents[key] = {**body, "agent_id": f"agent-{number}"}
        return 201, {
            "agent": {
                "agent_id": f"agent-{number}",
                "api_key": key,
                "claim_url": f"https://skill-evolve.com/claim/CLAIM-{number}",
                "verification_code": "reef-X4B2",
            },
            "important": "SAVE YOUR API KEY! It won't be shown again.",
        }

    def _me(self, asked: Asked) -> tuple[int, Any]:
        agent, claim = self._agent(asked), self.modes["claim"]
        own = [self._shown(post) for post in self.posts if post["agent_id"] == agent["agent_id"]]
        shown = {**agent, "claim_status": claim}
        if claim == "claimed_at":
            shown = {**agent, "status": "active", "claimed_at": "2026-01-01T00:00:00Z"}
        recent = {"recent_posts": own, "recent_sessions": self.sessions, "recent_comments": []}
        return 200, {"agent": shown, **(recent if self.modes["recent"] else {})}

    def _heartbeat(self, asked: Asked) -> tuple[int, Any]:
        if asked.method != self.modes["heartbeat"]:
            raise RefusedError(405, "method not allowed")
        self._agent(asked)
        if asked.method == "POST":
            asked.valid("POST /heartbeat")
        requests = [
            {"id": p["id"], "title": p["title"], "skill_slug": p["skill_slug"]}
            for p in self.posts
            if p["type"] == "help_wanted"
        ]
        found = [
            {"type": p["type"], "post_id": p["id"], "title": p["title"], "snippet": p["content"][:40], "vote_count": 3}
            for p in self.posts
            if p["type"] == "discovery"
        ]
        return 200, {
            "agent": {"agent_id": AGENT, "status": "active"},
            "stats": {"posts": len(self.posts)},
            "notifications": {"unread_replies": 3, "mentions": 1, "help_requests": requests},
            "community_discoveries": found,
            "skills_updated": [{"skill": "vllm", "new_version": "1.3.0", "changes": "5 techniques"}],
        }

    def _post(self, post_id: str) -> dict[str, Any]:
        for post in self.posts:
            if post["id"] == post_id:
                return post
        raise RefusedError(404, "no such post")

    def _shown(self, post: dict[str, Any]) -> dict[str, Any]:
        votes = self.votes.get(post["id"], {})
        shown = {**post, "vote_count": sum(votes.values())}
        if self.modes["own_vote"]:
            shown["my_vote"] = votes.get(AGENT, 0)
        return shown

    def _kept(self, content: str) -> str:
        return re.sub(r"\s*<!--.*?-->", "", content) if self.modes["strip_comments"] else content

    def _search(self, asked: Asked) -> tuple[int, Any]:
        self._reader(asked)
        words = asked.query.get("q", "").lower().split()
        if not words or len(asked.query["q"]) > 500:
            raise RefusedError(400, "q must have 1 to 500 characters")
        posts = [self._shown(p) for p in self.posts if all(w in f"{p['title']} {p['content']}".lower() for w in words)]
        skills = [s for s in self.skills if all(w in s["name"] for w in words)]
        return 200, {"posts": posts, "skills": skills, "sessions": []}

    def _list_posts(self, asked: Asked) -> tuple[int, Any]:
        self._reader(asked)
        slug = asked.query.get(self.modes["filter"])
        words = asked.query.get("search", "").lower().split()
        posts = [
            self._shown(post)
            for post in reversed(self.posts)
            if slug in (None, post["skill_slug"])
            and asked.query.get("type") in (None, post["type"])
            and all(word in f"{post['title']} {post['content']}".lower() for word in words)
        ]
        return 200, {"posts": posts[: int(asked.query.get("limit", 20))]}

    def _create_post(self, asked: Asked) -> tuple[int, Any]:
        agent, body = self._writer(asked), asked.valid("POST /posts")
        if body["type"] == "demo" and not self.modes["demo"]:
            raise RefusedError(400, "type must be one of discovery, help_wanted, improvement, discussion")
        slug = self._skill_of(body)
        post_id = f"post-{self.number()}"
        post = {
            "id": post_id,
            "agent_id": agent["agent_id"],
            "agent_name": agent["name"],
            "type": body["type"],
            "title": body["title"],
            "content": self._kept(body["content"]),
            "skill_slug": slug,
            "metadata": body.get("metadata", {}),
            "status": "open",
            "comments": [],
            "created_at": "2026-02-15T10:00:00Z",
        }
        self.posts.append(post)
        return 201, self._created(post_id)

    def _skill_of(self, body: dict[str, Any]) -> str:
        mode = self.modes["post_key"]
        slug, name = body.get("skill_slug"), body.get("skill_name")
        if (slug is None) == (name is None) or (mode == "slug" and name) or (mode == "name" and slug):
            raise RefusedError(400, "name the skill in the one documented way")
        for skill in self.skills:
            if slug == skill["slug"] or (name == skill["name"] and body.get("skill_author") in (None, skill["author"])):
                return str(skill["slug"])
        raise RefusedError(404, "no such skill; upload it first")

    def _created(self, made: str) -> Any:
        match self.modes["created"]:
            case "post_id":
                return {"success": True, "post_id": made}
            case "post.id":
                return {"post": {"id": made}}
            case "post.post_id":
                return {"post": {"post_id": made}}
            case "data.id":
                return {"data": {"id": made}}
            case "none":
                return {"success": True}
            case "text":
                return "created"
            case _:
                return {"id": made, "url": ""}

    def _update_post(self, asked: Asked, post_id: str) -> tuple[int, Any]:
        agent, body, post = self._writer(asked), asked.valid("PUT /posts/*"), self._post(post_id)
        if post["agent_id"] != agent["agent_id"]:
            raise RefusedError(403, "not your post")
        post["status"] = body["status"]
        return 200, {"post": self._shown(post)}

    def _comment(self, asked: Asked, post_id: str) -> tuple[int, Any]:
        agent, body, post = self._writer(asked), asked.valid("POST /posts/*/comments"), self._post(post_id)
        comment_id = f"comment-{self.number()}"
        post["comments"].append(
            {"id": comment_id, "agent_id": agent["agent_id"], "content": self._kept(body["content"])}
        )
        return 201, self._created(comment_id)

    def _vote(self, asked: Asked, post_id: str) -> tuple[int, Any]:
        agent, post = self._writer(asked), self._post(post_id)
        if not (asked.headers.get("content-type") or "").startswith("application/json"):
            raise RefusedError(415, "Content-Type must be application/json")
        name = self.modes["vote"]
        body = asked.json()
        if next(iter(Validator(VOTE[name]).iter_errors(body)), None) is not None:
            raise RefusedError(400, f"{name} must be 1 or -1")
        self.votes.setdefault(post["id"], {})[agent["agent_id"]] = body[name]
        return 200, {"vote_count": sum(self.votes[post["id"]].values())}

    def _list_sessions(self, asked: Asked) -> tuple[int, Any]:
        self._reader(asked)
        words = asked.query.get("search", "").lower()
        return 200, {"sessions": [s for s in self.sessions if words in json.dumps(s).lower()]}

    def _submit_session(self, asked: Asked) -> tuple[int, Any]:
        agent, body = self._writer(asked), asked.valid("POST /sessions")
        if body["agent_id"] != agent["agent_id"]:
            raise RefusedError(403, "that is another agent")
        if any(session["session_id"] == body["session_id"] for session in self.sessions):
            raise RefusedError(409, "that session was submitted already")
        self.sessions.append(body)
        return 201, {"success": True, "session_id": body["session_id"]}

    def _list_skills(self, asked: Asked) -> tuple[int, Any]:
        self._reader(asked)
        wanted = {n: v.lower() for n, v in asked.query.items()}
        found = [
            skill
            for skill in self.skills
            if wanted.get("name") in (None, skill["name"].lower())
            and wanted.get("author") in (None, skill["author"].lower())
            and wanted.get("slug") in (None, skill["slug"])
            and wanted.get("search", "") in f"{skill['name']} {skill['author']}".lower()
        ]
        if self.modes["skills"] == "single" and "name" in wanted:
            return 200, {"skill": found[0] if found else None}
        return 200, {"skills": found}

    def _create_skill(self, asked: Asked) -> tuple[int, Any]:
        self._writer(asked)
        body = asked.valid("POST /skills")
        return 201, {"skill": self._new_skill(body["name"], body.get("author", ""))}

    def _new_skill(self, name: str, author: str) -> dict[str, Any]:
        for skill in self.skills:
            if skill["name"] == name:
                return skill
        skill = {"slug": f"{name}--{author or 'x'}".lower().replace(" ", "-"), "name": name, "author": author}
        self.skills.append(skill)
        return skill

    def _upload_skill(self, asked: Asked, slug: str | None) -> tuple[int, Any]:
        self._writer(asked)
        data = asked.file()
        try:
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
                member = next(m for m in tar.getmembers() if re.fullmatch(r"(?:[^/]+/)?SKILL\.md", m.name))
                file = tar.extractfile(member)
                assert file is not None
                head = file.read().decode().split("---")[1]
        except (tarfile.TarError, StopIteration, IndexError, UnicodeDecodeError):
            raise RefusedError(422, "the archive holds no SKILL.md with its front matter") from None
        said = dict(re.findall(r"(?m)^(\w+):\s*(.+)$", head))
        if "name" not in said:
            raise RefusedError(422, "the SKILL.md says no name")
        if slug is not None and slug not in [skill["slug"] for skill in self.skills]:
            raise RefusedError(404, "no such skill")
        skill = self._new_skill(said["name"], said.get("author", ""))
        self.archives[skill["slug"]] = data
        return 201, {"skill": skill}

    def _download(self, asked: Asked, slug: str) -> tuple[int, Any]:
        if slug not in self.archives:
            raise RefusedError(404, "no such skill")
        if self.modes["download"] == "json":
            return 200, {"download_url": f"{origin(asked)}{API}/storage/{slug}.tar.gz"}
        return 200, self.archives[slug]

    def _presign(self, asked: Asked) -> tuple[int, Any]:
        self._writer(asked)
        body = asked.valid("POST /artifacts/presign")
        name = f"{self.number()}-{body['filename'].rpartition('/')[2]}"
        self.artifacts[name] = {"size": body["size"], "data": None}
        ending = name.rpartition(".")[2].lower()
        return 201, {
            "upload": {"signed_url": f"{origin(asked)}{API}/storage/{name}?signature=x"},
            "artifact": {
                "url": f"https://files.skill-evolve.com/{name}",
                "type": "image",
                "content_type": {"png": "image/png", "html": "text/html"}.get(ending, "application/octet-stream"),
            },
        }

    def _store(self, asked: Asked, name: str) -> tuple[int, Any]:
        place = self.artifacts.get(name)
        if place is None or place["size"] != len(asked.body):
            raise RefusedError(400, "not what was announced")
        place["data"] = len(asked.body)
        return 200, {}

    def _list_messages(self, asked: Asked) -> tuple[int, Any]:
        agent = self._agent(asked)
        own = agent["agent_id"]
        sent = self.modes["sent_messages"]
        return 200, {"messages": [m for m in self.messages if m["to"] == own or (sent and m["from"] == own)]}

    def _send_message(self, asked: Asked) -> tuple[int, Any]:
        agent, body = self._writer(asked), asked.valid("POST /messages")
        message = {**body, "id": f"message-{self.number()}", "from": agent["agent_id"]}
        self.messages.append(message)
        return 201, self._created(str(message["id"]))


def origin(asked: Asked) -> str:
    return f"http://{asked.headers['host']}"
