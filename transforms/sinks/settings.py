"""Settings of each kind of sink, as frozen records, and how they are read from a configuration table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

import msgspec

from transforms.failures import ConfigError
from transforms.sinks.safe import safe_link

DEFAULT_SOURCE = "urn:trucewatch:local"
DEFAULT_TITLE = "Ceasefires and their breaches in Syria and Libya"
DEFAULT_AUTHORITY = "trucewatch.invalid,2026"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSettings:
    """A file.

    Attributes:
        path: The file.
    """

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotSettings(FileSettings):
    """A file that is written anew, as a whole, at each delivery.

    Attributes:
        keep: Events in the file: those told most recently.
        name: The sink's name.
    """

    keep: int = 10_000
    name: str

    def __post_init__(self) -> None:
        """Refuse a file that would hold nothing.

        Raises:
            ConfigError: `keep` is below 1.
        """
        if self.keep < 1:
            raise ConfigError(f'sink "{self.name}": keep must be at least 1')


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonlSettings(FileSettings):
    """A file of CloudEvents, one a line, appended.

    Attributes:
        name: The sink's name.
        source: URI of this deployment, the CloudEvents' `source`.
    """

    name: str = "jsonl"
    source: str = DEFAULT_SOURCE


@dataclass(frozen=True, slots=True, kw_only=True)
class AtomSettings(SnapshotSettings):
    """An Atom feed with GeoRSS points.

    Attributes:
        title: The feed's title.
        authority: Host name or mail address and year that make its `tag:` ids, such as "example.org,2026".
        link: Where the feed is served, or "".
    """

    name: str = "atom"
    keep: int = 200
    title: str = DEFAULT_TITLE
    authority: str = DEFAULT_AUTHORITY
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoJsonSettings(SnapshotSettings):
    """A GeoJSON file of events, for maps."""

    name: str = "geojson"


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvSettings(SnapshotSettings):
    """A CSV file of events in ACLED's column names, with an HXL row."""

    name: str = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapSettings:
    """A directory of CAP 1.2 messages.

    Attributes:
        directory: Where the files go.
        name: The sink's name.
        sender: Who sends them: a name or address, without spaces, commas, "<" or "&".
        status: CAP's word for whether they are meant.
    """

    directory: str
    name: str = "cap"
    sender: str = "trucewatch@trucewatch.invalid"
    status: Literal["Actual", "Exercise", "System", "Test", "Draft"] = "Actual"

    def __post_init__(self) -> None:
        """Refuse a sender that CAP forbids.

        Raises:
            ConfigError: It holds a space, a comma, "<" or "&".
        """
        if not self.sender or any(sign in self.sender for sign in " ,<&\t\n"):
            raise ConfigError(f'sink "{self.name}": sender "{self.sender}" may hold no space, comma, "<" or "&"')


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """An address to which each alert is posted.

    Attributes:
        url: http(s) address.
        url_env: Variable to take the address from, where it is itself a secret (Slack).
        name: The sink's name.
        format: "cloudevents", or "slack" for what takes Slack's messages.
        secrets_env: Variable with one secret ("whsec_..."), or two with a space between while one is being replaced.
        secrets: The secrets themselves, from that variable.
        timeout_s: Longest wait for an answer.
        allow_private_networks: Let the address lead to loopback and private networks.
        source: URI of this deployment, the CloudEvents' `source`.
    """

    url: str = ""
    url_env: str = ""
    name: str = "webhook"
    format: Literal["cloudevents", "slack"] = "cloudevents"
    secrets_env: str = "TRUCEWATCH_WEBHOOK_SECRETS"
    secrets: tuple[str, ...] = field(default=(), repr=False)
    timeout_s: float = 15.0
    allow_private_networks: bool = False
    source: str = DEFAULT_SOURCE

    def __post_init__(self) -> None:
        """Refuse what is no web address.

        Raises:
            ConfigError: The URL is not one, or the time-out is out of range.
        """
        if self.url and not safe_link(self.url):
            raise ConfigError(f'sink "{self.name}": the url is no http(s) address')
        if not 0.1 <= self.timeout_s <= 600:
            raise ConfigError(f'sink "{self.name}": timeout_s must be from 0.1 to 600')


@dataclass(frozen=True, slots=True, kw_only=True)
class PubSubSettings:
    """A Google Cloud Pub/Sub topic; PUBSUB_EMULATOR_HOST leads to the emulator.

    Attributes:
        project: Google Cloud project.
        topic: Name of the topic.
        name: The sink's name.
        timeout_s: Longest wait for the confirmation of a batch.
        source: URI of this deployment, the CloudEvents' `source`.
    """

    project: str
    topic: str = "trucewatch-alerts"
    name: str = "pubsub"
    timeout_s: float = 60.0
    source: str = DEFAULT_SOURCE


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailSettings:
    """A digest by e-mail.

    Attributes:
        host: SMTP server.
        sender: Address in From.
        recipients: Addresses; each gets a message of its own, so that none sees the others.
        port: The server's port.
        security: "starttls", "tls" (from the first byte), or "none".
        username: Login, "" for none.
        password_env: Variable with the password.
        password: The password itself, from that variable.
        when: "each" (whenever there is something to tell) or "daily".
        hour: Hour of the day (UTC) from which the daily digest goes out.
        timeout_s: Longest wait for the server.
        name: The sink's name.
    """

    host: str
    sender: str
    recipients: tuple[str, ...]
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password_env: str = "TRUCEWATCH_SMTP_PASSWORD"  # noqa: S105 - the variable's name, not the password
    password: str = field(default="", repr=False)
    when: Literal["each", "daily"] = "each"
    hour: int = 6
    timeout_s: float = 30.0
    name: str = "email"

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            ConfigError: No recipient, an address without "@", an hour that no day has, a login over an open line.
        """
        addresses = (self.sender, *self.recipients)
        if not self.recipients or not all("@" in a and a.isprintable() and " " not in a for a in addresses):
            raise ConfigError(f'sink "{self.name}": sender and recipients must be addresses with "@"')
        if not 0 <= self.hour <= 23:
            raise ConfigError(f'sink "{self.name}": hour must be from 0 to 23')
        if self.username and self.security == "none":
            raise ConfigError(f'sink "{self.name}": a login needs security = "starttls" or "tls"')


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSettings:
    """A table on the terminal (standard output).

    Attributes:
        name: The sink's name.
    """

    name: str = "table"


SinkSettings = (
    JsonlSettings
    | AtomSettings
    | GeoJsonSettings
    | CsvSettings
    | CapSettings
    | WebhookSettings
    | PubSubSettings
    | EmailSettings
    | TableSettings
)

KINDS: dict[str, type[Any]] = {
    "jsonl": JsonlSettings,
    "atom": AtomSettings,
    "geojson": GeoJsonSettings,
    "csv": CsvSettings,
    "cap": CapSettings,
    "webhook": WebhookSettings,
    "pubsub": PubSubSettings,
    "email": EmailSettings,
    "table": TableSettings,
}
_FROM_ENVIRONMENT = frozenset({"secrets", "password"})  # never written into a configuration file


def settings_of(table: Mapping[str, Any], environ: Mapping[str, str]) -> SinkSettings:
    """Return the settings of one `[[sink]]` table.

    Args:
        table: Its `kind` and the fields of that kind's settings.
        environ: Where secrets are looked up.

    Raises:
        ConfigError: Unknown kind or key, a value of the wrong type, a secret that is not there.
    """
    kind = table.get("kind", "")
    if kind not in KINDS:
        raise ConfigError(f'sink kind "{kind}" is not known; use one of {", ".join(KINDS)}')
    known = {item.name for item in fields(KINDS[kind])} - _FROM_ENVIRONMENT
    for key in table:
        if key in _FROM_ENVIRONMENT:
            raise ConfigError(f'sink "{kind}": keep "{key}" out of the file; set the variable that {key}_env names')
        if key != "kind" and key not in known:
            raise ConfigError(f'sink "{kind}": unknown key "{key}"; it takes {", ".join(sorted(known))}')
    values = {key: value for key, value in table.items() if key != "kind"}
    try:
        settings: SinkSettings = msgspec.convert(values, KINDS[kind])
    except msgspec.ValidationError as error:
        raise ConfigError(f'sink "{values.get("name", kind)}": {error}') from error
    if not settings.name:
        raise ConfigError(f'sink "{kind}": the name is empty')
    return _with_secrets(settings, environ)


def _with_secrets(settings: SinkSettings, environ: Mapping[str, str]) -> SinkSettings:
    if isinstance(settings, EmailSettings) and settings.username:
        password = secret(environ, settings.password_env)
        if not password:
            raise ConfigError(f'sink "{settings.name}": set the password in the variable {settings.password_env}')
        return replace(settings, password=password)
    if isinstance(settings, WebhookSettings):
        url = settings.url or (secret(environ, settings.url_env) if settings.url_env else "")
        if not url:
            raise ConfigError(f'sink "{settings.name}": set url, or url_env and the variable that it names')
        return replace(settings, url=url, secrets=tuple(secret(environ, settings.secrets_env).split()))
    return settings


def secret(environ: Mapping[str, str], variable: str) -> str:
    """Return a secret from `variable`, or from the file that `variable`_FILE names; "" where neither is set.

    Raises:
        ConfigError: The file cannot be read.
    """
    if variable in environ:
        return environ[variable].strip()
    path = environ.get(f"{variable}_FILE", "")
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{variable}_FILE names {path}, which cannot be read: {error.strerror}") from error
