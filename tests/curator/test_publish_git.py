"""Logbooks in git: what is committed and pushed, what is left alone, and two people at once. Real repositories."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from curator.draft import DraftStatus
from curator.publish import Outcome, plan, publish
from curator.publish.destination import Reach
from curator.publish.marker import marker

LOGBOOK = ".agents/logbooks/lr-sweep.md"
APART = "marin/7-lr.md"
READING = re.compile(
    r" (?:symbolic-ref --short|config --(?:get|type)|rev-parse|rev-list|cat-file|ls-tree|status|diff) "
)
"""Git commands that change nothing."""


def clone(git, remote, name):
    git(remote.parent, "clone", "--quiet", str(remote), name)
    return remote.parent / name


def changed_files(git, top, revision="HEAD"):
    return git(top, "show", "--format=", "--name-only", revision).split()


def entry(checkout, draft):
    return f"{checkout.ENTRY}\n{marker(draft.id, draft.sha256)}\n"


# In the research repository


def test_a_commit_holds_the_logbook_and_nothing_else(checkout, here, approved, git):
    """Half-finished code and what somebody staged for another commit must not go out with an entry."""
    (checkout.top / "train.py").write_text("lr = 2\n")
    (checkout.top / "new.py").write_text("")
    git(checkout.top, "add", "new.py")
    draft = approved()

    checkout.curator("publish", draft.id, "--commit")

    assert changed_files(git, checkout.top) == [LOGBOOK]
    assert git(checkout.top, "show", f"HEAD:{LOGBOOK}") == checkout.logbook.read_text().strip()
    assert git(checkout.top, "status", "--porcelain", "--untracked-files=no").split("\n") == [
        "A  new.py",
        " M train.py",
    ]
    assert "LR-D001" not in git(checkout.top, "log", "-1", "--format=%B")
    assert git(checkout.top, "rev-parse", "@{u}") == git(checkout.top, "rev-parse", "HEAD~")


def test_an_edit_by_hand_is_kept_and_stays_uncommitted(checkout, here, approved, git):
    """Nobody approved what a person has only begun to write into the logbook."""
    draft = approved()
    begun = checkout.LOGBOOK.replace("it trains.", "it trains. But why?")
    checkout.logbook.write_text(begun)

    checkout.curator("publish", draft.id, "--commit")

    assert checkout.logbook.read_text() == begun + "\n" + entry(checkout, draft)
    assert git(checkout.top, "show", f"HEAD:{LOGBOOK}") + "\n" == checkout.LOGBOOK + "\n" + entry(checkout, draft)
    assert git(checkout.top, "status", "--porcelain", "--untracked-files=no") == f"M {LOGBOOK}"  # stripped: not staged
    git(checkout.top, "diff", "--quiet", "--cached")


def test_what_is_staged_in_the_logbook_stays_staged(checkout, here, approved, git):
    """A person is in the middle of a commit of their own."""
    draft = approved()
    begun = checkout.LOGBOOK.replace("it trains.", "it trains well.")
    checkout.logbook.write_text(begun)
    git(checkout.top, "add", LOGBOOK)

    checkout.curator("publish", draft.id, "--commit")

    staged = git(checkout.top, "diff", "--cached", "--", LOGBOOK).split("\n")
    assert [line for line in staged if line.startswith("+")][1:] == ["+- Result: it trains well."]


def test_a_push_takes_the_entry_to_the_remote(checkout, here, approved, git):
    """Others see the entry, and an entry that was only in the file before is taken along when it is asked for."""
    first, second = approved(), approved()
    checkout.curator("publish", first.id)

    checkout.curator("publish", first.id, "--push")
    checkout.curator("publish", second.id, "--push")

    text = git(here, "show", f"main:{LOGBOOK}")
    assert [text.count(marker(draft.id, draft.sha256)) for draft in (first, second)] == [1, 1]
    assert git(checkout.top, "rev-parse", "@{u}") == git(checkout.top, "rev-parse", "HEAD")
    assert git(checkout.top, "status", "--porcelain", "--untracked-files=no") == ""
    assert checkout.decisions(first.id) == ["approved", "publishing", "published"]


def test_a_remote_that_moved_on_is_not_forced(checkout, here, approved, git, tmp_path):
    """A colleague's commits must survive; the person is told to pull, and nothing was written meanwhile."""
    git(tmp_path, "clone", "--quiet", str(here), "colleague")
    (tmp_path / "colleague/train.py").write_text("lr = 3\n")
    git(tmp_path / "colleague", "commit", "--quiet", "--all", "--message", "theirs")
    git(tmp_path / "colleague", "push", "--quiet")
    draft = approved()

    said = checkout.curator("publish", draft.id, "--push")

    assert "waits: origin/main has commits" in said.out
    assert "git pull --rebase" in said.out
    assert checkout.logbook.read_text() == checkout.LOGBOOK
    assert checkout.queue.get(draft.id).status is DraftStatus.APPROVED
    git(checkout.top, "pull", "--quiet", "--rebase")
    assert "published" in checkout.curator("publish", draft.id, "--push").out
    assert git(here, "log", "--format=%s", "main").split("\n")[1:] == ["theirs", "start"]


def test_a_remote_that_cannot_be_reached_is_waited_for(checkout, here, approved, git):
    """On a train the approval is not lost, and it is not called a failure."""
    draft = approved()
    (here.parent / "away").mkdir()
    here.rename(here.parent / "away/research.git")

    said = checkout.curator("publish", draft.id, "--push")

    assert "waits" in said.out
    assert checkout.decisions(draft.id) == ["approved"]
    (here.parent / "away/research.git").rename(here)
    assert "published" in checkout.curator("publish", "--approved", "--push").out


@pytest.mark.parametrize("state", ["no branch", "no commit", "ignored", "never committed", "no git at all"])
def test_unusual_checkouts_are_understood_or_refused(checkout, approved, git, state):
    """Each has one clear line that says what to do, or simply works."""
    draft = approved()
    if state not in ("no commit", "no git at all"):
        if state != "never committed":
            git(checkout.top, "add", ".agents")
        git(checkout.top, "commit", "--quiet", "--allow-empty", "--message", "start")
    if state == "no branch":
        git(checkout.top, "checkout", "--quiet", "--detach")
    if state == "ignored":
        git(checkout.top, "rm", "--quiet", "--cached", LOGBOOK)
        git(checkout.top, "commit", "--quiet", "--message", "not here")
        (checkout.top / ".gitignore").write_text(".agents/logbooks\n")
    path = os.environ["PATH"] if state != "no git at all" else "/nowhere"
    code = 0 if state == "never committed" else 1

    said = checkout.curator("publish", draft.id, "--commit", "--by", "Ada", code=code, PATH=path)

    clear = {
        "no branch": "git switch",
        "no commit": "make the first one",
        "ignored": ".gitignore",
        "never committed": "published",
        "no git at all": "install it",
    }
    assert clear[state] in said.out + said.err
    assert "Traceback" not in said.err


def test_a_dry_run_touches_neither_file_nor_git(checkout, here, approved, git):
    """A look at what would happen must not move anything."""
    draft = approved()
    before = git(checkout.top, "rev-parse", "HEAD"), git(checkout.top, "status", "--porcelain")

    (planned,) = plan([draft], checkout.queue, reach=Reach.PUSH)

    assert planned.outcome is Outcome.PLANNED
    assert "pushed to origin/main" in (planned.why or "")
    assert (git(checkout.top, "rev-parse", "HEAD"), git(checkout.top, "status", "--porcelain")) == before


# In a repository of logbooks


def test_an_entry_is_pushed_on_top_of_what_others_pushed(checkout, apart, approved, git, tmp_path):
    """The clone is a day old; the entry must end up behind the colleague's, not in its place."""
    colleague = clone(git, apart, "colleague")
    theirs = "\n### 2026-11-21 09:00 - LR-077 theirs\n- Result: fine.\n"
    (colleague / APART).write_text(checkout.LOGBOOK + theirs)
    git(colleague, "commit", "--quiet", "--all", "--message", "theirs")
    git(colleague, "push", "--quiet")
    draft = approved()

    checkout.curator("publish", draft.id)

    expected = checkout.LOGBOOK + theirs + "\n" + entry(checkout, draft)
    assert git(apart, "show", f"HEAD:{APART}") + "\n" == expected
    assert (tmp_path / "logbooks" / APART).read_text() == expected
    assert git(tmp_path / "logbooks", "status", "--porcelain", "--branch") == "## main...origin/main"
    assert changed_files(git, tmp_path / "logbooks") == [APART]


def test_two_people_who_push_at_once_both_get_their_entry(checkout, apart, approved, git, tmp_path):
    """Somebody is faster between our fetch and our push; their entry comes first and ours follows."""
    draft, colleague = approved(), clone(git, apart, "colleague")
    theirs = "\n### 2026-11-21 09:00 - LR-077 theirs\n- Result: fine.\n"
    (colleague / APART).write_text(checkout.LOGBOOK + theirs)
    git(colleague, "commit", "--quiet", "--all", "--message", "theirs")
    hook = tmp_path / "logbooks/.git/hooks/pre-push"
    hook.write_text(f"#!/bin/sh\nrm {hook}\nenv -u GIT_DIR git -C '{colleague}' push --quiet\n")
    hook.chmod(hook.stat().st_mode | stat.S_IXUSR)

    checkout.curator("publish", draft.id)

    expected = checkout.LOGBOOK + theirs + "\n" + entry(checkout, draft)
    assert not hook.exists()
    assert git(apart, "show", f"HEAD:{APART}") + "\n" == expected
    assert (tmp_path / "logbooks" / APART).read_text() == expected


@pytest.mark.parametrize("what", ["the logbook", "another file", "a staged file", "a commit"])
def test_unexpected_changes_stop_it(checkout, apart, approved, git, what):
    """What a person left in the shared checkout is theirs to push; nothing of it may go out with an entry."""
    top = checkout.top.parent / "logbooks"
    if what == "the logbook":
        (top / APART).write_text(checkout.LOGBOOK + "a thought\n")
    else:
        (top / "other.md").write_text("# Other\n\na thought\n")
    if what in ("a staged file", "a commit"):
        git(top, "add", "other.md")
    if what == "a commit":
        git(top, "commit", "--quiet", "--message", "mine")
    before = git(apart, "rev-parse", "HEAD"), git(top, "status", "--porcelain"), (top / APART).read_text()
    draft = approved()

    said = checkout.curator("publish", draft.id)

    assert "waits" in said.out
    assert {"the logbook": APART, "a commit": "1 commit"}.get(what, "other.md") in said.out
    after = git(apart, "rev-parse", "HEAD"), git(top, "status", "--porcelain"), (top / APART).read_text()
    assert after == before
    assert checkout.decisions(draft.id) == ["approved"]


def test_untracked_files_are_nobodys_business(checkout, apart, approved, tmp_path):
    """An editor's backup must not stop a publication."""
    (tmp_path / "logbooks/notes.md~").write_text("mine")

    assert "published" in checkout.curator("publish", approved().id).out


# Crashes


GIT = """#!/bin/sh
echo "$*" >> {commands}
count=$(($(wc -l < {commands})))
if [ $count = {point} ] && {before}; then kill -9 $PPID; exit 9; fi
{git} "$@"
code=$?
if [ $count = {point} ]; then kill -9 $PPID; fi
exit $code
"""


def publish_and_die(checkout, draft, reach, point, *, before):
    """Publish in a process that is killed before or after its ``point``-th git command; gives the commands."""
    folder, commands = checkout.top.parent / "shim", checkout.top.parent / "commands"
    folder.mkdir(exist_ok=True)
    commands.write_text("")
    shim = folder / "git"
    real = subprocess.run(["which", "git"], check=True, capture_output=True, text=True).stdout.strip()
    shim.write_text(GIT.format(commands=commands, point=point, before=str(before).lower(), git=real), encoding="utf-8")
    shim.chmod(0o755)
    child = os.fork()
    if child == 0:
        os.environ["PATH"] = f"{folder}:{os.environ['PATH']}"
        list(publish([draft], checkout.queue, by="Ada", reach=reach))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) == (point > 0), status
    return commands.read_text().splitlines()


@pytest.fixture(params=["here", "apart"])
def place(request, checkout):
    """The checkout that holds the logbook, its remote, and the logbook's path in both."""
    fixture = request.getfixturevalue(request.param)
    if request.param == "here":
        return checkout.top, fixture, LOGBOOK
    return checkout.top.parent / "logbooks", fixture, APART


def test_a_kill_at_any_git_command_leaves_one_entry_after_the_next_try(checkout, place, approved, git, record_property):
    """Before and after each step: nothing is lost, nothing twice, and the checkout is clean afterwards."""
    top, remote, path = place
    points = 0
    for point, command in enumerate(publish_and_die(checkout, approved(), Reach.PUSH, 0, before=False), start=1):
        # What only reads leaves everything as it was: a death behind it is one before it.
        for before in (True,) if READING.search(command) else (True, False):
            points += 1
            checkout.forget()
            draft = approved()
            publish_and_die(checkout, draft, Reach.PUSH, point, before=before)

            (publication,) = publish([checkout.queue.get(draft.id)], checkout.queue, by="Ada", reach=Reach.PUSH)

            assert publication.outcome in (Outcome.PUBLISHED, Outcome.ALREADY), publication
            mark = marker(draft.id, draft.sha256)
            assert git(remote, "show", f"HEAD:{path}").count(mark) == 1
            assert (top / path).read_text().count(mark) == 1
            assert git(top, "status", "--porcelain", "--untracked-files=no") == ""
            assert git(top, "rev-parse", "HEAD") == git(remote, "rev-parse", "HEAD")
    assert checkout.queue.log.problems() == []
    assert points > 15
    record_property("points", points)


def test_a_killed_push_that_got_through_is_found(checkout, apart, approved, git, tmp_path):
    """The remote took the push and the answer never came: the entry must not be pushed a second time."""
    draft = approved()
    hook = Path(apart) / "hooks/post-receive"
    hook.write_text("#!/bin/sh\nkill -9 $(cat ../publisher.pid)\n")
    hook.chmod(0o755)
    child = os.fork()
    if child == 0:
        (tmp_path / "publisher.pid").write_text(str(os.getpid()))
        list(publish([draft], checkout.queue, by="Ada"))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    hook.unlink()

    (publication,) = publish([checkout.queue.get(draft.id)], checkout.queue, by="Ada")

    assert publication.outcome is Outcome.PUBLISHED
    assert git(apart, "show", f"HEAD:{APART}").count(marker(draft.id, draft.sha256)) == 1
    assert git(tmp_path / "logbooks", "status", "--porcelain", "--branch") == "## main...origin/main"
