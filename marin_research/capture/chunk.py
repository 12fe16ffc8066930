"""A finished stretch of output as one gzip file, which also says when it was printed. Any gunzip reads it.

The times stand in the header's extra field, so that they are stored with the text or not at all: lines of a byte's
place in the whole output and the seconds since the epoch, themselves compressed.
"""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress

_MAGIC = b"\x1f\x8b\x08"
_HAS_EXTRA = 4
_FIXED = struct.Struct("<3sBIBB")
_FIELD = b"MR"
_ROOM = 0xFFFF - 4
"""Bytes that the extra field leaves for the times."""

type Marks = list[tuple[int, float]]
"""Places in the output, in bytes, each with the time at which what begins there was printed."""


def pack(raw: bytes, marks: Marks) -> bytes:
    """``raw`` as a gzip file with ``marks``, as many of them as there is room for."""
    field = _packed_marks(marks)
    header = _FIXED.pack(_MAGIC, _HAS_EXTRA, 0, 4, 255) + struct.pack("<H", len(field)) + field
    body = zlib.compressobj(1, wbits=-zlib.MAX_WBITS)
    return b"".join(
        [header, body.compress(raw), body.flush(), struct.pack("<II", zlib.crc32(raw), len(raw) & 0xFFFFFFFF)]
    )


def marks_of(packed: bytes) -> Marks:
    """The times of a chunk, as far as its beginning is whole."""
    if len(packed) < _FIXED.size + 6 or packed[:3] != _MAGIC or not packed[3] & _HAS_EXTRA:
        return []
    name, size = packed[12:14], struct.unpack_from("<H", packed, 14)[0]
    if name != _FIELD:
        return []
    with suppress(zlib.error):
        return parse_marks(zlib.decompress(packed[16 : 16 + size]))
    return []


def parse_marks(text: bytes) -> Marks:
    """The marks that stand in ``text``, whose last line may have been cut off."""
    marks = []
    for line in text.split(b"\n")[:-1]:
        place, _, seconds = line.partition(b" ")
        with suppress(ValueError):
            marks.append((int(place), float(seconds)))
    return marks


def format_mark(place: int, seconds: float) -> str:
    return f"{place} {seconds:.3f}\n"


def _packed_marks(marks: Marks) -> bytes:
    data = zlib.compress("".join(format_mark(*mark) for mark in marks).encode())
    while len(data) > _ROOM:
        marks = marks[::2]
        data = zlib.compress("".join(format_mark(*mark) for mark in marks).encode())
    return _FIELD + struct.pack("<H", len(data)) + data
