"""Checks a draft's final text against the facts: what no fact supports is listed with its place."""

from curator.verify.report import Evidence, Finding, FindingKind, Report, to_json
from curator.verify.verify import verify

__all__ = ["Evidence", "Finding", "FindingKind", "Report", "to_json", "verify"]
