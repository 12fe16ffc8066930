"""A real Iris cluster in this process: two CPU workers and one TPU pod of two hosts that has no TPU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fray.iris_backend import FrayIrisClient
from fray.types import ResourceConfig
from iris.client.client import IrisClient
from iris.cluster.client import RemoteClusterClient
from iris.cluster.config import (
    IrisClusterConfig,
    LocalSliceConfig,
    ScaleGroupConfig,
    ScaleGroupResources,
    SliceConfig,
    make_local_config,
)
from iris.cluster.local_cluster import LocalCluster, make_local_cluster_config
from iris.cluster.types import AcceleratorType, CapacityType
from iris.cluster.worker import task_attempt

POD = ResourceConfig.with_tpu("v4-16", cpu=1, ram="1g", disk="1g")
CPU = ResourceConfig.with_cpu(cpu=1, ram="1g", disk="1g")


@dataclass(frozen=True)
class Pod:
    """The cluster and the ways to reach it."""

    cluster: LocalCluster
    address: str
    """``http://127.0.0.1:PORT``"""
    iris: IrisClient
    client: Any
    """Fray's."""


def start_pod() -> Pod:
    # Iris finds the machine's address by a socket to a public one; tests stay on this machine.
    task_attempt.probe_outbound_ip = lambda: "127.0.0.1"
    config = make_local_cluster_config(2)
    group = ScaleGroupConfig(
        name="tpu-v4-16",
        num_vms=2,
        buffer_slices=0,
        max_slices=1,
        slice_template=SliceConfig(num_vms=2, local=LocalSliceConfig()),
        resources=ScaleGroupResources(
            cpu_millicores=128_000,
            memory_bytes=128 * 2**30,
            disk_bytes=2**40,
            device_type=AcceleratorType.TPU,
            device_variant="v4-16",
            capacity_type=CapacityType.PREEMPTIBLE,
        ),
    )
    pods = make_local_config(IrisClusterConfig(scale_groups={"tpu-v4-16": group}))
    config.scale_groups["tpu-v4-16"] = pods.scale_groups["tpu-v4-16"]
    cluster = LocalCluster(config)
    address = cluster.start()
    iris = IrisClient(RemoteClusterClient(controller_address=address, timeout_ms=30_000), controller=cluster)
    return Pod(cluster, address, iris, FrayIrisClient.from_iris_client(iris))
