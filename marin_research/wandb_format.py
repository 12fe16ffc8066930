"""The bytes of a W&B run file: a LevelDB log of protocol buffers. Knows nothing of what the records mean.

The log is made of 32 KiB blocks that hold records, cut where a block ends, each piece with a CRC. A record is a
``Record`` of W&B's ``wandb_internal.proto``; the few fields that are read are named by their numbers, which protocol
buffers keep stable. So ``wandb`` itself is not needed: a run may have been made in another environment, and importing
it takes a second.
"""

from __future__ import annotations

import struct
import zlib
from enum import IntEnum
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

START = struct.pack("<4sHB", b":W&B", 0xBEE1, 0)
"""How every file of the known version begins."""

_BLOCK = 32 * 1024
_CHUNK = struct.Struct("<IHB")
"""CRC, length and kind of the piece of a record that follows."""
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


class RecordField(IntEnum):
    """Field numbers of ``Record``."""

    HISTORY = 2
    SUMMARY = 3
    CONFIG = 5
    RUN = 17
    EXIT = 18


class RunField(IntEnum):
    """Field numbers of ``RunRecord``."""

    ENTITY = 2
    PROJECT = 3
    CONFIG = 4
    NAME = 8


class ItemField(IntEnum):
    """Field numbers of ``HistoryItem``, ``SummaryItem`` and ``ConfigItem``, which agree."""

    KEY = 1
    NESTED_KEY = 2
    INTEGER = 5
    NUMBER = 6
    JSON = 8
    VALUE_JSON = 16


class UpdateField(IntEnum):
    """Field numbers of ``SummaryRecord`` and ``ConfigRecord``, which agree."""

    UPDATE = 1
    REMOVE = 2


KEY_TAG = ItemField.KEY << 3 | 2
"""First byte of an item whose name is not nested."""
_NESTED_KEY_TAG = ItemField.NESTED_KEY << 3 | 2
_VALUE_JSON_TAG = b"\x82\x01"


class TornError(Exception):
    """The bytes from here on are not what they should be: the writer was killed, or the file is damaged."""


def payloads(file: BinaryIO) -> Iterator[bytes]:
    """The records of a log whose first bytes have been read.

    Raises:
        TornError: there is more, and it is not a whole record.
    """
    parts: list[bytes] = []
    size = _BLOCK - len(START)
    while block := file.read(size):
        position = 0
        while position < len(block) and size - position >= _CHUNK.size:  # a smaller rest of a block is padding
            if len(block) - position < _CHUNK.size:
                raise TornError
            crc, length, kind = _CHUNK.unpack_from(block, position)
            position += _CHUNK.size
            chunk = block[position : position + length]
            if len(chunk) < length or zlib.crc32(chunk, zlib.crc32(bytes([kind]))) != crc:
                raise TornError
            if (kind in (_MIDDLE, _LAST)) != bool(parts):
                raise TornError
            position += length
            if kind == _FULL:
                yield chunk
            else:
                parts.append(chunk)
            if kind == _LAST:
                yield b"".join(parts)
                parts.clear()
        size = _BLOCK
    if parts:
        raise TornError


def _varint(buffer: bytes, position: int) -> tuple[int, int]:
    """The number at ``position`` and where it ends."""
    result = shift = 0
    while True:
        byte = buffer[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, position
        shift += 7


def fields(buffer: bytes) -> Iterator[tuple[int, Any]]:
    """Field numbers and values of a protocol buffer message: integers as int, everything else as bytes."""
    position, end = 0, len(buffer)
    while position < end:
        tag, position = _varint(buffer, position)
        wire = tag & 7
        if wire == 0:
            value, position = _varint(buffer, position)
            yield tag >> 3, value
            continue
        if wire == 2:
            size = buffer[position]
            position += 1
            if size >= 0x80:  # most are shorter, and this is the innermost loop
                size, position = _varint(buffer, position - 1)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise TornError
        yield tag >> 3, buffer[position : position + size]
        position += size


def named(item: bytes) -> tuple[bytes, bytes]:
    """Name and JSON value of an item of the history or the summary; nested names are joined with ``/``."""
    if item[0] in (KEY_TAG, _NESTED_KEY_TAG) and item[1] < 0x80:  # nearly all of them: one short key, one short value
        end = 2 + item[1]
        rest = len(item) - end - 3
        if 0 <= rest < 0x80 and item[end : end + 3] == b"%b%c" % (_VALUE_JSON_TAG, rest):
            return item[2:end], item[end + 3 :]
    keys, raw = key_path(item)
    return b"/".join(keys), raw


def key_path(item: bytes) -> tuple[list[bytes], bytes]:
    keys: list[bytes] = []
    raw = b""
    for number, value in fields(item):
        if number in (ItemField.KEY, ItemField.NESTED_KEY):
            keys.append(value)
        elif number in (ItemField.VALUE_JSON, ItemField.JSON):
            raw = value
        elif number == ItemField.INTEGER and not raw:  # from here on W&B's newer, typed form of a value
            raw = b"%d" % (value >> 1 ^ -(value & 1))
        elif number == ItemField.NUMBER and not raw:
            raw = repr(struct.unpack("<d", value)[0]).encode()
    return keys, raw
