"""A small HTTP server for scrapers and probes: /metrics and /healthz."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app

from pipeline.observe.health import Health
from pipeline.observe.measures import Measures
from pipeline.observe.prometheus import registry_of
from transforms.failures import ConfigError

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing of each scrape."""


class MetricsServer:
    """Serves until closed; a context manager."""

    def __init__(
        self, measures: Measures, port: int, address: str = "", health: Callable[[], Health] | None = None
    ) -> None:
        """Listen on `port` (0 for any that is free) and serve in a thread of its own.

        Raises:
            ConfigError: The port cannot be used.
        """
        self._health = health
        self._metrics = make_wsgi_app(registry_of(measures))
        try:
            self._server = make_server(address, port, self._answer, server_class=_Server, handler_class=_Quiet)
        except (OSError, OverflowError) as error:
            raise ConfigError(f"--metrics-port {port} cannot be used: {error}; name another port") from error
        self.port: int = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> MetricsServer:
        """Return the server."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def _answer(self, environment: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environment.get("PATH_INFO", "")
        if path == "/metrics":
            return self._metrics(environment, start)  # type: ignore[no-any-return]
        if path != "/healthz":
            return _reply(start, "404 Not Found", {"error": "only /metrics and /healthz are served"})
        if self._health is None:
            return _reply(start, "200 OK", {"ok": True, "problems": []})
        health = self._health()
        status = "200 OK" if health.ok else "503 Service Unavailable"
        return _reply(start, status, {"ok": health.ok, "problems": list(health.problems)})


def _reply(start: StartResponse, status: str, body: dict[str, object]) -> Iterable[bytes]:
    start(status, [("Content-Type", "application/json")])
    return [json.dumps(body).encode() + b"\n"]
