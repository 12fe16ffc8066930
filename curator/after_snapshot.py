"""What the curator does when a snapshot is made: it drafts the comment about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from curator.after_launch import report
from curator.snapshots import draft_of_snapshot
from marin_research.store import RecordStore
from marin_research.thread import find_thread

if TYPE_CHECKING:
    from marin_research.hooks import SnapshotDetails


def draft_snapshot(details: SnapshotDetails) -> None:
    """Draft the comment about a snapshot.

    Raises:
        MarinResearchError: it cannot be drafted; the snapshot is whole all the same.
    """
    store = RecordStore(details.root)
    outcome = draft_of_snapshot(details.tag, find_thread(details.topic, store), store)
    click.echo(report([outcome], details.topic), err=True)
