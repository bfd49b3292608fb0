"""The guarded way onto the network: every dialled address is checked, every exchange has an end.

One HTTP client for feeds, article pages and webhooks alike. Names are resolved once, here; the address that passed the
check is the address that is dialled, so a name that changes its answer (DNS rebinding) gains nothing. Proxies and
credentials of the environment are not used, redirects are never followed by the client.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from importlib import metadata
from ipaddress import ip_address
from typing import Any

import httpcore
import httpx

from transforms.ingest.addresses import refusal
from transforms.ingest.settings import FetchSettings

Resolver = Callable[[str, int], list[str]]
"""Host and port to numeric addresses."""


class AddressRefusedError(httpcore.ConnectError):
    """The name leads to an address that must not be dialled."""


class NameUnknownError(httpcore.ConnectError):
    """The name cannot be resolved."""


class Deadline:
    """A moment by which an exchange must be over; shared by all connections of a client."""

    def __init__(self, seconds: float) -> None:
        """Start the clock."""
        self.restart(seconds)

    def restart(self, seconds: float) -> None:
        """Give `seconds` from now."""
        self._end = time.monotonic() + seconds

    def extend(self, seconds: float) -> None:
        """Move the end, for time spent waiting on ourselves."""
        self._end += seconds

    def left(self) -> float:
        """Return the seconds left, 0 when it is over."""
        return max(0.0, self._end - time.monotonic())

    def bounded(self, timeout: float | None) -> float:
        """Return `timeout` cut to what is left.

        Raises:
            httpcore.ReadTimeout: Nothing is left.
        """
        left = self.left()
        if not left:
            raise httpcore.ReadTimeout("the time for the whole exchange is over")
        return left if timeout is None else min(timeout, left)


def resolve(host: str, port: int) -> list[str]:
    """Return the numeric addresses of `host`, in the system's order, each once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


class GuardedBackend(httpcore.NetworkBackend):
    """Dials only addresses that passed the check, and ends every wait at the deadline."""

    def __init__(self, *, allow_private: bool, deadline: Deadline, resolver: Resolver = resolve) -> None:
        """Keep the policy; `resolver` may be replaced to test what a hostile DNS answers."""
        self._allow_private = allow_private
        self._deadline = deadline
        self._resolver = resolver
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Dial the first address of `host` that is allowed and answers.

        Raises:
            AddressRefusedError: No address of it is allowed.
            NameUnknownError: It has none.
        """
        refused, error = "", None
        for address in self._addresses(host, port, timeout):
            reason = refusal(address, allow_private=self._allow_private)
            if reason:
                refused = reason
                continue
            try:
                stream = self._sockets.connect_tcp(
                    address, port, self._deadline.bounded(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failure:
                error = failure
                continue
            return _DeadlineStream(stream, self._deadline)
        if error:
            raise error
        raise AddressRefusedError(
            f"refused to connect: {refused}; [fetch] allow_private_networks = true allows private networks"
            if refused
            else "the name has no address"
        )

    def connect_unix_socket(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        """Refuse: nothing here reads local sockets."""
        raise AddressRefusedError("local sockets are not used")

    def _addresses(self, host: str, port: int, timeout: float | None) -> list[str]:
        """Resolve in a thread, since the system's resolver knows no time-out; an address needs no resolving."""
        try:
            return [str(ip_address(host))]
        except ValueError:
            pass
        result: list[list[str]] = []
        failure: list[Exception] = []

        def work() -> None:
            try:
                result.append(self._resolver(host, port))
            except (OSError, UnicodeError) as error:
                failure.append(error)

        thread = threading.Thread(target=work, name="resolve", daemon=True)
        thread.start()
        thread.join(self._deadline.bounded(timeout))
        if result:
            return result[0]
        if failure:
            raise NameUnknownError(f"the name {host[:100]!r} cannot be resolved: {failure[0]}")
        raise httpcore.ConnectTimeout(f"resolving {host[:100]!r} took too long")


class _DeadlineStream(httpcore.NetworkStream):
    """A connection whose reads and writes also end at the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.bounded(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.bounded(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.bounded(timeout))
        return _DeadlineStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _GuardedTransport(httpx.HTTPTransport):
    """httpx's own transport over a connection pool with the guarded backend."""

    def __init__(self, backend: GuardedBackend, deadline: Deadline, total_s: float | None, connections: int) -> None:
        super().__init__(verify=_tls(), trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=_tls(), max_connections=connections, max_keepalive_connections=connections,
            keepalive_expiry=30.0, http1=True, http2=False, retries=0, network_backend=backend,
        )  # fmt: skip
        self._deadline = deadline
        self._total_s = total_s

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._total_s is not None:
            self._deadline.restart(self._total_s)
        return super().handle_request(request)


def guarded_client(
    settings: FetchSettings,
    *,
    deadline: Deadline | None = None,
    connections: int = 1,
    resolver: Resolver = resolve,
) -> httpx.Client:
    """Return an HTTP client that reaches public addresses only, or private ones too where the settings allow it.

    Redirects are not followed: whoever does so makes a new request, which is checked like the first.

    Args:
        settings: Time-outs, contact and whether private networks are allowed.
        deadline: When given, the caller keeps it, over several requests; otherwise each request has
            `total_timeout_s` from its start, its body included.
        connections: How many at once.
        resolver: Replaced in tests of what a hostile DNS answers.
    """
    total_s = settings.total_timeout_s if deadline is None else None
    deadline = deadline or Deadline(settings.total_timeout_s)
    backend = GuardedBackend(allow_private=settings.allow_private_networks, deadline=deadline, resolver=resolver)
    return httpx.Client(
        transport=_GuardedTransport(backend, deadline, total_s, connections),
        timeout=settings.timeout_s,
        follow_redirects=False,
        trust_env=False,
        headers={"User-Agent": user_agent(settings.contact), "Accept-Encoding": "gzip, deflate, br"},
    )


def refusal_of(error: BaseException) -> str:
    """Return why the guard refused, when `error` (an httpx one) comes from it, else ""."""
    return next((str(cause) for cause in causes_of(error) if isinstance(cause, AddressRefusedError)), "")


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and what it was raised from or in, outermost first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


@lru_cache(maxsize=1)
def _version() -> str:
    try:
        return metadata.version("trucewatch")
    except metadata.PackageNotFoundError:
        return "0"


def user_agent(contact: str) -> str:
    """Return what servers are told about who asks, with the operator's contact where one is set."""
    return f"trucewatch/{_version()} (feed reader; {'+' + contact if contact else 'no contact set'})"


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
