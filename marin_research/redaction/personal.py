"""What identifies people and machines: e-mail addresses, user names, private hosts and addresses, names given to it.

Knows nothing of credentials. Sees one line at a time; only text that is to become public is put through it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from marin_research.redaction.names import word_set
from marin_research.redaction.removed import Removed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_GENERIC_USERS = word_set(
    "admin app code codespace daemon docker guest jovyan marin nobody none ray root runner service test ubuntu user "
    "vscode www-data"
)
_GENERIC_HOSTS = word_set("container cluster computer gpu host local localhost machine node runner server tpu worker")
_MIN_NAME = 3
"""Shorter user and host names count only where what stands before them says what they are."""

_EMAIL = re.compile(
    r"(?<![\w.%+-])(?!git@)[\w.%+-]++@(?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.){1,8}"
    r"(?!(?:png|jpe?g|gif|svg|py|md|json|ya?ml|txt|whl|gz|zst|sh)\b)[A-Za-z]{2,24}(?![A-Za-z0-9@])",
    re.ASCII,
)
_LOGIN = re.compile(r"(?<![\w.%+/@-])(?!git@)([A-Za-z_][\w.-]{0,31})@([A-Za-z0-9][\w.-]{0,63})(?=:[~/])", re.ASCII)
_HOME = re.compile(r"/(?:home|Users|users?)/((?![.*$])[^\s/\"'`:;,<>|()\[\]{}\\\0]{1,64})", re.ASCII)
_HOME_ON_WINDOWS = re.compile(r"\\Users\\{1,2}([^\s/\"'`:;,<>|\\\0]{1,64})", re.ASCII)
_PATH_BACKWARDS = re.compile(r"[^\s\"'`=,;:<>|()\[\]{}\\\0]*(?P<scheme>:[a-z0-9]{2,8})?", re.ASCII)
_LONGEST_PATH = 1024
_FIELD = re.compile(
    r"(?:(?<![\w-])(?:USER|LOGNAME|USERNAME)=|(?<![A-Za-z])(?i:user_?name|login_?name)[\"']?[ \t]{0,2}[:=][ \t]{0,2})"
    r"[\"']?(?!(?:str|None|Optional|self)\b)([A-Za-z][\w.-]{1,31})(?![\w.(-])",
    re.ASCII,
)
_HOST = re.compile(
    r"(?<![\w.-])(?<!from )(?<!import )(?!(?:args|config|env|self|settings|this|threading)\.)"
    r"(?!metadata\.google\.|host\.docker\.)(?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.){1,10}"
    r"(?:internal|local|svc|corp|lan)(?![\w(-]|\.\w)",
    re.ASCII,
)
_CLOUD_HOST = re.compile(r"(?<![\w.-])ip-(?:10|172|192)-\d{1,3}-\d{1,3}-\d{1,3}(?![\w-])", re.ASCII)
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|-[A-Za-z]|\.\d)", re.ASCII)
_IPV6 = re.compile(
    r"(?<![\w:.])(?:f[cd][0-9a-f]{2}|fe[89ab][0-9a-f])(?::[0-9a-f]{0,4}){2,7}(?:%\w{1,16})?(?![\w:])",
    re.IGNORECASE | re.ASCII,
)
_IPV6_AND_PORT = re.compile(r"\[(?!::1?\])((?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4})\](?=:\d)", re.IGNORECASE | re.ASCII)
_BEFORE_ADDRESS = re.compile(
    r"(?:://|@|\b(?:ips?|addr|address|host|hostname|peer|inet|server|node|worker|coordinator|from|master)"
    r"[\"'=: \t(_-]{1,8})\Z",
    re.IGNORECASE | re.ASCII,
)
_BEFORE_VERSION = re.compile(
    r"(?:\bv|\bversion|cuda|cudnn|driver|nccl|release|build|[=~<>]=|-)[\"'=: \t]{0,4}\Z", re.IGNORECASE | re.ASCII
)
_CONTEXT = 32
"""Characters before an address that are read to tell it from a version."""
_PUBLIC_LINK = re.compile(r"https?://(?:wandb\.ai|github\.com)/[^\s\"'<>`\0]*", re.ASCII)


class PersonalData:
    """Finds what identifies people and machines.

    Args:
        user: The account that this program runs under. Kept where it is one that many machines have (``root``), and in
            links to W&B and GitHub, which are public and would break.
        host: The name of this machine, short or with its domain.
        names: What else to remove wherever it stands as a whole word, in capitals or not.
    """

    def __init__(self, *, user: str, host: str, names: Sequence[str]) -> None:
        self._names = _whole_words(names)
        is_generic = user.lower() in _GENERIC_USERS
        self._user = None if is_generic or len(user) < _MIN_NAME else _whole_words([user])
        self._user_folder = None if is_generic or not user else re.compile(rf"(?<![\w/.:-])/({re.escape(user)})/")
        short = host.partition(".")[0]
        is_telling = len(short) >= _MIN_NAME and short.lower() not in _GENERIC_HOSTS
        before = "" if is_telling else r"(?:\b(?:host|hostname|node|machine)[\"'=: \t]{1,4}|@)"
        self._host = _whole_words([host, short], before)

    def find(self, line: str) -> Iterator[Removed]:
        """What of one line (no line end in it) is personal; spans may overlap."""
        yield from _groups("email", _EMAIL, line)
        yield from _logins(line)
        yield from _homes(line)
        yield from _groups("user", _FIELD, line)
        yield from _groups("user", self._user_folder, line)
        yield from _groups("user", self._user, _PUBLIC_LINK.sub(lambda link: "\0" * len(link[0]), line))
        for pattern in (_HOST, _CLOUD_HOST, self._host):
            yield from _groups("host", pattern, line)
        yield from _addresses(line)
        yield from _groups("name", self._names, line)


def _whole_words(names: Sequence[str], before: str = "") -> re.Pattern[str] | None:
    """``before``: a pattern of what must stand in front."""
    wanted = sorted({name for name in names if name.strip()}, key=len, reverse=True)
    if not wanted:
        return None
    return re.compile(rf"{before}(?<![^\W_])({'|'.join(map(re.escape, wanted))})(?![^\W_])", re.IGNORECASE)


def _groups(kind: str, pattern: re.Pattern[str] | None, line: str) -> Iterator[Removed]:
    for match in pattern.finditer(line) if pattern else ():
        yield Removed(kind, *match.span(match.re.groups))


def _logins(line: str) -> Iterator[Removed]:
    """The user and the host of ``user@host:/path`` and of a shell's prompt."""
    for match in _LOGIN.finditer(line):
        for kind, group, generic in (("user", 1, _GENERIC_USERS), ("host", 2, _GENERIC_HOSTS)):
            if match[group].lower() not in generic:
                yield Removed(kind, *match.span(group))


def _homes(line: str) -> Iterator[Removed]:
    """The user's part of home folders, on disks and in buckets, not of links and of paths inside a checkout."""
    yield from _groups("user", _HOME_ON_WINDOWS, line)
    for match in _HOME.finditer(line):
        before = line[max(0, match.start() - _LONGEST_PATH) : match.start()][::-1]
        path = _PATH_BACKWARDS.match(before)
        scheme = path["scheme"] if path else None
        is_relative = path is not None and path[0] != "" and not path[0].endswith(("/", "~"))
        in_checkout = scheme is None and (is_relative or match[0].startswith("/user/"))
        if not in_checkout and scheme not in (":ptth", ":sptth"):
            yield Removed("user", *match.span(1))


def _addresses(line: str) -> Iterator[Removed]:
    yield from _groups("ip", _IPV6, line)
    yield from _groups("ip", _IPV6_AND_PORT, line)
    yield from _groups("ip", _CLOUD_HOST, line)
    for match in _IPV4.finditer(line):
        octets = tuple(map(int, match[0].split(".")))
        before = line[max(0, match.start() - _CONTEXT) : match.start()]
        said = (
            _BEFORE_ADDRESS.search(before) is not None
            or re.match(r":\d", line[match.end() : match.end() + 2]) is not None
        )
        is_version = not said and _BEFORE_VERSION.search(before) is not None
        if max(octets) <= 255 and not is_version and _is_private(octets, said=said):
            yield Removed("ip", *match.span())


def _is_private(octets: tuple[int, ...], *, said: bool) -> bool:
    """``said``: the text around calls it an address, so a public one counts too; loopback and wildcards never do."""
    first, second = octets[:2]
    if first in (0, 127, 255):
        return False
    ranges = first == 10 or (first, second) == (192, 168) or (first, second) == (169, 254)
    return said or ranges or (first == 172 and 16 <= second < 32) or (first == 100 and 64 <= second < 128)
