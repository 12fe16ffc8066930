"""A real Ray cluster on this machine, with a TPU pod of two hosts that has no TPU, and ways to take hosts away."""

from __future__ import annotations

import secrets
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

TOPOLOGIES = {"v4-8": ("2x2x1", 1), "v4-16": ("2x2x2", 2)}
SYSTEM = {
    "health_check_initial_delay_ms": 500,
    "health_check_period_ms": 500,
    "health_check_failure_threshold": 3,
    "prestart_worker_first_driver": False,
    "enable_worker_prestart": False,
}
"""A lost machine is noticed within two seconds, and not within fifteen; no worker starts that nobody asked for."""


def variables(folder: Path) -> dict[str, str]:
    """What Ray reads when it is loaded: a cluster on 127.0.0.1, with a token of its own, that calls nobody."""
    return {
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_TMPDIR": str(folder),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(16),
        "RAY_USAGE_STATS_ENABLED": "0",
        "PIP_NO_INDEX": "1",
    }


class Pod:
    """The cluster: a head with CPUs, and TPU hosts."""

    def __init__(self, environment: pytest.MonkeyPatch, **head: Any) -> None:
        """``head`` says what else the head is started with."""
        assert "ray" not in sys.modules, "Ray was loaded before its environment was made, and would not see it"
        self._folder = Path(tempfile.mkdtemp(prefix="mr-ray-"))  # not pytest's own, too deep for the names of sockets
        (self._folder / "ray").mkdir()
        self._count = 0
        self.variables = variables(self._folder)
        """What a program needs in its environment to reach the cluster."""
        for name, value in self.variables.items():
            environment.setenv(name, value)
        environment.delenv("RAY_ADDRESS", raising=False)
        from ray.cluster_utils import Cluster

        self._cluster = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 4,
                "node_ip_address": "127.0.0.1",
                "include_dashboard": False,
                "include_log_monitor": False,
                "no_monitor": True,  # which would grow the cluster
                "object_store_memory": 100 * 2**20,
                "memory": 8 * 2**30,
                "_system_config": SYSTEM,
                **head,
            },
        )
        self.hosts: dict[tuple[str, int], Any] = {}

    @property
    def address(self) -> str:
        """Of its control store, ``127.0.0.1:PORT``."""
        return str(self._cluster.address)

    def add_slice(self, name: str, variant: str = "v4-16") -> None:
        for index in range(TOPOLOGIES[variant][1]):
            self.add_host(name, index, variant)

    def add_host(self, name: str, index: int, variant: str = "v4-16") -> None:
        """A host as Ray describes those that it finds on Google's machines."""
        topology, _ = TOPOLOGIES[variant]
        self._count += 1
        disk = self._folder / str(self._count)  # or hosts would clear away what the others were sent
        disk.mkdir()
        head = {f"TPU-{variant}-head": 1} if index == 0 else {}
        self.hosts[name, index] = self._cluster.add_node(
            node_ip_address="127.0.0.1",
            temp_dir=str(disk),
            num_cpus=120,
            memory=200 * 2**30,
            object_store_memory=80 * 2**20,
            include_log_monitor=False,
            resources={"TPU": 4, name: 1, **head},
            labels={
                "ray.io/tpu-slice-name": name,
                "ray.io/tpu-worker-id": str(index),
                "ray.io/tpu-pod-type": variant,
                "ray.io/tpu-topology": topology,
                "ray.io/accelerator-type": "TPU-V4",
            },
            env_vars={
                "TPU_NAME": name,
                "TPU_WORKER_ID": str(index),
                "TPU_ACCELERATOR_TYPE": variant,
                "TPU_TOPOLOGY": topology,
            },
        )

    def lose(self, name: str, index: int) -> None:
        """Take a host away without a word, as a preemption does."""
        self._cluster.remove_node(self.hosts.pop((name, index)), allow_graceful=False)

    def close(self) -> None:
        import ray

        ray.shutdown()
        for name, index in list(self.hosts):
            self.lose(name, index)
        self._cluster.remove_node(self._cluster.head_node, allow_graceful=False)
        shutil.rmtree(self._folder, ignore_errors=True)
