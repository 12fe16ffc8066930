"""What people call things: metrics and config keys by their phrases, runs by the words of their labels and configs.

Made from the names in the facts alone; knows no text.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.known.settings import is_switch
from curator.verify.known.spoken import CALLED, SPOKEN
from curator.verify.known.stated import runs_as_stated
from curator.verify.known.world import QUALIFIERS
from curator.verify.text.blocks import normalise
from curator.verify.text.numerals import CARDINALS
from curator.verify.text.words import CONFIDENCE, LINKS, NEGATIONS, RUN_NOUNS, SENSES, SUPERLATIVES, word_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from curator.verify.known.world import World

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SQUEEZED = re.compile(r"[^a-z0-9@]+")

_UNIT_TAILS = word_set("ms us s sec secs seconds min h gib gb mib mb bytes pct percent")
_STATISTICS = frozenset({"mean", "avg", "average", "max", "min", "last", "final", "value", "total"})
_SPREADS = word_set("std stdev stddev stderr sem variance deviation error")
"""Of a metric, and never the metric itself: ``test_acc_std`` is not called accuracy."""
_VAGUE = word_set(
    """
    time rate size count number step steps value total mean max min avg std last final model run config data type
    name mode path dir file index use per second id key all best set new tok token tokens maximum minimum peak
    used weight norm exact match score pass drops average absolute en 1 tail
    """
)
_RATE = re.compile(r"(?:^|_)(?:[a-z]+_per|tok|token|tokens|samples|examples|steps|it)_(?:s|sec|second)$")
_THROUGHPUT = ("throughput", "tokens per second", "tok/s", "tokens/s", "token throughput", "training throughput")
_DURATION = ("wall time", "wall clock", "wall clock time", "runtime", "run time", "duration", "elapsed time")
_MOST = 64

_RUN_NAMES = frozenset({"label", "name", "run name", "wandb name", "W&B name", "step"})
_UNTELLING = (
    LINKS
    | NEGATIONS
    | RUN_NOUNS
    | frozenset(SENSES)
    | frozenset(SUPERLATIVES)
    | word_set(
        """
        run test true false on off non yes auto default seed seeds step steps size batch lr rate new old only other
        one two three four five six eight ten
        dev main v1 v2 latest nothing all full large small high low baseline reference cpu gpu tpu
        """
    )
)
"""Words of a label that alone say nothing of which run is meant."""
_VALUED = re.compile(
    r"(?:(?P<before>[a-z]{3,}) )?(?<![\w.])(?P<value>\d+(?:\.\d+)?)(?: (?P<behind>[a-z]{2,}))?(?=,|$| )"
)
_VALUED_PHRASE = re.compile(r"(?P<value>\d+|[a-z]+) (?P<behind>[a-z-]{3,} [a-z-]{3,})")
_PARTS = re.compile(r"\s*[,;+()]\s*|\s+(?:and|with)\s+")
"""What joins the parts of a label, by each of which its run is called, too."""
_LACKING = ("no ", "without ")
_NON = re.compile(r"\bnon-([a-z]{3,})")
_SHORT = 2
"""Words of a label up to which each of them is taken for a name: "small shards" of a longer one is a remark."""


def words_of(name: str) -> list[str]:
    """The words of a name, lower case: ``eval/macroLoss_max`` gives eval, macro, loss, max."""
    return [word.lower() for part in re.split(r"[^A-Za-z0-9]+", name) for word in _split(part)]


def _split(part: str) -> list[str]:
    return _WORDS.findall(part) if re.search(r"[a-z][A-Z]", part) else [part] if part else []


def pattern(phrase: str) -> str:
    """A regular expression for a phrase: its words may be joined by spaces, slashes, hyphens, dots or underscores."""
    return r"[ /_.@\-]+".join(re.escape(word) for word in re.split(r"[ /]", phrase))


def squeezed(text: str) -> str:
    """A name without what people put between its parts: ``MATH-500`` and ``math500`` are one."""
    return _SQUEEZED.sub("", text.lower())


def _valued(label: str) -> Iterator[tuple[str, str]]:
    """The values in a label, each with the words beside it: ``64 clients``, ``four mined negatives``."""
    for said in _VALUED.finditer(label):
        yield said["value"], said["behind"] or said["before"]
    if whole := _VALUED_PHRASE.fullmatch(label):
        yield str(CARDINALS.get(whole["value"], whole["value"])), whole["behind"]


# -- metrics and config keys --------------------------------------------------------------------------------------


def phrases(name: str, *, duration: bool = False, shared: bool = False) -> dict[str, int]:
    """Phrases for a name, lower case; 0 for the whole name, 1 for its last words, 2 and 3 for looser ones.

    Args:
        name: ``eval/loss``.
        duration: it is a duration of a whole run.
        shared: other metrics have its namespace too (``throughput/``), so that this alone does not mean it.
    """
    whole, _, part = name.partition(" of ")
    if part:  # "wall time of attempt 1" is called so, or by what it is the part of
        return {name.lower(): 0, whole.lower(): 1}
    words = words_of(name)
    found: dict[str, int] = dict.fromkeys(CALLED.get("_".join(words), ()), 0)
    for tail in range(len(words)):
        for phrase in _said(words[tail:]):
            if len(phrase) > 1 and (tail == 0 or not _vague(phrase)):
                found.setdefault(phrase, min(tail, 1))
    spaces = name.count("/")
    for head in range(1 + spaces * shared, len(words)):
        # "GSM8K" is gsm8k/exact_match, and "peak HBM" is peak_hbm_gib.
        for phrase in _said(words[:head]) if "per" not in words or words.index("per") > head else ():
            if len(phrase) > 1 and not _vague(phrase) and phrase not in QUALIFIERS:
                found.setdefault(phrase, 2)
    for word in words if len(words) > 1 and "per" not in words else ():
        telling = any(c.isdigit() for c in word) and any(c.isalpha() for c in word)
        if (telling and len(word) > 1) or len(word) > 3:
            for spoken in SPOKEN.get(word, _derived(word)):
                if spoken and not _vague(spoken) and spoken not in QUALIFIERS and spoken not in SENSES:
                    found.setdefault(spoken, 3)
    if _RATE.search("_".join(words)):
        for phrase in _THROUGHPUT if "tok" in "_".join(words) else _THROUGHPUT[:1]:
            found.setdefault(phrase, 1)
    if len(words) > 1 and words[-1] in {"ms", "us", "s", "sec", "secs", "seconds", "min", "h"} and words[-2] != "per":
        for phrase in _said([*words[:-1], "time"]):
            found.setdefault(phrase, 0)
    if duration:
        for phrase in _DURATION:
            found.setdefault(phrase, 3)
    found |= {phrase.removesuffix("s"): rank for phrase, rank in found.items() if phrase.endswith("ers")}
    for phrase, rank in list(found.items()):
        if phrase.endswith("y") and phrase[-2:-1] not in "aeiou ":
            found.setdefault(f"{phrase[:-1]}ies", rank)  # "latencies"
    if len(words) > 1 and words[-1] in _SPREADS - {"error"}:
        found = {phrase: rank for phrase, rank in found.items() if _SPREADS & {*phrase.split()}}
    return {phrase: rank for phrase, rank in found.items() if phrase and not phrase.isdigit()}


def _with_singular(found: dict[str, int]) -> dict[str, int]:
    """``4-bit`` is of ``bits``, and ``one writer`` of ``writers``."""
    singular = {phrase.removesuffix("s"): rank for phrase, rank in found.items() if len(phrase) > 3}
    return {phrase: rank for phrase, rank in singular.items() if not _vague(phrase)} | found


def _vague(phrase: str) -> bool:
    """Whether some words of a name say too little to mean it."""
    words = phrase.split()
    if "per" in words[1:-1]:
        return False  # "bytes per token", however little each of its words says
    return phrase.startswith("per ") or all(word in _VAGUE or word in _UNIT_TAILS for word in words)


def _said(words: list[str]) -> list[str]:
    """Every way to say the words, those that end in a unit or a statistic also without it."""
    choices = [list(SPOKEN.get(word, _derived(word))) for word in words]
    if len(words) > 1:
        if words[-1] in _UNIT_TAILS and words[-2] != "per":
            choices[-1] = [*choices[-1], ""]
        if words[-1] in _STATISTICS:
            choices[-1] = [*choices[-1], ""]
    said = itertools.islice(itertools.product(*choices), _MOST)
    return [" ".join(filter(None, choice)) for choice in said]


def _derived(word: str) -> tuple[str, ...]:
    """A word and the noun made of it: ``ingest`` and ``ingestion``, ``generate`` and ``generation``."""
    if word.endswith("ate") and len(word) > 5:  # no "rate", no "date"
        return (word, f"{word[:-1]}ion")
    return (word, f"{word}ion") if word.endswith(("est", "ect", "ess")) else (word,)


def _ranked(named: Iterable[tuple[str, Mapping[str, int]]]) -> dict[str, frozenset[str]]:
    """Which names a phrase means: those it fits best."""
    ranked: dict[str, dict[str, int]] = defaultdict(dict)
    for name, found in named:
        for phrase, rank in found.items():
            ranked[phrase][name] = rank
    return {
        phrase: frozenset(name for name, rank in ranks.items() if rank == min(ranks.values()))
        for phrase, ranks in ranked.items()
    }


# -- everything that has a name -----------------------------------------------------------------------------------


class Vocabulary:
    """The phrases of one set of facts."""

    def __init__(self, world: World) -> None:
        self._world = world

    @cached_property
    def metrics(self) -> Mapping[str, frozenset[str]]:
        durations = {fact.name for fact in self._world.facts if fact.kind is FactKind.DURATION}
        rates = {
            fact.name: fact.unit.lower()
            for fact in self._world.facts
            if fact.kind is FactKind.METRIC and "/s" in fact.unit.lower()
        }
        spaces = Counter(name.partition("/")[0] for name in self._world.metric_names if "/" in name)
        named = (
            (name, phrases(name, duration=name in durations, shared=spaces[name.partition("/")[0]] > 1))
            for name in self._world.metric_names
        )
        extra = (
            (name, {**self._size_phrases(name), **found, **self._rate_phrases(rates.get(name, ""))})
            for name, found in named
        )
        return _ranked(extra)

    @staticmethod
    def _rate_phrases(unit: str) -> dict[str, int]:
        return {unit: 2, "throughput": 2} if unit else {}

    def _size_phrases(self, name: str) -> dict[str, int]:
        """Of what is measured in bytes: ``the disk footprint``."""
        unit = self._world.unit(name)
        return dict.fromkeys(("footprint", "space"), 3) if unit is not None and unit.dimension == "byte" else {}

    @cached_property
    def configs(self) -> Mapping[str, frozenset[str]]:
        spoken = self._spoken_keys()
        named = ((name, {**spoken.get(name, {}), **phrases(name)}) for name in self._world.configs)
        return _ranked((name, _with_singular(found)) for name, found in named)

    @cached_property
    def keys(self) -> frozenset[str]:
        """The config keys, as they are written."""
        return frozenset(self._world.configs)

    def switches(self, text: str) -> frozenset[str]:
        """The settings that are on or off and that go by a name, ``qk-norm``."""
        called = self.configs.get(text.lower().replace("-", " "), frozenset())
        return frozenset(key for key in called if is_switch(self._world, key))

    def set_by(self, text: str) -> frozenset[str]:
        """The settings that a name of runs tells: ``qk-norm``, ``seed 1``."""
        valued = runs_as_stated(text, self.configs, self._world)
        words = text.split() if valued else ()
        told = frozenset(key for word in words for key in self.configs.get(word.removesuffix("s"), frozenset()))
        return self.switches(text) | told & self._world.varying

    def _spoken_keys(self) -> Mapping[str, dict[str, int]]:
        """What labels call settings, by the word beside a value: ``64 clients`` where ``concurrency`` is 64."""
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for run, label in self._calls():
            for value, word in _valued(label):
                for key in sorted(self._world.varying) if word and word not in _UNTELLING | set(self.metrics) else ():
                    fact = self._world.configs[key].get(run)
                    if fact is not None and str(fact.value) in {value, f"{value}.0"}:
                        found[key][word] = 2
        return found

    @cached_property
    def by_squeezed(self) -> Mapping[str, frozenset[str]]:
        """Metrics by a name of theirs without separators: ``math500``."""
        found: dict[str, set[str]] = defaultdict(set)
        for phrase, names in self.metrics.items():
            if any(c.isdigit() for c in phrase):
                found[squeezed(phrase)] |= names
        return {key: frozenset(names) for key, names in found.items()}

    # -- runs ---------------------------------------------------------------------------------------------------

    @cached_property
    def labels(self) -> Mapping[str, frozenset[str]]:
        """What runs are called besides their IDs, whole, lower case, each with its runs."""
        found: dict[str, set[str]] = defaultdict(set)
        calls = list(self._calls())
        for text in {text for _, text in calls if len(text) > 3}:
            # A longer label that begins with a shorter one is called by it, too: "64 workers, small shards".
            whole = re.compile(rf"{re.escape(text)}(?![\w.])")
            found[text].update(run for run, label in calls if whole.match(label))
            stated = runs_as_stated(text, self.configs, self._world)
            found[text] |= stated if stated >= found[text] else frozenset()
            # ``lr=0.03`` is also what is set of the run that is called "once more".
            key, _, value = text.partition("=")
            found[text] |= self._world.runs_with(key, value)
        return {text: frozenset(runs) for text, runs in found.items() if self._world.tells_apart(frozenset(runs))}

    def _calls(self) -> Iterator[tuple[str, str]]:
        for fact in self._world.facts:
            calls = fact.kind is FactKind.LABEL or (fact.kind is FactKind.NAME and fact.name in _RUN_NAMES)
            if calls and fact.subject and isinstance(fact.value, str):
                text = normalise(fact.value).lower()
                if text not in CONFIDENCE:
                    yield fact.subject, text
                    yield from ((fact.subject, part) for part in _PARTS.split(text) if part != text and len(part) > 2)

    @cached_property
    def described(self) -> Mapping[str, frozenset[str]]:
        """Runs by one word of their labels and varied configs, where it tells some of them from the others."""
        found: dict[str, set[str]] = defaultdict(set)
        valued = {word for _, text in self._config_values() for word in _run_words(text)}
        for run, text in (*self._calls(), *self._config_values()):
            if text.startswith(_LACKING):
                continue
            short = len(text.split()) <= _SHORT
            for word in _run_words(text):
                if short or word in valued or any(c.isdigit() for c in word):
                    found[word].add(run)
        return self._telling(found | self._not_so())

    def _not_so(self) -> dict[str, set[str]]:
        """``private`` where one run is called "non-private": the others."""
        lacking: dict[str, set[str]] = defaultdict(set)
        for run, text in self._calls():
            for said in _NON.finditer(text):
                lacking[said[1]].add(run)
        return {word: set(self._world.all_runs - runs) for word, runs in lacking.items()}

    @cached_property
    def absent(self) -> Mapping[str, frozenset[str]]:
        """Runs by what their labels say they lack: ``guidance`` of "20 steps, no guidance"."""
        found: dict[str, set[str]] = defaultdict(set)
        for run, text in self._calls():
            for word in _run_words(text.partition(" ")[2]) if text.startswith(_LACKING) else ():
                found[word].add(run)
        return self._telling(found)

    def _telling(self, found: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
        keys = {word for key in self._world.configs for word in words_of(key)}
        untelling = _UNTELLING | keys | {word.removesuffix("s") for word in keys}
        return {
            word: frozenset(runs)
            for word, runs in found.items()
            if self._world.tells_apart(frozenset(runs)) and word not in untelling and word not in self.metrics
        }

    @cached_property
    def config_words(self) -> Mapping[str, frozenset[str]]:
        """Runs by a whole value in words of a varied config key, untelling words too: ``none``, ``full``."""
        found: dict[str, set[str]] = defaultdict(set)
        for run, text in self._config_values():
            found[text].add(run)
        return {word: frozenset(runs) for word, runs in found.items() if self._world.tells_apart(frozenset(runs))}

    def part(self, word: str) -> frozenset[str]:
        """The runs whose label, or a part of it, is one word: those with the bonus, and not those of "no bonus"."""
        return frozenset() if word in _UNTELLING or word in self.metrics else self.labels.get(word, frozenset())

    def without(self, word: str) -> frozenset[str]:
        """The runs whose label says that they do without something."""
        return self.labels.get(f"no {word}") or self.labels.get(f"without {word}") or frozenset()

    def called(self, text: str) -> frozenset[str]:
        """The runs that go by a whole label or a whole value of a varied config key."""
        text = text.lower()
        return self.labels.get(text) or self.config_words.get(text) or frozenset()

    def _config_values(self) -> Iterator[tuple[str, str]]:
        for key in sorted(self._world.varying):
            for run, fact in self._world.configs[key].items():
                if isinstance(fact.value, str) and run:
                    yield run, normalise(fact.value).lower()

    def abbreviated(self, letters: str) -> frozenset[str]:
        """The config keys that letters before a number may mean: ``bs`` and ``b`` are batch_size, ``q`` is block_q."""
        letters = letters.lower()
        return frozenset(key for key in self._world.configs if letters in _abbreviations(key))


def _abbreviations(key: str) -> set[str]:
    words = words_of(key.rpartition(".")[2])
    if not words:
        return set()
    initials = "".join(word[0] for word in words)
    return {initials, words[0][0], "".join(words), *words, *({"lr"} if words[-2:] == ["learning", "rate"] else ())}


def _run_words(text: str) -> set[str]:
    """The words of a label or a value by which people may call it, the letters of ``math10`` among them."""
    found = {text}
    for part in re.split(r"[^a-z0-9@.]+", text):
        word = part.strip(".@")
        letters = re.match(r"[a-z]{4,}(?=\d)", word)
        found |= {word, *([letters.group()] if letters else ())}
    return {word for word in found if len(word) > 1 and not re.fullmatch(r"[\d.e+-]+", word)}
