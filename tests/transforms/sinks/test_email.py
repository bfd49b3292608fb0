"""The digest, sent to a real SMTP server on loopback."""

from __future__ import annotations

import email
import email.policy
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any, cast

import pytest
from aiosmtpd.controller import Controller

from tests.transforms.sinks.made import NOW, alert, delivery, hostile, quote
from transforms.failures import ConfigError, SinkError
from transforms.model import Family, Stage
from transforms.sinks.email import EmailSink
from transforms.sinks.settings import EmailSettings


@dataclass
class Mailbox:
    """A server that keeps what it is sent; some recipients it refuses."""

    port: int = 0
    messages: list[tuple[str, EmailMessage]] = field(default_factory=list)

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _: Any) -> str:  # noqa: N802
        if address.startswith("nobody@"):
            return "550 no such user"
        if address.startswith("later@"):
            return "451 try later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        read = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.messages.append((envelope.rcpt_tos[0], cast(EmailMessage, read)))
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    found = Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found.port = probe.getsockname()[1]
    controller = Controller(found, hostname="127.0.0.1", port=found.port)
    controller.start()
    yield found
    controller.stop()


def sink_to(mailbox: Mailbox, *recipients: str, **changes: Any) -> EmailSink:
    values = {
        "host": "127.0.0.1",
        "port": mailbox.port,
        "security": "none",
        "sender": "alerts@watch.example",
        "recipients": recipients or ("desk@agency.example",),
    }
    return EmailSink(EmailSettings(**(values | changes)))


ARABIC = alert(
    2, country="LY", places=(), family=Family.CEASEFIRE, stage=Stage.AGREED, means=None, ceasefire_id="",
    evidence=(quote(2, quote="الطرفان يعلنان هدنة في سرت", lang="ar", outlet="Radio Sirte"),), outlets=("Radio Sirte",),
    independent_outlets=1,
)  # fmt: skip


def test_a_digest_by_country_and_place_in_text_and_html(mailbox: Mailbox) -> None:
    damascus = replace(alert().places[0], label="Damascus")
    alerts = [alert(1), ARABIC, alert(3, places=(damascus,)), alert(1, 2)]
    sink = sink_to(mailbox)
    assert len(sink.deliver(delivery(sink, alerts)).delivered) == 4
    ((recipient, mail),) = mailbox.messages
    assert recipient == mail["To"] == "desk@agency.example"
    assert mail["Subject"] == "4 alerts: Libya, Syria"
    body = mail.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    order = ["LIBYA", "Place not told", "الطرفان يعلنان هدنة في سرت", "SYRIA", "Damascus", "Hama", "Update: "]
    assert [text.index(words) for words in order] == sorted(text.index(words) for words in order)
    assert "https://courier.example/1" in text
    page = mail.get_body(("html",))
    assert page is not None
    assert '<blockquote dir="rtl">الطرفان يعلنان هدنة في سرت</blockquote>' in page.get_content()


def test_the_same_alerts_make_the_same_message_id(mailbox: Mailbox) -> None:
    sink = sink_to(mailbox)
    for alerts in ([alert(1), alert(2)], [alert(2), alert(1)], [alert(1)]):
        sink.deliver(delivery(sink, alerts))
    first, second, third = (mail["Message-ID"] for _, mail in mailbox.messages)
    assert first == second != third


def test_one_alert_is_the_subject(mailbox: Mailbox) -> None:
    sink = sink_to(mailbox)
    sink.deliver(delivery(sink, [alert(1)]))
    assert mailbox.messages[0][1]["Subject"].strip().startswith("Ceasefire violation: shelling, Hama (Syria)")


def test_hostile_words_make_no_headers_and_no_tags(mailbox: Mailbox) -> None:
    sink = sink_to(mailbox)
    bad = replace(hostile(), places=(replace(alert().places[0], label="Hama\r\nBcc: all@agency.example"),))
    sink.deliver(delivery(sink, [bad]))
    ((_, mail),) = mailbox.messages
    assert mail["Bcc"] is None
    page = mail.get_body(("html",))
    assert page is not None
    tags: set[str] = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.add(tag)  # type: ignore[method-assign]
    parser.feed(page.get_content())
    assert tags <= {"html", "body", "h1", "h2", "h3", "p", "blockquote", "a"}
    assert "javascript:" not in page.get_content()


def test_a_refused_recipient_does_not_cost_the_others_theirs(mailbox: Mailbox) -> None:
    sink = sink_to(mailbox, "nobody@agency.example", "desk@agency.example")
    assert sink.deliver(delivery(sink, [alert()])).delivered
    assert [recipient for recipient, _ in mailbox.messages] == ["desk@agency.example"]


def test_a_server_that_refuses_everyone(mailbox: Mailbox) -> None:
    sink = sink_to(mailbox, "nobody@agency.example")
    assert "refused every recipient" in sink.deliver(delivery(sink, [alert()])).retry["e000001.1"].message


def test_a_recipient_to_try_later(mailbox: Mailbox) -> None:
    sink = sink_to(mailbox, "later@agency.example")
    with pytest.raises(SinkError, match="try later"):
        sink.deliver(delivery(sink, [alert()]))


def test_no_server(mailbox: Mailbox) -> None:
    sink = sink_to(mailbox, port=1)
    with pytest.raises(SinkError, match=r"mail server 127\.0\.0\.1"):
        sink.deliver(delivery(sink, [alert()]))


def test_a_server_without_starttls_is_refused_where_it_is_asked_for(mailbox: Mailbox) -> None:
    sink = sink_to(mailbox, security="starttls")
    with pytest.raises(SinkError, match="STARTTLS"):
        sink.deliver(delivery(sink, [alert()]))
    assert mailbox.messages == []


SIX = NOW.replace(hour=6, minute=0)


@pytest.mark.parametrize(
    ("now", "last", "due"),
    [
        (SIX + timedelta(hours=3), None, True),
        (SIX + timedelta(hours=3), SIX + timedelta(minutes=1), False),
        (SIX + timedelta(hours=3), SIX - timedelta(hours=20), True),
        (SIX - timedelta(minutes=1), SIX - timedelta(hours=20), False),
        (SIX - timedelta(minutes=1), SIX - timedelta(hours=25), True),
        (SIX, SIX - timedelta(hours=24), True),
    ],
)
def test_a_daily_digest_is_due_once_a_day(now: datetime, last: datetime | None, due: bool) -> None:
    assert sink_to(Mailbox(), when="daily", hour=6).ready(now, last) == due
    assert sink_to(Mailbox(), when="each").ready(now, last)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"recipients": ()}, "must be addresses"),
        ({"recipients": ("desk",)}, "must be addresses"),
        ({"sender": "a b@c"}, "must be addresses"),
        ({"hour": 24}, "hour"),
        ({"username": "me"}, "a login needs"),
    ],
)
def test_settings_that_cannot_work(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        sink_to(Mailbox(), **changes)
