"""Drafts of sections that are kept current: right lines in the right place, and people's own lines left alone."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.check import check
from curator.draft import DraftKind, DraftStatus
from curator.drafters.sections import OF_ISSUE_BODY, Additions
from curator.drafting import make_drafts
from curator.living import with_additions
from curator.queue import DraftQueue
from marin_research.thread import INDICES, Thread

QUEUE = """\
## Hypothesis queue

### Active
- old

```sh
# no heading
```

### Blocked

- waits
"""


def added(*lines, renews=False, below="", section="Decision log"):
    return Additions(section=section, lines=lines, renews=renews, below=below)


@pytest.mark.parametrize(
    ("current", "new", "expected"),
    [
        (None, added("a"), "## Decision log\n\n- a\n"),
        ("## Decision log\n", added("a"), "## Decision log\n\n- a\n"),
        ("## Decision log\n\n- old", added("a", "b"), "## Decision log\n\n- old\n- a\n- b\n"),
        ("## Decision Log\n* old\n", added("a"), "## Decision Log\n* old\n* a\n"),
        ("## D\n\n- not decided yet\n", added("a"), "## D\n\n- a\n"),
        ("## D\n\n- TBD", added("a"), "## D\n\n- a\n"),
        ("## Results\n\nNone yet.\n", added("a"), "## Results\n\n- a\n"),
        ("## T\n\n- old\n\nWords.", added("new", renews=True), "## T\n\n- new\n- old\n\nWords.\n"),
        ("## T\n- old", added("new", renews=True), "## T\n- new\n- old\n"),
        ("## D\n\nWords.\n\n### Part\n\n- x", added("a"), "## D\n\nWords.\n- a\n\n### Part\n\n- x\n"),
        (QUEUE, added("new", below="Active"), QUEUE.replace("```\n\n### B", "```\n- new\n\n### B")),
        (QUEUE, added("new", below="Elsewhere"), QUEUE.replace("queue\n", "queue\n\n- new\n")),
    ],
)
def test_lines_go_where_people_would_put_them(current, new, expected):
    """At the end of a log, at the top of a summary, under the right part, with the section's own bullets."""
    assert with_additions(current, new) == expected


def test_an_item_keeps_its_own_items_below_it():
    """Also below bullets of another kind, and only where they are not there yet."""
    text = "## D\n\n* old\n* asked\n  - a\n  - b\n"

    assert with_additions("## D\n\n* old\n", added("asked\n- a\n- b")) == text
    assert with_additions(text, added("asked\n- a\n- b")) is None


def test_what_is_there_is_not_added_again():
    """Drafting twice must not say everything twice."""
    assert with_additions("## D\n\n- a\n- b\n", added("b", "a")) is None
    assert with_additions("## D\n\n- a\n", added("a", "b")) == "## D\n\n- a\n- b\n"


def test_a_summary_takes_back_only_what_a_draft_put_there():
    """The newest result replaces ours of last week, and not the sentence of a colleague."""
    current = "## TL;DR\n\n- ours of last week\n- theirs\n"

    renewed = with_additions(current, added("new", renews=True), earlier=["- ours of last week", "- another"])

    assert renewed == "## TL;DR\n\n- new\n- theirs\n"


PUBLISHED = "[entry LR-001](https://github.com/marin-community/marin/blob/0a1b/log.md#lr-001)"


@pytest.mark.parametrize("link", [PUBLISHED, "entry LR-001", "[entry LR-001](logbook:LR-001)"])
def test_a_line_is_known_again_once_its_links_are_closed(link):
    """An issue holds the address of the commit, where the draft could only name the entry."""
    current = f"## TL;DR\n\n- ours, see {link}.\n- theirs, see {link}.\n"
    ours = "- ours, see [entry LR-001](logbook:LR-001)."

    renewed = with_additions(current, added("new", renews=True), earlier=[ours])

    assert renewed == f"## TL;DR\n\n- new\n- theirs, see {link}.\n"
    assert with_additions(current, added(ours.removeprefix("- ")), earlier=[]) is None


def test_a_renewed_section_keeps_the_order_of_its_lines():
    """What did not change goes up with the rest, not below it."""
    current = "## Current baseline\n\n- Date: today\n- Run: LR-001\n- theirs\n"
    new = added("Date: today", "Run: LR-002", renews=True, section="Current baseline")

    renewed = with_additions(current, new, earlier=["- Date: today", "- Run: LR-001"])

    assert renewed == "## Current baseline\n\n- Date: today\n- Run: LR-002\n- theirs\n"


LINE = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"], exclude_characters="\x85"), max_size=12
)


@given(
    lines=st.lists(LINE.map(lambda text: f"- x{text}"), max_size=6), new=st.lists(LINE.map("y{}".format), min_size=1)
)
def test_no_line_of_a_person_is_ever_lost(lines, new):
    """Whatever they wrote there."""
    current = "\n".join(["## D", "", *lines])

    text = with_additions(current, added(*new))

    if text is not None:
        kept = [line.rstrip() for line in text.split("\n")]
        assert [line for line in kept if line.startswith("- x")] == [line.rstrip() for line in lines]


@pytest.fixture
def drafted(sweep, store, monkeypatch, checkout):
    """Drafts sections about the sweep, into the store that holds it, for the thread of the checkout."""
    checkout.declare("goal: find the largest stable rate below 0.5\nconstraints: [400 steps on one device]")
    sweep()
    monkeypatch.chdir(checkout.top)

    def draft(*kinds, runs=None, **more):
        return make_drafts(runs or store.run_ids(), Thread.load("lr-sweep"), store, kinds=kinds, **more)

    return draft


def test_every_section_of_the_logbook_is_drafted_and_verified(drafted, store, checkout):
    """What the template writes needs no finding to be accepted."""
    outcomes = {outcome.draft.title: outcome.draft for outcome in drafted(DraftKind.INDEX) if outcome.draft}

    assert set(outcomes) == set(INDICES)
    for draft in outcomes.values():
        assert check(draft, store).findings == (), draft.text
        assert draft.replaces is None
        assert "logbook:" not in draft.text
    assert "failed: `FloatingPointError: loss is nan at step 19`" in outcomes["Negative results index"].text
    assert outcomes["Hypothesis queue"].text.splitlines()[2:] == [
        (
            "- Hypotheses of LR-002..LR-004. Evidence: entry LR-001..LR-004. "
            "Next: To decide: does the result support each of them?"
        ),
        "  - LR-002: doubling the rate lowers the loss",
        "  - LR-003: this is the best rate",
        "  - LR-004: 0.3 diverges",
    ]
    assert "LR-003" in outcomes["Decision log"].text
    assert outcomes["Current baseline"].text.startswith(
        "## Current baseline\n\n- Date: 2026-11-22\n- Run: LR-001, entry"
    )


def test_lines_that_people_wrote_need_no_facts(drafted, store, checkout):
    """Their numbers are out already; only what a draft adds is checked."""
    theirs = "- 2026-10-01: We keep 17 layers, 3.4x faster. Evidence: #6597."
    checkout.logbook.write_text(checkout.LOGBOOK.replace("## Exp", f"## Decision Log\n{theirs}\n\n## Exp"))

    (outcome,) = drafted(DraftKind.INDEX, sections=["decision log"])

    assert outcome.draft is not None
    assert theirs in outcome.draft.text
    assert outcome.draft.text.startswith("## Decision Log\n")
    assert check(outcome.draft, store).findings == ()


def test_sections_go_from_the_record_into_the_logbook(checkout, drafted, store, monkeypatch):
    """Drafted, approved, published; the next draft of the summary replaces the first."""
    monkeypatch.setenv("MARIN_RESEARCH_ROOT", store.root)
    ids = [outcome.draft.id for outcome in drafted(DraftKind.INDEX) if outcome.draft]
    checkout.curator("approve", *ids)

    checkout.curator("publish", "--approved")

    text = checkout.logbook.read_text()
    assert all(f"## {name}" in text for name in INDICES)
    assert text.index("## Current TL;DR") < text.index("## Current baseline") < text.index("## Experiment Log")
    assert checkout.LOGBOOK.partition("## Experiment Log")[2] in text
    assert all(DraftQueue(store).get(draft_id).status is DraftStatus.PUBLISHED for draft_id in ids)
    assert [outcome.why_none for outcome in drafted(DraftKind.INDEX) if outcome.draft] == []


def test_a_section_that_the_thread_does_not_declare_is_not_edited(checkout, approved):
    """Nothing else of a logbook is ever changed."""
    checkout.logbook.write_text(checkout.LOGBOOK.replace("## Exp", "## Scope\n\n- Goal: rates\n\n## Exp"))
    draft = approved("## Scope\n\n- Goal: more\n", kind=DraftKind.INDEX, replaces="## Scope\n\n- Goal: rates", facts=())

    assert "does not declare 'Scope'" in checkout.curator("publish", draft.id, code=1).err
    assert "- Goal: rates" in checkout.logbook.read_text()


def test_every_section_of_an_issue_is_drafted_from_what_stands_there(drafted, store, checkout, github):
    """The body is read first; sections that are there are added to, the others come new."""
    url = github.open_issue("Experiment: rates", "## Description\r\n\r\nRates.\r\n\r\n## TL;DR\r\n\r\n- by hand\r\n")
    checkout.declare(f"issue: {url}")

    outcomes = drafted(DraftKind.ISSUE_BODY)

    by_title = {outcome.draft.title: outcome.draft for outcome in outcomes if outcome.draft}
    assert set(by_title) == set(OF_ISSUE_BODY)
    for draft in by_title.values():
        assert check(draft, store).findings == (), draft.text
    assert by_title["TL;DR"].replaces == "## TL;DR\n\n- by hand"
    assert by_title["TL;DR"].text.endswith("\n- by hand\n")
    assert "[entry LR-001..LR-004](logbook:LR-001..LR-004)" in by_title["TL;DR"].text
    assert "- Goal: find the largest stable rate below 0.5" in by_title["Scope"].text


def test_the_next_result_takes_the_place_of_the_last_one_in_an_issue(  # noqa: PLR0917 - fixtures
    checkout, here, github, issue, drafted, store, a_run, keep, monkeypatch
):
    """Two baselines side by side, and a best run that is the best no more, are worse than no summary."""
    monkeypatch.setenv("MARIN_RESEARCH_ROOT", store.root)

    def out(**more):
        outcomes = drafted(DraftKind.LOGBOOK, DraftKind.ISSUE_BODY, **more)
        checkout.curator("approve", *(each.draft.id for each in outcomes if each.draft))
        checkout.curator("publish", "--approved", "--push")
        checkout.curator("publish", "--approved", "--push")
        return github.body(7).replace("\r\n", "\n")

    def section(body, name):
        return body.partition(f"## {name}\n")[2].partition("\n## ")[0]

    first = out()
    assert "- Run: LR-001, [entry LR-001..LR-004](https://" in section(first, "Current baseline")
    assert "LR-003" in section(first, "TL;DR")
    keep(a_run("LR-005", baseline=True, metrics={"eval/loss": 2.2}, launch="b", config={"lr": 0.08}))

    second = out(runs=["LR-005"])

    assert "- Run: LR-005, [entry LR-005](https://" in section(second, "Current baseline")
    assert "LR-001" not in section(second, "Current baseline")
    assert [outcome.why_none for outcome in drafted(DraftKind.ISSUE_BODY, runs=["LR-005"]) if outcome.draft] == []


def test_the_results_of_an_issue_say_what_was_measured(drafted, store, checkout, github):
    """The section that readers of the issue open first; each write-up adds to it."""
    url = github.open_issue("Experiment: rates", "## Results\n\nNone yet.\n\n## TL;DR\n")
    checkout.declare(f"issue: {url}")

    (outcome,) = drafted(DraftKind.ISSUE_BODY, sections=["Results"])

    assert check(outcome.draft, store).findings == ()
    assert outcome.draft.text == (
        "## Results\n\n"
        "- [entry LR-001..LR-004](logbook:LR-001..LR-004), in brackets the change against LR-001:\n"
        "  - LR-001 (lr=0.03): eval/loss 2.459 nats/byte\n"
        "  - LR-002 (lr=0.06): eval/loss 2.373 nats/byte (-3.5 %)\n"
        "  - LR-003 (lr=0.1): eval/loss 2.363 nats/byte (-3.9 %)\n"
    )


def test_a_section_that_nobody_keeps_is_one_clear_error(drafted, checkout, store, monkeypatch):
    """A misspelt name must not end in silence."""
    monkeypatch.setenv("MARIN_RESEARCH_ROOT", store.root)

    said = checkout.curator("draft", "lr-sweep", "--kind", "issue-body", "--section", "Nonsense", code=2)
    assert "there is no section 'Nonsense' to keep current; there are Results, TL;DR, Scope," in said.err
    said = checkout.curator("draft", "lr-sweep", "--section", "Decision log", code=2)
    assert "--kind logbook-index or --kind issue-body" in said.err
    assert said.out == ""


def test_without_an_issue_or_a_network_the_reason_is_said(drafted, store, checkout, monkeypatch):
    """Nobody waits for a draft that cannot be made."""
    outcomes = drafted(DraftKind.ISSUE_BODY)
    assert {"curator kickoff" in (outcome.why_none or "") for outcome in outcomes} == {True}

    checkout.declare("issue: https://github.com/marin-community/marin/issues/7")
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    outcomes = drafted(DraftKind.ISSUE_BODY)
    assert {"cannot be reached" in (outcome.why_none or "") for outcome in outcomes} == {True}


@pytest.mark.parametrize(
    ("option", "why"),
    [
        (["--model", "claude-opus-5-5"], "--model is for a model"),
        (["--budget", "90000"], "--budget is for a model"),
        (["--deadline", "30"], "--deadline is for a model"),
        (["--kind", "closing", "--each"], "--each does not go with --kind closing"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[-1],
)
def test_an_option_that_does_not_apply_is_refused(checkout, drafted, store, monkeypatch, option, why):  # noqa: PLR0917 - fixtures
    """Somebody would believe that a model wrote the draft, or wait for one write-up per run."""
    monkeypatch.setenv("MARIN_RESEARCH_ROOT", store.root)

    assert why in checkout.curator("draft", "lr-sweep", *option, code=2).err
    assert DraftQueue(store).all() == []


def test_one_reason_for_all_sections_is_said_once_and_is_a_failure(checkout, drafted, store, monkeypatch):
    """Six lines alike, a success for the script that asked, and advice to publish what was only to be drafted."""
    monkeypatch.setenv("MARIN_RESEARCH_ROOT", store.root)
    draft = ["draft", "lr-sweep", "--kind", "issue-body", "--section", "TL;DR", "--section", "Scope"]

    without_issue = checkout.curator(*draft, code=1)

    (line,) = [line for line in without_issue.err.splitlines() if line.startswith("no issue-body draft")]
    assert line.startswith("no issue-body draft (TL;DR, Scope): ")
    assert "curator kickoff lr-sweep" in line
    assert without_issue.out == ""
    checkout.declare("issue: https://github.com/marin-community/marin/issues/7")
    offline = checkout.curator(*draft, code=1, GITHUB_API_URL="http://127.0.0.1:9").err
    assert offline.count("cannot be reached") == 1
    assert "publish" not in offline
    said = checkout.curator("draft", "lr-sweep", "--kind", "logbook", "--kind", "issue-body")
    assert "drafted LR-D001  logbook" in said.out
    assert said.out.count("no issue-body draft") == 1


def test_the_final_summary_is_about_the_whole_thread(drafted, store, checkout, monkeypatch):
    """Whatever worked or did not, in one comment, with the label and the steps that are left."""
    monkeypatch.setenv("MARIN_RESEARCH_ROOT", store.root)

    said = json.loads(checkout.curator("draft", "lr-sweep", "--kind", "closing", "--json").out)

    (outcome,) = said
    text = outcome["draft"]["text"]
    for part in ("What worked", "What did not work", "Confidence and limitations", "Conclusion", "Next steps"):
        assert f"### {part}" in text
    asked = [finding.text for finding in check(DraftQueue(store).get(outcome["draft"]["id"]), store).findings]
    assert [text for text in asked if text.startswith("To fill in")] == [
        "To fill in: what was decided, and why? It belongs into the issue's body too.",
        "To fill in: link the tag of the final snapshot.",
    ]
    assert "To decide: does the result support the hypothesis (LR-002..LR-004)?" in asked
