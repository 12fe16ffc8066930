"""What can go wrong between here and GitHub, told apart by whether anything was done there.

::

    PublicationError
    |-- GitHubError            it said no, or nothing that can be understood
    |   |-- MissingError       there is no such thing, or it is not for us to see
    |   `-- LostAnswerError    the request was sent and its answer never came: it may have been carried out
    `-- NotYetError
        |-- UnreachableError   nothing was sent
        `-- RateLimitError     it refused to listen for now; nothing was done
"""

from __future__ import annotations

from curator.errors import NotYetError, PublicationError


class GitHubError(PublicationError):
    """GitHub said no, or nothing that can be understood."""


class MissingError(GitHubError):
    """There is no such thing, or none that the token may see."""


class LostAnswerError(GitHubError):
    """The request was sent and its answer never came; it may have been carried out."""


class UnreachableError(NotYetError):
    """GitHub cannot be reached; nothing was sent."""


class RateLimitError(NotYetError):
    """GitHub asks to be left alone for a while; nothing was done."""
