"""What a person sees of a draft: all of it, with each doubt where it stands."""

from __future__ import annotations

import io
import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from curator.page import page
from curator.plain import visible
from curator.verify import verify


def page_of(draft, width):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    return [line.plain for line in page(draft, verify(draft.text, draft.facts), console, full=True)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t"), min_size=1, max_size=300),
    width=st.integers(50, 120),
)
def test_any_text_is_shown_whole_and_fits(checkout, text, width):
    """What is cut off or hidden on the screen would be signed unseen."""
    shown = page_of(checkout.draft(text), width)

    rows = [re.fullmatch(r" +(\d*) │ (.*)", row, re.DOTALL) for row in shown if "│" in row[:8]]
    assert all(cell_len(row) <= width for row in shown)
    whole = "".join(row[2] for row in rows if row)
    assert re.sub(r"\s", "", whole) == re.sub(r"\s", "", visible(text))
    assert [int(row[1]) for row in rows if row and row[1]] == list(
        range(1, len(text.removesuffix("\n").split("\n")) + 1)
    )


def test_a_finding_is_marked_where_it_stands(checkout):
    """Whoever reads must see which number is meant, not only that there is one."""
    draft = checkout.draft(checkout.WRONG)
    shown = page_of(draft, 80)
    at = next(number for number, row in enumerate(shown) if "-9.1 %" in row)

    finding = verify(draft.text, draft.facts).findings[0].id
    assert shown[at + 1].replace("╵", " ").split() == ["^^^^^^", finding]
    assert shown[at + 1].index("^^^^^^") == shown[at].index("-9.1 %")


def test_wide_tables_are_broken_between_their_cells(checkout):
    """A row that is broken anywhere cannot be read, and who cannot read should not sign."""
    rows = [
        "| run    | learning rate | loss (nats/byte, lower is better) |",
        "| LR-001 | 0.03          | 2.459                             |",
    ]
    shown = page_of(checkout.draft("\n".join(rows)), 50)

    assert [row.partition("│ ")[2] for row in shown if "│" in row[:8]] == [
        "| run    | learning rate",
        "  | loss (nats/byte, lower is better) |",
        "| LR-001 | 0.03",
        "  | 2.459                             |",
    ]


def test_what_was_taken_out_is_said(checkout):
    """Whoever reads must know that the text is not all there was."""
    draft = checkout.draft(checkout.ENTRY + "\nexport TOKEN=[REDACTED:github]\n")

    assert any("1 secret taken out" in row for row in page_of(draft, 80))
