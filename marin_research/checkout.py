"""What git says of a checkout. It is asked in processes that run while we do something else, and heard later.

Loads little on purpose: the questions are the first thing that a recorded command does.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from marin_research.record import Blob, Git, Unknown
    from marin_research.redact import Redactor

_MAX_DIFF_BYTES = 20_000_000
_MAX_UNTRACKED_BYTES = 256_000
_GIT_TIMEOUT_S = 20
_AS_A_PATCH = (
    *("--no-color", "--no-ext-diff", "--no-textconv", "--no-relative"),
    *("--src-prefix=a/", "--dst-prefix=b/", "--unified=3", "--submodule=short"),
)
"""Whatever somebody's settings make of a diff, this one has to apply."""
WORK_MEMORY = ".skillevolve"
"""What was learned while working: it stays on this machine until something that is drafted from it is approved."""
_NOTES = (b".agents", os.fsencode(WORK_MEMORY))
"""Logbooks, what threads declare and work memory: they grow as one works, and nothing that runs depends on them."""
_CODE = (".", *(f":(exclude){os.fsdecode(folder)}" for folder in _NOTES))
_BELOW = tuple(folder + b"/" for folder in _NOTES)
_IN_TREE = tuple(b"\t" + folder for folder in _NOTES)
_FIELDS_BEFORE_NAME = {b"1": 8, b"2": 9, b"u": 10, b"?": 1}
"""By the kind of an entry of ``git status --porcelain=v2``."""
_OUTSIDE = ("not a git repository", "must be run in a work tree")


def checkout_top(start: Path | None = None) -> Path | None:
    """The top folder of the git checkout around ``start`` (the working directory), if there is one."""
    here = (start or Path.cwd()).absolute()
    return next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), None)


def is_work_memory(path: str) -> bool:
    """Whether a path of a checkout, relative to its top, is in the work memory."""
    return path.startswith(f"{WORK_MEMORY}/")


class Asked:
    """One call of git that was started."""

    def __init__(self, top: Path, *args: str, stdin: bytes = b"", index: Path | None = None) -> None:
        """Start git in ``top``, with an index of its own if one is given."""
        # git refuses `stash create` without an identity; the one given here ends up in no ref.
        own = {f"GIT_{role}_{part}": "marin-research" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
        own |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1"}
        if index is not None:
            own["GIT_INDEX_FILE"] = str(index)
        self._name = next(word for word in args if not word.startswith("-"))
        self._stdin = stdin
        self._process: subprocess.Popen[bytes] | None = None
        self._problem = ""
        try:
            self._process = subprocess.Popen(
                ["git", *args],
                cwd=top,
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, **own},
            )
        except FileNotFoundError:
            self._problem = "git is not installed"
        except OSError as error:
            self._problem = self._silence(error)

    def bytes(self) -> tuple[bytes, str]:
        """What git printed and, when it could not be run or failed, the reason."""
        if self._process is None:
            return b"", self._problem
        try:
            output, complaint = self._process.communicate(self._stdin or None, timeout=_GIT_TIMEOUT_S)
        except (subprocess.TimeoutExpired, OSError) as error:
            self._process.kill()
            self._process.communicate()
            return b"", self._silence(error)
        if self._process.returncode not in (0, 1):  # 1 is how git says "there is none"
            reason = complaint.decode(errors="replace").strip().partition("\n")[0]
            return b"", reason or f"git {self._name} failed"
        return output, ""

    def text(self) -> tuple[str, str]:
        output, problem = self.bytes()
        return output.decode(errors="replace").rstrip("\n"), problem

    def _silence(self, error: Exception) -> str:
        return f"git {self._name} did not answer ({type(error).__name__})"


class Checkout:
    """The checkout around a folder (the working directory); git is at work on the questions that are always asked."""

    def __init__(self, folder: Path | None = None) -> None:
        self._top = checkout_top(folder) or folder or Path.cwd()
        self._status = self._ask("status", "--porcelain=v2", "--branch", "--untracked-files=all", "-z")
        self._remote = self._ask("remote", "get-url", "origin")
        self._head_tree = self._ask("rev-parse", "--short", "HEAD^{tree}")
        self._head_files = self._ask("ls-tree", "-z", "HEAD")

    def state(self, redactor: Redactor, keep: Callable[[bytes], Blob], *, store: Path | None = None) -> Git:
        """The state of the checkout; research notes are no part of it.

        Args:
            redactor: masks credentials in the remote and secrets in the diff.
            keep: stores the diff of a dirty tree.
            store: the folder of the record store; where it is in the checkout, it is no part of it.
        """
        from marin_research.record import Git, Unknown

        status, problem = self._status.bytes()
        remote, _ = self._remote.text()
        head_tree, _ = self._head_tree.text()
        if any(reason in problem for reason in _OUTSIDE):
            missing = Unknown("not in a git checkout")
            return Git(commit=missing, branch=missing, remote=missing, tree=missing, dirty=missing, diff=missing)
        own = self._untracked_in(store)
        entries = [entry for entry in status.split(b"\0") if own is None or not entry.startswith(own)]
        commit, branch = self._head() if problem else _head_of(entries)
        changes = [(kind, name) for kind, name in _changed(entries) if not _is_note(name)]
        dirty = Unknown(problem) if problem else bool(changes)
        none_yet = Unknown(problem or "the checkout has no commits yet")
        tree: str | Unknown = (head_tree or none_yet) if commit else none_yet
        diff: Blob | Unknown = Unknown("the tree is clean")
        if isinstance(dirty, Unknown):
            tree = diff = dirty
        elif dirty:
            stash = self._ask("stash", "create") if commit else None
            untracked = [name for kind, name in changes if kind == b"?"]
            diff = self._diff(untracked, redactor, keep, has_commit=bool(commit))
            tree = self._tree_of(stash, head_tree) if stash else none_yet
        return Git(
            commit=commit or none_yet,
            branch=branch or Unknown("detached HEAD"),
            remote=redactor.url(remote) if remote else Unknown("the checkout has no remote called origin"),
            tree=tree,
            dirty=dirty,
            diff=diff,
            code=self._code() if commit else none_yet,
        )

    def _code(self) -> str | Unknown:
        import hashlib

        from marin_research.record import Unknown

        listed, problem = self._head_files.bytes()
        if problem:
            return Unknown(problem)
        files = [line for line in listed.split(b"\0") if not line.endswith(_IN_TREE)]
        return hashlib.sha256(b"\0".join(files)).hexdigest()

    def _ask(self, *args: str, stdin: bytes = b"", index: Path | None = None) -> Asked:
        return Asked(self._top, *args, stdin=stdin, index=index)

    def _untracked_in(self, folder: Path | None) -> bytes | None:
        """How entries of untracked files in a folder begin; None if it is not in the checkout."""
        try:
            inside = folder and folder.resolve().relative_to(self._top.resolve())
        except (OSError, ValueError):
            return None
        return b"? " + os.fsencode(inside) + b"/" if inside else None

    def _head(self) -> tuple[str, str]:
        """Commit and branch where the status cannot be had."""
        return (
            self._ask("rev-parse", "--verify", "--quiet", "HEAD").text()[0],
            self._ask("symbolic-ref", "--short", "--quiet", "HEAD").text()[0],
        )

    def _tree_of(self, stash: Asked, head_tree: str) -> str | Unknown:
        # The content hash that Marin's own records carry (rigging.provenance), so that the two can be joined.
        from marin_research.record import Unknown

        commit, problem = stash.text()
        if problem or not commit:
            return Unknown(problem) if problem else head_tree
        tree, problem = self._ask("rev-parse", "--short", f"{commit}^{{tree}}").text()
        return tree or Unknown(problem or "git gave no tree")

    def _diff(
        self, untracked: list[bytes], redactor: Redactor, keep: Callable[[bytes], Blob], *, has_commit: bool
    ) -> Blob | Unknown:
        import tempfile

        from marin_research.record import Unknown

        # Without a commit, the difference is to the empty tree.
        base = "HEAD" if has_commit else self._ask("hash-object", "-t", "tree", "/dev/null").text()[0]
        new, left_out = self._small_enough(untracked)
        try:
            with tempfile.TemporaryDirectory(prefix="marin-research-") as folder:
                index = Path(folder) / "index"
                problem = self._announce(new, index) if new else ""
                diff, failed = self._patch(base, *_CODE, index=index if new else None)
                binary, apart = self._binary(base, redactor) if b"\nBinary files " in diff else (b"", ())
                if binary:
                    diff, failed = self._patch(base, *_CODE, *apart, index=index if new else None)
        except OSError as error:
            return Unknown(f"git's index could not be copied: {error}")
        if problem or failed:
            return Unknown(problem or failed)
        diff += left_out
        if len(diff) > _MAX_DIFF_BYTES:
            return Unknown(f"the diff has {len(diff)} bytes, more than {_MAX_DIFF_BYTES}")
        masked = redactor.text(diff.decode("utf-8", "surrogateescape")).text.encode("utf-8", "surrogateescape")
        return keep(binary + masked)

    def _binary(self, base: str, redactor: Redactor) -> tuple[bytes, tuple[str, ...]]:
        """A patch of the binary changes that may be kept, and the words that leave them out of another one."""
        from marin_research.binary_changes import keepable

        names = keepable(self._ask, self._top, base, _CODE, redactor)
        patch = self._patch(base, *(f":(top,literal){name}" for name in names), binary=True)[0] if names else b""
        return patch, tuple(f":(exclude,top,literal){name}" for name in names)

    def _patch(self, base: str, *paths: str, binary: bool = False, index: Path | None = None) -> tuple[bytes, str]:
        how = (*_AS_A_PATCH, "--binary", "--no-renames") if binary else _AS_A_PATCH
        return self._ask("--no-literal-pathspecs", "diff", *how, base, "--", *paths, index=index).bytes()

    def _small_enough(self, untracked: list[bytes]) -> tuple[list[bytes], bytes]:
        """The untracked files that are small enough to keep, and lines that name the others."""
        kept: list[bytes] = []
        left_out = b""
        room = _MAX_DIFF_BYTES // 2
        for name in untracked:
            try:
                size = (self._top / os.fsdecode(name)).lstat().st_size
            except OSError:
                continue  # deleted since
            # A name that ends with a slash is another checkout.
            if name.endswith(b"/") or size > min(_MAX_UNTRACKED_BYTES, room):
                left_out += b"# untracked, not kept (%d bytes): %s\n" % (size, name)
            else:
                kept.append(name)
                room -= size
        return kept, left_out

    def _announce(self, names: list[bytes], index: Path) -> str:
        """Make ``index`` one that knows the new files too, so that one diff shows all; gives the problem."""
        own, problem = self._ask("rev-parse", "--git-path", "index").text()
        if problem:
            return problem
        with contextlib.suppress(FileNotFoundError):  # nothing was ever added
            index.write_bytes((self._top / own).read_bytes())
        asked = self._ask(
            "add", "-N", "--pathspec-from-file=-", "--pathspec-file-nul", stdin=b"\0".join(names), index=index
        )
        return asked.bytes()[1]


def _head_of(entries: list[bytes]) -> tuple[str, str]:
    """Commit and branch in a status; the empty string for what there is none of."""
    said = dict(entry[2:].split(b" ", 1) for entry in entries if entry.startswith(b"# "))
    commit, branch = (said.get(name, b"").decode(errors="replace") for name in (b"branch.oid", b"branch.head"))
    return ("" if commit == "(initial)" else commit), ("" if branch == "(detached)" else branch)


def _changed(entries: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Each changed path of a status with the kind of its entry: ``?`` for an untracked one."""
    left = iter(entries)
    for entry in left:
        kind = entry[:1]
        fields = _FIELDS_BEFORE_NAME.get(kind)
        if fields is None:
            continue
        yield kind, entry.split(b" ", fields)[-1]
        if kind == b"2":  # the name that a file had before follows as an entry of its own, and may look like anything
            yield kind, next(left, b"")


def _is_note(name: bytes) -> bool:
    return name.startswith(_BELOW)
