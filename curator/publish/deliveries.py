"""How each kind of draft goes to SkillEvolve: its request, what must be there first, and what shows that it is out."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from curator.draft import Draft, DraftKind
from curator.errors import NotYetError, PublicationError
from curator.publish.destination import Out
from curator.publish.marker import marker
from curator.skillevolve import fields as kinds
from curator.skillevolve.archive import compressed
from curator.skillevolve.credentials import find_credentials, require_writable, save_credentials
from curator.skillevolve.errors import CredentialsError
from curator.skillevolve.memory import read_memory
from curator.skillevolve.notebook import NotebookError, archive
from curator.skillevolve.traces import Trace, Traces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curator.publish.destination import Context
    from curator.skillevolve.answers import Created, Profile
    from curator.skillevolve.reading import Reader
    from curator.skillevolve.submission import Submission
    from curator.skillevolve.writing import Writer

_NO_ID = "its answer named no ID, and the site does not show it yet; look for it there"


class Delivery[F: kinds.Fields]:
    """One draft on its way. Every method may raise a SkillEvolveError."""

    method = "POST"
    path = ""
    marked = False
    """Whether its text carries the hidden comment by which it is found again."""

    def __init__(self, draft: Draft, submission: Submission, reader: Reader, writer: Writer, context: Context) -> None:
        self.draft = draft
        self.fields = cast("F", submission.fields)
        self.body = submission.body
        self.reader = reader
        self.writer = writer
        self.context = context

    @cached_property
    def profile(self) -> Profile:
        """Who we are there."""
        return self.reader.me()

    @cached_property
    def traces(self) -> Traces:
        return Traces(self.reader, self.profile.agent.id)

    @property
    def content(self) -> str:
        """The text as it is sent."""
        return f"{self.body}\n\n{marker(self.draft.id, self.draft.sha256)}" if self.marked else self.body

    def ready(self) -> None:
        """Return if what it needs is there.

        Raises:
            NotYetError: it has to wait.
        """

    def address(self) -> str:
        """The path that it is sent to."""
        return self.path

    def request(self) -> tuple[str, str, Any]:
        """Method, path and JSON of what is sent."""
        return self.method, self.address(), self.fields.request(self.content)

    def where(self) -> str:
        """The address that it goes to."""
        return f"{self.reader.api}{self.address()}"

    def find(self, markers: Sequence[str]) -> Trace | None:
        """What is out of it; ``markers`` has its own first."""
        raise NotImplementedError

    def absence_is_proof(self) -> bool:
        """Whether what is not found was not sent."""
        return True

    def send(self) -> Out:
        """Send it, once."""
        raise NotImplementedError


class PostDelivery(Delivery[kinds.Post]):
    path = "/posts"
    marked = True

    def ready(self) -> None:
        slug, name = self.fields.skill_slug, self.fields.skill_name
        known = self.reader.skills(slug=slug, name=name, author=self.fields.skill_author)
        if any(slug == skill.slug or (name or "").lower() == skill.name.lower() for skill in known):
            return
        if name is not None and self._is_planned(name):
            return
        raise NotYetError(
            f"SkillEvolve has no skill {slug or name} yet; upload it first with `curator skillevolve upload FOLDER`, "
            f"or name another with `curator edit {self.draft.id}`"
        )

    def _is_planned(self, name: str) -> bool:
        """Whether a dry run found that the skill would be uploaded by then."""
        planned = map(self.context.queue.get, sorted(self.context.planned))
        return any(draft.kind is DraftKind.SKILL and f"name: {name}\n" in draft.text for draft in planned)

    def request(self) -> tuple[str, str, Any]:
        urls = {str(each.file): f"(where {each.file} is uploaded to)" for each in self.fields.files}
        return self.method, self.path, self.fields.request(self.content, urls)

    def find(self, markers: Sequence[str]) -> Trace | None:
        return self.traces.post(self.fields.title, self.body, markers)

    def send(self) -> Out:
        urls = {str(each.file): self._uploaded(each) for each in self.fields.files}
        showcase = self.fields.as_showcase().request(self.content, urls) if self.fields.if_unknown else None
        created = self.writer.create_post(self.fields.request(self.content, urls), showcase)
        if created.id:
            return Out(link=self.reader.post_url(created.id))
        trace = self.find([marker(self.draft.id, self.draft.sha256)])
        return Out(link=trace.link) if trace else Out(link=f"{self.reader.site}/forum", note=_NO_ID)

    def _uploaded(self, attachment: kinds.Attachment) -> str:
        """Where a file can be seen. It is put there once, also when the post is tried again."""
        store = self.context.queue.store
        kept = next(each for each in self.draft.attachments if each.blob.sha256 == attachment.sha256)
        host = self.reader.site.partition("://")[2].replace(":", "-")
        place = f"skillevolve/{host}/{attachment.sha256}"
        try:
            return store.objects.get(place).decode()
        except FileNotFoundError:
            pass
        name = str(attachment.file).rpartition("/")[2]
        url = self.writer.upload_file(name, store.blob(kept.blob), attachment.label)
        store.objects.put(place, url.encode())
        return url


class CommentDelivery(Delivery[kinds.Comment]):
    marked = True

    def address(self) -> str:
        return f"/posts/{self.fields.post_id}/comments"

    def find(self, markers: Sequence[str]) -> Trace | None:
        return self.traces.comment(self.fields, self.body, markers)

    def send(self) -> Out:
        self.writer.comment(self.fields.post_id, self.fields.request(self.content))
        return Out(link=self.reader.post_url(self.fields.post_id))


class VoteDelivery(Delivery[kinds.Vote]):
    def address(self) -> str:
        return f"/posts/{self.fields.post_id}/vote"

    def request(self) -> tuple[str, str, Any]:
        return self.method, self.address(), {"vote": self.fields.value}

    def find(self, markers: Sequence[str]) -> Trace | None:
        return self.traces.vote(self.fields, markers)

    def send(self) -> Out:
        self.writer.vote(self.fields.post_id, self.fields.value)
        return Out(link=self.reader.post_url(self.fields.post_id))


class ResolutionDelivery(Delivery[kinds.Resolution]):
    method = "PUT"

    def address(self) -> str:
        return f"/posts/{self.fields.post_id}"

    def find(self, markers: Sequence[str]) -> Trace | None:
        return self.traces.resolution(self.fields, markers)

    def send(self) -> Out:
        self.writer.update_post(self.fields.post_id, self.fields.request(self.content))
        return Out(link=self.reader.post_url(self.fields.post_id))


class SessionDelivery(Delivery[kinds.Session]):
    path = "/sessions"

    def ready(self) -> None:
        own = self.profile.agent.id
        if self.fields.agent_id != own:
            raise PublicationError(
                f"the report is of {self.fields.agent_id} and the key is {own}'s; "
                f"set the key, or the agent_id with `curator edit {self.draft.id}`"
            )

    def find(self, markers: Sequence[str]) -> Trace | None:
        return self.traces.session(self.fields.session_id, markers)

    def send(self) -> Out:
        report = self.fields.request(self.content)
        self.writer.submit_session(report)
        session_id = self.fields.session_id
        files = [session.file for session in read_memory().sessions if session.id == session_id]
        link = self.traces.session_url(session_id)
        try:
            archive(session_id, report, files)
        except NotebookError as error:
            return Out(link=link, note=str(error))
        return Out(link=link)


class MessageDelivery(Delivery[kinds.Message]):
    path = "/messages"

    def find(self, markers: Sequence[str]) -> Trace | None:
        return self.traces.message(self.fields, self.body, markers)

    def absence_is_proof(self) -> bool:
        return self.traces.lists_sent_messages()

    def send(self) -> Out:
        self.writer.send_message(self.fields.request(self.content))
        return Out(link=self.where())


class SkillDelivery(Delivery[kinds.Skill]):
    def address(self) -> str:
        if self.fields.sha256 is None:
            return "/skills"
        return f"/skills/{self.fields.skill_slug}/upload" if self.fields.skill_slug else "/skills/upload"

    def request(self) -> tuple[str, str, Any]:
        method, path, body = super().request()
        return method, path, {"file": list(self.fields.files)} if self.fields.files else body

    def where(self) -> str:
        return f"{self.reader.api}/skills?name={self.fields.name}"

    def find(self, markers: Sequence[str]) -> Trace | None:
        """A thread of that name; an archive is sent again where it is not certain, which replaces it by itself."""
        if self.fields.sha256 is not None:
            return None
        known = any(skill.name == self.fields.name for skill in self.reader.skills(name=self.fields.name))
        return Trace(marker=markers[0], link=self.where()) if known else None

    def send(self) -> Out:
        if self.fields.sha256 is None:
            self.writer.create_skill(self.fields.request(self.content))
            return Out(link=self.where())
        kept = next(each for each in self.draft.attachments if each.blob.sha256 == self.fields.sha256)
        data = compressed(self.context.queue.store.blob(kept.blob))
        made: Created = self.writer.upload_skill(data, self.fields.name, self.fields.skill_slug)
        note = f"its slug is {made.id}" if made.id else None
        return Out(link=self.where(), note=note)


class RegistrationDelivery(Delivery[kinds.Registration]):
    path = "/register"

    def ready(self) -> None:
        known = find_credentials()
        if known is not None and known.agent_name != self.fields.name:
            raise PublicationError(
                f"there is a key already, from {known.source}; to register another agent, move that away first"
            )
        require_writable()

    def find(self, markers: Sequence[str]) -> Trace | None:
        """The key is only shown once: where it is here, the registration is out; where it is not, nobody can tell."""
        try:
            known = find_credentials()
        except CredentialsError:
            return None
        same = known is not None and known.agent_name == self.fields.name
        return Trace(marker=markers[0], link=known.claim_url) if known and same else None

    def absence_is_proof(self) -> bool:
        return False

    def send(self) -> Out:
        made = self.writer.register(self.fields.name, self.fields.description)
        save_credentials(
            api_key=made.api_key, agent_id=made.agent_id, agent_name=self.fields.name, claim_url=made.claim_url
        )
        code = f" with the code {made.verification_code}" if made.verification_code else ""
        note = f"registered as {made.agent_id}; a person has to claim it at that address{code} before it may write"
        return Out(link=made.claim_url, note=note)


_BY_KIND: dict[DraftKind, type[Delivery[Any]]] = {
    DraftKind.POST: PostDelivery,
    DraftKind.COMMENT: CommentDelivery,
    DraftKind.VOTE: VoteDelivery,
    DraftKind.RESOLUTION: ResolutionDelivery,
    DraftKind.SESSION: SessionDelivery,
    DraftKind.MESSAGE: MessageDelivery,
    DraftKind.SKILL: SkillDelivery,
    DraftKind.REGISTRATION: RegistrationDelivery,
}


def delivery_of(
    draft: Draft, submission: Submission, reader: Reader, writer: Writer, context: Context
) -> Delivery[Any]:
    """The way of a draft of that kind."""
    return _BY_KIND[draft.kind](draft, submission, reader, writer, context)
