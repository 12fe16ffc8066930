"""The public names are these, and every one of them can be had."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import curator
import marin_research

TOP = Path(marin_research.__file__).parents[1]


def test_the_front_doors_say_what_they_offer():
    """A name that comes or goes is a decision, made here."""
    assert marin_research.__all__ == ["Thread", "recorded", "report", "research_main"]
    assert curator.__all__ == ["curate_step"]


def test_light_names_are_what_they_are_called():
    """Experiment scripts import them without Marin, too."""
    from marin_research.recorder import report
    from marin_research.thread import Thread

    assert marin_research.Thread is Thread
    assert marin_research.report is report


@pytest.mark.marin
def test_every_public_name_can_be_had():
    """The front doors find their names by text; a module that moved must not be noticed by a user first."""
    script = (
        "import curator, json, marin_research\n"
        "doors = (marin_research, curator)\n"
        "print(json.dumps([f'{getattr(door, name).__module__}' for door in doors for name in door.__all__]))"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)

    assert json.loads(done.stdout) == [
        "marin_research.thread",
        "marin_research.steps",
        "marin_research.recorder",
        "marin_research.main",
        "curator.step",
    ]


@pytest.mark.parametrize("door", [marin_research, curator])
def test_an_unknown_name_is_an_ordinary_error(door):
    """``hasattr`` and ``from ... import`` must behave as everywhere."""
    assert not hasattr(door, "no_such_name")
    with pytest.raises(ImportError):
        exec(f"from {door.__name__} import no_such_name")  # noqa: S102 - the statement itself is what is tested


@pytest.mark.parametrize("program", ["marin_research", "curator"])
def test_every_entry_point_can_be_loaded(program):
    """Console scripts and hooks are named by text in the package's metadata."""
    groups = ("console_scripts", f"{program}.after_launch", f"{program}.after_snapshot")
    found = [entry for group in groups for entry in entry_points(group=group)]
    ours = [entry for entry in found if entry.value.partition(".")[0] == program or entry.value.startswith("curator.")]

    assert ours
    for entry in ours:
        assert callable(entry.load())


def test_the_recorder_does_not_know_the_curator():
    """Whoever only records must not need what drafts."""
    for path in (TOP / "marin_research").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert not [name for name in names if name.partition(".")[0] == "curator"], path


def test_every_module_says_what_it_is_about():
    """The listing of a folder is its design; a module without a first line is a hole in it."""
    for package in ("marin_research", "curator"):
        for path in (TOP / package).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            assert not text.strip() or ast.get_docstring(ast.parse(text)), path


def test_types_are_published():
    """Editors and type checkers of users read our annotations."""
    for package in ("marin_research", "curator"):
        assert (Path(importlib.import_module(package).__file__ or "").parent / "py.typed").exists()
