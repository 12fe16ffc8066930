"""Records a command or a step in a fork of itself, again and again: Marin is imported once for all of them.

Reads one JSON object a line: what to record, where, and at which point to die. Answers each with the exit code.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import time
from pathlib import Path
from typing import Any

from marin.execution import lazy
from marin.execution.artifact import Artifact
from marin.execution.lazy import apply

import marin_research.cli.main
import marin_research.command
from marin_research import Thread, recorded, report
from marin_research.capture import link

KILL_POINTS = Path(__file__).with_name("kill_points.py")


class Trained(Artifact):
    accuracy: float


def train(journal: str, pause_s: float, lr: float) -> Trained:
    folder = Path(journal)
    (folder / "began").touch()
    print("first line", flush=True)
    report("loss", lr)
    (folder / "reported").touch()
    time.sleep(pause_s)
    print("last line", flush=True)
    (folder / "finished").touch()
    return Trained(accuracy=0.5)


def record_step(job: dict[str, Any]) -> None:
    thread = Thread(topic="kernels", prefix="KER")
    inputs = {"journal": job["journal"], "pause_s": job["pause_s"], "lr": 2.5}
    handle = apply(job["name"], train, version="dev", artifact_type=Trained, **inputs)
    lazy.run(recorded(handle, thread))
    (Path(job["journal"]) / "returned").touch()


def arm(job: dict[str, Any]) -> None:
    arguments = (job["store"], job["journal"], job["victim"], job["at"])
    runpy.run_path(str(KILL_POINTS))["KillPoints"](*arguments, is_sidecar=False).arm()
    link._MAIN = f"{KILL_POINTS.read_text()}\nKillPoints(*{arguments!r}, is_sidecar=True).arm()\n{link._MAIN}"


def do(job: dict[str, Any]) -> None:
    os.chdir(job["folder"])
    for name, number in (("out", 1), ("err", 2)):
        os.dup2(os.open(f"{job['journal']}/{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    os.environ |= {"MARIN_RESEARCH_ROOT": job["store"], "MARIN_PREFIX": f"{job['folder']}/prefix"}
    os.environ["MARIN_RESEARCH_HEARTBEAT_S"] = "0.1"
    arm(job)
    if job["command"]:
        sys.argv = ["marin-research", "run", "--thread", "kernels", *job["command"]]
        marin_research.cli.main.main()
    else:
        record_step(job)


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                do(json.loads(line))
            except SystemExit as end:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(end.code if isinstance(end.code, int) else 1)
            finally:
                sys.stdout.flush()
                os._exit(70 if sys.exception() else 0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
