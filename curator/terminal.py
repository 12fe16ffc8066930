"""The review in a terminal: one draft after the other is shown, and a person says what becomes of it.

Fails closed: nothing is preselected, only the keys on the screen mean anything, and every decision is in the log the
moment it is made. Knows neither how keys are read nor how a draft looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.style import Style
from rich.text import Text

from curator.backing import backing
from curator.check import check
from curator.draft import OPEN
from curator.errors import CuratorError, StaleDraftError
from curator.marked import labelled
from curator.page import page, page_width
from curator.plain import one_line
from curator.review import approve, reject, require_mended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rich.console import Console, RenderableType

    from curator.draft import Draft
    from curator.keyboard import Keys
    from curator.queue import DraftQueue
    from curator.verify import Report

_KEYS = {
    "a": ("approve", "approve exactly this text; each finding has to be accepted first"),
    "e": ("edit", "edit it in your editor; it is checked and shown again"),
    "r": ("reject", "reject it; the reason is asked for and kept"),
    "s": ("skip", "decide another time"),
    "p": ("proof", "have Claude proofread it beside the record; its objections become findings"),
    "v": ("evidence", "show the evidence for everything in the text, or for its numbers only"),
    "?": ("help", "this list"),
    "q": ("quit", "stop here; what was decided is kept"),
}
_AGAIN = "again"
"""What was done when a draft has to be shown anew, checked."""
_QUIET = Style(dim=True)
_STRONG = Style(bold=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a review works with."""

    queue: DraftQueue
    by: str
    """The person's name."""
    keys: Keys
    console: Console
    edit: Callable[[Draft], Draft | None]
    """Has the person edit a draft; None when they left it as it was."""
    proofread: Callable[[Draft], object]
    """Has a model read a draft, and keeps what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What became of a draft in this review."""

    draft: str
    what: str
    """``approved``, ``rejected``, ``skipped``, or what somebody else decided meanwhile."""


def review(ids: Sequence[str], desk: Desk) -> list[Decided]:
    """Show the drafts in turn until the last one or until the person stops.

    Whatever ends it, also Ctrl-C, what was decided is kept, and shown at the end.
    """
    decided: list[Decided] = []
    try:
        for number, draft_id in enumerate(ids, start=1):
            what = _decide(draft_id, f"{number} of {len(ids)}", desk)
            if what is None:
                break
            decided.append(Decided(draft=draft_id, what=what))
    finally:
        _close(decided, len(ids), desk)
    return decided


def _decide(draft_id: str, place: str, desk: Desk) -> str | None:
    """What became of one draft; None when the person stops."""
    while True:
        draft = desk.queue.get(draft_id)
        if draft.status not in OPEN:
            _say(desk, f"{draft.id} was {draft.status} meanwhile")
            return draft.status
        report = check(draft, desk.queue.store)
        _show(desk, page(draft, report, desk.console, place=place))
        try:
            what = _answer(draft, report, desk)
        except StaleDraftError:
            _say(desk, f"{draft.id} was changed meanwhile; this is how it stands now")
            continue
        if what != _AGAIN:
            return what


def _answer(draft: Draft, report: Report, desk: Desk) -> str | None:
    """What the person says to the draft in front of them, or `_AGAIN`."""
    full, prompt = False, _prompt(desk)
    while True:
        key = desk.keys.key(prompt) or "q"
        if key not in _KEYS:
            prompt = _prompt(desk, said=key)
            continue
        prompt = _prompt(desk)
        desk.console.print(_KEYS[key][0])
        match key:
            case "a" | "e" | "r" | "p":
                act = {"a": _approve, "e": _edit, "r": _reject, "p": _proofread}[key]
                try:
                    what = act(draft, report, desk)
                except StaleDraftError:
                    raise
                except CuratorError as error:
                    _say(desk, str(error))
                else:
                    if what is not None:
                        return what
            case "s":
                return "skipped"
            case "v":
                full = not full
                _show(desk, backing(draft, report, width=page_width(desk.console), full=full))
            case "?":
                _help(desk)
            case _:
                return None


def _approve(draft: Draft, report: Report, desk: Desk) -> str | None:
    require_mended(draft, report)
    for finding in report.findings:
        asked = Text.assemble((f"\n  {finding.id} ", _STRONG), one_line(finding.text), f"\n  {one_line(finding.why)}\n")
        desk.console.print(asked)
        answer = desk.keys.key("  approve past this finding? y accepts it, any other key goes back  > ")
        desk.console.print("accepted" if answer == "y" else "no")
        if answer != "y":
            _say(desk, "nothing was approved")
            return None
    current = _unchanged(draft, desk)
    accepted = [finding.id for finding in report.findings]
    desk.queue.log.append(approve(current, report, by=desk.by, seen_sha256=draft.sha256, accept=accepted))
    _say(desk, f"approved {draft.id} (sha256 {draft.sha256[:16]}) as {desk.by}; it has not left this machine yet")
    return "approved"


def _edit(draft: Draft, _: Report, desk: Desk) -> str | None:
    with desk.keys.released():
        changed = desk.edit(draft)
    if changed is not None:
        return _AGAIN
    _say(desk, "the text is as it was")
    return None


def _proofread(draft: Draft, _: Report, desk: Desk) -> str:
    desk.proofread(draft)
    return _AGAIN


def _reject(draft: Draft, _: Report, desk: Desk) -> str | None:
    why = desk.keys.line("  why? (nothing goes back)  > ").strip()
    if not why:
        _say(desk, "nothing was rejected")
        return None
    desk.queue.log.append(reject(_unchanged(draft, desk), by=desk.by, why=why))
    _say(desk, f"rejected {draft.id} as {desk.by}")
    return "rejected"


def _unchanged(draft: Draft, desk: Desk) -> Draft:
    """The draft as it stands, provided that it is still what is on the screen."""
    current = desk.queue.get(draft.id)
    if (current.revision, current.status, current.proof) != (draft.revision, draft.status, draft.proof):
        raise StaleDraftError(draft.id)
    return current


def _close(decided: Sequence[Decided], count: int, desk: Desk) -> None:
    desk.console.print()
    title = f"── reviewed {len(decided)} of {count} "
    desk.console.print(Text(title + "─" * (page_width(desk.console) - len(title)), style=_QUIET))
    for each in decided:
        desk.console.print(Text(f"  {each.draft}  {each.what}"))
    if any(each.what == "approved" for each in decided):
        desk.console.print(Text.assemble("  next: ", ("curator publish --approved", _STRONG)))
    elif len(decided) < count:
        desk.console.print(Text("  the rest waits; come back with the same command", style=_QUIET))


def _prompt(desk: Desk, *, said: str = "") -> str:
    """The keys on one line; after a key that means nothing the line is written again with a word about it."""
    if said:
        line = Text(f"  {said} decides nothing: press {', '.join(list(_KEYS)[:-1])} or q  > ", style=_QUIET)
    else:
        wide = desk.console.width >= 80
        parts = [((key, _STRONG), f" {word}  " if wide else " ") for key, (word, _) in _KEYS.items()]
        line = Text.assemble("  ", *(piece for part in parts for piece in part), "> ")
    with desk.console.capture() as shown:
        desk.console.print(line, end="", soft_wrap=True)
    again = "\n" if desk.console.is_dumb_terminal else "\r\x1b[2K"
    return (again if said else "") + shown.get()


def _help(desk: Desk) -> None:
    for key, (_, meaning) in _KEYS.items():
        desk.console.print(Text.assemble("    ", (key, _STRONG), f"  {meaning}"))
    desk.console.print(
        Text("    nothing is preselected; nothing leaves this machine before `curator publish`, but what p has read\n")
    )


def _say(desk: Desk, text: str) -> None:
    for line in labelled([("", Text(one_line(text)))], page_width(desk.console), gap=0):
        desk.console.print(line)
    desk.console.print()


def _show(desk: Desk, lines: Iterable[RenderableType]) -> None:
    desk.console.print()
    for line in lines:
        desk.console.print(line)
