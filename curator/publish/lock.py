"""One publisher at a time. Knows nothing of what is published."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def alone(store: str) -> Iterator[None]:
    """Waits until no other program of this account publishes from this store. The lock goes with whoever holds it."""
    key = hashlib.sha256(store.encode()).hexdigest()[:16]
    place = Path(tempfile.gettempdir()) / f"curator-{os.getuid()}-{key}.lock"
    lock = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
