"""Who may ask for a page: whoever came with the address that the program printed, from a page of ours.

Other users of this machine can connect to the port, so a visitor shows a token once and has a cookie from then on. A
site that is open in the same browser can send requests here too: one that resolves its own name to this machine is
known by the name it asks for, and one on another port of this machine, which counts as the same site and is sent along
the cookie, cannot read the second token that every form of ours carries.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import abort, redirect, request, session

if TYPE_CHECKING:
    from flask import Flask, Response
    from werkzeug.wrappers import Response as BaseResponse

_HOSTS = ["127.0.0.1", "localhost"]
_HEADERS = {
    # Nothing from anywhere else is loaded, nobody frames the page, and its address goes nowhere.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # stricter, and forms of our own do not say where they come from
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Guard:
    """The secrets of one start of the program."""

    token: str = field(default_factory=secrets.token_urlsafe)

    def protect(self, app: Flask, port: int) -> None:
        """Let nobody else in."""
        app.config.update(
            SECRET_KEY=secrets.token_bytes(),
            TRUSTED_HOSTS=_HOSTS,
            SESSION_COOKIE_NAME=f"curator-{port}",  # cookies do not tell ports apart
            SESSION_COOKIE_SAMESITE="Strict",
        )
        app.before_request(self._require_visitor)
        app.before_request(_require_own_form)
        app.after_request(_add_headers)
        app.context_processor(lambda: {"form_token": session.get("form_token", "")})

    def _require_visitor(self) -> BaseResponse | None:
        if request.method == "GET" and secrets.compare_digest(request.args.get("token", "").encode(), self._expected):
            session["form_token"] = secrets.token_urlsafe()
            return redirect(request.path)  # the token leaves the address bar
        if "form_token" not in session and request.endpoint != "static":
            abort(403, "open the address that `curator serve` printed; it holds the key to this page")
        return None

    @property
    def _expected(self) -> bytes:
        return self.token.encode()


def _require_own_form() -> None:
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    origin = request.headers.get("Origin", request.host_url.rstrip("/"))
    sent, own = request.form.get("form_token", ""), session.get("form_token", "")
    if origin != request.host_url.rstrip("/") or not secrets.compare_digest(sent.encode(), own.encode()):
        abort(403, "this did not come from a form of this page, or the program was started anew; load the page again")


def _add_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response
