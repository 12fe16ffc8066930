"""Finds recorded text that reads like an instruction to whoever writes or reviews a draft.

What a model makes of such text is checked like everything else; only the silence of one that proofreads cannot be, and
counts for nothing beside such text. For the rest it is for people to see.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from curator.facts import FactKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from curator.facts import Fact

_INSTRUCTION = re.compile(
    r"(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instruction|previous|prior|above|rule|prompt|fact)"
    r"|\b(?:system|assistant|user|developer|human)\s*(?:prompt|message)?\s*[:>\]]"
    r"|<\|?/?(?:im[ _]?start|im[ _]?end|system|assistant|user|endoftext|inst)\b|\[/?INST\]"
    r"|\b(?:note|message|instruction|attention|important|urgent)s?\b.{0,30}\b(?:llm|model|assistant|ai\b|claude|curator|drafter|reviewer|agent)"
    r"|\b(?:you (?:are|must|should|will|have to)|your (?:new|real|task|instructions))\b"
    r"|\b(?:as an ai|language model|jailbreak|developer mode)\b"
    r"|\b(?:say|write|state|claim|report|add|include|insert|append|mark|label|call|describe|conclude|tell|mention|link|output|print)\b.{0,60}"
    r"\b(?:draft|entry|logbook|reviewer|approv\w+|stable|replicated|readers?|issue|comment|summary|interpretation|hypothesis)\b"
    r"|\b(?:say|write|state|claim|tell|mention|instruct|inform|conclude|pretend|cite|blame|recommend|praise)s?\b:?"
    r" (?:that|how|everyone|every|all|any|it|one|this|(?:the )?(?:readers?|users?|operators?|people|fact|loss))\b"
    r"|\b(?:readers?|reviewers?|writers?|agents?|curator|model|assistant)\b.{0,20}\b(?:must|should|shall|always|never|note)\b"
    r"|\b(?:include|insert|add|append|cite|repeat)\b.{0,60}\b(?:report|text|entry|draft|heading|words?|code|field)\b"
    r"|\bapproved? (?:by|this|all)\b|\bend the entry\b"
    r"|\b(?:approve|auto-?approve|pre-?approved|publish|merge)\b.{0,40}\b(?:this|draft|entry|now|immediately|without)\b"
    r"|\b(?:do not|don't|never)\b.{0,30}\b(?:mention|report|tell|verify|flag|show)\b",
    re.IGNORECASE,
)
_SHOWN = 80
_TEXTS = frozenset({FactKind.QUOTE, FactKind.TEXT, FactKind.NAME, FactKind.CONFIG, FactKind.LABEL})


def suspicious(facts: Iterable[Fact]) -> Iterator[str]:
    """A line for each piece of recorded text that reads like an instruction: where it stands, and how it begins."""
    for fact in facts:
        for value in (fact.value, fact.name):
            if fact.kind not in _TEXTS or not isinstance(value, str):
                continue
            for line in value.splitlines():
                if reads_like_an_instruction(line):
                    text = " ".join(line.split())
                    yield f"{fact.id}: {text if len(text) <= _SHOWN else text[: _SHOWN - 1] + '…'}"


def reads_like_an_instruction(text: str) -> bool:
    return _INSTRUCTION.search(text.replace("_", " ")) is not None
