"""The words that carry claims and the words that do not: directions, verdicts, hedges, negations, links between words.

Lists only. Knows no fact and no grammar.
"""

from __future__ import annotations

from enum import StrEnum


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


class Sense(StrEnum):
    """What a word says of two values."""

    UP = "up"
    DOWN = "down"
    BETTER = "better"
    WORSE = "worse"
    FASTER = "faster"
    SLOWER = "slower"
    SAME = "same"


OPPOSITE = {
    Sense.UP: Sense.DOWN,
    Sense.DOWN: Sense.UP,
    Sense.BETTER: Sense.WORSE,
    Sense.WORSE: Sense.BETTER,
    Sense.FASTER: Sense.SLOWER,
    Sense.SLOWER: Sense.FASTER,
}

ADJECTIVES: dict[str, Sense] = {
    **dict.fromkeys(("higher", "larger", "greater", "bigger", "more", "longer"), Sense.UP),
    **dict.fromkeys(("lower", "smaller", "less", "fewer", "shorter"), Sense.DOWN),
    **dict.fromkeys(("better", "superior", "stronger"), Sense.BETTER),
    **dict.fromkeys(("worse", "inferior", "poorer", "weaker"), Sense.WORSE),
    **dict.fromkeys(("faster", "quicker"), Sense.FASTER),
    "slower": Sense.SLOWER,
    **dict.fromkeys(("unchanged", "identical", "same", "indistinguishable"), Sense.SAME),
}

NOUNS: dict[str, Sense] = {
    **dict.fromkeys(("increase", "increases", "rise", "growth"), Sense.UP),
    **dict.fromkeys(("decrease", "decreases", "reduction", "reductions", "drop", "fall", "decline"), Sense.DOWN),
    **dict.fromkeys(("improvement", "improvements", "gain", "gains", "win"), Sense.BETTER),
    **dict.fromkeys(("regression", "regressions", "degradation", "loss-increase"), Sense.WORSE),
    **dict.fromkeys(("speedup", "speed-up"), Sense.FASTER),
    **dict.fromkeys(("slowdown", "slow-down"), Sense.SLOWER),
}

INTRANSITIVE: dict[str, Sense] = {
    **dict.fromkeys(
        [
            "rose",
            "rises",
            "rising",
            "rise",
            "risen",
            "climbed",
            "climbs",
            "climbing",
            "grew",
            "grows",
            "growing",
            "grown",
            "jumped",
            "went-up",
            "soared",
        ],
        Sense.UP,
    ),
    **dict.fromkeys(
        [
            "fell",
            "falls",
            "falling",
            "fallen",
            "dropped",
            "drops",
            "dropping",
            "declined",
            "declines",
            "declining",
            "shrank",
            "shrinks",
            "shrunk",
            "sank",
            "sinks",
        ],
        Sense.DOWN,
    ),
}
"""Verbs whose subject is what moved."""

TRANSITIVE: dict[str, Sense] = {
    **dict.fromkeys(
        [
            "adds",
            "added",
            "increased",
            "increases",
            "increasing",
            "increase",
            "raised",
            "raises",
            "raising",
            "raise",
            "boosted",
            "boosts",
            "boosting",
            "boost",
        ],
        Sense.UP,
    ),
    **dict.fromkeys(
        [
            "decreased",
            "decreases",
            "decreasing",
            "decrease",
            "reduced",
            "reduces",
            "reducing",
            "reduce",
            "lowered",
            "lowers",
            "lowering",
            "lower",
            "cut",
            "cuts",
            "cutting",
        ],
        Sense.DOWN,
    ),
    **dict.fromkeys(
        ["improved", "improves", "improving", "improve", "gained", "gains", "saves", "saved"], Sense.BETTER
    ),
    **dict.fromkeys(
        [
            "costs",
            "cost",
            "costing",
            "loses",
            "regressed",
            "regresses",
            "regressing",
            "regress",
            "degraded",
            "degrades",
            "degrading",
            "degrade",
            "worsened",
            "worsens",
            "worsening",
            "worsen",
            "hurt",
            "hurts",
            "hurting",
            "harmed",
            "harms",
        ],
        Sense.WORSE,
    ),
    **dict.fromkeys(["accelerated", "accelerates", "sped"], Sense.FASTER),
    **dict.fromkeys(["slowed", "slows"], Sense.SLOWER),
}
"""Verbs that may have what moved behind them or before them."""

PRICES = _set("adds added costs cost costing saves saved gains gained loses lost")
"""Verbs that are a claim only with an amount."""

CONTESTS: dict[str, Sense] = {
    **dict.fromkeys(
        [
            "beats",
            "beat",
            "beating",
            "outperforms",
            "outperformed",
            "outperforming",
            "outperform",
            "surpasses",
            "surpassed",
            "surpassing",
            "surpass",
            "wins",
            "won",
            "bests",
            "bested",
            "outdid",
            "outdoes",
            "leads",
            "led",
        ],
        Sense.BETTER,
    ),
    **dict.fromkeys(
        [
            "trail",
            "trails",
            "trailed",
            "trailing",
            "underperforms",
            "underperformed",
            "underperforming",
            "underperform",
            "lags",
            "lagged",
        ],
        Sense.WORSE,
    ),
    **dict.fromkeys(["exceeds", "exceeded", "exceeding", "exceed", "tops", "topped"], Sense.UP),
    **dict.fromkeys(["undercuts", "undercut"], Sense.DOWN),
    **dict.fromkeys(["match", "matches", "matched", "equals", "equalled", "equaled", "ties", "tied"], Sense.SAME),
}
"""Verbs between two runs: the first is better than the second."""

PLACES: dict[str, Sense] = {
    "above": Sense.UP,
    "over": Sense.UP,
    "below": Sense.DOWN,
    "under": Sense.DOWN,
    "beneath": Sense.DOWN,
    "ahead": Sense.BETTER,
    "behind": Sense.WORSE,
    "up": Sense.UP,
    "down": Sense.DOWN,
}
"""Prepositions and particles that set one value against another."""

SENSES: dict[str, Sense] = {**NOUNS, **INTRANSITIVE, **TRANSITIVE, **CONTESTS, **ADJECTIVES}

SUPERLATIVES: dict[str, Sense] = {
    **dict.fromkeys(("highest", "largest", "greatest", "biggest", "most", "longest", "maximum"), Sense.UP),
    **dict.fromkeys(("lowest", "smallest", "least", "fewest", "shortest", "minimum"), Sense.DOWN),
    **dict.fromkeys(("best", "strongest", "top"), Sense.BETTER),
    **dict.fromkeys(("worst", "weakest", "poorest"), Sense.WORSE),
    **dict.fromkeys(("fastest", "quickest"), Sense.FASTER),
    "slowest": Sense.SLOWER,
}
RANKS = {"second": 2, "second-": 2, "next": 2, "third": 3, "2nd": 2, "3rd": 3, "runner-up": 2}
NOT_SUPERLATIVE_AFTER = _set("at do does did its their try tried our very")
NOT_SUPERLATIVE_BEFORE = _set(
    "practice practices effort efforts guess checkpoint case known likely recent way part thing of-breed fit match option "
    "explanation available next idea importantly"
)

NEGATIONS = _set(
    "not no never neither nor without cannot can't didn't doesn't don't isn't wasn't weren't aren't hasn't haven't won't "
    "hardly barely none nothing nobody failed fails failing unable"
)
FAILED_TO = _set("failed fails failing unable")
SOFTENERS = _set(
    "significantly meaningfully substantially noticeably materially measurably clearly much consistently reliably further "
    "considerably markedly statistically appreciably uniformly always necessarily"
)
HEDGES = _set(
    "may might could should would if whether unless expect expects expected expecting hope hoped hopefully perhaps maybe "
    "possibly plan planned plans try test tests hypothesis hypothesise hypothesize hypothesized assume assuming suppose "
    "predicted predict predicts suspect suspected can will shall must let let's consider propose proposed goal target aim "
    "aims aimed intended ought todo question predicting wanted want wants asked asks needs need"
)
HYPOTHETICAL_FIELDS = (
    "hypothesis", "question", "next", "plan", "todo", "to do", "expectation", "expected", "goal", "goals", "scope", "stop",
    "motivation", "risk", "idea", "follow-up", "proposal", "open question", "objective", "constraint",
)  # fmt: skip

COMPARE_BEFORE = _set("as than vs vs. versus against over unlike beyond")
COMPARE_PAIRS = {
    ("compared", "with"), ("compared", "to"), ("relative", "to"), ("on", "par"), ("improved", "on"), ("improves", "on"),
    ("improvement", "on"), ("improved", "upon"), ("improves", "upon"), ("ahead", "of"), ("short", "of"), ("comparison", "to"), ("close", "to"),
    ("comparison", "with"), ("equal", "to"), ("similar", "to"), ("inferior", "to"), ("superior", "to"), ("identical", "to"),
    ("comparing", "to"), ("instead", "of"), ("rather", "than"), ("next", "to"), ("regression", "on"), ("improving", "on"),
    ("improve", "on"), ("improve", "upon"), ("improving", "upon"), ("respect", "to"), ("matched", "by"), ("loses", "to"),
    ("lost", "to"), ("up", "from"), ("down", "from"), ("away", "from"), ("different", "from"), ("differs", "from"),
    ("changed", "from"), ("unchanged", "from"), ("drop", "from"), ("increase", "from"), ("gain", "on"), ("improvement", "to"),
}  # fmt: skip
COMPARE_PLACES = _set("above below under behind beneath")

APPROXIMATE = _set("about around roughly approximately approx approx. circa ca ca. some ~ \u2248 nearly almost")
OVER = _set("over above exceeds exceeded exceeding exceed > \u2265 beyond surpassed surpasses passed tops topped past")
UNDER = _set("under below < \u2264 beneath nearly almost")

RUN_NOUNS = _set(
    "run runs variant variants config configs configuration configurations setting settings experiment experiments trial "
    "trials replicate replicates arm arms model models candidate candidates launch launches job jobs"
)
COUNT_NOUNS = RUN_NOUNS | _set(
    "seed seeds device devices chip chips gpu gpus tpu tpus host hosts node nodes attempt attempts process processes worker "
    "workers epoch epochs step steps layer layers token tokens parameter parameters param params failure failures "
    "preemption preemptions retry retries restart restarts checkpoint checkpoints metric metrics core cores slice slices "
    "rate rates value values axis axes head heads expert experts batch batches shard shards sample samples example examples "
    "warning warnings error errors event events file files task tasks machine machines accelerator accelerators day days"
)
LABEL_NOUNS = _set(
    "phase gate table figure fig section part stage option step-by-step chapter appendix item note footnote round version "
    "milestone week priority tier level track axis hypothesis method approach question point"
)
"""Nouns whose number is a name: ``phase 2``."""

LINKS = _set(
    "of is was were are be been being to at by from for with in on the a an and or but as than that which who its it their "
    "this these those has have had having reached reaches reaching hit hits hitting got gets getting ended ends ending "
    "stood stands scored scores achieved achieves achieving gave gives giving landed lands came comes went goes took takes "
    "taking stayed stays remained remains about around roughly approximately only just still now then also again finally "
    "nearly almost over under above below up down vs vs. versus against while whereas both each all per via using used "
    "under when where so thus hence only even exactly compared relative between within after before until finished "
    "finishing completed averaged averages averaging measured recorded showed shows show reports reported saw sees mean "
    "averaged equals equal approx approx. ca circa some yields yielded yielding gives produced produces delivers delivered "
    "attained attains obtained obtains settled settles converged bottomed peaked peaks posts posted logged logs value values "
    "lost loses sits sat improved improves improving improve ran runs respectively there here not no now final finally"
)
"""Words that may stand between a thing and its number without being a thing themselves."""

FOLLOWERS = LINKS | _set(
    "better worse lower higher faster slower more less fewer larger smaller greater shorter longer lower) higher) better) "
    "worse) improvement reduction increase decrease drop gain regression difference gap margin delta change speedup slowdown "
    "because since though although however if then too overall together again respectively total apart away off behind ahead "
    "out onto into across during throughout without despite beating below above beyond relative"
)
"""Words that may follow a number without being what it counts."""

DIFFERENCE_NOUNS = _set(
    "difference differences delta deltas gap margin improvement improvements reduction reductions increase decrease drop gain "
    "gains loss losses change regression shift rise fall decline speedup slowdown advantage lead deficit penalty cost saving savings "
    "overhead"
)
ARTICLES = _set(
    "the a an its their this that these those our both all same such any each every overall mean final average"
)
PRONOUN_STARTS = _set("it its this that the")
VALUE_BEFORE = _set(
    "to at reached reaches reaching hit hits scored scores achieved achieves achieving attained was is were stands stood "
    "ended averaged averages equals from"
)

STATUS_WORDS: dict[str, str] = {
    **dict.fromkeys(
        ("succeeded", "succeeds", "completed", "successful", "successfully", "finished", "passed"), "succeeded"
    ),
    **dict.fromkeys(("failed", "fails", "crashed", "crashes", "died", "errored", "aborted"), "failed"),
    **dict.fromkeys(("diverged", "diverges", "diverging", "exploded", "divergent", "divergence"), "diverged"),
    **dict.fromkeys(("converged", "converges"), "converged"),
    **dict.fromkeys(("preempted",), "preempted"),
    **dict.fromkeys(("cancelled", "canceled"), "cancelled"),
    **dict.fromkeys(("cached",), "cached"),
    **dict.fromkeys(("lost",), "lost"),
}
CONFIDENCE = _set("exploratory replicated stable")
