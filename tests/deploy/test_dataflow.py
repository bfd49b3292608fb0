"""The Flex Template: its form follows the command's options, and its launcher turns parameters into them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.deploy.commands import checked
from tests.deploy.loading import load

FOLDER = ROOT / "deploy" / "dataflow"
METADATA: dict[str, Any] = json.loads((FOLDER / "metadata.json").read_text("utf-8"))
launch = load(FOLDER / "launch.py")
generate = load(FOLDER / "generate.py")
# What the launcher adds by itself.
GIVEN = ("--runner=DataflowRunner", "--project=my-project", "--region=europe-west1", "--job_name=trucewatch-1",
         "--staging_location=gs://b/staging", "--temp_location=gs://b/temp", "--streaming",
         "--sdk_container_image=europe-west1-docker.pkg.dev/p/trucewatch/trucewatch-dataflow:0.1.0")  # fmt: skip


def test_the_form_follows_the_options() -> None:
    checked(["stream", "--help"])  # skips where there is no such command
    assert generate.metadata() == METADATA, "run: python deploy/dataflow/generate.py"


def test_the_form_is_one_that_dataflow_takes() -> None:
    assert set(METADATA) == {
        "name", "description", "streaming", "supportsAtLeastOnce", "supportsExactlyOnce", "parameters",
    }  # fmt: skip
    names = [row["name"] for row in METADATA["parameters"]]
    assert len(set(names)) == len(names)
    kinds = {"TEXT", "GCS_READ_FILE", "PUBSUB_SUBSCRIPTION", "PUBSUB_TOPIC"}
    for row in METADATA["parameters"]:
        assert set(row) <= {"name", "label", "helpText", "isOptional", "paramType", "regexes", "defaultValue"}
        assert re.fullmatch(r"[a-z][a-z0-9_]*", row["name"])
        assert row["label"]
        assert row["helpText"]
        assert row["paramType"] in kinds
        for regex in row.get("regexes", []):
            assert (regex[0], regex[-1]) == ("^", "$")
            if "defaultValue" in row:
                assert re.fullmatch(regex, row["defaultValue"])
    optional = [row["isOptional"] for row in METADATA["parameters"]]
    assert optional == sorted(optional)
    assert "config" in names


@pytest.mark.parametrize(
    ("name", "value", "fits"),
    [
        ("config", "gs://bucket/folder/trucewatch.toml", True),
        ("config", "trucewatch.toml", False),
        ("config", "gs://bucket/trucewatch.json", False),
        ("every", "5 min", True),
        ("every", "90s", True),
        ("every", "often", False),
        ("subscription", "projects/p/subscriptions/items", True),
        ("subscription", "items", False),
        ("topic", "projects/p/topics/alerts", True),
    ],
)
def test_shapes_of_values(name: str, value: str, fits: bool) -> None:
    assert (re.fullmatch(generate.SHAPES[name], value) is not None) is fits


def test_the_launcher_parts_parameters_from_beams_flags() -> None:
    parameters = {"config": False, "log_json": True, "full": True}
    words = launch.command_line(["--config=gs://b/t.toml", "--log_json=true", "--full=false", *GIVEN], parameters)
    assert words[:6] == ["stream", "--runner", "DataflowRunner", "--config", "gs://b/t.toml", "--log-json"]
    assert words[6:] == [f"--beam={flag}" for flag in GIVEN[1:]]
    apart = launch.command_line(["--config", "gs://b/t.toml", "--project", "p"], parameters)
    assert apart[3:] == ["--config", "gs://b/t.toml", "--beam=--project=p"]


def test_what_the_launcher_makes_is_a_command() -> None:
    values = {"config": "trucewatch.toml", "every": "5 min"}
    given = [
        f"--{row['name']}={values.get(row['name']) or row.get('defaultValue') or 'true'}"
        for row in METADATA["parameters"]
        if not row["isOptional"] or "defaultValue" in row
    ]
    assert checked(launch.command_line([*given, *GIVEN], launch.parameters_of(FOLDER / "metadata.json"))) == []


def test_a_configuration_that_cannot_be_fetched_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert launch.local_copy("trucewatch.toml") == "trucewatch.toml"
    with pytest.raises(SystemExit) as caught:
        launch.local_copy("nowhere://bucket/trucewatch.toml")
    assert caught.value.code == 2
    assert "nowhere://bucket/trucewatch.toml cannot be read" in capsys.readouterr().err
