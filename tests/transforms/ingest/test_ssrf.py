"""No way of writing an address, and no way of getting there, leads to one that is not public.

Every form of every address is tried for feeds, pages and webhooks, asked for directly, behind a redirect and behind a
name that changes its answer. All dialling is watched: an attempt counts even where nobody listens, and a canary listens
on this machine.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import httpx
import pytest
import ssrfguard
from hypothesis import example, given
from hypothesis import strategies as st

from tests.transforms.ingest.made import NOW, Stored, all_pages, feed
from tests.transforms.ingest.scripted import ScriptedServer, rss
from transforms.failures import FetchError
from transforms.ingest.addresses import refusal
from transforms.ingest.fetch import BodyBudget, Fetcher, HostLocks
from transforms.ingest.network import guarded_client, resolve
from transforms.ingest.parser_pool import ParserPool
from transforms.ingest.pull import pull_feeds
from transforms.ingest.settings import FetchSettings

PUBLIC = "93.184.215.14"  # stands for a public server; the watch leads it to the scripted one

ADDRESSES = [
    "127.0.0.1", "127.0.0.2", "127.1.2.3", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255",
    "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.1.254", "169.254.169.254", "169.254.170.2", "100.64.0.1",
    "100.100.100.200", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255",
]  # fmt: skip


def _octets(address: str) -> list[int]:
    return list(IPv4Address(address).packed)


def _hex6(address: str) -> str:
    a, b, c, d = _octets(address)
    return f"{a << 8 | b:x}:{c << 8 | d:x}"


FORMS = {
    "dotted": lambda a: a,
    "decimal": lambda a: str(int(IPv4Address(a))),
    "hexadecimal": lambda a: hex(int(IPv4Address(a))),
    "octal": lambda a: "0" + oct(int(IPv4Address(a)))[2:],
    "dotted hexadecimal": lambda a: ".".join(map(hex, _octets(a))),
    "dotted octal": lambda a: ".".join(f"0{octet:o}" for octet in _octets(a)),
    "octal with many zeros": lambda a: ".".join(f"{octet:o}".zfill(8) for octet in _octets(a)),
    "two parts": lambda a: f"{_octets(a)[0]}.{int(IPv4Address(a)) & 0xFFFFFF}",
    "three parts": lambda a: f"{_octets(a)[0]}.{_octets(a)[1]}.{int(IPv4Address(a)) & 0xFFFF}",
    "mixed": lambda a: f"{hex(_octets(a)[0])}.{_octets(a)[1]}.0{_octets(a)[2]:o}.{_octets(a)[3]}",
    "trailing dot": lambda a: a + ".",
    "full-width digits": lambda a: a.translate({ord(str(d)): 0xFF10 + d for d in range(10)}),
    "ideographic dots": lambda a: a.replace(".", "\u3002"),
    "mapped to IPv6": lambda a: f"[::ffff:{a}]",
    "mapped, in hexadecimal": lambda a: f"[::ffff:{_hex6(a)}]",
    "compatible IPv6": lambda a: f"[::{a}]",
    "NAT64": lambda a: f"[64:ff9b::{_hex6(a)}]",
    "6to4": lambda a: f"[2002:{_hex6(a)}::1]",
}


@dataclass
class Watch:
    """Every attempt to dial; only the public stand-in is led to the scripted server."""

    port: int
    dialled: list[tuple[Any, ...]] = field(default_factory=list)

    def dial(self, address: tuple[Any, ...], *args: Any, **kwargs: Any) -> socket.socket:
        if address[0] == PUBLIC:
            return self._connect(("127.0.0.1", self.port), *args, **kwargs)
        self.dialled.append(address)
        raise ConnectionRefusedError("watched")

    _connect = staticmethod(socket.create_connection)


@contextlib.contextmanager
def watched(server: ScriptedServer) -> Iterator[Watch]:
    """Watch `socket.create_connection`, by which httpcore dials."""
    watch = Watch(server.port)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "create_connection", watch.dial)
        yield watch


def numeric_names(host: str, port: int) -> list[str]:
    """Resolve as the system does, every way of writing a number included, but ask no name server."""
    found = socket.getaddrinfo(host.rstrip("."), port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    return [str(info[4][0]) for info in found]


def public_names(host: str, port: int) -> list[str]:
    """The same, and one name that is public."""
    return [PUBLIC] if host == "public.example" else numeric_names(host, port)


class Rebinding:
    """A name server that first tells a public address, then the one it is after."""

    def __init__(self, target: str) -> None:
        self._target = target
        self.asked = 0

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return [PUBLIC] if self.asked == 1 else [self._target]


SETTINGS = FetchSettings(timeout_s=2, total_timeout_s=5, robots=False, page_delay_s=0)


def read_feed(url: str, resolver: Any) -> None:
    with Fetcher(SETTINGS, HostLocks(), resolver) as fetcher, BodyBudget().lease() as lease:
        fetcher.fetch(url, lease, now=NOW)


def post_webhook(url: str, resolver: Any) -> None:
    with guarded_client(SETTINGS, resolver=resolver) as client:
        client.post(url, content=b"{}")


def targets() -> list[tuple[str, str, str]]:
    return [(form, address, FORMS[form](address)) for form in FORMS for address in ADDRESSES]


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    replies: dict[str, list[dict[str, Any]]] = {"/": [{"body": "feed"}]}
    for n, (_, _, host) in enumerate(targets()):
        location = f"http://{host}:8080/"
        replies[f"/to/{n}"] = [{"status": 302, "headers": {"Location": location.encode().decode("latin-1")}}]
    with ScriptedServer(replies) as server:
        yield server


def test_there_are_18_forms_and_25_addresses() -> None:
    assert (len(FORMS), len(set(ADDRESSES))) == (18, 25)


@pytest.mark.parametrize("form", FORMS)
def test_asked_for_directly(form: str, server: ScriptedServer) -> None:
    with watched(server) as watch:
        for address in ADDRESSES:
            url = f"http://{FORMS[form](address)}:{server.port}/"
            with pytest.raises(FetchError) as told:
                read_feed(url, numeric_names)
            assert told.value.kind in ("address_refused", "dns", "bad_url"), (url, told.value)
            with pytest.raises((httpx.HTTPError, httpx.InvalidURL)):
                post_webhook(url, numeric_names)
    assert not watch.dialled


def test_behind_a_redirect(server: ScriptedServer) -> None:
    with watched(server) as watch:
        for n in range(len(targets())):
            with pytest.raises(FetchError) as told:
                read_feed(f"http://public.example/to/{n}", public_names)
            assert told.value.kind in ("address_refused", "dns", "bad_url", "bad_http"), targets()[n]
            # A webhook does not follow at all: the redirect itself is the answer, or is refused as broken.
            with contextlib.suppress(httpx.RemoteProtocolError):
                post_webhook(f"http://public.example/to/{n}", public_names)
    assert not watch.dialled


def test_behind_a_name_that_changes_its_answer(server: ScriptedServer) -> None:
    with watched(server) as watch:
        for address in [*ADDRESSES, *(host.strip("[]") for _, _, host in targets() if host[0] == "[")]:
            for act in (read_feed, post_webhook):
                name = Rebinding(address)
                act("http://rebinding.example/", name)  # the first answer is public, and is the one that is dialled
                assert name.asked == 1
                with pytest.raises((FetchError, httpx.HTTPError)):
                    act("http://rebinding.example/", name)
    assert not watch.dialled


def test_a_name_with_a_good_and_a_bad_address_leads_to_the_good_one(server: ScriptedServer) -> None:
    with watched(server) as watch:
        read_feed("http://two.example/", lambda host, port: ["127.0.0.1", PUBLIC])
    assert not watch.dialled


@pytest.mark.parametrize("way", ["direct", "redirect", "rebinding"])
def test_article_pages(way: str, parsers: ParserPool) -> None:
    """Pages are named by whoever writes the feed: all forms of all addresses as links of items."""
    rows = targets()
    replies: dict[str, list[dict[str, Any]]] = {}
    items = ""
    for n, (_, _, host) in enumerate(rows):
        link = {"direct": f"http://{host}:8080/{n}", "redirect": f"http://public.example/to/{n}"}.get(
            way, f"http://rebinding{n}.example/{n}"
        )
        items += f"<item><guid>{n}</guid><title>Truce {n}</title><link>{link}</link></item>"
        location = f"http://{host}:8080/".encode().decode("latin-1")
        replies[f"/to/{n}"] = [{"status": 302, "headers": {"Location": location}}]
    replies["/feed"] = [{"body": rss(items=items)}]
    answers = {f"rebinding{n}.example": address for n, (_, address, _) in enumerate(rows)}

    def names(host: str, port: int) -> list[str]:
        return [answers[host]] if host in answers else public_names(host, port)

    settings = FetchSettings(timeout_s=2, total_timeout_s=5, robots=False, page_delay_s=0, pages_per_feed=1000)
    store = Stored()
    with ScriptedServer(replies) as server, watched(server) as watch:
        outlet = feed(url="http://public.example/feed", full_text=True)
        result = pull_feeds([store.request(outlet)], settings, NOW, store, all_pages, parsers=parsers, resolver=names)
    assert not watch.dialled
    assert len(result.articles) == len(rows)  # each keeps its summary
    assert all(article.text == "" for article in result.articles)


def test_a_canary_on_this_machine_hears_nothing() -> None:
    """Without a watch: the real way down to the sockets."""
    with ScriptedServer({"/": [{"body": "feed"}]}) as canary:
        for written in FORMS.values():
            url = f"http://{written('127.0.0.1')}:{canary.port}/"
            with pytest.raises(FetchError):
                read_feed(url, numeric_names)
            with pytest.raises((httpx.HTTPError, httpx.InvalidURL)):
                post_webhook(url, numeric_names)
        for name in ("localhost", "LOCALHOST", "[::1]", "[0:0:0:0:0:0:0:1]"):
            with pytest.raises(FetchError):
                read_feed(f"http://{name}:{canary.port}/", resolve)
        assert not canary.asked
        assert canary.connections == 0


def test_private_networks_by_an_explicit_setting_only() -> None:
    allowed = [a for a in ADDRESSES if not refusal(a, allow_private=True)]
    assert allowed == [
        "127.0.0.1", "127.0.0.2", "127.1.2.3", "127.255.255.254", "10.0.0.1", "10.255.255.255", "172.16.0.1",
        "172.31.255.255", "192.168.0.1", "192.168.1.254", "100.64.0.1", "100.100.100.200",
    ]  # fmt: skip
    assert all(refusal(a) for a in ADDRESSES)
    assert not refusal("::1", allow_private=True)
    assert refusal("fe80::1%eth0", allow_private=True)  # cloud metadata and neighbours stay out of reach


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
@example(IPv6Address("64:ff9b::7f00:1"))
@example(IPv6Address("2002:7f00:1::"))
@example(IPv6Address("::7f00:1"))
@example(IPv6Address("fec0::1"))
@example(IPv6Address("2001:0:7f00:1::"))
@example(IPv4Address("192.88.99.1"))
def test_the_oracle_refuses_nothing_that_is_allowed_here(address: IPv4Address | IPv6Address) -> None:
    if ssrfguard.DEFAULT_DENIED.classify(address).blocked:
        assert refusal(str(address)), address


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_what_is_not_global_is_refused(address: IPv4Address | IPv6Address) -> None:
    if not ipaddress.ip_address(str(address)).is_global:
        assert refusal(str(address))
