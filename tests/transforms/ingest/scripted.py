"""A web server that does exactly what a case tells it to, over real sockets on loopback.

Each path has a list of replies; the last one is repeated. A reply is written piece by piece, so that servers can be
slow, cut short, chunked, or no web servers at all. The server keeps what it was asked, and how many exchanges there
were at once.
"""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
import zlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import brotli

ITEM = (
    "<item><guid isPermaLink='false'>{guid}</guid><title>{title}</title><link>https://outlet.example/{guid}</link>"
    "<description>{title}, local sources said.</description><pubDate>{date}</pubDate></item>"
)
DATE = "Thu, 06 Oct 2016 09:00:00 +0000"


def rss(*titles: str, items: str = "") -> bytes:
    """Return a feed with one item for each title."""
    made = "".join(ITEM.format(guid=f"g-{title.lower().replace(' ', '-')}", title=title, date=DATE) for title in titles)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel><title>Outlet</title>'
        f"<link>https://outlet.example/</link>{made}{items}</channel></rss>\n"
    ).encode()


BODIES = {
    "feed": rss("Truce agreed in Aleppo", "Shelling in Douma"),
    "feed2": rss("Truce collapses in Aleppo", "Truce agreed in Aleppo", "Shelling in Douma"),
    "empty_feed": rss(),
    "html": b"<!doctype html><html><head><title>Sign in</title></head><body><p>Please sign in.</p></body></html>",
    "nothing": b"",
    "text": b"no such feed",
    "robots_none": b"User-agent: *\nDisallow: /\n",
    "robots_all": b"User-agent: *\nAllow: /\n",
}


@dataclass
class Asked:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    connection: int


@dataclass
class ScriptedServer:
    """Serves `replies` (path to a list of replies) until closed."""

    replies: dict[str, list[dict[str, Any]]]
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    most_at_once: int = 0

    def __enter__(self) -> ScriptedServer:
        self._lock = threading.Lock()
        self._served: Counter[str] = Counter()
        self._at_once = 0
        self._stopped = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._socket.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def paths(self) -> list[str]:
        """Return the paths asked for, in order."""
        return [request.path for request in self.asked]

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            self.connections += 1
            number = self.connections
        try:
            connection.settimeout(30)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pending = b""
            while not self._stopped.is_set():
                while b"\r\n\r\n" not in pending:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    pending += piece
                head, _, pending = pending.partition(b"\r\n\r\n")
                if not self._answer(connection, head.decode("latin-1"), number):
                    return
        except OSError:
            return
        finally:
            connection.close()

    def _answer(self, connection: socket.socket, head: str, number: int) -> bool:
        first, *lines = head.split("\r\n")
        path = first.split(" ")[1]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        with self._lock:
            self.asked.append(Asked(path, headers, number))
            replies = self.replies.get(path, [{"status": 404, "body": "text"}])
            reply = replies[min(self._served[path], len(replies) - 1)]
            self._served[path] += 1
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return self._write(connection, reply, headers)
        finally:
            with self._lock:
                self._at_once -= 1

    def _write(self, connection: socket.socket, reply: dict[str, Any], asked: dict[str, str]) -> bool:
        if reply.get("hang_up"):
            return False
        self._pause(reply.get("delay_s", 0))
        if "raw" in reply:
            connection.sendall(reply["raw"].replace("{base}", self.base).encode("latin-1"))
            return False
        etag = reply.get("headers", {}).get("ETag")
        status = reply.get("status", 200)
        if reply.get("conditional") and etag and asked.get("if-none-match") == etag:
            status, body = 304, b""
        else:
            body = b"" if status == 304 else encoded(body_of(reply), reply.get("encode", ""))
        headers = {name: value.replace("{base}", self.base) for name, value in reply.get("headers", {}).items()}
        cut = reply.get("cut", 0)
        if reply.get("chunked"):
            headers["Transfer-Encoding"] = "chunked"
        elif not reply.get("until_close") and status != 304:
            headers["Content-Length"] = str(reply.get("announced", len(body)))
        lines = [f"HTTP/1.1 {status} {reply.get('reason', 'Told')}", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
        drip = reply.get("drip_headers_s", 0)
        if drip:
            for line in lines:
                connection.sendall((line + "\r\n").encode("latin-1"))
                self._pause(drip)
        else:
            connection.sendall("\r\n".join(lines).encode("latin-1"))
        sent = body[: len(body) - cut]
        step = reply.get("piece", len(sent) or 1)
        for start in range(0, len(sent), step):
            piece = sent[start : start + step]
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if reply.get("chunked") else piece)
            self._pause(reply.get("drip_s", 0))
        if reply.get("endless"):
            while not self._stopped.is_set():
                connection.sendall(b"<item><title>more and more of it</title></item>\n" * 1000)
        if reply.get("chunked") and not cut:
            connection.sendall(b"0\r\n\r\n")
        return not (cut or reply.get("until_close") or "announced" in reply)

    def _pause(self, seconds: float) -> None:
        if seconds:
            self._stopped.wait(seconds) if seconds > 0.01 else time.sleep(seconds)


def body_of(reply: dict[str, Any]) -> bytes:
    """Return the bytes of a reply: a named body, or bytes as given."""
    body = reply.get("body", b"")
    return body if isinstance(body, bytes) else BODIES[body]


def encoded(body: bytes, coding: str) -> bytes:
    """Return `body` compressed as `coding` says."""
    if coding == "gzip":
        return gzip.compress(body)
    if coding == "gzip twice":
        return gzip.compress(gzip.compress(body))
    if coding == "gzip members":
        half = len(body) // 2
        return gzip.compress(body[:half]) + gzip.compress(body[half:])
    if coding == "gzip with garbage":
        return gzip.compress(body) + b"\x00garbage"
    if coding == "gzip cut":
        return gzip.compress(body)[:-12]
    if coding == "zlib":
        return zlib.compress(body)
    if coding == "deflate":
        bare = zlib.compressobj(wbits=-15)
        return bare.compress(body) + bare.flush()
    if coding == "br":
        return bytes(brotli.compress(body))
    if coding == "br cut":
        return bytes(brotli.compress(body))[:-4]
    return body
