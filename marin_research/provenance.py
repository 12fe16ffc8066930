"""Where a launch came from: its command line, checkout, environment and versions. Asks only git and this process.

Everything goes through the redactor before it leaves these functions, so what they return may be written down.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from marin_research.record import Blob, Command, Git, Unknown
from marin_research.store import checkout_top

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from marin_research.redact import Redactor

PACKAGES = (
    "marin-core", "marin-levanter", "marin-fray", "marin-iris", "marin-zephyr", "marin-haliax",
    "jax", "jaxlib", "libtpu", "flax", "optax", "equinox", "numpy", "torch", "transformers", "ray", "wandb",
    "marin-research",
)  # fmt: skip
"""Packages whose versions can change a result."""

ENVIRONMENT = re.compile(
    r"(?:JAX|XLA|LIBTPU|TPU|PJRT|MARIN|WANDB|LEVANTER|HALIAX|NCCL|CUDA|HF_DATASETS|TF|EQX|OMP|MKL)_\w+"
    r"|RUN_ID|PYTHONHASHSEED|PYTHONPATH|TOKENIZERS_PARALLELISM|VIRTUAL_ENV|IRIS_JOB_ID|IRIS_TASK_ID",
    re.ASCII,
)
"""Names of variables that can change a result or say where it ran; no other variable is ever kept."""

_AMBIENT = re.compile(r"VIRTUAL_ENV|PYTHONPATH|IRIS_\w+|TPU_\w+|PJRT_\w+|TF_\w+")
"""Set by environments and clusters rather than typed; in the record, but not in front of the command."""

_NEVER = re.compile(r".*(?:KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL)S?$|MARIN_PROVENANCE|MARIN_RESEARCH_.*")

_MAX_DIFF_BYTES = 20_000_000
_MAX_UNTRACKED_BYTES = 256_000
_GIT_TIMEOUT_S = 20


def command(argv: Sequence[str], redactor: Redactor, *, cwd: Path | None = None) -> Command:
    """The command line as it can be pasted, without its secrets."""
    here = (cwd or Path.cwd()).absolute()
    masked = redactor.argv(argv)
    top = checkout_top(here)
    given = environment(redactor, initial_environment())
    assignments = [f"{name}={shlex.quote(value)}" for name, value in given.items() if not _AMBIENT.fullmatch(name)]
    return Command(
        argv=masked,
        line=" ".join([*assignments, shlex.join(masked)]),
        cwd=str(here),
        cwd_in_repository=here.relative_to(top).as_posix() if top else Unknown("not in a git checkout"),
    )


def launch_argv() -> list[str]:
    """The command line of this program as it was typed: the interpreter and its options too."""
    return list(sys.orig_argv)


def initial_environment() -> dict[str, str]:
    """The variables this process was started with, without what its own code has set since."""
    try:
        raw = Path("/proc/self/environ").read_bytes()
    except OSError:
        return dict(os.environ)  # not Linux
    pairs = (os.fsdecode(pair).partition("=") for pair in raw.split(b"\0") if pair)
    return {name: value for name, _, value in pairs}


def environment(redactor: Redactor, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The allowed variables, masked."""
    kept = {name: value for name, value in environ.items() if ENVIRONMENT.fullmatch(name) and not _NEVER.match(name)}
    return redactor.environment(dict(sorted(kept.items())))


def packages() -> dict[str, str]:
    """Versions of the packages that matter, of those installed."""
    from importlib.metadata import PackageNotFoundError, version  # slow, and commands do not ask

    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def python_version() -> str:
    return f"{platform.python_implementation()} {platform.python_version()}"


def platform_name() -> str:
    return f"{platform.system()} {platform.release()} {platform.machine()}"


def git(redactor: Redactor, keep: Callable[[bytes], Blob], *, folder: Path | None = None) -> Git:
    """The state of the checkout around ``folder`` (the working directory).

    Args:
        redactor: masks credentials in the remote and secrets in the diff.
        keep: stores the diff of a dirty tree.
        folder: where to look.
    """
    run = _Git(checkout_top(folder) or (folder or Path.cwd()))
    inside, reason = run.text("rev-parse", "--is-inside-work-tree")
    if inside != "true":
        outside = not reason or "not a git repository" in reason
        missing = Unknown("not in a git checkout" if outside else reason)
        return Git(commit=missing, branch=missing, remote=missing, tree=missing, dirty=missing, diff=missing)
    commit, _ = run.text("rev-parse", "--verify", "--quiet", "HEAD")
    branch, _ = run.text("symbolic-ref", "--short", "--quiet", "HEAD")
    remote, _ = run.text("remote", "get-url", "origin")
    status, problem = run.text("status", "--porcelain", "--untracked-files=all")
    dirty = Unknown(problem) if problem else bool(status)
    clean = dirty if isinstance(dirty, Unknown) else Unknown("the tree is clean")
    return Git(
        commit=commit or Unknown("the checkout has no commits yet"),
        branch=branch or Unknown("detached HEAD"),
        remote=redactor.url(remote) if remote else Unknown("the checkout has no remote called origin"),
        tree=_tree(run) if commit else Unknown("the checkout has no commits yet"),
        dirty=dirty,
        diff=_diff(run, redactor, keep, has_commit=bool(commit)) if dirty else clean,
    )


@dataclass(frozen=True, slots=True)
class _Git:
    """Git in one checkout, with an index of its own where one is given."""

    top: Path
    index: Path | None = None

    def bytes(self, *args: str, stdin: bytes = b"") -> tuple[bytes, str]:
        """Output and, when git could not be run or failed, the reason."""
        # git refuses `stash create` without an identity; the one given here ends up in no ref.
        own = {f"GIT_{role}_{part}": "marin-research" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
        own |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1"}
        if self.index is not None:
            own["GIT_INDEX_FILE"] = str(self.index)
        try:
            done = subprocess.run(
                ["git", *args],
                cwd=self.top,
                input=stdin,
                capture_output=True,
                timeout=_GIT_TIMEOUT_S,
                check=False,
                env={**os.environ, **own},
            )
        except FileNotFoundError:
            return b"", "git is not installed"
        except (subprocess.TimeoutExpired, OSError) as error:
            return b"", f"git {args[0]} did not answer ({type(error).__name__})"
        if done.returncode not in (0, 1):  # 1 is how git says "there is none"
            return b"", done.stderr.decode(errors="replace").strip().partition("\n")[0] or f"git {args[0]} failed"
        return done.stdout, ""

    def text(self, *args: str) -> tuple[str, str]:
        output, problem = self.bytes(*args)
        return output.decode(errors="replace").rstrip("\n"), problem


def _tree(run: _Git) -> str | Unknown:
    # The content hash that Marin's own records carry (rigging.provenance), so that the two can be joined.
    stash, problem = run.text("stash", "create")
    if problem:
        return Unknown(problem)
    tree, problem = run.text("rev-parse", "--short", f"{stash or 'HEAD'}^{{tree}}")
    return tree or Unknown(problem or "git gave no tree")


def _diff(run: _Git, redactor: Redactor, keep: Callable[[bytes], Blob], *, has_commit: bool) -> Blob | Unknown:
    import tempfile

    base = "HEAD" if has_commit else run.text("hash-object", "-t", "tree", "--stdin")[0]  # the empty tree
    new, left_out = _untracked(run)
    try:
        with tempfile.TemporaryDirectory(prefix="marin-research-") as folder:
            scratch = _Git(run.top, Path(folder) / "index")
            problem = _announce(new, run, scratch)
            diff, failed = scratch.bytes("diff", "--no-color", "--no-ext-diff", "--no-textconv", base, "--")
    except OSError as error:
        return Unknown(f"git's index could not be copied: {error}")
    if problem or failed:
        return Unknown(problem or failed)
    diff += left_out
    if len(diff) > _MAX_DIFF_BYTES:
        return Unknown(f"the diff has {len(diff)} bytes, more than {_MAX_DIFF_BYTES}")
    return keep(redactor.text(diff.decode("utf-8", "surrogateescape")).text.encode("utf-8", "surrogateescape"))


def _untracked(run: _Git) -> tuple[list[bytes], bytes]:
    """The untracked files that are small enough to keep, and lines that name the others."""
    names, _ = run.bytes("ls-files", "--others", "--exclude-standard", "-z")
    kept: list[bytes] = []
    left_out = b""
    room = _MAX_DIFF_BYTES // 2
    for name in filter(None, names.split(b"\0")):
        try:
            size = (run.top / os.fsdecode(name)).lstat().st_size
        except OSError:
            continue  # deleted since
        # A name that ends with a slash is another checkout.
        if name.endswith(b"/") or size > min(_MAX_UNTRACKED_BYTES, room):
            left_out += b"# untracked, not kept (%d bytes): %s\n" % (size, name)
        else:
            kept.append(name)
            room -= size
    return kept, left_out


def _announce(names: list[bytes], run: _Git, scratch: _Git) -> str:
    """Make the index of ``scratch`` one that knows the new files too, so that one diff shows all; gives the problem."""
    own, problem = run.text("rev-parse", "--git-path", "index")
    if problem or scratch.index is None:
        return problem
    with contextlib.suppress(FileNotFoundError):  # nothing was ever added
        scratch.index.write_bytes((run.top / own).read_bytes())
    if names:
        listed = b"\0".join(names)
        _, problem = scratch.bytes("add", "-N", "--pathspec-from-file=-", "--pathspec-file-nul", stdin=listed)
    return problem
