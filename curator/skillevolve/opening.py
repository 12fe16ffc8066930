"""A reader of SkillEvolve for commands: the key where there is one, and one place that opens the connection."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.skillevolve.reading import Reader


@contextmanager
def open_reader(*, timeout_s: float = 20.0, tries: int = 3) -> Iterator[Reader]:
    """What can be read with the key that is found here; without one, what everybody may read.

    Raises:
        CredentialsError: there is a key that cannot be used.
    """
    from curator.skillevolve.credentials import api_url, find_credentials
    from curator.skillevolve.reading import Reader
    from curator.skillevolve.transport import Transport

    with Transport(api_url(), find_credentials(), timeout_s=timeout_s, tries=tries) as transport:
        yield Reader(transport)
