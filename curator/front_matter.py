"""Fields at the head of a text, for what is published beside its body: a title, labels, the kind of a post.

They are part of the text, so that one approval and one hash cover everything that leaves, and an edit may change it.
"""

from __future__ import annotations

import re
from typing import Any

from curator.errors import CuratorError

_FRONT_MATTER = re.compile(r"---[ \t]*\n(?P<fields>.*?\n)---[ \t]*(?:\n+|\Z)", re.DOTALL)


def split(text: str) -> tuple[dict[str, Any], str]:
    """The fields of a text and its body; no fields where it does not begin with ``---``.

    Raises:
        CuratorError: the head is not YAML, or not keys and values.
    """
    import yaml

    found = _FRONT_MATTER.match(text)
    if found is None:
        return {}, text
    try:
        fields = yaml.safe_load(found["fields"])
    except yaml.YAMLError as error:
        why = " ".join(str(error).split())
        raise CuratorError(f"the head of the text is not YAML ({why}); mend it with `curator edit`") from error
    if not isinstance(fields, dict):
        raise CuratorError("the head of the text holds no keys and values; mend it with `curator edit`")
    return {str(key): value for key, value in fields.items()}, text[found.end() :]


def join(fields: dict[str, Any], body: str) -> str:
    """A text with these fields at its head."""
    import yaml

    head = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=110)
    return f"---\n{head}---\n\n{body}"
