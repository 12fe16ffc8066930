"""Fray's client for Ray clusters: an unchanged experiment script runs on TPU pods that Ray manages.

::

    client (driver)  ->  server (an actor on the head node)  ->  runner (on each host)  ->  task (a child process)

The client translates Fray's requests, or refuses them; the server places jobs, watches them and starts them again; a
runner keeps one task of a job in a process of its own, which dies with it. All of it belongs to the driver: when that
is gone, Ray ends the server, and nothing stays behind. Loading this package loads neither Ray nor Fray.
"""

from marin_research.ray.client import RayClient

__all__ = ["RayClient"]
