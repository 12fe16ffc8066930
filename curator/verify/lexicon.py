"""The words that carry claims and the words that do not: directions, verdicts, hedges, negations, links between words.

Lists only. Knows no fact and no grammar.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Sense(StrEnum):
    """What a word says of two values."""

    UP = "up"
    DOWN = "down"
    BETTER = "better"
    WORSE = "worse"
    FASTER = "faster"
    SLOWER = "slower"
    SAME = "same"


def word_set(words: str) -> frozenset[str]:
    """The words of a text, which reads better than a list of strings."""
    return frozenset(words.split())


def _pairs(text: str) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(pair.split()) for pair in text.split(","))


def _senses(words: Mapping[Sense, str]) -> dict[str, Sense]:
    return {word: sense for sense, text in words.items() for word in text.split()}


ADJECTIVES = _senses(
    {
        Sense.UP: """
            higher larger greater bigger more longer
        """,
        Sense.DOWN: """
            lower smaller less fewer shorter
        """,
        Sense.BETTER: """
            better superior stronger
        """,
        Sense.WORSE: """
            worse inferior poorer weaker
        """,
        Sense.FASTER: """
            faster quicker
        """,
        Sense.SLOWER: """
            slower
        """,
        Sense.SAME: """
            unchanged identical same indistinguishable
        """,
    }
)

NOUNS = _senses(
    {
        Sense.UP: """
            increase increases rise growth
        """,
        Sense.DOWN: """
            decrease decreases reduction reductions drop fall decline
        """,
        Sense.BETTER: """
            improvement improvements gain gains win
        """,
        Sense.WORSE: """
            regression regressions degradation
        """,
        Sense.FASTER: """
            speedup speed-up
        """,
        Sense.SLOWER: """
            slowdown slow-down
        """,
    }
)

INTRANSITIVE = _senses(
    {
        Sense.UP: """
            rose rises rising rise risen climbed climbs climbing grew grows growing grown jumped soared
        """,
        Sense.DOWN: """
            fell falls falling fallen dropped drops dropping declined declines declining shrank shrinks shrunk sank
            sinks
        """,
    }
)
"""Verbs whose subject is what moved."""

TRANSITIVE = _senses(
    {
        Sense.UP: """
            adds added increased increases increasing increase raised raises raising raise boosted boosts boosting
            boost
        """,
        Sense.DOWN: """
            decreased decreases decreasing decrease reduced reduces reducing reduce lowered lowers lowering lower cut
            cuts cutting
        """,
        Sense.BETTER: """
            improved improves improving improve gained gains saves saved
        """,
        Sense.WORSE: """
            costs cost costing loses regressed regresses regressing regress degraded degrades degrading degrade
            worsened worsens worsening worsen hurt hurts hurting harmed harms
        """,
        Sense.FASTER: """
            accelerated accelerates sped
        """,
        Sense.SLOWER: """
            slowed slows
        """,
    }
)
"""Verbs that may have what moved behind them or before them."""

PRICES = word_set(
    """
    adds added costs cost costing saves saved gains gained loses lost
    """
)
"""Verbs that are a claim only with an amount."""

CONTESTS = _senses(
    {
        Sense.UP: """
            exceeds exceeded exceeding exceed tops topped
        """,
        Sense.DOWN: """
            undercuts undercut
        """,
        Sense.BETTER: """
            beats beat beating outperforms outperformed outperforming outperform surpasses surpassed surpassing
            surpass wins won bests bested outdid outdoes leads led
        """,
        Sense.WORSE: """
            trail trails trailed trailing underperforms underperformed underperforming underperform lags lagged
        """,
        Sense.SAME: """
            match matches matched equals equalled equaled ties tied
        """,
    }
)
"""Verbs between two runs: the first is better than the second."""

PLACES = _senses(
    {
        Sense.UP: """
            above over up
        """,
        Sense.DOWN: """
            below under beneath down
        """,
        Sense.BETTER: """
            ahead
        """,
        Sense.WORSE: """
            behind
        """,
    }
)
"""Prepositions and particles that set one value against another."""

SENSES: dict[str, Sense] = {**NOUNS, **INTRANSITIVE, **TRANSITIVE, **CONTESTS, **ADJECTIVES}

SUPERLATIVES = _senses(
    {
        Sense.UP: """
            highest largest greatest biggest most longest maximum
        """,
        Sense.DOWN: """
            lowest smallest least fewest shortest minimum
        """,
        Sense.BETTER: """
            best strongest top
        """,
        Sense.WORSE: """
            worst weakest poorest
        """,
        Sense.FASTER: """
            fastest quickest
        """,
        Sense.SLOWER: """
            slowest
        """,
    }
)

RANKS = {"second": 2, "next": 2, "third": 3, "2nd": 2, "3rd": 3}
"""Words before a superlative that make it less than the first."""

NOT_SUPERLATIVE_AFTER = word_set(
    """
    at do does did its their try tried our very previous former prior old
    """
)

NOT_SUPERLATIVE_BEFORE = word_set(
    """
    practice practices effort efforts guess checkpoint case known likely recent way part thing of-breed fit match
    option explanation available next idea importantly
    """
)

NEGATIONS = word_set(
    """
    not no never neither nor without cannot can't didn't doesn't don't isn't wasn't weren't aren't hasn't haven't
    won't hardly barely none nothing nobody failed fails failing unable
    """
)

FAILED_TO = word_set(
    """
    failed fails failing unable
    """
)
"""Negations only before "to"."""

SOFTENERS = word_set(
    """
    significantly meaningfully substantially noticeably materially measurably clearly much consistently reliably
    further considerably markedly statistically appreciably uniformly always necessarily
    """
)
"""Adverbs that a "not" before them denies instead of the verb."""

HEDGES = word_set(
    """
    may might could should would if whether unless expect expects expected expecting hope hoped hopefully perhaps
    maybe possibly plan planned plans try test tests hypothesis hypothesise hypothesize hypothesized assume assuming
    suppose predicted predict predicts suspect suspected can will shall must let let's consider propose proposed goal
    target aim aims aimed intended ought todo question predicting wanted want wants asked asks needs need
    """
)
"""What stands near them is only thought of."""

HYPOTHETICAL_FIELDS = tuple(
    """
    hypothesis, question, next, plan, todo, to do, expectation, expected, goal, goals, scope, stop, motivation, risk,
    idea, follow-up, proposal, open question, objective, constraint
    """.strip()
    .replace("\n    ", " ")
    .split(", ")
)
"""Labels under which nothing is claimed."""

COMPARE_BEFORE = word_set(
    """
    as than vs vs. versus against over unlike beyond
    """
)
"""What stands behind them is what something is compared with."""

COMPARE_PAIRS = _pairs(
    """
    ahead of, away from, changed from, close to, compared to, compared with, comparing to, comparison to,
    comparison with, different from, differs from, down from, drop from, equal to, gain on, identical to, improve on,
    improve upon, improved on, improved upon, improvement on, improvement to, improves on, improves upon, improving on,
    improving upon, increase from, inferior to, instead of, loses to, lost to, matched by, next to, on par, rather than,
    regression on, relative to, respect to, short of, similar to, superior to, unchanged from, up from
    """
)

COMPARE_PLACES = word_set(
    """
    above below under behind beneath
    """
)

APPROXIMATE = word_set(
    """
    about around roughly approximately approx approx. circa ca ca. some ~ \u2248 nearly almost
    """
)

OVER = word_set(
    """
    over above exceeds exceeded exceeding exceed > \u2265 beyond surpassed surpasses passed tops topped past
    """
)

UNDER = word_set(
    """
    under below < \u2264 beneath nearly almost
    """
)

RUN_NOUNS = word_set(
    """
    run runs variant variants config configs configuration configurations setting settings experiment experiments
    trial trials replicate replicates arm arms model models candidate candidates launch launches job jobs
    """
)

COUNT_NOUNS = RUN_NOUNS | word_set(
    """
    seed seeds device devices chip chips gpu gpus tpu tpus host hosts node nodes attempt attempts process processes
    worker workers epoch epochs step steps layer layers token tokens parameter parameters param params failure
    failures preemption preemptions retry retries restart restarts checkpoint checkpoints metric metrics core cores
    slice slices rate rates value values axis axes head heads expert experts batch batches shard shards sample samples
    example examples warning warnings error errors event events file files task tasks machine machines accelerator
    accelerators day days
    """
)

LABEL_NOUNS = word_set(
    """
    phase gate table figure fig section part stage option chapter appendix item note footnote round version milestone
    week priority tier level track axis hypothesis method approach question point
    """
)
"""Nouns whose number is a name: ``phase 2``."""

LINKS = word_set(
    """
    of is was were are be been being to at by from for with in on the a an and or but as than that which who its it
    their this these those has have had having reached reaches reaching hit hits hitting got gets getting ended ends
    ending stood stands scored scores achieved achieves achieving gave gives giving landed lands came comes went goes
    took takes taking stayed stays remained remains about around roughly approximately only just still now then also
    again finally nearly almost over under above below up down vs vs. versus against while whereas both each all per
    via using used when where so thus hence even exactly compared relative between within after before until finished
    finishing completed averaged averages averaging measured recorded showed shows show reports reported saw sees mean
    equals equal approx approx. ca circa some yields yielded yielding produced produces delivers delivered attained
    attains obtained obtains settled settles converged bottomed peaked peaks posts posted logged logs value values
    among lost loses we i you they he she sits sat improved improves improving improve ran runs respectively there
    here not no final
    """
)
"""Words that may stand between a thing and its number without being a thing themselves."""

FOLLOWERS = LINKS | word_set(
    """
    better worse lower higher faster slower more less fewer larger smaller greater shorter longer improvement
    reduction increase decrease drop gain regression difference gap margin delta change speedup slowdown because since
    though although however if then too overall together again respectively total apart away off behind ahead out onto
    into across during throughout without despite beating below above beyond relative
    """
)
"""Words that may follow a number without being what it counts."""

DIFFERENCE_NOUNS = word_set(
    """
    difference differences delta deltas gap margin improvement improvements reduction reductions increase decrease
    drop gain gains loss losses change regression shift rise fall decline speedup slowdown advantage lead deficit
    penalty cost saving savings overhead
    """
)

ARTICLES = word_set(
    """
    the a an its their this that these those our both all same such any each every overall mean final average
    """
)

PRONOUN_STARTS = word_set(
    """
    it its this that the
    """
)

VALUE_BEFORE = word_set(
    """
    to at reached reaches reaching hit hits scored scores achieved achieves achieving attained was is were stands
    stood ended averaged averages equals from
    """
)

STATUS_WORDS = {
    word: status
    for status, words in {
        "succeeded": "succeeded succeeds completed successful successfully finished passed",
        "failed": "failed fails crashed crashes died errored aborted",
        "diverged": "diverged diverges diverging exploded divergent divergence",
        "converged": "converged converges",
        "preempted": "preempted",
        "cancelled": "cancelled canceled",
        "cached": "cached",
        "lost": "lost",
    }.items()
    for word in words.split()
}

CONFIDENCE = word_set("exploratory replicated stable")
