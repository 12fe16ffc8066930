"""The error tree: every error a user may meet, each ending with what to do next.

::

    MarinResearchError
    |-- ThreadError            a thread file is missing, unreadable or contradicts another one
    |-- StoreError             the record store cannot be read or written
    |   |-- StoreUnreachableError  a store that is far away does not answer a process that cannot wait
    |   |-- RunNotFoundError   no run answers to that name
    |   `-- EventFormatError   an event exists but this program cannot read it
    |-- ClusterError           a cluster cannot be reached, or does not answer
    |-- GitError               git refuses, or is not there
    |   `-- RemoteError        a remote cannot be reached, or does not take a push
    |-- SnapshotError          a snapshot cannot be made, or is not whole
    |-- ReproductionError      a run cannot be repeated from what is recorded of it
    |-- LogbookError           a logbook cannot be read or appended to
    `-- UsageError             the request itself makes no sense

The command lines print the message on one line and exit with 1 (``UsageError``: 2).
"""

from __future__ import annotations


class MarinResearchError(Exception):
    """Base of every error that this package raises on purpose."""


class ThreadError(MarinResearchError):
    """A thread file is missing, unreadable, or contradicts another thread."""


class StoreError(MarinResearchError):
    """The record store cannot be read or written."""

    reason: str | None = None
    """What a service said, where it is one, without what we were doing and what to do next."""


class StoreUnreachableError(StoreError):
    """A store that is far away does not answer a process that cannot wait for it."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        self.reason = reason
        super().__init__(
            f"{url} cannot be asked ({reason}); check the address, the network and its credentials, "
            "or name another place with --root"
        )


class RunNotFoundError(StoreError):
    """No run answers to the given name."""

    def __init__(self, name: str, root: str) -> None:
        self.name = name
        self.root = root
        super().__init__(f"no run {name!r} in {root}; `marin-research runs` lists the runs there are")


class EventFormatError(StoreError):
    """An event object exists but this version of the program cannot read it; it is left as it is."""

    def __init__(self, key: str, problem: str) -> None:
        self.key = key
        self.problem = problem
        super().__init__(f"{key}: {problem}; the object was left as it is")


class ClusterError(MarinResearchError):
    """A cluster is not known, cannot be reached, or does not tell of a job."""


class GitError(MarinResearchError):
    """Git refused, in its own words."""


class RemoteError(GitError):
    """A remote cannot be reached, or does not take what is pushed; nothing there has changed."""


class SnapshotError(MarinResearchError):
    """A snapshot cannot be made as it was asked for, or what there is of it is not whole."""


class ReproductionError(MarinResearchError):
    """A run cannot be repeated: something that it needs is not in the record or not here."""


class LogbookError(MarinResearchError):
    """A logbook cannot be read or appended to; it was left as it is."""


class UsageError(MarinResearchError):
    """The request itself makes no sense, whatever the state of the store."""
