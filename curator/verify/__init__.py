"""Checks a draft's final text against the facts: what no fact supports is listed with its place."""

from curator.verify.report import BINDING, Evidence, Finding, FindingKind, Issue, Report, report, to_json
from curator.verify.verify import verify

__all__ = ["BINDING", "Evidence", "Finding", "FindingKind", "Issue", "Report", "report", "to_json", "verify"]
