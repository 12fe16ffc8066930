"""Which binary changes of a checkout are kept. No mask can look into git's binary patches, so few are.

A file has to be known to the commit, so that somebody meant it for others to see; what it was and what it is now have
to be small, and to hold nothing that looks like a secret. Whatever else is changed is named in the diff as git does it.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from marin_research.checkout import Asked
    from marin_research.redact import Redactor

_MAX_BYTES, _MAX_BYTES_IN_ALL, _MAX_FILES = 256_000, 1_000_000, 200
_READABLE = re.compile(rb"[\t\x20-\x7e]{6,}")
"""What can be a secret, and what it is called by: a few bytes of most binary files, so that looking takes no time."""
_BINARY = b"-\t-\t"
_FILE = re.compile(rb"100\d{3} blob (?P<sha>[0-9a-f]+) +(?P<size>\d+)\t(?P<name>.*)", re.DOTALL)


def keepable(ask: Callable[..., Asked], top: Path, base: str, code: Iterable[str], redactor: Redactor) -> list[str]:
    """The changed binary files that may be kept, relative to ``top``.

    Args:
        ask: calls git there.
        top: of the checkout.
        base: what the changes are against.
        code: where they are looked for, in git's words.
        redactor: knows what looks like a secret.
    """
    counted, _ = ask("--no-literal-pathspecs", "diff", "--numstat", "-z", "--no-renames", base, "--", *code).bytes()
    changed = [line[len(_BINARY) :] for line in counted.split(b"\0") if line.startswith(_BINARY)]
    listed, _ = ask("ls-tree", "-l", "-z", base, "--", *map(os.fsdecode, changed)).bytes() if changed else (b"", "")
    before = [found for line in listed.split(b"\0") if (found := _FILE.fullmatch(line))]
    return list(_clean(ask, top, before, redactor))


def _clean(ask: Callable[..., Asked], top: Path, before: list[re.Match[bytes]], redactor: Redactor) -> Iterator[str]:
    room, small = _MAX_BYTES_IN_ALL, []
    for found in before[:_MAX_FILES]:
        now = _content(top / os.fsdecode(found["name"]))
        size = int(found["size"]) + len(now or b"")
        if now is not None and int(found["size"]) <= _MAX_BYTES and size <= room:
            room -= size
            small.append((found, now))
    shown, _ = ask("cat-file", "--batch", stdin=b"".join(found["sha"] + b"\n" for found, _ in small)).bytes()
    for found, now in small:
        header, _, shown = shown.partition(b"\n")
        size = int(found["size"])
        old, shown = shown[:size], shown[size + 1 :]
        if header and not any(_secret(content, redactor) for content in (old, now)):
            yield os.fsdecode(found["name"])


def _content(path: Path) -> bytes | None:
    """What a file holds now, nothing if it was deleted; None if it is too large, or no file."""
    try:
        there = path.lstat()
        if not stat.S_ISREG(there.st_mode) or there.st_size > _MAX_BYTES:
            return None
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError:
        return None


def _secret(content: bytes, redactor: Redactor) -> bool:
    """Whether something in it looks like one; text of two bytes a character is looked at, too."""
    words = (_READABLE.findall(each) for each in (content, content.replace(b"\0", b"")))
    return any(redactor.text(b"\n".join(found).decode("ascii")).removed for found in words if found)
