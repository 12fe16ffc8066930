"""A Messages API of our own, as a process: what it answers follows a script, and what it was asked can be read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

SERVER = Path(__file__).parent / "messages_server.py"


class MessagesApi:
    """A server process with a script; what it was asked can be read afterwards."""

    def __init__(self, script: list[dict[str, Any]], folder: Path) -> None:
        path = folder / "script.json"
        path.write_text(json.dumps(script))
        self._process = subprocess.Popen([sys.executable, str(SERVER), str(path)], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    @property
    def requests(self) -> list[dict[str, Any]]:
        with urlopen(f"{self.url}/_requests") as answer:  # noqa: S310 - it is ours
            return [request for request in json.load(answer) if request["path"].endswith("/messages")]

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
