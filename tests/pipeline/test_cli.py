"""The command line as a user meets it: results on stdout, sentences on stderr, exit codes that scripts rely on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.console import clock_of
from pipeline.store.store import Store
from transforms.failures import ConfigError

FEED = '[[feed]]\nname = "A"\nurl = "https://a.example/rss"\noutlet = "A"\nlanguage = "en"\n'
OPML = """<?xml version="1.0"?><opml version="2.0"><head/><body>
<outline text="North Post" type="rss" xmlUrl="https://north.example/rss" language="ar"/>
<outline text='South "Star"' type="rss" xmlUrl="https://south.example/rss"/></body></opml>"""


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRUCEWATCH_CONFIG", raising=False)
    runner = CliRunner()
    return lambda *arguments, **more: runner.invoke(app, list(arguments), **more)


def test_a_missing_configuration_is_a_usage_error_that_says_what_to_do(cli) -> None:
    result = cli("run")
    assert result.exit_code == 2
    assert "trucewatch init" in result.stderr
    assert result.stdout == ""


def test_a_wrong_configuration_is_a_usage_error(cli, tmp_path: Path) -> None:
    (tmp_path / "trucewatch.toml").write_text("stoer = 'x'")
    result = cli("run")
    assert result.exit_code == 2
    assert "did you mean `store`" in result.stderr


@pytest.mark.parametrize("arguments", [("run", "--as-of", "yesterday"), ("run", "--runner", "Sparky")])
def test_a_wrong_option_is_a_usage_error(cli, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "trucewatch.toml").write_text(FEED)
    result = cli(*arguments)
    assert result.exit_code == 2
    assert arguments[-1] in result.stderr


DATAFLOW = ("run", "--runner", "dataflow", "--beam=--project=p", "--beam=--region=r", "--beam=--temp_location=gs://b/t")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("run", "--runner", "dataflow"), 2, "Dataflow needs --project, --region, --temp_location"),
        (DATAFLOW, 2, "Dataflow needs --sdk_container_image"),
        (
            (*DATAFLOW, "--beam=--sdk_container_image=i", "--beam=--no_auth"),
            2,
            "cannot reach a store in an SQLite file",
        ),
        (("run", "--runner", "flink"), 2, "Flink needs Beam's job server"),
        (("run", "--runner", "portable"), 2, "--beam=--job_endpoint=HOST:PORT"),
        (("run", "--runner", "portable", "--beam=--job_endpoint=127.0.0.1:9"), 75, "does not answer"),
    ],
)
def test_an_engine_that_cannot_work_is_refused_before_the_run(
    cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int, says: str
) -> None:
    monkeypatch.delenv("TRUCEWATCH_FLINK_JAR", raising=False)
    (tmp_path / "trucewatch.toml").write_text(FEED)
    result = cli(*arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert says in result.stderr
    assert not (tmp_path / "trucewatch.sqlite").exists()


def test_a_store_in_use_means_try_later(cli, tmp_path: Path) -> None:
    (tmp_path / "trucewatch.toml").write_text(FEED)
    with Store.open("sqlite:///trucewatch.sqlite").lock():
        result = cli("run")
    assert result.exit_code == 75
    assert "try again later" in result.stderr


def test_a_store_that_is_no_store_is_a_failure(cli, tmp_path: Path) -> None:
    (tmp_path / "trucewatch.toml").write_text(FEED)
    (tmp_path / "trucewatch.sqlite").write_bytes(b"not a database at all" * 100)
    result = cli("run")
    assert result.exit_code == 1
    assert "not a trucewatch store" in result.stderr


def test_readers_do_not_make_a_store(cli, tmp_path: Path) -> None:
    for command in ("alerts", "export", "failures", "outbox"):
        result = cli(command)
        assert result.exit_code == 1, command
        assert "no store yet" in result.stderr
    assert not (tmp_path / "trucewatch.sqlite").exists()


def test_init_writes_a_configuration_that_can_be_read_and_keeps_an_existing_one(cli, tmp_path: Path) -> None:
    assert cli("init").exit_code == 0
    listed = cli("feeds", "list", "--json")
    assert listed.exit_code == 0
    assert len(listed.stdout.splitlines()) >= 40
    (tmp_path / "trucewatch.toml").write_text("# mine")
    refused = cli("init")
    assert refused.exit_code == 1
    assert "--force" in refused.stderr
    assert (tmp_path / "trucewatch.toml").read_text() == "# mine"


def test_feeds_go_through_opml_and_back(cli, tmp_path: Path) -> None:
    (tmp_path / "in.opml").write_text(OPML)
    imported = cli("feeds", "import", "in.opml")
    assert imported.exit_code == 0
    (tmp_path / "trucewatch.toml").write_text(imported.stdout)
    rows = [json.loads(line) for line in cli("feeds", "list", "--json").stdout.splitlines()]
    assert [(r["name"], r["language"]) for r in rows] == [("North Post", "ar"), ('South "Star"', "")]
    assert "https://south.example/rss" in cli("feeds", "export").stdout


def test_detect_leaves_out_bad_lines_and_says_so(cli) -> None:
    good = {"id": "x1", "published": "2020-02-04", "title": "Rain in Aleppo", "summary": ""}
    result = cli("detect", input=f"not json\n{json.dumps(good)}\n[1]\n\n")
    assert result.exit_code == 3
    assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == ["x1"]
    assert "line 1" in result.stderr
    assert "line 3" in result.stderr


def test_detect_gives_events_as_the_guide_has_them(cli) -> None:
    item = {
        "id": "x2",
        "published": "2020-02-05",
        "title": "Shelling kills four in Saraqib despite ceasefire",
        "summary": "Government artillery shelled the town of Saraqib in Idlib on Tuesday, killing four civilians.",
    }
    result = cli("detect", input=json.dumps(item))
    assert result.exit_code == 0
    events = json.loads(result.stdout)["events"]
    assert [(e["family"], e["means"], e["country"], e["date"], e["killed"]) for e in events] == [
        ("violation", "shelling", "SY", "2020-02-04", 4)
    ]
    assert any("Saraqib" in place["name"] for place in events[0]["places"])
    assert events[0]["evidence"] in (item["title"], item["summary"]) or any(
        events[0]["evidence"] in item[field] for field in ("title", "summary")
    )


def test_ceasefires_are_listed_without_a_store(cli) -> None:
    result = cli("ceasefires", "--as-of", "2020-02-01", "--json")
    assert result.exit_code == 0
    ids = [json.loads(line)["ceasefire"]["id"] for line in result.stdout.splitlines()]
    assert "sy-2018-sochi" in ids


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2016-10-07T18:00:00Z", "2016-10-07T18:00:00+00:00"),
        ("2016-10-07", "2016-10-07T23:59:59+00:00"),
        ("2016-10-07T18:00:00+03:00", "2016-10-07T15:00:00+00:00"),
        ("2016-10-07 18:00", "2016-10-07T18:00:00+00:00"),
    ],
)
def test_a_clock_is_read_as_utc_unless_it_says_otherwise(typed: str, meant: str) -> None:
    assert clock_of(typed).isoformat() == meant


def test_a_clock_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="is no time"):
        clock_of("soon")
