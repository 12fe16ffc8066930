"""The uncommitted changes that a run was launched with, as its record has them: a patch, and what is not in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marin_research.errors import ReproductionError
from marin_research.record import Blob, Unknown

if TYPE_CHECKING:
    from marin_research.record import Git
    from marin_research.store import RecordStore

_SECTION = re.compile(rb"^(?=diff --git )", re.MULTILINE)
_NAME = re.compile(rb"diff --git (?:\"?a/.*?\"?) \"?b/(?P<name>.*?)\"?$", re.MULTILINE)
_BINARY = re.compile(rb"^Binary files .* differ$", re.MULTILINE)
_LEFT_OUT = re.compile(rb"^# untracked, not kept \(\d+ bytes\): (?P<name>.*)\n?", re.MULTILINE)
_MASKED = re.compile(rb"\[REDACTED:[a-z0-9-]+\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDiff:
    """Changes against the commit."""

    patch: bytes
    """What `git apply` takes at the top of the checkout; may be empty."""
    left_out: tuple[str, ...] = ()
    """Changed files whose content is not in the record: too large, or no text."""
    masked: tuple[str, ...] = ()
    """Files in which a secret was masked before it was recorded."""

    @property
    def missing(self) -> str:
        """What it does not hold, in words; empty if it holds everything."""
        parts = [
            f"the content of {', '.join(self.left_out)} is not in the record" if self.left_out else "",
            f"secrets in {', '.join(self.masked)} were masked" if self.masked else "",
        ]
        return "; ".join(part for part in parts if part)


def read_diff(git: Git, store: RecordStore) -> RecordedDiff:
    """The changes that a record keeps; none for a clean tree.

    Raises:
        ReproductionError: there were some, or may have been, and they are not in the record.
    """
    if isinstance(git.dirty, Unknown):
        raise ReproductionError(f"whether the tree was clean is not recorded ({git.dirty.why})")
    if not git.dirty:
        return RecordedDiff(patch=b"")
    if not isinstance(git.diff, Blob):
        raise ReproductionError(f"the tree had uncommitted changes that are not in the record ({git.diff.why})")
    return parse_diff(store.blob(git.diff))


def parse_diff(recorded: bytes) -> RecordedDiff:
    """A recorded diff, its parts told apart."""
    left_out = [found["name"] for found in _LEFT_OUT.finditer(recorded)]
    kept, masked = [], []
    for section in _SECTION.split(_LEFT_OUT.sub(b"", recorded)):
        named = _NAME.match(section)
        if named is None:
            continue
        if _BINARY.search(section):
            left_out.append(named["name"])
            continue
        kept.append(section)
        if _MASKED.search(section):
            masked.append(named["name"])
    return RecordedDiff(patch=b"".join(kept), left_out=_texts(left_out), masked=_texts(masked))


def _texts(names: list[bytes]) -> tuple[str, ...]:
    return tuple(name.decode(errors="replace") for name in names)
