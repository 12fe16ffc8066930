"""The head of a text is verified like its body: value by value, as it is read and not as YAML writes it."""

from __future__ import annotations

import pytest

from curator.front_matter import join
from curator.verify import verify
from curator.verify.text.fields import fields
from tests.evaluation import records

FULL = "OSError: [Errno 28] No space left on device: '/scratch/minhash/bands-31.parquet'"
"""A recorded line of DEDUP-005."""
FACTS = records.facts_of("dedup")


def findings(text: str) -> list[tuple[str, str]]:
    return [(finding.text, finding.why) for finding in verify(text, FACTS).findings]


@pytest.mark.parametrize(
    "head",
    [
        join({"notes": f"It failed: `{FULL}`. DEDUP-003 has the best eval/loss."}, ""),
        join({"task": {"issues": [f"bands=40: `{FULL}`", "none"]}}, ""),
        join({"notes": f"DEDUP-005 failed.\n\n    `{FULL}`\n"}, ""),
        f'---\nnotes: "It failed: `{FULL}`.\\nDEDUP-003 has \\\n  the best eval/loss."\n---\n',
        f"---\nnotes: |-\n  `{FULL}`\n\n      DEDUP-003 has the best eval/loss.\n---\n",
    ],
)
def test_a_quoted_line_is_found_however_yaml_writes_it(head):
    """Whoever edits a session report must not be warned of its quotes and its line breaks."""
    assert findings(head) == []


def test_each_field_speaks_for_itself():
    """The settings in a title are not those of the machine in the next field."""
    head = join({"title": "OSError with bands=40, threshold=0.8", "environment": "16 × TPU v5e, as declared"}, "")

    assert findings(head + "\nDEDUP-005 failed.\n") == []
    assert [text for text, _ in findings(head.replace("16 ×", "32 ×"))] == ["32 ×"]


def test_what_is_wrong_in_a_field_is_found_where_it_stands():
    """Behind a folded line, too; and the body behind the head keeps its places."""
    text = join({"notes": f"{'It is as before. ' * 9}DEDUP-003 has an eval/loss of 2.5 nats/token."}, "LR is 3.7.\n")

    found = verify(text, FACTS).findings

    assert [text[f.start : f.end] for f in found] == [f.text for f in found]
    assert [f.text for f in found] == ["2.5 nats/token", "3.7"]


def test_a_head_that_is_no_yaml_is_verified_as_text():
    """It is refused elsewhere; what it claims is checked all the same."""
    text = "---\nnotes: 'open\n---\n\nDEDUP-003 has an eval/loss of 2.5 nats/token.\n"

    assert fields(text) == ((), 0)
    assert "2.5 nats/token" in [found for found, _ in findings(text)]
