"""A real S3 server on loopback in a process of its own: ``python s3_server.py`` prints its port, serves until killed.

One request at a time, because moto checks ``If-None-Match`` and writes in two steps, while S3 does it in one.
"""

from __future__ import annotations

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=False)
    print(server.port, flush=True)
    server.serve_forever()
