"""Claims that a model may choose: what is true can be said, and reads well; what is not is refused with the reason."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from pydantic import TypeAdapter

from curator.claims.base import Grounds, RefusedError
from curator.claims.reply import AnyAction, AnyClaim
from curator.drafters import template
from curator.drafters.reading import Reading
from curator.verify import verify
from marin_research.record import Metric

LOSS = "metric/eval/loss"


@pytest.fixture
def grounds(sweep):
    evidence, _ = sweep()
    return Grounds(evidence=evidence)


def state(grounds, claim):
    """A claim in words, verified where it will stand."""
    kind: Any = AnyAction if "action" in claim else AnyClaim
    said = TypeAdapter(kind).validate_python(claim).state(grounds)
    evidence = grounds.evidence
    rating = template.rate(evidence, [])
    reading = Reading(findings=() if "action" in claim else (said.text,), actions=(said.text,))
    facts = {**grounds.facts, **evidence.facts, **{fact.id: fact for fact in said.derived}}
    assert verify(template.trial_text(evidence, rating, reading), tuple(facts.values())).findings == ()
    return said.text


def compared(value, reference, verdict, measure=LOSS):
    values = [f"{run}/{measure}" for run in ([value] if isinstance(value, str) else value)]
    return {"kind": "comparison", "values": values, "reference": f"{reference}/{measure}", "verdict": verdict}


def test_a_comparison_says_values_unit_and_change(grounds):
    """The model names two facts; the rest comes from the record."""
    said = state(grounds, compared(["LR-002", "LR-003"], "LR-001", "better"))

    assert said == (
        "Better than the baseline LR-001 (eval/loss 2.459 nats/byte): "
        "LR-002 (lr=0.06) with 2.373 nats/byte (-3.5 %) and LR-003 (lr=0.1) with 2.363 nats/byte (-3.9 %)."
    )


def test_a_comparison_without_a_direction_says_higher_and_lower(grounds):
    """Nobody said whether more tokens a second are better in this thread."""
    measure = "metric/tokens_per_second"
    assert "Higher tokens_per_second than the baseline LR-001" in state(
        grounds, compared("LR-002", "LR-001", "higher", measure)
    )
    with pytest.raises(RefusedError, match="say higher or lower"):
        state(grounds, compared("LR-002", "LR-001", "better", measure))


@pytest.mark.parametrize(
    ("value", "reference"), [*itertools.permutations(("LR-001", "LR-002", "LR-003"), 2)], ids=lambda run: run
)
def test_of_all_verdicts_only_true_ones_can_be_said(grounds, value, reference):
    """Whatever pair a model picks, it cannot turn the result round."""
    values = {run: grounds.facts[f"{run}/{LOSS}"].value for run in (value, reference)}
    lower = values[value] < values[reference]
    true = {"lower", "better"} if lower else {"higher", "worse"}
    if abs(values[value] - values[reference]) / values[reference] < 0.01:
        true.add("same")

    sayable = set()
    for verdict in ("better", "worse", "higher", "lower", "same"):
        try:
            state(grounds, compared(value, reference, verdict))
        except RefusedError:
            continue
        sayable.add(verdict)

    assert sayable == true


def test_what_repetition_alone_does_is_no_improvement(sweep):
    """A second seed of the baseline moves the loss as far."""
    seed = {"config": {"lr": 0.03, "seed": 1, "steps": 400}, "metrics": {"eval/loss": 2.36}, "label": "seed 1"}
    evidence, _ = sweep(LR_002=seed)
    grounds = Grounds(evidence=evidence)

    with pytest.raises(RefusedError, match="repeating the baseline moves it as far"):
        state(grounds, compared("LR-003", "LR-001", "better"))
    assert "No different from" in state(grounds, compared("LR-003", "LR-001", "same"))


def test_repetitions_are_summed_up(sweep):
    """Mean and deviation are computed, and only over runs that differ in nothing but the seed."""
    seed = {"config": {"lr": 0.03, "seed": 1, "steps": 400}, "metrics": {"eval/loss": 2.4606}, "label": "seed 1"}
    evidence, _ = sweep(LR_002=seed)
    grounds = Grounds(evidence=evidence)
    claim = {"kind": "agreement", "values": [f"LR-001/{LOSS}", f"LR-002/{LOSS}"]}

    assert state(grounds, claim) == (
        "LR-001 and LR-002 differ only in the seed: mean eval/loss 2.460 nats/byte, standard deviation "
        "0.001414 nats/byte over 2.459 and 2.461 nats/byte."
    )
    with pytest.raises(RefusedError, match="differ in more than the seed: config lr"):
        state(grounds, {"kind": "agreement", "values": [f"LR-001/{LOSS}", f"LR-003/{LOSS}"]})


@pytest.mark.parametrize(
    ("losses", "shape"),
    [
        ((3.0, 2.5, 2.0), "falls"),
        ((2.0, 2.5, 3.0), "rises"),
        ((2.0, 2.0, 2.0), "flat"),
        ((2.0, 3.0, 2.5), "peak"),
        ((3.0, 2.0, 2.5), "valley"),
        ((2.0, 2.0, 2.5), "irregular"),
    ],
)
def test_a_trend_goes_through_every_run(sweep, losses, shape):
    """A model can leave out no run that does not fit."""
    metrics = {f"LR_00{n}": {"metrics": {"eval/loss": loss}} for n, loss in enumerate(losses, 1)}
    evidence, _ = sweep(**metrics)
    grounds = Grounds(evidence=evidence)

    for claimed in ("falls", "rises", "flat", "peak", "valley", "irregular"):
        claim = {"kind": "trend", "axis": "sweep/axis/lr", "metric": "eval/loss", "shape": claimed}
        if claimed == shape:
            assert "LR-004 (`lr=0.3`) failed and is left out" in state(grounds, claim)
        else:
            with pytest.raises(RefusedError, match=rf"\({shape}\)"):
                state(grounds, claim)


def test_only_the_best_is_called_best(grounds):
    """A superlative is over every run that succeeded, the baseline too."""
    assert state(grounds, {"kind": "best", "value": f"LR-003/{LOSS}"}) == (
        "LR-003 (lr=0.1) has the best eval/loss of these runs: 2.363 nats/byte."
    )
    with pytest.raises(RefusedError, match=r"the best eval/loss is 2\.363 nats/byte, of LR-003"):
        state(grounds, {"kind": "best", "value": f"LR-002/{LOSS}"})
    assert "worst eval/loss" in state(grounds, {"kind": "best", "value": f"LR-001/{LOSS}", "which": "worst"})


def hypothesis(run, outcome, *tests):
    return {"kind": "hypothesis", "hypothesis": f"{run}/hypothesis", "tests": list(tests), "outcome": outcome}


LOWER = {"test": "compared", "value": f"LR-002/{LOSS}", "reference": f"LR-001/{LOSS}", "relation": "lower"}
HIGHER = LOWER | {"relation": "higher"}
EXTREME = {"test": "extreme", "value": f"LR-003/{LOSS}", "which": "lowest"}
DIVERGED = {"test": "ended", "run": "LR-004/status", "how": "failed"}


def test_a_hypothesis_is_judged_by_what_it_comes_down_to(grounds):
    """The reader sees what was expected and what the record has."""
    assert state(grounds, hypothesis("LR-002", "supported", LOWER)) == (
        "The hypothesis of LR-002 is supported: it expected a lower eval/loss than LR-001; "
        "the record has 2.373 nats/byte for LR-002 against 2.459 nats/byte for LR-001 (-3.5 %)."
    )
    assert "the lowest eval/loss of these runs" in state(grounds, hypothesis("LR-003", "supported", EXTREME))
    assert "status failed for LR-004" in state(grounds, hypothesis("LR-004", "supported", DIVERGED))
    assert "nothing that was measured decides it" in state(grounds, hypothesis("LR-003", "inconclusive"))


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (hypothesis("LR-002", "refuted", LOWER), "the outcome is supported"),
        (hypothesis("LR-002", "supported", HIGHER), "the outcome is refuted"),
        (hypothesis("LR-002", "supported"), "the outcome is inconclusive"),
        (hypothesis("LR-003", "supported", LOWER), "say nothing of LR-003"),
        (hypothesis("LR-002", "supported", LOWER, HIGHER), "the outcome is refuted"),
        (hypothesis("LR-002", "supported", LOWER | {"amount": "at_least", "threshold": "0.5"}), "does not say '0.5'"),
    ],
    ids=["turned round", "test turned round", "by decree", "another run's", "one of two", "invented threshold"],
)
def test_an_outcome_that_the_tests_do_not_give_is_refused(grounds, claim, why):
    """A hypothesis is not supported because a model likes it."""
    with pytest.raises(RefusedError, match=why):
        state(grounds, claim)


@pytest.mark.parametrize(
    ("text", "test", "outcome"),
    [
        ("the loss falls by at least 0.05", {"amount": "at_least", "threshold": "0.05"}, "supported"),
        ("the loss falls by at least 0.5", {"amount": "at_least", "threshold": "0.5"}, "refuted"),
        ("the loss falls by at least 3 %", {"amount": "at_least", "threshold": "3 %"}, "supported"),
        ("the loss falls by at least 5 %", {"amount": "at_least", "threshold": "5 %"}, "refuted"),
        ("the loss falls, by 0.1 at most", {"amount": "at_most", "threshold": "0.1"}, "supported"),
    ],
)
def test_a_threshold_is_the_hypothesis_own(sweep, text, test, outcome):
    """An amount that was hypothesised decides, in its own unit."""
    evidence, _ = sweep(LR_002={"hypothesis": text})
    grounds = Grounds(evidence=evidence)

    assert f"is {outcome}" in state(grounds, hypothesis("LR-002", outcome, LOWER | test))
    with pytest.raises(RefusedError, match="use it as the threshold"):
        state(grounds, hypothesis("LR-002", "supported", LOWER))


def test_the_words_of_a_hypothesis_must_not_contradict_its_outcome(sweep):
    """A model that reads a hypothesis the wrong way round is caught by its own words."""
    evidence, _ = sweep(LR_002={"hypothesis": "LR-002 has a higher eval/loss than LR-001"})

    with pytest.raises(RefusedError, match="the record contradicts"):
        state(Grounds(evidence=evidence), hypothesis("LR-002", "supported", LOWER))


def test_an_outcome_within_the_noise_is_left_open(sweep):
    """The best of two that a second seed would swap is not the best."""
    seed = {"config": {"lr": 0.03, "seed": 1, "steps": 400}, "metrics": {"eval/loss": 2.36}, "label": "seed 1"}
    evidence, _ = sweep(LR_002=seed, LR_003={"metrics": {"eval/loss": 2.35}})

    assert "is left open" in state(Grounds(evidence=evidence), hypothesis("LR-003", "inconclusive", EXTREME))


def test_a_run_that_blew_up_has_diverged(sweep):
    """The error says so where no metric does; a full disk would leave it open."""
    diverged = DIVERGED | {"how": "diverged"}
    assert "is supported" in state(Grounds(evidence=sweep()[0]), hypothesis("LR-004", "supported", diverged))


def failure(cause, *lines, run="LR-004"):
    return {"kind": "failure", "run": f"{run}/status", "cause": cause, "lines": list(lines)}


def test_a_cause_is_a_hypothesis_with_its_line(grounds):
    """Nobody can know for certain why a run failed; the line is for the reader to judge."""
    line = next(line_id for line_id, (_, line) in grounds.lines.items() if line.startswith("FloatingPointError"))

    assert state(grounds, failure("non-finite-numbers", line)) == (
        "Likely cause of the failure of LR-004, a hypothesis from its output: its numbers stopped being finite. "
        "It rests on `FloatingPointError: loss is nan at step 19`."
    )


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (failure("disk-full", "LR-004/message"), "none of these lines says that the disk was full"),
        (failure("non-finite-numbers", "LR-004/quote#99"), "there is no log line"),
        (failure("non-finite-numbers", "LR-004/message", run="LR-003"), "LR-003 did not fail"),
    ],
    ids=["another cause", "no such line", "no failure"],
)
def test_a_cause_that_no_line_speaks_for_is_refused(grounds, claim, why):
    """A plausible story is not evidence."""
    with pytest.raises(RefusedError, match=why):
        state(grounds, claim)


def test_oddities_are_only_claimed_where_they_are(sweep):
    """A NaN is a NaN, and a run that ended near its best did not fall behind it."""
    history = Metric(name="eval/loss", value=2.9, source="report", count=9, first=4.0, minimum=2.3, maximum=4.0)
    evidence, _ = sweep(
        LR_002={"metrics": {"eval/loss": history}}, LR_003={"metrics": {"eval/loss": 2.4, "grad_norm": float("nan")}}
    )
    grounds = Grounds(evidence=evidence)

    behind = {"kind": "anomaly", "fact": f"LR-002/{LOSS}", "what": "behind_its_best"}
    assert "ended at 2.900 nats/byte and was at 2.300 nats/byte before" in state(grounds, behind)
    odd = {"kind": "anomaly", "fact": "LR-003/metric/grad_norm", "what": "non_finite"}
    assert "grad_norm of LR-003 is nan" in state(grounds, odd)
    for claim in (odd | {"fact": f"LR-003/{LOSS}"}, behind | {"fact": f"LR-003/{LOSS}"}):
        with pytest.raises(RefusedError):
            state(grounds, claim)


def test_times_are_said_with_their_runs(grounds):
    """What a run took, in words."""
    claim = {"kind": "cost", "durations": ["LR-001/wall", "LR-002/wall"]}

    assert state(grounds, claim) == "Wall time: LR-001 1 min 0 s and LR-002 1 min 0 s."


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ({"action": "repeat", "runs": ["LR-003/run"]}, "Repeat LR-003 with another seed."),
        (
            {"action": "between", "low": "LR-003/config/lr", "high": "LR-004/config/lr"},
            "Try `lr` between 0.1 (LR-003, succeeded) and 0.3 (LR-004, failed).",
        ),
        (
            {"action": "beyond", "value": "LR-001/config/lr", "side": "below"},
            "Try `lr` below 0.03 (LR-001), the last value tried.",
        ),
        ({"action": "adopt", "run": "LR-003/run"}, "Make LR-003 the baseline in place of LR-001, once it is repeated."),
    ],
)
def test_next_steps_are_worded_by_code(grounds, action, said):
    """Values in a plan are copied into commands; they must be the record's."""
    assert state(grounds, action) == said


@pytest.mark.parametrize(
    "action",
    [
        {"action": "repeat", "runs": ["LR-009/run"]},
        {"action": "between", "low": "LR-004/config/lr", "high": "LR-003/config/lr"},
        {"action": "between", "low": "LR-003/config/seed", "high": "LR-004/config/seed"},
        {"action": "beyond", "value": "LR-002/config/lr", "side": "above"},
        {"action": "adopt", "run": "LR-001/run"},
    ],
    ids=["no such run", "empty range", "not the axis", "not the end", "the baseline itself"],
)
def test_a_step_that_the_record_does_not_call_for_is_refused(grounds, action):
    """A plan that starts from a wrong picture of what was done wastes a day."""
    with pytest.raises(RefusedError):
        state(grounds, action)
