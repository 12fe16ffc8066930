"""What people call a metric or a config key in a sentence: ``eval/loss`` is also "evaluation loss" and "the loss".

Works on names alone. Knows no fact and no text.
"""

from __future__ import annotations

import itertools
import re

from curator.verify.lexicon import word_set

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_SPOKEN: dict[str, tuple[str, ...]] = {
    "lr": ("learning rate", "lr"),
    "wd": ("weight decay", "wd"),
    "bs": ("batch size", "bs"),
    "val": ("validation", "val", "eval"),
    "eval": ("eval", "evaluation", "validation"),
    "train": ("train", "training"),
    "acc": ("accuracy", "acc", "accurate"),
    "accuracy": ("accuracy", "accurate"),
    "tok": ("tok", "token", "tokens"),
    "mem": ("memory", "mem"),
    "util": ("utilization", "utilisation", "util"),
    "ppl": ("perplexity", "ppl"),
    "seq": ("sequence", "seq"),
    "len": ("length", "len"),
    "num": ("", "number of"),
    "n": ("", "number of"),
    "avg": ("average", "mean", "avg", ""),
    "mean": ("mean", "average", ""),
    "max": ("max", "maximum", "peak", ""),
    "min": ("min", "minimum"),
    "std": ("std", "standard deviation", "deviation"),
    "grad": ("gradient", "grad"),
    "dim": ("dimension", "dim", "size"),
    "opt": ("optimizer", "optimiser", "opt"),
    "optimizer": ("optimizer", "optimiser"),
    "utilization": ("utilization", "utilisation"),
    "sec": ("s", "second", "sec"),
    "second": ("second", "s", "sec"),
    "s": ("s", "second", "sec"),
    "rss": ("rss", "memory", "resident memory"),
}
_UNIT_TAILS = word_set("ms s sec secs seconds min h gib gb mib mb bytes pct percent")
_STATISTICS = frozenset(
    {"mean", "avg", "average", "max", "min", "std", "last", "final", "value", "total", "p50", "p99"}
)
_VAGUE = word_set(
    """
    time rate size count number step steps value total mean max min avg std last final model run config data type
    name mode path dir file index use per second id key all best set new tok token tokens maximum minimum peak
    """
)
_RATE = re.compile(r"(?:^|_)(?:[a-z]+_per|tok|token|tokens|samples|examples|steps|it)_(?:s|sec|second)$")
_THROUGHPUT = ("throughput", "tokens per second", "tok/s", "tokens/s", "token throughput", "training throughput")
_SAMPLE_RATE = ("throughput",)
_DURATION = ("wall time", "wall clock", "wall clock time", "runtime", "run time", "duration", "elapsed time")
_MOST = 48

QUALIFIERS: dict[str, str] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("eval", "evaluation", "validation", "val", "dev", "heldout"), "eval"),
    "test": "test",
}
"""Words that say on which data something was measured, and which of them mean the same."""


def words_of(name: str) -> list[str]:
    """The words of a name, lower case: ``eval/macroLoss_max`` gives eval, macro, loss, max."""
    return [word.lower() for part in re.split(r"[^A-Za-z0-9]+", name) for word in _split(part)]


def _vague(phrase: str) -> bool:
    """Whether a name's last words alone say too little to mean the metric."""
    return phrase.startswith("per ") or all(word in _VAGUE or word in _UNIT_TAILS for word in phrase.split())


def _split(part: str) -> list[str]:
    return _WORDS.findall(part) if re.search(r"[a-z][A-Z]", part) else [part] if part else []


def phrases(name: str, *, duration: bool = False) -> dict[str, int]:
    """Phrases for a name, lower case; 0 for the whole name, 1 for its last words, 2 and 3 for looser ones."""
    words = words_of(name)
    found: dict[str, int] = {}
    for tail in range(len(words)):
        for phrase in _spoken(words[tail:]):
            if len(phrase) > 1 and (tail == 0 or not _vague(phrase)):
                found.setdefault(phrase, min(tail, 1))
    for word in words if len(words) > 1 else ():
        if any(c.isdigit() for c in word) and any(c.isalpha() for c in word) and len(word) > 3:
            found.setdefault(word, 2)
    flat = "_".join(words)
    if _RATE.search(flat):
        for phrase in _THROUGHPUT if "tok" in flat else _SAMPLE_RATE:
            found.setdefault(phrase, 1)
    if (
        len(words) > 1
        and words[-1] in _UNIT_TAILS - {"gib", "gb", "mib", "mb", "bytes", "pct", "percent"}
        and words[-2] != "per"
    ):
        for phrase in _spoken([*words[:-1], "time"]):
            found.setdefault(phrase, 0)
    if duration:
        for phrase in _DURATION:
            found.setdefault(phrase, 3)
    if words and len(words) > 1 and words[-1] in {"k", "steps", "size", "fraction", "ratio", "length", "len"}:
        for phrase in filter(lambda phrase: not _vague(phrase), _spoken(words[-2:-1])):
            found.setdefault(phrase, 2)
    return {phrase: rank for phrase, rank in found.items() if phrase and not phrase.isdigit()}


def _spoken(words: list[str]) -> list[str]:
    """Every way to say the words, those that end in a unit or a statistic also without it."""
    choices = [list(_SPOKEN.get(word, (word,))) for word in words]
    if len(words) > 1:
        if words[-1] in _UNIT_TAILS and words[-2] != "per":
            choices[-1] = [*choices[-1], ""]
        if words[-1] in _STATISTICS:
            choices[-1] = [*choices[-1], ""]
    spoken = itertools.islice(itertools.product(*choices), _MOST)
    return [" ".join(filter(None, choice)) for choice in spoken]


def pattern(phrase: str) -> str:
    """A regular expression for a phrase: its words may be joined by spaces, slashes, hyphens, dots or underscores."""
    return r"[ /_.\-]+".join(re.escape(word) for word in re.split(r"[ /]", phrase))
