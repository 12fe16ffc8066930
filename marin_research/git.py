"""One git checkout: what is committed where, new commits, tags, pushes. Knows nothing of logbooks, runs or drafts.

Commits are built from what is committed already, path by path, and not from the working tree: whatever else is changed
or staged there is neither committed nor touched. Nothing is ever forced; branches only move forward, and tags do not
move at all.
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from marin_research.checkout import checkout_top
from marin_research.errors import GitError, RemoteError
from marin_research.git_call import call_git

if TYPE_CHECKING:
    from collections.abc import Mapping

_NETWORK_S = 120
_REMOTE = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^@/]*@)?(?P<host>[\w.-]+)(?::\d+)?/|(?:[\w.-]+@)(?P<scp>[\w.-]+):)"
    r"(?P<repository>[\w.-]+/[\w.-]+?)(?:\.git)?/?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """The branch of a remote that the checked-out branch goes to."""

    remote: str
    branch: str

    @property
    def ref(self) -> str:
        return f"refs/remotes/{self.remote}/{self.branch}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """An annotated tag."""

    name: str
    object: str
    """Hash of the tag itself, which covers its message and what it is on."""
    commit: str
    message: str


@dataclass(frozen=True, slots=True)
class WorkTree:
    """The checkout at ``top``. Paths are relative to it, with ``/``."""

    top: Path

    @classmethod
    def around(cls, path: Path) -> Self | None:
        """The checkout that holds a file, symbolic links followed."""
        top = checkout_top(path.resolve().parent)
        return cls(top.resolve()) if top else None

    @classmethod
    def here(cls) -> Self:
        """The checkout around the working directory.

        Raises:
            GitError: there is none.
        """
        top = checkout_top()
        if top is None:
            raise GitError("this is no git checkout; go to one of the repository that the runs came from")
        return cls(top.resolve())

    def path_of(self, file: Path) -> str:
        return file.resolve().relative_to(self.top).as_posix()

    # What is there

    def commit_of(self, revision: str) -> str | None:
        found = self._run("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", fails=True)
        return found.decode().strip() or None

    def head(self) -> str:
        """The commit that is checked out.

        Raises:
            GitError: there is none.
        """
        commit = self.commit_of("HEAD")
        if commit is None:
            raise GitError(f"{self.top} has no commits yet; make the first one and try again")
        return commit

    def branch(self) -> str:
        """The branch that is checked out.

        Raises:
            GitError: none is.
        """
        found = self._run("symbolic-ref", "--short", "--quiet", "HEAD", fails=True).decode().strip()
        if not found:
            raise GitError(f"no branch is checked out in {self.top}; git switch to the research branch")
        return found

    def upstream(self) -> Upstream | None:
        """Where the checked-out branch is pushed to: what it tracks, else its name on ``origin`` or the only remote."""
        branch = self.branch()
        remote = self._config(f"branch.{branch}.remote")
        merge = self._config(f"branch.{branch}.merge").removeprefix("refs/heads/")
        if remote and remote != "." and merge:
            return Upstream(remote=remote, branch=merge)
        usual = self.usual_remote()
        return Upstream(remote=usual, branch=branch) if usual else None

    def usual_remote(self) -> str | None:
        """``origin``, or the only remote there is."""
        remotes = self._run("remote").decode().split()
        return "origin" if "origin" in remotes else remotes[0] if len(remotes) == 1 else None

    def read(self, revision: str, path: str) -> bytes | None:
        """A file as it is committed; ``:`` reads the index."""
        name = f"{'' if revision == ':' else revision}:{path}"
        if not self._run("rev-parse", "--verify", "--quiet", name, fails=True):
            return None
        return self._run("cat-file", "blob", name)

    def changed(self) -> list[str]:
        """Tracked files that differ from the last commit, staged or not."""
        said = self._run("status", "--porcelain=v1", "-z", "--untracked-files=no", "--no-renames")
        return [os.fsdecode(line[3:]) for line in said.split(b"\0") if line]

    def untracked(self) -> list[str]:
        """Files that git neither knows nor ignores."""
        said = self._run("ls-files", "--others", "--exclude-standard", "--full-name", "-z", ":/", literal=False)
        return [os.fsdecode(name) for name in said.split(b"\0") if name]

    def ignores(self, path: str) -> bool:
        # This command takes paths as they are and refuses to be told so.
        return bool(self._run("check-ignore", "--", path, fails=True, literal=False))

    def blob_of(self, path: str) -> str:
        """The hash that a file on disk would have if it were committed."""
        return self._run("hash-object", "--", path).decode().strip()

    def blob_in(self, tree: str, path: str) -> str | None:
        return self._run("rev-parse", "--verify", "--quiet", f"{tree}:{path}", fails=True).decode().strip() or None

    def is_ancestor(self, commit: str, of: str) -> bool:
        """Whether ``commit`` is here and part of the history of ``of``."""
        return self.commit_of(commit) is not None and self._says_yes("merge-base", "--is-ancestor", commit, of)

    def count(self, *revisions: str) -> int:
        return int(self._run("rev-list", "--count", *revisions))

    def introduced(self, revision: str, path: str, text: str) -> str | None:
        """The commit, at or before ``revision``, that brought ``text`` into ``path``, or else last changed the file."""
        for search in ([f"-S{text}"] if text else [], []):
            found = self._run("log", "-1", "--format=%H", *search, revision, "--", path).decode().strip()
            if found:
                return found
        return None

    def url(self, remote: str) -> str:
        """A remote's address as it was given; it may hold a password."""
        return self._config(f"remote.{remote}.url")

    def web(self, remote: str) -> str | None:
        """``https://host/owner/repository`` of a remote, if its address says so."""
        for said in (self._run("remote", "get-url", remote, fails=True).decode(), self.url(remote)):
            found = _REMOTE.fullmatch(said.strip())
            if found:
                return f"https://{found['host'] or found['scp']}/{found['repository']}"
        return None

    def differing(self) -> list[str]:
        """What is not as in the last commit, with how: changed, untracked and ignored files."""
        said = self._run("status", "--porcelain=v1", "-z", "--untracked-files=all", "--ignored", "--no-renames")
        return [os.fsdecode(line) for line in said.split(b"\0") if line]

    def apply(self, patch: bytes) -> None:
        """Apply a patch to the files.

        Raises:
            GitError: it does not apply; nothing was changed.
        """
        self._run("apply", "--whitespace=nowarn", "-", stdin=patch)

    # Worktrees

    def worktrees(self) -> list[Path]:
        """The folders of all worktrees of the repository that are there."""
        said = self._run("worktree", "list", "--porcelain", "-z").split(b"\0")
        paths = [Path(os.fsdecode(line[9:])) for line in said if line.startswith(b"worktree ")]
        return [path for path in paths if path.is_dir()]

    def add_worktree(self, path: Path, commit: str) -> Self:
        """Check a commit out into a folder that does not exist yet.

        Raises:
            GitError: git refuses, or something is there.
        """
        self._run("worktree", "add", "--quiet", "--detach", str(path), commit, seconds=_NETWORK_S)
        return type(self)(path)

    def remove_worktree(self, path: Path) -> None:
        """Remove a worktree with everything in it.

        Raises:
            GitError: it is none.
        """
        self._run("worktree", "remove", "--force", "--force", str(path))  # twice: also one that git was killed in

    # Tags

    def is_tag_name(self, name: str) -> bool:
        return not name.startswith("-") and self._says_yes("check-ref-format", f"refs/tags/{name}")

    def tags(self, pattern: str) -> list[str]:
        """The names of the tags that match a pattern of git's, such as ``lr-*``."""
        found = self._run("for-each-ref", "--format=%(refname:lstrip=2)", f"refs/tags/{pattern}")
        return found.decode().splitlines()

    def tag(self, name: str) -> Tag | None:
        """A tag of this checkout; one that is not annotated has no message and the hash of its commit."""
        parts = "%(refname)%0a%(objectname)%0a%(*objectname)%0a%(contents)"
        said = self._run("for-each-ref", "--count=1", f"--format={parts}", f"refs/tags/{name}")
        ref, *rest = said.decode(errors="replace").split("\n", 3)
        if ref != f"refs/tags/{name}":  # none, or one in a folder of that name
            return None
        return Tag(name=name, object=rest[0], commit=rest[1] or rest[0], message=rest[2])

    def make_tag(self, name: str, commit: str, message: str) -> Tag:
        """Tag a commit.

        Raises:
            GitError: there is a tag of that name, or git does not know who makes it.
        """
        self._run("tag", "--annotate", "--cleanup=verbatim", "--file=-", "--", name, commit, stdin=message.encode())
        made = self.tag(name)
        assert made is not None  # noqa: S101 - git said that it made it
        return made

    def remote_tag(self, remote: str, name: str) -> str | None:
        """The hash of the tag that a remote has under a name.

        Raises:
            RemoteError: it cannot be reached.
        """
        try:
            said = self._run("ls-remote", "--tags", remote, f"refs/tags/{name}", seconds=_NETWORK_S).decode()
        except GitError as error:
            raise RemoteError(f"{error}; try again when {remote} can be reached") from error
        lines = (line.split("\t") for line in said.splitlines())
        return next((found for found, ref in lines if ref == f"refs/tags/{name}"), None)

    def push_tag(self, remote: str, tag: Tag) -> None:
        """Push a tag, never by force; one that is there already is left as it is.

        Raises:
            RemoteError: the remote cannot be reached, does not take it, or has another tag of that name.
        """
        ref = f"refs/tags/{tag.name}"
        there = self.remote_tag(remote, tag.name)
        if there is None:
            try:
                self._run("push", "--quiet", "--porcelain", remote, f"{ref}:{ref}", seconds=_NETWORK_S)
            except GitError as error:
                raise RemoteError(f"{error}; nothing is forced: see what {remote} says, then push again") from error
            there = self.remote_tag(remote, tag.name)
        if there != tag.object:
            raise RemoteError(
                f"{remote} has another tag {tag.name} ({there}, here it is {tag.object}); tags are never moved: "
                "take another name"
            )

    # What is made

    def tree_with(self, commit: str, patch: bytes) -> str:
        """The tree that a commit and a patch make together; nothing in the checkout changes.

        Raises:
            GitError: the patch does not apply.
        """
        with tempfile.TemporaryDirectory(prefix="marin-research-") as folder:
            own = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._run("read-tree", commit, env=own)
            if patch:
                self._run("apply", "--cached", "--whitespace=nowarn", "-", stdin=patch, env=own)
            return self._run("write-tree", env=own).decode().strip()

    def commit(self, parent: str, files: Mapping[str, bytes], message: str) -> str:
        """Make a commit that differs from ``parent`` in ``files`` alone. No branch knows it yet."""
        with tempfile.TemporaryDirectory(prefix="marin-research-") as folder:
            own = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._run("read-tree", parent, env=own)
            for path, data in files.items():
                self.stage(path, data, mode=self._mode(parent, path), env=own)
            tree = self._run("write-tree", env=own).decode().strip()
        signed = ["-S"] if self._config("commit.gpgsign", "--type=bool") == "true" else []
        return self._run("commit-tree", *signed, "-p", parent, "-m", message, tree).decode().strip()

    def stage(self, path: str, data: bytes, *, mode: str = "", env: Mapping[str, str] | None = None) -> None:
        """Put a file into the index."""
        blob = self._run("hash-object", "-w", "--stdin", stdin=data).decode().strip()
        entry = f"{mode or self._mode('HEAD', path)},{blob},{path}"
        self._run("update-index", "--add", "--cacheinfo", entry, env=env)

    def advance(self, commit: str, *, before: str, why: str) -> bool:
        """Move the checked-out branch from ``before`` to ``commit``; False if it is elsewhere by now.

        Args:
            commit: the new commit.
            before: where the branch has to be.
            why: what the branch's log says.
        """
        ref = f"refs/heads/{self.branch()}"
        try:
            self._run("update-ref", "-m", why, ref, commit, before)
        except GitError:
            if self.commit_of("HEAD") == before:
                raise
            return False
        return True

    def fast_forward(self, revision: str) -> None:
        """Bring the checkout to a later commit.

        Raises:
            GitError: the checkout has commits or changes in the way.
        """
        self._run("merge", "--ff-only", "--quiet", revision)

    def fetch(self, upstream: Upstream) -> None:
        """Learn what the remote has.

        Raises:
            RemoteError: it cannot be reached.
        """
        refspec = f"+refs/heads/{upstream.branch}:{upstream.ref}"
        try:
            self._run("fetch", "--quiet", "--no-tags", upstream.remote, refspec, seconds=_NETWORK_S)
        except GitError as error:
            if "couldn't find remote ref" in str(error):
                return  # the branch was never pushed
            raise RemoteError(f"{error}; try again when {upstream.remote} can be reached") from error

    def push(self, commit: str, upstream: Upstream) -> bool:
        """Push one commit to a branch, never by force; False if the branch has moved on meanwhile.

        Raises:
            RemoteError: the remote cannot be reached or refuses.
        """
        target = f"{commit}:refs/heads/{upstream.branch}"
        try:
            self._run("push", "--quiet", "--porcelain", upstream.remote, target, seconds=_NETWORK_S)
        except GitError as error:
            if re.search(r"\[rejected\]|non-fast-forward|fetch first|cannot lock ref|stale info", str(error)):
                return False
            raise RemoteError(f"{error}; try again when {upstream.remote} takes it") from error
        # Pushing to an address instead of a remote's name would leave this out.
        self._run("update-ref", upstream.ref, commit)
        return True

    def _mode(self, revision: str, path: str) -> str:
        entry = self._run("ls-tree", revision, "--", path)
        if entry:
            return entry[:6].decode()
        return "100755" if os.access(self.top / path, os.X_OK) else "100644"

    def _says_yes(self, *args: str) -> bool:
        try:
            self._run(*args)
        except GitError:
            return False
        return True

    def _config(self, key: str, *options: str) -> str:
        return self._run("config", *options, "--get", key, fails=True).decode().strip()

    def _run(self, *args: str, **options: Any) -> bytes:
        return call_git(self.top, *args, **options)
