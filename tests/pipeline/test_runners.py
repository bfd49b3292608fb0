"""The same news gives the same alerts on every local runner that a user may name."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from pipeline.config import config_of
from pipeline.demo.outlets import demo_config, demo_steps
from pipeline.demo.server import DemoClock, serve_demo
from pipeline.options import runner_name
from pipeline.run import run_once
from pipeline.store.store import Store
from transforms.failures import ConfigError


def told_on(runner: str, folder: Path, flags: tuple[str, ...] = ()) -> list[str]:
    """The alerts of the demonstration's first step, run on `runner`."""
    import tomllib

    with serve_demo(DemoClock(until=demo_steps()[0])) as url:
        config = config_of(tomllib.loads(demo_config(url)), base=folder, environment={})
        store = Store.open(f"sqlite:///{folder}/{runner}.sqlite")
        result = run_once(config, store, demo_steps()[0], runner=runner, beam_flags=flags)
        assert result.summary.imbalances == {}
        return sorted(alert.alert_id for alert in store.alerts())


def prism() -> str | None:
    """Path of a Prism binary, if one is at hand."""
    return os.environ.get("TRUCEWATCH_PRISM") or shutil.which("prism")


def test_direct_runner_gives_what_the_default_gives(tmp_path: Path) -> None:
    expected = told_on("FnApiRunner", tmp_path)
    assert len(expected) >= 5
    assert told_on("DirectRunner", tmp_path) == expected


@pytest.mark.skipif(prism() is None, reason="no Prism binary (TRUCEWATCH_PRISM or on PATH)")
def test_prism_gives_what_the_default_gives(tmp_path: Path) -> None:
    expected = told_on("FnApiRunner", tmp_path)
    assert told_on("PrismRunner", tmp_path, (f"--prism_location={prism()}",)) == expected


@pytest.mark.parametrize("typed", ["FnApiRunner", "fnapirunner", "fnapi", " FNAPI "])
def test_a_runner_may_be_typed_in_several_ways(typed: str) -> None:
    assert runner_name(typed) == "FnApiRunner"


def test_an_unknown_runner_is_refused_with_the_choices() -> None:
    with pytest.raises(ConfigError, match="unknown runner 'SparkyRunner'; choose one of FnApiRunner"):
        runner_name("SparkyRunner")
