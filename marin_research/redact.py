"""Takes secrets out of everything that is recorded, sent or published; personal data too where it becomes public.

What a secret looks like is for ``marin_research.redaction``; this module knows which rules apply where, and gives out
text, argument vectors, JSON, URLs and environments with stable placeholders: ``[REDACTED:github]``. Redacting what was
redacted changes nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from marin_research.redaction.arguments import Masks, masked_arguments
from marin_research.redaction.assignments import assigned
from marin_research.redaction.known import known_secrets, spellings
from marin_research.redaction.names import Strength, is_bare, is_secret_header, kind_of, strength, variable_strength
from marin_research.redaction.pem import pem_blocks
from marin_research.redaction.programs import given_passwords
from marin_research.redaction.removed import (
    Removed,
    hide,
    hide_placeholders,
    is_placeholder,
    merged,
    placeholder,
    replaced,
)
from marin_research.redaction.shapes import shaped
from marin_research.redaction.suspects import lines_at, suspicious_positions
from marin_research.redaction.values import is_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from marin_research.redaction.personal import PersonalData
    from marin_research.redaction.writer import RedactingWriter

__all__ = ["Redaction", "Redactor", "Removed"]

_PASSWORD_IN_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#@:\0]*:([^/?#\0]+)@", re.ASCII)
_NAME = re.compile(r"[\w.$ -]{1,100}", re.ASCII)
_SCHEME = re.compile(r"((?:bearer|basic|token|digest|negotiate)[ \t]+)(.+)", re.IGNORECASE | re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Redaction:
    """A text without what had to go, and what that was."""

    text: str
    removed: tuple[Removed, ...]
    """In order and apart; offsets into the original text."""


class Redactor:
    """Removes credentials, and in public mode what identifies people and machines as well.

    Args:
        literals: Exact secret values, each with its kind; they are removed wherever they stand.
        public: Whether the result is for everyone to read.
        names: What else to remove in public mode, as whole words, in capitals or not.
        user: The account to keep private in public mode; by default the one that this program runs under.
        host: The machine to keep private in public mode; by default this one.
    """

    def __init__(
        self,
        literals: Mapping[str, str] | None = None,
        public: bool = False,
        names: Sequence[str] = (),
        *,
        user: str | None = None,
        host: str | None = None,
    ) -> None:
        self._public = public
        self._literals = spellings(literals or {})
        self._names = tuple(names)
        self._user = user
        self._host = host

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str] = os.environ, *, public: bool = False, names: Sequence[str] = ()
    ) -> Redactor:
        """Know the secrets of this account: in the environment, in ``~/.netrc`` and in the Hugging Face token file."""
        return cls(known_secrets(environ), public, names)

    def text(self, text: str) -> Redaction:
        """Redact a text of any length."""
        spans, _ = self._find(text)
        return Redaction(replaced(text, spans), tuple(spans))

    def argv(self, argv: Sequence[str]) -> tuple[str, ...]:
        """Redact an argument vector; it keeps its length, and each argument stays one word for a shell."""
        return tuple(masked_arguments(argv, Masks(self._text, self._whole)))

    def json(self, value: Any) -> Any:
        """Redact a tree of mappings, lists, tuples and strings.

        Numbers stay, except passwords made of digits; so do booleans and None. A list of strings counts as arguments.
        """
        return self._json(value, "")

    def url(self, url: str) -> str:
        """Redact one URL: its password, the secrets among its parameters, and whatever a text may hold."""
        password = _PASSWORD_IN_URL.match(hide_placeholders(url))
        if password:
            start, end = password.span(1)
            url = url[:start] + self._whole(url[start:end], "password") + url[end:]
        return self._text(url)

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Redact the values of variables, those that a name announces and those that show themselves."""
        return {name: self._named(name, value, variable_strength(name)) for name, value in environ.items()}

    def stream(self, write: Callable[[bytes], object]) -> RedactingWriter:
        """Give a writer that redacts what passes through it to ``write``; its ``flush()`` must end the stream."""
        from marin_research.redaction.writer import RedactingWriter

        return RedactingWriter(self._find, write)

    def _text(self, text: str) -> str:
        return self.text(text).text

    def _whole(self, value: str, kind: str) -> str:
        """The placeholder for a value known to be secret: of the kind that its shape tells, else of the given one."""
        if is_placeholder(value):
            return value
        spans, _ = self._find(value)
        shown = len(spans) == 1 and (spans[0].start, spans[0].end) == (0, len(value))
        return placeholder(spans[0].kind if shown else kind)

    def _named(self, name: str, value: str, how_sure: Strength) -> str:
        if is_secret_header(name) and value:
            scheme = _SCHEME.fullmatch(value)
            kind = kind_of(name)
            return scheme[1] + self._whole(scheme[2], kind) if scheme else self._whole(value, kind)
        return self._whole(value, kind_of(name)) if is_secret(value, name, how_sure) else self._text(value)

    def _json(self, value: Any, name: str) -> Any:
        """``name``: what the value is held under, the empty string at the top."""
        if isinstance(value, str):
            return self._named(name, value, Strength.STRONG if is_bare(name) else variable_strength(name))
        if isinstance(value, Mapping):
            # Keys are mostly clean; one look at all of them tells, and costs little more than one at a single key.
            redacted = (
                self._key if self._find("\n".join(key for key in value if isinstance(key, str)))[0] else _as_it_is
            )
            return {redacted(key): self._json(item, _inner_name(value, key, name)) for key, item in value.items()}
        if isinstance(value, list | tuple):
            is_argv = not strength(name) and all(isinstance(item, str) for item in value)
            items = self.argv(value) if is_argv else (self._json(item, name) for item in value)
            return list(items) if isinstance(value, list) else tuple(items)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        is_password = is_number and strength(name) is Strength.STRONG and kind_of(name) == "password"
        return placeholder("password") if is_password else value

    def _key(self, key: Any) -> Any:
        return self._text(key) if isinstance(key, str) else key

    def _find(self, text: str) -> tuple[list[Removed], int | None]:
        """What to remove, in order and apart, and where a private key begins that the end of the text cuts short."""
        hidden = hide_placeholders(text)
        found, open_at = pem_blocks(hidden)
        hidden = hide(hidden, found)
        for start, end in self._lines(hidden):
            in_line = self._in_line(hidden[start:end])
            found += [Removed(span.kind, span.start + start, span.end + start) for span in in_line]
        return sorted(found, key=lambda span: span.start), open_at

    def _lines(self, text: str) -> Iterator[tuple[int, int]]:
        """The lines that need a closer look."""
        if self._public:
            return (match.span() for match in re.finditer(r"[^\n\r]+", text))
        known = (span.start for span in self._known(text))
        return lines_at(text, [*known, *suspicious_positions(text)])

    def _known(self, text: str) -> Iterator[Removed]:
        for value, kind in self._literals.items():
            if value in text:
                for match in re.finditer(re.escape(value), text):
                    yield Removed(kind, *match.span())

    def _in_line(self, line: str) -> list[Removed]:
        """Looks again until nothing is found: what is gone may uncover something to its side."""
        found: list[Removed] = []
        while spans := merged(self._rules(line)):
            found += spans
            line = hide(line, spans)
        return found

    def _rules(self, line: str) -> Iterator[Removed]:
        yield from self._known(line)
        yield from shaped(line)
        yield from assigned(line)
        yield from given_passwords(line)
        if self._public:
            yield from self._personal.find(line)

    @cached_property
    def _personal(self) -> PersonalData:
        from marin_research.redaction.personal import PersonalData

        user = _account() if self._user is None else self._user
        host = os.uname().nodename if self._host is None else self._host
        return PersonalData(user=user, host=host, names=self._names)


def _as_it_is(key: Any) -> Any:
    return key


def _inner_name(mapping: Mapping[Any, Any], key: Any, outer: str) -> str:
    """The name that announces the value under ``key``: ``{"name": "API_KEY", "value": ...}`` names it beside it."""
    if key == "value" and isinstance(mapping.get("name"), str):
        return str(mapping["name"])
    if strength(outer) is Strength.STRONG or is_bare(outer):
        return outer
    return key if isinstance(key, str) and _NAME.fullmatch(key) else ""


def _account() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
