"""The tags that a text links: whether the remote has them, and what the links to them and their commits become."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from curator.errors import NotYetError, PublicationError
from curator.github.address import commit_page, permalink, tag_page
from curator.publish.git import Checkout
from curator.publish.links import open_links
from marin_research.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Callable

SEALED = frozenset({"tag", "commit"})
"""Kinds of open links that a pushed tag closes."""


def require_tags(text: str) -> Callable[[str, str], str | None]:
    """What a text's open links to tags and commits point to, once the remote has them all.

    Args:
        text: as it was approved.

    Raises:
        NotYetError: a tag is not pushed, or the remote cannot be reached.
        PublicationError: a tag is not here, or the remote has another one of its name.
    """
    names, commits = open_links(text, "tag"), open_links(text, "commit")
    if not names and not commits:
        return lambda _kind, _what: None
    checkout = Checkout.here()
    remote = checkout.usual_remote()
    if remote is None:
        raise NotYetError(
            f"the text links a tag, and {checkout.top} has no remote for it; publish in the thread's checkout"
        )
    tagged = [_pushed(checkout, remote, name) for name in names]
    for commit in (what.partition(":")[0] for what in commits):
        if not any(checkout.is_ancestor(commit, tag) for tag in tagged):
            raise NotYetError(f"commit {commit} is part of no tag that the text links; tag it and push the tag")
    web = checkout.web(remote)

    def address(kind: str, what: str) -> str | None:
        if web is None:
            return None
        if kind == "tag":
            return tag_page(web, what)
        commit, _, path = what.partition(":")
        return permalink(web, commit, unquote(path)) if path else commit_page(web, commit)

    return address


def _pushed(checkout: Checkout, remote: str, name: str) -> str:
    """The commit of a tag that a remote has just as it is here."""
    tag = checkout.tag(name)
    if tag is None:
        raise PublicationError(f"there is no tag {name} in {checkout.top}; fetch it with git fetch {remote} tag {name}")
    try:
        there = checkout.remote_tag(remote, name)
    except RemoteError as error:
        raise NotYetError(str(error)) from error
    if there is None:
        raise NotYetError(f"tag {name} is not at {remote} yet; push it: git push {remote} refs/tags/{name}")
    if there != tag.object:
        raise PublicationError(f"{remote} has another tag {name} than this checkout; seal the results under a new name")
    return tag.commit
