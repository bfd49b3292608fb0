"""What cannot work is refused before anything is started, in one sentence that says what to do."""

from __future__ import annotations

import importlib.util
import logging
import shutil
import socket
import sys
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from typer.testing import CliRunner

from pipeline import engines
from pipeline.cli import app
from pipeline.engines import engine_flags, stream_runner
from pipeline.stream_run import _plain
from pipeline.streaming import tick_clock
from tests.tables import cases
from transforms.alert.settings import AlertPolicy
from transforms.alert.streaming import DecideAndTell
from transforms.deduplicate.settings import ClusterSettings
from transforms.failures import ConfigError, EngineError, StateError

FEED = '[[feed]]\nname = "A"\nurl = "https://a.example/rss"\noutlet = "A"\nlanguage = "en"\n'


def closed_port() -> int:
    """A port of this machine on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("case", cases("stream_refusals"), ids=lambda case: case["name"])
def test_refused(case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "needs" in case and shutil.which(case["needs"]) is None:
        pytest.skip(f"no {case['needs']} on the path")
    if "needs_module" in case and importlib.util.find_spec(case["needs_module"]) is None:
        pytest.skip(f"{case['needs_module']} is not installed")
    (tmp_path / "trucewatch.toml").write_text(FEED)
    monkeypatch.chdir(tmp_path)
    known = {"HERE": str(tmp_path), "CLOSED": str(closed_port())}

    def filled(text: str) -> str:
        for word, value in known.items():
            text = text.replace(word, value)
        return text

    for name in ("TRUCEWATCH_CONFIG", "TRUCEWATCH_STORE", "TRUCEWATCH_PRISM", "TRUCEWATCH_FLINK_JAR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in case.get("env", {}).items():
        monkeypatch.setenv(name, filled(value))
    if case.get("no_prism"):
        monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    result = CliRunner().invoke(app, [case.get("command", "stream"), *map(filled, case["arguments"])])
    assert result.exit_code == case["code"], result.output
    for words in map(filled, case["says"]):
        assert words in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("typed", ["prism", "PrismRunner", "prismrunner", " Prism "])
def test_an_engine_may_be_typed_in_several_ways(typed: str) -> None:
    assert stream_runner(typed) == "prism"


def test_flags_of_the_user_stay_and_what_is_missing_is_added(tmp_path: Path) -> None:
    jar = tmp_path / "server.jar"
    jar.write_text("")
    flags = engine_flags(
        "flink",
        ["--checkpointing_interval=5000", f"--flink_job_server_jar {jar}"],
        "sqlite:///x",
        environment={"PATH": engines.os.environ["PATH"]},
    )
    assert flags == ["--checkpointing_interval=5000", f"--flink_job_server_jar {jar}", "--streaming"]


def test_what_a_worker_raised_is_told_as_it_was_raised() -> None:
    report = RuntimeError(
        "Pipeline job-001 failed in state FAILED: bundle inst003 failed: Traceback (most recent call last):\n"
        '  File "envelope.py", line 40, in unpack\n    raise StateError(\n'
        "transforms.failures.StateError: the stream's state has form 0, this version reads form 1\n\n"
        "During handling of the above exception, another exception occurred: RuntimeError: worker"
    )
    told = _plain(report, "the stream failed")
    assert isinstance(told, StateError)
    assert str(told) == "the stream's state has form 0, this version reads form 1"


@pytest.mark.parametrize("runner", ["direct", "prism"])
def test_state_of_another_version_ends_the_stream_with_a_sentence(runner: str) -> None:
    """A record as an older version would have left it, met by a worker; what an engine makes of it is told as it is."""
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    try:
        flags = engine_flags(runner, (), "", environment=engines.os.environ)
    except ConfigError as error:
        pytest.skip(str(error))
    options = [f"--runner={engines.STREAM_RUNNERS[runner]}", "--no_save_main_session", *flags]
    pipeline = beam.Pipeline(options=PipelineOptions(options))
    old = pipeline | "Old" >> beam.Create([("SY", b"trucewatch/0 {}")]).with_output_types(tuple[str, bytes])
    _ = old | "DecideAndTell" >> DecideAndTell(ClusterSettings(), AlertPolicy(), tick_clock)
    with pytest.raises(Exception, match="has form 0") as raised:
        pipeline.run().wait_until_finish()
    told = _plain(raised.value, "the stream failed")
    assert isinstance(told, StateError)
    assert str(told).startswith("the stream's state has form 0, this version of trucewatch reads form 1: start")
    assert str(told).endswith("(a store keeps everything)")


def test_what_an_engine_says_is_told_in_one_line() -> None:
    told = _plain(RuntimeError("first\n\n  the last line  \n"), "flink did not take the job")
    assert isinstance(told, EngineError)
    assert str(told) == "flink did not take the job: the last line"


@pytest.mark.parametrize(
    ("failed", "says"), [(0, ""), (1, "could not be read once (`trucewatch failures`"), (3, "3 times")]
)
def test_feeds_that_could_not_be_read_are_told_of_at_the_end(
    failed: int, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trucewatch.toml").write_text(FEED)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pipeline.engines.engine_flags", lambda *_, **__: [])
    monkeypatch.setattr("pipeline.stream_run.run_stream", lambda *_, **__: {"ingest.out": 2, "feeds.failed": failed})
    result = CliRunner().invoke(app, ["stream"])
    assert result.exit_code == 0, result.output
    assert ("could not be read" in result.stderr) == bool(failed)
    assert says in result.stderr.replace("\n", " ")
