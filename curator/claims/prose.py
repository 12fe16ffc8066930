"""The rules for words that are a model's own: an opinion may say what it likes about meaning, and state nothing.

Values come in by placeholder and are rendered by code. A numeral in any notation, a link, a name that is no fact,
markup, a word about approval, or a phrase that was in a log is a violation. What is left is still held against the
facts, and is shown as the model's opinion.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from curator.claims.base import RefusedError
from curator.facts import FactKind, render
from curator.verify.text.words import word_set

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.claims.base import Grounds

LONGEST = 500
"""Characters of one passage."""
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NUMBER_WORDS = word_set(
    """
    zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands million
    millions billion billions trillion dozen dozens score half halves halved halving quarter quarters third thirds
    fourth fifth sixth seventh eighth ninth tenth tenths hundredth thousandth double doubles doubled doubling triple
    tripled tripling twice thrice twofold threefold fourfold fivefold tenfold percent percentage pct fold nil couple
    quadruple quadrupled sextuple quintuple googol
    """
)
_ONE = re.compile(
    r"\bone\s+(?:percent|point|nat|tenth|hundred|thousand|million|half|third|quarter|and|of|in|out|run|step|epoch"
    r"|second|minute|hour|day|token|device|seed)\b",
    re.IGNORECASE,
)
_ROMAN = re.compile(r"\b(?=[IVXLCDM]{2,}\b)M{0,3}(?:C[MD]|D?C{0,3})(?:X[CL]|L?X{0,3})(?:I[XV]|V?I{0,3})\b")
_LINKS = re.compile(
    r"\w+://|\bwww\.|\bmailto:|[\w.+-]+@[\w-]+|\b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|io|ai|dev|co|gg|ly|me|sh|app|xyz|info"
    r"|example|test|edu|gov|ru|cn|de|uk)\b|\bdot\s+(?:com|org|net|io|ai)\b|hxxp",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"[`<>|\[\]\\^~*_#$=&%{}]|!\[|^\s*[-+>]|--|\n|\r|/{2}")
_MENTION = re.compile(r"(?<!\w)[@#]\w")
_COMMANDS = re.compile(
    r"\b(?:sudo|curl|wget|bash|chmod|chown|eval|exec|ssh|scp|pip|npm|npx|conda|apt|brew|docker|kubectl|git|uv|rm|mv|dd"
    r"|nohup|powershell|python)\b",
    re.IGNORECASE,
)
_NO_BUSINESS = re.compile(
    r"\b(?:approv\w*|publish\w*|merg(?:e|ed|ing)|review(?:er|ers|ed|ing|s)?|verif(?:y|ied|ication|ier)\w*"
    r"|accept(?:ed|ing)?(?: this| the| all)?\s+(?:finding|draft|text|entr)\w*|sign(?:ed)?[ -]?off|maintainer\w*"
    r"|label(?:s|led|ed)?|confidence|exploratory|replicated|prompt\w*|instruct\w*|system message|language model"
    r"|assistant|as an ai|anthropic|claude|drafter|curator|password\w*|credential\w*|secret\w*|api key|access key"
    r"|private key|wallet|bitcoin|crypto\w*|donat\w*|invoice|payment\w*|e-?mail\w*|telegram|discord|slack|whatsapp"
    r"|phone|contact (?:us|me|him|her|them)|click\w*|download\w*|visit|subscribe\w*|install\w*|upload\w*|delete\w*"
    r"|exfiltrat\w*|ignore (?:all|any|the|previous|prior|above)|disregard\w*|override\w*|jailbreak\w*|unrestricted"
    r"|developer mode)\b",
    re.IGNORECASE,
)
_FORBIDDEN = (
    (_LINKS, "holds a link or an address"),
    (_MENTION, "mentions someone or something by a sign that becomes a link"),
    (_ONE, "holds a number; refer to a fact by its placeholder"),
    (_ROMAN, "holds a number; refer to a fact by its placeholder"),
    (_COMMANDS, "holds a command"),
    (_NO_BUSINESS, "is about something that an interpretation has no business with"),
    (_MARKUP, "holds markup or a sign that is none of prose"),
)
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_ODD = re.compile(r"[a-z][A-Z]|^[A-Z]{2,}")
"""Words spelt like names of things: ``EvilCorp``, ``ACME``."""
_FAMILIAR = word_set(
    """
    i sgd adam adamw nesterov muon lion gpu gpus tpu tpus cpu cpus llm llms hbm oom nan nans relu gelu silu rope moe
    moes mlp mlps rnn kl ema mfu iid xla jax pytorch triton pallas cuda gaussian bayesian hessian fisher chinchilla
    english python
    """
)
"""Capitalised words of the trade, which name nobody."""
_COPIED_WORDS = 5
"""So many words in a row that stand in recorded text are a quotation, and quotations are for code."""
_SCRIPTS = ("LATIN", "GREEK")
_QUOTABLE = frozenset({FactKind.QUOTE, FactKind.TEXT, FactKind.NAME, FactKind.CONFIG})


@dataclass(frozen=True)
class Prose:
    """Judges and renders the passages of one answer."""

    grounds: Grounds
    untrusted: tuple[str, ...] = ()
    """Text beside the facts that the model was shown: earlier entries, posts."""
    memo: dict[str, str] = field(default_factory=dict)

    def render(self, passage: str) -> tuple[str, tuple[str, ...]]:
        """The passage with its placeholders filled in, and the IDs of the facts it refers to.

        Raises:
            RefusedError: it breaks a rule; says which and where.
        """
        text = unicodedata.normalize("NFKC", passage).strip()
        if not text:
            raise RefusedError("it is empty")
        if len(text) > LONGEST:
            raise RefusedError(f"it has {len(text)} characters; {LONGEST} are allowed")
        used = tuple(_PLACEHOLDER.findall(text))
        facts = {fact_id: self._referred(fact_id) for fact_id in used}
        self._judge(_PLACEHOLDER.sub(" ", text))
        return _PLACEHOLDER.sub(lambda found: facts[found[1]], text), used

    def _referred(self, fact_id: str) -> str:
        fact = self.grounds.fact(fact_id)
        if fact.kind in (
            FactKind.QUOTE,
            FactKind.TEXT,
            FactKind.COMMAND,
            FactKind.LINK,
            FactKind.PATH,
            FactKind.COMMIT,
        ):
            raise RefusedError(
                f"{fact_id} is a {fact.kind} fact; a passage may refer to values, runs and settings only"
            )
        if fact.kind is FactKind.NAME and not fact_id.startswith("sweep/axis/"):
            raise RefusedError(f"{fact_id} is text from the record; a passage may refer to values, runs and settings")
        if fact.kind is FactKind.CONFIG and isinstance(fact.value, str):
            raise RefusedError(f"{fact_id} is text from the record; refer to the run instead")
        return render(fact)

    def _judge(self, own: str) -> None:
        """Hold the words that are the model's own against the rules.

        Raises:
            RefusedError: the words that are the model's own break a rule.
        """
        for character in own:
            _require_plain(character)
        own = self._without_names(own)
        for word in _WORD.findall(own):
            parts = re.split(r"[-'’]", word.lower())
            if _NUMBER_WORDS.intersection(parts):
                raise RefusedError(f"{word!r} is a number; refer to a fact by its placeholder, or say it without one")
        for pattern, why in _FORBIDDEN:
            if found := pattern.search(own):
                raise RefusedError(f"{found.group().strip() or found.group()!r}: it {why}")
        for word in _WORD.finditer(own):
            odd = _ODD.search(word.group()) or (word.group()[0].isupper() and not _opens_sentence(own, word.start()))
            if odd and word.group().lower() not in self._known_words:
                raise RefusedError(f"{word.group()!r} names something that is no fact")
        self._require_own_words(own)

    def _without_names(self, text: str) -> str:
        """The text without the metrics and settings it names, which may hold digits and signs."""
        return self._names.sub(" ", text) if self._names else text

    @cached_property
    def _names(self) -> re.Pattern[str] | None:
        """What a passage may call by name: the thread's metrics and the settings that vary. Not what a log says."""
        evidence = self.grounds.evidence
        names = {*(metric.name for metric in evidence.thread.metrics), *evidence.axis, *evidence.seeds}
        either = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True) if name)
        return re.compile(rf"(?<![\w/])(?:{either})(?![\w/])") if either else None

    @cached_property
    def _known_words(self) -> frozenset[str]:
        thread = self.grounds.evidence.thread
        text = " ".join([thread.title, thread.goal, *thread.constraints, *thread.stop_criteria, *thread.tags])
        return frozenset(word.lower() for word in _WORD.findall(text)) | _FAMILIAR

    def _require_own_words(self, text: str) -> None:
        words = _words(text)
        for start in range(len(words) - _COPIED_WORDS + 1):
            run = " ".join(words[start : start + _COPIED_WORDS])
            if run in self._recorded:
                raise RefusedError(f"{run!r} is copied from recorded text; say it in your own words or quote its line")

    @cached_property
    def _recorded(self) -> frozenset[str]:
        """Every run of so many words in text that others wrote."""
        facts = self.grounds.facts.values()
        texts = [str(fact.value) for fact in facts if fact.kind in _QUOTABLE and isinstance(fact.value, str)]
        return frozenset(_runs_of_words([*texts, *self.untrusted]))


def _runs_of_words(texts: list[str]) -> Iterator[str]:
    for text in texts:
        words = _words(text)
        for start in range(len(words) - _COPIED_WORDS + 1):
            yield " ".join(words[start : start + _COPIED_WORDS])


def _opens_sentence(text: str, at: int) -> bool:
    before = text[:at].rstrip(" \"'‘“(")
    return not before or before[-1] in ".!?:"


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _require_plain(character: str) -> None:
    """Refuse what a reader cannot see or would misread.

    Raises:
        RefusedError: the character is a digit, invisible, or of a script that looks like another.
    """
    if character in " '’‘“”\"-–—−.,;:!?()/%{}":
        return
    category = unicodedata.category(character)
    if category.startswith("N") or unicodedata.numeric(character, None) is not None:
        raise RefusedError(f"{character!r} is a number; refer to a fact by its placeholder")
    if category.startswith(("C", "Z")):
        raise RefusedError(f"it holds an invisible character (U+{ord(character):04X})")
    if category.startswith("L") and not unicodedata.name(character, "").startswith(_SCRIPTS):
        raise RefusedError(f"{character!r} is of another script")
