"""One Ray cluster for all tests that need one: a head with four CPUs, and a TPU pod of two hosts for those who ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.with_ray.pod import Pod

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marin_research.ray import RayClient


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[Pod]:
    with pytest.MonkeyPatch.context() as environment:
        pod = Pod(environment)
        yield pod
        pod.close()


@pytest.fixture(scope="session")
def ray_pod(ray_cluster) -> Pod:
    pod: Pod = ray_cluster
    pod.add_slice("slice-a")
    return pod


@pytest.fixture(scope="session")
def ray_client(ray_cluster) -> Iterator[RayClient]:
    from marin_research.ray import RayClient

    client = RayClient(ray_cluster.address, patience_s=1)
    yield client
    client.shutdown()
