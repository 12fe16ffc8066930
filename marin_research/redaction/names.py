"""Which names announce a secret value (``WANDB_API_KEY``) and which only sound like it (``max_tokens``).

Knows nothing of the values themselves, nor of the text that a name stands in.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache


class Strength(IntEnum):
    """How surely a name announces a secret."""

    NONE = 0
    WEAK = 1
    """Only a value that looks random is a secret: ``key``, ``token``, ``shard_key``."""
    STRONG = 2


def word_set(text: str) -> frozenset[str]:
    """The words of a text, for tables that read better as text."""
    return frozenset(text.split())


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

_SECRET_WORDS = word_set(
    "accesskey accesstoken apikey apisecret apitoken authtoken bearer clientsecret credential credentials creds "
    "passphrase passwd password passwords privatekey refreshtoken secretkey sessiontoken"
)
_POINTERS = word_set(
    "algorithm arn at auth bytes class count date dir directory enabled endpoint env expiration expires expiry field "
    "file filename format hash header host id ids index kind len length limit manager method mode name names path "
    "policy prefix provider regex scope scopes server size sock socket source state status store suffix timeout ttl "
    "type types uri url usage user username var version"
)
"""Last words of names that hold something about a secret, not the secret."""

_KEY_QUALIFIERS = word_set(
    "access account anthropic api app application auth aws azure claude client cohere comet consumer datadog deploy "
    "encryption gcp gemini github gitlab google groq hf hmac huggingface master mistral neptune openai openrouter "
    "private replicate root runpod secret sentry service signing slack ssh storage subscription together wandb "
    "webhook"
)
_HARMLESS_KEYS = word_set(
    "attention batch cache column compile config data dedup dict dropout feature foreign group hash host index join "
    "label lookup map metric object param partition primary prng public query random registry rng routing shard sort "
    "sorting state step tokens unique"
)
_MODEL_TOKENS = word_set(
    "any audio begin bos byte char cls context current default each end eos first generated image input label last "
    "mask max min new next num output pad page per prev previous prompt reasoning sample sep separator single special "
    "start stop sub target text think unk video vision word"
)
"""Words before ``token`` that make it a piece of text."""

_PASS_QUALIFIERS = word_set("admin db email ftp http mail mongo mysql pg postgres proxy redis root smtp ssh sudo user")
_STAGES = word_set("base current dev live new old prod production raw staging str string test value")
"""Words that may follow the one that counts: ``API_KEY_PROD``, ``SECRET_KEY_BASE``."""

_KINDS = {
    "anthropic": "anthropic",
    "aws": "aws",
    "claude": "anthropic",
    "gcp": "google",
    "gemini": "google",
    "gh": "github",
    "github": "github",
    "gitlab": "gitlab",
    "google": "google",
    "hf": "huggingface",
    "hugging": "huggingface",
    "huggingface": "huggingface",
    "npm": "npm",
    "openai": "openai",
    "pypi": "pypi",
    "slack": "slack",
    "wandb": "wandb",
}


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """The lower-cased words of an identifier: ``wandbApiKey`` and ``WANDB_API_KEY`` give ``wandb, api, key``."""
    return tuple(word.lower() for word in _WORD.findall(name))


@lru_cache(maxsize=4096)
def strength(name: str) -> Strength:
    """How surely a variable, field, header or option of this name holds a secret.

    Of a dotted path the last part counts, with the one before where the last is a bare ``key``.
    """
    parts = [part for part in name.split(".") if part]
    if not parts:
        return Strength.NONE
    found = words(" ".join(parts[-2:]) if len(parts[-1]) <= len("token") else parts[-1])
    while len(found) > 1 and (found[-1].isdigit() or found[-1] in _STAGES):
        found = found[:-1]
    if not found:
        return Strength.NONE
    if found[-3:] == ("access", "key", "id"):
        return Strength.STRONG
    if found[-1] in _POINTERS and found != ("auth",):
        return Strength.NONE
    if not _SECRET_WORDS.isdisjoint(found) or found[-1].endswith(("password", "passwd")):
        return Strength.STRONG
    return _strength_of_last(found[-2] if len(found) > 1 else "", found[-1])


def _strength_of_last(before: str, last: str) -> Strength:
    if last == "key":
        if before in _HARMLESS_KEYS:
            return Strength.NONE
        return Strength.STRONG if before in _KEY_QUALIFIERS else Strength.WEAK
    if last == "token":
        if before in _MODEL_TOKENS:
            return Strength.NONE
        return Strength.STRONG if before else Strength.WEAK
    if last in {"secret", "secrets"}:
        return Strength.STRONG if before else Strength.WEAK
    if last == "pwd":
        return Strength.STRONG if before not in {"", "old"} else Strength.NONE
    if last == "pass":
        return Strength.STRONG if before in _PASS_QUALIFIERS else Strength.NONE
    return Strength.WEAK if last == "auth" else Strength.NONE


def variable_strength(name: str) -> Strength:
    """The same for what is known to be an environment variable: there ``MY_KEY`` says enough."""
    how_sure = strength(name)
    return Strength.STRONG if how_sure and name.isupper() else how_sure


def is_bare(name: str) -> bool:
    """Whether the name is ``token`` or ``secret`` alone: in free text it may announce a mere word as well."""
    return words(name) in {("token",), ("secret",), ("secrets",)}


def is_secret_header(name: str) -> bool:
    """Whether an HTTP header (or a mapping's key of that name) carries credentials as a whole."""
    return words(name)[-1:] in {("authorization",), ("cookie",)}


@lru_cache(maxsize=4096)
def kind_of(name: str) -> str:
    """The kind, as it stands in the placeholder, of a secret held under this name."""
    found = words(name)
    for word in found:
        if word in _KINDS:
            return _KINDS[word]
    for kind, marks in (
        ("password", ("pass", "pwd")),
        ("token", ("token", "auth", "bearer")),
        ("key", ("key",)),
        ("cookie", ("cookie",)),
    ):
        if any(mark in word for word in found for mark in marks):
            return kind
    return "secret"
