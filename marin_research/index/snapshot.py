"""A database as one file that is written whole, and believed only if every byte of it is as it was written.

It is never changed in place, so there are no locks, and neither a crash nor two programs at once can leave it half new.
Whatever is wrong with it, and wherever it cannot be written, there is just no snapshot.
"""

from __future__ import annotations

import os
import struct
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC = b"marin-research index\n"
_HEADER = struct.Struct(f"<{len(_MAGIC)}sQI")


def load(path: Path) -> memoryview | None:
    """What ``save`` wrote; None if there is nothing, or anything else."""
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    if len(raw) < _HEADER.size:
        return None
    magic, size, checksum = _HEADER.unpack_from(raw)
    data = memoryview(raw)[_HEADER.size :]
    if magic != _MAGIC or size != len(data) or checksum != zlib.crc32(data):
        return None
    return data  # not copied: it is megabytes


def save(path: Path, data: bytes) -> None:
    """Replace what is there, if that can be done."""
    part = path.with_name(f".{path.name}-{os.getpid()}-{os.urandom(4).hex()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("xb") as file:
            file.write(_HEADER.pack(_MAGIC, len(data), zlib.crc32(data)))
            file.write(data)
        part.replace(path)  # not synced: a part of it that never reached the disk shows in the checksum
    except OSError:
        with suppress(OSError):
            part.unlink()
