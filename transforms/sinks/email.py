"""A digest by e-mail, as text and HTML, by country and place; on each alert or once a day."""

from __future__ import annotations

import hashlib
import html
import smtplib
import ssl
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

from transforms.failures import SinkError
from transforms.model import Alert
from transforms.sinks.base import Batch, Outcomes, Retry
from transforms.sinks.cloudevents import cloudevent, encode_json, event_time
from transforms.sinks.safe import safe_link, safe_text
from transforms.sinks.settings import DEFAULT_SOURCE, EmailSettings
from transforms.sinks.words import ceasefire_words, country_name, headline, outlet_words, place_name

Groups = Mapping[str, Mapping[str, Sequence[Alert]]]


class EmailSink:
    """Sends what is due as one message to each recipient."""

    batch_size = 500

    def __init__(self, settings: EmailSettings) -> None:
        """Only keep the settings."""
        self.name = settings.name
        self._settings = settings

    def encode(self, alert: Alert) -> bytes:
        """Return the alert as JSON; the message itself is written for a whole batch."""
        return encode_json(cloudevent(alert, DEFAULT_SOURCE))

    def ready(self, now: datetime, last_success: datetime | None) -> bool:
        """Say whether a digest is due: always, or once a day from the hour set."""
        if self._settings.when == "each" or last_success is None:
            return True
        mark = now.replace(hour=self._settings.hour, minute=0, second=0, microsecond=0)
        mark = mark if mark <= now else mark - timedelta(days=1)
        return last_success < mark

    def deliver(self, batch: Batch) -> Outcomes:
        """Send one message to each recipient; where one is refused for good, the others still get theirs."""
        alerts = [delivery.alert for delivery in batch.deliveries]
        refused: list[str] = []
        try:
            with self._server() as server:
                for recipient in self._settings.recipients:
                    try:
                        server.send_message(message(alerts, recipient, batch.now, self._settings))
                    except smtplib.SMTPRecipientsRefused as error:
                        if _passing(error):
                            raise
                        refused.append(recipient)
        except (smtplib.SMTPException, OSError) as error:
            raise SinkError(f"mail server {self._settings.host}: {safe_text(str(error))[:300]}") from error
        if len(refused) == len(self._settings.recipients):
            why = "the mail server refused every recipient; check the addresses"
            return Outcomes(retry={delivery.alert_id: Retry(message=why) for delivery in batch.deliveries})
        return Outcomes(delivered=batch.alert_ids)

    def _server(self) -> smtplib.SMTP:
        settings = self._settings
        context = ssl.create_default_context()
        server: smtplib.SMTP
        if settings.security == "tls":
            server = smtplib.SMTP_SSL(settings.host, settings.port, timeout=settings.timeout_s, context=context)
        else:
            server = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_s)
        try:
            if settings.security == "starttls":
                server.starttls(context=context)
            if settings.username:
                server.login(settings.username, settings.password)
        except BaseException:
            server.close()
            raise
        return server


def message(alerts: Sequence[Alert], recipient: str, now: datetime, settings: EmailSettings) -> EmailMessage:
    """Return the digest; its Message-ID is the same whenever the same alerts go to the same recipient."""
    mail = EmailMessage()
    mail["From"] = settings.sender
    mail["To"] = recipient
    mail["Subject"] = headline(alerts[0]) if len(alerts) == 1 else f"{len(alerts)} alerts: {_countries(alerts)}"
    mail["Date"] = format_datetime(now)
    told = " ".join(sorted(alert.alert_id for alert in alerts))
    digest = hashlib.sha256(f"{told} {recipient}".encode()).hexdigest()[:32]
    mail["Message-ID"] = f"<{digest}@{settings.sender.rsplit('@', 1)[1]}>"
    mail["Auto-Submitted"] = "auto-generated"
    groups = grouped(alerts)
    mail.set_content(text_body(groups))
    mail.add_alternative(html_body(groups), subtype="html")
    return mail


def grouped(alerts: Iterable[Alert]) -> dict[str, dict[str, list[Alert]]]:
    """Return the alerts by country, then by first place; countries and places by name, alerts by day."""
    groups: dict[str, dict[str, list[Alert]]] = {}
    for alert in sorted(alerts, key=lambda a: (event_time(a), a.event_id, a.revision)):
        place = place_name(alert.places[0]) if alert.places else "Place not told"
        groups.setdefault(country_name(alert.country), {}).setdefault(place, []).append(alert)
    return {country: dict(sorted(places.items())) for country, places in sorted(groups.items())}


def text_body(groups: Groups) -> str:
    """Return the digest as plain text."""
    lines: list[str] = []
    for country, places in groups.items():
        lines += [country.upper(), ""]
        for place, alerts in places.items():
            lines.append(place)
            for alert in alerts:
                lines += ["", *_text_of(alert)]
            lines.append("")
    return "\n".join(lines)


def _text_of(alert: Alert) -> list[str]:
    lines = [f"* {headline(alert)}"]
    lines += [f"  Ceasefire: {words}"] if (words := ceasefire_words(alert)) else []
    lines.append(f"  Told by {outlet_words(alert)}")
    for quote in alert.evidence[:5]:
        lines += [f'  "{safe_text(quote.quote)}" ({safe_text(quote.outlet)})']
        lines += [f"  {link}"] if (link := safe_link(quote.url)) else []
    return lines


def html_body(groups: Groups) -> str:
    """Return the digest as HTML; every told word is escaped."""
    parts = ['<html><body style="font-family: sans-serif">']
    for country, places in groups.items():
        parts.append(f"<h1>{html.escape(country)}</h1>")
        for place, alerts in places.items():
            parts.append(f"<h2>{html.escape(place)}</h2>")
            parts += [_html_of(alert) for alert in alerts]
    return "".join([*parts, "</body></html>"])


def _html_of(alert: Alert) -> str:
    parts = [f"<h3>{html.escape(headline(alert))}</h3>"]
    parts += [f"<p>Ceasefire: {html.escape(words)}</p>"] if (words := ceasefire_words(alert)) else []
    parts.append(f"<p>Told by {html.escape(outlet_words(alert))}</p>")
    for quote in alert.evidence[:5]:
        outlet = html.escape(safe_text(quote.outlet))
        link = safe_link(quote.url)
        source = f'<a href="{html.escape(link)}">{outlet}</a>' if link else outlet
        direction = ' dir="rtl"' if quote.lang == "ar" else ""
        parts.append(f"<blockquote{direction}>{html.escape(safe_text(quote.quote))}</blockquote><p>{source}</p>")
    return "".join(parts)


def _countries(alerts: Sequence[Alert]) -> str:
    return ", ".join(sorted({country_name(alert.country) for alert in alerts}))


def _passing(error: smtplib.SMTPRecipientsRefused) -> bool:
    """Whether the server may take the recipient later (4xx)."""
    return any(400 <= code < 500 for code, _ in error.recipients.values())
