"""Secrets that are known by their own shape, wherever they stand: vendors' prefixes, JWTs, URLs, headers.

Knows nothing of the names that values are assigned to (``assignments``) and sees one line at a time.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from marin_research.redaction.names import Strength, kind_of, strength, word_set
from marin_research.redaction.removed import Removed
from marin_research.redaction.values import is_number, is_stand_in

if TYPE_CHECKING:
    from collections.abc import Iterator


class Shape(NamedTuple):
    """One kind of secret."""

    kind: str
    needle: str
    """Lower-case text without which the pattern cannot match: looking for it is far cheaper than matching."""
    pattern: str
    """A regular expression, linear in the length of the line; group 1 is the secret where the whole match is not."""


_START = r"(?<![A-Za-z0-9])"

SHAPES = (
    Shape("github", "gh", _START + r"gh[pousr]_[A-Za-z0-9]{20,}"),
    Shape("github", "github_pat_", _START + r"github_pat_\w{20,}"),
    Shape("anthropic", "sk-ant-", _START + r"sk-ant-[\w-]{16,}"),
    Shape("openai", "sk-", r"(?<![\w-])sk-(?!ant-)(?=[\w-]{0,200}?[A-Za-z0-9]{12})(?=[\w-]{0,200}?\d)[\w-]{20,}"),
    Shape("huggingface", "hf_", _START + r"hf_[A-Za-z0-9]{20,}"),
    Shape("huggingface", "api_org_", _START + r"api_org_[A-Za-z0-9]{20,}"),
    Shape("wandb", "wandb_v", _START + r"wandb_v\d_[\w-]{16,}"),
    Shape("wandb", "wandb", r"(?i:\bwandb[ \t]+login(?:[ \t]+--?[\w-]+)*)[ \t]+([A-Za-z0-9_-]{20,})"),
    Shape("wandb", "wandb.login", r"(?i:\bwandb\.login\([^()\0]{0,200}?\bkey[ \t]{0,4}=[ \t]{0,4}[\"']?)(\w{20,})"),
    Shape("aws", "akia", _START + r"AKIA[A-Z0-9]{16}(?![A-Za-z0-9])"),
    Shape("aws", "asia", _START + r"ASIA[A-Z0-9]{16}(?![A-Za-z0-9])"),
    Shape("google", "aiza", _START + r"AIza[\w-]{30,}"),
    Shape("google", "ya29.", _START + r"ya29\.[\w.-]{20,}"),
    Shape("google", "gocspx-", _START + r"GOCSPX-[\w-]{20,}"),
    Shape("jwt", "eyj", r"(?<![\w-])eyJ[\w-]{8,}+(?:\.[\w-]*+){2,4}"),
    Shape("slack", "xox", _START + r"xox[a-z]-[\w-]{10,}"),
    Shape("slack", "xapp-", _START + r"xapp-[\w-]{10,}"),
    Shape("slack", "hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows|triggers)/([\w/-]+)"),
    Shape("discord", "/webhooks/", r"discord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/\d+/([\w-]+)"),
    Shape("discord", ".", r"(?<![\w-])[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,}"),
    Shape("npm", "npm_", _START + r"npm_[A-Za-z0-9]{20,}"),
    Shape("pypi", "pypi-", _START + r"pypi-[\w-]{40,}"),
    Shape("stripe", "k_live_", _START + r"[sr]k_live_[A-Za-z0-9]{16,}"),
    Shape("stripe", "k_test_", _START + r"[sr]k_test_[A-Za-z0-9]{16,}"),
    Shape("gitlab", "gl", _START + r"gl(?:pat|dt|rt)-[\w-]{18,}"),
    Shape("groq", "gsk_", _START + r"gsk_[A-Za-z0-9]{20,}"),
    Shape("replicate", "r8_", _START + r"r8_[A-Za-z0-9]{20,}"),
    Shape("linear", "lin_api_", _START + r"lin_api_[A-Za-z0-9]{20,}"),
    Shape("docker", "dckr_pat_", _START + r"dckr_pat_[\w-]{20,}"),
    Shape("xai", "xai-", _START + r"xai-[A-Za-z0-9]{40,}"),
    Shape("perplexity", "pplx-", _START + r"pplx-[A-Za-z0-9]{30,}"),
    Shape("tailscale", "tskey-", _START + r"tskey-[\w-]{20,}"),
    Shape("vault", "hvs.", _START + r"hvs\.[\w-]{20,}"),
    Shape("sendgrid", "sg.", _START + r"SG\.[\w-]{16,}\.[\w-]{16,}"),
    Shape("password", "@", r"://[^\s/@:\"'<>`\\\0]{0,256}:([^\s/\"'<>`\\\0]{1,256})@"),
    Shape("token", "@", r"://(?=[\w~.%-]{0,256}?\d)([\w~.%-]{20,256})@"),
    Shape("token", "bearer", r"(?i:\bbearer[ \t]+)(?=[\w.~+/=-]{20}|[\w.~+/=-]{0,19}?\d)([\w.~+/=-]{8,})"),
    Shape(
        "token",
        "authorization",
        r"(?i:\bauthorization[\"'\\]{0,3}[ \t]{0,4}[:=][ \t]{0,4}b?[\"'\\]{0,3}"
        r"(?:(?:bearer|basic|token|digest|negotiate|apikey|aws4-hmac-sha256)[ \t]+"
        r"|(?=[^\s\"'\0]{0,15}?\d|[^\s\"'\0]{16})))"
        r"([^\s\"'\\,;\0]{6,})",
    ),
    Shape(
        "cookie", "cookie", r"(?i:\bcookie[\"'\\]{0,3}[ \t]{0,4}:[ \t]{0,4}[\"'\\]{0,3})([^\"'\\\0]{1,64}=[^\"'\\\0]+)"
    ),
    Shape(
        "password",
        "password",
        r"(?i:(?:^|\blogin[ \t]+[^\s\0]{1,256})[ \t]{0,40}\bpassword[ \t]+)([^\s\0=:]{6,})[ \t]*$",
    ),
)
"""Where two match the same characters the earlier one gives the kind."""

_QUERY = re.compile(r"[?&](?:amp;)?([\w.-]{1,64})=([^&\s\"'<>#\\`)\]\0]+)", re.ASCII)
_QUERY_SECRETS = word_set(
    "x-amz-signature x-amz-credential x-amz-security-token x-goog-signature x-goog-credential sig signature key jwt "
    "awsaccesskeyid googleaccessid"
)


def shaped(line: str) -> Iterator[Removed]:
    """The secrets in one line (no line end in it) that their shape gives away; they may overlap."""
    lowered = line.lower()
    for shape in SHAPES:
        if shape.needle in lowered:
            pattern = _compiled(shape.pattern)
            for match in pattern.finditer(line):
                if not is_stand_in(match[pattern.groups]):
                    yield Removed(shape.kind, *match.span(pattern.groups))
    if "=" in line:
        yield from _query_parameters(line)


def _query_parameters(line: str) -> Iterator[Removed]:
    for match in _QUERY.finditer(line):
        name, value = match[1], match[2]
        is_named = strength(name) > Strength.NONE and not is_number(value)
        if (is_named or name.lower() in _QUERY_SECRETS) and not is_stand_in(value):
            yield Removed(kind_of(name) if strength(name) else "signature", *match.span(2))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiled when a line first needs it: most programs never meet most shapes."""
    return re.compile(pattern, re.ASCII)
