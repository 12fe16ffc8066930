"""The helper process that reads what captured steps print. Knows file descriptors; no Python stream, thread or context.

It outlives the process that it serves for as long as anybody can still print into the pipes, so that a crash loses
nothing and a child that was left behind meets no broken pipe. When a process ends without a word on how its step
ended, the sidecar notes what it saw of that, and what is printed and measured from then on. The process sends JSON
lines over a socket; ``fds`` says how many descriptors come with a line:

``hello``        ``pid``, ``path``: whom to serve, and where Python modules are
``environment``  ``changed``: variables of the process, in which secrets may be
``open``         ``id``, ``echo``: for each pipe, the name of the terminal to show it on, or null. Its descriptors: each
                 pipe's reading end, followed by the terminal if it has one. A step also says where its output is kept
                 (``capture.step.StepOutput``), and a command where its metrics are (``capture.stand_in``); pipes that
                 several steps share say ``steps`` instead
``started``      ``id``, ``command``: which process prints into the pipes of a recorded command
``share``        ``id``, ``steps``: whose output the shared pipes now are
``hurry``        ship everything soon
``end``          ``id``: answer on the descriptor that comes along, when all that is printed by now is kept and shown

It says ``{"pid": number}`` at the start, ``{"closed": id}`` when nobody can print into the pipes of ``id`` any more,
``{"alive": true}`` every few seconds and ``{"problem": text}`` when it fails.
"""

from __future__ import annotations

import json
import math
import os
import selectors
import signal
import socket
import sys
import time
from collections import deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from marin_research.capture.channel import PIPE_SIZE
from marin_research.capture.echo import Echo
from marin_research.capture.source import Answer, Group, Source
from marin_research.capture.step import Keeper, StepOutput, redactor
from marin_research.capture.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Callable

_READ_SIZE = 1 << 18
_READS = 4
_ECHO_LIMIT = 4 << 20
_BACKLOG_LIMIT = 32 << 20
"""Bytes that may wait to be masked. Masking is slower than printing, and steps are to feel none of it."""
_SLICE_S = 0.005
_TICK_S = 1.0
_ALIVE_S = 2.0
_LAST_SHIP_S = 60.0


class Sidecar:
    """Serves one process until it is gone and everything it printed is kept."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._control.setblocking(False)
        self._heard = b""
        self._fds: list[int] = []
        self._groups: dict[str, Group] = {}
        self._steps: dict[str, StepOutput] = {}
        self._echoes: dict[str, Echo] = {}
        self._paused: list[Source] = []
        self._work: deque[Callable[[], None]] = deque()
        """What is to be done with what was read, in order."""
        self._backlog = 0
        self._answers: list[Answer] = []
        self._served: Witness | None = None
        """The process, where the system lets us watch it."""
        self._gone = False
        self._hurried = False
        self._next_second = self._next_alive = 0.0
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._keeper = Keeper(self.wake)
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ, self._hear)
        self._selector.register(self._wake_read, selectors.EVENT_READ, self._woken)

    def wake(self) -> None:
        """Have the main loop look around. May be called by any thread or signal handler."""
        with suppress(BlockingIOError):  # then it is awake
            os.write(self._wake_write, b"x")

    def hurry(self) -> None:
        """Ship everything soon: the machine may go away."""
        self._hurried = True
        self.wake()

    def run(self) -> None:
        while not self._done():
            for key, _ in self._selector.select(self._timeout()):
                if self._selector.get_map().get(key.fileobj) is key:  # an earlier one may have closed it
                    key.data()
            self._do(until=time.monotonic() + _SLICE_S)
            self._tick(time.monotonic())
        self._close()

    def _timeout(self) -> float | None:
        """Seconds until something is due even if nothing happens; None for never."""
        if self._work:
            return 0
        if not self._groups and not self._gone:
            return None
        now = time.monotonic()
        return max(0, min([_TICK_S, *(step.next_beat - now for step in self._steps.values() if not step.ended)]))

    def _done(self) -> bool:
        if not self._gone or any(group.sources for group in self._groups.values()):
            return False
        served = self._served
        return served is None or all(step.ended or step.testimony.is_complete(served) for step in self._steps.values())

    def _do(self, until: float) -> None:
        while self._work and time.monotonic() < until:
            self._work.popleft()()

    def _close(self) -> None:
        self._do(until=math.inf)
        for answer in self._answers:
            answer.give()
        for step in self._steps.values():
            step.finish()
        self._keeper.close()
        self._keeper.join(_LAST_SHIP_S)
        for echo in self._echoes.values():
            echo.close()
            echo.join()

    # What the process says

    def _hear(self) -> None:
        while True:
            try:
                data, fds, _, _ = socket.recv_fds(self._control, 1 << 16, 64)
            except BlockingIOError:
                return
            except OSError:
                data, fds = b"", []
            self._fds += fds
            *lines, self._heard = (self._heard + data).split(b"\n")
            for line in lines:
                message = json.loads(line)
                own = [self._fds.pop(0) for _ in range(message["fds"])]
                getattr(self, f"_on_{message['op']}")(message, own)
            if not data:
                self._selector.unregister(self._control)
                if self._served is None:
                    self._gone = True
                return

    def _on_hello(self, message: dict[str, Any], _fds: list[int]) -> None:
        self.say({"pid": os.getpid()})
        sys.path[:] = [*sys.path, *(path for path in message["path"] if path not in sys.path)]
        with suppress(AttributeError, OSError):  # not on Linux; then the socket's end has to do
            # Its socket may end before it, when it becomes another program, or after it, when it has forked.
            self._served = self._watch(message["pid"])

    def _watch(self, pid: int) -> Witness:
        witness = Witness(pid)
        self._selector.register(witness.fd, selectors.EVENT_READ, partial(self._process_ended, witness))
        return witness

    def _process_ended(self, witness: Witness) -> None:
        self._selector.unregister(witness.fd)
        witness.ended()
        if witness is self._served:
            if self._control in self._selector.get_map():
                self._hear()
            self._gone = True
            for step in self._steps.values():
                step.is_orphan = True

    def _on_environment(self, message: dict[str, Any], _fds: list[int]) -> None:
        os.environ.update(message["changed"])
        redactor.cache_clear()

    def _on_open(self, message: dict[str, Any], fds: list[int]) -> None:
        for earlier in self._groups.values():
            self._drain(earlier)  # what was printed before the new pipes were there comes first
        group = Group(message)
        self._groups[group.id] = group
        for name in message["echo"]:
            source = Source(fds.pop(0), self._echo(name, fds.pop(0)) if name else None, group)
            group.sources.append(source)
            self._selector.register(source.fd, selectors.EVENT_READ, partial(self._readable, source))
        if "folder" in message:
            self._steps[group.id] = StepOutput(message, self._keeper)
        if "command" in message:
            self._on_started(message, [])

    def _on_started(self, message: dict[str, Any], _fds: list[int]) -> None:
        with suppress(AttributeError, OSError):  # not on Linux, or it is gone already, and its parent knows more
            self._steps[message["id"]].testimony.command = self._watch(message["command"])

    def _on_hurry(self, _message: dict[str, Any], _fds: list[int]) -> None:
        self.hurry()

    def _echo(self, name: str, fd: int) -> Echo:
        if name in self._echoes:
            os.close(fd)
        else:
            self._echoes[name] = Echo(fd, self.wake)
        return self._echoes[name]

    def _on_share(self, message: dict[str, Any], _fds: list[int]) -> None:
        group = self._groups[message["id"]]
        # What waits in the pipes may have been printed before or after this was said.
        group.steps = [*group.steps, *(step for step in message["steps"] if step not in group.steps)]
        self._drain(group)
        group.steps = message["steps"]

    def _on_end(self, message: dict[str, Any], fds: list[int]) -> None:
        group = self._groups[message["id"]]
        for each in self._groups.values():
            if group.id in each.steps:
                self._drain(each)
        self._work.append(partial(self._conclude, self._steps[group.id], fds[0]))

    def _conclude(self, step: StepOutput, answer_fd: int) -> None:
        step.ended = True
        step.flush()
        step.ship()
        self._answers.append(Answer(answer_fd, step, list(self._echoes.values())))

    def say(self, message: dict[str, Any]) -> None:
        """Tell the process something."""
        with suppress(OSError):  # the process is gone, or too busy to listen
            self._control.send(json.dumps(message).encode() + b"\n")

    # What steps print

    def _readable(self, source: Source) -> None:
        for _ in range(_READS):
            if self._too_fast(source):
                # Its step has to wait: for a slow terminal as it would have to without us, else for the masking.
                self._selector.unregister(source.fd)
                self._paused.append(source)
                return
            if not self._take(source):
                return

    def _too_fast(self, source: Source) -> bool:
        return self._backlog > _BACKLOG_LIMIT or (source.echo is not None and source.echo.waiting > _ECHO_LIMIT)

    def _take(self, source: Source) -> int:
        """Take once what is there; 0 when nothing is."""
        try:
            data = os.read(source.fd, _READ_SIZE)
        except BlockingIOError:
            return 0
        except OSError:  # how a pseudo-terminal says that nobody has it open any more
            data = b""
        if not data:
            self._forget(source)
            return 0
        if source.echo:
            source.echo.put(data)
        self._backlog += len(data)
        steps = [self._steps[name] for name in source.group.steps if name in self._steps]
        self._work.append(partial(self._feed, steps, source, data))
        return len(data)

    def _feed(self, steps: list[StepOutput], source: Source, data: bytes) -> None:
        self._backlog -= len(data)
        for step in steps:
            if step.id == source.group.id:
                step.feed(source, data)
            elif not step.ended:
                step.shared = True
                step.feed(source, data)

    def _drain(self, group: Group) -> None:
        """Take all that is there at this moment."""
        for source in list(group.sources):
            taken = 0
            while taken < PIPE_SIZE and (size := self._take(source)):
                taken += size

    def _forget(self, source: Source) -> None:
        if source in self._paused:
            self._paused.remove(source)
        else:
            self._selector.unregister(source.fd)
        os.close(source.fd)
        source.group.sources.remove(source)

    # What is due

    def _woken(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._wake_read, 1 << 16)

    def _tick(self, now: float) -> None:
        for echo in self._echoes.values():
            echo.watched = bool(self._paused or self._answers)
        for source in [source for source in self._paused if not self._too_fast(source)]:
            self._paused.remove(source)
            self._selector.register(source.fd, selectors.EVENT_READ, partial(self._readable, source))
        for answer in [answer for answer in self._answers if answer.due]:
            self._answers.remove(answer)
            answer.give()
        for step in self._steps.values():
            step.tick(now)
            if self._hurried:
                step.ship()
        self._hurried = False
        if now >= self._next_second:
            self._next_second = now + _TICK_S
            self._each_second(now)
        if not self._work:
            self._let_go()

    def _each_second(self, now: float) -> None:
        if self._groups and not self._gone and now >= self._next_alive:
            self._next_alive = now + _ALIVE_S
            self.say({"alive": True})
        for group in self._groups.values():
            for source in group.sources:
                source.follow_window()
        for step in self._steps.values():
            if self._gone and self._served is not None and not step.ended:
                for seen in step.testimony.look(self._served):
                    self._keeper.testify(step, seen)

    def _let_go(self) -> None:
        """Close what nobody can print into any more."""
        waited_for = {answer.step for answer in self._answers}
        for group in [group for group in self._groups.values() if not group.sources]:
            step = self._steps.get(group.id)
            if step and step.ended and step not in waited_for:
                step.finish()
            if step is None or step.finished:
                self._steps.pop(group.id, None)
                del self._groups[group.id]
                self.say({"closed": group.id})
        used = {source.echo for group in self._groups.values() for source in group.sources}
        for name in [name for name, echo in self._echoes.items() if echo not in used and not echo.waiting]:
            self._echoes.pop(name).close()


def main(fd: int) -> None:
    """Serve the process at the other end of the socket ``fd``, as nobody's child.

    A process that waits for any child of its own must not find one that it did not start, so this one detaches itself.
    """
    if os.fork():
        os._exit(0)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])  # who started us may have been waiting for some of them
    sys.setswitchinterval(0.0005)  # reading is never to wait long for the threads that write
    sidecar = Sidecar(socket.socket(fileno=fd))
    for unconcerned in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(unconcerned, signal.SIG_IGN)
    # The machine may go away soon, but the process may yet have much to say.
    signal.signal(signal.SIGTERM, lambda *_: sidecar.hurry())
    try:
        sidecar.run()
    except Exception as error:
        sidecar.say({"problem": f"failed ({error!r})"})
        raise
