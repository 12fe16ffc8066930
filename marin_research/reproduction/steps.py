"""Picks the one step out of a script that is to be repeated. Knows Marin.

Its output goes to a place of its own, so that neither Marin's cache answers in its stead nor the original is written
over; what it depends on is taken as it is where it is built.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from marin.execution.artifact import VERSION_KEY  # noqa: TID253 - this module is about Marin
from marin.execution.step_status import STATUS_SUCCESS, StatusFile  # noqa: TID253
from rigging.filesystem.cluster_config import marin_prefix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from marin.execution.step_spec import StepSpec

    from marin_research.record import Step


def find_step(specs: Iterable[StepSpec], wanted: Step) -> StepSpec | None:
    """The lowered step of that name and version, among some steps and all that they depend on."""
    waiting, seen = list(specs), set()
    while waiting:
        spec = waiting.pop()
        if id(spec) in seen:
            continue
        seen.add(id(spec))
        if (spec.name, spec.hash_attrs.get(VERSION_KEY)) == (wanted.name, wanted.version):
            return spec
        waiting += spec.deps
    return None


def elsewhere(spec: StepSpec, run_id: str) -> StepSpec:
    """The same step with an output of its own, and nothing to build first but what is not built yet."""
    path = f"{marin_prefix().rstrip('/')}/reproductions/{run_id}"
    return replace(spec, override_output_path=path, deps=[dep for dep in spec.deps if not _is_built(dep)])


def _is_built(spec: StepSpec) -> bool:
    """Whether its output is there, also that of a version that Marin builds anew each time."""
    return bool(StatusFile(spec.output_path, worker_id="reproduction").status == STATUS_SUCCESS)
