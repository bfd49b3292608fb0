"""`trucewatch.toml` and the environment, read into one frozen `Config`; every error names the place and the mend."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, get_type_hints
from urllib.parse import urlsplit

import msgspec

from pipeline.observe.settings import MetricsSettings
from transforms.alert.settings import AlertPolicy
from transforms.deduplicate.settings import ClusterSettings
from transforms.detect.settings import DetectSettings
from transforms.failures import ConfigError, ParseError
from transforms.ingest.feed import Feed
from transforms.ingest.opml import read_opml
from transforms.ingest.settings import FetchSettings
from transforms.sinks.settings import DEFAULT_SOURCE, KINDS, SinkSettings, settings_of

DEFAULT_STORE = "sqlite:///trucewatch.sqlite"
LANGUAGES = ("en", "ar", "fr", "tr", "ru")
CONFIG_NAME = "trucewatch.toml"

T = TypeVar("T")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?)")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that a run needs to know.

    Attributes:
        source: URI of this deployment, the `source` of its CloudEvents.
        store: SQLAlchemy URL of the store.
        feeds: The feeds to read, in the order of the file.
        fetch, detect, deduplicate, alert: Settings of the stages.
        sinks: Where alerts are delivered, in the order of the file.
        metrics: Where metrics go.
    """

    source: str = DEFAULT_SOURCE
    store: str = DEFAULT_STORE
    feeds: tuple[Feed, ...] = ()
    fetch: FetchSettings = field(default_factory=FetchSettings)
    detect: DetectSettings = field(default_factory=DetectSettings)
    deduplicate: ClusterSettings = field(default_factory=ClusterSettings)
    alert: AlertPolicy = field(default_factory=AlertPolicy)
    sinks: tuple[SinkSettings, ...] = ()
    metrics: MetricsSettings = field(default_factory=MetricsSettings)


_SECTIONS: dict[str, type] = {
    "fetch": FetchSettings,
    "detect": DetectSettings,
    "deduplicate": ClusterSettings,
    "alert": AlertPolicy,
    "metrics": MetricsSettings,
}
_TOP = ("source", "store", "opml", "feed", "sink", *_SECTIONS)


def load_config(path: Path, environment: Mapping[str, str] = os.environ) -> Config:
    """Read and check a configuration file.

    Args:
        path: A TOML file; paths inside it are relative to it.
        environment: Where `TRUCEWATCH_STORE`, `TRUCEWATCH_SOURCE` and `{ env = ... }` values are looked up.

    Raises:
        ConfigError: Naming the file, the table, the key and what to do.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such file; `trucewatch init` writes a starter configuration, `--config FILE` names another"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    return config_of(table, base=path.parent, name=str(path), environment=environment)


def config_of(
    table: Mapping[str, Any], *, base: Path, name: str = CONFIG_NAME, environment: Mapping[str, str] = os.environ
) -> Config:
    """Return the configuration that a parsed TOML table describes; see `load_config`."""
    table = _secrets(table, name, environment)
    _known(table, _TOP, name)
    sections: dict[str, Any] = {
        key: build(cls, table.get(key, {}), f"{name}: [{key}]") for key, cls in _SECTIONS.items()
    }
    if sections["metrics"].prometheus_file:
        file = str(base / sections["metrics"].prometheus_file)
        sections["metrics"] = replace(sections["metrics"], prometheus_file=file)
    feeds = [_feed(row, n, name) for n, row in enumerate(table.get("feed", []), 1)]
    for listed in _strings(table.get("opml", []), f"{name}: opml"):
        feeds += _opml_feeds(base / listed)
    _unique(feeds, name)
    store = environment.get("TRUCEWATCH_STORE") or _text(table, "store", DEFAULT_STORE, name)
    source = environment.get("TRUCEWATCH_SOURCE") or _text(table, "source", DEFAULT_SOURCE, name)
    sinks = tuple(_sink(row, n, source, name, base, environment) for n, row in enumerate(table.get("sink", []), 1))
    return Config(source=source, store=store, feeds=tuple(feeds), sinks=sinks, **sections)


def build(cls: type[T], table: Any, where: str) -> T:
    """Return `cls` filled from `table`: unknown keys, wrong types and bad values raise `ConfigError`.

    Durations may be written "15 min", "48 h" or as seconds.
    """
    if not isinstance(table, Mapping):
        raise ConfigError(f"{where}: must be a table of keys and values, not {type(table).__name__}")
    hints = get_type_hints(cls)
    _known(table, [f.name for f in fields(cls)], where)  # type: ignore[arg-type]
    values = dict(table)
    for key, value in table.items():
        hint = hints[key]
        if hint is timedelta:
            values[key] = duration(value, f"{where} {key}")
        elif isinstance(value, Mapping):
            inner = [c for c in getattr(hint, "__args__", (hint,)) if hasattr(c, "__dataclass_fields__")]
            if inner:
                values[key] = build(inner[0], value, f"{where.rstrip(']')}.{key}]")
    try:
        return msgspec.convert(values, cls, builtin_types=(timedelta,), from_attributes=True)
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        message = str(error).replace(" - at `$.", " for key `")
        raise ConfigError(f"{where}: {message}") from error


def duration(value: Any, where: str) -> timedelta:
    """Return the duration that `value` tells: seconds, or a number and a unit."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return timedelta(seconds=value)
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise ConfigError(f'{where}: {value!r} is no duration; write seconds, or for instance "15 min", "48 h", "10 d"')
    return timedelta(seconds=float(match[1]) * _UNIT_SECONDS[match[2][0]])


def _feed(row: Any, n: int, name: str) -> Feed:
    label = row.get("name") if isinstance(row, Mapping) else None
    where = f"{name}: [[feed]] {label!r}" if label else f"{name}: [[feed]] number {n}"
    if isinstance(row, Mapping):
        for key in ("name", "url", "outlet"):
            if not row.get(key):
                raise ConfigError(f"{where}: `{key}` is missing")
    feed = build(Feed, row, where)
    check_url(feed.url, where)
    if feed.language and feed.language not in LANGUAGES:  # without one, each item is asked for its own
        raise ConfigError(f"{where}: language {feed.language!r} is not one of {', '.join(LANGUAGES)}")
    return feed


def _sink(row: Any, n: int, source: str, name: str, base: Path, environment: Mapping[str, str]) -> SinkSettings:
    where = f"{name}: [[sink]] number {n}"
    if not isinstance(row, Mapping):
        raise ConfigError(f"{where}: must be a table of keys and values")
    known = {f.name for f in fields(KINDS[row["kind"]])} if row.get("kind") in KINDS else set()
    filled = dict(row)
    if "source" in known:
        filled.setdefault("source", source)
    for key in ("path", "directory"):
        if key in known and isinstance(row.get(key), str):
            filled[key] = str(base / row[key])
    try:
        return settings_of(filled, environment)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def check_url(url: str, where: str) -> None:
    """Raise `ConfigError` unless `url` is an http(s) URL with a host."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(f"{where}: {url!r} is not a URL that can be read; it must start with http:// or https://")


def _opml_feeds(path: Path) -> list[Feed]:
    try:
        return read_opml(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, ParseError) as error:
        raise ConfigError(f"{path}: cannot be read as OPML: {error}") from error


def _unique(feeds: list[Feed], name: str) -> None:
    for what, values in (("name", [f.name for f in feeds]), ("url", [f.url for f in feeds])):
        twice = [value for value, n in Counter(values).items() if n > 1]
        if twice:
            raise ConfigError(f"{name}: two feeds have the {what} {twice[0]!r}; remove one or rename it")


def _known(table: Mapping[str, Any], known: Any, where: str) -> None:
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, list(known), n=1)
            hint = f"; did you mean `{near[0]}`?" if near else f"; known keys: {', '.join(known)}"
            raise ConfigError(f"{where}: unknown key `{key}`{hint}")


def _secrets(value: Any, name: str, environment: Mapping[str, str]) -> Any:
    """Replace `{ env = "NAME" }` and `{ file = "PATH" }` by what they point to."""
    if isinstance(value, Mapping):
        if set(value) == {"env"}:
            if value["env"] not in environment:
                raise ConfigError(f"{name}: the environment variable {value['env']} is not set")
            return environment[value["env"]]
        if set(value) == {"file"}:
            try:
                return Path(value["file"]).read_text("utf-8").strip()
            except OSError as error:
                raise ConfigError(f"{name}: the secret file {value['file']} cannot be read: {error}") from error
        return {key: _secrets(inner, name, environment) for key, inner in value.items()}
    if isinstance(value, list):
        return [_secrets(inner, name, environment) for inner in value]
    return value


def _text(table: Mapping[str, Any], key: str, default: str, name: str) -> str:
    value = table.get(key, default)
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{name}: `{key}` must be a text, not {value!r}")
    return value


def _strings(value: Any, where: str) -> list[str]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        raise ConfigError(f"{where}: must be a file name or a list of them")
    return values
