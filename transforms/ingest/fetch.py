"""One feed or page over HTTP: conditional, capped, with redirects followed by hand and every failure given a name."""

from __future__ import annotations

import ssl
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx

from transforms.failures import FetchError
from transforms.ingest.network import (
    Deadline,
    NameUnknownError,
    Resolver,
    causes_of,
    guarded_client,
    refusal_of,
    resolve,
)
from transforms.ingest.settings import FetchSettings
from transforms.text import plain

ACCEPT_FEED = (
    "application/atom+xml, application/rss+xml, application/rdf+xml, application/feed+json, "
    "application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1"
)
ACCEPT_PAGE = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"
MAX_URL = 4_096
MAX_VALIDATOR = 1_024
_PERMANENT = (301, 308)
_WITH_BODY = (200, 203)
_REDIRECTS = (301, 302, 303, 307, 308)
_SHORT_BODY = 16 * 1024
_SMALL_BODY = 512 * 1024
_LARGE_AT_ONCE = 2


class HttpStatusError(FetchError):
    """The server answered with a status that gives no body to read."""

    def __init__(self, status: int, message: str, retry_after: timedelta | None = None) -> None:
        """Keep the status, and how long the server asks to be left alone (None if it does not say)."""
        super().__init__(f"http_{status}", message)
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a server gave.

    Attributes:
        not_modified: 304: there is no body.
        body: As sent, still with its Content-Encoding.
        content_type: The header, "" if none.
        content_encoding: The header, "" if none.
        etag: Validator for the next time, "" if none that can be used.
        last_modified: The other one.
        url: Where the body was found, after all redirects.
        moved_to: Where permanent redirects alone lead, "" if there were none.
    """

    not_modified: bool = False
    body: bytes | bytearray = b""
    content_type: str = ""
    content_encoding: str = ""
    etag: str = ""
    last_modified: str = ""
    url: str = ""
    moved_to: str = ""


class BodyBudget:
    """Lets only a few large bodies be in memory at once, however many hosts are read."""

    def __init__(self) -> None:
        """Start with all leases free."""
        self._large = threading.BoundedSemaphore(_LARGE_AT_ONCE)

    @contextmanager
    def lease(self) -> Iterator[Lease]:
        """Give a lease for one body, returned when the body is done with."""
        lease = Lease(self._large)
        try:
            yield lease
        finally:
            lease.release()


class Lease:
    """The right to hold one body."""

    def __init__(self, large: threading.BoundedSemaphore) -> None:
        """Small bodies need no more than this."""
        self._large = large
        self._held = False

    def grow(self, size: int, deadline: Deadline) -> None:
        """Wait for room when the body becomes large; the wait is not held against the server."""
        if size > _SMALL_BODY and not self._held:
            before = deadline.left()
            self._large.acquire()
            self._held = True
            deadline.extend(before - deadline.left())

    def release(self) -> None:
        """Give the room back."""
        if self._held:
            self._large.release()
            self._held = False


class HostLocks:
    """One exchange at a time with each host, whichever way led to it."""

    def __init__(self) -> None:
        """Start with all hosts free."""
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)

    def of(self, host: str) -> threading.Lock:
        """Return the lock of `host` (see `host_of`)."""
        with self._guard:
            return self._locks[host]


def host_of(url: str) -> str:
    """Return host and port of `url` in lower case, the unit of politeness; "" for an address that is none."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return ""
    return f"{host}:{port or (443 if parts.scheme == 'https' else 80)}"


def shown(url: str) -> str:
    """Return `url` for messages: without credentials, control characters and excess length."""
    text = plain(url)
    head, at, tail = text.partition("@")
    scheme, slashes, _ = head.partition("//")
    if at and slashes and "/" not in head[len(scheme) + 2 :]:
        text = f"{scheme}//{tail}"
    return text[:200]


class Fetcher:
    """Reads one thing after the other over one connection at a time; one per thread."""

    def __init__(self, settings: FetchSettings, locks: HostLocks, resolver: Resolver = resolve) -> None:
        """Open nothing yet."""
        self._settings = settings
        self._locks = locks
        self._deadline = Deadline(settings.total_timeout_s)
        self._client = guarded_client(settings, deadline=self._deadline, resolver=resolver)
        self._kept_open = ""  # the host whose connection may still be open

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def fetch(
        self,
        url: str,
        lease: Lease,
        *,
        now: datetime,
        etag: str = "",
        last_modified: str = "",
        accept: str = ACCEPT_FEED,
        before_redirect: Callable[[str], None] | None = None,
    ) -> Fetched:
        """Return what `url` leads to.

        Args:
            url: http(s) address.
            lease: Held by the caller until it is done with the body.
            now: The run's clock, for Retry-After dates of servers that tell no time of their own.
            etag: Validator of an earlier answer, "" for none.
            last_modified: The other one.
            accept: The Accept header.
            before_redirect: Told of each address that a redirect leads to, before it is asked. It may use this fetcher,
                and may raise to end the chain.

        Raises:
            FetchError: With a `kind`: timeout, address_refused, dns, tls, connect, connection_lost, cut_short,
                too_large, bad_http, bad_url, redirect_loop, too_many_redirects, or http_<status>.
        """
        self._deadline.restart(self._settings.total_timeout_s)
        headers = {"Accept": accept}
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        visited: set[str] = set()
        moved_to, permanent, home = "", True, host_of(url)
        while True:
            checked_url(url)
            if url in visited:
                raise FetchError("redirect_loop", f"the redirects lead back to {shown(url)}")
            if len(visited) > self._settings.max_redirects:
                raise FetchError("too_many_redirects", f"more than {self._settings.max_redirects} redirects in a row")
            if visited and before_redirect:
                left = self._deadline.left()
                before_redirect(url)
                self._deadline.restart(left)  # what it fetched had time of its own
            visited.add(url)
            # Away from home the connection is not kept, so that no second one to that host stays open.
            hop = headers if host_of(url) == home else headers | {"Connection": "close"}
            answer = self._exchange(url, hop, lease, now)
            if isinstance(answer, Fetched):
                return Fetched(
                    not_modified=answer.not_modified, body=answer.body, content_type=answer.content_type,
                    content_encoding=answer.content_encoding, etag=answer.etag, last_modified=answer.last_modified,
                    url=url, moved_to=moved_to,
                )  # fmt: skip
            status, target = answer
            # Only an unbroken chain of permanent redirects moves a feed, and never from https down to http.
            permanent = permanent and status in _PERMANENT and not (url.startswith("https:") and target[:5] == "http:")
            moved_to = target if permanent else moved_to
            url = target

    def _exchange(self, url: str, headers: dict[str, str], lease: Lease, now: datetime) -> Fetched | tuple[int, str]:
        """Make one request; return the body, or the status and target of a redirect."""
        host = host_of(url)
        kept_open = self._kept_open == host
        self._kept_open = ""
        try:
            with self._locks.of(host), self._client.stream("GET", url, headers=headers) as response:
                answer = self._answer(url, response, headers, lease, now)
            self._kept_open = host
            return answer
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
            if kept_open and "peer closed connection" not in str(error):
                # The server closed the connection that it had kept open just as it was used again.
                return self._exchange(url, headers, lease, now)
            raise _named(error, url) from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise _named(error, url) from error
        except (ssl.SSLError, UnicodeError, ValueError, OSError) as error:
            raise FetchError("bad_url" if isinstance(error, ValueError) else "connection_lost", _told(error)) from error

    def _answer(
        self, url: str, response: httpx.Response, sent: dict[str, str], lease: Lease, now: datetime
    ) -> Fetched | tuple[int, str]:
        status = response.status_code
        if status not in _WITH_BODY:
            _drain(response)
        if status == 304:
            if "If-None-Match" in sent or "If-Modified-Since" in sent:
                return Fetched(not_modified=True)
            raise HttpStatusError(304, "the server says 304 although nothing was asked conditionally")
        if status in _REDIRECTS:
            location = response.headers.get("location", "")
            if not location:
                raise FetchError("bad_http", f"status {status} without a Location")
            return status, urljoin(url, location.strip())
        if status not in _WITH_BODY:
            retry_after = retry_after_of(response.headers, now)
            raise HttpStatusError(
                status, f"{shown(url)} answers {status} {plain(response.reason_phrase)[:60]}", retry_after
            )
        return Fetched(
            body=self._body(response, lease),
            content_type=response.headers.get("content-type", "")[:400],
            content_encoding=response.headers.get("content-encoding", "")[:400],
            etag=_validator(response.headers.get("etag", "")),
            last_modified=_validator(response.headers.get("last-modified", "")),
        )

    def _body(self, response: httpx.Response, lease: Lease) -> bytearray:
        """Read the bytes as sent; they are decompressed in a worker, under its limits."""
        cap = self._settings.max_body_bytes
        too_large = FetchError(
            "too_large", f"the body is larger than {cap} bytes; raise [fetch] max_body_bytes if right"
        )
        announced = response.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > cap:
            raise too_large
        body = bytearray()
        for piece in response.iter_raw(64 * 1024):
            body += piece
            if len(body) > cap:
                raise too_large
            lease.grow(len(body), self._deadline)
        return body


def _drain(response: httpx.Response) -> None:
    """Read a short body that nobody wants, so that the connection can be used again."""
    length = response.headers.get("content-length", "0" if response.status_code == 304 else "")
    if not length.isdigit() or int(length) > _SHORT_BODY:
        return
    try:
        for _ in response.iter_raw():
            pass
    except httpx.HTTPError:
        return  # the status is known, which is all that was wanted


def checked_url(url: str) -> None:
    """Raise FetchError("bad_url") unless `url` is an http(s) address with a host."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and parts.hostname and len(url) <= MAX_URL and parts.port != 0
    except ValueError:
        fine = False
    if not fine:
        raise FetchError("bad_url", f"{shown(url)!r} is not an http(s) address")


def retry_after_of(headers: httpx.Headers, now: datetime) -> timedelta | None:
    """Return how long a server asks to be left alone, None if it does not say.

    A date is measured against the server's own Date where it gives one, so that a replay at another time, or a clock
    that is off, makes no difference.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return timedelta(seconds=min(int(value[:12]), 10**9))
    try:
        until = parsedate_to_datetime(value)
        since = parsedate_to_datetime(headers["date"]) if "date" in headers else now
        wait = until - since
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(wait, timedelta(0))


def _validator(value: str) -> str:
    return value if len(value) <= MAX_VALIDATOR and value.isascii() and value.isprintable() else ""


def _told(error: BaseException) -> str:
    return plain(str(error))[:300] or type(error).__name__


def _named(error: httpx.HTTPError | httpx.InvalidURL | httpx.StreamError, url: str) -> FetchError:
    """Return the error under one of our names."""
    where = shown(url)
    if refused := refusal_of(error):
        return FetchError("address_refused", f"{where}: {refused}")
    if isinstance(error, httpx.TimeoutException):
        return FetchError("timeout", f"{where} did not answer in time ({_told(error)})")
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol)):
        return FetchError("bad_url", f"{where!r} is not an http(s) address: {_told(error)}")
    causes = list(causes_of(error))
    if any(isinstance(cause, NameUnknownError) for cause in causes):
        return FetchError("dns", _told(error))
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return FetchError("tls", f"{where}: {_told(error)}")
    if isinstance(error, httpx.ConnectError):
        return FetchError("connect", f"cannot connect to {where}: {_told(error)}")
    if isinstance(error, httpx.RemoteProtocolError):
        told = _told(error)
        short = "without sending complete message body" in told
        return FetchError("cut_short" if short else "bad_http", f"{where}: {told}")
    return FetchError("connection_lost", f"{where}: {_told(error)}")
