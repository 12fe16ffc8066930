"""Sees every W&B run that starts in this process and tells which step it belongs to. Never imports ``wandb`` itself.

Whichever name a program calls ``wandb.init`` by, it is the one function of the module ``wandb.sdk.wandb_init``, which
is exchanged as soon as that module is imported; a run started through a name taken before that is seen where W&B lists
its active runs. What runs measured is ``wandb_file``'s business.

Watching can never harm a run: what W&B calls goes through ``_quietly``, the one place where an error is caught. It
becomes a gap of the record.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from marin_research import whose
from marin_research.codec import decode, encode
from marin_research.record import Gap, Unknown, WandbRun
from marin_research.wandb_folder import NOT_SYNCED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from pathlib import Path
    from types import ModuleType

_MODULE = "wandb.sdk.wandb_init"
_EXCHANGED = "__marin_research__"
"""Marks a function of W&B's that has been exchanged."""


class _Process:
    """Who is watching in this process: the hook sits in W&B's own module, so there is one for all."""

    def __init__(self) -> None:
        self.watches: list[WandbWatch] = []
        self.renew_lock()
        os.register_at_fork(after_in_child=self.renew_lock)

    def renew_lock(self) -> None:
        """Another thread may have held the lock when a child was forked, and it is not there to release it."""
        self.lock = threading.RLock()


_process = _Process()


class WandbWatch:
    """The W&B runs of one step, while it runs and after."""

    def __init__(
        self, owner: str, on_change: Callable[[WandbRun], None] | None, sink: Path | None, config: dict[str, Any]
    ) -> None:
        self.owner = owner
        self.config = config
        self._on_change = on_change
        self._sink = sink
        self._sink_read = 0
        self._pid = os.getpid()
        self._runs: dict[tuple[str | Unknown, str], WandbRun] = {}
        self._live: dict[tuple[str | Unknown, str], Any] = {}
        self._gaps: list[Gap] = []

    def runs(self) -> tuple[WandbRun, ...]:
        """Every run of the step that was seen, once, as it stands now. A disabled run is none."""
        if os.getpid() == self._pid:
            for key, live in list(self._live.items()):
                if not self._runs[key].finished:
                    _quietly([self], self.saw, live)
            _quietly([self], self._merge_sink)
        return tuple(self._runs.values())

    def gaps(self) -> tuple[Gap, ...]:
        """Where looking failed, and why."""
        return tuple(self._gaps)

    def summary_of(self, run: WandbRun) -> dict[str, float]:
        """The numbers in the summary of a run of this process that is still open; of any other run, nothing.

        W&B writes a run's file in bursts: of an open run, its object knows more than its file.
        """
        key = _identity(run)
        found: dict[str, float] = {}
        if key in self._live and not self._runs[key].finished:  # of a finished one W&B would complain on the terminal
            _quietly([self], lambda: found.update(_numbers("", self._live[key].summary)))
        return found

    def saw(self, live: Any, *, attribution: str = "step", reused: bool = False, finished: bool = False) -> None:
        """Take note of how W&B's own object of a run stands; the hook calls this."""
        run = replace(_describe(live), attribution=attribution, reused=reused)
        if finished:
            run = replace(run, finished=True, exit_code=_exit_code(live))
        if self._note(run, live) and self._sink is not None:
            _append(self._sink, {"pid": os.getpid(), "owner": self.owner, "run": encode(run)})

    def _note(self, run: WandbRun, live: Any = None) -> bool:
        """Whether that was news."""
        key = _identity(run)
        with _process.lock:
            known = self._runs.get(key)
            if known is not None and known.path == run.path:
                run = replace(run, attribution=known.attribution, reused=known.reused)
            if live is not None:
                self._live[key] = live
            self._runs[key] = run
        if run == known:
            return False
        if self._on_change is not None and os.getpid() == self._pid:  # what belongs to the parent stays alone in a fork
            _quietly([self], self._on_change, run)
        return True

    def knows(self, live: Any) -> bool:
        """Whether this object of W&B's is one of the step's runs."""
        return any(mine is live for mine in list(self._live.values()))

    def refused(self, error: Exception) -> None:
        """Take note of a run that did not come to be."""
        self._gaps.append(Gap(what="a W&B run", why=f"wandb.init raised {type(error).__name__}: {error}"))

    def missed(self, error: Exception) -> None:
        """Take note that looking failed."""
        self._gaps.append(Gap(what="a W&B run", why=f"{type(error).__name__}: {error}"))

    def _merge_sink(self) -> None:
        """Take in what other processes have appended to the sink since it was last read."""
        if self._sink is None or not self._sink.exists():
            return
        with self._sink.open("rb") as file:
            file.seek(self._sink_read)
            lines = file.read().splitlines(keepends=True)
        for line in lines:
            if line.endswith(b"\n"):  # else it is still being written
                self._sink_read += len(line)
                _quietly([self], self._take_line, line)

    def _take_line(self, line: bytes) -> None:
        event = json.loads(line)
        if event["owner"] == self.owner and event["pid"] != self._pid:
            self._note(decode(WandbRun, event["run"]))


@contextlib.contextmanager
def watch(
    owner: str,
    *,
    on_change: Callable[[WandbRun], None] | None = None,
    sink: Path | None = None,
    config: dict[str, Any] | None = None,
) -> Iterator[WandbWatch]:
    """Collect the W&B runs that are started inside, by this thread and by what inherits its context.

    A run started in a raw thread, which inherits none, belongs to the step where only one runs in the process; when
    there are several, each that is watched gets it as ``ambiguous``.

    Args:
        owner: names the step; of watches in one process only those of one step may share it. Runs that are the step's
            beyond doubt and that the program does not name are called by it, where there is a ``config``.
        on_change: called in the thread that changed it when a run has started, before ``wandb.init`` returns, and when
            its finish is complete. What it raises becomes a gap.
        sink: a new file, to which each event is appended as a line so that runs of forked children are seen.
        config: is added to the config of each run that is the step's beyond doubt, and of no other.
    """
    install()
    mine = WandbWatch(owner, on_change, sink, config or {})
    with whose.belongs_to(owner):
        with _process.lock:
            _process.watches.append(mine)
        try:
            yield mine
        finally:
            with _process.lock:
                _process.watches.remove(mine)
            mine.runs()


def install() -> None:
    """See to it that runs are noticed from now on: a few microseconds while ``wandb`` has not been imported."""
    with _process.lock:
        if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
            sys.meta_path.insert(0, _Finder())
        module = sys.modules.get(_MODULE)
        if module is not None:
            _quietly(_process.watches, _exchange, module)


class _Finder:
    """Is asked first for every module and answers for one: W&B's, as the other finders find it, with ``_Loader``."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _MODULE:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = find and find(fullname, path, target)
            if spec:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _Loader(spec.loader)
                return cast("ModuleSpec", spec)
        return None


class _Loader:
    """Loads the module as its own loader does, and then exchanges what has to be seen."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def exec_module(self, module: Any) -> None:
        module.__loader__ = module.__spec__.loader = self._loader  # the module looks as it would without the hook
        self._loader.exec_module(module)
        _quietly(_process.watches, _exchange, module)


def _exchange(module: Any) -> None:
    """Exchange ``wandb.init``, under all its names, and the two places where a run begins and ends."""
    original = getattr(module, "init", None)
    if original is None or hasattr(original, _EXCHANGED):  # being imported by another thread, or done
        return
    setup, run = sys.modules.get("wandb.sdk.wandb_setup"), sys.modules.get("wandb.sdk.wandb_run")
    sees_starts = _call_after(getattr(setup, "_WandbSetup", None), "add_active_run", lambda _, live: _started(live))
    for finish in ("finish", "__exit__"):
        _call_after(getattr(run, "Run", None), finish, lambda live, *_, **__: _finished(live))

    @functools.wraps(original)
    def init(*args: Any, **kwargs: Any) -> Any:
        try:
            live = original(*args, **kwargs)
        except Exception as error:
            _quietly(_watching(), _refused, error)
            raise
        _quietly(_watching(), _started, live, reused=sees_starts)  # a run that this call opened is known by now
        return live

    setattr(init, _EXCHANGED, True)
    for name in (_MODULE, "wandb.sdk", "wandb"):
        place = sys.modules.get(name)
        if getattr(place, "init", None) is original:
            place.init = init  # type: ignore[union-attr]


def _call_after(kind: Any, name: str, note: Callable[..., None]) -> bool:
    """Have ``note`` called with a method's arguments when it has returned; False where there is no such method."""
    original = getattr(kind, name, None)
    if original is None:
        return False

    @functools.wraps(original)
    def method(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        _quietly(_watching(), note, *args, **kwargs)
        return result

    setattr(kind, name, method)
    return True


def _watching() -> list[WandbWatch]:
    """Whose run it would be that starts here and now."""
    steps = whose.owners().steps
    return [each for each in list(_process.watches) if each.owner in steps]


def _started(live: Any, *, reused: bool = False) -> None:
    if live.disabled:
        return
    attribution = "step" if whose.owners().sure else "ambiguous"
    for each in _watching():
        if each.config and attribution == "step" and not reused:
            _quietly([each], live.config.update, each.config, allow_val_change=True)
            _quietly([each], _call, live, each.owner)
        each.saw(live, attribution=attribution, reused=reused)


def _call(live: Any, name: str) -> None:
    """Give a new run that the program has not named this name instead of two random words."""
    feature = getattr(getattr(live, "_telemetry_obj", None), "feature", None)  # W&B says it nowhere else
    if not live.resumed and not getattr(feature, "set_init_name", True):
        live.name = name


def _refused(error: Exception) -> None:
    for each in _watching():
        each.refused(error)


def _finished(live: Any) -> None:
    for each in list(_process.watches):  # whoever finishes it: another step's wandb.init may
        if each.knows(live):
            each.saw(live, finished=True)


def _quietly(watches: Iterable[WandbWatch], action: Callable[..., None], *args: Any, **kwargs: Any) -> None:
    """The boundary between watching and the experiment: what goes wrong in here is a gap of the record."""
    try:
        action(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - see above
        for each in list(watches):
            each.missed(error)


def _describe(live: Any) -> WandbRun:
    """The facts of W&B's own object of a run. Its ``url`` is not asked: offline it complains on the terminal."""
    settings, offline = live.settings, live.offline
    not_given = Unknown("offline run; W&B gives it one when it is synced" if offline else "W&B gave none")
    return WandbRun(
        id=settings.run_id,
        project=settings.project,
        entity=settings.entity or not_given,
        name=settings.run_name or not_given,
        url=NOT_SYNCED if offline else settings.run_url or not_given,
        mode="offline" if offline else "online",
        path=settings.sync_dir,
        synced=not offline,
    )


def _identity(run: WandbRun) -> tuple[str | Unknown, str]:
    return run.project, run.id


def _exit_code(live: Any) -> int | None:
    code = getattr(live, "_exit_code", None)  # W&B has no public name for it
    return code if isinstance(code, int) else None


def _numbers(name: str, value: Any) -> Iterator[tuple[str, float]]:
    """The numbers in a live summary; W&B's own entries and media are left out, as in ``wandb_file``."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield name, float(value)
    elif hasattr(value, "keys") and "_type" not in value.keys():  # noqa: SIM118 - W&B's summary is no real mapping
        for key in value.keys():  # noqa: SIM118
            if name or not key.startswith("_"):
                yield from _numbers(f"{name}/{key}" if name else key, value[key])


def _append(path: Path, event: dict[str, Any]) -> None:
    """One line in one write, which no other process can come in between."""
    line = json.dumps(event).encode() + b"\n"
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line)
    finally:
        os.close(file)
