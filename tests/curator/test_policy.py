"""Policy lines of logbooks: found however people put them, shown at approval, obeyed until a person says otherwise."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from curator.draft import DraftKind
from curator.policy import policies
from marin_research.logbook import parse

COMMENT, BODY, POST = DraftKind.ISSUE, DraftKind.ISSUE_BODY, DraftKind.POST
SAID = {
    "No issue comments unless asked.": {COMMENT},
    "- **Policy**: no issue comments unless asked": {COMMENT},
    "Do not comment on the issue; the owner posts updates.": {COMMENT},
    "Please don't comment on #1234 without asking me first.": {COMMENT},
    "Please don’t comment on the issue.": {COMMENT},
    "Issue comments only when explicitly requested.": {COMMENT},
    "Comments on the issue require approval.": {COMMENT},
    "No GitHub comments.": {COMMENT},
    "Avoid commenting on the PR.": {COMMENT},
    "No issue updates unless asked": {COMMENT},
    "Updates to the issue need my approval": {COMMENT},
    "Do not edit the issue body.": {BODY},
    "Leave the issue description alone.": {BODY},
    "Do not open a GitHub issue for this thread.": {DraftKind.KICKOFF},
    "Don't close the issue.": {DraftKind.CLOSING},
    "Never post results to SkillEvolve.": {POST},
    "Do not push results to the public forum": {POST},
    "do not publish cluster names": {COMMENT, BODY, POST},
    "Cluster names are not to be published.": {COMMENT, BODY, POST},
    "Do not mention host names in public.": {COMMENT, BODY, POST},
    "Never publish the bucket paths": {COMMENT, BODY, POST},
    "Ask before posting to the issue.": {COMMENT, BODY},
    "Hold off on posting until Friday's sync.": {COMMENT, POST},
    "Only post milestones to the issue when asked": {COMMENT},
    "- **Publishing:** nothing without sign-off from the lead": {COMMENT, BODY, POST},
    "Nothing in this logbook may be shared outside the team.": {COMMENT, BODY, POST},
    "Results must not be published before the release.": {COMMENT, BODY, POST},
    "No public posts.": {POST},
    "Keep all numbers private until the paper is out.": {COMMENT, BODY, POST},
    "This logbook is internal only.": {COMMENT, BODY, POST},
}
NOT_SAID = """
- Result: no issues so far.
Do not restart or bounce Iris; do not contend with the concurrent rack family.
No drops were seen in the public stable profile.
The post-training loss does not share the trend.
We never shared the embedding between layers.
Do not comment out the assertion.
The job cannot upload checkpoints; retry.
Published the dataset to the bucket. Nothing was posted yet.
Keep the internal state private to the module.
The post-norm variant must not be used without warm-up.
Weights are shared only if tie_embeddings is set.
The comment in the config says lr=1e-3. No new issues found in the sweep.
Avoid sharing the host memory across processes.
Command: `gh issue comment --body "do not publish cluster names"`
"""


@pytest.mark.parametrize("line", SAID)
def test_a_policy_is_understood(line):
    """Each of these was meant for whoever publishes."""
    (policy,) = policies(parse(f"# T\n\n## Scope\n\n{line}\n- Goal: rates\n".encode()))

    assert policy.line == 5
    assert SAID[line] <= policy.forbids
    assert (POST in policy.forbids) >= (POST in SAID[line])


@pytest.mark.parametrize("line", NOT_SAID.strip().splitlines())
def test_what_is_no_policy_is_let_be(line):
    """A finding on every comment because of a word in a result would teach people to accept findings."""
    assert policies(parse(line.encode())) == []


def test_code_blocks_say_nothing():
    """A script that prints such a line is no policy of the thread."""
    assert (
        policies(parse(b"```sh\nno issue comments unless asked\n```\n<!-- no issue comments unless asked\n-->\n")) == []
    )


CORPUS = os.environ.get("MARIN_RESEARCH_CORPUS")


@pytest.mark.skipif(not CORPUS, reason="MARIN_RESEARCH_CORPUS names no folder of logbooks")
def test_real_logbooks_without_policies_have_none():
    """They speak of publishing, sharing and issues all the time."""
    found = {path.name: policies(parse(path.read_bytes())) for path in sorted(Path(CORPUS or "").glob("*.md"))}

    assert {name: lines for name, lines in found.items() if lines} == {}


LINE = "- Policy: no issue comments unless asked."
POLICY = f"# Rates\n\n{LINE}\n\n## Experiment Log\n\n### 2026-11-20 09:00 - LR-002 x\n- y\n"


@pytest.fixture
def comment(checkout, here, issue, git):
    """A draft of a comment, in a thread whose logbook asks for none."""
    checkout.logbook.write_text(POLICY)
    git(checkout.top, "commit", "--quiet", "--all", "--message", "policy")
    git(checkout.top, "push", "--quiet")
    return checkout.draft(checkout.UPDATE, kind=COMMENT, runs=("LR-002",), target=issue)


def test_a_policy_is_shown_and_has_to_be_gone_past(checkout, comment, github):
    """Nobody can say that they did not see it, and a yes to it stays in the log."""
    said = checkout.curator("show", comment.id).out
    assert "line 3 of the logbook says: Policy: no issue comments unless asked." in " ".join(said.split())
    refused = checkout.curator("approve", comment.id, code=1).err
    finding = refused.partition("(")[2].partition(")")[0]

    checkout.curator("approve", comment.id, "--accept", finding)
    checkout.curator("publish", comment.id)

    assert len(github.bodies(7)) == 1
    assert "no issue comments" in checkout.curator("log", "--json").out


def test_an_entry_is_not_a_comment(checkout, comment):
    """The policy is about the issue; the logbook goes on."""
    assert "approved" in checkout.curator("approve", checkout.draft().id).out


def test_a_policy_that_came_after_the_approval_is_obeyed(checkout, here, github, issue, approved):
    """Somebody wrote it into the logbook while the draft was waiting."""
    entry = approved()
    comment = approved(checkout.UPDATE, kind=COMMENT, runs=("LR-002",), target=issue)
    checkout.logbook.write_text(
        checkout.LOGBOOK.replace("## Exp", "No issue comments, please, unless asked.\n\n## Exp")
    )

    said = checkout.curator("publish", "--approved", "--push").out

    assert f"{entry.id}  published" in said
    assert f"{comment.id}  waits: line 3 of the logbook says" in said
    assert github.bodies(7) == []
    finding = said.partition("--accept ")[2].split()[0]
    checkout.curator("approve", comment.id, "--accept", finding)
    assert "published" in checkout.curator("publish", comment.id).out
