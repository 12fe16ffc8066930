"""One job on its cluster: placed, watched, started again where that is asked for. Runs in the server.

A try is all tasks of the job at once. The first task that fails, or the first machine that is lost, ends it for all of
them, as the others of a TPU slice can only wait for it. Failures and lost machines have budgets of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import ray  # noqa: TID253 - this module is about Ray

from marin_research.job import TaskTry
from marin_research.parts import Cause, Status
from marin_research.ray.endings import Lost, end_of, ended_try, is_gone, succeeded, timed_out
from marin_research.ray.gang import Seat, lone_seat, reserved
from marin_research.ray.outlook import LOOK_S, REPLACEMENT_S, NotPlacedError, Outlook
from marin_research.ray.packages import NoSuchPackageError, look_for
from marin_research.ray.runner import Ended, Order, run_task

if TYPE_CHECKING:
    from collections.abc import Iterable

    from marin_research.ray.place import Place
    from marin_research.ray.spec import JobSpec

_SUBMITTED = "it was submitted"
KEPT_SIZE = 16 * 2**20
"""Bytes of a job's output; what is older is dropped."""
_GRACE_S = 5.0
"""What a task has between SIGTERM and SIGKILL."""
_LAST_WORD_S = 30.0
"""How long the hosts of a try that has ended are waited for; one that stays silent is lost. Ray itself needs 15 s."""
_COLD_START_S = 10.0
"""What a worker process may need to start before it counts as waiting for room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A job as it stands, for whoever asks."""

    id: str
    state: str
    """One of Fray's own words."""
    why: str
    """What it waits for, where it runs, or how it ended."""
    started: datetime | None = None
    ended: datetime | None = None
    failures: int = 0
    preemptions: int = 0
    tries: tuple[TaskTry, ...] = ()

    @property
    def is_over(self) -> bool:
        return self.ended is not None

    @property
    def waits(self) -> bool:
        """Whether there is more to say than that it has not begun yet."""
        return self.state == "pending" and self.why != _SUBMITTED


@dataclass(frozen=True, slots=True)
class Line:
    """One line of output, and where it comes from."""

    seconds: float
    """Since the epoch."""
    index: int
    number: int
    text: bytes


@dataclass(slots=True)
class Try:
    """One try, while it lasts: where its runners meet and learn that they are to stop."""

    number: int
    seats: list[Seat]
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    coordinators: dict[int, str] = field(default_factory=dict)
    nodes: dict[int, str] = field(default_factory=dict)
    """Where the tasks have begun, by index."""
    complete: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def meet(self, index: int, address: str, node: str) -> str | None:
        """Wait for all tasks to have a runner; gives the first one's address, or None if it will not come to that."""
        self.coordinators[index] = address
        self.nodes[index] = node
        if len(self.coordinators) == len(self.seats):
            self.complete.set()
        waits = [asyncio.ensure_future(event.wait()) for event in (self.complete, self.over)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for each in waits:
            each.cancel()
        return None if self.over.is_set() else self.coordinators[0]


class RunningJob:
    """A job and all that is known of it. Belongs to the server's event loop."""

    def __init__(self, job_id: str, spec: JobSpec, place: Place) -> None:
        self.id = job_id
        self.spec = spec
        self.lines: deque[Line] = deque()
        self.dropped = 0
        """Lines that are not kept any more."""
        self.current: Try | None = None
        self._place = place
        self._tries: list[TaskTry] = []
        self._view = JobView(id=job_id, state="pending", why=_SUBMITTED)
        self._changed = asyncio.Event()
        self._lost: set[str] = set()
        self._size = 0
        self._work = asyncio.create_task(self._run())

    @property
    def view(self) -> JobView:
        return self._view

    def keep(self, index: int, number: int, lines: Iterable[tuple[float, bytes]]) -> None:
        for seconds, text in lines:
            self.lines.append(Line(seconds, index, number, text))
            self._size += len(text)
            while self._size > KEPT_SIZE:
                self._size -= len(self.lines.popleft().text)
                self.dropped += 1

    async def changed(self, timeout_s: float) -> JobView:
        """The job as it stands when that has changed, or after ``timeout_s``; at once if it is over."""
        if not self._view.is_over:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), timeout_s)
        return self._view

    async def stop(self) -> None:
        self._work.cancel()
        await asyncio.wait([self._work])

    def _tell(self, why: str, **changes: Any) -> None:
        view = replace(self._view, why=why, tries=tuple(self._tries), **changes)
        if view == self._view:
            return
        self._view = view
        self._changed.set()
        self._changed = asyncio.Event()

    def _end(self, state: str, why: str) -> None:
        self._tell(why, state=state, ended=datetime.now(UTC))

    async def _run(self) -> None:
        try:
            async with asyncio.timeout(self.spec.timeout_s):
                await self._try_until_it_succeeds()
        except asyncio.CancelledError:
            self._end("stopped", "it was stopped")
        except TimeoutError as error:
            limit_s = self.spec.timeout_s
            why = (
                f"it took longer than the {limit_s:g} s that it was given" if limit_s else f"its server failed: {error}"
            )
            self._tries = [timed_out(each, why) if each.cause is Cause.STOPPED else each for each in self._tries]
            self._end("failed", why)
        except (NotPlacedError, NoSuchPackageError) as error:
            self._end("failed", str(error))
        except Exception as error:  # noqa: BLE001 - whoever waits for the job must learn of it
            self._end("failed", f"its server failed: {type(error).__name__}: {error}")

    async def _try_until_it_succeeds(self) -> None:
        if self.spec.pip:
            await look_for(self.spec.pip)
        for number in range(self.spec.max_failures + self.spec.max_preemptions + 1):
            ended = await self._try(number)
            failures, preemptions = self._view.failures, self._view.preemptions
            if ended is None:
                self._end("succeeded", "every task returned")
                return
            outcome, why = ended
            if outcome is Status.FAILED:
                failures += 1
            else:
                preemptions += 1
            self._tell(why, state="pending", failures=failures, preemptions=preemptions)
            if failures > self.spec.max_failures or preemptions > self.spec.max_preemptions:
                self._end("failed", why)
                return

    async def _try(self, number: int) -> tuple[Status, str] | None:
        """Run all tasks once; None if all succeeded, else what it counts as, and why."""
        need, lost = self.spec.need, frozenset(self._lost)
        patience_s = self.spec.patience_s if number == 0 else REPLACEMENT_S
        if need.is_lone:
            outlook = Outlook(need, self.id, patience_s)
            return self._judged(number, await self._run_in(Try(number, [lone_seat(need)]), outlook))
        async with reserved(need, owner=self.id, lost=lost, patience_s=patience_s, tell=self._tell) as seats:
            ends = await self._run_in(Try(number, seats))
        return self._judged(number, ends)

    async def _run_in(self, this: Try, outlook: Outlook | None = None) -> dict[int, Ended | Lost]:
        """How all tasks ended.

        Args:
            this: the try.
            outlook: of a task that Ray has yet to find a machine for.
        """
        self.current = this
        refs = [self._start(this, index, seat) for index, seat in enumerate(this.seats)]
        watching = asyncio.create_task(self._watch(this, refs))
        try:
            if outlook is not None:
                await self._wait_for_room(this, watching, outlook)
            self._note_start(this)
            return await watching
        except BaseException:
            watching.cancel()
            await self._stop(this, refs)
            self._note({}, this.number, stopped=Cause.STOPPED)
            raise

    async def _wait_for_room(self, this: Try, watching: asyncio.Task[Any], outlook: Outlook) -> None:
        """Until the task has begun, or ended before that.

        Raises:
            NotPlacedError: no machine of the cluster will ever do.
        """
        started = time.monotonic()
        begun = asyncio.create_task(this.complete.wait())
        try:
            while not (await asyncio.wait({begun, watching}, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED))[0]:
                why = outlook.look(frozenset(self._lost))
                if self.spec.pip:
                    why = f"{why}; Ray installs {', '.join(self.spec.pip)} for it first"
                if not outlook.is_possible or time.monotonic() - started > _COLD_START_S:
                    self._tell(why)
        finally:
            begun.cancel()

    def _note_start(self, this: Try) -> None:
        now = datetime.now(UTC)
        nodes = [seat.node or this.nodes.get(index, "") for index, seat in enumerate(this.seats)]
        self._tries += [
            TaskTry(index=index, number=this.number, state="running", outcome=Status.RUNNING, worker=node, started=now)
            for index, node in enumerate(nodes)
        ]
        slices = list(dict.fromkeys(seat.slice_name for seat in this.seats if seat.slice_name))
        self._tell(_where(slices, nodes), state="running", started=self._view.started or now)

    def _start(self, this: Try, index: int, seat: Seat) -> Any:
        spec, need = self.spec, self.spec.need
        order = Order(
            try_id=this.id,
            place=replace(self._place, job=self.id, index=index, count=need.tasks, number=this.number),
            slices=len({each.slice_name for each in this.seats if each.slice_name}),
            slice_index=seat.slice_index,
            command=spec.command,
            env=spec.env,
            paths=spec.paths,
            versions=spec.versions,
            grace_s=_GRACE_S,
        )
        options = dict(seat.options)
        if spec.pip:
            options["runtime_env"] = {"pip": list(spec.pip)}
        server = ray.get_runtime_context().current_actor
        return run_task.options(max_retries=0, **options).remote(server, order, spec.payload)

    async def _watch(self, this: Try, refs: list[Any]) -> dict[int, Ended | Lost]:
        """How every task ended. The first that did not succeed ends the others."""
        watchers = {asyncio.create_task(end_of(ref)): index for index, ref in enumerate(refs)}
        try:
            pending: set[asyncio.Task[Ended | Lost]] = set(watchers)
            while pending:
                done, pending = await asyncio.wait(
                    pending,
                    timeout=_LAST_WORD_S + _GRACE_S if this.over.is_set() else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if not done:
                    break
                if any(not succeeded(task.result()) for task in done):
                    this.over.set()
            silent = Lost(why=f"it did not answer for {_LAST_WORD_S:g} s")
            return {
                index: task.result() if task.done() and not task.cancelled() else silent
                for task, index in watchers.items()
            }
        finally:
            for task in watchers:
                task.cancel()

    async def _stop(self, this: Try, refs: list[Any]) -> None:
        this.over.set()
        if this.nodes:
            ended = asyncio.gather(*(end_of(ref) for ref in refs))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended, _GRACE_S + 2)
        for ref in refs:
            ray.cancel(ref, force=True)

    def _judged(self, number: int, ends: dict[int, Ended | Lost]) -> tuple[Status, str] | None:
        """What a try counts as. A lost machine explains what its neighbours met, whoever met it first."""
        self._lost |= {self._tries[-len(ends) + index].worker for index, end in ends.items() if is_gone(end)} - {""}
        self._note(ends, number)
        mine = self._tries[-len(ends) :]
        if all(each.outcome is Status.SUCCEEDED for each in mine):
            return None
        blamed = min(
            (each for each in mine if each.outcome in (Status.FAILED, Status.PREEMPTED) and not each.follows),
            key=lambda each: (each.outcome is not Status.PREEMPTED, each.ended or datetime.now(UTC)),
        )
        kind = "was lost" if blamed.outcome is Status.PREEMPTED else "failed"
        return blamed.outcome, f"task {blamed.index} {kind} at try {number}: {blamed.error}"

    def _note(self, ends: dict[int, Ended | Lost], number: int, *, stopped: Cause | None = None) -> None:
        gone = any(is_gone(end) for end in ends.values())
        for at, each in enumerate(self._tries):
            if each.number == number:
                self._tries[at] = ended_try(each, ends.get(each.index), gone=gone, stopped=stopped)


def _where(slices: list[str], nodes: list[str]) -> str:
    shown = ", ".join(dict.fromkeys(node[:8] for node in nodes))
    return f"it runs on {f'slice {", ".join(slices)}, ' if slices else ''}node {shown}"
