"""Stands in for ``sys.stdout`` and ``sys.stderr`` while steps are captured. Knows no descriptor, pipe or record."""

from __future__ import annotations

import contextlib
import functools
import io
import logging
import sys
from typing import TYPE_CHECKING, Any, Protocol, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager


class Router(Protocol):
    """Knows where a step's text belongs."""

    @property
    def gate(self) -> AbstractContextManager[bool]:
        """Held while text is written, so that nothing is led elsewhere between the question and the write."""

    def route(self, stream: RoutedStream) -> TextIO | None:
        """What to write to instead of the stream that ``stream`` stands in for."""


def stand_in(name: str, stream: TextIO, router: Router) -> RoutedStream | None:
    """What takes the place of ``stream`` as ``sys.stdout`` or ``sys.stderr``; None where it is best left alone."""
    made = RoutedStream(name, stream, router)
    # A class of somebody's own around the descriptor may do more than print; it is captured at the descriptor.
    return made if isinstance(stream, io.TextIOWrapper) or not made.through_fd else None


class RoutedStream(io.TextIOBase):
    """A standard stream whose text goes where the step that writes it belongs.

    It stays usable when nothing is captured any more, for log handlers and the like that hold on to it: then, and for
    everything that is not writing, it is the original.
    """

    def __init__(self, name: str, original: TextIO, router: Router) -> None:
        super().__init__()
        self.standard = name
        """``stdout`` or ``stderr``."""
        self.original = original
        self.through_fd = _fileno(original) == {"stdout": 1, "stderr": 2}[name]
        """Whether the original writes to the descriptor whose output is captured, or (in a notebook) elsewhere."""
        self._router = router

    def _target(self) -> TextIO:
        routed = self._router.route(self) if self.through_fd else None
        return self.original if routed is None else routed

    def write(self, text: str, /) -> int:
        router = self._router
        with router.gate:
            routed = router.route(self)
            if self.through_fd:
                return (routed or self.original).write(text)
            count = self.original.write(text)
            if routed is not None:
                routed.write(text)
            return count

    def flush(self) -> None:
        with self._router.gate:
            self._target().flush()

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._target().isatty()

    def fileno(self) -> int:
        return self._target().fileno()

    def close(self) -> None:
        self._target().close()

    def detach(self) -> Any:
        return self._target().detach()  # type: ignore[attr-defined]

    @property
    def closed(self) -> bool:
        return self._target().closed

    @property
    def buffer(self) -> Any:
        return self._target().buffer

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.original.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self.original.errors

    @property
    def newlines(self) -> Any:  # type: ignore[override]
        return self.original.newlines

    def __getattr__(self, name: str) -> Any:
        return getattr(self.original, name)

    def __del__(self) -> None:
        """Do not close what is only stood in for, as the base class would."""


def _fileno(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (AttributeError, ValueError, OSError):
        return None


def line_buffering(stream: TextIO, wanted: bool | None) -> bool | None:
    """Have a stream write each line as it ends (a crash loses what is in its buffer); gives what it did before."""
    before: bool | None = getattr(stream, "line_buffering", None)
    if wanted is not None and before is not None and before != wanted:
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(line_buffering=wanted)  # type: ignore[attr-defined]
    return before


def flush(streams: Iterable[TextIO]) -> None:
    for stream in streams:
        with contextlib.suppress(ValueError, OSError):  # closed, or nobody reads it
            stream.flush()


def redirect_log_handlers(old: TextIO | RoutedStream, new: TextIO | RoutedStream) -> None:
    """Have log handlers that write to ``old`` write to ``new``."""
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    for logger in loggers:
        for handler in getattr(logger, "handlers", ()):
            if isinstance(handler, logging.StreamHandler) and handler.stream is old:
                with contextlib.suppress(AttributeError):  # a handler that looks its stream up by itself
                    handler.setStream(new)


def flush_native() -> None:
    """Write what native code has printed through the C library and the library still holds back."""
    _c_flush()()


@functools.cache
def _c_flush() -> Callable[[], object]:
    try:
        import ctypes

        library = ctypes.CDLL(None)
        stdout = ctypes.c_void_p.in_dll(library, "__stdoutp" if sys.platform == "darwin" else "stdout")
        # To a pipe the library would write whole blocks; a crash loses what is in its buffer.
        line_buffered = 1
        library.setvbuf(stdout, None, line_buffered, ctypes.c_size_t(0))
    except (ImportError, OSError, ValueError, AttributeError):
        return lambda: None
    return functools.partial(library.fflush, stdout)
