"""``curate_step``: drafting as a step of an experiment. The one module of the curator that knows Marin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marin.execution.artifact import Artifact  # noqa: TID253 - this module is about Marin
from marin.execution.build_context import resolve_version  # noqa: TID253
from marin.execution.lazy import ArtifactStep  # noqa: TID253

from curator.drafters.template import NAME
from curator.drafting import make_drafts
from marin_research.steps import current_root
from marin_research.store import RecordStore
from marin_research.thread import find_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marin.execution.lazy import StepContext

    from marin_research.thread import Thread


class Drafts(Artifact):  # type: ignore[misc]  # Marin is not typed for mypy
    """The drafts that a curation step left in the queue."""

    drafts: list[str]
    """Draft IDs."""
    runs: list[str]
    """Experiment IDs they are about."""


def curate_step(
    steps: Sequence[ArtifactStep[Any]],
    thread: Thread,
    *,
    name: str = "",
    version: str | None = None,
    drafter: str = NAME,
) -> ArtifactStep[Drafts]:
    """A step that depends on recorded steps and drafts their write-up once they are built.

    Marin never runs the dependents of a failed step, so a failure among ``steps`` is not drafted by this one;
    ``research_main`` drafts after every run, failures included.

    Args:
        steps: recorded steps.
        thread: whose logbook, issue and metrics the write-up is for.
        name: of the step; ``<topic>/curate`` unless given.
        version: as for any step; the run-wide one of the experiment unless given.
        drafter: what writes the text, ``template`` or ``claude``; where the model cannot be asked, the template writes.
    """
    own_name = name or f"{thread.topic}/curate"

    def build_config(context: StepContext) -> dict[str, Any]:
        return {
            "topic": thread.topic,
            "drafter": drafter,
            "outputs": [context.artifact_path(step) for step in steps],
        }

    return ArtifactStep(
        name=own_name,
        version=resolve_version(own_name, version),
        artifact_type=Drafts,
        run=_curate,
        build_config=build_config,
        deps=tuple(steps),
    )


def _curate(config: dict[str, Any]) -> Drafts:
    store = RecordStore(current_root())
    made = [store.runs_of_output(path) for path in config["outputs"]]
    runs = [runs[-1] for runs in made if runs]
    outcomes = make_drafts(runs, find_thread(config["topic"], store), store, drafter=config["drafter"]) if runs else []
    return Drafts(drafts=[outcome.draft.id for outcome in outcomes if outcome.draft], runs=runs)
