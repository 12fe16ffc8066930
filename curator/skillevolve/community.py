"""What the community knows of an error: a search by its template, bounded in time, off without a key.

What is found is other people's text. It is given as data, on one line each, and nothing in it is acted on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from curator.plain import one_line
from curator.skillevolve import limits
from curator.skillevolve.errors import CredentialsError, SkillEvolveError
from curator.skillevolve.privacy import Privacy, why_private
from marin_research.errors import UsageError
from marin_research.redact import Redactor

_PLACEHOLDER = re.compile(r"<[^<>\s]{1,20}>|\[REDACTED:[a-z0-9-]+\]")
_SHOWN = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class CommunityPost:
    """A post that speaks of the same error."""

    title: str
    """By whoever wrote it."""
    link: str
    type: str
    """``discovery``, ``help_wanted``, ..."""


def community_posts(
    error_template: str, *, names: tuple[str, ...] = (), most: int = 3, within_s: float = 5.0
) -> tuple[CommunityPost, ...]:
    """Posts about an error; none without a key, without an answer in time, or where nothing telling is left of it.

    Args:
        error_template: the error without what differs each time; its placeholders and what is private are not sent.
        names: private names of the thread.
        most: how many at most.
        within_s: seconds for each of connecting, sending and waiting, and for the whole of the answer.
    """
    from curator.skillevolve.credentials import api_url, find_credentials

    query = " ".join(_PLACEHOLDER.sub(" ", Privacy(names).clean(error_template)).split())
    try:
        credentials = find_credentials()
        if credentials is None or not re.search(r"[^\W\d]{4}", query):
            return ()
        from curator.skillevolve.reading import Reader
        from curator.skillevolve.transport import Transport

        with Transport(api_url(), credentials, timeout_s=within_s, within_s=within_s, tries=1) as transport:
            reader = Reader(transport)
            found = reader.search(limits.shortened(query, limits.QUERY)).posts[:most]
            return tuple(
                CommunityPost(title=one_line(p.title)[:_SHOWN], link=reader.post_url(p.id), type=one_line(p.type)[:20])
                for p in found
                if p.id and p.title
            )
    except (SkillEvolveError, CredentialsError):
        return ()


def sendable_query(words: str) -> str:
    """A query that a person typed, as it may be sent.

    Raises:
        UsageError: it holds what looks like a secret; nothing was sent.
    """
    removed = Redactor.from_environment().text(words).removed
    if removed:
        raise UsageError(f"{why_private(removed[0])}; nothing was sent")
    return words
