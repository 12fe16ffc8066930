"""Judges what is said of how runs ended: finished, failed, diverged, ran out of memory, fits, was preempted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.reading.ties import SLACK, Tie, Ties
from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind
from curator.verify.text import words
from curator.verify.text.inflection import forms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector

_ENDED = frozenset({"succeeded", "failed", "preempted", "lost", "cancelled", "running", "cached"})
_COMPATIBLE: dict[str, frozenset[str]] = {
    "succeeded": frozenset({"succeeded", "cached"}),
    "failed": frozenset({"failed", "lost", "preempted", "cancelled"}),
    "crashed": frozenset({"failed", "lost", "preempted"}),
    "cancelled": frozenset({"cancelled"}),
    "lost": frozenset({"lost"}),
    "cached": frozenset({"cached"}),
    "running": frozenset({"running"}),
    "fits": frozenset({"succeeded", "cached", "lost", "cancelled", "preempted", "running"}),
}
_DIVERGED = re.compile(
    r"nan|diverg|inf\b|non-?finite|(?:not|n\'t|in)[ -]?finite|explod|blew up|collapse|gave up|giving up", re.IGNORECASE
)
_MEMORY = re.compile(
    r"out of memory|\boom|outofmemory|resource_?exhausted|\bkilled\b|\b137\b|bad_alloc|memory|cannot allocate",
    re.IGNORECASE,
)
_WORKED = forms("run train compile work start load")
"""What a run may be said to have done or not; only a denial or a count makes it a claim of how it ended."""
_STARTED = forms("start")
_HOW = words.word_set("with at using under as by without for")
"""``was not run with lr=0.1``: of how it ran, and not whether."""
_CRASHES = forms("crash abort") | {"errored"}
_GAVE_OUT = words.pairs("timed out, times out, gave out")
_BROKE_OFF = words.pairs(
    "blew up, blow up, blows up, blown up, broke down, breaks down, fell over, fell apart, falls apart, ran aground"
)
"""What is said both of a run that died and of one whose loss is lost."""
_FITTING = forms("fit")
_CAME_THROUGH = words.pairs("ran through, went through, came through, pulled through, made it")
_WORKS = forms("compile work load")
_FINAL = words.word_set(
    """
    and but while successfully without normally cleanly as in after at on within early fine before because ok with from
    . , ; ) : - \u2013 \u2014
    """
) | {""}
_SMOOTHLY = words.word_set("stably smoothly flawlessly uneventfully")
_GOING = _WORKED | words.ENDED_WELL | forms("go behave progress proceed")
_TROUBLES = words.word_set(
    "hitch hitches problem problems trouble troubles incident incidents issue issues error errors crash crashes nan"
    " nans instability instabilities divergence failure failures difficulty difficulties"
)
_GRADUAL = frozenset({"converged", "stable", "finite"})
"""What somebody may deny of a run that ended well: it is a matter of degree."""
_UNTIL = words.word_set("until till before")
_CONVERGING = forms("converge") - {"converging"}
_SOONER = words.word_set("faster slower more less sooner earlier later quicker on toward towards nan infinity")
"""Behind "converges" they say when or where, and not that it did."""
_CHOOSING = words.word_set("no other any every each all both only single of these those")
_EXCEPT = words.word_set("except besides but")
_STAYING = words.BE - {"being"} | forms("stay remain train run")
_DENYING = words.word_set("not never didn't doesn't couldn't cannot don't")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A status that a word states."""

    status: str
    at: int
    negated: bool

    def holds(self, world: World, run: str) -> bool | None:
        """Whether it is so of a run; None where the facts do not say."""
        known = _holds(world, self.status, run)
        if known and self.negated and self.status in _GRADUAL:
            return None
        return None if known is None else known is not self.negated


def _holds(world: World, status: str, run: str) -> bool | None:
    known = world.statuses.get(run, "")
    match status:
        case "diverged":
            return known == "diverged" or world.non_finite(run) or (known == "failed" and _told(world, run, _DIVERGED))
        case "memory":
            return _told(world, run, _MEMORY) if known in _ENDED else None
        case "converged":
            return world.ended_well(run) and not world.non_finite(run)
        case "stable":
            open_ = None if known in {"preempted", "lost", "cancelled", "running"} else known != "failed"
            return open_ if known != "diverged" and not world.non_finite(run) else False
        case "finite":
            return not world.non_finite(run)
        case "broken":
            return known == "failed" or _holds(world, "diverged", run)
        case "preempted":
            return known == "preempted" or _was_preempted(world, run)
    if known not in _ENDED:
        return True if known == status else None
    if status == "lost" and known in {"failed", "preempted", "running"}:
        return None
    if status == "vanished":
        return None if known in {"preempted", "running"} else known == "lost"
    if status == "failed" and known == "succeeded" and world.non_finite(run):
        return None  # it ended, with nothing that is of use
    if status == "fits" and known == "failed":
        return None if not _told(world, run, _MEMORY) else False
    return known in _COMPATIBLE[status]


def _was_preempted(world: World, run: str) -> bool | None:
    """Whether an earlier attempt of the run was preempted; None when the facts count nothing that tells."""
    counted = [f for f in world.facts if f.kind is FactKind.COUNT and f.subject == run and isinstance(f.value, int)]
    if any("preempt" in f.name and f.value for f in counted):
        return True
    return None if any("attempt" in f.name and f.value != 1 for f in counted) else False


def _told(world: World, run: str, pattern: re.Pattern[str]) -> bool:
    """Whether a text of the run's own facts, or of no run, says so."""
    return any(pattern.search(text) for subject in (run, "") for _, text in world.told_of(subject))


def outcome_at(s: Sentence, i: int, *, counted: bool = False) -> Outcome | None:
    """The status that the word at ``i`` states; None when it states none there.

    Args:
        s: the sentence.
        i: where the word stands.
        counted: runs are counted by it, ``four of five ran``.
    """
    word = s.word(i)
    if s.kind(i) not in {TokenKind.WORD, TokenKind.METRIC} or (s.tokens[i].depth and word in {"fit", "fits"}):
        return None
    negated = s.negated(i)
    if word == "memory" and s.word(i - 1) == "of" and s.word(i - 2) == "out":
        return Outcome("memory", i, negated)
    if smooth := _smooth(s, i):
        return Outcome(smooth, i, negated and word not in _TROUBLES)
    if word in {"end", "completion"} and s.word(s.skip(i - 1, words.ARTICLES, -1)) == "to":
        return Outcome("succeeded", i, negated)  # "ran to its end"
    if (word, s.word(i + 1)) in _CAME_THROUGH and s.word(i + 2) in _FINAL | {"to"}:
        return Outcome("succeeded", i, negated)
    if word in {"running", "going"} and s.word(i - 1) == "still" and s.word(i - 2) in {"is", "are"} and _is_final(s, i):
        return Outcome("running", i, negated)
    if (word, s.word(i + 1)) in _GAVE_OUT:
        return Outcome("failed", i, negated)
    if (word, s.word(i + 1)) in _BROKE_OFF:
        return None if _is_of_size(s, i) else Outcome("broken", i, negated)
    denied = s.word(i - 1) in _DENYING
    if word in _WORKS and s.word(i + 1) in {"", ".", ",", ";", ":"} and not s.negated(i):
        return Outcome("succeeded", i, negated)
    begun = word in _STARTED and not denied  # "all four were started"
    how = denied and s.word(i + 1) in _HOW
    if word in _WORKED and not begun and not how and (denied or counted) and _is_final(s, i):
        return Outcome("succeeded", i, negated)
    status = words.STATUS_WORDS.get(word)
    if status is None or not _is_statement(s, i, word, counted=counted):
        return None
    if word in _CRASHES and not counted:
        return Outcome("crashed", i, negated)
    if status == "lost" and s.word(i - 1) in words.BE and s.word(i + 1) != "to":
        return Outcome("vanished", i, negated)  # "it was lost", and not "we lost it"
    return Outcome(status, i, negated)


def _smooth(s: Sentence, i: int) -> str:
    """What the word at ``i`` says of a run that went well: ``trained stably``, ``ran without a hitch``; or nothing."""
    word, before = s.word(i), i - 1
    while s.word(before).endswith("ly"):
        before -= 1
    if any(s.word(j) in _UNTIL for j in range(i, len(s.tokens))) or s.word(i + 1) in {"across", "over"}:
        return ""
    if word in _TROUBLES:
        without = s.skip(before, words.ARTICLES | {"single", "further", "numerical"}, -1)
        gone = any(s.word(j) in _GOING for j in range(max(0, without - 3), without))
        return "stable" if s.word(without) == "without" and gone else ""
    if word == "finite":
        return "finite" if s.word(before) in _STAYING else ""
    smooth = word in {"stable", "smooth"} and s.word(before) in _STAYING
    smooth = smooth or (word == "steadily" and s.word(i - 1) in _GOING)  # no loss that falls steadily
    return "stable" if smooth or (word in _SMOOTHLY and s.word(i - 1) not in {"more", "less", "as", "most"}) else ""


def _is_of_size(s: Sentence, i: int) -> bool:
    """``the memory blew up``: it grew."""
    low, _ = s.clause(i)
    named = [s.word(j) for j in s.of_kind(TokenKind.METRIC, (low, i))]
    return bool(named) and "loss" not in named[-1]


def _is_statement(s: Sentence, i: int, word: str, *, counted: bool) -> bool:
    """Whether the word says how a run ended, and is no "failed to improve", no "lost 0.1", no "passes" of a filter."""
    after = s.word(i + 1)
    if word in words.FAILED_TO and after == "to":
        return False
    if s.kind(i + 1) in {TokenKind.NUMBER, TokenKind.METRIC} and not s.tokens[i + 1].runs:
        return False
    if word in {"lost", *words.MOVES} and s.kind(i - 1) is TokenKind.METRIC:
        return False  # "throughput lost", "accuracy collapses"
    if word in _CONVERGING:
        return not _SOONER & {s.word(i + 1), s.word(i + 2)}
    sure = word in words.ENDED_BADLY or word.startswith(("succeed", "success", "diverge", "preempt", "cancel", "oom"))
    if after in words.RUN_NOUNS and s.word(i - 1) in _CHOOSING:
        return False  # "no other finished run"
    if s.tokens[min(i + 1, len(s.tokens) - 1)].runs or after in words.RUN_NOUNS | {"attempt"}:
        return sure or (word in {"lost", "finished", "completed"} and s.is_word(i - 1))
    if counted or sure:
        adjective = s.is_word(i + 1) and after in words.COUNTED
        return not adjective
    return _is_final(s, i) and not (
        word in {"complete", "fine", "ok", "healthy", "cleanly"} and after in {"in", "with"}
    )


def _is_final(s: Sentence, i: int) -> bool:
    """Whether a word of several meanings ends its statement, or is followed by how or when."""
    return s.word(i + 1) in _FINAL or (s.word(i) in _FITTING and s.word(i + 1) in {"into", "inside", "onto"})


class Outcomes:
    """The rule for how runs ended."""

    def __init__(self, world: World) -> None:
        self._world = world

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:
        for i, token in enumerate(s.tokens):
            if token.start in found.judged:
                continue
            outcome = outcome_at(s, i)
            if outcome is not None and not s.hedged(i):
                self._judge(outcome, reader, s, found)

    def _judge(self, outcome: Outcome, reader: Reader, s: Sentence, found: Collector) -> None:
        token = s.tokens[outcome.at]
        readings = list(self._readings(outcome, reader, s))
        if not readings:
            if outcome.status in {"memory", "diverged"} and not outcome.negated:
                self._judge_event(outcome, token, found)
            return
        cheapest = min(cost for cost, _, _ in readings)
        right = [runs for cost, holds, runs in readings if holds and cost <= cheapest + SLACK]
        if right:
            ids = [f.id for f in self._world.facts if f.kind is FactKind.STATUS and f.subject in right[0]]
            found.support(token.start, token.end, ids)
        elif cheapest <= 2.0:
            runs = next(runs for cost, _, runs in readings if cost == cheapest)
            said = ", ".join(f"{run} is {self._world.statuses.get(run, 'unknown')}" for run in sorted(runs)[:3])
            found.object_to(FindingKind.STATUS, token, said)

    def _judge_event(self, outcome: Outcome, token: object, found: Collector) -> None:
        """``NaN`` or ``out of memory`` of no run by name: some run must have had it."""
        if not any(outcome.holds(self._world, run) for run in self._world.runs):
            found.object_to(FindingKind.STATUS, token, "no value and no log line of a run says so")  # type: ignore[arg-type]

    def _readings(self, outcome: Outcome, reader: Reader, s: Sentence) -> Iterator[tuple[float, bool, frozenset[str]]]:
        for tie in self._subjects(outcome, reader, s).all:
            results = [self._any(outcome, part) for part in tie.parts or (tie.meant,)]
            decided = [result for result in results if result is not None]
            if decided:
                yield tie.cost, all(decided), tie.meant

    def _any(self, outcome: Outcome, runs: frozenset[str]) -> bool | None:
        decided = [holds for run in runs if (holds := outcome.holds(self._world, run)) is not None]
        return any(decided) if decided else None

    def _subjects(self, outcome: Outcome, reader: Reader, s: Sentence) -> Ties:
        """Whom the word is said of; ``we lost BIG-003`` and ``failed: LR-005`` name it behind."""
        i = outcome.at
        behind = next((m for m in reader.runs if i < m.first <= i + 3), None)
        between = {s.word(j) for j in range(i + 1, behind.first)} if behind else set()
        passive = s.word(i) in words.ENDED_WELL | {"killed"} and s.word(i + 1) == "by"
        if behind and between <= words.ARTICLES | words.RUN_NOUNS | {":", "(", "attempt", "of", ""} and not passive:
            return Ties([Tie(behind.meant)])
        if owner := _owner(reader, s, i):
            return Ties([Tie(owner)])
        subjects = reader.subjects(i)
        if subjects.all or len(self._world.runs) > 1:
            usable = [tie for tie in subjects.all if tie.cost <= 2.0]
            return Ties(usable)
        return Ties([Tie(self._world.all_runs)])


def _owner(reader: Reader, s: Sentence, i: int) -> frozenset[str]:
    """``as the rollout 8 run that finished``: the runs named right before the relative pronoun."""
    that = i - 1 - (s.word(i - 1) in words.BE)
    if s.word(that) not in {"that", "which"}:
        return frozenset()
    last = s.skip(that - 1, words.RUN_NOUNS | {"one", "ones"}, -1)
    return next((m.meant for m in reader.runs if m.last == last), frozenset())


def excepted(s: Sentence, reader: Reader) -> frozenset[str]:
    """The runs that the sentence takes out: ``all runs except LR-005``, ``every one but LR-002``."""
    out: set[str] = set()
    for m in reader.runs:
        j = s.skip(m.first - 1, words.ARTICLES | words.RUN_NOUNS, -1)
        pair = (s.word(j - 1), s.word(j))
        aside = s.word(m.last + 1) in {"aside", "excepted", "excluded"}
        if s.word(j) in _EXCEPT or pair in words.EXCEPTING or aside:
            out |= m.meant
    return frozenset(out)
