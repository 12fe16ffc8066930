"""Marin's data processing on Ray: a zephyr pipeline inside a recorded step's job, with its coordinator and workers."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cloudpickle
import pytest
from fray.types import Entrypoint, JobRequest, ResourceConfig, create_environment

pytestmark = [pytest.mark.marin, pytest.mark.timeout(300)]

# A worker finds no module of the tests; what is dispatched from here travels whole, as from a researcher's script.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

SMALL = ResourceConfig.with_cpu(cpu=1, ram="512m", disk="1g")


def count_by_parity(folder: str) -> None:
    """Map, shuffle, reduce and write, as tokenisation and deduplication do."""
    from zephyr.context import ZephyrContext
    from zephyr.dataset import Dataset
    from zephyr.runners import InlineRunner

    numbers = (
        Dataset.from_list([[1, 2, 3], [4, 5]])
        .flat_map(iter)
        .map(lambda number: {"parity": number % 2, "number": number})
        .group_by(
            key=lambda row: row["parity"],
            reducer=lambda key, rows: {"parity": key, "sum": sum(row["number"] for row in rows)},
            num_output_shards=1,
        )
        .write_jsonl(f"{folder}/sums-{{shard}}.jsonl")
    )
    context = ZephyrContext(
        max_workers=1,
        resources=SMALL,
        coordinator_resources=ResourceConfig.with_cpu(cpu=0.1, ram="512m"),
        chunk_storage_prefix=f"{folder}/chunks",
        name="parity",
        stage_runner_factory=InlineRunner,  # Zephyr's own choice is a process a shard, which imports all of it again
    )
    print(context.execute(numbers).results)


def test_a_pipeline_runs_in_a_job(ray_client, tmp_path):
    """Its coordinator creates its workers from inside an actor, and all of them end with the job."""
    request = JobRequest(
        name="parity",
        entrypoint=Entrypoint.from_callable(count_by_parity, args=(str(tmp_path),)),
        resources=SMALL,
        environment=create_environment(env_vars={"JAX_PLATFORMS": "cpu"}),
    )

    ray_client.submit(request).wait(240)

    rows = [json.loads(line) for file in Path(tmp_path).glob("sums-*") for line in file.read_text().splitlines()]
    assert {row["parity"]: row["sum"] for row in rows} == {1: 9, 0: 6}
