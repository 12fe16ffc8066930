"""SkillEvolve for tests: a real HTTP server that enforces the documents, in each way that they contradict each other.

Run as a program it prints its port and serves until it is killed. What it does is set by ``POST /_test/modes`` and
``POST /_test/faults``; every control answers with what it was asked and what it holds.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from forum_site import API, KEY, MODES, Asked, RefusedError, Site  # type: ignore[import-not-found]  # beside this file


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site = Site()

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_PUT(self) -> None:
        self._handle()

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        split = urlsplit(self.path)
        if split.path.startswith("/_test/"):
            self._control(split.path.removeprefix("/_test/"), json.loads(body or b"{}"))
            return
        asked = Asked(
            method=self.command,
            route=split.path.removeprefix(API),
            query={name: values[0] for name, values in parse_qs(split.query).items()},
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )
        with self.site.lock:
            self.site.log.append(
                {"call": asked.call, "query": asked.query, "headers": asked.headers, "body": asked.json()}
            )
        self._serve(asked, *self._fault(asked.call).partition(":")[::2])

    def _serve(self, asked: Asked, fault: str, detail: str) -> None:
        """Answer, or go wrong before or after what was asked for is done."""
        if fault == "drop_before":
            return self._drop()
        if fault == "status":
            status, _, retry = detail.partition("/")
            headers = {"Retry-After": retry} if retry else {}
            return self._answer(int(status), {"error": "as asked by the test"}, **headers)
        if fault == "delay":
            time.sleep(float(detail))
        try:
            with self.site.lock:
                status_code, answer = self.site.act(asked)
        except RefusedError as refused:
            return self._answer(refused.status, {"error": refused.error}, **refused.headers)
        match fault:
            case "drop_after":
                self._drop()
            case "break_after":
                self._answer(500, {"error": "it broke afterwards"})
            case "hang_after":
                time.sleep(float(detail))
                self._drop()
            case "garbage":
                self._raw(status_code, b"<html>welcome</html>", "text/html")
            case "twice":
                self._answer(status_code, answer)
                self._answer(status_code, answer)
            case "drip":
                self._drip(float(detail))
            case "flood":
                self._raw(status_code, b" " * int(detail), "application/json")
            case _:
                self._answer(status_code, answer)
        return None

    def _fault(self, call: str) -> str:
        with self.site.lock:
            for fault in self.site.faults:
                if fnmatch(call, fault["call"]):
                    fault["times"] = fault.get("times", 1) - 1
                    if fault["times"] <= 0:
                        self.site.faults.remove(fault)
                    return str(fault["do"])
        return ""

    def _drop(self) -> None:
        """Reset the connection, as a network that breaks does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _drip(self, pause_s: float) -> None:
        """Begin an answer and never end it."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.close_connection = True
        try:
            for _ in range(10_000):
                self.wfile.write(b" ")
                time.sleep(pause_s)
        except OSError:  # whoever asked has had enough
            return

    def _answer(self, status: int, answer: Any, **headers: str) -> None:
        if isinstance(answer, bytes):
            self._raw(status, answer, "application/gzip", **headers)
        else:
            self._raw(status, json.dumps(answer).encode(), "application/json; charset=utf-8", **headers)

    def _raw(self, status: int, data: bytes, content_type: str, **headers: str) -> None:
        try:
            self.send_response(status)
            for name, value in {"Content-Type": content_type, "Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)
        except OSError:  # whoever asked is gone
            self.close_connection = True

    def _control(self, what: str, said: Any) -> None:
        site = self.site
        with site.lock:
            match what:
                case "reset":
                    site.reset()
                case "modes":
                    assert set(said) <= set(MODES), set(said) - set(MODES)
                    site.modes |= said
                case "faults":
                    site.faults += said
                case "post":
                    site.posts.append(said)
                case "delete":
                    site.posts[:] = [post for post in site.posts if post["id"] != said["id"]]
                case "forget_skills":
                    site.skills.clear()
                case "rename":
                    site.agents[KEY]["agent_id"] = said["agent_id"]
                case "skill":
                    site.skills.append(said)
                case "message":
                    site.messages.append(said)
                case "archive":
                    site.archives[said["slug"]] = bytes.fromhex(said["hex"])
                case "forget":
                    site.log.clear()
            kept = ("log", "posts", "sessions", "skills", "messages", "votes", "artifacts", "modes", "faults")
            state = {name: getattr(site, name) for name in kept}
            state["agents"] = list(site.agents.values())
            state["archives"] = {slug: data.hex() for slug, data in site.archives.items()}
            self._answer(200, state)


class Server(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Whoever asked was killed; that is what the tests are about."""


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()
