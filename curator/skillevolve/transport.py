"""One request to SkillEvolve and its answer: the key, what is tried again, what is never done.

Redirects are never followed with a key: it would go along. What only reads is tried again where that may help; what
writes is sent once, and the error says whether it can have arrived. Needs httpx; imported where something is asked.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Self

import httpx  # noqa: TID253 - this module is loaded late

from curator.plain import one_line
from curator.skillevolve.errors import (
    CredentialsError,
    RateLimitedError,
    UnansweredError,
    UnreachableError,
    UnreadableAnswerError,
)
from curator.skillevolve.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from curator.skillevolve.credentials import Credentials

_LARGEST = 30_000_000
"""Bytes of an answer; no documented one comes near."""
_PAUSES_S = (0.5, 2.0)
"""Before the second and the third try of something that only reads."""
_LONGEST_PAUSE_S = 10.0
_SAID = 300
"""Characters of what the site says that go into an error."""
_BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_BEARER, _PLAIN = "Authorization", "x-api-key"
"""Headers for the key; the documents use the one nearly everywhere and the other for uploads."""


class Key(Enum):
    """Whether a request carries the key."""

    IF_ASKED = "if asked"  # what everybody may read; the key is sent when it is refused without
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    request: str
    """Method and path."""
    status: int
    headers: Mapping[str, str]
    """Names in small letters."""
    content: bytes

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_success(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    def json(self) -> Any:
        """The answer as JSON.

        Raises:
            UnreadableAnswerError: it is something else.
        """
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError) as error:
            what = self.content_type or "nothing that says what it is"
            raise UnreadableAnswerError(f"{self.request} was answered with {what}, not JSON; ask the site") from error


class Transport:
    """A connection to the API.

    Args:
        url: of the API.
        credentials: whose key is used; without them only what everybody may read can be asked.
        timeout_s: for each of connecting, sending and waiting.
        within_s: for an answer from its first byte to its last.
        tries: how often something that only reads is asked.
        sleep: waits between tries.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials | None,
        *,
        timeout_s: float = 20.0,
        within_s: float = 120.0,
        tries: int = 3,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url
        self.credentials = credentials
        self._within_s = within_s
        self._pauses_s = _PAUSES_S[: tries - 1]
        self._sleep = sleep
        self._taken_in: dict[str, str] = {}
        """Of each path, the header in which the key was taken."""
        headers = {"User-Agent": f"marin-research/{version('marin-research')}", "Accept": "application/json"}
        # A connection for each request: an answer that a broken proxy repeats must not be taken for the next one's.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._http = httpx.Client(timeout=timeout_s, headers=headers, limits=limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None, *, key: Key = Key.IF_ASKED) -> Answer:
        """Read something; tried again when the site is busy or the connection breaks.

        Raises:
            SkillEvolveError: it cannot be had; says why and what to do.
        """
        given = {name: str(value) for name, value in (params or {}).items() if value not in (None, "")}
        for pause in self._pauses_s:
            try:
                return self._ask("GET", path, key, params=given)
            except (UnreachableError, UnansweredError):
                self._sleep(pause)
            except RateLimitedError as error:
                if error.wait_s is None or error.wait_s > _LONGEST_PAUSE_S:
                    raise
                self._sleep(max(pause, error.wait_s))
        return self._ask("GET", path, key, params=given)

    def send(self, method: str, path: str, body: Any, *, key: Key = Key.ALWAYS) -> Answer:
        """Send JSON, once.

        Raises:
            UnansweredError: it may have arrived.
            SkillEvolveError: nothing was carried out; says why and what to do.
        """
        return self._ask(method, path, key, json=body)

    def upload(self, path: str, name: str, data: bytes, content_type: str) -> Answer:
        """Send a file as a form, once. Raises as `send` does."""
        return self._ask("POST", path, Key.ALWAYS, files={"file": (name, data, content_type)})

    def put(self, url: str, data: bytes, content_type: str) -> None:
        """Put a file where a signed address says; without the key, which is none of that host's business.

        Raises:
            SkillEvolveError: it may not be there; putting it again does no harm.
        """
        self._require_safe(url)
        self._require_success(self._exchange("PUT", url, {"Content-Type": content_type}, content=data))

    def fetch(self, url: str) -> Answer:
        """Read a public file from any host, without the key; redirects are followed.

        Raises:
            SkillEvolveError: it cannot be had.
        """
        self._require_safe(url)
        return self._require_success(self._exchange("GET", url, {"Accept": "*/*"}, follow=True))

    def _require_safe(self, url: str) -> None:
        """Files go over https, except from and to a site that is itself on this machine."""
        if not url.startswith("https://") and not (url.startswith("http://") and self.url.startswith("http://")):
            raise UnreadableAnswerError(f"the site names an address without https ({one_line(url):.300}); ask there")

    def _ask(self, method: str, path: str, key: Key, **what: Any) -> Answer:
        """Ask with the key in one header and, where that is not taken, in the other: a refusal carries nothing out."""
        if self.credentials is None and key is Key.ALWAYS:
            raise CredentialsError("this needs a key; set SKILLEVOLVE_API_KEY, or `curator skillevolve register`")
        names = [self._taken_in[path]] if path in self._taken_in else [_BEARER, _PLAIN]
        if key is Key.IF_ASKED and path not in self._taken_in:
            names.insert(0, "")
        if self.credentials is None:
            names = [""]
        for name in names:
            answer = self._exchange(method, f"{self.url}{path}", self._key(name), **what)
            if answer.status != HTTPStatus.UNAUTHORIZED:
                break
        self._require_success(answer)
        if name:
            self._taken_in[path] = name
        return answer

    def _key(self, header: str) -> dict[str, str]:
        if not header or self.credentials is None:
            return {}
        key = self.credentials.api_key
        return {header: f"Bearer {key}" if header == _BEARER else key}

    def _exchange(self, method: str, url: str, headers: dict[str, str], *, follow: bool = False, **what: Any) -> Answer:
        host = url.partition("://")[2].partition("/")[0]
        try:
            with self._http.stream(method, url, headers=headers, follow_redirects=follow, **what) as response:
                return Answer(
                    request=f"{method} {response.url.path}",
                    status=response.status_code,
                    headers={name.lower(): value for name, value in response.headers.items()},
                    content=self._read(response, host),
                )
        except _BEFORE_SENDING as error:
            raise UnreachableError(
                f"cannot reach {host} ({_said(error)}); nothing was sent, try again when the network is back"
            ) from error
        except (httpx.InvalidURL, httpx.TooManyRedirects) as error:
            raise UnreadableAnswerError(f"{one_line(url):.300} leads nowhere ({_said(error)}); ask the site") from error
        except httpx.HTTPError as error:
            raise UnansweredError(f"{host} did not answer {method} ({_said(error)}); try again") from error

    def _read(self, response: httpx.Response, host: str) -> bytes:
        """The body, up to a bound and within a time: a site that sends a byte a second must not hold us for ever."""
        parts, size, end = [], 0, time.monotonic() + self._within_s
        for part in response.iter_bytes():
            size += len(part)
            if size > _LARGEST:
                raise UnreadableAnswerError(f"{host} answered more than {_LARGEST:,} bytes; ask the site")
            if time.monotonic() > end:
                raise UnansweredError(f"{host} did not finish its answer in {self._within_s:g} s; try again")
            parts.append(part)
        return b"".join(parts)

    def _require_success(self, answer: Answer) -> Answer:
        if answer.is_success:
            return answer
        said = _words(answer)
        if self.credentials is not None:
            said = said.replace(self.credentials.api_key, "[REDACTED:skillevolve]")
        raise refusal(answer.status, answer.request, one_line(said)[:_SAID], answer.headers, self.credentials)


def _words(answer: Answer) -> str:
    """What the site says of a refusal."""
    try:
        words = answer.json()
    except UnreadableAnswerError:
        return ""
    while isinstance(words, dict):
        words = next((words[name] for name in ("error", "message", "detail", "details") if name in words), "")
    return str(words)


def _said(error: Exception) -> str:
    return one_line(str(error))[:_SAID] or type(error).__name__
