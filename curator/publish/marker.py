"""The hidden comment by which a published text is known where it stands."""

from __future__ import annotations

import re

MARKER = re.compile(r"<!-- marin-research: (?P<draft>\S+) sha256:(?P<sha256>[0-9a-f]{16}) -->")


def marker(draft_id: str, sha256: str) -> str:
    """Names the draft and the hash of its text, which nobody outside can know before it is out."""
    return f"<!-- marin-research: {draft_id} sha256:{sha256[:16]} -->"
