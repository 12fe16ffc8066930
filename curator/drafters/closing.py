"""The final summary of an experiment issue: what worked, what did not, how sure that is, and what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curator.drafters import wording
from curator.drafters.reading import Reading, opinion_mark
from curator.drafters.sections import Additions, additions

if TYPE_CHECKING:
    from curator.confidence import Label
    from curator.evidence import Evidence


def closing_text(evidence: Evidence, rating: Label, reading: Reading) -> str:
    """The comment that ends the issue, as Markdown.

    Args:
        evidence: the thread's runs and their facts.
        rating: the confidence label of the headline.
        reading: what it says beyond the bare facts.
    """
    thread = evidence.thread
    marker = f"{thread.agent_marker} " if thread.agent_marker else ""
    negative = additions(evidence, rating, reading, "Negative results index", linked=False)
    failed = map(wording.bullet, negative.lines) if isinstance(negative, Additions) else ()
    refuted = [wording.bullet(finding) for finding in reading.findings if " refuted" in finding]
    worked = [wording.bullet(f) for f in reading.findings if "did not reach" not in f and " refuted" not in f]
    lines = [
        f"{marker}Final summary: {thread.title or thread.topic}",
        "",
        "### What worked",
        "",
        *(worked or ["- nothing that the record shows"]),
        "",
        "### What did not work",
        "",
        *([*refuted, *failed] or ["- nothing that the record shows"]),
        "",
        "### Confidence and limitations",
        "",
        f"- Confidence: {rating.confidence} ({rating.reason})",
        *(f"- {caveat}" for caveat in reading.caveats if "pples to apples" in caveat),
        "",
        "### Conclusion",
        "",
        "- To fill in: what was decided, and why? It belongs into the issue's body too.",
        *(f"- {opinion_mark(reading.author)} {opinion}" for opinion in reading.opinions),
        "",
        "### Next steps",
        "",
        *(f"{number}. {action}" for number, action in enumerate(reading.actions, start=1)),
        "",
        "### Links",
        "",
        "- Tag: To fill in: link the tag of the final snapshot.",
        f"- Logbook: {wording.entry_link(evidence.runs)}",
        f"- W&B: {wording.wandb(evidence)}",
    ]
    return "\n".join(lines) + "\n"
