"""Puts tracebacks together again that many hosts printed into one log at the same time. Knows no other lines.

What belongs to a traceback begins like its first line (the clock aside) and is indented, up to the exception itself;
then come what chains it to another one, and the indented rest of its message.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from marin_research.digest.clean import clean
from marin_research.digest.header import read_header
from marin_research.digest.mask import mask
from marin_research.digest.template import Sighting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from marin_research.digest.blocks import Block, Place

MOST_KINDS = 1000
"""Different tracebacks that are kept."""
MOST_OPEN = 256
"""Tracebacks that are put together at the same time."""

_HEADER = re.compile(rb"(?:  \+ Exception Group )?Traceback \(most recent call last\)|Fatal Python error: ")
_LAUNCHER = re.compile(
    rb"(?:\x1b\[[0-9;]*m ?|\[\d\d:\d\d:\d\d\] task=\S+ attempt=\d+ \| |\(\S+ pid=\d+(?:, ip=[\d.]+)?\)"
    rb"|\[rank\d+\]:? ?)*"
)
_CLOCK = re.compile(rb"\d\d:\d\d:\d\d(?:[.,]\d+)?")
_FRAME = re.compile(rb"[ \t|]*File \"([^\"]*)\", line \d+(?:, | )?(?:in (\S+))?")
_NAMED_EXCEPTION = (
    rb"(?:[\w.]*\.[A-Z_]\w*|\w*(?:Error|Exception|Exit|Interrupt|Warning|Group|Iteration|Timeout)"
    rb"|[\w.]+\.(?:error|timeout|gaierror))"
)
_EXCEPTION = re.compile(_NAMED_EXCEPTION + rb"(?:\([\w.]+\))?(?::(?:\s|$)|$)")
_ANY_EXCEPTION = re.compile(rb"[A-Z]\w*(?::(?:\s|$)|$)")
_IN_GROUP = re.compile(rb"[ \t|]*\| (" + _NAMED_EXCEPTION + rb":.*)")
_CHAIN = re.compile(
    rb"The above exception was the direct cause|During handling of the above exception|The stack trace below excludes"
    rb"|The preceding (?:stack trace|is the original)|\"\"\"$|-{10,}$"
)
_MEMORY = re.compile(rb"Total hbm usage|Program hbm|Largest program allocations|[123]\. Size:|={4,}$")
_THREAD = re.compile(rb"(?:Current t|T)hread 0x")

CONTINUES = (
    b"(?:[ \t\r]|$|"
    + b"|".join(pattern.pattern for pattern in (_EXCEPTION, _ANY_EXCEPTION, _CHAIN, _MEMORY))
    + rb"|File \"|(?:Current t|T)hread )"
)
"""Matches all that can go on with a traceback behind what its lines begin with, also without digits."""

_MOST_LINES = 120
_LONGEST_LINE = 1000
_MESSAGE_LINES = 40
_IDLE = 200
"""Lines of others after which a traceback without an end is closed."""
_IDLE_PREFIXED = 10_000
"""The same where lines say whose they are."""
_MASKED = 500
_FRAMES = 5


class Traceback(Sighting):
    """Tracebacks with the same exceptions from the same places."""

    __slots__ = ("exceptions", "hosts", "text")

    def __init__(self, *, text: str, exceptions: tuple[str, ...], first: Place) -> None:
        super().__init__(first)
        self.text = text
        """The first of them, without what a launcher put before its lines."""
        self.exceptions = exceptions
        """The lines with the exceptions, in their order; the last one is what ended it."""
        self.hosts: dict[str, Sighting] = {}


class _Open:
    """A traceback whose end has not come yet."""

    def __init__(self, line: bytes, start: int, host: str, place: Place, position: int) -> None:
        self.host = host
        self.place = place
        self.position = position
        """Of its last line so far, counted over the whole log."""
        self.indent = start
        self.lines: list[bytes] = [line[start:]]
        self.exceptions: list[bytes] = []
        self.left_out = 0
        self._body = True
        self._after = 0
        self._faulthandler = line.startswith(b"Fatal", start)
        self._group = b"+ Exception Group" in line
        self._prefixes = list(map(_prefix, prefixes_of(line)))
        """How its lines may begin; the first frame tells."""

    def rest(self, line: bytes) -> bytes | None:
        """What one of its lines says; None if the line is somebody else's."""
        for prefix in self._prefixes:
            match = prefix.pattern.match(line)
            if match:
                rest = line[match.end() :]
                if len(self._prefixes) == 1:
                    return rest
                if _FRAME.match(rest) or rest.startswith((b"  |", b"  +")) or _THREAD.match(rest):
                    self._prefixes = [prefix]
                    return rest
                if not rest and prefix is self._prefixes[0]:
                    return rest
        return None

    def take(self, rest: bytes, position: int) -> bool | None:
        """Whether the line is part of it; None if the line ends it without being part of it."""
        if self.is_idle(position):
            return None
        if self._body:
            taken = self._in_body(rest, adjacent=position == self.position + 1)
        else:
            taken = self._behind_exception(rest)
        if taken:
            self.position = position
            if len(self.lines) >= _MOST_LINES:
                del self.lines[_MOST_LINES // 2]
                self.left_out += 1
            self.lines.append(rest[:_LONGEST_LINE])
        return taken

    @property
    def ends_anywhere(self) -> bool:
        """Any other line of its origin ends it."""
        return not self._body or self._faulthandler or self._group

    def has_line_in(self, data: bytes, start: int, end: int) -> bool:
        """Whether one of the lines in a part of ``data`` is of its origin, as far as that is known."""
        if len(self._prefixes) > 1:
            return False
        pattern, fixed = self._prefixes[0]
        at = data.find(fixed, start, end)
        while at >= 0:
            line = max(start, data.rfind(b"\n", start, at) + 1, data.rfind(b"\r", start, at) + 1)
            if pattern.match(data, line):
                return True
            at = data.find(fixed, at + 1, end)
        return False

    def is_idle(self, position: int) -> bool:
        return position - self.position > (_IDLE_PREFIXED if self.indent else _IDLE)

    def text(self) -> str:
        half = _MOST_LINES // 2
        lines = [clean(line) for line in self.lines]
        if self.left_out:
            lines.insert(half, f"  … {self.left_out} lines left out …")
        return "\n".join(lines)

    def _in_body(self, rest: bytes, *, adjacent: bool) -> bool | None:
        if rest[:1] in (b" ", b"\t"):
            grouped = _IN_GROUP.match(rest)
            if grouped:
                self.exceptions.append(grouped[1])
            return True
        if self._faulthandler:
            return True if not rest or _THREAD.match(rest) else None
        if self._group or _HEADER.match(rest):
            return None
        if _EXCEPTION.match(rest) or ((adjacent or self.indent) and _ANY_EXCEPTION.match(rest)):
            self.exceptions.append(rest)
            self._body, self._after = False, 0
            return True
        return False

    def _behind_exception(self, rest: bytes) -> bool | None:
        self._after += 1
        if self._after > _MESSAGE_LINES:
            return None
        if _HEADER.match(rest):
            chained = any(_CHAIN.match(line) for line in self.lines[-3:])
            self._body = chained
            return chained or None
        if _FRAME.match(rest):  # Ray puts the exception of the task first
            self._body = True
            return True
        return True if rest[:1] in (b"", b" ", b"\t", b"\r") or _CHAIN.match(rest) or _MEMORY.match(rest) else None


def prefixes_of(line: bytes) -> list[bytes]:
    """What the lines of a traceback may begin with that starts in this line; nothing if none starts."""
    header = _HEADER.search(line) if b"Traceback (" in line or b"Fatal Python" in line else None
    if header is None:
        return []
    launcher = _LAUNCHER.match(line)
    outer = launcher.end() if launcher else 0
    return [line[: header.start()], *([line[:outer], b""] if outer < header.start() else [])]


class Tracebacks:
    def __init__(self) -> None:
        self.kinds: dict[tuple[object, ...], Traceback] = {}
        self.left_out = 0
        """Tracebacks of further kinds."""
        self._open: list[_Open] = []
        self._position = 0

    @property
    def is_open(self) -> bool:
        """Some are not over yet."""
        return bool(self._open)

    def feed(self, block: Block, lines: Sequence[int], host_of: Callable[[bytes], str]) -> list[int]:
        """The lines of a block that are part of tracebacks, given those that may be: no others start or go on."""
        taken: list[int] = []
        for index in lines:
            if self._offer(block, index, taken) or self._start(block, index, host_of):
                taken.append(index)
        for traceback in list(self._open):
            if traceback.is_idle(self._position + len(block)) or self._is_over(traceback, block, len(block), taken):
                self._close(traceback)
        self._position += len(block)
        return taken

    def finish(self) -> None:
        """The stream is over."""
        for traceback in list(self._open):
            self._close(traceback)

    def _offer(self, block: Block, index: int, taken: Sequence[int]) -> bool:
        """Whether one of the open tracebacks takes the line."""
        line = block.line(index)
        for traceback in list(self._open):
            rest = traceback.rest(line)
            if rest is None:
                continue
            over = self._is_over(traceback, block, index, taken)
            is_part = None if over else traceback.take(rest, self._position + index)
            if is_part:
                return True
            if is_part is None:
                self._close(traceback)
        return False

    def _is_over(self, traceback: _Open, block: Block, index: int, taken: Sequence[int]) -> bool:
        """Whether one of the lines before ``index`` ended it that it was not offered."""
        if not traceback.ends_anywhere:
            return False
        first = max(traceback.position + 1 - self._position, 0)
        others = len(taken) - bisect_left(taken, first)
        return index - first > others and traceback.has_line_in(block.data, *block.span(first, index))

    def _start(self, block: Block, index: int, host_of: Callable[[bytes], str]) -> bool:
        line = block.line(index)
        header = _HEADER.search(line)
        if header is None:
            return False
        host = host_of(read_header(line).host)
        self._open.append(_Open(line, header.start(), host, block.place(index), self._position + index))
        self._open.sort(key=lambda traceback: -traceback.indent)  # what has no prefix is asked last: it fits all lines
        if len(self._open) > MOST_OPEN:
            self._close(min(self._open, key=lambda traceback: traceback.position))
        return True

    def _close(self, traceback: _Open) -> None:
        self._open.remove(traceback)
        if len(traceback.lines) == 1:
            return  # somebody quoted its first line
        exceptions = tuple(clean(line) for line in traceback.exceptions)
        frames = [match.groups() for match in map(_FRAME.match, traceback.lines) if match]
        last = exceptions[-1] if exceptions else ""
        kind = (tuple(text.partition(":")[0] for text in exceptions), mask(last[:_MASKED]), *frames[-_FRAMES:])
        known = self.kinds.get(kind)
        if known is None:
            if len(self.kinds) >= MOST_KINDS:
                self.left_out += 1
                return
            known = Traceback(text=traceback.text(), exceptions=exceptions, first=traceback.place)
            self.kinds[kind] = known
        if traceback.place < known.first:
            known.text, known.exceptions = traceback.text(), exceptions
        for seen in (known, known.hosts.setdefault(traceback.host, Sighting(traceback.place))):
            seen.count += 1
            seen.first = min(seen.first, traceback.place)
            seen.last = max(seen.last, traceback.place)


class _Prefix(NamedTuple):
    """What lines of one origin begin with: the same but for the clock."""

    pattern: re.Pattern[bytes]
    fixed: bytes
    """The longest part of it that does not change."""


def _prefix(text: bytes) -> _Prefix:
    parts = _CLOCK.split(text)
    return _Prefix(re.compile(_CLOCK.pattern.join(map(re.escape, parts))), max(parts, key=len))
