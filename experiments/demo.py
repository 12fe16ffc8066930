"""The whole path in two minutes: run two experiments, read the drafts, approve them by script, publish to the logbooks.

Everything it does is a command that it prints first; nothing here is part of the product.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
PYTHON = os.path.relpath(sys.executable, TOP)
EXPERIMENTS = ("lr_sweep", "attention_benchmark")


def main() -> int:
    started = time.time()
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    known = {draft["id"] for draft in drafts(environment)}

    say("1. Run the experiments. One learning rate diverges; that step fails, and the failure is recorded too.")
    for name in EXPERIMENTS:
        script = [PYTHON, f"experiments/{name}.py", "--version", "dev", "--run", "--max-concurrent", "1"]
        code = run(script, environment)
        say(f"   (exit code {code})")

    say("\n2. What was recorded, and what was drafted from it without any key or network.")
    run(["marin-research", "runs"], environment)
    run(["curator", "drafts", "--status", "draft"], environment)
    new = [draft for draft in drafts(environment) if draft["id"] not in known and draft["kind"] == "logbook"]
    if not new:
        say("no logbook entry was drafted; look at the output above")
        return 1

    say("\n3. Read them. (You would use `curator review`, which shows the evidence behind each number, and asks.)")
    for draft in new:
        run(["curator", "show", str(draft["id"]), "--text"], environment)

    say("\n\n4. Approve exactly these texts, by script, and publish them.")
    ids = [draft["id"] for draft in new]
    approved = run(["curator", "approve", *ids, "--by", "make demo (scripted)"], environment)
    published = run(["curator", "publish", *ids], environment)
    if approved or published:
        return 1

    say(f"\nDone in {time.time() - started:.0f} s. The logbooks now hold the new entries:")
    for path in sorted({draft["target"] for draft in new}):
        say(f"  {TOP / path}")
    run_id = new[0]["runs"][-1]
    say("Try next:")
    say("  git diff .agents/logbooks        what was appended")
    say(f"  marin-research show {run_id}       everything that is known of one run")
    say(f"  marin-research logs {run_id}       what it printed")
    say("  curator review                   the drafts that still wait: issue updates and a SkillEvolve post")
    say("  curator log                      who approved which text")
    say("  (the commands are in .venv/bin)")
    return 0


def run(command: list[str], environment: dict[str, str]) -> int:
    say(f"\n$ {shlex.join(command)}")
    return subprocess.run(command, cwd=TOP, env=environment, check=False).returncode


def drafts(environment: dict[str, str]) -> list[dict[str, object]]:
    command = ["curator", "drafts", "--json"]
    found = subprocess.run(command, cwd=TOP, env=environment, check=True, capture_output=True, text=True)
    result: list[dict[str, object]] = json.loads(found.stdout)
    return result


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
