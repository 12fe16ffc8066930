"""How many runs there are, of every kind that a text may count."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.rules.counts.nouns import OTHERS
from curator.verify.text import words
from curator.verify.text.inflection import forms

if TYPE_CHECKING:
    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence

_ALL_RUNS = re.compile(r"(?:^|_)(?:runs|total|configs|experiments)$")

_HAVING = words.word_set("has had have having") | forms("comprise contain include count consist span cover total")
_ADVERBS = words.word_set("now only just exactly a total of in so far already") - {"of"}


def totals(world: World, reader: Reader, s: Sentence, i: int, noun: str) -> set[int]:
    """The numbers that the count at ``i`` may state of runs of which nothing else is said."""
    counted = [f for f in world.facts if f.kind is FactKind.COUNT and not f.subject]
    allowed = {int(f.value) for f in counted if _ALL_RUNS.search(f.name.lower()) and isinstance(f.value, int | float)}
    named = [reader.named, s.context.topics, reader.named_before]
    allowed |= {len(world.runs), *(len(runs) for runs in named if len(runs) > 1)}
    variants = noun not in {"run", "runs"}
    allowed |= {len(world.variants)} if variants else set()
    allowed |= {len(runs - world.baseline) for runs in named if len(runs) > 2}
    if {s.word(i - 1), s.word(i + 1)} & OTHERS:
        allowed = {n - k for n in allowed for k in (1, 2, max(1, len(reader.named))) if n > k}
    finished = [m.meant for m in reader.runs] if _has(s, i) else [world.all_runs, *(m.meant for m in reader.runs)]
    allowed |= {sum(map(world.ended_well, runs)) for runs in finished}
    if variants:
        settings = [(key, fact.value) for key in world.varying for fact in world.configs[key].values()]
        allowed |= {len(world.runs_with(key, value)) for key, value in settings}
    allowed |= {len(world.repeats(run)) for run in reader.named | world.baseline}
    return allowed - {0}


def _has(s: Sentence, i: int) -> bool:
    """``the sweep has ten runs``: all of them, and not only those that reached their end."""
    j = s.skip(i - 1, _ADVERBS, -1)
    j -= s.word(j) == "of"  # "consists of"
    return s.word(j) in _HAVING and s.word(s.skip(j - 1, _ADVERBS, -1)) not in {"we", "i"}
