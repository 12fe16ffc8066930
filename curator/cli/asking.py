"""How a command asks a model: said once, before anything is sent."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.model.options import Options


@contextmanager
def asking(**said: Any) -> Iterator[Options]:
    """How a model is asked, while its progress is shown on a terminal.

    Args:
        said: fields of `Options` that the person decided on.

    Raises:
        MissingKeyError: there is no key.
    """
    # What only a model needs is loaded here.
    from rich.console import Console

    from curator.model.messages import require_access
    from curator.model.options import Options

    require_access()
    # Nothing is shown where no terminal is.
    with Console(stderr=True, highlight=False, markup=False).status("reading the record") as status:
        yield Options(progress=status.update, **said)
