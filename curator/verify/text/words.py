"""The words that carry claims, and those that only hold a sentence together.

Lists and their inflections only. Knows no fact and no word order.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from curator.verify.text.inflection import forms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Sense(StrEnum):
    """What a word says of two values."""

    UP = "up"
    DOWN = "down"
    BETTER = "better"
    WORSE = "worse"
    FASTER = "faster"
    SLOWER = "slower"
    SAME = "same"
    OTHER = "other"


SPEEDS = frozenset({Sense.FASTER, Sense.SLOWER})
SIZES = frozenset({Sense.UP, Sense.DOWN})
ALIKE = frozenset({Sense.SAME, Sense.OTHER})


def word_set(words: str) -> frozenset[str]:
    """The words of a text, which reads better than a list of strings."""
    return frozenset(words.split())


def pairs(text: str) -> frozenset[tuple[str, str]]:
    """Two-word phrases, separated by commas."""
    split = (pair.split() for pair in text.split(","))
    return frozenset((first, second) for first, second in split)


# -- verbs --------------------------------------------------------------------------------------------------------


def _senses(words: Mapping[Sense, Iterable[str]]) -> dict[str, Sense]:
    return {word: sense for sense, group in words.items() for word in group}


MOVES = _senses(
    {
        Sense.UP: forms("rise climb grow jump soar creep surge mount swell balloon spike"),
        Sense.DOWN: forms("fall drop decline shrink sink dip slip collapse plunge plummet tumble crater slide"),
        Sense.WORSE: forms("suffer deteriorate backfire"),
        Sense.OTHER: forms("budge alter vary") | word_set("changes changed changing affected"),
    }
)
"""Verbs whose subject is what moved."""

CAUSES = _senses(
    {
        Sense.UP: forms("increase raise boost lift inflate lengthen"),
        Sense.DOWN: forms("decrease reduce lower cut trim shave shorten"),
        Sense.BETTER: forms("improve gain save recover help benefit"),
        Sense.WORSE: forms("cost lose regress degrade worsen hurt harm sacrifice wreck ruin damage impair"),
        Sense.FASTER: forms("accelerate speed"),
        Sense.SLOWER: forms("slow"),
    }
)
"""Verbs that may have what moved behind them or before them."""

CONTESTS = _senses(
    {
        Sense.UP: forms("exceed"),
        Sense.DOWN: forms("undercut"),
        Sense.BETTER: forms("beat outperform surpass top win outdo lead overtake"),
        Sense.WORSE: forms("trail underperform lag"),
        Sense.SAME: forms("match equal tie"),
    }
)
"""Verbs between two runs: the first is better than the second."""

KEEPING = forms("keep retain preserve maintain")
"""Verbs whose object is as good as before, or as another run's."""
_LOST_OR_WON = forms("lose win")


def is_contest(word: str, after: str) -> bool:
    """Whether a verb sets its subject against another run: ``beats``, ``loses to``."""
    return word in CONTESTS or (word in _LOST_OR_WON and after in {"to", "against", "out"})


PRICES = forms("add cost save gain lose pay buy sacrifice win recover")
"""Verbs that are a claim only with an amount."""

# -- adjectives, nouns, adverbs -----------------------------------------------------------------------------------

ADJECTIVES = _senses(
    {
        Sense.UP: word_set("higher larger greater bigger more longer heavier dearer pricier"),
        Sense.DOWN: word_set("lower smaller less fewer shorter lighter cheaper"),
        Sense.BETTER: word_set("better superior stronger beneficial"),
        Sense.WORSE: word_set("worse inferior poorer weaker harmful detrimental"),
        Sense.FASTER: word_set("faster quicker speedier"),
        Sense.SLOWER: word_set("slower"),
        Sense.SAME: word_set(
            "unchanged identical same indistinguishable equal constant unaffected untouched unharmed intact par"
        ),
    }
)
LIKE = word_set("par")
"""Of those the words that set two runs side by side and allow for a small difference: ``on par with``."""

GRADES = _senses(
    {
        Sense.UP: word_set("high large big much many long often frequently expensive costly heavy"),
        Sense.DOWN: word_set("low small little few short rarely seldom cheap cheaply"),
        Sense.BETTER: word_set("good well accurate accurately precise effective reliable successful"),
        Sense.WORSE: word_set("bad badly poor poorly harmful"),
        Sense.FASTER: word_set("fast quick quickly swiftly rapidly"),
        Sense.SLOWER: word_set("slow slowly"),
    }
)
"""Adjectives and adverbs in their first degree: ``as fast as``, ``more slowly than``, ``the least accurate``."""

NOUNS = _senses(
    {
        Sense.UP: word_set("increase increases rise growth"),
        Sense.DOWN: word_set("decrease decreases reduction reductions drop drops fall decline"),
        Sense.BETTER: word_set("improvement improvements gain gains win"),
        Sense.WORSE: word_set("regression regressions degradation"),
        Sense.FASTER: word_set("speedup speedups speed-up speed-ups"),
        Sense.SLOWER: word_set("slowdown slowdowns slow-down"),
    }
)

PLACES = _senses(
    {
        Sense.UP: word_set("above over up"),
        Sense.DOWN: word_set("below under beneath down"),
        Sense.BETTER: word_set("ahead"),
        Sense.WORSE: word_set("behind"),
    }
)
"""Prepositions and particles that set one value against another."""
PARTICLE_VERBS = forms("add blow break catch end hold keep line make pick set show shut split sum turn use warm wind")
"""Verbs with which "up" and "down" say of no direction: ``blew up``, ``broke down``."""

SENSES: dict[str, Sense] = {**NOUNS, **MOVES, **CAUSES, **CONTESTS, **ADJECTIVES}

_STRETCHED = word_set("deeper wider stronger additional extra higher larger greater bigger more longer heavier")
_SQUEEZED = word_set("shallower narrower weaker finer lower smaller less fewer shorter lighter")
RESIZED = _senses(
    {
        Sense.UP: _STRETCHED | forms("increase raise grow enlarge widen deepen lengthen double triple quadruple rise"),
        Sense.DOWN: _SQUEEZED | forms("decrease reduce lower cut shrink shorten halve narrow fall drop"),
    }
)
"""Words that say which way a setting is moved."""

ENDINGS = frozenset({"", ".", ",", ";", ":", ")"})
"""What stands behind the last word of a statement."""

OPPOSITE = {
    Sense.UP: Sense.DOWN,
    Sense.DOWN: Sense.UP,
    Sense.BETTER: Sense.WORSE,
    Sense.WORSE: Sense.BETTER,
    Sense.FASTER: Sense.SLOWER,
    Sense.SLOWER: Sense.FASTER,
    Sense.SAME: Sense.OTHER,
    Sense.OTHER: Sense.SAME,
}

SUPERLATIVES = _senses(
    {
        Sense.UP: word_set("highest largest greatest biggest most longest maximum maximal heaviest hungriest"),
        Sense.DOWN: word_set("lowest smallest least fewest shortest minimum minimal lightest leanest"),
        Sense.BETTER: word_set("best strongest"),
        Sense.WORSE: word_set("worst weakest poorest"),
        Sense.FASTER: word_set("fastest quickest"),
        Sense.SLOWER: word_set("slowest"),
    }
)

ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "1st": 1, "2nd": 2, "3rd": 3}
RANKS = {"second": 2, "next": 2, "third": 3, "2nd": 2, "3rd": 3}
"""Words before a superlative that make it less than the first."""

DIFFERENCES = word_set(
    """
    difference differences delta deltas gap margin improvement improvements reduction reductions increase increases
    decrease drop gain gains loss losses change regression shift rise fall decline speedup slowdown advantage lead
    deficit cost saving savings overhead speed-up slow-down jump hit win price growth swing spread gaps
    speedups speed-ups
    """
)
"""Nouns for what lies between two values."""

# -- how a sentence means it --------------------------------------------------------------------------------------

NEGATIONS = word_set(
    """
    not no never neither nor without cannot can't didn't doesn't don't isn't wasn't weren't aren't hasn't haven't
    won't couldn't wouldn't hardly none nothing nobody nowhere
    """
)

FAILED_TO = word_set("failed fails failing fail unable failure")
"""Negations only before "to"."""

DEGREES = word_set(
    """
    significantly meaningfully substantially noticeably materially measurably clearly much consistently reliably
    further considerably markedly statistically appreciably uniformly always necessarily exactly quite fully entirely
    nearly linearly even yet that so as measurable meaningful significant visible noticeable real clear
    """
)
"""Adverbs that a "not" before them denies instead of the verb."""

HEDGES = word_set(
    """
    may might could should would if whether unless expect expects expected expecting hope hopes hoped hopefully
    perhaps maybe possibly plan planned plans try hypothesis hypothesise hypothesize hypothesized assume assuming
    suppose predicted predict predicts prediction suspect suspected can will shall must let let's consider propose
    proposed goal target aim aims aimed intended ought todo question predicting wanted want wants asked asks
    next supposed suggest suggests suggesting wonder unclear unknown promise promised promises until till before
    """
)
"""What stands near them is only thought of."""

EXPECTATIONS = word_set(
    """
    hypothesis hypotheses hyp prediction predictions expectation expectations criterion claim conjecture guess bet hunch
    goal target assumption theory premise promise bar
    """
)
"""Nouns for what somebody expected."""

APPROXIMATE = word_set(
    "about around roughly approximately approx approx. circa ca ca. some ~ \u2248 nearly almost close"
)

ARTICLES = word_set(
    "the a an its their this that these those our both all same such any each every overall mean final average my"
)

ABBREVIATIONS = word_set("approx ca no fig eq sec resp avg max min acc temp coef param params vs")
"""What a full stop ends without ending the sentence, before a number."""

GENERAL = word_set(
    "total average end start most first last rest time course return example now once free good nothing everything"
)
"""Nouns that name no variant."""

DETERMINERS = word_set("no any some other remaining single finished completed successful our each every all both new")

DEMONSTRATIVES = word_set("the this that")

BE = word_set("is was are were be been being")

LINKS = word_set(
    """
    of is was were are be been being to at by from for with in on the a an and or but as than that which who its it
    their this these those has have had having reached reaches reaching reach hit hits hitting got gets getting ended
    ends ending stood stands scored scores achieved achieves achieving gave gives giving landed lands came comes went
    goes took takes taking stayed stays remained remains about around roughly approximately only just still now then
    also again finally nearly almost over under above below up down vs vs. versus against while whereas both each all
    per via using used when where so thus hence even exactly compared relative between within after before until
    finished finishing finish completed averaged averages averaging measured recorded showed shows show reports
    reported saw sees mean equals equal approx approx. ca circa some yields yielded yielding produced produces delivers
    delivered attained attains obtained obtains settled settles converged bottomed peaked peaks posts posted logged
    logs value values among i we you they he she sits sat ran runs respectively there here not no final sustained
    sustains manages managed needs needed need uses use touched touches serves served processes processed barely
    """
)
"""Words that may stand between a thing and its number without being a thing themselves."""

CAUTIONS = word_set("significant significantly notable notably")

# -- comparing ----------------------------------------------------------------------------------------------------

COMPARE_BEFORE = word_set("as than vs vs. versus against unlike beyond over")
"""What stands behind them is what something is compared with."""

COMPARE_PAIRS = pairs(
    """
    ahead of, away from, changed from, close to, compared to, compared with, comparing to, comparison to,
    comparison with, different from, differs from, down from, drop from, equal to, gain on, identical to, improve on,
    improve upon, improved on, improved upon, improvement on, improvement to, improves on, improves upon, improving on,
    improving upon, increase from, inferior to, instead of, loses to, lost to, matched by, next to, on par, rather than,
    regression on, relative to, respect to, short of, similar to, superior to, unchanged from, up from, compares with,
    top of, par with, compare with, compare to, behind of, comparable with, comparable to, tied with, parity with
    """
)

EXCEPTING = pairs("other than, apart from, except for, aside from, all but, one but, run but, runs but")
"""What stands behind them is taken out."""

COMPARE_PLACES = word_set("above below under behind beneath")
VERSUS = word_set("vs vs. versus against")
ARROWS = frozenset({"\u2192", "\u21d2", "->"})

# -- how runs end -------------------------------------------------------------------------------------------------

ENDED_WELL = forms("succeed complete finish pass survive converge") | word_set(
    "successful successfully ok fine healthy cleanly"
)
ENDED_BADLY = forms("fail crash die abort oom") | word_set("killed broken unsuccessful crashed errored")
STATUS_WORDS = {
    **dict.fromkeys(ENDED_WELL, "succeeded"),
    **dict.fromkeys(ENDED_BADLY, "failed"),
    **dict.fromkeys(forms("diverge explode collapse") | word_set("divergent divergence"), "diverged"),
    **dict.fromkeys(forms("converge"), "converged"),
    "preempted": "preempted",
    "pre-empted": "preempted",
    **dict.fromkeys(("cancelled", "canceled"), "cancelled"),
    "cached": "cached",
    "lost": "lost",
    **dict.fromkeys(forms("fit"), "fits"),
    "oom": "memory",
    "ooms": "memory",
    "oomed": "memory",
    "nan": "diverged",
}
"""Words that say how a run ended, and the status they say."""

ENDED_ADJECTIVES = word_set("failed crashed lost cancelled canceled preempted")
"""By which a run is called: ``the lost one``."""

CONFIDENCE = word_set("exploratory replicated stable")

# -- things that are counted --------------------------------------------------------------------------------------

RUN_NOUNS = word_set(
    """
    run runs variant variants config configs configuration configurations setting settings experiment experiments
    trial trials replicate replicates arm arms model models candidate candidates launch launches job jobs point points
    """
) - {"point", "points"}

COUNTED = word_set(
    """
    seed seeds device devices chip chips gpu gpus tpu tpus host hosts node nodes attempt attempts process processes
    worker workers epoch epochs step steps layer layers token tokens parameter parameters param params failure
    failures preemption preemptions retry retries restart restarts checkpoint checkpoints metric metrics core cores
    slice slices rate rates value values axis axes head heads expert experts batch batches shard shards sample samples
    example examples warning warnings error errors event events file files task tasks machine machines accelerator
    accelerators day days item items client clients request requests document documents
    """
)

REPETITIONS = word_set("seed repetition repeat replicate replication rerun trial sibling twin")
"""What a run that repeats another is called."""

NUMBERED = word_set(
    """
    phase gate table figure fig section part stage option chapter appendix item note footnote round version milestone
    week priority tier level track hypothesis method approach question point step line rank shard worker page
    """
)
"""Nouns whose number is a name: ``phase 2``."""

FOLLOWERS = LINKS | word_set(
    """
    better worse lower higher faster slower more less fewer larger smaller greater shorter longer improvement
    reduction increase decrease drop gain regression difference gap margin delta change speedup slowdown because since
    though although however if then too overall together again respectively total apart away off behind ahead out onto
    into across during throughout without despite beating below above beyond relative absolute instead either
    besides anyway altogether nonetheless nevertheless moreover furthermore regardless everywhere alike elsewhere
    afterwards eventually therefore unfortunately though nor
    """
)
"""Words that may follow a number without being what it counts."""

HYPOTHETICAL_FIELDS = (
    "hypothesis", "hypotheses", "question", "next", "plan", "todo", "to do", "expectation", "expected", "goal", "goals",
    "scope", "stop", "motivation", "risk", "idea", "follow-up", "proposal", "open question", "objective", "constraint",
)  # fmt: skip
"""Labels under which nothing is claimed."""
