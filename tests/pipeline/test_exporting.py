"""Exports of alerts are, byte for byte, what the sink of that kind writes to its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import config_of
from pipeline.demo.outlets import demo_config, demo_steps
from pipeline.demo.server import DemoClock, serve_demo
from pipeline.exporting import FORMATS, export_lines
from pipeline.run import run_once
from pipeline.store.store import Store
from transforms.failures import ConfigError

KINDS = sorted(set(FORMATS) - {"jsonl"})


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Path]:
    """The demonstration, with a sink for each format, and its store."""
    import tomllib

    folder = tmp_path_factory.mktemp("ran")
    sinks = "".join(f'[[sink]]\nkind = "{kind}"\npath = "out/alerts.{kind}"\n' for kind in KINDS)
    sinks += '[[sink]]\nkind = "cap"\ndirectory = "out/cap"\n'
    clock = DemoClock()
    store = Store.open(f"sqlite:///{folder}/store.sqlite")
    with serve_demo(clock) as url:
        config = config_of(tomllib.loads(sinks + demo_config(url)), base=folder, environment={})
        for moment in demo_steps():
            clock.until = moment
            run_once(config, store, moment)
    return store, folder / "out"


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_is_what_the_sink_writes(kind: str, ran: tuple[Store, Path]) -> None:
    store, out = ran
    written = (out / f"alerts.{kind}").read_bytes()
    assert written.count(store.alerts()[-1].event_id.encode()) >= 1
    assert "".join(f"{line}\n" for line in export_lines(store, "alerts", kind)).encode() == written


def test_paths_of_all_sinks_are_beside_the_configuration(ran: tuple[Store, Path]) -> None:
    store, out = ran
    assert {path.stem for path in (out / "cap").iterdir()} == {alert.alert_id for alert in store.alerts()}


def test_what_cannot_be_exported_says_what_can(ran: tuple[Store, Path]) -> None:
    for what, format_, says in (
        ("alert", "jsonl", "choose events or alerts"), ("alerts", "xml", "jsonl, csv, geojson, atom"),
        ("events", "csv", "--what alerts --format csv"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=says):
            list(export_lines(ran[0], what, format_))
