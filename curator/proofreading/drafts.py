"""Has a draft proofread, and keeps what was said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.errors import StaleDraftError
from curator.proofreading.proofreader import proofread
from marin_research.errors import ThreadError
from marin_research.redact import Redactor
from marin_research.thread import find_thread

if TYPE_CHECKING:
    from curator.draft import Draft
    from curator.model.options import Options
    from curator.proof import Proof
    from curator.queue import DraftQueue


def proofread_draft(draft: Draft, queue: DraftQueue, options: Options | None = None) -> tuple[Draft, Proof]:
    """Have a model read a draft's text beside the draft's facts.

    Args:
        draft: as it stands.
        queue: where it is, and where what was said is kept.
        options: how the model is asked.

    Raises:
        CuratorError: there is no answer that can be used; nothing was changed.
        StaleDraftError: the text was changed while it was read; what was said of the old one is kept.
    """
    try:
        thread = find_thread(draft.thread, queue.store) if draft.thread else None
    except ThreadError:
        thread = None  # the text can be read without it
    names, declared = (thread.private_names, thread.model) if thread is not None else ((), "")
    redactor = Redactor.from_environment(public=True, names=names)
    proof = proofread(draft.text, draft.facts, redactor, options, declared=declared)
    current = queue.keep_proof(draft, proof)
    if current.sha256 != proof.sha256:
        raise StaleDraftError(draft.id)
    return current, proof
