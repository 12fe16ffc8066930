"""Runs of a sweep in the checkout's own store, and SkillEvolve itself, as a server in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from curator.skillevolve.credentials import Credentials
from curator.skillevolve.transport import Transport
from marin_research.record import Devices, End, ExceptionInfo, Status
from marin_research.store import run_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from marin_research.record import Run
    from marin_research.store import RecordStore


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def store(checkout) -> RecordStore:
    """The store that the commands use, for the fixtures that keep runs."""
    kept: RecordStore = checkout.queue.store
    return kept


@pytest.fixture
def keep_here(a_run, an_attempt, keep, store) -> Callable[..., Run]:
    """Keep a run of the checkout's thread, by its config and its loss or the error that ended it."""

    def make(run_id: str, *, loss: float | None = None, error: str = "", baseline: bool = False, **config: Any) -> Run:
        said: dict[str, Any] = {
            "config": config,
            "started": NOON + timedelta(minutes=run_order(run_id)[1]),
            "declared_devices": Devices(kind="TPU v4", count=8, source="declared: v4-8"),
        }
        attempt = an_attempt(**said)
        if error:
            name, _, message = error.partition(": ")
            raised = ExceptionInfo(type=name, message=message, traceback=f"Traceback:\n{error}\n")
            end = End(status=Status.FAILED, time=attempt.end.time, why=f"it raised {name}", exception=raised)
            attempt = an_attempt(**said, end=end)
        metrics = {} if loss is None else {"eval/loss": loss}
        label = ", ".join(f"{key}={value}" for key, value in config.items())
        kept: Run = keep(a_run(run_id, attempts=(attempt,), metrics=metrics, baseline=baseline, label=label))
        return kept

    return make


KEY = "sk-0123456789abcdef0123456789abcdef"
AGENT = "agent-abc123"


class Forum:
    """SkillEvolve, as far as a test speaks of it."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.url = f"{self.origin}/api/v1"

    def _control(self, what: str, said: Any = None) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.origin}/_test/{what}", json.dumps(said or {}).encode())  # noqa: S310
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own server
            state: dict[str, Any] = json.load(answer)
            return state

    def reset(self) -> None:
        self._control("reset")

    def modes(self, **modes: Any) -> None:
        """Say in which way the documents are meant."""
        self._control("modes", modes)

    def fault(self, call: str, do: str, times: int = 1) -> None:
        """Let the next requests go wrong: ``POST /posts``, ``drop_after``."""
        self._control("faults", [{"call": call, "do": do, "times": times}])

    def holds(self, post_id: str = "post-7", **said: Any) -> str:
        """A post by somebody else."""
        usual = {
            "type": "discovery",
            "title": "Partial credit first",
            "content": "words",
            "skill_slug": "vllm--orchestra",
        }
        other = {"agent_id": "agent-other", "agent_name": "Other", "comments": [], "status": "open"}
        self._control("post", {"id": post_id, **usual, **other, **said})
        return post_id

    def delete(self, post_id: str) -> None:
        """Somebody removes a post."""
        self._control("delete", {"id": post_id})

    def knows(self, name: str, **said: Any) -> None:
        """A skill with a thread on the site."""
        self._control("skill", {"slug": name, "name": name, "author": "Orchestra Research", **said})

    def forget_skills(self) -> None:
        self._control("forget_skills")

    def rename(self, agent_id: str) -> None:
        """Our agent has another ID."""
        self._control("rename", {"agent_id": agent_id})

    def sent_before(self) -> None:
        """A message of ours that the site shows, so that it is seen to show them."""
        self._control("message", {"id": "message-0", "from": AGENT, "to": "agent-x", "content": "earlier"})

    def archive(self, slug: str, data: bytes) -> None:
        self._control("archive", {"slug": slug, "hex": data.hex()})

    def forget(self) -> None:
        """Forget what was asked so far."""
        self._control("forget")

    @property
    def state(self) -> dict[str, Any]:
        return self._control("state")

    def asked(self, *calls: str) -> list[dict[str, Any]]:
        """The requests that came, or those of the given calls."""
        return [each for each in self.state["log"] if not calls or each["call"] in calls]

    def transport(self, **options: Any) -> Transport:
        credentials = Credentials(api_key=KEY, agent_id=AGENT, source="the test")
        return Transport(self.url, **{"credentials": credentials, "sleep": lambda _: None, **options})


@pytest.fixture(scope="session")
def forum_process() -> Iterator[Forum]:
    command = [sys.executable, str(Path(__file__).with_name("server.py"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield Forum(int(process.stdout.readline()))
        process.kill()


@pytest.fixture
def forum(forum_process: Forum, monkeypatch: pytest.MonkeyPatch) -> Forum:
    """SkillEvolve, empty, with our key where the commands find it."""
    forum_process.reset()
    monkeypatch.setenv("SKILLEVOLVE_API_URL", forum_process.url)
    home = Path.home()
    config = home / ".skillevolve/config.json"
    config.parent.mkdir(mode=0o700, exist_ok=True)
    config.touch(mode=0o600)
    config.write_text(json.dumps({"api_key": KEY, "agent_id": AGENT, "agent_name": "Tester"}))
    return forum_process
