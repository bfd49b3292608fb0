"""A small local server for the demonstration's feeds, with the validators and the clock of a live outlet."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pipeline.demo.outlets import demo_folder, demo_outlets, demo_steps

_ENTRY = re.compile(r"[ \t]*<(item|entry)\b.*?</\1>\n?", re.DOTALL)
_DATE = re.compile(r"<(?:pubDate|dc:date|published|updated)>([^<]+)<")
_ABOUT = re.compile(r'rdf:about="([^"]+)"')
_TYPES = {"rss 2.0": "application/rss+xml", "rss 1.0": "application/rdf+xml", "atom": "application/atom+xml"}
_TYPES["json feed"] = "application/feed+json"
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class DemoClock:
    """What the demonstration's outlets have published so far: items up to `until`; move it between runs.

    Attributes:
        until: Aware time; items published later are not shown.
        requests: Paths asked for and status answered, in order, to show that a second run costs nothing.
    """

    until: datetime = field(default_factory=lambda: demo_steps()[-1])
    requests: list[tuple[str, int]] = field(default_factory=list)


def published_time(text: str) -> datetime:
    """Return the time in `text`, written as RSS (RFC 822) or as Atom and Dublin Core (ISO 8601) do, in UTC."""
    text = text.strip()
    if text[:4].isdigit():
        return datetime.fromisoformat(text).astimezone(UTC)
    return parsedate_to_datetime(text).astimezone(UTC)


def feed_at(body: str, until: datetime) -> tuple[str, datetime]:
    """Return `body` without the items published after `until`, and the newest time shown.

    The text between items is left as it is, so that each feed keeps its own dialect.
    """
    if body.lstrip().startswith("{"):
        return _json_feed_at(body, until)
    newest, hidden = _LONG_AGO, set[str]()

    def keep(match: re.Match[str]) -> str:
        nonlocal newest
        dated = _DATE.search(match[0])
        if dated is None:
            return match[0]
        when = published_time(dated[1])
        if when > until:
            about = _ABOUT.search(match[0])
            hidden.update([about[1]] if about else [])
            return ""
        newest = max(newest, when)
        return match[0]

    shown = _ENTRY.sub(keep, body)
    for about in hidden:  # RSS 1.0 lists its items a second time, in the channel
        shown = re.sub(rf'[ \t]*<rdf:li rdf:resource="{re.escape(about)}"/>\n?', "", shown)
    return shown, newest


def _json_feed_at(body: str, until: datetime) -> tuple[str, datetime]:
    feed = json.loads(body)
    times = [published_time(item["date_published"]) for item in feed["items"]]
    feed["items"] = [item for item, when in zip(feed["items"], times, strict=True) if when <= until]
    newest = max((when for when in times if when <= until), default=_LONG_AGO)
    return json.dumps(feed, ensure_ascii=False, indent=2) + "\n", newest


def _handler(clock: DemoClock) -> type[BaseHTTPRequestHandler]:
    bodies = {o.file: (demo_folder() / "feeds" / o.file).read_text("utf-8") for o in demo_outlets()}
    types = {o.file: _TYPES[o.dialect] + "; charset=utf-8" for o in demo_outlets()}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # keep-alive, as outlets have it

        def _answer(self, status: HTTPStatus, body: bytes = b"", **headers: str) -> None:
            clock.requests.append((self.path, int(status)))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            if status is not HTTPStatus.NOT_MODIFIED:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_GET(self) -> None:
            name = self.path.partition("?")[0].lstrip("/")
            if name == "":
                return self._answer(HTTPStatus.OK, "\n".join(bodies).encode(), Content_Type="text/plain; charset=utf-8")
            if name not in bodies:
                return self._answer(HTTPStatus.NOT_FOUND, b"no such feed\n", Content_Type="text/plain; charset=utf-8")
            shown, newest = feed_at(bodies[name], clock.until)
            body = shown.encode()
            etag = '"' + hashlib.sha256(body).hexdigest()[:16] + '"'
            modified = format_datetime(newest, usegmt=True)
            if self._is_current(etag, newest):
                return self._answer(HTTPStatus.NOT_MODIFIED, ETag=etag, Last_Modified=modified)
            return self._answer(HTTPStatus.OK, body, Content_Type=types[name], ETag=etag, Last_Modified=modified)

        def do_HEAD(self) -> None:
            self.do_GET()

        def _is_current(self, etag: str, newest: datetime) -> bool:
            """Whether the client's copy is the one shown; the ETag decides where both validators are sent."""
            sent = self.headers.get("If-None-Match")
            if sent is not None:
                return etag in [tag.strip().removeprefix("W/") for tag in sent.split(",")]
            since = self.headers.get("If-Modified-Since")
            if since is None:
                return False
            try:
                return parsedate_to_datetime(since) >= newest.replace(microsecond=0)
            except (ValueError, TypeError):
                return False  # a date that cannot be read asks for nothing

        def log_message(self, *_args: object) -> None:
            """Write nothing: the terminal belongs to the demonstration."""

    return Handler


@contextlib.contextmanager
def serve_demo(clock: DemoClock | None = None) -> Iterator[str]:
    """Serve the demonstration's feeds on a free port of 127.0.0.1 and give the base URL, without a slash at its end.

    Each feed is at `<base>/<file>` as in demo.toml; ETag, Last-Modified and 304 work as on a live outlet. The server
    stops, and its port is free again, when the context ends.

    Args:
        clock: Its `until` decides what has been published; move it while the server runs to show later news.
            Everything is shown where it is not given.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(clock or DemoClock()))
    server.daemon_threads = True  # an idle keep-alive connection must not hold up the shutdown
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="demo-outlets")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
