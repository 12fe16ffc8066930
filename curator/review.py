"""The rules of approval, pure: who may say yes to which text, and what that yes allows.

Nothing is published without an ``Approved`` value, and only ``approve`` and ``approved`` make one: publishers accept
it and never a ``Draft``. Silence is not consent; there is no default verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from curator.draft import Draft, DraftStatus
from curator.errors import OpenFindingsError, RefusedError, StaleDraftError
from curator.log import AcceptedFinding, Decision, LogEntry
from curator.plain import line_of, settled_line
from curator.verify import BINDING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.verify import Report


@dataclass(frozen=True, slots=True)
class Approved:
    """A text that a named person said yes to."""

    draft: Draft
    by: str


def approve(draft: Draft, report: Report, *, by: str, seen_sha256: str, accept: Sequence[str] = ()) -> LogEntry:
    """The log entry of a person's yes to exactly the text they saw.

    Args:
        draft: as it stands now.
        report: the verification of that text.
        by: the person's name.
        seen_sha256: of the text that was in front of them.
        accept: IDs of the findings they approve past.

    Raises:
        StaleDraftError: the text changed since they saw it.
        OpenFindingsError: the report has findings they did not accept.
        RefusedError: there is no name, an accepted finding does not exist, the draft is out already, or its text has
            something in it that has to be mended.
    """
    _require_open(draft)
    _require_name(by)
    if seen_sha256 != draft.sha256:
        raise StaleDraftError(draft.id)
    require_mended(draft, report)
    known = {finding.id: finding for finding in report.findings}
    strangers = [finding for finding in accept if finding not in known]
    if strangers:
        raise RefusedError(f"{draft.id} has no finding {', '.join(strangers)}; `curator verify {draft.id}` lists them")
    still_open = [finding for finding in known if finding not in accept]
    if still_open:
        raise OpenFindingsError(draft.id, still_open)
    return LogEntry(
        decision=Decision.APPROVED,
        draft=draft.id,
        sha256=draft.sha256,
        time=datetime.now(UTC),
        by=by,
        accepted=tuple(AcceptedFinding(id=f, text=known[f].text, why=known[f].why) for f in accept),
        settled=tuple(map(settled_line, draft.proofread.settled)) if draft.proofread is not None else (),
        evidence_count=len(report.evidence),
    )


def require_mended(draft: Draft, report: Report) -> None:
    """Refuse a text that nobody can approve as it is.

    Raises:
        RefusedError: names the first place that has to be mended.
    """
    barred = next((finding for finding in report.findings if finding.kind in BINDING), None)
    if barred is not None:
        raise RefusedError(
            f"{draft.id} cannot be approved as it is; line {line_of(draft.text, barred.start)}: {barred.why}; "
            f"mend it with `curator edit {draft.id}`"
        )


def reject(draft: Draft, *, by: str, why: str) -> LogEntry:
    """The log entry of a person's no.

    Raises:
        RefusedError: there is no name or no reason, or the draft is out already.
    """
    _require_open(draft)
    _require_name(by)
    if not why.strip():
        raise RefusedError(f"say why {draft.id} is rejected; the reason is kept for whoever drafts next")
    return LogEntry(
        decision=Decision.REJECTED,
        draft=draft.id,
        sha256=draft.sha256,
        time=datetime.now(UTC),
        by=by,
        why=why.strip(),
    )


def approved(draft: Draft) -> Approved:
    """The licence to publish a draft.

    Raises:
        RefusedError: nobody approved this text.
    """
    if draft.status not in (DraftStatus.APPROVED, DraftStatus.FAILED) or draft.by is None:
        raise RefusedError(f"{draft.id} is not approved (its status is {draft.status}); see `curator review`")
    return Approved(draft, draft.by)


def _require_open(draft: Draft) -> None:
    if draft.status is DraftStatus.PUBLISHED:
        raise RefusedError(f"{draft.id} is published already ({draft.link}); what is out is corrected by a new entry")


def _require_name(by: str) -> None:
    if not by.strip():
        raise RefusedError("an approval needs a name; give one with --by or set git's user.name")
