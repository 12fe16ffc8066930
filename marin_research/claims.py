"""Numbers and names that only one may have, however many ask at once. Knows no run and no thread."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from marin_research.codec import dump

if TYPE_CHECKING:
    from marin_research.objects import Objects

_NUMBER = re.compile(r"(\d+)\.json")


def claim_text(launch: str = "") -> bytes:
    """What stands in a claim. No other is like it, so whoever finds it knows that the claim is theirs."""
    return dump({"launch": launch, "time": datetime.now(UTC), "nonce": os.urandom(8).hex()})


def number_key(folder: str, number: int) -> str:
    return f"{folder}/{number:06d}.json"


def number_of(name: str) -> int | None:
    """The number that is claimed by an object of this name."""
    found = _NUMBER.fullmatch(name)
    return int(found[1]) if found else None


def newest_number(objects: Objects, folder: str) -> int:
    """The highest number that was handed out; 0 before the first."""
    return max((number for number in map(number_of, objects.names(folder)) if number is not None), default=0)


def claim_number(objects: Objects, folder: str, claim: bytes) -> int:
    """The next number of a folder. Nobody else ever gets it."""
    number = newest_number(objects, folder) + 1
    while True:
        try:
            objects.claim(number_key(folder, number), claim)
        except FileExistsError:
            number += 1
        else:
            return number


def join_text(key: str) -> bytes:
    """What stands in the claim of a number that several may have. All who name one key write the same."""
    return dump({"key": key})


def join_number(objects: Objects, folder: str, key: str) -> int:
    """The number that ``key`` stands for; the next one for a key that nobody has named yet."""
    taken = [number for number in map(number_of, objects.names(folder)) if number is not None]
    for number in taken:
        if _key_of(objects, folder, number) == key:
            return number
    number = max(taken, default=0) + 1
    while True:
        try:
            objects.claim(number_key(folder, number), join_text(key), whole=True)
        except FileExistsError:
            if _key_of(objects, folder, number) == key:
                return number
            number += 1
        else:
            return number


def _key_of(objects: Objects, folder: str, number: int) -> object:
    try:
        return json.loads(objects.get(number_key(folder, number))).get("key")
    except (ValueError, AttributeError):
        return None  # not for joining, and its text may be cut short
