"""Who we are on SkillEvolve: the key and the agent, from the environment or ``~/.skillevolve/config.json``."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.skillevolve.errors import CredentialsError
from marin_research.places import make_ignored

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = Path(".skillevolve/config.json")
"""Below the home folder."""
KEY_VARIABLE = "SKILLEVOLVE_API_KEY"
API_VARIABLE = "SKILLEVOLVE_API_URL"
API = "https://skill-evolve.com/api/v1"
_NAMES = ("agent_id", "agent_name", "claim_url")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    api_key: str = field(repr=False)
    agent_id: str = ""
    """Empty where nothing here says it; the site knows it by the key."""
    agent_name: str = ""
    claim_url: str = ""
    """Where a person claims the agent; kept from its registration."""
    source: str
    """Where the key is from, for messages."""


def find_credentials(environ: Mapping[str, str] = os.environ) -> Credentials | None:
    """The credentials there are; None without any.

    Raises:
        CredentialsError: the file is there but cannot be used: others can read it, or it is damaged.
    """
    key = environ.get(KEY_VARIABLE, "").strip()
    path = config_file(environ)
    raw = _read(path) if path.exists() else {}
    in_file = raw.get("api_key", "")
    if key:
        # The file may be another agent's.
        of_agent = raw if key == in_file else {}
        return _credentials(of_agent, key, f"${KEY_VARIABLE}")
    return _credentials(raw, in_file, "~/.skillevolve/config.json") if in_file else None


def require_credentials(environ: Mapping[str, str] = os.environ) -> Credentials:
    """The credentials there are.

    Raises:
        CredentialsError: there are none, or they cannot be used.
    """
    found = find_credentials(environ)
    if found is None:
        raise CredentialsError(
            f"there is no key for SkillEvolve; set {KEY_VARIABLE}, or register with `curator skillevolve register`"
        )
    return found


def save_credentials(
    *, api_key: str, agent_id: str, agent_name: str, claim_url: str = "", environ: Mapping[str, str] = os.environ
) -> Path:
    """Write the file, for its owner only; whatever else is in it stays.

    Raises:
        CredentialsError: it cannot be written; the message does not hold the key.
    """
    path = config_file(environ)
    try:
        make_ignored(path.parent, mode=0o700)
        kept = _read(path) if path.exists() else {}
        said = {"api_key": api_key, "agent_id": agent_id, "agent_name": agent_name, "claim_url": claim_url}
        _put(path, (json.dumps({**kept, **said}, indent=2) + "\n").encode())
    except OSError as error:
        raise CredentialsError(f"cannot write {path}: {error.strerror}; make room or mend its permissions") from error
    return path


def keep_answer(content: bytes, environ: Mapping[str, str] = os.environ) -> Path:
    """Keep an answer that may hold a key, for its owner only."""
    path = config_file(environ).with_name("registration-answer.txt")
    _put(path, content)
    return path


def _put(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def require_writable(environ: Mapping[str, str] = os.environ) -> None:
    """Return if credentials could be saved: a key that is shown once must find its place.

    Raises:
        CredentialsError: they could not.
    """
    path = config_file(environ)
    part = path.with_name(f".{path.name}.{os.getpid()}.trial")
    try:
        make_ignored(path.parent, mode=0o700)
        part.write_bytes(b"0" * 4096)
    except OSError as error:
        raise CredentialsError(f"cannot write {path}: {error.strerror}; make room or mend its permissions") from error
    finally:
        part.unlink(missing_ok=True)


def config_file(environ: Mapping[str, str] = os.environ) -> Path:
    return Path(environ.get("HOME", "~")).expanduser() / FILE


def api_url(environ: Mapping[str, str] = os.environ) -> str:
    """Where the API is.

    Raises:
        CredentialsError: it is not https, so that whoever listens would have the key.
    """
    from urllib.parse import urlsplit

    url = environ.get(API_VARIABLE, API).rstrip("/")
    parts = urlsplit(url)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise CredentialsError(f"{API_VARIABLE} is {url!r}; it must begin with https://")
    return url


def _credentials(raw: Mapping[str, Any], key: str, source: str) -> Credentials:
    return Credentials(api_key=key, source=source, **{name: raw.get(name, "") for name in _NAMES})


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise CredentialsError(
                    f"others on this machine can read {path} (mode {mode:04o}), and a key is in it; chmod 600 {path}"
                )
            raw = json.load(file)
    except OSError as error:
        raise CredentialsError(f"cannot read {path}: {error.strerror}; mend its permissions") from error
    except ValueError as error:
        raise CredentialsError(f"{path} is damaged ({error}); mend it, or move it away and register again") from error
    if not isinstance(raw, dict) or not all(isinstance(raw.get(name, ""), str) for name in ("api_key", *_NAMES)):
        raise CredentialsError(f"{path} does not hold an api_key; mend it, or move it away and register again")
    return raw
