"""The real executor on a temporary prefix, and the store it records in."""

from __future__ import annotations

import contextlib

import pytest

from marin_research.record import Run
from marin_research.store import RecordStore
from marin_research.thread import PrimaryMetric, Thread


@pytest.fixture
def thread():
    return Thread(topic="lr-sweep", prefix="LR", metrics=[PrimaryMetric(name="loss", direction="lower", unit="nats")])


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The store that recorded steps use, inside the prefix that Marin writes to."""
    monkeypatch.setenv("MARIN_PREFIX", str(tmp_path / "prefix"))
    monkeypatch.setenv("MARIN_RESEARCH_ROOT", str(tmp_path / "records"))
    return RecordStore(str(tmp_path / "records"))


@pytest.fixture
def build(store):
    """Build handles as a user's script would; gives the records afterwards, whatever became of the steps."""
    from marin.execution import lazy

    def build(*handles, **options) -> list[Run]:
        with contextlib.suppress(RuntimeError):
            lazy.run(*handles, **options)
        return list(store.runs())

    return build
