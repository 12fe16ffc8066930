"""A real Iris cluster in this process, with a TPU pod of two hosts that has no TPU, and a way to cut it off."""

from __future__ import annotations

import contextlib
import socket
import threading
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


class Wire:
    """The way to a controller, which can be cut and mended: a TCP proxy on this machine."""

    def __init__(self, address: str) -> None:
        host, _, port = address.removeprefix("http://").partition(":")
        self._target = (host, int(port))
        self._open: list[socket.socket] = []
        self._listener = self._listen(0)
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def cut(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # else who waits for the next connection still gets it
        self._listener.close()
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._open.clear()

    def mend(self) -> None:
        self._listener = self._listen(int(self.address.rpartition(":")[2]))

    def client(self) -> Any:
        return FrayIrisClient.from_iris_client(IrisClient(RemoteClusterClient(controller_address=self.address)))

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                ours, _ = listener.accept()
                theirs = socket.create_connection(self._target)
            except OSError:
                return  # cut
            self._open += [ours, theirs]
            for source, target in ((ours, theirs), (theirs, ours)):
                threading.Thread(target=_pump, args=(source, target), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
