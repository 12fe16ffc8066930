"""Looking at records starts at once: nothing on that path loads a framework, a client or a parser of anything else.

Modules are counted, not seconds: the count is the same on a busy machine.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    *("marin", "fray", "iris", "levanter", "haliax", "zephyr", "rigging", "jax", "jaxlib", "numpy", "torch", "ray"),
    *("wandb", "anthropic", "httpx", "requests", "pydantic", "rich", "markdown_it", "fsspec", "yaml", "draccus"),
}
MODULES = [
    "marin_research",
    "marin_research.record",
    "marin_research.store",
    "marin_research.compare",
    "marin_research.check",
    "marin_research.launch",
    "marin_research.recorder",
    "marin_research.redact",
    "marin_research.cli.main",
    "curator",
    "curator.queue",
    "curator.cli.main",
]


def loaded_after(script: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded at the end of a script."""
    report = (
        "import json, sys\nprint(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})), file=sys.stderr)"
    )
    code = f"{script}\n{report}"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


def loaded_by(program: str, *args: str) -> set[str]:
    """What a command line has loaded when it is done."""
    return loaded_after(
        f"import sys\nsys.argv = [{program!r}, *{list(args)!r}]\nfrom {program}.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as ended:\n    assert ended.code in (0, None), ended.code"
    )


@pytest.mark.parametrize("module", MODULES)
def test_what_reading_starts_from_is_light(module):
    """Marin alone takes four seconds to import; `runs` should take none of them."""
    assert HEAVY.isdisjoint(loaded_after(f"import {module}"))


@pytest.mark.parametrize("program", ["marin_research", "curator"])
@pytest.mark.parametrize("args", [["--help"], ["--version"]])
def test_help_is_light(program, args):
    """Help that makes one wait is not asked for."""
    assert HEAVY.isdisjoint(loaded_by(program, *args))


@pytest.mark.parametrize(
    "args",
    [
        ["runs"],
        ["runs", "--where", "loss<3", "--sort", "loss", "--json"],
        ["show", "LR-001"],
        ["show", "LR-001", "--json"],
        ["compare", "LR-001", "LR-002"],
        ["logs", "LR-001"],
    ],
)
def test_looking_at_records_is_light(store, a_run, keep, args):
    """An agent calls these hundreds of times in one session."""
    for run_id in ("LR-001", "LR-002"):
        keep(a_run(run_id, metrics={"loss": 2.5}))

    assert HEAVY.isdisjoint(loaded_by("marin_research", *args, "--root", store.root))


def test_listing_drafts_is_light(store):
    """A person opens the list of drafts far more often than anything writes one."""
    assert HEAVY.isdisjoint(loaded_by("curator", "drafts", "--root", store.root))
