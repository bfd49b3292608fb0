"""Webhooks by the Standard Webhooks rules: signed, without redirects, to public addresses only.

The message's id is the alert's and stays the same over retries, so that a receiver can drop what it has had. Two
secrets may be set while one is replaced by the other; then each message carries both signatures.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import msgspec

from transforms.failures import ConfigError
from transforms.ingest.network import guarded_client, refusal_of
from transforms.ingest.settings import FetchSettings
from transforms.model import Alert
from transforms.sinks.base import Batch, Delivery, Outcomes, Retry
from transforms.sinks.cloudevents import CONTENT_TYPE, cloudevent, encode_json
from transforms.sinks.safe import safe_link, safe_text
from transforms.sinks.settings import WebhookSettings
from transforms.sinks.words import ceasefire_words, first_quote, headline, outlet_words

_LONGEST_PAUSE = timedelta(days=1)
_SILENT_IN_A_ROW = 2  # messages without an answer after which the rest of a batch waits for the next time


class WebhookSink:
    """Posts each alert to one address."""

    batch_size = 20

    def __init__(self, settings: WebhookSettings) -> None:
        """Prepare the signatures.

        Raises:
            ConfigError: The library is missing, a secret is malformed, or none is set.
        """
        self.name = settings.name
        self._settings = settings
        self._signers = _signers(settings)
        self._fetch = FetchSettings(
            allow_private_networks=settings.allow_private_networks,
            timeout_s=settings.timeout_s,
            total_timeout_s=settings.timeout_s,
        )

    def encode(self, alert: Alert) -> bytes:
        """Return the body: a CloudEvent, or a message that Slack and its like show."""
        if self._settings.format == "slack":
            return msgspec.json.encode(slack_message(alert))
        return encode_json(cloudevent(alert, self._settings.source))

    def deliver(self, batch: Batch) -> Outcomes:
        """Post the batch one by one, and stop where the receiver asks for it or does not answer."""
        delivered: list[str] = []
        retry: dict[str, Retry] = {}
        refused: dict[str, str] = {}
        started = time.monotonic()
        silent = 0
        with guarded_client(self._fetch) as client:
            for delivery in batch.deliveries:
                moment = batch.now.astimezone(UTC) + timedelta(seconds=time.monotonic() - started)
                answer = self._post(client, delivery, moment)
                if isinstance(answer, str):
                    retry[delivery.alert_id] = Retry(message=answer)
                    silent += 1
                    if silent >= _SILENT_IN_A_ROW:
                        break
                    continue
                silent = 0
                status = answer.status_code
                message = f"the receiver answered {status} {safe_text(answer.reason_phrase)[:100]}"
                if 200 <= status < 300:
                    delivered.append(delivery.alert_id)
                elif status == 410:
                    disable = f"{message}: it wants no more"
                    return Outcomes(delivered=tuple(delivered), retry=retry, refused=refused, disable=disable)
                elif status == 413:
                    refused[delivery.alert_id] = message
                elif status in (429, 503):
                    after = retry_after(answer.headers.get("retry-after", ""), moment)
                    retry[delivery.alert_id] = Retry(message=message, after=after)
                    return Outcomes(delivered=tuple(delivered), retry=retry, refused=refused, pause=after)
                else:
                    note = "; redirects are not followed, set the new address" if answer.is_redirect else ""
                    retry[delivery.alert_id] = Retry(message=message + note)
        return Outcomes(delivered=tuple(delivered), retry=retry, refused=refused)

    def _post(self, client: httpx.Client, delivery: Delivery, moment: datetime) -> httpx.Response | str:
        """Return the answer (its body unread), or why there was none."""
        headers = self._headers(delivery, moment)
        try:
            with client.stream("POST", self._settings.url, content=delivery.body, headers=headers) as answer:
                return answer
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return refusal_of(error) or f"no answer: {type(error).__name__} {safe_text(str(error))[:200]}"

    def _headers(self, delivery: Delivery, moment: datetime) -> dict[str, str]:
        text = delivery.body.decode("utf-8")
        signatures = " ".join(sign(delivery.alert_id, moment, text) for sign in self._signers)
        slack = self._settings.format == "slack"
        return {
            "content-type": "application/json" if slack else CONTENT_TYPE,
            "webhook-id": delivery.alert_id,
            "webhook-timestamp": str(int(moment.timestamp())),
            **({"webhook-signature": signatures} if signatures else {}),
        }


def retry_after(value: str, now: datetime) -> timedelta | None:
    """Return how long a Retry-After header (seconds or a date) asks to wait, at most a day; None if it says nothing."""
    value = value.strip()
    try:
        wait = (
            timedelta(seconds=int(value)) if value.isdecimal() else parsedate_to_datetime(value).astimezone(UTC) - now
        )
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, timedelta(seconds=1)), _LONGEST_PAUSE)


def slack_message(alert: Alert) -> dict[str, str]:
    """Return a body that Slack, Mattermost and others that take Slack's form show."""
    lines = [f"*{_slack(headline(alert))}*"]
    if words := ceasefire_words(alert):
        lines.append(_slack(words))
    if quote := first_quote(alert):
        lines.append(f"> {_slack(quote)}")
    links = [(link, q.outlet) for q in alert.evidence if (link := safe_link(q.url))]
    told = " ".join(f"<{_slack(link)}|{_slack(safe_text(outlet)).replace('|', ' ')}>" for link, outlet in links[:8])
    lines.append(told or _slack(outlet_words(alert)))
    return {"text": "\n".join(lines)}


def _slack(text: str) -> str:
    """Escape what Slack reads as markup of links, users and groups."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _signers(settings: WebhookSettings) -> list[Callable[[str, datetime, str], str]]:
    if not settings.secrets:
        if settings.format == "slack":
            return []  # its address is the secret
        raise ConfigError(f'sink "{settings.name}": set a secret in the variable {settings.secrets_env}')
    try:
        from standardwebhooks.webhooks import Webhook
    except ModuleNotFoundError as error:
        raise ConfigError("webhooks need the standardwebhooks library; install trucewatch[web]") from error
    signers: list[Callable[[str, datetime, str], str]] = []
    for secret in settings.secrets:
        try:
            signers.append(Webhook(secret).sign)
        except (ValueError, RuntimeError) as error:
            raise ConfigError(f'sink "{settings.name}": a secret is not base64 ("whsec_..."): {error}') from error
    return signers
