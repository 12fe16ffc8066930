"""What a logbook says about publishing: lines such as "no issue comments unless asked". Knows no draft.

People write these lines for each other, in their own words. A line is taken for a policy when one sentence of it
forbids something that publishing does, or makes it depend on somebody's word. Whether it applies is for a person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.draft import OF_SKILLEVOLVE, DraftKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marin_research.logbook import Logbook

_COMMENTS = frozenset({DraftKind.ISSUE, DraftKind.FIX, DraftKind.CLOSING})
_BODY = frozenset({DraftKind.ISSUE_BODY})
_NEW_ISSUE = frozenset({DraftKind.KICKOFF})
_CLOSING = frozenset({DraftKind.CLOSING})
_EVERYWHERE = _COMMENTS | _BODY | _NEW_ISSUE | OF_SKILLEVOLVE

_FORBIDS = (
    r"(?:(?:do|does|must|may|should|shall|can) ?not|(?:do|must|should|can)n['’]t|never|no(?:body| one) may"
    r"|avoid|refrain from|hold off(?: on)?|stop|without)"
)
_ASKS = (
    r"(?:unless|until|only (?:if|when|after|with|on)|ask|(?:check|confirm) with|needs?|requires?|wait for|not before)"
)
_WORD = (
    r"(?:asked|told|request(?:ed)?|approv(?:al|ed)|permission|sign-?off|consent|confirm(?:ation|ed)|cleared|go-?ahead"
    r"|ok(?:ay)?|instructed|invited|before|first|me|us|the (?:team|owner|lead|authors?|user))"
)
_ISSUE = r"(?:issue|pull[- ]request|pr|github)s?\b"
_COMMENT = rf"(?:(?:{_ISSUE}[- ])?comment(?:s|ing)?|{_ISSUE}[- ]updates?|updates? (?:to|on|in) (?:the )?(?:issue|pr))"
_PUBLISH = (
    r"(?:(?:publish|post|announc|disclos|leak|upload|mention|reveal)(?:e?s|e?d|ing|e)?|shar(?:es?|ed|ing)|make public"
    r"|publicly|publici[sz]e)"
)
_PUBLISHED = r"(?:published|posted|shared|made public|disclosed|announced)"
_SUBJECT = (
    r"(?:names?|hosts|host ?names?|clusters?|buckets?|paths?|queues?|users?|results?|numbers?|figures?|data|weights"
    r"|anything|this|these|it|them|any of|details?|logs?|github|issue|forum|community|discord|slack|public|outside"
    r"|externally|anywhere)"
)
_HIDDEN = (
    r"(?:private|internal(?:[- ]only)?|confidential|embargo(?:ed)?|unpublished|off the record|not (?:for )?public)"
)
_RECORD = r"(?:this|the) (?:logbook|thread|file|document|experiment|work|result)s?"

# In these, ~ stands for a few words in between.
_RULES = {
    _COMMENTS: (
        rf"\bno (?:(?:new|further|automatic|unsolicited|bot|agent) )*{_COMMENT}\b",
        rf"\b{_FORBIDS} ~(?:comment(?:s|ing)?\b ~{_ISSUE}|(?:post|add|leave|write|make)\w* ~comment)",
        rf"\b{_FORBIDS} (?:comment(?:ing)?|reply(?:ing)?)\b(?! out\b)",
        rf"\b{_COMMENT}\b ~{_ASKS}\b ~{_WORD}\b",
        rf"\b{_ASKS}\b ~(?:comment(?:ing)?\b ~{_ISSUE}|posting ~comment)",
    ),
    _BODY: (
        rf"\b{_FORBIDS} ~(?:edit|chang|touch|updat|rewrit|modify)\w* ~(?:issue|pr)\b",
        r"\bleave ~(?:issue|pr)['’]?s? ?(?:body|description) ~(?:alone|as)\b",
    ),
    _NEW_ISSUE: (
        rf"\b{_FORBIDS} ~(?:open|creat|fil)(?:e|ing)?\b ~{_ISSUE}",
        r"\bno (?:(?:new|experiment|github) )+issues?\b(?=$| *[,(]| unless)",
    ),
    _CLOSING: (rf"\b{_FORBIDS} ~clos(?:e|ing)\b ~issue",),
    OF_SKILLEVOLVE: (rf"\b{_FORBIDS} ~(?:{_PUBLISH}|push|send)\b ~(?:forum|skill ?evolve|community)",),
    _EVERYWHERE: (
        rf"\b{_FORBIDS} (?:be )?{_PUBLISH}\b ~{_SUBJECT}\b",
        r"\b(?:hold off(?: on)?|refrain from|stop|avoid) (?:posting|publishing|announcing)\b",
        rf"\b(?:nothing|none)\b(?! (?:was|were|has|had|got)\b) ~{_PUBLISH}\b",
        rf"\bno (?:names?|results?|numbers?|details?|part)\b(?! (?:was|were|has|had|got)\b) ~{_PUBLISH}\b",
        r"\bno (?:(?:forum|public|community) )*(?:posts|announcements?|publication|posting)\b",
        rf"\b(?:must|may|should|shall|can|will|are|is|to) ?(?:not|never) (?:be |to be )?{_PUBLISHED}\b",
        rf"\b{_PUBLISH}\b ~{_ASKS}\b ~{_WORD}\b",
        r"\bonly (?:post|publish|comment|share|announce)\b ~(?:when|if|after|once|with)\b",
        rf"\b(?:ask|(?:check|confirm|clear it) with)\b ~before ~{_PUBLISH}\b",
        r"^\W*(?:publishing|publication|posting|sharing|comments?)\W*:\W*~(?:not?|none|nothing|never|only|unless|ask)\b",
        rf"\b(?:keep|stays?|remains?|treat)\b ~{_HIDDEN}\b(?=\W*$|[,;]| (?:until|unless|for|and|till)\b)",
        rf"\b{_RECORD} (?:is|are) {_HIDDEN}\b",
        r"\bfor (?:internal|private) (?:use|eyes)\b|\binternal (?:use )?only\b|\bnot for (?:publication|release)\b",
    ),
}
_COMPILED = [
    (re.compile("|".join(patterns).replace("~", r"[^.;!?]{0,80}?\b")), kinds) for kinds, patterns in _RULES.items()
]
_RESTRICTS = re.compile(
    r"n['’]t\b|\b(?:not?|never|nobody|nothing|none|unless|until|only|ask|check|confirm|needs?|requires?|wait|avoid|refrain"
    r"|hold|stop|without|keep|stays?|remains?|treat|leave|is|are|for|internal)\b"
)
_HINT = re.compile(
    rb"comment|publi|post|shar[ei]|announc|disclos|mention|internal|private|confiden|embargo|issue|upload|leak|reveal|repl"
)
"""Most lines of a logbook are dismissed by these two."""
_SENTENCE = re.compile(r"[^.;!?\n]+(?:[.;!?](?=\S)[^.;!?\n]*)*")
_CODE = re.compile(r"`[^`]*`")
_ITEM = re.compile(r"^(?:[-*+>]|\d+[.)])\s+")
_LONGEST = 300
"""Characters; a policy is a short sentence, and long ones take long to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One line that may stand against publishing."""

    line: int
    """In the logbook, counted from 1."""
    text: str
    """The line, without the marks of a list."""
    forbids: frozenset[DraftKind]


def policies(logbook: Logbook) -> list[Policy]:
    """The policy lines of a logbook, in order. What stands in code blocks and comments says nothing."""
    found = []
    for start, line in _candidates(logbook.data):
        kinds = _forbidden(line)
        if kinds and not logbook.structure.is_opaque(start):
            text = _ITEM.sub("", line.strip())
            found.append(Policy(line=logbook.line_of(start), text=text, forbids=kinds))
    return found


def _candidates(data: bytes) -> Iterator[tuple[int, str]]:
    """The lines that may be one, with the offsets of their starts."""
    lower, end = data.lower(), -1
    for hint in _HINT.finditer(lower):
        if hint.start() > end:
            start = data.rfind(b"\n", 0, hint.start()) + 1
            end = data.find(b"\n", hint.start())
            end = len(data) if end < 0 else end
            yield start, data[start:end].decode("utf-8", "replace")


def _forbidden(line: str) -> frozenset[DraftKind]:
    kinds: frozenset[DraftKind] = frozenset()
    for sentence in _SENTENCE.findall(_CODE.sub(" ", line.casefold())):
        if len(sentence) <= _LONGEST and _RESTRICTS.search(sentence):
            kinds = kinds.union(*(kinds for rule, kinds in _COMPILED if rule.search(sentence)))
    return kinds
