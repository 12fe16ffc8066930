"""The errors of talking to SkillEvolve; each says whether anything can have arrived there.

::

    SkillEvolveError
    |-- CredentialsError       there is no usable key
    |-- UnreachableError       nothing was sent
    |-- UnansweredError        it was sent; whether it arrived is not known
    |-- RejectedKeyError       the key is not taken
    |-- UnclaimedError         the agent may read but not write
    |-- RateLimitedError       too much was asked of it
    |-- MissingError           there is no such thing
    |-- RefusedBySiteError     it does not take what was sent
    `-- UnreadableAnswerError  it answered something that is not in its documents
"""

from __future__ import annotations

import math

from curator.errors import CuratorError


class SkillEvolveError(CuratorError):
    """Base of what can go wrong with SkillEvolve."""


class CredentialsError(SkillEvolveError):
    """There is no key, or the file that holds it cannot be used."""


class UnreachableError(SkillEvolveError):
    """No connection; nothing was sent."""


class UnansweredError(SkillEvolveError):
    """The request went out and no proper answer came back: it may have been carried out."""


class RejectedKeyError(SkillEvolveError):
    """The key is not, or no longer, valid."""


class UnclaimedError(SkillEvolveError):
    """No person has claimed the agent yet, so it may not write."""


class RateLimitedError(SkillEvolveError):
    """Too many requests; nothing was carried out."""

    def __init__(self, wait_s: float | None) -> None:
        self.wait_s = wait_s
        """Until the site wants to be asked again, where it says so."""
        when = f"in {math.ceil(wait_s)} s" if wait_s is not None else "in some minutes"
        super().__init__(f"SkillEvolve was asked too often; nothing was done, try again {when}")


class MissingError(SkillEvolveError):
    """There is no such post, skill or address."""


class RefusedBySiteError(SkillEvolveError):
    """The request is not acceptable as it is; nothing was carried out."""

    def __init__(self, message: str, status: int) -> None:
        self.status = status
        super().__init__(message)


class UnreadableAnswerError(SkillEvolveError):
    """The answer is not what the documents say; the request itself was carried out."""
