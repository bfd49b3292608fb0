"""A web server on loopback that receives webhooks and answers as it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    headers: dict[str, str]
    body: bytes
    path: str


@dataclass
class Answer:
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False  # answer nothing until the server stops
    drip: bool = False  # send header bytes for ever, slowly


@dataclass
class Receiver:
    url: str
    received: list[Received] = field(default_factory=list)
    answer: Callable[[int], Answer] = lambda _: Answer()  # by the number of the request, from 0


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver on a free port."""
    stop = threading.Event()
    guard = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            body = self.rfile.read(length)
            if len(body) < length:
                return  # its sender died in mid-sentence; nobody acts on half a message
            with guard:
                number = len(receiver.received)
                receiver.received.append(Received({k.lower(): v for k, v in self.headers.items()}, body, self.path))
            answer = receiver.answer(number)
            if answer.hang:
                stop.wait(30)
                return
            if answer.drip:
                while not stop.wait(0.05):
                    self.wfile.write(b"H")
                    self.wfile.flush()
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

        def handle(self) -> None:
            with suppress(OSError):
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver = Receiver(url=f"http://127.0.0.1:{server.server_port}/hook")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        stop.set()
        server.shutdown()
        server.server_close()
