"""How fast jobs start and how little a step costs on Ray, beside Fray's LocalClient and an in-process Iris cluster.

All three run here and in one run, with the same jobs: a command that does nothing, small steps one after the other,
and many submissions at once. The bar for Ray is Iris.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200, help="small steps, one after the other (200)")
    parser.add_argument("--burst", type=int, default=100, help="submissions at once (100)")
    parser.add_argument("--rounds", type=int, default=10, help="measurements of the latency (10)")
    parser.add_argument("--clusters", nargs="+", default=["local", "iris", "ray"], choices=_CLUSTERS)
    asked = parser.parse_args()

    with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        clients = {name: stack.enter_context(_CLUSTERS[name]()) for name in asked.clusters}
        for name, client in clients.items():
            started = time.perf_counter()
            latency(client, Path(folder) / f"{name}-first")
            print(f"{name:6} its first job starts after {1000 * (time.perf_counter() - started):8.0f} ms")
        times: dict[str, list[float]] = {name: [] for name in clients}
        for index in range(asked.rounds):  # interleaved, so that a busy machine slows all alike
            for name, client in clients.items():
                times[name].append(latency(client, Path(folder) / f"{name}-{index}"))
        show("submission to start, median, ms", {name: 1000 * value for name, value in medians(times).items()})
        show(f"a step of {asked.steps}, one after the other, ms", measured(clients, one_by_one, asked.steps))
        show(f"a job of {asked.burst} submitted at once, ms", measured(clients, at_once, asked.burst))


def latency(client: Any, sign: Path) -> float:
    """Seconds from a submission to when its command runs."""
    began = time.time()
    client.submit(request(f"start-{sign.name}", ["sh", "-c", f"touch {sign}"])).wait()
    return sign.stat().st_mtime - began


def one_by_one(client: Any, count: int) -> None:
    for index in range(count):
        client.submit(request(f"step-{index}", ["true"])).wait()


def at_once(client: Any, count: int) -> None:
    handles = [client.submit(request(f"burst-{index}", ["true"])) for index in range(count)]
    for handle in handles:
        handle.wait()


def measured(clients: dict[str, Any], work: Callable[[Any, int], None], count: int) -> dict[str, float]:
    """Milliseconds a job."""
    taken = {}
    for name, client in clients.items():
        began = time.perf_counter()
        work(client, count)
        taken[name] = 1000 * (time.perf_counter() - began) / count
    return taken


def request(name: str, command: list[str]) -> Any:
    from fray.types import Entrypoint, JobRequest, ResourceConfig

    return JobRequest(
        name=name,
        entrypoint=Entrypoint.from_binary(command[0], command[1:]),
        resources=ResourceConfig.with_cpu(cpu=1, ram="128m", disk="128m"),
    )


def medians(times: dict[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(values) for name, values in times.items()}


def show(title: str, values: dict[str, float]) -> None:
    print(title)
    iris = values.get("iris")
    for name, value in values.items():
        print(f"  {name:6} {value:10.1f}{f'  {value / iris:6.2f} x Iris' if iris else ''}")


@contextlib.contextmanager
def _local() -> Iterator[Any]:
    from fray.local_backend import LocalClient

    client = LocalClient()
    yield client
    client.shutdown()


@contextlib.contextmanager
def _iris() -> Iterator[Any]:
    pod = import_module("with_marin.iris_pod").start_pod()
    yield pod.client
    pod.cluster.close()


@contextlib.contextmanager
def _ray() -> Iterator[Any]:
    from marin_research.ray import RayClient

    with pytest.MonkeyPatch.context() as environment:
        pod = import_module("with_ray.pod").Pod(environment)
        client = RayClient(pod.address)
        yield client
        client.shutdown()
        pod.close()


_CLUSTERS = {"local": _local, "iris": _iris, "ray": _ray}


if __name__ == "__main__":
    main()
