"""Drafting with a model: what it says right is in the draft, what it says wrong is not, and a reader can tell."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from curator.claims.base import Grounds
from curator.draft import Draft, DraftKind, text_sha256
from curator.drafters import claude, template
from curator.drafters.prompt import compose
from curator.failure import ToRead
from curator.model.port import ModelError
from curator.model.scripted import ScriptedModel
from curator.page import page
from curator.verify import verify
from marin_research.record import End, ExceptionInfo, Status
from marin_research.redact import Redactor

LOSS = "metric/eval/loss"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_an_honest_answer_becomes_the_interpretation(sweep, written, honest):
    """Claims first, in the model's order; then what no write-up leaves out; then opinion, marked as what it is."""
    record = sweep()

    text, writing = written(record, honest)

    lines = [line.strip() for line in text.partition("- Interpretation:")[2].splitlines() if line.strip()]
    assert [line[:34] for line in lines] == [
        "- Over `lr` from 0.03 to 0.1, eval",
        "- LR-003 (lr=0.1) has the best eva",
        "- Likely cause of the failure of L",
        "- Apples to apples: only `lr` diff",
        "- (opinion of scripted) The last s",
        "- Next action:",
        "- Try `lr` between 0.1 (LR-003, su",
        "- To decide: does the result suppo",
    ]
    assert verify(text, tuple(record[0].facts.values())).ok
    assert (writing.rounds, writing.cut) == (1, ())


def test_the_rest_of_the_entry_is_the_templates(sweep, written, honest):
    """Commit, command, config, devices, table and label are not a model's to write."""
    record = sweep()
    evidence, of_thread = record
    (plain,) = template.draft(evidence, of_thread, [DraftKind.LOGBOOK])

    text, _ = written(record, honest)

    assert isinstance(plain.content, template.Entry)
    assert text.partition("- Interpretation:")[0] == plain.content.body.partition("- Interpretation:")[0]


def test_a_failure_that_the_model_passes_over_is_told_all_the_same(sweep, written, honest):
    """Failures are first-class data; a model cannot leave one out."""
    honest["claims"] = honest["claims"][1:2]

    record = sweep()

    for kind in (DraftKind.LOGBOOK, DraftKind.ISSUE):
        text, _ = written(record, honest, kind=kind)
        assert "LR-004 (lr=0.3) failed" in text
        assert "Likely cause, a hypothesis: its numbers stopped being finite." in text


def test_hypotheses_that_came_out_alike_are_one_item(sweep, written, honest):
    """Ten runs that all did what was hoped are one thing to read; what each expected and what came stands below it."""
    tests = {
        "LR-002": {"test": "compared", "value": f"LR-002/{LOSS}", "reference": f"LR-001/{LOSS}", "relation": "lower"},
        "LR-003": {"test": "extreme", "value": f"LR-003/{LOSS}", "which": "lowest"},
        "LR-004": {"test": "ended", "run": "LR-004/status", "how": "diverged"},
    }
    honest["claims"] += [
        {"kind": "hypothesis", "hypothesis": f"{run}/hypothesis", "tests": [test], "outcome": "supported"}
        for run, test in tests.items()
    ]
    record = sweep()

    for kind, indent in ((DraftKind.LOGBOOK, "  "), (DraftKind.ISSUE, "  "), (DraftKind.CLOSING, "")):
        text, writing = written(record, honest, kind=kind)

        assert writing.cut == ()
        lines = text.splitlines()
        at = lines.index(f"{indent}- The hypotheses of LR-002, LR-003 and LR-004 are supported.")
        assert lines[at + 1 : at + 4] == [
            (
                f"{indent}  - LR-002: it expected a lower eval/loss than LR-001; "
                "the record has 2.373 nats/byte for LR-002 against 2.459 nats/byte for LR-001 (-3.5 %)."
            ),
            (
                f"{indent}  - LR-003: it expected the lowest eval/loss of these runs; "
                "the record has 2.363 nats/byte for LR-003."
            ),
            f"{indent}  - LR-004: it expected divergence; the record has status failed for LR-004.",
        ]
        assert [f.text for f in verify(text, tuple(record[0].facts.values())).findings if "To fill" not in f.text] == []


def outcome(run, *tests, said="supported"):
    """A claim about what became of a hypothesis."""
    return {"kind": "hypothesis", "hypothesis": f"{run}/hypothesis", "tests": list(tests), "outcome": said}


def next_actions(text):
    """The items below Next action."""
    return [line.strip() for line in text.partition("- Next action:\n")[2].splitlines()]


def test_a_hypothesis_that_the_model_passes_over_is_asked_about(sweep, written, honest):
    """What was stated before the runs would be neither answered nor asked; what the model judged is not asked again."""
    honest["claims"].append(outcome("LR-004", {"test": "ended", "run": "LR-004/status", "how": "diverged"}))

    text, writing = written(sweep(), honest)

    assert writing.cut == ()
    assert next_actions(text)[1:] == ["- To decide: does the result support the hypothesis (LR-002, LR-003)?"]


def test_a_model_without_a_next_step_leaves_no_empty_field(sweep, written, honest):
    """The entry would end in a heading with nothing below it; the template's questions stand there instead."""
    record = sweep()
    honest["next_actions"] = []
    honest["claims"].append(outcome("LR-002", said="inconclusive"))
    honest["claims"].append(outcome("LR-003", {"test": "extreme", "value": f"LR-003/{LOSS}", "which": "lowest"}))

    text, writing = written(record, honest)

    assert writing.cut == ()
    assert next_actions(text) == [
        "- To decide: does the result support the hypothesis (LR-004)?",
        "- To decide: should LR-003 become the baseline before it is repeated with another seed?",
        "- To decide: is the failure of LR-004 expected, or worth another run?",
    ]
    for kind, below in ((DraftKind.ISSUE, "- Next:\n"), (DraftKind.CLOSING, "### Next steps\n\n")):
        again, _ = written(record, honest, kind=kind)
        assert again.partition(below)[2].lstrip(" -1.").startswith("To decide: ")


def test_what_is_new_since_the_last_entry_can_be_said(sweep, written, honest, keep, a_run):
    """A reader of the logbook wants to know what changed; earlier runs are facts too, and only those that are named."""
    before = {"launch": "20261121T090000Z-bbbbbb", "started": NOON - timedelta(days=1), "label": "lr=0.02"}
    config = {"lr": 0.02, "seed": 0, "steps": 400}
    for run_id, loss in (("LR-008", 2.7), ("LR-009", 2.6)):
        keep(a_run(run_id, metrics={"eval/loss": loss}, config=config, **before))
    record = sweep()
    claim = {"kind": "since_last", "run": "LR-003/run", "previous": "LR-009/run", "metric": "eval/loss"}
    honest["claims"].append(claim | {"verdict": "better"})

    text, writing = written(record, honest)

    assert not writing.cut, writing.cut
    assert (
        "New since LR-009: LR-003 has `lr=0.1`, LR-009 had `lr=0.02`. LR-003 has a better eval/loss than LR-009: "
        "2.363 nats/byte against 2.600 nats/byte (-9.1 %)."
    ) in text
    assert writing.cut == (), writing.cut
    facts = record[0].facts
    assert verify(text, tuple(facts.values())).ok
    assert "LR-009/metric/eval/loss" in facts
    assert not [fact_id for fact_id in facts if fact_id.startswith("LR-008")]


def test_an_earlier_error_of_the_same_kind_is_named(  # noqa: PLR0917 - fixtures
    sweep, written, honest, keep, a_run, tmp_path, git
):
    """A dead end that was walked before, in the records or in the index of negative results."""
    error = ExceptionInfo(type="FloatingPointError", message="loss is nan at step 7", traceback="")
    ended = End(status=Status.FAILED, time=NOON - timedelta(hours=23), why="it raised", exception=error)
    other = End(status=Status.FAILED, time=NOON - timedelta(hours=23), why="it raised", exception=None)
    for run_id, end in (("LR-008", ended), ("LR-009", other)):
        keep(a_run(run_id, launch="20261121T090000Z-bbbbbb", started=NOON - timedelta(days=1), end=end))
    git(tmp_path, "init", "-q")
    book = tmp_path / ".agents/logbooks/lr-sweep.md"
    book.parent.mkdir(parents=True)
    book.write_text(
        "# Rates\n\n## Negative results index\n- FloatingPointError above a rate of 0.2: it diverges to NaN\n"
        "- Larger batches: no gain\n\n## Experiment Log\n"
    )
    record = sweep()
    evidence, of_thread = record
    (plain,) = template.draft(evidence, of_thread, [DraftKind.ISSUE])

    for text in (written(record, honest)[0], str(plain.content)):
        assert "LR-008 failed with the same error before LR-004." in text
        assert "LR-009" not in text
        assert "`FloatingPointError above a rate of 0.2: it diverges to NaN`" in text
        assert "Larger batches" not in text
        assert verify(text, tuple(record[0].facts.values())).ok


def test_posts_about_an_error_are_links_to_read(sweep, written, honest):
    """Somebody may have met it before; what they wrote is for a person to read, and no model is shown it."""
    evidence, of_thread = sweep()
    asked = []

    def search(template):
        asked.append(template)
        return [ToRead(title="Loss is NaN above rate 0.2", link="https://forum.example/forum/7")]

    evidence = evidence.with_posts(search)
    text, _ = written((evidence, of_thread), honest)

    assert asked == ["FloatingPointError: loss is nan at step <*>"]
    assert (
        "To read on this error, from the community: `Loss is NaN above rate 0.2` https://forum.example/forum/7" in text
    )
    assert verify(text, tuple(evidence.facts.values())).ok
    prompt = compose(Grounds(evidence=evidence), (), Redactor())
    assert "forum" not in prompt.request({}, 100).turns[0].text


def test_what_does_not_fit_into_the_budget_is_left_out_by_importance(sweep, written, honest):
    """Other settings go before main metrics do, and what is missing is said."""
    more = {f"option_{n}": "x" * 200 for n in range(100)}
    rates = {"LR_001": 0.03, "LR_002": 0.06, "LR_003": 0.1, "LR_004": 0.3}
    record = sweep(**{run: {"config": {"lr": rate, "seed": 0, "steps": 400} | more} for run, rate in rates.items()})

    text, writing = written(record, honest, budget_tokens=36_000)

    (left,) = writing.left_out
    assert left.endswith(" of 408 other settings")
    assert 0 < int(left.split()[0]) < 408
    assert "falls throughout" in text


def test_there_is_no_mending_beyond_the_budget(sweep, written, honest):
    """A model that never gets it right must not cost without end."""
    honest["opinions"].append("It took 3 hours.")

    _, writing = written(sweep(), honest, budget_tokens=5_500, max_output_tokens=20)

    assert writing.rounds < 3
    assert writing.cut


def test_an_error_of_our_own_costs_no_draft(sweep, written, honest, monkeypatch, caplog):
    """Whatever is wrong with the reading of an answer, the runs are written up."""
    monkeypatch.setattr(claude, "judge", lambda *_: 1 / 0)

    text, writing = written(sweep(), honest)

    assert "To decide:" in text
    assert "could not be read (ZeroDivisionError)" in writing.instead
    assert "division by zero" in caplog.text


def test_runs_from_the_cache_need_no_model(sweep, store):
    """Nothing new was measured, so there is nothing to pay for."""
    evidence, of_thread = sweep()
    cached = tuple(replace(s, run=replace(s.run, status=Status.CACHED)) for s in evidence.subjects)
    model = ScriptedModel([ModelError("it was asked")])

    drafts, writing = claude.draft(replace(evidence, subjects=cached), of_thread, [DraftKind.LOGBOOK], model=model)

    assert writing is None
    assert model.requests == []
    assert drafts[0].content is not None


def test_nothing_but_facts_is_evidence(sweep, written, honest):
    """A number from the hypothesis, the goal or an earlier entry is not a result."""
    record = sweep(thread={"title": "below 1.5 nats"}, LR_002={"hypothesis": "the loss falls below 2.2"})
    honest["opinions"] = [
        "The loss falls below {LR-002/hypothesis}.",
        "It is below 1.5 now.",
        "The loss falls below 2.2.",
    ]

    _, writing = written(record, honest)

    assert {cut.said for cut in writing.cut} == set(honest["opinions"])


@pytest.fixture
def shown(sweep, written, honest):
    """A drafted entry as a reviewer sees it."""

    def show(reply, width=100):
        record = sweep()
        text, writing = written(record, reply)
        draft = Draft(
            id="LR-D001",
            kind=DraftKind.LOGBOOK,
            thread="lr-sweep",
            runs=record[0].runs,
            title="lr sweep",
            target="a.md",
            text=text,
            facts=tuple(record[0].facts.values()),
            drafter="claude",
            drafted_sha256=text_sha256(text),
            created=NOON,
            changed=NOON,
            writing=writing,
        )
        seen = io.StringIO()
        console = Console(file=seen, width=width, force_terminal=True, color_system="standard")
        for line in page(draft, verify(text, draft.facts), console):
            console.print(line)
        return seen.getvalue()

    return show


def test_a_reviewer_sees_opinion_cost_and_what_was_cut(shown, honest):
    """Magenta italics are a model's own words; what it got wrong is listed."""
    honest["opinions"].append("It took 3 hours.")

    seen = shown(honest)

    assert "\x1b[3;35mThe last step along the axis brought little" in seen.replace("\x1b[0m", "")
    assert "2 passages in other type" in seen
    assert "Cut out of the model's answer" in seen
    assert "It took 3 hours." in seen
    assert "tokens in" in seen


def test_a_draft_of_an_older_program_stays_readable(checkout):
    """Drafts that were made before models took part have no such field."""
    draft = checkout.draft()
    raw = json.loads(checkout.queue.store.objects.get(f"drafts/{draft.id}/000000.json"))
    del raw["writing"]
    checkout.queue.store.objects.put_new("drafts/LR-D900/000000.json", json.dumps(raw | {"id": "LR-D900"}).encode())

    assert checkout.queue.get("LR-D900").writing is None
