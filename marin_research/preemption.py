"""Asks the platform whether it is taking this machine away. Only where it is known whom to ask, and never for long."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from marin_research.record import Cause, Evidence

_VENDOR = Path("/sys/class/dmi/id/product_name")
_HOST = "metadata.google.internal"
_TIMEOUT_S = 1.0
_QUESTIONS = {"instance/preempted": ("TRUE",), "instance/maintenance-event": ("TERMINATE_ON_HOST_MAINTENANCE",)}
"""What Google's metadata server is asked, and the answers that mean that the machine goes away."""


def preemption_notice() -> Evidence | None:
    """The platform's word that this machine is going away, or None if it has none. Takes two seconds at most."""
    host = os.environ.get("GCE_METADATA_HOST") or (_HOST if _is_google() else None)
    if host is None:
        return None
    for path, alarming in _QUESTIONS.items():
        answer = _ask(host, f"/computeMetadata/v1/{path}")
        if answer in alarming:
            return Evidence(
                time=datetime.now(UTC), source="GCE metadata", text=f"{path} is {answer}", cause=Cause.PREEMPTED
            )
    return None


def _is_google() -> bool:
    try:
        return _VENDOR.read_text(encoding="ascii").startswith("Google")
    except (OSError, UnicodeDecodeError):
        return False


def _ask(host: str, path: str) -> str:
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection(host, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", path, headers={"Metadata-Flavor": "Google"})
        answer = connection.getresponse()
        return answer.read(256).decode("ascii", "replace").strip() if answer.status == 200 else ""
    except (OSError, HTTPException):
        return ""
    finally:
        connection.close()
