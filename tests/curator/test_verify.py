"""The check of a text against the facts: right texts pass, wrong ones do not, and strange ones never stop it.

The texts stand in ``tests/evaluation``: ``correct.txt`` and ``planted.txt``, each under the thread whose facts it is.
"""

from __future__ import annotations

import runpy
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from curator.facts import Fact, FactKind, delta, render
from curator.verify import FindingKind, Verifier, to_json, verify
from marin_research.thread import Direction

EVALUATION = Path(__file__).parents[1] / "evaluation"
THREADS = runpy.run_path(str(EVALUATION / "threads.py"))["THREADS"]


@cache
def facts_of(thread: str) -> tuple[Fact, ...]:
    facts: tuple[Fact, ...] = THREADS[thread]()
    return facts


@cache
def verifier_of(thread: str) -> Verifier:
    return Verifier(facts_of(thread))


def texts(name: str) -> list[tuple[str, str]]:
    """The texts of a file, each with the words on its ``@@`` line."""
    parts = (EVALUATION / name).read_text(encoding="utf-8").split("@@ ")[1:]
    return [(head, text.rstrip("\n")) for head, _, text in (part.partition("\n") for part in parts)]


def findings(text: str, thread: str = "sweep") -> list[tuple[str, str]]:
    return [(finding.kind.value, finding.text) for finding in verifier_of(thread).report(text).findings]


@pytest.mark.parametrize(("thread", "text"), texts("correct.txt"))
def test_a_right_text_has_no_finding(thread, text):
    """A verifier that cries wolf is switched off by the third draft."""
    assert findings(text, thread) == []


@pytest.mark.parametrize(("label", "text"), texts("planted.txt"))
def test_a_wrong_text_has_a_finding(label, text):
    """Each of these is an error that a person or a model has made or could make."""
    thread, _, _ = label.partition(" | ")

    assert findings(text, thread)


@pytest.mark.parametrize(
    ("text", "kind", "place"),
    [
        ("LR-003 reached a loss of 2.3187.", FindingKind.NUMBER, "2.3187"),
        ("LR-003 reached a loss of 2.4031.", FindingKind.ATTRIBUTION, "2.4031"),
        ("LR-003 reached a loss of 2.3087 tok/s.", FindingKind.UNIT, "2.3087 tok/s"),
        ("LR-003 reached a loss of 2.", FindingKind.ROUNDING, "2"),
        ("eval/loss improved by 2.3087.", FindingKind.ROLE, "2.3087"),
        ("LR-003 raised the loss by 3.9 %.", FindingKind.DIRECTION, "raised"),
        ("Three of five runs succeeded.", FindingKind.COUNT, "Three"),
        ("LR-003 has a higher loss than the baseline.", FindingKind.COMPARATIVE, "higher"),
        ("LR-002 has the lowest loss.", FindingKind.SUPERLATIVE, "lowest"),
        ("LR-003 diverged.", FindingKind.STATUS, "diverged"),
        ("Confidence: stable", FindingKind.LABEL, "stable"),
        ("It started on 2026-07-02.", FindingKind.TIME, "2026-07-02"),
        ("It ran on V100.", FindingKind.NAME, "V100"),
        ("LR-009 was not started.", FindingKind.RUN, "LR-009"),
        ("The commit is 4f9c1af.", FindingKind.COMMIT, "4f9c1af"),
        ("See https://example.org/run.", FindingKind.LINK, "https://example.org/run"),
        ("Run `python train.py --lr 0.02`.", FindingKind.COMMAND, "python train.py --lr 0.02"),
        ("It wrote `ckpt/lr-003/step1`.", FindingKind.PATH, "ckpt/lr-003/step1"),
        ("> RuntimeError: boom", FindingKind.QUOTE, "RuntimeError: boom"),
    ],
)
def test_a_finding_says_what_kind_of_error_it_is_and_where(text, kind, place):
    """The reviewer's eye goes to the exact words, and to the reason."""
    (finding,) = verify(text, facts_of("sweep")).findings

    assert (finding.kind, finding.text) == (kind, place)
    assert text[finding.start : finding.end] == place
    assert finding.why


@pytest.mark.parametrize("written", ["2.3087", "2.309", "2.31", "2.3", "2.31 nats/byte", "2.3087 nats per byte"])
def test_a_value_may_be_rounded_to_the_digits_it_is_written_with(written):
    """Prose rounds; a reviewer must not be asked about every rounded number."""
    assert findings(f"LR-003 reached a loss of {written}.") == []


@pytest.mark.parametrize(
    "written",
    [
        "401,877 tok/s",
        "401877 tokens per second",
        "402k tok/s",
        "401.9k tok/s",
        "0.40M tok/s",
        "4.02e5 tok/s",
        "4.02×10⁵ tok/s",
    ],
)
def test_a_rate_may_be_written_in_any_usual_notation(written):
    """Thousands separators, suffixes and exponents are the same number."""
    assert findings(f"LR-003 processed {written}.") == []


@pytest.mark.parametrize("written", ["43.86 s", "43.9 seconds", "44 s", "0.731 min", "43,860 ms"])
def test_a_duration_may_be_written_in_any_unit(written):
    """A minute is sixty seconds."""
    assert findings(f"LR-003 took {written}.") == []


@pytest.mark.parametrize("written", ["3680 s", "61 min 20 s", "1 h 1 min", "1h1m", "1:01:20", "1.02 h"])
def test_a_long_duration_may_be_compound(written):
    """Hours and minutes are how people say an hour."""
    assert findings(f"CTX-011 took {written}.", "memory") == []


@pytest.mark.parametrize("written", ["−0.0944", "-0.0944"])
def test_any_minus_is_a_minus(written):
    """Typography does not change a value."""
    assert findings(f"LR-003: eval/loss {written} against the baseline.") == []


def test_a_sign_that_is_wrong_is_found():
    """The commonest slip in a table of deltas."""
    assert findings("| run | Δ loss |\n|---|---|\n| LR-003 | +0.0944 |") == [("attribution", "+0.0944")]


def test_structure_is_no_claim():
    """List numbers, heading levels, table rules and hidden markers state nothing."""
    text = (
        "# 1. Results\n\n7. LR-003 succeeded.\n8. LR-005 failed.\n\n<!-- entry 42 of 99 -->\n\n| a | b |\n|--:|:--|\n"
    )

    assert findings(text) == []


def test_the_hypothesis_is_no_result():
    """A threshold that was only hoped for must not pass for a measurement."""
    text = "- Hypothesis: the loss falls by at least 0.05.\n- Result: LR-003 lowered the loss by 0.05."

    assert [place for _, place in findings(text)] == ["0.05"]


def test_a_log_line_may_be_quoted_in_part():
    """A quotation shows what matters of a long line."""
    assert findings("```\nFloatingPointError: loss is NaN\n```") == []
    assert findings("```\nFloatingPointError: loss is Inf\n```") == [("quote", "FloatingPointError: loss is Inf")]


def test_a_command_may_not_be_quoted_in_part():
    """A command that lost an option is another command."""
    assert findings("`uv run python -m experiments.lr_sweep`") == [("command", "uv run python -m experiments.lr_sweep")]


def test_every_supported_span_names_its_facts():
    """The review shows what stands behind each number."""
    text = "LR-003 reached 2.3087."

    evidence = {e.text: e.fact_ids for e in verify(text, facts_of("sweep")).evidence}

    assert evidence["2.3087"] == ("LR-003/metric/eval/loss",)


def test_a_finding_keeps_its_name_while_other_text_changes():
    """An accepted finding stays accepted when a typo elsewhere is mended, and a second one like it is new."""
    text = "LR-003 reached 9.99."

    (once,) = verify(text, facts_of("sweep")).findings
    later, second = verify(f"Some words first. {text} {text}", facts_of("sweep")).findings

    assert once.id == later.id != second.id


def test_the_report_is_one_json_object():
    """Other programs read the answer of ``curator verify --json``."""
    answer = to_json(verify("LR-003 reached 9.99.", facts_of("sweep")))

    assert answer["ok"] is False
    assert answer["findings"][0] | {"why": "", "id": ""} == {
        "kind": "number", "text": "9.99", "start": 15, "end": 19, "why": "", "id": "",
    }  # fmt: skip


def test_without_facts_nothing_can_be_stated():
    """An empty record must not let everything through."""
    assert [finding.text for finding in verify("The loss is 2.31.", ()).findings] == ["2.31"]


# -- any value, any text ----------------------------------------------------------------------------------------------

VALUES = st.floats(min_value=1e-3, max_value=1e6)


def one_metric(value: float) -> tuple[Fact, ...]:
    fact = Fact(
        id="A-001/metric/loss",
        kind=FactKind.METRIC,
        value=value,
        subject="A-001",
        name="loss",
        better=Direction.LOWER,
        source="A-001#",
    )
    return (fact,)


@settings(max_examples=60)
@given(VALUES, st.integers(2, 8))
def test_a_value_at_any_precision_passes(value, digits):
    """However many digits a draft shows, rounding alone is never an error."""
    text = f"A-001 reached a loss of {value:.{digits}g}."

    assert verify(text, one_metric(value)).ok


@settings(max_examples=60)
@given(VALUES, st.integers(3, 7), st.data())
def test_a_changed_digit_fails(value, digits, data):
    """One wrong digit within what is written is the error this program exists for."""
    written = f"{value:.{digits}g}"
    assume("e" not in written)
    places = [n for n, c in enumerate(written) if c.isdigit() and written[:n].strip("0.")]
    assume(places)
    place = data.draw(st.sampled_from(places))
    digit = data.draw(st.sampled_from([d for d in "0123456789" if d != written[place]]))
    wrong = written[:place] + digit + written[place + 1 :]
    step = 10.0 ** -len(written.partition(".")[2])
    assume(abs(float(wrong) - value) > step and not wrong.endswith("0"))

    assert not verify(f"A-001 reached a loss of {wrong}.", one_metric(value)).ok


@settings(max_examples=60)
@given(VALUES, VALUES)
def test_what_is_rendered_passes(a, b):
    """A drafter writes facts with ``render``; its own words must not be doubted."""
    metrics = [
        Fact(
            id=f"A-00{n}/metric/loss",
            kind=FactKind.METRIC,
            value=v,
            subject=f"A-00{n}",
            name="loss",
            unit="nats",
            source="x",
        )
        for n, v in ((1, a), (2, b))
    ]
    change = delta(*metrics)
    text = f"A-001 has a loss of {render(metrics[0])}, a change of {render(change)} from {render(metrics[1])}."

    assert verify(text, [*metrics, change]).ok


WORDS = """
LR-001 LR-003 LR-001..LR-004 lr=0.01 eval/loss loss 2.31 3.9 % −0.09 1e9999 9,999 half twice | ` ``` > # - * ( ) [x](y)
http:// 2h31m 12:00 2026-07-01 than not better lower best beats from to vs. : ; , . &nbsp; <b> <!-- \\
"""
PIECES = st.one_of(st.text(max_size=20), st.sampled_from([*WORDS.split(), "\n", "\r\n", " "]))


@settings(max_examples=150)
@given(st.lists(PIECES, max_size=30).map(" ".join))
@example("X\N{SUPERSCRIPT ONE}")
def test_any_text_gets_a_report_whose_offsets_hold(text):
    """Whatever a person or a model writes, the check answers, and every offset points at what it names."""
    report = verify(text, facts_of("sweep"))

    spans: list[Any] = [*report.findings, *report.evidence]
    for span in spans:
        assert 0 <= span.start < span.end <= len(text)
        assert text[span.start : span.end] == span.text
    assert report.ok == (not report.findings)
    assert len({finding.id for finding in report.findings}) == len(report.findings)


@pytest.mark.parametrize(
    "piece",
    ["9" * 5000, "(" * 2000, "`" * 2001, "LR-001, " * 800, "1 to 2 " * 800, "| a " * 1000 + "\n|---\n", "> " * 500],
)
def test_a_pathological_text_is_answered_in_time(piece):
    """A runaway draft must not hang the review."""
    start = time.process_time()

    verify(piece, facts_of("sweep"))

    assert time.process_time() - start < 60
