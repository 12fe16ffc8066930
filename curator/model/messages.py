"""Anthropic's Messages API, or whatever speaks it at ``ANTHROPIC_BASE_URL``. The one module that knows the SDK.

The SDK retries; this module sees to it that all of it together ends by one deadline. The SDK honours ``retry-after``
without a cap, a read timeout starts anew with every byte, and a stream that ends early is no error to it: none of that
may keep a person waiting or pass for an answer.
"""

from __future__ import annotations

import os
import socket
import time
import warnings
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from threading import Timer
from typing import TYPE_CHECKING, Any

from curator.errors import CuratorError
from curator.model.port import Answer, ModelError, Request, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from anthropic import Anthropic, APIStatusError
    from anthropic.types import Message

    from curator.model.deadline import Deadline

DEFAULT_MODEL = "claude-opus-5-5"
_KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE")
_RETRIES = 3
_CONNECT_S = 10.0
_NOT_OFFERED = frozenset({404, 405, 501})
_FINAL = frozenset({"end_turn", "stop_sequence", "max_tokens"})


class MissingKeyError(CuratorError):
    """There is nothing to authenticate with."""

    def __init__(self) -> None:
        super().__init__(
            "asking claude needs a key: set ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN), or do without it: "
            "`curator draft --drafter template` and `curator verify` need none"
        )


def has_access(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether there is something to authenticate with."""
    return any(environ.get(name) for name in _KEYS)


def require_access(environ: Mapping[str, str] = os.environ) -> None:
    """Say at once what would fail later.

    Raises:
        MissingKeyError: no key, token or profile is set.
        CuratorError: the SDK is not installed.
    """
    from importlib.util import find_spec

    if not has_access(environ):
        raise MissingKeyError
    if find_spec("anthropic") is None:
        raise CuratorError("asking claude needs Anthropic's SDK; pip install 'marin-research[claude]'")


class MessagesModel:
    """One model of the API, for one draft: everything it is asked must be done by the deadline."""

    def __init__(self, name: str, deadline: Deadline) -> None:
        """Set the SDK up; nothing is sent yet.

        Raises:
            CuratorError: as for ``require_access``.
        """
        require_access()
        self.name = name
        self._deadline = deadline
        self._client = _client(deadline)

    def count(self, request: Request) -> int | None:
        from anthropic import APIStatusError

        with _explained(self._deadline), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                counted = self._client.messages.count_tokens(
                    model=self.name,
                    system=_system(request),
                    messages=_messages(request),
                    output_config=_output(request),
                )
            except APIStatusError as error:
                if error.status_code in _NOT_OFFERED:
                    return None  # a gateway may not have it
                raise
        tokens = getattr(counted, "input_tokens", None)
        return tokens if isinstance(tokens, int) else None

    def ask(self, request: Request, on_text: Callable[[str], None]) -> Answer:
        with _explained(self._deadline), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            with (
                self._client.messages.stream(
                    model=self.name,
                    max_tokens=request.max_output_tokens,
                    system=_system(request),
                    messages=_messages(request),
                    output_config=_output(request),
                ) as stream,
                _cut_off(stream.response, self._deadline),
            ):
                for event in stream:
                    if event.type == "text":
                        on_text(event.text)
                message = stream.get_final_message()
        return _answer(message, self.name)


def _client(deadline: Deadline) -> Anthropic:
    from anthropic import Anthropic, AnthropicError
    from httpx2 import Timeout

    def in_time(request: Any, call_next: Callable[[Any], Any]) -> Any:
        """Around every attempt, retries included: none starts too late, none is waited for too long."""
        deadline.check()
        left = deadline.remaining
        response = call_next(request.copy(timeout=Timeout(left, connect=min(_CONNECT_S, left))))
        headers = response.http_response.headers
        if _wait_s(headers) > deadline.remaining:
            headers["x-should-retry"] = "false"
        return response

    try:
        return Anthropic(max_retries=_RETRIES, middleware=[in_time])
    except AnthropicError as error:
        raise ModelError(f"the SDK cannot be set up: {_brief(error)}") from error


def _wait_s(headers: Mapping[str, str]) -> float:
    """How long the server asks to wait before the next attempt; 0 where it does not say."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name)
        with suppress(TypeError, ValueError):
            return float(value) * scale  # type: ignore[arg-type]  # None is the TypeError
        with suppress(TypeError, ValueError):
            return parsedate_to_datetime(value).timestamp() - time.time()  # type: ignore[arg-type]
    return 0.0


def _system(request: Request) -> list[Any]:
    return [{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}} for text in request.system]


def _messages(request: Request) -> list[Any]:
    return [{"role": turn.role, "content": turn.text} for turn in request.turns]


def _output(request: Request) -> Any:
    """The schema as far as the API enforces it; the rest is said in words and checked afterwards."""
    from anthropic import transform_schema

    return {"format": {"type": "json_schema", "schema": transform_schema(dict(request.schema))}}


def _answer(message: Message | None, asked: str) -> Answer:
    """What the API said, provided that it is whole.

    Raises:
        ModelError: it is none, or not a whole one.
    """
    if message is None:
        raise ModelError("what answered does not speak the Messages API")
    if message.stop_reason == "refusal":
        details = message.stop_details
        category = f" ({details.category})" if details and details.category else ""
        raise ModelError(f"it refused{category}")
    if message.stop_reason is None:
        raise ModelError("its answer broke off in mid-stream")
    if message.stop_reason not in _FINAL:
        raise ModelError(f"it stopped for an unexpected reason: {message.stop_reason}")
    used = message.usage
    return Answer(
        text="".join(block.text for block in message.content if block.type == "text"),
        usage=Usage(
            input_tokens=used.input_tokens,
            output_tokens=used.output_tokens,
            cache_read_tokens=used.cache_read_input_tokens or 0,
            cache_written_tokens=used.cache_creation_input_tokens or 0,
        ),
        stop_reason=message.stop_reason,
        model=message.model or asked,
    )


@contextmanager
def _cut_off(response: Any, deadline: Deadline) -> Iterator[None]:
    """End the answer when the time is up, also when it trickles in."""

    def hang_up() -> None:
        stream = response.extensions.get("network_stream")
        connection = stream.get_extra_info("socket") if stream is not None else None
        if connection is not None:
            with suppress(OSError):  # it is closed already
                connection.shutdown(socket.SHUT_RDWR)

    timer = Timer(deadline.remaining, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
        deadline.check()
    finally:
        timer.cancel()


@contextmanager
def _explained(deadline: Deadline) -> Iterator[None]:
    """Every way in which a call can fail, in a few words."""
    import anthropic
    import httpx2

    try:
        yield
    except ModelError:
        raise
    except anthropic.APIStatusError as error:
        raise ModelError(_status(error)) from error
    except (anthropic.APIConnectionError, httpx2.HTTPError, OSError) as error:
        deadline.check()
        what = "was reached in vain" if isinstance(error, anthropic.APITimeoutError) else "cannot be reached"
        raise ModelError(f"the API {what}: {_brief(error.__cause__ or error)}") from error
    except anthropic.AnthropicError as error:
        raise ModelError(_brief(error)) from error
    except (ValueError, TypeError, AttributeError, KeyError, AssertionError) as error:
        # The SDK checks little of what it is sent: a web page in place of JSON shows up as one of these.
        raise ModelError(f"what answered does not speak the Messages API: {_brief(error)}") from error


def _status(error: APIStatusError) -> str:
    kind = error.type or ""
    said = error.message.strip() or kind
    if error.status_code == 429 or kind == "rate_limit_error":
        wait = error.response.headers.get("retry-after")
        return "its rate limit is reached" + (f" (it asks to wait {wait} s)" if wait else "")
    if error.status_code == 529 or kind == "overloaded_error":
        return "it is overloaded"
    if error.status_code in (401, 403):
        return "it does not accept the key"
    if error.status_code == 404:
        return "it does not know this model or address; see --model"
    return f"it answered {error.status_code}: {_brief(said)}"


def _brief(said: object) -> str:
    """The first 200 characters of one line."""
    text = " ".join(str(said).split()) or type(said).__name__
    return text if len(text) <= 200 else f"{text[:199]}…"
