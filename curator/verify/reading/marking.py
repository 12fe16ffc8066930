"""Who a sentence speaks of: runs by ID, by a word of theirs, by a config value, and such names side by side as one.

In a sweep over ``lr``, "lr=0.01", "the 0.01 run" and "at 1e-2" mean the run that has it; "the 64k BPE tokenizer" means
the run that is both. Only marks tokens: whether what is said of them is right is judged elsewhere.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.known.fits import Fit, fit
from curator.verify.reading.descriptions import Descriptions, ended_as
from curator.verify.reading.keys import KEY_LINKS, key_of
from curator.verify.reading.mentions import FRAMING
from curator.verify.reading.sentences import Sentence
from curator.verify.reading.shared_units import with_shared_units
from curator.verify.reading.tokens import Token, TokenKind
from curator.verify.text import words
from curator.verify.text.inflection import forms
from marin_research.compare import is_repetition_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from curator.verify.known.vocabulary import Vocabulary
    from curator.verify.known.world import World
    from curator.verify.reading.sentences import Context
    from curator.verify.text.numerals import Numeral

_CALLING = words.word_set(
    "at between with for using than both near from to the > < and vs vs. versus under while or of in"
)
_SWITCHED_OFF = frozenset({"off", "disabled", "omitted"})
_OFF = frozenset({"none", "off", "no", "", "0", "0.0", "false"})
_BESIDE = (
    words.ARTICLES
    | words.RUN_NOUNS
    | frozenset({"x", "×"})
    | words.word_set('with at of using on ( = : - / " merges , size')
)
_REMOVING = words.word_set("without no") | forms("remove drop disable skip omit")
_TURNING = forms("turn switch")
_SWITCHES = words.word_set("no off lacking sans dropping removing adding enabling")
_OTHERS = words.word_set("another different second third fresh further")
"""``with another seed`` has nothing switched on."""
_SEEDS = frozenset(f"{word}s" for word in words.REPETITIONS) - {"trials"}
_FURTHER = words.word_set("other further more additional new extra")
_NAMING = frozenset({TokenKind.WORD, TokenKind.CONFIG, TokenKind.METRIC})
_LETTERED = re.compile(r"([a-z_]{1,16}?)[-_=]?(\d+(?:\.\d+)?(?:e-?\d+)?[kKmMB]?)", re.IGNORECASE)
_SCALES = {"k": 1e3, "m": 1e6, "b": 1e9}
_AFTER_ELIDED = words.ENDINGS | words.VERSUS | words.word_set("to and or but than while instead")
_CHOSEN_BY = words.word_set("with at using for under")
_AMOUNTING = words.APPROXIMATE | words.word_set("at least most more less than up to only just")
"""What may stand between "by" and an amount."""
_TITLE = 8
_ON_DATA = words.word_set("on at of for in over")
_DATA = words.ARTICLES | words.word_set("test - / set split context length")
_NEAR = 5
_SMALL = 12
"""A whole number up to here is no config value unless the key stands beside it."""


def marked(tokens: Sequence[Token], context: Context, world: World, vocabulary: Vocabulary) -> list[Token]:
    """The tokens, those that stand for runs marked with them."""
    return list(_Marker(list(tokens), context, world, vocabulary).tokens())


class _Marker:
    def __init__(self, tokens: list[Token], context: Context, world: World, vocabulary: Vocabulary) -> None:
        self._world, self._vocabulary = world, vocabulary
        self._s = Sentence(tuple(with_shared_units(tokens)), context)
        self._descriptions = Descriptions(self._s, world)
        self._settings = [q for q in world.quantities if q.kind is FactKind.CONFIG and q.runs]

    def tokens(self) -> Iterator[Token]:
        found = [self._token(i, token) for i, token in enumerate(self._s.tokens)]
        return iter(_narrowed(_merged(self._with_repeats(self._with_elided(found)))))

    def _with_repeats(self, tokens: list[Token]) -> list[Token]:
        """``the seeds of LR-003``, ``LR-003's repeats``: that run and those that repeat it; "other" ones are those."""
        for i in range(len(tokens)):
            behind, before = self._s.skip(i + 2, words.ARTICLES), self._s.skip(i - 2, words.ARTICLES, -1)
            owner = behind if self._s.word(i + 1) == "of" else before if self._s.word(i - 1) == "'s" else -1
            if not (0 <= owner < len(tokens)) or not tokens[owner].runs or self._s.word(i) not in _SEEDS:
                continue
            runs = frozenset(other for run in tokens[owner].runs for other in self._world.repeats(run))
            if self._s.word(i - 1) in _FURTHER:
                runs -= tokens[owner].runs
            if len(runs) > 1:
                tokens[i] = replace(tokens[i], runs=runs, described=True)
                tokens[owner] = replace(tokens[owner], runs=runs)
        return tokens

    def _with_elided(self, tokens: list[Token]) -> list[Token]:
        """``0.81 with smoothing and 0.80 without``: the bare word leaves out the key that was switched before."""
        key, lacking = "", frozenset[str]()
        for i, token in enumerate(tokens):
            lacking = self._vocabulary.absent.get(token.lower, lacking)
            if token.described and token.runs and token.kind is TokenKind.RUN and token.runs <= self._world.variants:
                lacking = self._world.all_runs - token.runs
                key = self._switch_of(token.runs)
            switched = sorted(token.keys & self._world.varying) if token.runs and token.kind is TokenKind.CONFIG else []
            key = switched[0] if switched else key
            ends = self._s.word(i + 1) in {"", ",", ".", ")", ";", "and", "it", "them", "any", "is", "was"}
            stranded = self._s.word(i - 2) == "to" and self._s.is_word(i - 1)  # "faster to train with"
            off = token.lower == "off" and self._s.word(i - 1) in {"it", "them"}  # "switch it off, and"
            if (key or lacking) and (off or token.lower in {"with", "without"}) and ends and not stranded:
                without = self._off(key) if key else lacking
                on = self._on(key) if key else self._world.all_runs - lacking
                runs = on if token.lower == "with" else without
                tokens[i] = replace(token, runs=runs, described=True)
        return tokens

    def _switch_of(self, runs: frozenset[str]) -> str:
        """The one key that is on in these runs and off in others: of ``sixteen mined negatives``."""
        keys = [key for key in self._world.varying if runs <= self._on(key) and self._off(key) - runs]
        return keys[0] if len(keys) == 1 else ""

    def _off(self, key: str) -> frozenset[str]:
        """The runs in which a key is switched off: false, none, zero."""
        per_run = self._world.configs[key]
        off = frozenset(run for run, fact in per_run.items() if run and str(fact.value).lower() in _OFF)
        return off | (self._world.all_runs - per_run.keys() if "" not in per_run else frozenset())

    def _on(self, key: str) -> frozenset[str]:
        return frozenset(run for run in self._world.configs[key] if run) - self._off(key)

    def _token(self, i: int, token: Token) -> Token:
        if removed := self._removed(i, token):
            return replace(token, runs=removed, described=True, names=frozenset())
        if token.kind is TokenKind.NUMBER and token.numeral:
            runs = self._set_by(i, token.numeral)
            called = self._vocabulary.described.get(token.lower) if token.text[-1:].isalpha() else None
            if called and not runs and token.numeral.unit is None:  # "the 120M drafter"
                return replace(token, kind=TokenKind.RUN, runs=called, described=True, numeral=None)
        elif token.kind in {TokenKind.WORD, TokenKind.IDENTIFIER}:
            runs = self._descriptions.runs(i) or self._said_by(i, token)
        elif token.kind is TokenKind.CONFIG:
            runs = self._descriptions.runs(i) or self._switched(i, token)
        elif token.kind is TokenKind.RUN and self._is_lacked(i) and token.text not in self._world.runs:
            runs = self._world.all_runs - token.runs  # "without qk-norm", which is what one run is called
        elif token.lower == "reference" and self._is_of_metric(i):
            return replace(token, kind=TokenKind.WORD, runs=frozenset())
        else:
            return token
        return replace(token, runs=runs, described=True) if self._world.tells_apart(runs) else token

    def _is_of_metric(self, i: int) -> bool:
        """``the KL to the reference``: a metric's own, and no run."""
        s = self._s
        return (s.word(i - 2), s.word(i - 1)) == ("to", "the") and s.kind(i - 3) is TokenKind.METRIC

    def _removed(self, i: int, token: Token) -> frozenset[str]:
        """``turning off guidance``, ``without the bonus``, where a label says "no guidance"."""
        before = self._s.skip(i - 1, words.ARTICLES, -1)
        off = self._s.word(before) in _REMOVING or (
            self._s.word(before) == "off" and self._s.word(before - 1) in _TURNING
        )
        return self._vocabulary.without(token.lower) if off and token.kind in _NAMING else frozenset()

    # -- words --------------------------------------------------------------------------------------------------

    def _said_by(self, i: int, token: Token) -> frozenset[str]:
        described = self._vocabulary.described
        lower = token.lower
        if lower in words.ENDED_ADJECTIVES and self._s.word(i + 1) in {"one", "run"} and self._s.word(i - 1) == "the":
            return ended_as(lower, self._world)
        stems = (lower.removesuffix("s"), f"{lower}s", lower.removesuffix("ing"), lower.replace("-", ""))
        for word in (lower, *stems, *lower.split("-")):
            if word in self._vocabulary.absent and (self._is_off(i) or word not in described):
                lacking = self._vocabulary.absent[word]
                return lacking if self._is_off(i) else self._world.all_runs - lacking if self._is_on(i) else frozenset()
            if word in described and self._is_lacked(i):
                return self._world.all_runs - described[word]
            if word in described:
                return self._vocabulary.labels.get(word) or described[word]
        if part := self._vocabulary.part(lower):
            return part
        alone = self._s.word(i - 1) == "(" and self._s.word(i + 1) in {")", ","}
        valued = self._s.kind(i + 1) is TokenKind.NUMBER and self._s.word(i - 1) in {",", ":", "", ";"}
        alone = alone or valued  # "full 3.41, dots 2.85"
        if (
            self._s.word(i + 1) in words.RUN_NOUNS or self._key_beside(i) or alone
        ) and token.lower in self._vocabulary.config_words.keys() - {"both", "all"}:
            return self._vocabulary.config_words[token.lower]
        if token.kind is not TokenKind.IDENTIFIER:
            return frozenset()
        return self._shaped(token.lower) or self._lettered(token.lower)

    def _is_lacked(self, i: int) -> bool:
        """``nprobe 128 without re-ranking``, ``nprobe 128 (no re-ranking)``."""
        s = self._s
        before = s.word(s.skip(i - 1, words.ARTICLES, -1))
        return before in {"without", "sans", "lacking", "minus"} or (s.word(i - 2) == "(" and s.word(i - 1) == "no")

    def _shaped(self, text: str) -> frozenset[str]:
        """``128x512`` in a sweep over two sizes: the runs that have both, in this order of keys."""
        sizes = [float(part) for part in re.split(r"[x×]", text) if part.strip().isdecimal()]
        keys = [key for key in self._world.configs if key in self._world.varying]
        found = [
            frozenset.intersection(*(self._world.runs_with(key, size) for key, size in zip(chosen, sizes, strict=True)))
            for chosen in itertools.combinations(keys, len(sizes))
            if len(sizes) > 1
        ]
        return next((runs for runs in found if runs), frozenset())

    def _key_beside(self, i: int) -> bool:
        near = {i - 1, i + 1, self._s.skip(i - 1, KEY_LINKS, -1), self._s.skip(i + 1, frozenset({"at", "with"}))}
        return any(0 <= j < len(self._s.tokens) and self._s.tokens[j].keys & self._world.varying for j in near)

    def _lettered(self, text: str) -> frozenset[str]:
        """``q256`` in a sweep over ``block_q``."""
        found = _LETTERED.fullmatch(text)
        if not found:
            return frozenset()
        digits, scale = found[2].rstrip("kKmMB"), _SCALES.get(found[2][-1].lower(), 1.0)
        runs = [
            self._world.runs_with(key, float(digits) * scale)
            for key in sorted(self._vocabulary.abbreviated(found[1].strip("_")) & self._world.varying)
        ]
        return next((each for each in runs if each), frozenset())

    def _switched(self, i: int, token: Token) -> frozenset[str]:
        """``without activation checkpointing`` where a key is true of some runs and false of others."""
        off, on = self._is_off(i), self._is_on(i)
        if off and (lacking := self._vocabulary.absent.get(token.lower)):
            return lacking
        for key in sorted(key for key in token.keys & self._world.varying if not is_repetition_key(key)):
            if not off and all(isinstance(fact.value, bool) for fact in self._world.configs[key].values()):
                return self._on(key)  # "pinned", alone
            if (on or off) and self._off(key):
                return self._off(key) if off else self._on(key)
        return frozenset()

    def _is_off(self, i: int) -> bool:
        """``without X``, ``X disabled``, ``turning off X``."""
        s = self._s
        before = s.word(self._before_noun(i))
        behind = s.word(s.skip(i + 1, words.BE))
        return before in {"without", "no", "off", "lacking", "sans", "dropping", "removing"} or behind in _SWITCHED_OFF

    def _is_on(self, i: int) -> bool:
        s = self._s
        before = s.word(self._before_noun(i))
        return before in {"with", "using", "adding", "enabling"} or s.word(s.skip(i + 1, words.BE)) in {"on", "enabled"}

    def _before_noun(self, i: int) -> int:
        """Where the word stands before a noun, its articles and at most one word that describes it: ``hard``."""
        s, passing = self._s, words.ARTICLES | words.ADJECTIVES.keys()
        j = s.skip(i - 1, passing, -1)
        telling = words.FOLLOWERS | words.NEGATIONS | words.DETERMINERS | _SWITCHES | _OTHERS
        describes = s.is_word(j) and not s.runs(j) and s.word(j) not in telling
        return s.skip(j - 1, passing, -1) if describes else j

    # -- numbers ------------------------------------------------------------------------------------------------

    def _set_by(self, i: int, numeral: Numeral) -> frozenset[str]:
        if self._s.context.cell or (numeral.word and self._is_counted(i)):
            return frozenset()
        keys = key_of(self._s, i) or self._hyphened_key(i) or self._titled_key(i, numeral)
        keys = keys or self._descriptions.key_of_parallel(i, numeral)
        if keys is None and (there := self._at_value(i, numeral)):
            return there
        if keys is None and numeral.unit is None and (self._may_call(i, numeral) or self._is_elided(i, numeral)):
            keys = self._world.varying
        if keys is None and numeral.unit is not None and not numeral.relative and not self._measured(numeral):
            keys = frozenset(q.name for q in self._settings if q.unit and q.unit.dimension == numeral.unit.dimension)
        varied = (keys or frozenset()) & self._world.varying
        settings = [q for q in self._settings if q.name in varied] if varied else []
        return frozenset(run for q in settings if fit(numeral, q) is Fit.MATCH for run in q.runs)

    def _at_value(self, i: int, numeral: Numeral) -> frozenset[str]:
        """``At epsilon 2.03 we are down to 61.2 %``: the run that measured it, as the place where something is so."""
        names = self._s.names(i - 1)
        if not names or self._s.word(i - 2) != "at" or self._s.word(i - 3) not in {"", ",", ";", ":", "and", "but"}:
            return frozenset()
        ends = [q for (_, name), q in self._world.values.items() if name in names]
        return frozenset(run for q in ends if fit(numeral, q) is Fit.MATCH for run in q.runs)

    def _is_elided(self, i: int, numeral: Numeral) -> bool:
        """``from 0.417 with four to 0.402 with sixteen``: a value whose key is left out, as no other has it."""
        alone = self._s.word(i - 1) in {"with", "at", "using"} and self._s.word(i + 1) in _AFTER_ELIDED
        having = [key for key in self._world.varying if self._world.runs_with(key, numeral.value)]
        return alone and numeral.word and numeral.whole and len(having) == 1

    def _is_counted(self, i: int) -> bool:
        """``two seeds``: more of a thing than a setting's name speaks of are a count, and no value."""
        keys = self._s.keys(i + 1)
        return bool(keys) and self._s.word(i + 1).endswith("s") and not any(key.lower().endswith("s") for key in keys)

    def _titled_key(self, i: int, numeral: Numeral) -> frozenset[str] | None:
        """``Clip sweep at batch 4096: 0.1 is best, 10 diverges``: values of the setting in front of the colon."""
        s = self._s
        colon = next((j for j in range(1, min(i, _TITLE)) if s.word(j) == ":"), 0)
        opens = s.word(i - 1) in {":", ",", "and", "but", ";"} and s.is_word(i + 1)
        alone = numeral.unit is None and not numeral.word and not numeral.sign
        return next((s.keys(j) for j in range(min(colon, 2)) if s.keys(j)), None) if opens and alone else None

    def _hyphened_key(self, i: int) -> frozenset[str] | None:
        """``top-4`` in a sweep over ``top_k``."""
        if self._s.word(i - 1) != "-" or not self._s.is_word(i - 2):
            return None
        return self._vocabulary.abbreviated(self._s.word(i - 2)) & self._world.varying or None

    def _may_call(self, i: int, numeral: Numeral) -> bool:
        """Whether a number without a key may be a config value: ``at 0.01``, ``the 0.01 run``, ``0.01 gives``."""
        s = self._s
        if s.word(i + 1) in words.RUN_NOUNS - {"runs"} and not numeral.word:
            return True
        if numeral.word or (numeral.whole and abs(numeral.value) <= _SMALL and not numeral.scaled) or numeral.sign:
            return False
        if s.word(i + 1) in words.COUNTED | {"%"} or s.word(s.skip(i - 1, _AMOUNTING, -1)) == "by":
            return False
        if self._measured(numeral):
            return False
        valued = i > 1 and bool(s.tokens[s.skip(i - 1, words.ARTICLES | {"of", "is", "was", "=", ":", "at"}, -1)].names)
        return not valued and (
            i == 0 or s.word(i - 1) in _CALLING | {",", ".", "(", "->", "\u2192"} or s.kind(i + 1) is TokenKind.WORD
        )

    def _measured(self, numeral: Numeral) -> bool:
        """Whether it is as well a value of a metric that the sentence names, so that it may be that instead."""
        named = {name for token in self._s.tokens for name in token.names}
        open_ = not named
        return any(
            q.kind is FactKind.METRIC and (open_ or q.name in named) and fit(numeral, q) is Fit.MATCH
            for q in self._world.quantities
        )


# -- names side by side ---------------------------------------------------------------------------------------------


def _merged(tokens: list[Token]) -> list[Token]:
    """Names side by side that can be of one run are of one: ``the 64k BPE tokenizer``, ``LR-003 (lr=0.01)``."""
    found = list(tokens)
    last = -1
    for i, token in enumerate(tokens):
        if not token.runs or token.kind is TokenKind.FACT:
            continue
        if last >= 0 and _beside(tokens, last, i):
            both = found[last].runs & token.runs
            framed = _frames(tokens, last, i)
            if both:
                for j in range(i if framed else last, i + 1):
                    if found[j].runs:
                        found[j] = replace(found[j], runs=both)
        last = i
    return found


def _frames(tokens: Sequence[Token], a: int, b: int) -> bool:
    """``seeds at batch 4096: seed 0 is``, ``within HNSW, M32 is``: first comes among which runs, then whose it is."""
    between = {token.text for token in tokens[a + 1 : b]}
    fronted = a <= 2 and tokens[0].lower in FRAMING and "," in between
    return ":" in between or fronted


def _narrowed(tokens: list[Token]) -> list[Token]:
    """Metrics side by side that can be one are one: ``the loss at 16k``, ``the WER on test-other``."""
    found = list(tokens)
    places = [i for i, token in enumerate(tokens) if token.kind is TokenKind.METRIC]
    for a, b in itertools.pairwise(places):
        both = found[a].names & found[b].names
        between = [token.lower for token in tokens[a + 1 : b]]
        if both and len(between) <= _NEAR and _ON_DATA & {*between} and {*between} <= _ON_DATA | _DATA:
            found[a], found[b] = replace(found[a], names=both), replace(found[b], names=both)
    return found


def _beside(tokens: Sequence[Token], a: int, b: int) -> bool:
    between = tokens[a + 1 : b]
    if len(between) > 4 or not (tokens[a].described or tokens[b].described):
        return False
    comma = any(token.text == "," for token in between)
    if comma and any(token.lower == "runs" for token in between):
        return False  # "among the private runs, batch 512 is"
    # "with AdamW and small shards": values of two settings, where two of one setting have no run in common
    joined = len(between) == 1 and between[0].lower == "and" and tokens[a - 1].lower in _CHOSEN_BY if a else False
    if joined and tokens[a].described and tokens[b].described:
        return True
    fine = all(token.lower in _BESIDE or token.keys for token in between)
    apart = comma and any(token.lower in words.ARTICLES for token in between)  # "among the LZ4 runs, the baseline"
    both = tokens[a].described and tokens[b].described and not apart  # "aux loss, seed 0"
    return fine and (both or not (comma and tokens[b].depth == tokens[a].depth == 0))
