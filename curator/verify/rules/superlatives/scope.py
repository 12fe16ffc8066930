"""Of which metric a superlative is said, of whom, and among which runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.known.world import QUALIFIERS
from curator.verify.reading.senses import graded
from curator.verify.reading.sentences import SUBORDINATORS
from curator.verify.reading.ties import Tie, Ties
from curator.verify.reading.tokens import TokenKind
from curator.verify.rules.outcomes import excepted
from curator.verify.rules.superlatives.phrase import FILLERS
from curator.verify.text import words
from curator.verify.text.words import SIZES, SPEEDS

if TYPE_CHECKING:
    from curator.verify.known.world import World
    from curator.verify.reading.mentions import Mention
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector
    from curator.verify.rules.superlatives.phrase import Superlative

_VALUE_NOUNS = words.word_set(
    "one ones result results score scores value values overall number numbers figure figures error errors level rate"
)
_TO_METRIC = FILLERS | words.RUN_NOUNS | _VALUE_NOUNS | {"in", "on", "of", "by", "for", "and", "at"}
_ALTERNATIVES = words.word_set("thing things option choice setup recipe method approach system combination way")
_PRONOUNS = words.word_set("it its")
_CHOOSING = words.word_set("with without for at under using")


# -- of which metric ------------------------------------------------------------------------------------------------


def names_of(it: Superlative, world: World, reader: Reader, found: Collector) -> Ties:
    """The metrics it may be of; none where it is said of something else."""
    s, i = it.s, it.i
    i += graded(s, i) is not None
    j = s.skip(i + 1, _TO_METRIC)
    part = s.skip(j, frozenset({*QUALIFIERS, "-"}))
    j = part if s.kind(part) is TokenKind.METRIC else j  # "on test-clean"
    if s.kind(j) is TokenKind.METRIC and (s.word(j - 1) != "of" or s.word(j - 2) == "in"):
        return Ties([Tie(s.names(j))])
    if _is_of_other(s, i, j):
        return Ties([])
    if s.word(s.skip(i + 1, FILLERS)) == "scores" or s.word(j) in {"metrics", "variables", "scores"}:
        scored = frozenset(name for _, name in world.values if not world.speed(name))
        return Ties([Tie(scored)])  # "the worst scores on both variables"
    low, high = s.clause(i)
    near = [m for m in reader.metrics.named if low <= m.first < high]
    near = [m for m in near if it.sense not in SPEEDS or any(world.speed(name) for name in m.meant)]
    if near:
        nearest = sorted(near, key=lambda m: (m.first > i, abs(m.first - i)))
        return Ties([Tie(m.meant, 0.5 * n) for n, m in enumerate(nearest)])
    if it.sense in SPEEDS:
        return Ties([Tie(frozenset(name for _, name in world.values if world.speed(name)))])
    if it.sense in SIZES and s.word(i + 1) in words.RUN_NOUNS:
        return Ties([])
    numbers = [k for k in s.of_kind(TokenKind.NUMBER, (low, high)) if not s.keys(s.skip(k - 1, words.BE, -1))]
    values = [q for k in numbers for q in found.meant.get(s.tokens[k].start, ())]
    if told := frozenset(q.name for q in values if q.kind is FactKind.METRIC):
        return Ties([Tie(told)])
    recent = reader.metrics.of(i)
    primary = world.primary if it.sense not in SIZES else ""
    return recent if recent.all or not primary else Ties([Tie(frozenset({primary}))])


def _is_of_other(s: Sentence, i: int, j: int) -> bool:
    """Whether it is said of a setting, or of something that is neither a metric nor a run: ``the largest gap``."""
    if s.kind(j) is TokenKind.CONFIG and s.word(j - 1) not in {"of", "by"}:
        return words.SUPERLATIVES.get(s.word(i)) in SIZES  # "the fastest policy" is a run, the largest batch is none
    noun = s.skip(i + 1, FILLERS)
    known = words.FOLLOWERS | words.RUN_NOUNS | _VALUE_NOUNS | _ALTERNATIVES
    plural = s.word(noun).endswith("s") and s.word(noun - 1) == "the"
    return s.is_word(noun) and s.word(noun) not in known and not plural and s.word(noun - 1) != "of"


# -- of whom --------------------------------------------------------------------------------------------------------


def subjects_of(it: Superlative, reader: Reader, apart: int = -1) -> Ties:
    """Who is called so: named right behind, or before it, or in the sentence before; not who is named among whom.

    Args:
        it: the superlative.
        reader: of its sentence.
        apart: where those are named of whose values it is one: ``of the seeds of LR-003``.
    """
    s, i = it.s, it.i
    low, high = s.clause(i)
    singles = [m for m in reader.runs if not m.reference and m.first != apart and not _is_domain(s, m.first)]
    behind = next((m for m in singles if m.first > i), None)
    if behind and any(s.word(k) in SUBORDINATORS for k in range(i, behind.first)):
        behind = None
    if behind and _is_called(it, behind, named=any(low <= m.first and m.last < i for m in singles)):
        return Ties([Tie(behind.meant)])
    left = [m for m in singles if low <= m.first and m.last < i and s.tokens[m.first].depth <= s.tokens[i].depth]
    if left:
        return Ties([] if len(left[-1].members) > 1 else [Tie(left[-1].meant)])
    if behind and behind.first < max(high, i + 12):
        return Ties([Tie(behind.meant)])
    goes_on = s.word(low) in {"which", "also", "it", "has", "is", "but", "and"} or s.word(i - 2) == "it"
    if {s.word(low), s.word(low + 1)} & {"they", "it"} and (main := [m for m in singles if m.last < low]):
        return Ties([Tie(main[0].meant)])
    earlier = [m for m in singles if m.last < low]
    if earlier and goes_on:
        return Ties([Tie(earlier[-1].meant)])
    pronoun = s.word(0) in {"this", "that"} or any(s.word(j) in _PRONOUNS for j in range(low, i))
    if pronoun and not singles:
        return reader.earlier()  # "on loss it is the best we have"
    bare = s.word(s.skip(low, words.ARTICLES | {"also"})) in words.SUPERLATIVES or s.word(low) in _PRONOUNS
    return Ties([Tie(earlier[-1].meant, 0.5)] if earlier and bare else [])  # "best on loss but slowest to train"


def _is_called(it: Superlative, behind: Mention, *, named: bool) -> bool:
    """Whether a superlative is said of the run behind it: ``the best is LR-003``, ``the lowest loss, in LR-003``."""
    s, i = it.s, it.i
    where = i + 1
    if s.word(where) == "(":
        where = 1 + next((j for j in range(where, len(s.tokens)) if s.word(j) == ")"), where)
    if (s.word(behind.first - 2), s.word(behind.first - 1)) == ("that", "of") and behind.first <= where + 5:
        return True  # "the lowest loss is that of LR-003"
    before = s.word(s.skip(behind.first - 1, words.ARTICLES, -1))
    passed = {s.word(k) for k in range(i + 1, behind.first)} - words.RUN_NOUNS - words.ARTICLES - _VALUE_NOUNS
    linked = before in {"in", "for", "at", "with", "by", "to"} or passed <= {",", "(", ":", "is", "was"}
    _, high = s.clause(i)
    return (linked and behind.first <= where + 3) or (not named and behind.first < max(high, where + 6))


# -- among which runs -----------------------------------------------------------------------------------------------


def domain_of(it: Superlative, world: World, reader: Reader, run: frozenset[str]) -> frozenset[str]:
    """The runs it ranges over: those that the sentence names, else all; none where it counts untold ones."""
    s, counted = it.s, it.counted
    if counted and not any(len(m.meant) == counted for m in reader.runs):
        ended = frozenset(each for each in world.runs if world.ended_well(each))
        groups = [world.all_runs, world.variants, ended, *(world.repeats(each) for each in sorted(run))]
        groups += [reader.named_before, *(m.meant for m in reader.runs)]
        return next((group for group in groups if len(group) == counted and (not run or run & group)), frozenset())
    chosen = [m.meant for m in reader.runs if len(m.meant) > 1 and run & m.meant and _is_domain(s, m.first)]
    if any(_is_domain(s, m.first) and s.word(m.last + 1) == "alone" for m in reader.runs):
        return frozenset()  # "the runs with dropout alone", and nothing else that we might not see
    sets = [frozenset.intersection(*chosen)] if chosen else []
    sets += [m.meant for m in reader.runs if len(m.members) > 2 and run <= m.meant]
    sets += [reader.frame] if reader.frame and run <= reader.frame else []
    everyone = world.all_runs
    if any(s.word(j) in {"that", "which"} and s.word(j + 1) in words.ENDED_WELL for j in range(it.i, len(s.tokens))):
        everyone = frozenset(filter(world.ended_well, everyone))  # "the fastest of a run that finished"
    if it.of_others and not run & world.baseline:
        everyone -= world.baseline
    return (sets[0] if sets else everyone) - excepted(s, reader)


def ranges_over_some(it: Superlative) -> bool:
    """``the highest ECE with smoothing``: what stands behind the metric chooses among the runs."""
    at = it.s.skip(it.i + 1, FILLERS)
    return it.s.kind(at) is TokenKind.METRIC and it.s.word(at + 1) in _CHOOSING | {"among"}


def _is_domain(s: Sentence, j: int) -> bool:
    """Whether the runs named at ``j`` are those it is the best of: ``the best of the Muon runs``."""
    k = _before_name(s, j)
    if s.word(k) in _CHOOSING and s.word(k - 1) == "and" and s.runs(k - 2):
        return _is_domain(s, k - 2)  # "of the runs with seed 0 and without it"
    if s.word(k) in _CHOOSING and s.word(k - 1) in words.RUN_NOUNS:
        k = s.skip(k - 1, words.RUN_NOUNS | words.ARTICLES, -1)  # "of the runs without it"
        if s.word(k) in words.SUPERLATIVES:
            return len(s.runs(j)) > 1  # "the best run without it"
    while s.kind(k) is TokenKind.NUMBER:
        k = s.skip(k - 1, words.ARTICLES, -1)
    several = len(s.runs(j)) > 1 and s.tokens[j].described
    if several and s.word(k) in _CHOOSING and s.kind(k - 1) is TokenKind.METRIC:
        return True  # "the highest ECE with smoothing"
    if several and s.word(j) in _CHOOSING and s.word(j - 1) in words.SUPERLATIVES:
        return True  # "the lowest without it"
    called = s.word(k - 1) != "that" and any(s.word(n) in words.SUPERLATIVES for n in range(max(0, k - 3), k))
    return s.word(k) == "among" or (s.word(k) == "of" and (called or k == 0))


def _before_name(s: Sentence, j: int) -> int:
    """Where the word stands before a name, its articles and its key: the "with" of ``with a batch size of 512``."""
    k = j - 1
    while s.word(k) in words.ARTICLES | words.COUNTED | {"="} or s.keys(k) or (s.word(k) == "of" and s.keys(k - 1)):
        k -= 1
    return k
