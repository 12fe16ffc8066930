"""What must not stand in a text that everybody can read. Enforced: nobody can approve past it.

Credentials and personal data are for ``marin_research.redact``; added here are the person's own name and where their
organisation keeps its data.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from curator.person import git_name
from marin_research.redact import Redactor
from marin_research.redaction.removed import Removed, merged, placeholder, replaced

if TYPE_CHECKING:
    from collections.abc import Sequence

_BUCKET = re.compile(r"\b(?:gs|s3a?|gcs|r2|az|abfss?|hdfs)://([^\s/\"'`<>()\[\]{},;]{1,200})", re.IGNORECASE)
_WORDS_FOR = {
    "bucket": "the name of a storage bucket",
    "email": "an e-mail address",
    "user": "the name of an account",
    "host": "the name of a machine",
    "ip": "the address of a machine",
    "name": "a private name",
}


class Privacy:
    """Finds and removes what is private.

    Args:
        names: private names of the thread.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        own = git_name()
        # A name of one word is too likely to be a word.
        self._redactor = Redactor.from_environment(public=True, names=[*names, own] if " " in own else names)

    def removed(self, text: str) -> list[Removed]:
        """The private places of a text, in order and apart."""
        buckets = [Removed("bucket", *match.span(1)) for match in _BUCKET.finditer(text)]
        return merged([*self._redactor.text(text).removed, *buckets])

    def clean(self, text: str) -> str:
        """The text with placeholders for what is private."""
        return replaced(text, self.removed(text))

    def tree(self, value: Any) -> Any:
        """A tree of mappings, lists and texts without what is private; keys stay."""
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, dict):
            return {key: self.tree(item) for key, item in value.items()}
        return [self.tree(item) for item in value] if isinstance(value, list | tuple) else value


def why_private(removed: Removed) -> str:
    """One clause for the person who has to take it out."""
    what = _WORDS_FOR.get(removed.kind, f"what looks like a secret ({removed.kind})")
    return f"{what} must not become public; write {placeholder(removed.kind)} or leave it out"
