from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.config import DEFAULT_STORE, load_config
from tests.tables import cases
from transforms.failures import ConfigError

FEED = '[[feed]]\nname = "A"\nurl = "https://a.example/rss"\noutlet = "A"\nlanguage = "en"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "trucewatch.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("case", cases("config_errors"), ids=lambda c: c["name"])
def test_a_wrong_configuration_is_refused_in_words(case: dict, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, case["config"]), environment={})
    assert all(words in str(caught.value) for words in case["says"]), str(caught.value)
    assert "trucewatch.toml" in str(caught.value) or "nowhere.opml" in str(caught.value)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="trucewatch init"):
        load_config(tmp_path / "none.toml")


def test_an_empty_configuration_has_the_defaults(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, ""), environment={})
    assert config.store == DEFAULT_STORE
    assert config.feeds == ()
    assert config.fetch.allow_private_networks is False


def test_durations_are_written_with_their_unit(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, FEED + 'interval = "2 h"\n'), environment={})
    assert config.feeds[0].interval == timedelta(hours=2)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, 'store = "sqlite:///a.sqlite"\n')
    assert load_config(path, environment={"TRUCEWATCH_STORE": "sqlite:///b.sqlite"}).store == "sqlite:///b.sqlite"


def test_secrets_come_from_environment_and_files(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql+psycopg://u:p@h/d\n")
    from_file = load_config(written(tmp_path, f'store = {{ file = "{tmp_path}/url" }}'), environment={})
    from_environment = load_config(written(tmp_path, 'store = { env = "DB" }'), environment={"DB": "sqlite:///x"})
    assert from_file.store == "postgresql+psycopg://u:p@h/d"
    assert from_environment.store == "sqlite:///x"


def test_a_sink_path_is_relative_to_the_file_and_has_the_source(tmp_path: Path) -> None:
    config = load_config(
        written(tmp_path, 'source = "urn:here"\n[[sink]]\nkind = "jsonl"\npath = "a.jsonl"\n'), environment={}
    )
    assert config.sinks[0].path == str(tmp_path / "a.jsonl")
    assert config.sinks[0].source == "urn:here"


def test_feeds_come_from_opml_too(tmp_path: Path) -> None:
    from transforms.ingest.feed import Feed
    from transforms.ingest.opml import write_opml

    feed = Feed(name="B", url="https://b.example/rss", outlet="B", language="ar")
    (tmp_path / "more.opml").write_text(write_opml([feed]), "utf-8")
    config = load_config(written(tmp_path, 'opml = "more.opml"\n' + FEED), environment={})
    assert {f.name for f in config.feeds} == {"A", "B"}
