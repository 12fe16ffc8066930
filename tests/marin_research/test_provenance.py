"""Where a launch came from is said exactly, without its secrets, and as "unknown" where it cannot be known."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marin_research import provenance
from marin_research.checkout import Checkout
from marin_research.launch import DEFAULT_HEARTBEAT_S, heartbeat_from_environment, new_launch
from marin_research.record import Blob, Git, Unknown
from marin_research.recorded_diff import parse_diff
from marin_research.redact import Redactor

SECRET = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
CONFIGURED = "0f1e2d3c4b5a69788796a5b4c3d2e1f001234567"


@pytest.fixture
def state():
    """The state of a checkout, and the diff that was kept."""

    def look(folder: Path) -> tuple[Git, str]:
        kept: list[bytes] = []

        def keep(data: bytes) -> Blob:
            kept.append(data)
            return Blob(sha256="0" * 64, size=len(data))

        git = Checkout(folder).state(Redactor(), keep)
        assert isinstance(git.diff, Blob) == bool(kept)
        return git, b"".join(kept).decode("utf-8", "backslashreplace")

    return look


# The checkout


def test_a_clean_checkout_is_named_by_its_commit(git_checkout, git, state):
    """Whoever reads the entry must be able to check out exactly that."""
    top = git_checkout(remote="git@github.com:marin-community/marin.git")
    found, _ = state(top)

    assert found.commit == git(top, "rev-parse", "HEAD")
    assert found.branch == "main"
    assert found.remote == "git@github.com:marin-community/marin.git"
    assert found.tree == git(top, "rev-parse", "--short", "HEAD^{tree}")
    assert found.dirty is False
    assert found.diff == Unknown("the tree is clean")


def test_a_subfolder_of_a_checkout_is_that_checkout(git_checkout, state):
    """Scripts are started from `experiments/` too."""
    top = git_checkout()
    (top / "experiments").mkdir()
    (top / "top.py").write_text("new = 1\n")

    assert state(top / "experiments") == state(top)


def test_outside_of_a_checkout_nothing_is_claimed(tmp_path, state):
    """An empty commit with ``dirty: true`` would look like a state that somebody could go back to."""
    found, _ = state(tmp_path)

    for fact in (found.commit, found.branch, found.remote, found.tree, found.dirty, found.diff):
        assert fact == Unknown("not in a git checkout")


def test_without_git_nothing_is_claimed(git_checkout, state, monkeypatch, tmp_path):
    """Containers often have no git."""
    top = git_checkout()
    monkeypatch.setenv("PATH", str(tmp_path))

    found, _ = state(top)

    assert found.commit == found.dirty == Unknown("git is not installed")


def test_a_checkout_without_commits_keeps_what_is_there(git_checkout, git, state):
    """The first experiment of a new repository: its code, staged or not, is all there is to go back to."""
    top = git_checkout(commit=False)
    (top / "staged.py").write_text("staged = 1\n")
    git(top, "add", "staged.py")
    (top / "new.py").write_text("new = 1\n")

    found, diff = state(top)

    assert found.commit == Unknown("the checkout has no commits yet")
    assert found.branch == "main"
    assert found.dirty is True
    assert "+staged = 1" in diff
    assert "+new = 1" in diff


def test_a_detached_head_has_a_commit_and_no_branch(git_checkout, git, state):
    """CI and clusters check out commits."""
    top = git_checkout()
    git(top, "checkout", "--quiet", "--detach")

    found, _ = state(top)

    assert found.commit == git(top, "rev-parse", "HEAD")
    assert found.branch == Unknown("detached HEAD")
    assert found.remote == Unknown("the checkout has no remote called origin")


def test_a_dirty_tree_can_be_put_together_again(git_checkout, git, state):
    """The commit and the kept diff together are what ran: changed, deleted, staged and new files alike."""
    top = git_checkout()
    (top / "gone.py").write_text("x = 1\n")
    (top / "kept.py").write_text("x = 1\n")
    git(top, "add", "--all")
    git(top, "commit", "--quiet", "--message", "more")
    (top / "train.py").write_text("lr = 0.1\n")
    (top / "gone.py").unlink()
    (top / "sub").mkdir()
    (top / "sub" / "new file.py").write_text("n = 1\n")
    (top / "-weird*[name].py").write_text("w = 1")
    (top / "staged.py").write_text("s = 1\n")
    git(top, "add", "staged.py")
    before = git(top, "status", "--porcelain")

    found, diff = state(top)

    assert found.dirty is True
    assert git(top, "status", "--porcelain") == before
    again = top.parent / "again"
    git(top.parent, "clone", "--quiet", str(top), str(again))
    git(again, "checkout", "--quiet", str(found.commit))
    subprocess.run(["git", "apply"], cwd=again, input=diff.encode(), check=True)
    for folder in (top, again):
        git(folder, "add", "--all")
    assert git(again, "write-tree") == git(top, "write-tree")


def test_large_and_new_binary_files_are_named_and_not_copied(git_checkout, git, state):
    """A checkpoint in the checkout must not end up in the record, nor be passed over."""
    top = git_checkout()
    (top / "image.png").write_bytes(os.urandom(300_000))
    git(top, "add", "--all")
    git(top, "commit", "--quiet", "--message", "binary")
    (top / "image.png").write_bytes(bytes(range(255, -1, -1)))
    (top / "small.bin").write_bytes(b"\0\1\2")
    (top / "model.ckpt").write_bytes(os.urandom(300_000))
    (top / "latin.txt").write_bytes(b"caf\xe9\n")
    (top / "link").symlink_to("/nowhere")

    found, diff = state(top)

    assert isinstance(found.diff, Blob)
    assert found.diff.size < 5000
    assert "Binary files a/image.png and b/image.png differ" in diff
    assert "b/small.bin differ" in diff
    assert "# untracked, not kept (300000 bytes): model.ckpt" in diff
    assert "+caf\\xe9" in diff
    assert "+/nowhere" in diff


def test_small_binary_changes_of_known_files_are_kept_unless_they_hold_a_secret(git_checkout, git, state):
    """A run could not be repeated because of a test image; what no mask can look into must not carry a key away."""
    top = git_checkout()
    folder = top / "im [1]*ges"
    folder.mkdir()
    for name in ("changed", "gone", "key", "wide", "old-key"):
        (folder / name).write_bytes(bytes(range(256)) + (SECRET.encode() if name == "old-key" else b""))
    git(top, "add", "--all")
    git(top, "commit", "--quiet", "--message", "binary")
    (folder / "changed").write_bytes(bytes(range(255, -1, -1)))
    (folder / "gone").unlink()
    (folder / "key").write_bytes(b"\0\1\2" + SECRET.encode())
    (folder / "wide").write_bytes(f"token = {SECRET}".encode("utf-16"))
    (folder / "old-key").write_bytes(b"\0\1\2")
    (top / "train.py").write_text(f"lr = 0.1  # {SECRET}\n")

    found, diff = state(top)

    kept = parse_diff(diff.encode())
    assert kept.left_out == tuple(f"im [1]*ges/{name}" for name in ("key", "old-key", "wide"))
    assert kept.masked == ("train.py",)
    again = top.parent / "again"
    git(top.parent, "clone", "--quiet", str(top), str(again))
    subprocess.run(["git", "apply"], cwd=again, input=kept.patch, check=True)
    assert (again / folder.name / "changed").read_bytes() == (folder / "changed").read_bytes()
    assert not (again / folder.name / "gone").exists()
    assert isinstance(found.diff, Blob)
    assert found.diff.size < 5000


def test_another_checkout_inside_is_named_and_not_walked(git_checkout, git, state):
    """People clone things into their checkout."""
    top = git_checkout()
    git_checkout("checkout/inner")
    (top / "new.py").write_text("n = 1\n")

    _, diff = state(top)

    assert "inner/" in diff
    assert "+n = 1" in diff


def test_many_new_files_do_not_slow_the_launch(git_checkout, state):
    """A folder of a thousand result files must not cost a process each; one for all of them takes well under this."""
    top = git_checkout()
    for index in range(1000):
        (top / f"result {index}.txt").write_text(f"{index}\n")

    _, diff = state(top)

    assert diff.count("new file mode") == 1000


def test_a_diff_that_is_too_large_is_said_to_be(git_checkout, git, state):
    """The store is no backup of data sets; the commit alone is then not enough, and the record says so."""
    top = git_checkout()
    (top / "data.txt").write_text("x\n")
    git(top, "add", "--all")
    git(top, "commit", "--quiet", "--message", "data")
    (top / "data.txt").write_text("0123456789\n" * 2_000_000)

    found, _ = state(top)

    assert found.dirty is True
    assert isinstance(found.diff, Unknown)
    assert "the diff has 24000116 bytes" in found.diff.why


def test_secrets_in_the_checkout_do_not_reach_the_record(git_checkout, git, state):
    """Tokens stand in remotes and in half-finished scripts; the store is copied to shared buckets."""
    top = git_checkout(remote=f"https://ada:{SECRET}@github.com/marin-community/marin.git")
    (top / "train.py").write_text(f'token = "{SECRET}"\n')
    (top / ".env").write_text(f"GITHUB_TOKEN={SECRET}\n")

    found, diff = state(top)

    assert isinstance(found.remote, str)
    assert found.remote.endswith("@github.com/marin-community/marin.git")
    assert SECRET not in found.remote + diff
    assert diff.count("[REDACTED:") == 2


@pytest.mark.parametrize("name", ["with space", 'it\'s "quoted"', "line\nbreak", "é🤖", "-dash", "$HOME"])
def test_a_checkout_may_stand_anywhere(git_checkout, git, state, monkeypatch, name):
    """Folders have such names, and a command that was copied from an entry must still go to the right one."""
    top = git_checkout(name)
    (top / "sub dir").mkdir()
    (top / "new.py").write_text("n = 1\n")
    monkeypatch.chdir(top / "sub dir")

    found, diff = state(top)
    command = provenance.command(["python", "train.py"], Redactor())

    assert found.commit == git(top, "rev-parse", "HEAD")
    assert "+n = 1" in diff
    assert command.cwd == str(top / "sub dir")
    assert command.cwd_in_repository == "sub dir"


def test_a_checkout_that_git_cannot_read_is_not_called_clean(git_checkout, state):
    """A damaged index is no evidence that nothing was changed."""
    top = git_checkout()
    (top / ".git" / "index").write_bytes(b"damaged")

    found, _ = state(top)

    assert isinstance(found.commit, str)
    assert isinstance(found.dirty, Unknown)
    assert found.tree == found.diff == found.dirty


@pytest.mark.parametrize("name", ["records", "deep/er/réc ords"])
def test_a_store_in_the_checkout_is_no_change_of_it(git_checkout, name):
    """Every run would differ from the last one by its record."""
    top = git_checkout()
    (top / name / "runs").mkdir(parents=True)
    (top / name / "runs/event.json").write_text("{}")

    found = Checkout(top).state(Redactor(), lambda data: pytest.fail(data.decode()), store=top / name)

    assert found.dirty is False
    (top / "train.py").write_text("lr = 0.1\n")
    kept: list[bytes] = []

    def keep(data: bytes) -> Blob:
        kept.append(data)
        return Blob(sha256="0", size=len(data))

    changed = Checkout(top).state(Redactor(), keep, store=top / name)
    assert changed.dirty is True
    assert b"event.json" not in kept[0]


@pytest.mark.parametrize("folder", [".agents/logbooks", ".skillevolve/memory"])
def test_research_notes_are_no_change_of_the_code(git_checkout, git, state, folder):
    """Every entry and every note would make the next run another experiment than its baseline."""
    top = git_checkout()
    logbook = top / folder / "lr.md"
    before, _ = state(top)
    logbook.parent.mkdir(parents=True)
    logbook.write_text("# LR\n")
    untracked, _ = state(top)
    git(top, "add", folder)
    git(top, "commit", "-qm", "log")
    committed, _ = state(top)
    git(top, "mv", f"{folder}/lr.md", f"{folder}/rates.md")
    (top / "notes.md").write_text("new\n")
    beside, diff = state(top)
    git(top, "add", "notes.md")
    git(top, "commit", "-qm", "more")
    other, _ = state(top)

    assert untracked == before
    assert (committed.commit != before.commit, committed.code, committed.dirty) == (True, before.code, False)
    assert (beside.dirty, "notes.md" in diff, "rates.md" in diff, beside.code) == (True, True, False, before.code)
    assert other.code != before.code


def test_what_was_moved_out_of_the_notes_is_a_change(git_checkout, git, state):
    """A helper script that is moved to where it is imported from changes what runs."""
    top = git_checkout()
    (top / ".agents").mkdir()
    (top / ".agents" / "helper.py").write_text("x = 1\n" * 20)
    git(top, "add", ".agents")
    git(top, "commit", "-qm", "notes")
    git(top, "mv", ".agents/helper.py", "helper.py")

    found, diff = state(top)

    assert found.dirty is True
    assert "+x = 1" in diff


def test_a_worktree_is_a_checkout_of_its_own(git_checkout, git, state):
    """Agents work in worktrees; there `.git` is a file and the index is elsewhere."""
    top = git_checkout()
    tree = top.parent / "tree"
    git(top, "worktree", "add", "--quiet", "-b", "side", str(tree))
    (tree / "new.py").write_text("n = 1\n")

    found, diff = state(tree)

    assert found.branch == "side"
    assert "+n = 1" in diff
    assert state(top)[0].dirty is False


def test_the_users_settings_of_git_change_nothing(git_checkout, git, state, tmp_path):
    """Colours, other diff programs and converters are for eyes; a kept diff must apply."""
    top = git_checkout()
    config = Path(os.environ["GIT_CONFIG_GLOBAL"])
    config.write_text(
        config.read_text()
        + "[color]\n\tui = always\n[diff]\n\texternal = /bin/false\n\tnoprefix = true\n\tcontext = 0\n"
        + '[diff "shout"]\n\ttextconv = tr a-z A-Z <\n'
        + "[core]\n\tattributesFile = ~/attributes\n"
    )
    (config.parent / "attributes").write_text("*.py diff=shout\n")
    (top / "train.py").write_text("lr = 0.1\n")

    _, diff = state(top)

    assert "\n+lr = 0.1\n" in diff
    (tmp_path / "kept.diff").write_text(diff)
    git(top, "apply", "--reverse", "--check", str(tmp_path / "kept.diff"))


# The command


@given(argv=st.lists(st.text(st.characters(exclude_characters="\0"), max_size=12), min_size=1, max_size=6))
def test_a_command_can_be_pasted_whatever_is_in_it(argv):
    """The command in an entry is run by others; a shell must see the arguments that the program saw."""
    redactor = Redactor()

    command = provenance.command(argv, redactor)

    words = shlex.split(command.line)
    given_to_it = len(words) - len(argv)
    assert all("=" in word for word in words[:given_to_it])
    assert tuple(words[given_to_it:]) == command.argv == redactor.argv(argv)


@given(
    values=st.dictionaries(
        st.sampled_from(["JAX_PLATFORMS", "XLA_FLAGS", "WANDB_MODE", "RUN_ID"]), st.text(max_size=12)
    )
)
def test_variables_are_kept_as_they_were_given(values):
    """``XLA_FLAGS='--a --b' python ...`` is a part of the command."""
    assert provenance.environment(Redactor(), values) == values


def launched(tmp_path: Path, *argv: str, cwd: Path | None = None, **variables: str) -> dict[str, object]:
    """What a process that was really started this way says of itself."""
    script = tmp_path / "say launch.py"
    script.write_text(
        textwrap.dedent("""
            import json, os
            os.environ["WANDB_NAME"] = "set by the program itself"
            from marin_research.codec import encode
            from marin_research.launch import new_launch
            launch = new_launch()
            print(json.dumps({name: encode(getattr(launch, name)) for name in launch.__slots__ if name != "store"}))
        """)
    )
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "GIT_CONFIG_GLOBAL")},
        "MARIN_RESEARCH_ROOT": str(tmp_path / "records"),
        **variables,
    }
    done = subprocess.run(
        [sys.executable, "-O", script, *argv],
        check=True,
        capture_output=True,
        text=True,
        cwd=cwd or tmp_path,
        env=environment,
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_a_launch_says_how_it_was_started(tmp_path, git_checkout):
    """Interpreter options and variables of the shell change results and are not in ``sys.argv``."""
    top = git_checkout()
    found = launched(
        tmp_path, "--lr", "it's 0.1", cwd=top, XLA_FLAGS="--xla_a --xla_b", JAX_PLATFORMS="cpu", UNRELATED="x",
        VIRTUAL_ENV="/venv", IRIS_JOB_ID="/ada/job",
    )  # fmt: skip
    command = found["command"]

    assert isinstance(command, dict)
    words = shlex.split(command["line"])
    assert words[:2] == ["JAX_PLATFORMS=cpu", "XLA_FLAGS=--xla_a --xla_b"]
    assert words[2:] == command["argv"] == [sys.executable, "-O", str(tmp_path / "say launch.py"), "--lr", "it's 0.1"]
    assert command["cwd"] == str(top)
    assert found["environment"] == {
        "IRIS_JOB_ID": "/ada/job",
        "JAX_PLATFORMS": "cpu",
        "VIRTUAL_ENV": "/venv",
        "WANDB_NAME": "set by the program itself",
        "XLA_FLAGS": "--xla_a --xla_b",
    }
    assert found["root"] == str(tmp_path / "records")


def test_secrets_of_a_launch_are_nowhere_in_it(tmp_path):
    """``-e WANDB_API_KEY VALUE`` was once kept with its value; keys in variables must not be kept either."""
    found = launched(
        tmp_path,
        "-e", "WANDB_API_KEY", CONFIGURED,
        "--token", SECRET,
        f"https://ada:{SECRET}@example.org/x",
        f"HF_TOKEN={SECRET}",
        WANDB_API_KEY=CONFIGURED, HF_TOKEN=SECRET, JAX_SECRET=SECRET, MARIN_AUTH_TOKENS=SECRET,
        WANDB_NOTES=f"my key is {CONFIGURED}",
    )  # fmt: skip

    assert SECRET not in json.dumps(found)
    assert CONFIGURED not in json.dumps(found)
    assert isinstance(found["environment"], dict)
    assert list(found["environment"]) == ["WANDB_NAME", "WANDB_NOTES"]


def test_arguments_that_are_no_text_are_kept(tmp_path, store, monkeypatch):
    """File names on Linux are bytes."""
    monkeypatch.setattr(sys, "orig_argv", ["python", os.fsdecode(b"caf\xe9.py"), "line\nbreak", ""])
    monkeypatch.chdir(tmp_path)

    launch = new_launch(store.root)

    assert os.fsencode(launch.command.argv[1]) == b"caf\xe9.py"
    assert shlex.split(launch.command.line)[-3:] == list(launch.command.argv[1:])


def test_versions_that_matter_are_named():
    """A JAX update changes throughput."""
    packages = provenance.packages()

    assert {"jax", "numpy", "marin-core", "wandb"} <= packages.keys()
    assert provenance.python_version().startswith("CPython 3.")
    assert provenance.platform_name()


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("5", 5), ("0.5", 0.5), ("", DEFAULT_HEARTBEAT_S), ("0", DEFAULT_HEARTBEAT_S), ("-3", DEFAULT_HEARTBEAT_S)]
    + [(text, DEFAULT_HEARTBEAT_S) for text in ("nan", "inf", "soon", "1e999")],
)
def test_a_heartbeat_that_makes_no_sense_is_the_usual_one(monkeypatch, said, seconds):
    """With an infinite interval no run would ever count as lost."""
    monkeypatch.setenv("MARIN_RESEARCH_HEARTBEAT_S", said)

    assert heartbeat_from_environment() == seconds
