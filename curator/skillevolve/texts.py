"""Kinds of text that fields may hold, and what is said of one that does not fit. Needs pydantic; imported late."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field  # noqa: TID253 - this module is loaded late

from curator.skillevolve import limits


def _at_most(limit: int) -> AfterValidator:
    def check(text: str) -> str:
        if limits.length(text) > limit:
            raise ValueError(f"{limits.length(text)} characters are too many, {limit} are allowed")
        return text

    return AfterValidator(check)


def _like(pattern: str, what: str) -> AfterValidator:
    compiled = re.compile(pattern, re.ASCII)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(f"{text!r:.60} is not {what}")
        return text

    return AfterValidator(check)


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("nothing is said")
    if limits.unsendable(text) is not None:
        raise ValueError("it holds a control character")
    return text


def _one_line(text: str) -> str:
    if len(text.splitlines()) > 1:
        raise ValueError("write it on one line")
    return text


def _inside(path: str) -> str:
    if path.startswith(("/", "~")) or ".." in path.split("/"):
        raise ValueError("write a path inside of the folder, from its top")
    return path


def _utc(text: str) -> str:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("write a time such as 2026-02-15T16:00:00Z") from None
    if time.tzinfo is None:
        raise ValueError("say the time zone, for UTC with a Z at the end")
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


Text = Annotated[str, AfterValidator(_said)]
Line = Annotated[Text, AfterValidator(_one_line)]
Name = Annotated[Line, _at_most(limits.NAME)]
Title = Annotated[Line, _at_most(limits.TITLE)]
Subject = Annotated[Line, _at_most(limits.SUBJECT)]
Id = Annotated[str, _like(r"[A-Za-z0-9][A-Za-z0-9._-]{0,149}", "an ID such as post-789")]
"""Of a post, a comment, an agent or a skill; goes into addresses."""
SessionId = Annotated[str, _like(r"sess-\d{4}-\d\d-\d\d-[a-z0-9]{4,100}", "an ID such as sess-2026-02-15-1a2b3c4d")]
Link = Annotated[str, _like(r"https?://[^\s/]+(?:/\S{0,2000})?", "an address such as https://example.org/x")]
RelativePath = Annotated[Line, AfterValidator(_inside)]
Moment = Annotated[str, AfterValidator(_utc)]
Minutes = Annotated[int | float, Field(ge=0, allow_inf_nan=False)]
Sha256 = Annotated[str, _like(r"[0-9a-f]{64}", "a SHA-256")]
