"""Sinks as configured: errors that say what to do, secrets from the environment only, one class for each kind."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.relay import RetrySettings
from tests.tables import cases
from transforms.failures import ConfigError
from transforms.sinks.registry import sinks_of
from transforms.sinks.settings import KINDS, EmailSettings, JsonlSettings, WebhookSettings, settings_of

WORKING: dict[str, dict[str, Any]] = {
    "jsonl": {"path": "a.jsonl"},
    "atom": {"path": "a.atom"},
    "geojson": {"path": "a.geojson"},
    "csv": {"path": "a.csv"},
    "cap": {"directory": "cap"},
    "webhook": {"url": "https://a.example/hook"},
    "pubsub": {"project": "p"},
    "email": {"host": "mail.example", "sender": "a@b.example", "recipients": ["c@d.example"]},
    "table": {},
}
SECRETS = {"TRUCEWATCH_WEBHOOK_SECRETS": "whsec_b2xkb2xkb2xk whsec_bmV3bmV3bmV3"}


@pytest.mark.parametrize("case", cases("sinks_settings_errors"), ids=lambda case: case["name"])
def test_errors_say_what_to_do(case: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        settings_of(case["table"], case.get("environ", {}))
    assert case["says"] in str(caught.value)


def test_every_kind_makes_a_sink_of_its_name() -> None:
    assert WORKING.keys() == KINDS.keys()
    tables = [{"kind": kind, "name": f"my-{kind}", **values} for kind, values in WORKING.items()]
    sinks = sinks_of(settings_of(table, SECRETS) for table in tables)
    assert [sink.name for sink in sinks] == [f"my-{kind}" for kind in WORKING]
    assert all(sink.batch_size >= 1 for sink in sinks)


def test_two_sinks_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match='two sinks are named "jsonl"'):
        sinks_of([JsonlSettings(path="a"), JsonlSettings(path="b")])


def test_secrets_come_from_the_environment_or_a_file_and_are_not_shown(tmp_path: Path) -> None:
    table = {"kind": "webhook", **WORKING["webhook"]}
    settings = settings_of(table, SECRETS)
    assert isinstance(settings, WebhookSettings)
    assert settings.secrets == tuple(SECRETS["TRUCEWATCH_WEBHOOK_SECRETS"].split())
    assert "whsec" not in repr(settings)
    (tmp_path / "secret").write_text("hunter2\n", "utf-8")
    mail = settings_of(
        {"kind": "email", **WORKING["email"], "username": "me"},
        {"TRUCEWATCH_SMTP_PASSWORD_FILE": str(tmp_path / "secret")},
    )
    assert isinstance(mail, EmailSettings)
    assert mail.password == "hunter2"
    assert "hunter2" not in repr(mail)


def test_an_address_that_is_a_secret_comes_from_a_variable() -> None:
    table = {"kind": "webhook", "format": "slack", "url_env": "SLACK"}
    settings = settings_of(table, {"SLACK": "https://hooks.example/T0/B0/x"})
    assert isinstance(settings, WebhookSettings)
    assert settings.url == "https://hooks.example/T0/B0/x"
    assert sinks_of([settings])


def test_every_kind_is_in_the_page_on_delivery() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "delivery.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == KINDS.keys()


def test_the_page_on_delivery_tells_the_schedule() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "delivery.md").read_text("utf-8")
    settings = RetrySettings()
    assert f"{len(settings.delays) + 1} times in about two days" in page
    assert settings.delays[0].total_seconds() == 30
    assert max(settings.delays).total_seconds() == 12 * 3600
    assert 44 <= sum(settings.delays, timedelta()).total_seconds() / 3600 <= 52
