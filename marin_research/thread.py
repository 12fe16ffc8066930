"""One line of research: what it is called, what it measures, and where its record goes.

A thread is declared in ``.agents/research/<topic>.yaml`` at the top of the checkout and read with draccus. Knows
nothing of runs.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from marin_research.codec import decode, encode
from marin_research.errors import ThreadError
from marin_research.thread_file import FOLDER, SOURCE, text_of, thread_path
from marin_research.yaml_text import dump_yaml

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from marin_research.store import RecordStore

TOPIC = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*")
PREFIX = re.compile(r"[A-Z][A-Z0-9]*(?:-[A-Z][A-Z0-9]*)*")

INDICES = ("Current TL;DR", "Current baseline", "Hypothesis queue", "Decision log", "Negative results index")
"""The sections that Marin's logbooks keep current."""


class Direction(StrEnum):
    """Which way a metric is better."""

    HIGHER = "higher"
    LOWER = "lower"


class LogbookStyle(StrEnum):
    """Which template a new logbook follows."""

    SEED = "seed"  # in the research repository, `.agents/logbooks/<topic>.md`
    SEPARATE = "separate"  # in a repository of logbooks, `<project>/<issue>-<topic>.md`
    ISSUE = "issue"  # no file at all: the entries are comments of the experiment issue


class LogbookReach(StrEnum):
    """How far publishing takes what it writes into a logbook."""

    FILE = "file"
    COMMIT = "commit"
    PUSH = "push"


@dataclass(frozen=True, kw_only=True)
class PrimaryMetric:
    """A metric the thread is judged by."""

    name: str
    """As it is recorded: a W&B key, a value field of the artifact, or a name given to ``report``."""
    direction: str
    """``higher`` or ``lower``: which way is better."""
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class Logbook:
    """Where the thread's logbook is."""

    path: str = ""
    """Relative to the top of its repository; ``.agents/logbooks/<topic>.md`` unless given."""
    repository: str = ""
    """A local checkout of a separate repository of logbooks; empty for this repository."""
    style: str = LogbookStyle.SEED
    publish: str = ""
    """``file``, ``commit`` or ``push``; unless given, a separate repository is pushed to and this one is not."""
    indices: list[str] = field(default_factory=lambda: list(INDICES))
    """Sections that are kept current; nothing else of the file is ever edited."""


@dataclass(frozen=True, kw_only=True)
class Wandb:
    """Where the thread's W&B runs go."""

    entity: str = ""
    project: str = ""


@dataclass(frozen=True, kw_only=True)
class Thread:
    """One line of research. The field names are the keys of its YAML file."""

    topic: str
    """Slug that names the thread's files: ``lr-sweep``."""
    prefix: str
    """Of its experiment IDs: ``LR`` gives ``LR-001``."""
    title: str = ""
    goal: str = ""
    metrics: list[PrimaryMetric] = field(default_factory=list)
    variants: dict[str, list[str]] = field(default_factory=dict)
    """What a result must hold across before it is called stable: config keys, and ``devices``, with their values:
    ``{model.seq_len: [1024, 4096], devices: [TPU v4, TPU v5e]}``."""
    constraints: list[str] = field(default_factory=list)
    stop_criteria: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    agent_marker: str = "🤖"
    """Opens what a drafter writes for the issue, where readers want to know who speaks; empty for nothing."""
    logbook: Logbook = field(default_factory=Logbook)
    issue: str = ""
    """URL of the experiment issue."""
    wandb: Wandb = field(default_factory=Wandb)
    branch: str = ""
    model: str = ""
    """Which model drafts for this thread, where one does: ``claude-opus-5-5``."""
    skill: str = ""
    """The skill on SkillEvolve that findings of this thread belong to: ``grpo-rl-training``."""
    private_names: list[str] = field(default_factory=list)
    """Names that must not appear in public places."""

    @classmethod
    def load(cls, topic: str, *, top: Path | None = None) -> Thread:
        """The thread declared in ``.agents/research/<topic>.yaml``.

        Args:
            topic: the thread's slug, or the path of its file.
            top: the top of the checkout; found from the working directory unless given.

        Raises:
            ThreadError: there is no such file, it cannot be read, or its prefix is another thread's.
        """
        path = thread_path(topic, top)
        thread = read_thread(path)
        if thread.topic != path.stem:
            raise ThreadError(f"{path} declares the topic {thread.topic!r}; give the file and the topic one name")
        other = prefix_owner(thread.prefix, path)
        if other is not None:
            raise ThreadError(
                f"{path} and {other.name} both use the prefix {thread.prefix}; give one of them a prefix of its own"
            )
        return thread

    def metric(self, name: str) -> PrimaryMetric | None:
        return next((metric for metric in self.metrics if metric.name == name), None)

    @property
    def logbook_path(self) -> str:
        """Path of the logbook, relative to the top of its repository."""
        return self.logbook.path or f".agents/logbooks/{self.topic}.md"


def files_folder(topic: str) -> str:
    """The folder of a thread's plots, beside its logbook."""
    return f"{topic}-files"


def find_thread(topic: str, store: RecordStore) -> Thread:
    """The thread from its file in this checkout, else as it was when it last ran; from now on the store knows it.

    A file that is as it was when it was read last is not parsed again, which takes longer than all else that recording
    a command needs.

    Raises:
        ThreadError: neither the checkout nor the store knows it.
    """
    path = thread_path(topic)
    text = text_of(path)
    remembered = store.thread(topic)
    if text is not None and (remembered is None or remembered.get(SOURCE) != text):
        thread = Thread.load(topic)
        if text_of(path) == text:
            store.put_thread(thread.topic, encode(thread) | {SOURCE: text})
        return thread
    if remembered is None:
        raise unknown_thread(topic, known_topics(store))
    try:
        return decode(Thread, remembered)
    except (TypeError, ValueError) as error:
        raise ThreadError(
            f"what {store.root} remembers of thread {topic!r} is damaged ({error}); "
            f"go to the checkout that has {FOLDER}/{topic}.yaml"
        ) from error


def known_topics(store: RecordStore) -> list[str]:
    """The topics of the threads that the checkout declares or the store remembers."""
    return sorted({*(path.stem for path in thread_path("any").parent.glob("*.yaml")), *store.topics()})


def unknown_thread(topic: str, known: Sequence[str]) -> ThreadError:
    """The error that says which threads there are instead."""
    hint = f"known threads: {', '.join(known)}" if known else "there are none yet"
    return ThreadError(f"no thread {topic!r} ({hint}); `marin-research init {topic} --prefix PFX` declares one")


def remember_thread(thread: Thread, store: RecordStore) -> None:
    """Keep the declaration in the store, so that records can be read where the checkout is not."""
    remembered = store.thread(thread.topic) or {}
    declared = encode(thread)
    if {name: value for name, value in remembered.items() if name != SOURCE} != declared:
        store.put_thread(thread.topic, declared)


def read_thread(path: Path) -> Thread:
    """Read one thread file.

    Raises:
        ThreadError: it is missing, not YAML, or not a thread; names the key and the nearest one there is.
    """
    import draccus
    import yaml

    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        import difflib

        topics = sorted(other.stem for other in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.stem, topics, n=1)
        hint = f"did you mean {near[0]!r}? or declare it with" if near else "declare it with"
        raise ThreadError(f"there is no {path}; {hint} `marin-research init {path.stem} --prefix PFX`") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ThreadError(f"cannot read {path}: {error}; check the file") from error
    except yaml.YAMLError as error:
        raise ThreadError(f"{path} is not YAML: {' '.join(str(error).split())}; mend the file") from error
    if not isinstance(raw, dict):
        raise ThreadError(f"{path} does not hold keys and values; `marin-research init` shows what it should look like")
    try:
        thread: Thread = draccus.decode(Thread, _given(Thread, raw, path))
    except draccus.utils.DraccusException as error:
        raise ThreadError(f"{path}: {' '.join(str(error).split())}; mend the file") from error
    check_thread(thread, str(path))
    return thread


def check_thread(thread: Thread, where: str) -> None:
    """Refuse values that would only show up as trouble later.

    Raises:
        ThreadError: names the value and what it should look like.
    """
    if not TOPIC.fullmatch(thread.topic):
        raise ThreadError(f"{where}: topic {thread.topic!r} must be a slug such as lr-sweep")
    if not PREFIX.fullmatch(thread.prefix):
        raise ThreadError(f"{where}: prefix {thread.prefix!r} must be capital letters and digits such as LR or MOE-HC")
    for metric in thread.metrics:
        if metric.direction not in set(Direction):
            raise ThreadError(
                f"{where}: metric {metric.name!r} has direction {metric.direction!r}; write higher or lower"
            )
    if thread.logbook.style not in set(LogbookStyle):
        raise ThreadError(f"{where}: logbook style {thread.logbook.style!r} must be seed, separate or issue")
    if thread.logbook.publish not in {"", *LogbookReach}:
        raise ThreadError(f"{where}: logbook publish {thread.logbook.publish!r} must be file, commit or push")


def dump_thread(thread: Thread) -> str:
    """The YAML of a thread, with every key it may have."""
    return dump_yaml(encode(thread))


def prefix_owner(prefix: str, path: Path) -> Path | None:
    """The other thread file beside ``path`` that uses ``prefix``, if there is one."""
    others = (other for other in sorted(path.parent.glob("*.yaml")) if other != path)
    return next((other for other in others if _prefix_of(other) == prefix), None)


def _given(kind: Any, raw: dict[Any, Any], path: Path, where: str = "") -> dict[str, Any]:
    """``raw`` without the keys that were left empty, once every other one is known to be of its kind."""
    hints = get_type_hints(kind)
    given = {}
    for key, value in raw.items():
        if key not in hints:
            import difflib

            near = difflib.get_close_matches(str(key), hints, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"the keys are {', '.join(hints)}"
            raise ThreadError(f"{path}: unknown key {where + str(key)!r}; {hint}")
        if value is not None:
            given[key] = _checked(hints[key], value, path, where + key)
    return given


def _checked(hint: Any, value: Any, path: Path, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, dict):
            keys = ", ".join(get_type_hints(hint))
            raise ThreadError(f"{path}: {where} is {value!r:.60}; write its keys and values ({keys})")
        return _given(hint, value, path, f"{where}.")
    if get_origin(hint) is list:
        if not isinstance(value, list):
            raise ThreadError(f"{path}: {where} is {value!r:.60}; write a list, one item a line after a dash")
        return [_checked(get_args(hint)[0], item, path, f"{where}.{index}") for index, item in enumerate(value)]
    if get_origin(hint) is dict:
        if not isinstance(value, dict):
            raise ThreadError(f"{path}: {where} is {value!r:.60}; write keys and their values")
        kind = get_args(hint)[1]
        return {str(key): _checked(kind, item, path, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, bool | dict | list) or value is None:
        raise ThreadError(
            f"{path}: {where} is {value!r:.60} to YAML; write text, in quotes if it is a word like no or on"
        )
    return value


def _prefix_of(path: Path) -> str | None:
    """The prefix in another thread's file, if it can be read; its own problems are for whoever loads it."""
    import yaml

    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return None
    return raw.get("prefix") if isinstance(raw, dict) else None
