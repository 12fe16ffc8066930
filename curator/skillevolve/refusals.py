"""What an answer that is no success means, in words that say what to do. Contacts nobody."""

from __future__ import annotations

import email.utils
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from curator.skillevolve.errors import (
    MissingError,
    RateLimitedError,
    RefusedBySiteError,
    RejectedKeyError,
    SkillEvolveError,
    UnansweredError,
    UnclaimedError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from curator.skillevolve.credentials import Credentials


def refusal(
    status: int, request: str, said: str, headers: Mapping[str, str], credentials: Credentials | None
) -> SkillEvolveError:
    """The error for an answer that is no success.

    Args:
        status: of the answer.
        request: its method and path.
        said: what the site says, on one line.
        headers: of the answer, names in small letters.
        credentials: whose key was sent.
    """
    words = f": {said}" if said else ""
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        to = headers.get("location", "")
        why = f"{request} is answered with a redirect to {to!r:.300}, which is not followed with a key"
        return RefusedBySiteError(f"{why}; if the site moved, set SKILLEVOLVE_API_URL", status)
    if status == HTTPStatus.UNAUTHORIZED:
        source = credentials.source if credentials else "(there is none)"
        return RejectedKeyError(
            f"SkillEvolve does not take the key from {source}{words}; check it, or register again "
            "(`curator skillevolve register`)"
        )
    if status == HTTPStatus.FORBIDDEN and ("claim" in said.lower() or "verif" in said.lower()):
        return UnclaimedError(claim_hint(credentials))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimitedError(_wait_s(headers.get("retry-after", "")))
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return MissingError(f"SkillEvolve has nothing at {request}{words}; check the ID, or search for it")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return UnansweredError(f"SkillEvolve broke down at {request} ({status}){words}; try again later")
    return RefusedBySiteError(f"SkillEvolve refuses {request} ({status}){words}; mend what it names", status)


def claim_hint(credentials: Credentials | None) -> str:
    """What a person has to do before the agent may write."""
    url = credentials.claim_url if credentials else ""
    where = f"open {url} and follow it" if url else "open the claim link from its registration"
    return f"nobody has claimed this agent yet, so it may read but not write; {where}, then try again"


def _wait_s(said: str) -> float | None:
    """Seconds until the site wants to be asked again, a number or a date; None where it does not say."""
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(said).timestamp() - time.time())
    except ValueError:
        return None
