"""Settings of each kind of sink, as frozen records, and how they are read from a configuration table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import msgspec

from transforms.failures import ConfigError

DEFAULT_SOURCE = "urn:trucewatch:local"


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonlSettings:
    """A file of CloudEvents, one a line, appended.

    Attributes:
        path: The file.
        name: The sink's name.
        source: URI of this deployment, the CloudEvents' `source`.
    """

    path: str
    name: str = "jsonl"
    source: str = DEFAULT_SOURCE


@dataclass(frozen=True, slots=True, kw_only=True)
class AtomSettings:
    """An Atom feed with GeoRSS points.

    Attributes:
        path: The file.
        name: The sink's name.
        title: The feed's title.
        authority: Host name or mail address and year that make its `tag:` ids, such as "example.org,2026".
        link: Where the feed is served, or "".
        keep: Events in the feed.
    """

    path: str
    name: str = "atom"
    title: str = "Ceasefires and their breaches in Syria and Libya"
    authority: str = "trucewatch.invalid,2026"
    link: str = ""
    keep: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSettings:
    """A table on the terminal (standard output).

    Attributes:
        name: The sink's name.
    """

    name: str = "table"


SinkSettings = JsonlSettings | AtomSettings | TableSettings

KINDS: dict[str, type[Any]] = {
    "jsonl": JsonlSettings,
    "atom": AtomSettings,
    "table": TableSettings,
}


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
    known = {item.name for item in fields(KINDS[kind])}
    for key in table:
        if key != "kind" and key not in known:
            raise ConfigError(f'sink "{kind}": unknown key "{key}"; it takes {", ".join(sorted(known))}')
    values = {key: value for key, value in table.items() if key != "kind"}
    try:
        settings: SinkSettings = msgspec.convert(values, KINDS[kind])
    except msgspec.ValidationError as error:
        raise ConfigError(f'sink "{values.get("name", kind)}": {error}') from error
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
