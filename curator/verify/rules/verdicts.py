"""Judges what a text concludes: a hypothesis that holds or does not, and repetitions that agree or do not.

A hypothesis is read like any other sentence, as if it were a result of its run: what the facts contradict is refuted,
what they bear out is supported, and of what they do not decide nothing may be wrong.
"""

from __future__ import annotations

import re
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.facts import FactKind
from curator.verify.reading.senses import sense_at
from curator.verify.reading.tokens import TokenKind
from curator.verify.report import FindingKind
from curator.verify.rules.outcomes import outcome_at
from curator.verify.rules.parts import HOW
from curator.verify.text import words
from curator.verify.text.inflection import forms
from curator.verify.text.words import Sense

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from curator.verify.known.world import World
    from curator.verify.reading.reader import Reader
    from curator.verify.reading.sentences import Sentence
    from curator.verify.report import Collector
    from curator.verify.rules.parts import Part

AGREE_WITHIN_PERCENT = 2.0
"""Sample standard deviation of repetitions, relative to their mean, up to which they agree."""
_EXPECTED = words.word_set(
    "expected predicted hoped-for promised anticipated hypothesised hypothesized hoped planned foreseen asked thought"
)
_LOOSELY = words.word_set("expected anticipated foreseen planned")
"""``as expected`` is said of what surprises nobody, whatever was put down before."""
_RIGHT = forms("support confirm validate vindicate") | words.word_set(
    """
    holds held hold right correct met meets true verified accepted stands borne exceeded
    seen yes delivered delivers panned works fulfilled reached kept
    """
)
_WRONG = forms("refute reject disprove falsify contradict") | words.word_set(
    """
    wrong incorrect false missed misses fails failed fell falls no
    off broken dead disconfirmed unsupported short
    """
)
_AS_TO = words.word_set("for in on regarding concerning to as")
_AT_A_PRICE = words.pairs("at the, at a, despite the, despite a")
_PARTLY = words.word_set(
    "half partly partially only mostly largely part almost nearly not-yet open undecided unclear would should could nor"
)
_IT = words.word_set("it this that")
_HAVING = forms("have say ask predict claim expect bet")
_BESIDE = 6
"""Tokens between a verb and what was expected as its object."""
_ENDING = re.compile(r"(?<=[a-z]{3})(?:s|es|ed|ing|ling|led)$")
_CLEARLY = 3
"""Words of its own by which the hypothesis of a run that is not named is meant, all the same."""
_BACK = 3
"""Sentences whose words tell which hypothesis is meant."""
_OUTRIGHT = words.word_set("supported confirmed refuted rejected disproved falsified vindicated")
"""Verdicts that need no name for what they are on."""
_SURPASSING = forms("beat exceed surpass meet miss") - {"meeting", "beating"}
"""Verdicts only where what was expected is their object: ``exceeds what we had hoped for``."""
_HOPING = words.word_set("thought hoped expected predicted guessed bet assumed believed wanted feared")
_PASSED = forms("pass succeed")
_ANSWERS = words.word_set("was were did is does wasn't weren't didn't isn't doesn't")
_AGAINST = words.word_set("contrary against unlike despite")
_ALIKE = words.word_set("seeds repetitions replicates repeats seed replications reruns")
_AGREEING = forms("agree coincide") | words.word_set("reproducible consistent close stable")
_POORLY = words.word_set("poorly badly hardly barely")
_DISAGREEING = forms("disagree differ vary diverge") | words.word_set("inconsistent irreproducible unstable")


class Hypotheses:
    """The rule for verdicts on a hypothesis."""

    def __init__(self, world: World, parts: Callable[[str, str], tuple[Part, ...]]) -> None:
        self._world = world
        self._stated = [
            _Stated(f.subject, parts(f.value, f.subject), _telling(f.value))
            for f in world.facts
            if f.kind is FactKind.TEXT and "hypothesis" in f.id and isinstance(f.value, str)
        ]

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:
        for at, right in _verdicts(s) if self._stated and not s.is_question else ():
            self._judge(reader, s, at, right=right, found=found)

    def _judge(self, reader: Reader, s: Sentence, at: int, *, right: bool, found: Collector) -> None:
        found.judged.add(s.tokens[at].start)
        aside = s.word(at) in _EXPECTED and s.word(at - 1) == "as"
        if aside and (s.word(at) in _LOOSELY or not (about := self._claimed(s, at))):
            return
        about = about if aside else _asked(s, at) if right else frozenset()
        truths = {each.truth(about, aside=aside) for each in self._meant(reader, s, at)}
        if truths and None not in truths and right not in truths:
            why = f"the facts {'bear it out' if True in truths else 'contradict it'}"
            found.object_to(FindingKind.STATUS, s.tokens[at], why)

    def _claimed(self, s: Sentence, at: int) -> frozenset[str]:
        """Of which metrics something is said that came "as hoped"; ``HOW`` for how a run ended."""
        low, high = s.clause(at)
        high = next((j for j in range(low, high) if (s.word(j), s.word(j + 1)) in _AT_A_PRICE), high)
        names = {name for j in s.of_kind(TokenKind.METRIC, (low, high)) for name in s.names(j)}
        if names:
            return frozenset(names)
        if any(outcome_at(s, j) for j in range(low, high)):
            return frozenset({HOW})
        senses = {sense_at(s, j) for j in range(low, high)}
        if senses & words.SPEEDS:
            return frozenset(name for name in self._world.metric_names if self._world.speed(name))
        return frozenset({self._world.primary}) if senses & {Sense.BETTER, Sense.WORSE} else frozenset()

    def _meant(self, reader: Reader, s: Sentence, at: int) -> Iterable[_Stated]:
        """The hypotheses that may be meant: those of the runs in question, by their words, else any."""
        mine = self._stated
        rank = next((words.ORDINALS[w] for w in map(s.word, (at - 3, at - 2, at - 1)) if w in words.ORDINALS), 0)
        if 0 < rank <= len(self._stated) and "hypothesis" in s.words:
            return self._stated[rank - 1 : rank]
        low, high = s.clause(at)
        beside = frozenset(run for m in reader.runs if low <= m.first < high for run in m.meant)
        called = next((m.meant for m in reader.runs if m.last < at and _is_called(s, m.last, at)), frozenset[str]())
        for runs in (called, beside, reader.subjects(at).surest, reader.named, s.context.topics, reader.named_before):
            if meant := [each for each in self._stated if each.run in runs]:
                mine = meant
                break
        said, sentence = set[str](), s
        for _ in range(_BACK):
            said |= _telling(" ".join(token.text for token in sentence.tokens))
            if sentence.previous is None:
                break
            sentence = sentence.previous
        score = {each: len(each.words & said) for each in self._stated}
        best = max(score[each] for each in mine)
        if max(score.values()) >= best + _CLEARLY:  # by its words it is that of another run
            mine, best = self._stated, max(score.values())
        return [each for each in mine if score[each] == best]


def _is_called(s: Sentence, run: int, at: int) -> bool:
    """Whether a verdict stands right behind a run: ``LR-002 supported, LR-003 refuted``."""
    return all(s.word(j) in words.BE | {":", "(", "->", "\u2192"} for j in range(run + 1, at))


@dataclass(frozen=True)
class _Stated:
    """A hypothesis of the facts."""

    run: str
    parts: tuple[Part, ...]
    words: frozenset[str]

    def truth(self, about: frozenset[str], *, aside: bool) -> bool | None:
        """Whether it is right, by its parts.

        Args:
            about: the metrics that are in question; none where all of it is.
            aside: something came "as hoped": of each metric in question it is enough that one part did.
        """
        mine = [part.truth for part in self.parts if part.names & about]
        if aside:
            each = [{part.truth for part in self.parts if name in part.names} for name in about]
            return False if {False} in each else None
        parts = mine or [part.truth for part in self.parts]
        if False in parts:
            return False
        return None if None in parts or not parts else True


def _asked(s: Sentence, at: int) -> frozenset[str]:
    """The metrics that a verdict names: ``the hypothesis held for the loss``, ``the guess that the loss falls``."""
    low, high = s.clause(at)
    that = next((j for j in range(low, high) if s.word(j) == "that" and s.word(j - 1) in words.EXPECTATIONS), None)
    end = at if that is not None and that < at else high
    told = range(that, end) if that is not None else ()
    places = (j for j in s.of_kind(TokenKind.METRIC, (low, high)) if j in told or _is_restricted(s, j, low, at))
    return frozenset(name for j in places for name in s.names(j))


def _is_restricted(s: Sentence, j: int, low: int, at: int) -> bool:
    before = s.skip(j - 1, words.ARTICLES, -1)
    return s.word(before) in _AS_TO and (before > at or before <= low + 1)


def _telling(text: str) -> frozenset[str]:
    """The words of a text that say what it is about."""
    found = re.findall(r"[a-z]{2,}\d*|[a-z]\d+|\d+(?:\.\d+)?", text.lower().replace(",", ""))
    return frozenset(_ENDING.sub("", word) for word in found if word not in words.FOLLOWERS)


def _verdicts(s: Sentence) -> Iterator[tuple[int, bool]]:
    """Where verdicts on hypotheses stand, and whether they say that these are right."""
    said = [i for i in range(len(s.tokens)) if _is_expectation(s, i)]
    said += [i for i in range(2, len(s.tokens)) if said and said[0] < i and _is_own(s, i)]
    inside = (_verdict(s, i, s.clause(i)) for i in said)
    found = list(dict.fromkeys(each for each in inside if each))
    if not found:
        whole = _verdict(s, said[0], (0, len(s.tokens))) if said else _on_it(s) or _on_a_run(s) or _answer(s)
        found = [whole] if whole else []
    yield from found
    if found and (elided := _elided(s, found[-1][0])):
        yield elided[0], found[-1][1] is elided[1]


def _is_own(s: Sentence, i: int) -> bool:
    """``and the other missed its own``: what was expected of the other."""
    return s.word(i) == "own" and s.word(i - 1) in {"its", "their"} and s.word(i + 1) in words.ENDINGS


def _elided(s: Sentence, at: int) -> tuple[int, bool] | None:
    """``the first guess held up; the other did, too``: a verdict in a later clause, and whether it is the same."""
    _, high = s.clause(at)
    for i in range(high, len(s.tokens)):
        if s.word(i) in _ANSWERS and s.word(s.skip(i + 1, frozenset({",", "not"}))) in words.ENDINGS | {"too", "as"}:
            return i, not (s.word(i).endswith("n't") or s.word(i + 1) == "not")
    return None


def _answer(s: Sentence) -> tuple[int, bool] | None:
    """``We had thought that it would be free. It wasn't``."""
    before = s.previous
    if before is None or s.word(0) not in {"it", "that", "this", "they"}:
        return None
    if not before.words & _HOPING or s.word(1) not in _ANSWERS:
        return None
    denied = s.word(1).endswith("n't") or s.word(2) == "not"
    return (1, not denied) if s.word(s.skip(2, frozenset({"not"}))) in words.ENDINGS else None


def _verdict(s: Sentence, said: int, within: tuple[int, int]) -> tuple[int, bool] | None:
    """The verdict on what was expected at ``said``."""
    if s.context.hypothetical and not s.context.field.startswith("hyp"):
        return None
    if s.word(said) in _EXPECTED and s.word(said - 1) in {"as", "than"}:  # "as predicted"
        return (said, True) if s.word(said - 1) == "as" and not s.negated(said) else None
    if _AGAINST & {s.word(said - n) for n in (1, 2, 3)}:
        return said, False
    counted = s.numeral(said - 1)
    if counted is not None and counted.whole and counted.value != 1:
        return None  # "of the four hypotheses, two are supported"
    low, high = s.clause(said)
    places = [i for i in (*range(said + 1, within[1]), *range(said - 1, within[0] - 1, -1)) if s.is_word(i)]
    surpassing = [i for i in places if s.word(i) in _SURPASSING and 0 < said - i <= _BESIDE]
    possible = [i for i in places if s.word(i) in _RIGHT | _WRONG and not _is_other(s, i)]
    outright = [i for i in possible if s.word(i) in _OUTRIGHT]
    at = next(iter([*outright, *surpassing, *possible]), None)
    if at is None:
        return None
    # "the hypothesis that it would match it is refuted": what it says itself is no doubt about it
    spoken = range(at - 2, at + 2) if s.word(said + 1) == "that" else range(min(low, at), max(high, at + 2))
    if any(s.word(i) in _PARTLY for i in spoken):
        return None
    good = s.word(at) in _RIGHT or (at in surpassing and not s.word(at).startswith("miss"))
    return at, good is not s.negated(at)


def _is_other(s: Sentence, i: int) -> bool:
    """Whether a word that may be a verdict is none here: ``failed to``, ``no gain``, ``fell to``, ``reached 2.3``."""
    word, after = s.word(i), s.word(i + 1)
    if word in words.FAILED_TO and after == "to":
        return True
    if word in {"fell", "falls", "short"}:
        return word == "short" or after != "short"
    if word in {"no", "yes", "off", "works"}:
        return after not in words.ENDINGS | {"(", "on"}
    if word in {"reached", "kept", "held", "hold", "holds"} and word != "holds":
        return after not in words.ENDINGS | {"(", "up", "in", "for", "true"}
    return False


def _on_it(s: Sentence) -> tuple[int, bool] | None:
    """``The mesh hypothesis was about T2M. It failed``: a verdict on what the sentence before is about."""
    before = s.previous
    if before is None or s.word(0) not in _IT or s.hedged(1):
        return None
    verb = next((j for j in range(len(before.tokens)) if before.word(j) in words.BE | _HAVING), len(before.tokens))
    heads = [j for j in range(verb) if _is_expectation(before, j)]
    told = (j for j in range(1, 4) if s.word(j) in _RIGHT | _WRONG | _PASSED and s.is_word(j) and not _is_other(s, j))
    at = next(told, None)
    if not heads or at is None or s.words & _PARTLY:
        return None
    return at, (s.word(at) not in _WRONG) is not s.negated(at)


def _on_a_run(s: Sentence) -> tuple[int, bool] | None:
    """``we were wrong about int4``, ``it did what it promised``, ``the prediction came true``."""
    for i in range(len(s.tokens)):
        if s.word(i) in _OUTRIGHT and s.is_word(i) and s.word(i + 1) in words.ENDINGS:
            return None if s.hedged(i) else (i, (s.word(i) in _RIGHT) is not s.negated(i))
        if s.word(i) in {"right", "wrong"} and s.word(i + 1) == "about":
            return i, (s.word(i) == "right") is not s.negated(i)
        asked = {"promised", "asked", "wanted", "expected", "hoped", "supposed"} & {s.word(i + n) for n in range(1, 6)}
        if s.word(i) in {"did", "does", "do"} and "what" in {s.word(i + 1), s.word(i + 2)} and asked:
            return i, not ("not" in {s.word(i + 1), s.word(i - 1)} or s.negated(i))
    return None


def _is_expectation(s: Sentence, i: int) -> bool:
    """``the hypothesis``, ``the expected gain``, ``as predicted``."""
    if s.word(i) in _EXPECTED and "what" in {s.word(i - n) for n in (1, 2, 3, 4)}:
        return True  # "what we had expected"
    if s.word(i) in _EXPECTED and (s.word(i - 1) in {"as", "we", "i"} or s.word(i - 2) in _AGAINST):
        return s.word(i - 1) == "as" or (s.word(i - 2) in {"as", "what"})
    expected = s.word(i) in _EXPECTED and s.word(i + 1) in words.DIFFERENCES | {"effect", "result", "outcome"}
    stated = s.word(i) in words.EXPECTATIONS and s.word(i - 1) != "a"  # "likely cause, a hypothesis: the code met ..."
    return stated or (expected and s.word(i - 1) in {"the", "our", "its"})


class Agreement:
    """The rule for what is said of repetitions: ``the seeds agree``, ``stable across seeds``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def check(self, reader: Reader, s: Sentence, found: Collector) -> None:
        for i, token in enumerate(s.tokens):
            told = s.word(i) in _AGREEING, s.word(i) in _DISAGREEING
            amount = s.word(i + 1) == "by"  # "differ by 0.6 points" may still be close
            plain = token.kind is TokenKind.WORD and any(told) and not amount
            if plain and self._is_of_repeats(s, i) and not s.hedged(i):
                poorly = bool({s.word(i - 1), s.word(i + 1)} & _POORLY)
                agree = (told[0] is not s.negated(i)) is not poorly
                self._judge(reader, s, i, agree=agree, found=found)

    @staticmethod
    def _is_of_repeats(s: Sentence, i: int) -> bool:
        """Whether seeds or the like are its subject, or what it holds across."""
        before = any(_names_repeats(s, j) for j in range(max(0, i - 8), i))
        across = s.word(i + 1) in {"across", "over", "between", "among"} and any(
            s.word(j) in _ALIKE for j in range(i + 2, i + 7)
        )
        return before or across

    def _judge(self, reader: Reader, s: Sentence, i: int, *, agree: bool, found: Collector) -> None:
        names = reader.metrics.of(i).surest or frozenset({self._world.primary} - {""})
        runs = reader.named or s.context.topics or self._world.all_runs
        spreads = [
            spread
            for name in names
            for group in self._groups(runs)
            if (spread := self._spread(group, name)) is not None
        ]
        if not spreads:
            return
        near = [spread <= AGREE_WITHIN_PERCENT for spread in spreads]
        if agree not in near:
            token = s.tokens[i]
            found.judged.add(token.start)
            found.object_to(FindingKind.STATUS, token, f"they lie {min(spreads):.1f} % apart")

    def _groups(self, runs: frozenset[str]) -> set[frozenset[str]]:
        return {group for run in runs if len(group := self._world.repeats(run)) > 1}

    def _spread(self, group: frozenset[str], name: str) -> float | None:
        values = [self._world.values[run, name].value for run in group if (run, name) in self._world.values]
        if len(values) < 2 or not (mean := statistics.fmean(values)):
            return None
        return 100 * statistics.stdev(values) / abs(mean)


def _names_repeats(s: Sentence, j: int) -> bool:
    """``the seeds``; a setting that is called ``seed`` is none of them."""
    return s.word(j) in _ALIKE and (s.tokens[j].kind is TokenKind.WORD or s.word(j) == "seeds")
