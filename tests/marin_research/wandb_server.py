"""As much of a W&B server as one online run needs; it keeps nothing. Run as a program, it prints its port and serves.

An argument is the HTTP status with which it refuses whatever it is asked.

In a process of its own, because a Python that is ending can start no thread to answer the run that waits for it.
"""

from __future__ import annotations

import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ENTITY = "lab"
VIEWER = {"id": "VXNlcjox", "entity": ENTITY, "username": "someone", "teams": {"edges": []}}

RESUMABLE = {
    "id": "2",
    "name": "trained",
    "displayName": "bright-sea-7",
    "tags": ["training"],
    "config": "{}",
    "summaryMetrics": "{}",
    "historyLineCount": 0,
    "eventsLineCount": 0,
    "logLineCount": 0,
    "historyTail": "[]",
    "eventsTail": "[]",
    "wandbConfig": '{"t": 1}',
}
"""A run that was there before."""


def answer(operation: str, variables: dict[str, Any], url: str) -> dict[str, Any]:
    """The ``data`` of a GraphQL answer; an operation that may be unsupported gets an empty one."""
    if operation == "Viewer":
        return {"viewer": VIEWER}
    if operation == "RunResumeStatus":
        return {
            "model": {
                "id": "1",
                "name": variables.get("project"),
                "entity": {"id": "1", "name": ENTITY},
                "bucket": RESUMABLE if variables.get("name") == RESUMABLE["name"] else None,
            }
        }
    if operation == "UpsertBucket":
        project = {"id": "1", "name": variables.get("project"), "entity": {"id": "1", "name": ENTITY}}
        bucket = {
            "id": "1",
            "name": variables.get("name"),
            "displayName": variables.get("displayName") or _named(variables.get("name")),
            "tags": variables.get("tags") or [],
            "sweepName": None,
            "historyLineCount": 0,
            "config": variables.get("config"),
            "project": project,
        }
        return {"upsertBucket": {"bucket": bucket, "inserted": True}}
    if operation == "CreateRunFiles":
        files = [{"name": name, "uploadUrl": f"{url}/upload"} for name in variables.get("files", [])]
        return {"createRunFiles": {"runID": "1", "uploadHeaders": [], "files": files}}
    return {}


def _named(run_id: str | None) -> str:
    return str(RESUMABLE["displayName"]) if run_id == RESUMABLE["name"] else "calm-lake-1"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def respond(self) -> None:
        body = self.body()
        reply: dict[str, Any] = {"exitcode": None, "limits": {}}
        if self.path.endswith("/graphql"):
            request = json.loads(body)
            operation = re.search(r"\b(?:query|mutation)\s+(\w+)", request["query"])
            url = f"http://{self.headers['Host']}"
            reply = {"data": answer(operation[1] if operation else "", request.get("variables") or {}, url)}
        content = json.dumps(reply).encode()
        if len(sys.argv) > 1:
            content = json.dumps({"errors": [{"message": "permission denied", "path": ["upsertBucket"]}]}).encode()
        self.send_response(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = respond  # noqa: N815 - the names that http.server looks for


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()
