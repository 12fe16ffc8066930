"""The verifier on texts about a small sweep: what is right passes, and one planted error is found where it stands."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.facts import Fact, FactKind, delta, percent, render
from curator.verify import verify
from marin_research.thread import Direction

COMMIT = "4f9c1d2ab0e37c65918f2d4be07a3c5d6e8f9a01"


def _sweep() -> tuple[Fact, ...]:
    facts: list[Fact] = []
    runs = {"LR-001": (0.003, 2.4031), "LR-002": (0.001, 2.5124), "LR-003": (0.01, 2.3087)}
    for run, (rate, loss) in runs.items():
        said: dict[str, Any] = {"subject": run, "source": f"{run}#/"}
        facts += [
            Fact(id=f"{run}/run", kind=FactKind.RUN, value=run, **said),
            Fact(id=f"{run}/status", kind=FactKind.STATUS, value="succeeded", **said),
            Fact(id=f"{run}/config/lr", kind=FactKind.CONFIG, value=rate, name="lr", **said),
            Fact(
                id=f"{run}/metric/eval/loss", kind=FactKind.METRIC, value=loss, unit="nats/byte", name="eval/loss",
                better=Direction.LOWER, **said,
            ),
        ]  # fmt: skip
    known = {fact.id: fact for fact in facts}
    for run in ("LR-002", "LR-003"):
        a, b = known[f"{run}/metric/eval/loss"], known["LR-001/metric/eval/loss"]
        facts += [delta(a, b), percent(a, b)]
    said = {"subject": "LR-003", "source": "LR-003#/"}
    facts += [
        Fact(id="LR-003/commit", kind=FactKind.COMMIT, value=COMMIT, **said),
        Fact(id="LR-003/command", kind=FactKind.COMMAND, value="python sweep.py --version dev --run", **said),
        Fact(id="LR-003/wandb/x", kind=FactKind.LINK, value="https://wandb.example/lab/lr/runs/x1", **said),
        Fact(id="sweep/count/runs", kind=FactKind.COUNT, value=3, name="runs", source="counted"),
        Fact(id="thread/baseline", kind=FactKind.RUN, value="LR-001", name="baseline", source="thread"),
    ]
    return tuple(facts)


SWEEP = _sweep()


@pytest.mark.parametrize(
    "text",
    [
        "LR-003 reached an eval/loss of 2.3087 nats/byte, against 2.4031 of the baseline LR-001.",
        "LR-003 lowers eval/loss by 3.9 % against the baseline.",
        "With lr=0.01 the eval/loss is 2.31.",
        "LR-002 is worse than the baseline: eval/loss rose by 0.109 nats/byte.",
        "LR-003 has the lowest eval/loss of the three runs.",
        "LR-002 did not improve on the baseline.",
        "All three runs succeeded.",
        f"Commit: `{COMMIT}`, command `python sweep.py --version dev --run`.",
        "It ran from commit 4f9c1d2; see https://wandb.example/lab/lr/runs/x1.",
        "| run | lr | eval/loss |\n|---|---|---|\n| LR-001 | 0.003 | 2.403 |\n| LR-003 | 0.01 | 2.309 (-3.9 %) |\n",
        "Next: should LR-003 become the baseline?",
    ],
)
def test_what_the_record_says_may_be_said(text):
    """A false alarm teaches people to wave findings through."""
    assert verify(text, SWEEP).findings == ()


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("LR-003 reached an eval/loss of 2.3187 nats/byte.", "2.3187"),
        ("LR-003 reached an eval/loss of 2.4031 nats/byte.", "2.4031"),
        ("LR-003 reached an eval/loss of 2.3087 ms.", "2.3087 ms"),
        ("With lr=0.01 the eval/loss is 2.36.", "2.36"),
        ("LR-003 lowers eval/loss by 4.9 % against the baseline.", "4.9 %"),
        ("LR-003 raises eval/loss by 3.9 % against the baseline.", "raises"),
        ("LR-003 is worse than the baseline.", "worse"),
        ("LR-002 has the lowest eval/loss of the three runs.", "lowest"),
        ("All four runs succeeded.", "four"),
        ("LR-002 failed.", "failed"),
        ("LR-007 reached an eval/loss of 2.3087 nats/byte.", "LR-007"),
        ("It ran from commit 5f9c1d2.", "5f9c1d2"),
        ("See https://wandb.example/lab/lr/runs/x2.", "https://wandb.example/lab/lr/runs/x2"),
        ("It ran `python sweep.py --version dev --run --fast`.", "python sweep.py --version dev --run --fast"),
        ("LR-003 improved eval/loss by 2.3087 nats/byte.", "2.3087 nats/byte"),
    ],
)
def test_what_the_record_does_not_say_is_found_where_it_stands(text, wrong):
    """The reader of a published number cannot check it; this is where it is checked."""
    report = verify(text, SWEEP)

    assert not report.ok
    at = text.index(wrong)
    assert any(finding.start < at + len(wrong) and at < finding.end for finding in report.findings)
    assert all(text[finding.start : finding.end] == finding.text for finding in report.findings)


@given(st.floats(min_value=0.001, max_value=1e6), st.integers(min_value=2, max_value=8))
def test_a_value_may_be_rounded_but_not_changed(value, digits):
    """2.31 stands for 2.3087, and 2.36 does not."""
    fact = Fact(id="A-001/metric/m", kind=FactKind.METRIC, value=value, name="m", subject="A-001", source="A-001#/")
    rounded = f"{value:.{digits}f}"

    assert verify(f"The m of A-001 is {rounded}.", (fact,)).ok == (float(rounded) != 0)


@given(st.text(max_size=300))
def test_any_text_can_be_checked(text):
    """People paste anything into a draft; the check must not fall over it."""
    report = verify(text, SWEEP)

    assert all(text[finding.start : finding.end] == finding.text for finding in report.findings)
    assert all(0 <= evidence.start <= evidence.end <= len(text) for evidence in report.evidence)


def test_every_rendered_fact_is_accepted_beside_its_name():
    """What the drafter renders must never be a finding."""
    for fact in SWEEP:
        if fact.kind in (FactKind.METRIC, FactKind.PERCENT, FactKind.DELTA):
            assert verify(f"{fact.subject}: {fact.name} {render(fact)}", SWEEP).findings == (), fact.id
