"""The exact values of this account's own secrets, the one sure way to recognise a key without a shape of its own.

Reads the environment that is given to it, ``.netrc``, the Hugging Face token file and the configuration of SkillEvolve;
what is absent or broken is passed over. Knows no rule for text.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from marin_research.redaction.names import Strength, kind_of, variable_strength
from marin_research.redaction.values import is_number, is_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MIN_LENGTH = 8
"""Shorter values are too likely to be words."""


def known_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """Secret values, each with its kind."""
    found = {
        value: kind_of(name)
        for name, value in environ.items()
        if variable_strength(name) is Strength.STRONG
        and is_secret(value, name, Strength.STRONG)
        and not is_number(value)
    }
    home = Path(environ.get("HOME", "~")).expanduser()
    files = (*_netrc(Path(environ.get("NETRC", home / ".netrc"))), *_hugging_face(environ, home), *_skillevolve(home))
    for value, kind in files:
        found.setdefault(value, kind)
    return {value: kind for value, kind in found.items() if len(value) >= _MIN_LENGTH}


def _netrc(path: Path) -> Iterator[tuple[str, str]]:
    if not path.is_file():
        return
    import netrc

    try:
        hosts = netrc.netrc(str(path)).hosts
    except (netrc.NetrcParseError, OSError, UnicodeDecodeError):
        return
    for host, (_, _, password) in hosts.items():
        if password:
            yield password, kind_of(f"{host}_password")


def _hugging_face(environ: Mapping[str, str], home: Path) -> Iterator[tuple[str, str]]:
    cache = Path(environ.get("XDG_CACHE_HOME", home / ".cache"))
    folder = Path(environ.get("HF_HOME", cache / "huggingface"))
    path = Path(environ.get("HF_TOKEN_PATH", folder / "token"))
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return
    if token:
        yield token, "huggingface"


def _skillevolve(home: Path) -> Iterator[tuple[str, str]]:
    try:
        raw = json.loads((home / ".skillevolve/config.json").read_bytes())
    except (OSError, ValueError):
        return
    if isinstance(raw, dict) and isinstance(raw.get("api_key"), str):
        yield raw["api_key"], "skillevolve"


def spellings(literals: Mapping[str, str]) -> dict[str, str]:
    """The values as they may stand in a line: by lines where they have several, and as JSON and URLs write them.

    Longest first, each with its kind in the form that placeholders have.
    """
    found: dict[str, str] = {}
    for value, kind in literals.items():
        lines = [line.strip() for line in value.splitlines() if line.strip()]
        pieces = lines if len(lines) == 1 else [line for line in lines if len(line) >= _MIN_LENGTH]
        name = re.sub(r"[^a-z0-9]+", "-", kind.lower()).strip("-")[:24] or "secret"
        for piece in pieces:
            for spelling in (piece, json.dumps(piece)[1:-1], quote(piece, safe="", errors="surrogatepass")):
                found.setdefault(spelling, name)
    return dict(sorted(found.items(), key=lambda each: -len(each[0])))
