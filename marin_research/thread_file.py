"""Where a thread is declared, and whether that is still what the store remembers. Loads and parses nothing.

Recording a command needs a thread's topic and prefix alone; to parse its file, or only to load what is needed to
understand it, would take longer than the rest.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from marin_research.checkout import checkout_top

if TYPE_CHECKING:
    from marin_research.store import RecordStore

FOLDER = Path(".agents/research")
SOURCE = "source"
"""Under which name the store keeps the text of the file that a declaration was read from."""


def thread_path(topic: str, top: Path | None = None) -> Path:
    """The file that declares a thread, whether or not it exists."""
    if topic.endswith((".yaml", ".yml")):
        return Path(topic).absolute()
    return (top or checkout_top() or Path.cwd()) / FOLDER / f"{topic}.yaml"


def text_of(path: Path) -> str | None:
    """What stands in a thread's file; None if there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError):
        return ""  # whoever parses it says what is wrong


def topic_and_prefix(topic: str, store: RecordStore) -> tuple[str, str]:
    """What a thread is called, and the prefix of its experiment IDs.

    Raises:
        ThreadError: neither the checkout nor the store knows it, or its file cannot be read.
    """
    text = text_of(thread_path(topic))
    known = store.thread(topic)
    if text is not None and known is not None and known.get(SOURCE) == text:
        name, prefix = known.get("topic"), known.get("prefix")
        if isinstance(name, str) and isinstance(prefix, str):
            return name, prefix
    from marin_research.thread import find_thread

    thread = find_thread(topic, store)
    return thread.topic, thread.prefix
