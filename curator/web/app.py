"""The requests that the page answers. Decides nothing: ``curator.review`` has the rules, the queue has the texts.

The text that a person typed comes with every request. Where it is not what was on their screen it is kept first and
shown again, checked, so that nobody approves what they did not see and nobody loses what they wrote.
"""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flask import Flask, abort, flash, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException, SecurityError

from curator.check import check
from curator.draft import BY_HAND, OPEN, text_sha256
from curator.drafters.wording import id_range
from curator.editor import as_saved
from curator.errors import DraftNotFoundError, OpenFindingsError, StaleDraftError
from curator.model.messages import has_access
from curator.plain import (
    KIND_NAMES,
    counted,
    decision_line,
    model_line,
    one_line,
    proof_line,
    settled_line,
    visible,
    when,
)
from curator.review import approve, reject
from curator.web.view import can_be_typed, changes, view
from marin_research.errors import MarinResearchError

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response
    from werkzeug.wrappers import Response as BaseResponse

    from curator.draft import Draft
    from curator.queue import DraftQueue
    from curator.web.guard import Guard

_LARGEST = 4 << 20
"""Bytes of a form; a draft is a few thousand."""


def create_app(queue: DraftQueue, guard: Guard, *, by: str, port: int, say: Callable[[str], None]) -> Flask:
    """The page over one store.

    Args:
        queue: where the drafts and the log of decisions are.
        guard: says who may ask.
        by: who decides.
        port: that it is served on.
        say: is told of every decision.
    """
    app = Flask(__name__)
    app.config.update(MAX_CONTENT_LENGTH=_LARGEST, MAX_FORM_MEMORY_SIZE=_LARGEST)
    app.jinja_env.globals.update(
        KIND_NAMES=KIND_NAMES,
        BY_HAND=BY_HAND,
        OPEN=OPEN,
        by=by,
        counted=counted,
        can_be_typed=can_be_typed,
        can_ask=has_access,
    )
    app.jinja_env.filters.update(
        one_line=one_line, visible=visible, when=when, decision_line=decision_line, id_range=id_range,
        model_line=model_line, proof_line=proof_line, settled_line=settled_line,
    )  # fmt: skip
    guard.protect(app, port)
    desk = Desk(queue=queue, by=by, say=say)
    app.add_url_rule("/", "drafts", desk.drafts)
    app.add_url_rule("/drafts/<draft_id>", "draft", desk.draft)
    app.add_url_rule("/drafts/<draft_id>", "decide", desk.decide, methods=["POST"])
    app.add_url_rule("/drafts/<draft_id>/check", "check", desk.check, methods=["POST"])
    app.add_url_rule("/drafts/<draft_id>/state", "state", desk.state)
    app.add_url_rule("/drafts/<draft_id>/files/<name>", "file", desk.file)
    app.register_error_handler(MarinResearchError, _refused)
    app.register_error_handler(OSError, _unreadable)
    app.register_error_handler(SecurityError, _wrong_host)
    app.register_error_handler(HTTPException, _http_error)
    return app


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Answers the requests."""

    queue: DraftQueue
    by: str
    say: Callable[[str], None]

    def drafts(self) -> str:
        return render_template("drafts.html", drafts=self.queue.all(), root=self.queue.store.root)

    def draft(self, draft_id: str) -> str:
        return self._page(self.queue.get(draft_id))

    def state(self, draft_id: str) -> Response:
        """Whether the page still shows how things stand."""
        draft = self.queue.get(draft_id)
        return jsonify(sha256=draft.sha256, status=draft.status, edited_by=draft.edited_by or "")

    def check(self, draft_id: str) -> str:
        """The check of a text that is not saved."""
        draft = self.queue.get(draft_id)
        return self._checked(replace(draft, text=_typed(draft)))

    def file(self, draft_id: str, name: str) -> Response:
        """A plot or another attachment. An image that is opened by itself may run nothing."""
        kept = next((each for each in self.queue.get(draft_id).attachments if each.name == name), None)
        if kept is None:
            abort(404, f"{draft_id} has no file {name}")
        response = make_response(self.queue.store.blob(kept.blob))
        response.content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        if not response.content_type.startswith("image/"):
            response.headers["Content-Disposition"] = "attachment"
        response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        return response

    def decide(self, draft_id: str) -> str | tuple[str, int] | BaseResponse:
        """What the person says to a draft: save, approve or reject."""
        act = request.form.get("act")
        if act not in ("save", "approve", "reject", "proofread"):
            abort(400, "nothing was asked for; press one of the buttons")
        self.queue.log.require_whole()
        draft = self.queue.get(draft_id)
        seen, typed = request.form.get("sha256", ""), _typed(draft)
        was_edited = text_sha256(typed) != seen and "text" in request.form
        if (draft.sha256, draft.status) != (seen, request.form.get("status")):
            return self._changed_meanwhile(draft, typed if was_edited else draft.text)
        if was_edited:
            return self._save(draft, typed, act)
        if act == "save":
            return self._again(draft, "the text is as it was")
        try:
            return {"approve": self._approve, "reject": self._reject, "proofread": self._proofread}[act](draft)
        except OpenFindingsError as error:
            why = f"nothing was approved: accept each finding, or mend the text ({', '.join(error.findings)})"
            return self._page(draft, problem=why), 409
        except StaleDraftError:
            return self._changed_meanwhile(self.queue.get(draft_id), draft.text)
        except MarinResearchError as error:
            return self._page(draft, problem=str(error)), 409

    def _save(self, draft: Draft, typed: str, act: str) -> BaseResponse | tuple[str, int]:
        try:
            self.queue.require_changeable(draft)
            saved = self.queue.edit(draft, typed, by=self.by)
        except StaleDraftError:
            return self._changed_meanwhile(self.queue.get(draft.id), typed)
        except MarinResearchError as error:
            return self._page(draft, typed=typed, problem=str(error)), 409
        self.say(f"edited {saved.id} as {self.by}")
        so = "" if act == "save" else f"; nothing was {_DONE[act]}: read it as it stands now, then decide"
        return self._again(saved, f"your edit was saved and checked{so}")

    def _approve(self, draft: Draft) -> BaseResponse:
        report = check(draft, self.queue.store)
        accept = request.form.getlist("accept")
        entry = approve(draft, report, by=self.by, seen_sha256=request.form.get("sha256", ""), accept=accept)
        self.queue.log.append(entry)
        so = f"approved {draft.id} (sha256 {entry.sha256[:16]}) as {self.by}"
        self.say(so)
        return self._next(draft, f"{so}; it has not left this machine yet: `curator publish --approved` sends it")

    def _reject(self, draft: Draft) -> BaseResponse:
        self.queue.require_changeable(draft)
        self.queue.log.append(reject(draft, by=self.by, why=request.form.get("why", "")))
        so = f"rejected {draft.id} as {self.by}"
        self.say(so)
        return self._next(draft, so)

    def _proofread(self, draft: Draft) -> BaseResponse:
        from curator.proofreading.drafts import proofread_draft  # with pydantic, which only this needs

        read, proof = proofread_draft(draft, self.queue)
        self.say(f"proofread {draft.id} by {proof.writing.model}")
        return self._again(read, f"proofread by {proof_line(proof)}")

    def _next(self, draft: Draft, said: str) -> BaseResponse:
        """On to the next draft that waits, or to the list."""
        flash(said)
        drafts = self.queue.all()
        at = [each.id for each in drafts].index(draft.id)
        waiting = [each.id for each in drafts[at:] + drafts[:at] if each.status in OPEN]
        return redirect(url_for("draft", draft_id=waiting[0]) if waiting else url_for("drafts"), code=303)

    def _again(self, draft: Draft, said: str) -> BaseResponse:
        flash(said)
        return redirect(url_for("draft", draft_id=draft.id), code=303)

    def _changed_meanwhile(self, draft: Draft, typed: str) -> tuple[str, int]:
        who = f" by {draft.edited_by}, {when(draft.changed)}" if draft.edited_by else ""
        problem = f"{draft.id} was changed meanwhile{who}; nothing was decided. "
        problem += (
            "This is how it stands now"
            if typed == draft.text
            else "What you wrote is in the text field, not saved; below it is set against what is saved now"
        )
        return self._page(draft, typed=typed, problem=problem), 409

    def _page(self, draft: Draft, *, typed: str | None = None, problem: str = "") -> str:
        """The whole page; its check is of what was typed, where that is not what is saved."""
        waiting = [each.id for each in self.queue.all() if each.status in OPEN]
        shown = draft if typed is None else replace(draft, text=typed)
        return render_template(
            "draft.html",
            draft=draft,
            view=view(shown, check(shown, self.queue.store)),
            against_saved=changes(draft.text, shown.text) if problem else [],
            problem=problem,
            waiting=waiting,
            history=[entry for entry in self.queue.log.entries() if entry.draft == draft.id],
            accepted=request.form.getlist("accept"),
            why=request.form.get("why", ""),
        )

    def _checked(self, draft: Draft) -> str:
        found = view(draft, check(draft, self.queue.store))
        return render_template("checked.html", view=found, accepted=request.form.getlist("accept"))


_DONE = {"approve": "approved", "reject": "rejected", "proofread": "proofread"}


def _typed(draft: Draft) -> str:
    """The text in the form; the draft's own where the page has no text field for it."""
    return as_saved(request.form["text"], draft.text) if "text" in request.form else draft.text


def _refused(error: MarinResearchError) -> tuple[str, int]:
    return _error_page(str(error), 404 if isinstance(error, DraftNotFoundError) else 409)


def _unreadable(error: OSError) -> tuple[str, int]:
    return _error_page(f"the record store cannot be read or written ({error}); mend that and load the page again", 503)


def _wrong_host(error: SecurityError) -> tuple[str, int]:
    return error.description, 400  # the pages' own links need a host


def _http_error(error: HTTPException) -> tuple[str, int]:
    return _error_page(error.description or error.name, error.code or 500)


def _error_page(said: str, code: int) -> tuple[str, int]:
    return render_template("error.html", said=one_line(said)), code
