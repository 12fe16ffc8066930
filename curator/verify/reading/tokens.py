"""Cuts a block into tokens: words, numerals, and whatever the facts give a name to.

One token is one thing: a run ID, a metric's name of three words, a numeral with its unit. Knows no rule.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.known.vocabulary import Vocabulary, pattern, squeezed, words_of
from curator.verify.known.world import QUALIFIERS, World
from curator.verify.text import moments, numerals, words
from curator.verify.text.blocks import Block, BlockKind, code_spans

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from curator.facts import Fact
    from curator.verify.text.moments import Moment
    from curator.verify.text.numerals import Numeral


class TokenKind(StrEnum):
    WORD = "word"
    PUNCT = "punct"
    NUMBER = "number"
    RUN = "run"
    METRIC = "metric"
    CONFIG = "config"
    MOMENT = "moment"
    IDENTIFIER = "identifier"
    LINK = "link"
    CODE = "code"
    FACT = "fact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    kind: TokenKind
    start: int
    end: int
    """Offsets into the whole text."""
    text: str
    depth: int = 0
    """How many parentheses are open around it."""
    runs: frozenset[str] = frozenset()
    """The runs it stands for."""
    described: bool = False
    """It names its runs by a word or value of theirs, not by an ID."""
    names: frozenset[str] = frozenset()
    """The metrics it may mean."""
    keys: frozenset[str] = frozenset()
    """The config keys it may mean."""
    numeral: Numeral | None = None
    moment: Moment | None = None
    facts: tuple[str, ...] = ()
    """IDs of the facts it quotes whole."""

    @property
    def lower(self) -> str:
        return self.text.lower()


_URL = re.compile(r"(?:[a-z][a-z0-9+.-]{1,12}://|www\.)[^\s<>\"'`|\\^{}\[\]]+", re.IGNORECASE)
_DESTINATION = re.compile(r"\]\(\s*<?([^\s<>()]+(?:\([^\s<>()]*\)[^\s<>()]*)*)[^()\n]*\)")
_RUN_SHAPE = r"[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z][A-Za-z0-9]*)*-\d+[a-z]?"
_RUN_RANGE = re.compile(
    rf"(?<![\w/.-])({_RUN_SHAPE})(?:(?:\.\.\.?|\u2026|\u2013|\u2014|[ ]?-[ ]?|[ ]?\u2013[ ]?|[ ](?:to|through)[ ])"
    rf"({_RUN_SHAPE}|\d{{2,}}(?![\w.]))|((?:/\d{{2,}})+(?![\w.])))?(?![\w/]|-\w)"
)
_RUN_PARTS = re.compile(r"(.*?-)(\d+)([a-z]?)$")
_IDENTIFIER = re.compile(
    r"(?:~|\.{1,2})?/?(?:[A-Za-z_]\w*|\d+[A-Za-z_]\w*)(?:[./_+@:-]{1,2}\w+)*|/(?:[\w.-]+/)+[\w.-]+|\d+\.\d+(?:\.\d+)+[\w.+-]*\w|0x[0-9A-Fa-f]+"
)
_SHAPE = re.compile(r"\d+(?:[ ]?[x×][ ]?\d+)+(?![\w.^*⁰¹²³⁴-⁹⁻%])")
_HYPHENED_NUMBER = re.compile(r"([a-z]+)-(\d+(?:\.\d+)?)$")
_WORD = re.compile(r"(?:vs|approx|ca|e\.g|i\.e|etc|cf)\.|[^\W\d_]+(?:'(?!s\b)[^\W\d_]+)*(?:-[^\W\d_]+)*", re.IGNORECASE)
_PREFIXED_FACTOR = re.compile("(?:x(?=\\d+\\.)|\u00d7 ?)(\\d+(?:\\.\\d+)?)(?![\\w.]\\d)")
"""``x4.96``"""
_DEVICES = re.compile(r"(\d+) ?[x\u00d7](?= ?(?:(?i:nvidia|amd|tpu|gpu|cpu|rtx)|[A-Z]{1,3}\d{2,3}|v\d))")
"""``8xH100``, ``4 x A100``: a count of devices, and no factor."""
_POSSESSIVE = re.compile(r"'s(?!\w)|(?<=s)'(?= )")
_SEVERAL = re.compile(r" (?:runs|configs|configurations|variants|seeds|replicates|experiments)\b", re.IGNORECASE)
_BASELINE = re.compile(r"(?:baseline|(?<!new )(?<!our )(?<!a )reference|control)(?: run)?(?![\w-])", re.IGNORECASE)
_MARKS = ".,;:!?)\"'*_~>"
_COVERS = frozenset(
    {
        FactKind.TEXT,
        FactKind.QUOTE,
        FactKind.COMMAND,
        FactKind.PATH,
        FactKind.NAME,
        FactKind.LABEL,
        FactKind.DEVICE,
        FactKind.CONFIG,
    }
)
_TERMS = frozenset({"l1", "l2", "f1", "utf-8", "1d", "2d", "3d", "k8s", "s3", "sha256", "sha-256", "python3"})
"""Words with a digit that state nothing."""


class Lexer:
    """Cuts blocks by the names that one set of facts gives."""

    def __init__(self, world: World, vocabulary: Vocabulary) -> None:
        self._world, self._vocabulary = world, vocabulary
        self._runs = {run.lower(): run for run in world.runs}
        self._exact = {name.lower(): name for name in (*world.configs, *world.metric_names)}
        names = {*vocabulary.metrics, *vocabulary.configs, *self._exact}
        self._names = _phrase_pattern(list(names))
        self._labels = _phrase_pattern([label for label in vocabulary.labels if not label.isalpha()])
        self._covers = list(_covers(world))

    @classmethod
    def of(cls, facts: Sequence[Fact]) -> Lexer:
        world = World(facts)
        return cls(world, Vocabulary(world))

    def tokens(self, block: Block) -> list[Token]:
        """The tokens of a block in order; they do not overlap. A fence has none."""
        if block.kind is BlockKind.FENCE:
            return []
        return self.cut(block.text, block.start)

    def plain(self, text: str) -> list[Token]:
        """The tokens of a fact's own text, by its words alone."""
        return _with_depth(list(self._plain(text, 0, len(text))))

    def cut(self, text: str, start: int) -> list[Token]:
        """The tokens of a normalised piece of text that begins at ``start``."""
        spans = sorted(self._spans(text), key=lambda span: (span.start, -span.end))
        found, at = [], 0
        for span in [*spans, Token(kind=TokenKind.PUNCT, start=len(text), end=len(text), text="")]:
            for token in self._plain(text, at, span.start):
                found.append(token)
                at = token.end
            if span.start >= at:
                found.extend([span] if span.text else [])
                at = span.end
        found = [replace(token, start=token.start + start, end=token.end + start) for token in found]
        return _with_depth(list(_qualified(found)))

    # -- what is recognised as a whole --------------------------------------------------------------------------

    def _spans(self, text: str) -> Iterator[Token]:
        """Wherever it stands; the earliest and longest wins."""
        for fact, covered in self._covers:
            for found in covered.finditer(text):
                runs = self._vocabulary.called(str(fact.value))
                kind = TokenKind.RUN if runs else TokenKind.FACT
                yield _token(kind, found.span(), text, runs=runs, described=bool(runs), facts=(fact.id,))
        for code in code_spans(text):
            yield from self._code(code, text)
        for found in _URL.finditer(text):
            yield _token(TokenKind.LINK, (found.start(), found.start() + len(_trimmed(found.group()))), text)
        for found in _DESTINATION.finditer(text):
            yield _token(TokenKind.LINK, found.span(1), text)
        yield from self._run_mentions(text)
        for found in self._labels.finditer(text) if self._labels else ():
            written = found.group().lower()
            flat = re.sub(r"[ /_.@\-]+", " ", written)
            runs = next(
                (r for r in map(self._vocabulary.labels.get, (written, flat, flat.rstrip("s"))) if r), frozenset()
            )
            yield _token(TokenKind.RUN, found.span(), text, runs=runs, described=True)
        for found in self._names.finditer(text) if self._names else ():
            yield from self._named(found, text)
        for found in _BASELINE.finditer(text):
            several = _SEVERAL.match(text, found.end())
            yield _token(TokenKind.RUN, found.span(), text, runs=frozenset() if several else self._world.baseline)

    def _named(self, found: re.Match[str], text: str) -> Iterator[Token]:
        written = found.group().lower()
        exact = self._exact.get(written)
        names = self._meaning(written, self._vocabulary.metrics, exact, self._world.metric_names)
        keys = self._meaning(written, self._vocabulary.configs, exact, self._world.configs)
        if names or keys:
            kind = TokenKind.METRIC if names else TokenKind.CONFIG
            yield _token(kind, found.span(), text, names=names, keys=keys)

    @staticmethod
    def _meaning(
        written: str, meanings: Mapping[str, frozenset[str]], exact: str | None, known: object
    ) -> frozenset[str]:
        if exact is not None:
            return frozenset({exact}) if exact in known else frozenset()  # type: ignore[operator]
        flat = re.sub(r"[ /_.@\-]+", " ", written)
        for phrase in (written, flat, written.removesuffix("s"), flat.removesuffix("s"), flat.removesuffix("es")):
            if phrase in meanings:
                return meanings[phrase]
        return frozenset()

    def _code(self, code: re.Match[str], text: str) -> Iterator[Token]:
        """A code span: what it names, when it only names something; else a piece of code."""
        inner = code[2].strip()
        start = code.start(2) + len(code[2]) - len(code[2].lstrip())
        runs = self._vocabulary.config_words.get(inner.lower())
        named = [
            token for token in self.cut(inner, start) if token.kind is not TokenKind.PUNCT or token.text not in "=:%"
        ]
        names = {TokenKind.RUN, TokenKind.METRIC, TokenKind.CONFIG, TokenKind.NUMBER, TokenKind.MOMENT, TokenKind.FACT}
        yield Token(kind=TokenKind.PUNCT, start=code.start(), end=start, text="")
        if runs:
            yield _token(TokenKind.RUN, (start, start + len(inner)), text, runs=runs, described=True)
        elif named and all(token.kind in names for token in named):
            for token in self.cut(inner, start):
                yield replace(token, end=token.end)
        elif inner:
            yield _token(TokenKind.CODE, (start, start + len(inner)), text)
        yield Token(kind=TokenKind.PUNCT, start=start + len(inner), end=code.end(), text="")

    def _run_mentions(self, text: str) -> Iterator[Token]:
        for found in _RUN_RANGE.finditer(text):
            parts = _RUN_PARTS.match(found[1])
            first = found[1].lower()
            if not parts or (first not in self._runs and parts[1][:-1].lower() not in self._world.prefixes):
                continue
            end, runs = found.end(1), {first}
            preceded = text[max(0, found.start() - 5) : found.start()].lower()
            if preceded == "from " and " to " in found.group() and found[2].lower() in self._runs:
                second = frozenset({self._runs[found[2].lower()]})
                yield _token(TokenKind.RUN, found.span(2), text, runs=second)
            elif found[2] and " " in found.group() and found[2].isdigit() and len(found[2]) != len(parts[2]):
                end, runs = found.end(1), {first}  # "from 9 in LR-003 to 15"
            elif found[2] or found[3]:
                end, runs = found.end(), set(_between(parts, found[2], found[3]))
            known = frozenset(self._runs[run] for run in runs if run in self._runs)
            missing = () if all(run in self._runs for run in runs) else ("?",)
            yield _token(TokenKind.RUN, (found.start(1), end), text, runs=known, facts=missing)

    # -- everything else ----------------------------------------------------------------------------------------

    def _plain(self, text: str, at: int, end: int) -> Iterator[Token]:
        """Everything between the spans: moments, numerals, identifiers, words, marks."""
        while at < end:
            token = None if text[at].isspace() else self._next(text, at, end)
            if token:
                yield token
            at = token.end if token else at + 1

    def _next(self, text: str, at: int, end: int) -> Token:
        inside = at > 0 and (text[at - 1].isalnum() or text[at - 1] in "_)")
        signed = text[at] in "+-\u00b1" and not inside
        digit = text[at].isdigit() or (text[at] == "." and text[at + 1 : at + 2].isdigit() and not inside)
        if factor := None if inside else _PREFIXED_FACTOR.match(text, at):
            numeral = numerals.match(f"{factor[1]}x", 0, self._world.unit_pattern)
            return _token(TokenKind.NUMBER, factor.span(), text, numeral=numeral[1] if numeral else None)
        month = text[at].isupper() and not inside and moments.match(text, at)
        if digit or signed or month:
            token = self._number(text, at)
            if token:
                return token
        if word := _POSSESSIVE.match(text, at, end):
            return _token(TokenKind.PUNCT, word.span(), text)
        if text[at].isalpha() and not inside and (spoken := numerals.match_word(text, at, self._world.unit_pattern)):
            return _token(TokenKind.NUMBER, (at, spoken[0]), text, numeral=spoken[1])
        return self._identifier(text, at, end) or self._word(text, at, end)

    def _number(self, text: str, at: int) -> Token | None:
        if devices := _DEVICES.match(text, at):
            count = numerals.match(devices[1], 0, self._world.unit_pattern)
            return _token(TokenKind.NUMBER, devices.span(), text, numeral=count[1] if count else None)
        if shape := _SHAPE.match(text, at):
            return _token(TokenKind.IDENTIFIER, shape.span(), text)
        if moment := moments.match(text, at):
            alternative = numerals.match(text, at, self._world.unit_pattern)
            duration = alternative[1] if alternative and alternative[0] == moment[0] else None
            return _token(TokenKind.MOMENT, (at, moment[0]), text, moment=moment[1], numeral=duration)
        found = numerals.match(text, at, self._world.unit_pattern)
        if not found:
            return None
        tail = text[found[0] : found[0] + 2]
        glued = tail[:1].isalnum() or tail[:1] == "_" or (tail[:1] == "." and tail[1:].isdigit())
        return None if glued else _token(TokenKind.NUMBER, (at, found[0]), text, numeral=found[1])

    def _identifier(self, text: str, at: int, end: int) -> Token | None:
        found = _IDENTIFIER.match(text, at, end) if text[at] != "/" or not text[at - 1 : at].isalnum() else None
        if not found or not any(c.isdigit() for c in found.group()) or found.group().lower() in _TERMS:
            return None
        span, written = found.span(), found.group().lower()
        if "/" in written and (parts := self._slashed(text, at, written)):
            return parts
        split = _HYPHENED_NUMBER.match(written)
        if split and split[1] in words.COUNTED | words.NUMBERED | {"top", "seed"}:
            return None
        if names := self._vocabulary.by_squeezed.get(squeezed(written)):
            return _token(TokenKind.METRIC, span, text, names=names)
        return _token(TokenKind.IDENTIFIER, span, text)

    def _slashed(self, text: str, at: int, written: str) -> Token | None:
        """The first of several names that a slash joins: ``p50/p90/p99``, ``q256/kv512``."""
        first = written.partition("/")[0]
        known = {squeezed(part) in self._vocabulary.by_squeezed for part in written.split("/")}
        if known == {True}:
            names = self._vocabulary.by_squeezed[squeezed(first)]
            return _token(TokenKind.METRIC, (at, at + len(first)), text, names=names)
        described = all(part in self._vocabulary.described for part in written.split("/"))
        return _token(TokenKind.IDENTIFIER, (at, at + len(first)), text) if described and first else None

    def _word(self, text: str, at: int, end: int) -> Token:
        found = _WORD.match(text, at, end)
        parts = found.group().lower().split("-") if found else []
        if found and len(parts) > 1 and {*parts} & {*words.SUPERLATIVES, *words.ADJECTIVES}:
            return _token(TokenKind.WORD, (at, at + len(parts[0])), text)
        return _token(TokenKind.WORD, found.span(), text) if found else _token(TokenKind.PUNCT, (at, at + 1), text)


def _token(kind: TokenKind, span: tuple[int, int], text: str, **details: object) -> Token:
    return Token(kind=kind, start=span[0], end=span[1], text=text[span[0] : span[1]], **details)  # type: ignore[arg-type]


def _phrase_pattern(phrases: list[str]) -> re.Pattern[str] | None:
    if not phrases:
        return None
    either = "|".join(pattern(p) if " " in p else re.escape(p) for p in sorted(set(phrases), key=len, reverse=True))
    return re.compile(rf"(?<![\w/.])(?:{either})(?:s|es)?(?![\w/]|-[^\W\d])", re.IGNORECASE)


def _covers(world: World) -> Iterator[tuple[Fact, re.Pattern[str]]]:
    """Facts whose text counts as evidence wherever it is quoted whole."""
    for fact, text in world.strings:
        parts = text.strip().rstrip(".").split()
        telling = len(parts) > 1 or (any(c.isdigit() for c in text) and any(c.isalpha() for c in text))
        # A hypothesis is no evidence for itself: what a text repeats of it is judged like everything else.
        wished = fact.kind is FactKind.TEXT and "hypothesis" in fact.id
        if fact.kind in _COVERS and telling and len(text) > 3 and not wished:
            flexible = r"\s+".join(re.escape(part) for part in parts)
            yield fact, re.compile(rf"(?<![\w/.-]){flexible}(?![\w/]|[.-]\w)")


def _trimmed(url: str) -> str:
    """A URL without the punctuation of the sentence around it."""
    while url and (url[-1] in _MARKS) and not (url[-1] == ")" and url.count("(") >= url.count(")")):
        url = url[:-1]
    return url


def _between(first: re.Match[str], last: str | None, listed: str | None) -> Iterator[str]:
    """The run IDs of ``LR-001..LR-003`` and ``LR-001/002``, lower case."""
    prefix, digits = first[1].lower(), first[2]
    if listed:
        yield first.group().lower()
        yield from (f"{prefix}{number.zfill(len(digits))}" for number in listed.split("/") if number)
        return
    parts = _RUN_PARTS.match(last or "")
    number = (parts[2] if parts else last) or digits
    if (parts and parts[1].lower() != prefix) or int(number) - int(digits) not in range(1, 1000):
        yield from (first.group().lower(), (last or "").lower())
        return
    yield from (f"{prefix}{n:0{len(digits)}d}" for n in range(int(digits), int(number) + 1))


def _qualified(tokens: list[Token]) -> Iterator[Token]:
    """``training loss`` is no ``eval/loss``: a metric's name with a word before it that says on which data."""
    for before, token in zip([None, *tokens], tokens, strict=False):
        wanted = QUALIFIERS.get(before.lower) if before else None
        if wanted is None or token.kind is not TokenKind.METRIC:
            yield token
            continue
        said = {name: {QUALIFIERS.get(word) for word in words_of(name)} - {None} for name in token.names}
        right = frozenset(name for name, found in said.items() if wanted in found)
        plain = frozenset(name for name, found in said.items() if not found)
        yield replace(token, names=right or plain)


def _with_depth(tokens: list[Token]) -> list[Token]:
    depth, found = 0, []
    for token in tokens:
        depth -= token.text in {")", "]"} and depth > 0
        found.append(replace(token, depth=depth) if depth else token)
        depth += token.text in {"(", "["}
    return found
