"""Judges what points elsewhere: links, commits, run IDs, names with digits, dates, and code spans.

A reference is right when a fact is it, or holds it as a whole word. Fences and quotations are judged elsewhere.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.known.fits import Fit, fit
from curator.verify.known.quantities import STATES
from curator.verify.reading.holders import holders
from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind
from curator.verify.text import moments
from curator.verify.text.blocks import normalise
from curator.verify.text.words import BE, RUN_NOUNS, SUPERLATIVES, word_set

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from curator.facts import Fact
    from curator.verify.known.vocabulary import Vocabulary
    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.reading.tokens import Token
    from curator.verify.report import Collector

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_PROGRAMS = word_set(
    """
    python python3 uv uvx bash sh zsh git gh curl wget torchrun accelerate deepspeed marin-research curator pip pip3
    iris docker kubectl gcloud gsutil aws make pytest wandb ray ssh scp rsync srun sbatch nohup env sudo tmux conda
    mamba npm node cargo go tail grep cat cd export source jq sed awk nvidia-smi marin
    """
)
_APPOSED = {(",", "the"), (",", "our")}
_LONG = 4
"""Words from which on a piece of code is a line of a log, and not a name."""
_ORDINAL = re.compile(r"(\d{1,9})(?:st|nd|rd|th)")
_FEW = 12
"""Up to here an ordinal only counts off: "the 2nd attempt"."""
_ASSIGNMENT = re.compile(r"[A-Z_][A-Z0-9_]*=\S*$")
_EXTENSION = re.compile(
    r"\.(?:py|ya?ml|json|jsonl|md|txt|log|sh|toml|cfg|ini|ipynb|ckpt|pt|safetensors|gguf|csv|parquet|lock|proto|rs|cc?|h)$"
)
_IDENTITIES = frozenset({"wandb-id", "step", "fingerprint"})
_ROOTED = re.compile(r"(?:/|~/|\.{1,2}/|gs://|s3://|[A-Za-z]:\\)\S")


class References:
    """The rule for references."""

    def __init__(self, world: World, vocabulary: Vocabulary) -> None:
        self._world, self._vocabulary = world, vocabulary

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:
        self._reader = reader
        rules = {
            TokenKind.LINK: self._link,
            TokenKind.CODE: self._code,
            TokenKind.IDENTIFIER: self._identifier,
            TokenKind.RUN: self._run,
            TokenKind.MOMENT: self._moment,
            TokenKind.FACT: self._fact,
            TokenKind.WORD: self._word,
        }
        for i, token in enumerate(s.tokens):
            if token.described and token.kind is not TokenKind.RUN and s.word(i - 1) == "(" and s.word(i + 1) == ")":
                self._run(s, i, token, found)  # "LR-002 (Muon)"
            if rule := rules.get(token.kind):
                rule(s, i, token, found)

    # -- links --------------------------------------------------------------------------------------------------

    @cached_property
    def _links(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for fact, text in self._world.strings:
            if fact.kind in {FactKind.LINK, FactKind.PATH}:
                found.setdefault(_address(text), []).append(fact.id)
        return found

    def _link(self, s: Sentence, i: int, token: Token, found: Collector) -> None:
        address = _address(token.text)
        ids = self._links.get(address) or [f.id for f, text in self._world.strings if _holds(text, token.text)]
        if ids:
            self._support(s, i, ids, found)
        elif not address.startswith("#"):
            found.object_to(FindingKind.LINK, token, "no fact has this address")

    def _support(self, s: Sentence, i: int, ids: Sequence[str], found: Collector) -> None:
        """Support a reference, unless the sentence gives it to a run that the facts give another one of its kind."""
        token = s.tokens[i]
        before = next((t for t in reversed(s.tokens[:i]) if t.kind is TokenKind.RUN and len(t.runs) == 1), None)
        named = (
            before.runs
            if before and len(self._reader.named) == 1
            else s.context.topics
            if s.context.cell
            else frozenset()
        )
        facts = [self._world.by_id[x] for x in ids if x in self._world.by_id]
        other = all(fact.subject and fact.subject not in named for fact in facts)
        sorts = {_sort(fact) for fact in facts}
        own = [fact for fact in self._world.facts if fact.subject in named and _sort(fact) in sorts]
        if len(named) == 1 and facts and other and own:
            found.object_to(FindingKind.ATTRIBUTION, token, f"this is {facts[0].id}; {own[0].id} is {own[0].value}")
        else:
            found.support(token.start, token.end, ids)

    # -- names --------------------------------------------------------------------------------------------------

    def _run(self, s: Sentence, i: int, token: Token, found: Collector) -> None:
        if "?" in token.facts:
            found.object_to(FindingKind.RUN, token, "the facts know no such run")
            return
        if why := self._contradiction(s, i, token):
            found.object_to(FindingKind.ATTRIBUTION, token, why)
            return
        ids = [f.id for f in self._world.facts if f.kind is FactKind.RUN and f.value in token.runs]
        if ids or token.facts:
            found.support(token.start, token.end, [*token.facts, *ids])

    def _contradiction(self, s: Sentence, i: int, token: Token) -> str:
        """Two names side by side that are not one run, ``LR-002 (baseline)``, or one run twice in a list."""
        before = i - 2 if s.word(i - 1) == "(" else i - 3 if (s.word(i - 2), s.word(i - 1)) in _APPOSED else -1
        if s.word(i - 1) == "(" and s.word(before) in {"tokenizer", "setting", "model", "cache", *RUN_NOUNS}:
            before -= 1
        noted = before >= 0 and s.word(i + 1) in {")", ",", ".", "", "("}
        other = s.tokens[before] if noted else None
        if other and other.kind is not TokenKind.NUMBER and other.runs and token.runs and not other.runs & token.runs:
            return f"{other.text} is {', '.join(sorted(other.runs)[:3])}"
        mention = next((m for m in self._reader.runs if i in m.members), None)
        if apart := self._apposed_otherwise(s, i, token):
            return apart
        members = mention.members if mention else []
        twice = [k for k in members if k < i and s.tokens[k].runs == token.runs]
        twice = [k for k in twice if not (token.described and s.tokens[k].described) or s.word(k) == token.lower]
        return f"{', '.join(token.runs)} stands in this list twice" if twice and len(token.runs) == 1 else ""

    def _apposed_otherwise(self, s: Sentence, i: int, token: Token) -> str:
        """``LR-002, without balancing: 2.4`` and ``Seed 1 is the weakest (LR-002, 2.4)`` name one run by two names."""
        first, own = s.tokens[0], len(token.runs) > 0
        labelled = i == 2 and s.word(1) == "," and s.word(3) == ":" and token.described and first.kind is TokenKind.RUN
        if labelled and own and first.runs and not first.runs & token.runs:
            return f"{token.text} is {', '.join(sorted(token.runs)[:3])}"
        mentions = [m for m in self._reader.runs if m.last < i]
        noted = s.word(i - 1) == "(" and s.word(i + 1) in {",", ")"} and not token.described
        main = mentions[0] if len(mentions) == 1 and s.word(mentions[0].last + 1) in BE else None
        ranked = noted and main is not None and any(s.word(j) in SUPERLATIVES for j in range(main.last, i))
        if ranked and main is not None and not main.meant & token.runs:
            return f"{s.tokens[main.first].text} is {', '.join(sorted(main.meant)[:3])}"
        return ""

    def _identifier(self, s: Sentence, i: int, token: Token, found: Collector) -> None:
        text = token.lower
        if _COMMIT.fullmatch(text) and any(c.isdigit() for c in text) and self._commit(s, i, token, found):
            return
        ordinal = _ORDINAL.fullmatch(text)
        ids = self._known(f"p{ordinal[1]}" if ordinal else text)
        if self._is_identity(text, ids):
            self._support(s, i, ids, found)
        elif ids:
            found.support(token.start, token.end, ids)
        sizes = re.fullmatch(r"\d+(?:\s?[x×]\s?\d+)+", text)
        if sizes and all(self._is_value(size) for size in re.findall(r"\d+", text)):
            return
        if ids or token.runs or s.hedged(i) or (ordinal and int(ordinal[1]) <= _FEW):
            return
        kind = FindingKind.PATH if "/" in text or _EXTENSION.search(text) else FindingKind.NAME
        found.object_to(kind, token, "this name stands in no fact")

    def _is_identity(self, text: str, ids: Sequence[str]) -> bool:
        """Whether a name is what a run alone is called by: its W&B run, its step, its fingerprint."""
        facts = [self._world.by_id[x] for x in ids if x in self._world.by_id]
        return bool(facts) and all(_sort(f) in _IDENTITIES and str(f.value).lower() == text for f in facts)

    def _commit(self, s: Sentence, i: int, token: Token, found: Collector) -> bool:
        ids = [
            f.id
            for f in self._world.facts
            if f.kind is FactKind.COMMIT and str(f.value).lower().startswith(token.lower)
        ]
        if ids:
            self._support(s, i, ids, found)
            return True
        if self._known(token.lower):
            return False
        near = {s.word(j) for j in range(max(0, i - 3), i)}
        kind = (
            FindingKind.COMMIT
            if len(token.text) in {7, 8, 9, 10, 12, 40} or near & {"commit", "revision", "sha"}
            else FindingKind.NAME
        )
        found.object_to(kind, token, "the facts know no such commit")
        return True

    def _commits(self, text: str) -> list[str]:
        """The commits that a hash, whole or abbreviated, may stand for."""
        if not _COMMIT.fullmatch(text):
            return []
        return [f.id for f in self._world.facts if f.kind is FactKind.COMMIT and str(f.value).lower().startswith(text)]

    def _word(self, s: Sentence, i: int, token: Token, found: Collector) -> None:
        """A commit without a digit, or a file's name in prose."""
        if s.word(i - 1) == "commit" and _COMMIT.fullmatch(token.lower):
            self._commit(s, i, token, found)
        elif s.word(i + 1) == "." and s.kind(i + 2) is TokenKind.WORD and s.tokens[i + 2].start == token.end + 1:
            whole = f"{token.text}.{s.tokens[i + 2].text}"
            if _EXTENSION.search(whole) and not self._known(whole.lower()):
                found.object(FindingKind.PATH, token.start, s.tokens[i + 2].end, "no fact has this file")

    def _known(self, text: str) -> tuple[str, ...]:
        """Facts that hold a name as a whole word, or all of its parts."""
        words = self._world.words
        text = text.strip("~").removesuffix("'s")
        for known in (text, text.removesuffix("s")):
            if known in words:
                return words[known]
        parts = [part for part in re.split(r"[/=:@+]+", text) if part]
        if len(parts) > 1 and "/" not in text and all(part in words or part.isalpha() for part in parts):
            return tuple(x for part in parts for x in words.get(part, ()))
        return tuple(fact.id for fact, known in self._world.strings if _holds(known.lower(), text))

    def _fact(self, s: Sentence, i: int, token: Token, found: Collector) -> None:
        if self._is_identity(normalise(token.text).lower(), token.facts):
            self._support(s, i, token.facts, found)
        else:
            self._support_code(s, i, token.facts, found)

    # -- times --------------------------------------------------------------------------------------------------

    @cached_property
    def _times(self) -> list[tuple[str, datetime]]:
        facts = [(f.id, moments.parse_time(str(f.value))) for f in self._world.facts if f.kind is FactKind.TIME]
        return [(fact_id, time) for fact_id, time in facts if time]

    def _moment(self, s: Sentence, i: int, token: Token, found: Collector) -> None:
        moment = token.moment
        ids = [fact_id for fact_id, time in self._times if moment and moment.means(time)]
        ids = ids or [fact.id for fact, text in self._world.strings if _holds(text, token.text)]
        if not ids and token.numeral:
            numeral = token.numeral
            lasting = [q for q in self._world.quantities if q.kind in STATES and fit(numeral, q) is Fit.MATCH]
            ids = [fact_id for q in lasting for fact_id in q.ids]
        if ids:
            self._support(s, i, ids, found)
        else:
            found.object_to(FindingKind.TIME, token, "no fact has this date or time")

    # -- code ---------------------------------------------------------------------------------------------------

    def _settings_of_one(self, text: str) -> list[str]:
        """The facts of ``mode=async, writers=16``, if one run has all of it."""
        pairs = [part.strip().partition("=") for part in text.split(",")]
        facts = [
            [f for f in self._world.configs.get(key, {}).values() if str(f.value).lower() == value.lower()]
            for key, _, value in pairs
        ]
        runs = frozenset.intersection(*(frozenset(f.subject for f in each) for each in facts))
        return [f.id for each in facts for f in each if f.subject in runs]

    def _code(self, s: Sentence, i: int, token: Token, found: Collector) -> None:
        text = normalise(token.text)
        if ids := self.code_ids(text) or self._commits(text.lower()) or self._settings_of_one(text):
            self._support_code(s, i, ids, found)
        elif is_command(text):
            found.object_to(FindingKind.COMMAND, token, "no recorded command is this one")
        elif is_path(text):
            found.object_to(FindingKind.PATH, token, "no fact has this path")
        elif len(text.split()) >= _LONG:
            found.object_to(FindingKind.QUOTE, token, "no recorded line holds this")
        elif any(c.isdigit() for c in text) and not self._known_words(text):
            found.object_to(FindingKind.NAME, token, "this stands in no fact")

    def _support_code(self, s: Sentence, i: int, ids: Sequence[str], found: Collector) -> None:
        """Support a piece of code, unless it is a command that is said of a run and another run's."""
        text = normalise(s.tokens[i].text)
        whole = is_command(text) or text.startswith("-")
        facts = [self._world.by_id[x] for x in ids if x in self._world.by_id and whole]
        lines = {fact.value for fact in facts} if {fact.kind for fact in facts} == {FactKind.COMMAND} else set()
        started = {f.subject for f in self._world.facts if f.kind is FactKind.COMMAND and f.value in lines}
        told = holders(self._reader, s, i) if started - {""} == started and not s.negated(i) else []
        own = [f for f in self._world.facts if f.kind is FactKind.COMMAND and any(f.subject in runs for runs in told)]
        if started and own and not any(runs & started for runs in told):
            why = f"this is how {', '.join(sorted(started)[:3])} was started; {own[0].id} is {own[0].value}"
            found.object_to(FindingKind.ATTRIBUTION, s.tokens[i], why)
        else:
            found.support(s.tokens[i].start, s.tokens[i].end, ids)

    def code_ids(self, text: str) -> list[str]:
        """The facts that are a piece of code, or hold it: a command from end to end, flags side by side."""
        wanted = squeeze(text)
        if is_command(text) and not text.startswith("-"):
            return [f.id for f, known in self._world.strings if f.kind is FactKind.COMMAND and squeeze(known) == wanted]
        exact = [f.id for f, known in self._world.strings if squeeze(known) == wanted]
        named = [f.id for f in self._world.facts if wanted in {f.name, f.id}]
        return exact or named or [f.id for f, known in self._world.strings if _holds(squeeze(known), wanted)]

    def _known_words(self, text: str) -> bool:
        tokens = re.findall(r"[\w.\-]*\d[\w.\-]*", text.lower())
        return all(self._known(token.strip(".-")) or self._is_value(token) for token in tokens)

    def _is_value(self, text: str) -> bool:
        """Whether a number in code is one of the config or of a metric, as it is written there."""
        return any(
            str(f.value) == text
            for f in self._world.facts
            if f.kind in {FactKind.CONFIG, FactKind.METRIC, FactKind.COUNT}
        )


def _sort(fact: Fact) -> str:
    """What of a run a fact is: ``wandb`` of ``LR-001/wandb/5e1cc713``."""
    return fact.id.removeprefix(f"{fact.subject}/").partition("/")[0]


def is_command(text: str) -> bool:
    """Whether a piece of code is something to run."""
    words = text.removeprefix("$ ").split()
    while words and _ASSIGNMENT.match(words[0]):
        words = words[1:]
    if not words:
        return False
    program = words[0].rpartition("/")[2]
    if len(words) > 1 and (program in _PROGRAMS or words[0].startswith("./") or program.endswith((".py", ".sh"))):
        return True
    return len(words) > 2 and any(word.startswith("--") for word in words[1:])


def is_path(text: str) -> bool:
    """Whether a piece of code names a file or a folder."""
    if " " in text.strip():
        return False
    return bool(_ROOTED.match(text) or _EXTENSION.search(text) or "/" in text.strip("/"))


def squeeze(text: str) -> str:
    """A command with its whitespace and line continuations made one space."""
    return " ".join(text.replace("\\\n", " ").removeprefix("$ ").split())


def _address(url: str) -> str:
    return normalise(url).rstrip("/").removeprefix("http://").removeprefix("https://")


def _holds(text: str, part: str) -> bool:
    """Whether ``part`` stands in ``text`` and neither cuts a word nor a path component."""
    if len(part) < 2 or part not in text:
        return False
    cuts = r"\w" if " " in part else r"\w.-"  # a line may leave out the module of its exception
    return bool(re.search(rf"(?<![{cuts}]){re.escape(part)}(?![\w]|[.-]\w)", text))
