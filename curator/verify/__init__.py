"""Checks a draft's final text against the facts: what no fact supports is listed with its place.

Whoever wrote the text, it is read as a careful colleague reads it who knows the record: every numeral, comparison,
superlative, count, status, label, name, link, command and quotation that the facts decide must agree with them.
English leaves much open (of which run is "2.31" said, and of which metric?), so nothing here asks for *the* meaning
of a sentence. Each meaning that it may have is given a cost, by nearness and by a few small words; a text is wrong
where everything that would make it true is far-fetched.

The check goes through these stages, each of which knows those above it and none below:

``text``
    What is written, without any fact: Markdown blocks, numerals and their units, dates, words that carry claims.
``known``
    What the facts say, without any text: runs, values, directions, every number that may be stated (the differences
    between any two runs too), and what people call things.
``reading``
    What a sentence speaks of: tokens, the runs they stand for, which name a numeral is tied to, which word says
    where an amount went. Never looks at a value.
``rules``
    One for each kind of claim. Each weighs what a claim may mean against what the facts have, and reports.

``verifier`` puts them together, ``report`` is what comes out.
"""

from curator.verify.report import BINDING, Evidence, Finding, FindingKind, Issue, Report, report, to_json
from curator.verify.verifier import Verifier, verify

__all__ = [
    "BINDING",
    "Evidence",
    "Finding",
    "FindingKind",
    "Issue",
    "Report",
    "Verifier",
    "report",
    "to_json",
    "verify",
]
