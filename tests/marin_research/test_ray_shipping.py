"""What goes along to a Ray cluster: the project as git sees it, packed once, the same content as the same package."""

from __future__ import annotations

import os
from pathlib import Path
from zipfile import ZipFile

import pytest

from marin_research.ray.shipping import shipped


@pytest.fixture
def project(tmp_path, git, monkeypatch) -> Path:
    """A project with something of each kind."""
    top: Path = tmp_path
    git(top, "init", "--quiet")
    for name in (
        "train.py",
        "src/model.py",
        "run.sh",
        "data/big.bin",
        ".venv/lib.py",
        ".skillevolve/memory/n",
        "gone.py",
    ):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(name)
    (top / "run.sh").chmod(0o755)
    (top / ".gitignore").write_text("data/\n")
    git(top, "add", "train.py", "gone.py")
    (top / "gone.py").unlink()
    monkeypatch.chdir(top)
    return top


def packed() -> tuple[bytes, dict[str, int]]:
    """The package, and the modes of what is in it."""
    with shipped() as sent:
        data = Path(sent["working_dir"]).read_bytes()
        with ZipFile(sent["working_dir"]) as archive:
            return data, {each.filename: each.external_attr >> 16 for each in archive.infolist()}


def test_what_git_ignores_stays_and_what_is_new_goes(project):
    """A module that was written a minute ago is needed, a data set of 100 GB is not."""
    _, modes = packed()

    mine = {name for name in modes if not name.startswith("marin_research/")}
    assert mine == {"train.py", "src/model.py", "run.sh", ".gitignore"}
    assert modes["run.sh"] & 0o111


def test_the_recorder_goes_along(project):
    """A cluster's image knows nothing of it."""
    _, modes = packed()

    assert {"marin_research/__init__.py", "marin_research/ray/task.py"} <= modes.keys()
    assert not any("__pycache__" in name for name in modes)


def test_the_same_content_is_the_same_package(project):
    """Machines keep what they were sent by its content: another hash would be another unpacking, everywhere."""
    first, _ = packed()
    os.utime(project / "train.py", (1, 1))
    again, _ = packed()
    (project / "train.py").write_text("other")
    other, _ = packed()

    assert first == again != other


@pytest.mark.parametrize("kind", ["no git", "a link to a folder", "its own rules"])
def test_what_git_does_not_list_ray_packs_itself(project, tmp_path_factory, kind):
    """A project that cannot be packed here has to get there all the same."""
    match kind:
        case "no git":
            (project / ".git").rename(project / "no-git")
            (project / "pyproject.toml").touch()
        case "a link to a folder":
            (project / "linked").symlink_to(tmp_path_factory.mktemp("elsewhere"))
        case _:
            (project / ".rayignore").touch()

    with shipped() as sent:
        assert sent["working_dir"] == str(project)
        assert [Path(each).name for each in sent["py_modules"]] == ["marin_research"]


def test_what_the_driver_was_submitted_with_is_not_said_twice(project):
    """Ray refuses a second working directory; the recorder still has to get there."""
    with shipped(given={"working_dir"}) as sent:
        assert sent.keys() == {"py_modules"}
