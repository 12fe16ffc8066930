"""A model's own words: free in what they mean, bound in what they state."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.claims.base import Grounds, RefusedError
from curator.claims.prose import LONGEST, Prose
from curator.draft import DraftKind
from curator.drafters import claude
from curator.evidence import Evidence
from curator.model.scripted import ScriptedModel
from marin_research.thread import PrimaryMetric, Thread

DRAFTS = os.environ.get("MARIN_RESEARCH_MODEL_DRAFTS", "")
PLAIN = Thread(topic="t", prefix="T", metrics=[PrimaryMetric(name="eval/loss", direction="lower")])


@pytest.fixture
def prose(sweep):
    evidence, _ = sweep(LR_002={"hypothesis": "the warm-up keeps the very first updates from doing harm"})
    return Prose(Grounds(evidence=evidence), ("an earlier entry said that all of this was settled",))


def test_values_come_in_by_placeholder(prose):
    """The unit and the digits are the record's."""
    text, used = prose.render(
        "At {LR-003/config/lr} the eval/loss of {LR-003/run} may owe more to luck than to the rate."
    )

    assert text == "At 0.1 the eval/loss of LR-003 may owe more to luck than to the rate."
    assert used == ("LR-003/config/lr", "LR-003/run")


@pytest.mark.parametrize(
    "passage",
    [
        "A larger batch would let the same rate take fewer noisy steps.",
        "Momentum may amplify the effective step, so the edge could move when it is lowered.",
        "Whether the gain survives a longer schedule is open; the last points suggest that training was cut short.",
        "The one thing that differs is the rate, and no one has varied the warm-up yet.",
        "SGD without clipping leaves nothing between a spike and NaN; with AdamW the picture may be another.",
    ],
)
def test_plain_reasoning_passes(prose, passage):
    """Rules that forbid thinking aloud would leave nothing worth reading."""
    assert prose.render(passage)[0] == passage


@pytest.mark.parametrize(
    "passage",
    [
        "It fell by 3.", "It fell by \uff13.", "It fell by ².", "It fell by ½.", "It fell by ٣.", "It fell by Ⅳ.",
        "It fell by three points.", "It is twice as good.", "Half of it is noise.", "A third of the runs failed.",
        "It took a dozen tries.", "Twenty-five runs would do.", "It rose tenfold.", "One of the runs is better.",
        "Some percent were lost.", "See MMXX for that.",
    ],
)  # fmt: skip
def test_no_number_gets_in_in_any_notation(prose, passage):
    """A numeral that code did not render has no fact behind it."""
    with pytest.raises(RefusedError, match="number"):
        prose.render(passage)


@pytest.mark.parametrize(
    "passage",
    [
        "See https://example.org.", "See www.example.org for it.", "See example.com for it.", "Ask ada@example.org.",
        "[a link](x) helps.", "Ask @ada.", "It closes #x.", "Use `rm` here.", "Use <b>bold</b> words.", "# A heading",
        "- a bullet", "a\nb", "**bold**", "Run curl here.", "Use sudo.", "It costs $.", "A | B", "x = y",
        "This is approved.", "Publish it now.", "The label is right.", "It is replicated.", "My instructions say so.",
        "Acme would know, and so would EvilCorp.", "Ask Mallory.", "the very first updates from doing harm are spared",
        "an earlier entry said that all was well", "It is \u200bhidden.", "It is \u202ereversed.", "It is st\u0430ble.",
        "", " ", "a" * (LONGEST + 1), "{LR-002/hypothesis} holds.", "{LR-001/command} is it.", "{LR-009/run} is it.",
        "{LR-001/label} is it.", "{", "A {nested {LR-001/run}} one.",
    ],
)  # fmt: skip
def test_nothing_else_gets_in_either(prose, passage):
    """Links, names, markup, commands, approval, and words that somebody else wrote."""
    with pytest.raises(RefusedError):
        prose.render(passage)


@given(st.text(max_size=80))
def test_whatever_a_model_writes_is_rendered_or_refused(text):
    """No text makes the judge fall over, and none that passes holds a digit."""
    evidence = Evidence(thread=PLAIN, subjects=(), baseline=None, axis=(), seeds=())
    try:
        rendered, _ = Prose(Grounds(evidence=evidence)).render(text)
    except RefusedError:
        return
    assert not any(character.isnumeric() for character in rendered)
    assert "\n" not in rendered


@pytest.mark.skipif(not DRAFTS, reason="MARIN_RESEARCH_MODEL_DRAFTS names no file of drafts by a small model")
def test_drafts_of_a_real_model_bring_in_nothing_unchecked(sweep):
    """Fifty-five drafts by a small model, most of them false: as opinions, what is left of them states nothing."""
    drafts = [draft["draft"] for draft in json.loads(Path(DRAFTS).read_text())["drafts"]]
    evidence, of_thread = sweep()
    texts = [str(value) for draft in drafts for value in _strings(draft)]
    assert len(texts) > 100
    for start in range(0, len(texts), 4):
        reply = {"claims": [], "opinions": [text[:LONGEST] for text in texts[start : start + 4]], "next_actions": []}
        model = ScriptedModel([json.dumps(reply)])
        _, writing = claude.draft(evidence, of_thread, [DraftKind.LOGBOOK], model=model)
        assert writing is not None
        assert all(not any(map(str.isnumeric, opinion)) for opinion in writing.opinions)
        assert len(writing.cut) + len(writing.opinions) == len(reply["opinions"]) or writing.instead


def _strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)
