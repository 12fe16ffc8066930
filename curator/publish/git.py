"""The checkouts that publishing works in: a remote that does not answer or refuses is something to wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING, override

from curator.errors import NotYetError
from marin_research.errors import RemoteError
from marin_research.git import WorkTree

if TYPE_CHECKING:
    from marin_research.git import Upstream


class Checkout(WorkTree):
    """A checkout whose network calls fail in the terms of publishing."""

    __slots__ = ()

    @override
    def fetch(self, upstream: Upstream) -> None:
        """Learn what the remote has.

        Raises:
            NotYetError: it cannot be reached.
        """
        try:
            WorkTree.fetch(self, upstream)
        except RemoteError as error:
            raise NotYetError(str(error)) from error

    @override
    def push(self, commit: str, upstream: Upstream) -> bool:
        """Push one commit to a branch, never by force; False if the branch has moved on meanwhile.

        Raises:
            NotYetError: the remote cannot be reached or refuses.
        """
        try:
            return WorkTree.push(self, commit, upstream)
        except RemoteError as error:
            raise NotYetError(str(error)) from error
