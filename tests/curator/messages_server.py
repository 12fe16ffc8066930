"""As much of the Messages API as a drafter needs, and every way it can go wrong. Run as a program, it serves a script.

``python messages_server.py SCRIPT.json`` prints its port. The script is a list with one behaviour for each answer that
is asked for; the last one is used again and again. ``GET /_requests`` gives every request that came.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PIECE = 97
"""Characters of an answer in one event: no boundary that anything in it would suggest."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: list[dict[str, Any]]
    requests: list[dict[str, Any]]

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.whole(200, json.dumps(self.requests), "application/json")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        retry = int(self.headers.get("x-stainless-retry-count") or 0)
        self.requests.append({"path": self.path, "body": body, "retry": retry, "headers": dict(self.headers)})
        asked = sum(request["path"].endswith("/messages") for request in self.requests)
        behaviour = self.script[min(max(asked, 1), len(self.script)) - 1]
        if self.path.endswith("/count_tokens"):
            self.count(body, behaviour)
        else:
            self.answer(body, behaviour)

    def count(self, body: dict[str, Any], behaviour: dict[str, Any]) -> None:
        if status := behaviour.get("count_status"):
            self.error(status, "not_found_error")
        else:
            tokens = len(json.dumps([body.get("system"), body["messages"]])) // 4
            self.whole(200, json.dumps({"input_tokens": tokens}), "application/json")

    def answer(self, body: dict[str, Any], behaviour: dict[str, Any]) -> None:
        if "hang" in behaviour:
            time.sleep(behaviour["hang"])
        if "html" in behaviour:
            self.whole(200, "<html><body>Sign in to the guest network</body></html>", "text/html")
        elif "status" in behaviour:
            self.error(behaviour["status"], behaviour.get("error", "api_error"), behaviour.get("headers", {}))
        else:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.stream(body, behaviour)

    def stream(self, body: dict[str, Any], behaviour: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        text = behaviour.get("reply", "")
        usage = {"input_tokens": 1000, "cache_read_input_tokens": 200, "cache_creation_input_tokens": 30}
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "content": []}
        message |= {"stop_reason": None, "stop_sequence": None, "usage": usage | {"output_tokens": 1}}
        self.event("message_start", message=message)
        self.event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        self.event("ping")
        for sent in range(0, len(text), PIECE):
            if sent >= behaviour.get("cut_after", len(text)):
                if behaviour.get("error_event"):
                    error = {"type": behaviour["error_event"], "message": "Overloaded"}
                    self.event("error", error=error)
                elif not behaviour.get("politely"):
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                self.close_connection = True
                self.connection.close()
                return
            time.sleep(behaviour.get("drip", 0))
            delta = {"type": "text_delta", "text": text[sent : sent + PIECE]}
            self.event("content_block_delta", index=0, delta=delta)
        self.event("content_block_stop", index=0)
        stop = {"stop_reason": behaviour.get("stop_reason", "end_turn"), "stop_sequence": None}
        if "refusal" in behaviour:
            details = {"type": "refusal", "category": behaviour["refusal"], "explanation": "It is not allowed."}
            stop |= {"stop_reason": "refusal", "stop_details": details}
        self.event("message_delta", delta=stop, usage={"output_tokens": max(1, len(text) // 4)})
        self.event("message_stop")
        self.close_connection = True

    def event(self, kind: str, **data: Any) -> None:
        self.wfile.write(f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode())
        self.wfile.flush()

    def error(self, status: int, kind: str, headers: dict[str, str] | None = None) -> None:
        body = {"type": "error", "error": {"type": kind, "message": f"a scripted {kind}"}}
        self.whole(status, json.dumps(body), "application/json", headers or {})

    def whole(self, status: int, text: str, kind: str, headers: dict[str, str] | None = None) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    Handler.script, Handler.requests = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()
