"""Changes in a thread's file, which people write and comment by hand: one line changes, the others stay as they are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from curator.errors import PublicationError

_ISSUE = re.compile(r"^issue:.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ThreadFilePlan:
    data: bytes
    """The whole new file."""


def plan_issue(data: bytes, url: str) -> ThreadFilePlan | None:
    """Set the thread's experiment issue; None where it is set already.

    Raises:
        PublicationError: the file is written in a way that this cannot change safely.
    """
    import yaml

    text = data.decode()
    before = yaml.safe_load(text)
    if before.get("issue") == url:
        return None
    line = f"issue: {url}"
    changed = _ISSUE.sub(line, text, count=1)
    if changed == text:
        changed = f"{text}{'' if text.endswith(chr(10)) else chr(10)}{line}\n"
    if yaml.safe_load(changed) != {**before, "issue": url}:
        raise PublicationError(f"the thread's file cannot be changed safely; write `{line}` into it by hand")
    return ThreadFilePlan(changed.encode())
