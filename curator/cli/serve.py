"""``curator serve``: the review in a browser."""

from __future__ import annotations

import os
import socket

import click

from curator.cli.queue import by_option, open_to_decide
from curator.errors import CuratorError
from curator.person import person
from marin_research.cli.lazy import root_option


@click.command(
    help="Serve a page for this machine alone, on which you read each draft beside the facts behind it, edit it, see "
    "at once what the record does not back, and approve or reject it. Publishes nothing; ends with Ctrl-C.\n\n"
    "Open the address that it prints: it holds a key that is new at every start. From another machine, forward the "
    "port (ssh -L 8700:127.0.0.1:8700 HOST).\n\n"
    "\b\nExamples:\n"
    "  curator serve\n"
    "  curator serve --port 8700 --by 'Ada Lovelace'"
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="To listen on, on 127.0.0.1 (default: one that is free)."
)
@by_option
@root_option
def command(*, port: int, by: str | None, root: str | None) -> None:
    try:
        from werkzeug.serving import WSGIRequestHandler, make_server

        from curator.web.app import create_app
        from curator.web.guard import Guard
    except ModuleNotFoundError as error:
        raise CuratorError(f"{error.name} is not installed; pip install 'marin-research[web]'") from error

    class Quiet(WSGIRequestHandler):
        """Logs no requests: the first one holds the key."""

        def log_request(self, *_: object) -> None:
            pass

    queue, name, guard = open_to_decide(root), person(by), Guard()
    with _listening(port) as listening:
        port = listening.getsockname()[1]
        app = create_app(queue, guard, by=name, port=port, say=click.echo)
        server = make_server("127.0.0.1", port, app, threaded=True, request_handler=Quiet, fd=listening.fileno())
        click.echo(f"reviewing {queue.store.root} as {name}; Ctrl-C ends it", err=True)
        click.echo(f"http://127.0.0.1:{port}/?token={guard.token}")
        server.serve_forever()  # until Ctrl-C
    click.echo("\nstopped; what was decided is kept, `curator publish --approved` sends it", err=True)


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise CuratorError(
            f"cannot listen on port {port} ({os.strerror(error.errno or 0)}); give another one with --port"
        ) from error
