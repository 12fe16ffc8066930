"""The W&B runs of recorded commands: found whichever process starts them, and nobody else's."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from marin_research.record import Status, Unknown
from marin_research.wandb_children import WandbOfCommand, with_links

if TYPE_CHECKING:
    from marin_research.record import WandbRun

SCRIPT = """
import os, sys, wandb
run = wandb.init(project="p", id=sys.argv[1], mode=sys.argv[2], dir=sys.argv[3], config={"lr": 1})
run.log({"loss": float(sys.argv[4])})
run.finish()
"""


@pytest.fixture
def train(workplace):
    """The command that makes a W&B run in a grandchild."""
    (workplace.top / "train.py").write_text(SCRIPT)
    (workplace.top / "elsewhere").mkdir()

    def make(run_id: str, *, folder: str, loss: float, mode: str = "offline") -> tuple[str, ...]:
        return ("sh", "-c", f"{sys.executable} train.py {run_id} {mode} {folder} {loss}; true")

    return make


def test_commands_that_share_a_folder_get_their_own_runs(workplace, train):
    """Two benchmarks at once must not get each other's numbers; nor may a folder that nobody looks in hide one."""
    with (
        workplace.start(*train("one", folder="elsewhere", loss=1)) as first,
        workplace.start(*train("two", folder=".", loss=2)) as second,
    ):
        first.communicate(timeout=90)
        second.communicate(timeout=90)

    found = {}
    for run in workplace.store.runs():
        (own,) = [each for each in run.wandb if each.attribution == "step"]
        found[own.id] = (run.metrics["loss"].value, run.metrics["loss"].source, own.finished, own.exit_code)
    assert found == {"one": (1, "wandb:one", True, 0), "two": (2, "wandb:two", True, 0)}


def test_a_disabled_run_is_none(workplace, train):
    """It exists nowhere, so a link to it would lead nowhere."""
    workplace.record(*train("none", folder=".", loss=1, mode="disabled"))

    assert workplace.run().wandb == ()
    assert workplace.run().gaps == ()


def test_a_command_whose_project_refuses_the_login_goes_on_and_its_record_says_so(workplace, train, wandb_server):
    """Everybody would look for a run that W&B never had."""
    refused = wandb_server("401")
    environment = {**os.environ, "WANDB_BASE_URL": refused, "WANDB_API_KEY": f"local-{'k' * 40}"}

    done = workplace.record(*train("not-ours", folder=".", loss=1, mode="online"), env=environment)

    run = workplace.run()
    assert (done.returncode, run.status, run.wandb) == (0, Status.SUCCEEDED, ())
    (gap,) = run.gaps
    assert gap.what == "W&B run not-ours"
    assert "W&B has not taken it" in gap.why
    assert "error 401" in gap.why


def test_the_experiment_id_stands_on_every_run_that_a_command_starts(workplace):
    """Somebody who finds a number in W&B must be able to tell which record it belongs to."""
    (workplace.top / "three.py").write_text(
        "import wandb\n"
        "for name, said in {'bare': {}, 'named': {'name': 'mine', 'tags': ['t']}, 'own': {'group': 'g'}}.items():\n"
        "    with wandb.init(project='p', id=name, mode='offline', **said) as run:\n"
        "        print(run.id, run.group, run.name, run.tags)\n"
    )

    done = workplace.record(sys.executable, "three.py")

    told = [line for line in done.stdout.splitlines() if line.startswith(("bare", "named", "own"))]
    assert told == ["bare KER-001 None ()", "named KER-001 mine ('t',)", "own g None ()"]
    kept = {run.id: (Path(run.path) / f"run-{run.id}.wandb").read_bytes() for run in workplace.run().wandb}
    assert {run_id: b"KER-001" in content for run_id, content in kept.items()} == {
        "bare": True,
        "named": True,
        "own": False,
    }


def test_a_run_that_a_command_resumes_keeps_what_people_made_of_it(workplace, wandb_server):
    """W&B replaces name, tags and notes of such a run by what the environment says, and they are gone."""
    environment = {**os.environ, "WANDB_BASE_URL": wandb_server(), "WANDB_API_KEY": f"local-{'k' * 40}"}
    (workplace.top / "evaluate.py").write_text(
        "import wandb\n"
        "with wandb.init(project='p', id='trained', resume='must') as run:\n"
        "    print('resumed', run.resumed, run.tags, run.name)\n"
    )

    done = workplace.record(sys.executable, "evaluate.py", env=environment)

    assert "resumed True ('training',) bright-sea-7\n" in done.stdout, done


@pytest.mark.parametrize(
    "own", [{"WANDB_RUN_GROUP": "mine"}, {"WANDB_RUN_GROUP": ""}, {"WANDB_RUN_ID": "x"}, {"WANDB_RESUME": "allow"}]
)
def test_nothing_that_the_command_configures_is_changed(workplace, own):
    """A recorder that redirects somebody's W&B runs loses them."""
    told = "env | grep '^WANDB' | sort"
    environment = {**os.environ, "WANDB_DIR": "there", "WANDB_PROJECT": "mine", **own}

    done = workplace.record(told, env=environment)

    plain = subprocess.run(["sh", "-c", told], check=True, capture_output=True, text=True, env=environment)
    assert done.stdout == plain.stdout
    assert own.items() <= workplace.run().attempt.environment.items()


def test_a_command_in_a_recorded_command_has_its_own_id(workplace):
    """The ID of the outer one would lead to the wrong record, and look like a setting that somebody made."""
    done = workplace.record(shlex.join(workplace.line("echo in $WANDB_RUN_GROUP")))

    inner = workplace.run("KER-002").attempt
    assert "in KER-002\n" in done.stdout
    assert "WANDB_RUN_GROUP" not in inner.environment
    assert "WANDB_RUN_GROUP=" not in inner.command.line


def test_a_run_that_nobody_saw_being_written_is_not_claimed(tmp_path, monkeypatch):
    """Whose numbers they are would be a guess, and a wrong one gets published."""
    monkeypatch.chdir(tmp_path)
    code = "import wandb; wandb.init(project='p', id='others', mode='offline').finish()"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=90)
    of_command = WandbOfCommand("MARIN_RESEARCH_RUN=KER-001/1", [tmp_path], since=0)

    assert of_command.look() == []
    assert [(run.id, run.attribution) for run in of_command.runs()] == [("others", "ambiguous")]


@pytest.fixture
def online(a_wandb_run):
    """An online run as it is found on disk."""

    def make(run_id: str) -> WandbRun:
        run: WandbRun = a_wandb_run(id=run_id, url=Unknown("not on disk"), entity=Unknown("not on disk"))
        return run

    return make


def test_the_printed_address_of_a_run_becomes_its_link(online):
    """W&B leaves it nowhere else, and a record without it makes everybody search."""
    printed = b"wandb: View run n at: \x1b[34mhttps://forge.example/wandb/lab/p/runs/abc\x1b[0m\n"

    linked, other = with_links([online("abc"), online("ab")], [printed[:50], printed[50:]])

    assert (linked.url, linked.entity) == ("https://forge.example/wandb/lab/p/runs/abc", "lab")
    assert not other.url
