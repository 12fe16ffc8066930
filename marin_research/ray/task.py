"""The process of one task: ``python -P task.py FOLDER [COMMAND ...]``. Runs a function or a command.

Its process group dies with its runner. It is run by its path and loads nothing for a command, not even this package:
what is small starts as fast as Python does.
"""

import os
import signal
import sys


def main(folder: str, command: list[str]) -> None:
    _guard()
    if command:
        try:
            os.execvp(command[0], command)  # noqa: S606 - what was asked for
        except OSError as error:
            sys.exit(f"{command[0]} cannot be run: {error.strerror}")
    from marin_research.ray.function import call

    call(folder)


def _guard() -> None:
    """Leave a process behind that ends our group when the runner is gone: its end of our standard input closes.

    Ray itself ends the children of a worker that it loses, but not their children.
    """
    group = os.getpgrp()
    if os.fork():
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        return
    os.setsid()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    try:
        while os.read(0, 1):
            pass
    finally:
        try:
            os.killpg(group, signal.SIGKILL)
        finally:  # it may be gone, and nobody would hear of it
            os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
