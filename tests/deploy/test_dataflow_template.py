"""The Dataflow template: what it takes, what it says to what it cannot take, and the job that it hands over.

The launcher runs as in the image, by the file that Dataflow's program starts, with buckets and tokens on loopback. With
`--template_location` Beam writes the job to a bucket, from where Dataflow starts it: no network is needed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline import template
from pipeline.store.database import parsed
from pipeline.store.secrets import SECRET, address_in
from pipeline.template import PARAMETERS, metadata, parameters_of
from tests.conftest import ROOT
from tests.deploy.google_cloud import Bucket, bucket, secrets
from tests.deploy.loading import load
from tests.tables import cases
from transforms.failures import ConfigError, StoreError

FOLDER = ROOT / "deploy" / "dataflow"
METADATA: dict[str, Any] = json.loads((FOLDER / "metadata.json").read_text("utf-8"))
IMAGE = "europe-west1-docker.pkg.dev/my-project/trucewatch/trucewatch:0.1.0"
CONFIG = """
[[feed]]
name = "A"
url = "https://a.example/rss"
outlet = "A"
[[sink]]
kind = "pubsub"
project = "my-project"
topic = "trucewatch-alerts"
"""
# As Dataflow's launcher gives them, with the template's own parameters among them.
GIVEN = {
    "runner": "DataflowRunner", "project": "my-project", "region": "europe-west1", "job_name": "trucewatch",
    "temp_location": "gs://desk/temp", "staging_location": "gs://desk/staging",
    "template_location": "gs://desk/staging/template_launches/1/job_object",
    "service_account_email": "trucewatch-stream@my-project.iam.gserviceaccount.com",
    "config_file": "gs://desk/trucewatch.toml", "sdk_container_image": IMAGE,
}  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    pytest.importorskip("apache_beam.io.gcp.gcsio", reason="Beam's extra for Google Cloud is not installed")
    with bucket(tmp_path_factory.mktemp("desk")) as made:
        yield made


def launched(desk: Bucket, given: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """What the launcher does with `given`, in a process of its own as in the image."""
    words = [f"--{name}={value}" for name, value in given.items() if value]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nonexistent", **desk.environment}
    return subprocess.run(
        [sys.executable, FOLDER / "launch.py", *words], env=environment, capture_output=True, text=True, timeout=200,
        check=False,
    )  # fmt: skip


def test_the_job_is_handed_over_and_not_waited_for(desk: Bucket) -> None:
    desk.put("trucewatch.toml", CONFIG)
    done = launched(desk, GIVEN)
    # Google's library asks in the background where the account may be used; it is not answered here, and goes on.
    told = [line for line in done.stderr.splitlines() if not line.startswith("WARNING:urllib3")]
    assert (done.returncode, told) == (0, ["trucewatch: the job was handed over"]), done.stderr[-2000:]
    job = json.loads(desk.get("staging/template_launches/1/job_object"))
    assert job["type"] in (2, "JOB_TYPE_STREAMING")
    (options,) = [job["environment"]["sdkPipelineOptions"]["options"]]
    assert options["streaming"] is True
    assert options["sdk_container_image"] == IMAGE
    assert options["service_account_email"] == GIVEN["service_account_email"]
    assert {pool["workerHarnessContainerImage"] for pool in job["environment"]["workerPools"]} == {IMAGE}
    (pipeline,) = [name for name in desk.names() if name.endswith("pipeline.pb")]
    steps, environments = graph(desk.get(pipeline))
    assert {"Ticks", "PollFeeds", "ReadArticles", "DecideAndTell", "DeliverAlerts", "LogFailures"} <= steps
    assert environments == {IMAGE}
    staged = [name for name in desk.names() if name.startswith("staging/") and "template_launches" not in name]
    assert {Path(name).name for name in staged} <= {"pipeline.pb", "submission_environment_dependencies.txt"}


def graph(data: bytes) -> tuple[set[str], set[str]]:
    """The top steps of a pipeline, and the images that its steps run in."""
    from apache_beam.portability.api import beam_runner_api_pb2 as api

    pipeline = api.Pipeline.FromString(data)
    tops = {step.unique_name.split("/")[0] for step in pipeline.components.transforms.values()}
    images = {
        api.DockerPayload.FromString(environment.payload).container_image
        for environment in pipeline.components.environments.values()
        if environment.payload
    }
    return tops, images


@pytest.mark.parametrize("case", cases("template_parameters"), ids=lambda case: case["name"])
def test_what_cannot_work_is_one_sentence_and_exit_code_2(
    case: dict[str, Any], desk: Bucket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in desk.environment.items():
        monkeypatch.setenv(name, value)
    desk.put("trucewatch.toml", case.get("config", CONFIG))
    given = {**GIVEN, **case.get("given", {})}
    code = template.main([f"--{name}={value}" for name, value in given.items() if value])
    told = capsys.readouterr()
    assert (code, told.out) == (2, "")
    assert case["says"] in told.err
    assert told.err.startswith("trucewatch: ")
    assert told.err.count("\n") == 1


def test_without_credentials_the_launcher_says_so(tmp_path: Path) -> None:
    nobody = Bucket(name="desk", address="", environment={"CLOUDSDK_CONFIG": str(tmp_path), "NO_GCE_CHECK": "true"})
    done = launched(nobody, GIVEN)
    assert done.returncode == 2
    assert done.stderr.startswith("trucewatch: no credentials for Google Cloud")


def test_values_may_be_words_of_their_own_and_blanks_are_not_given() -> None:
    values, flags = parameters_of(
        ["--config_file", "gs://my-bucket/a.toml", f"--sdk_container_image={IMAGE}", "--every=", "--streaming"]
    )
    assert (values["config_file"], values["every"], values["store_secret"]) == ("gs://my-bucket/a.toml", "1 min", "")
    assert flags == ["--streaming", f"--sdk_container_image={IMAGE}"]
    with pytest.raises(ConfigError, match="expected one argument"):
        parameters_of(["--config_file"])


# metadata.json


def test_the_metadata_is_what_its_script_writes() -> None:
    assert load(FOLDER / "generate.py").metadata() == METADATA, "run: python deploy/dataflow/generate.py"


def test_the_metadata_is_what_dataflow_reads() -> None:
    types = pytest.importorskip("google.cloud.dataflow_v1beta3", reason="no library of Dataflow")
    read = types.TemplateMetadata.from_json(json.dumps(METADATA), ignore_unknown_fields=False)
    assert [each.name for each in read.parameters] == [each.name for each in PARAMETERS]
    assert read.streaming
    assert [each.param_type.name for each in read.parameters] == [each.kind for each in PARAMETERS]


def test_examples_and_defaults_have_the_form_that_is_asked_for() -> None:
    for each, row in zip(PARAMETERS, metadata()["parameters"], strict=True):  # type: ignore[call-overload]
        (pattern,) = row["regexes"]
        assert re.fullmatch(pattern, each.example), each.name
        assert re.fullmatch(pattern, each.default or "") or each.default is None, each.name
        assert not re.fullmatch(pattern, "a b\nc"), each.name
        assert each.help.endswith(".")


def test_the_page_on_deploying_gives_parameters_that_are_taken() -> None:
    page = (ROOT / "docs" / "deploying.md").read_text("utf-8")
    shown = dict(re.findall(r"--parameters (\w+)=(\S+?)[`\s]", page))
    assert {each.name for each in PARAMETERS if each.default is None} <= shown.keys()
    for name, value in shown.items():
        (parameter,) = [each for each in PARAMETERS if each.name == name]
        filled = value.replace("BUCKET", "desk").replace("PROJECT", "my-project").replace("REGION", "europe-west1")
        assert re.fullmatch(parameter.pattern, filled), name


def test_gcloud_makes_a_template_of_it(tmp_path: Path) -> None:
    if shutil.which("gcloud") is None:
        pytest.skip("no gcloud here")
    words = ["gcloud", "dataflow", "flex-template", "build", "gs://desk/trucewatch.json", f"--image={IMAGE}",
             "--sdk-language=PYTHON", f"--metadata-file={FOLDER / 'metadata.json'}", "--print-only"]  # fmt: skip
    environment = {**os.environ, "CLOUDSDK_CONFIG": str(tmp_path), "CLOUDSDK_CORE_PROJECT": "my-project"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    spec = json.loads(done.stdout.partition("\n")[2])
    assert spec["image"] == IMAGE
    assert spec["sdkInfo"] == {"language": "PYTHON"}
    names = {row["name"] for row in spec["metadata"]["parameters"]}
    assert names == {each.name for each in PARAMETERS}


# The store's address as a secret

HELD = {
    "projects/my-project/secrets/store/versions/latest": "sqlite:///from-secret.sqlite\n",
    "projects/my-project/secrets/odd/versions/3": "hunter2",
}


def test_the_store_is_found_by_the_name_of_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    with secrets(HELD) as client:
        name = f"{SECRET}projects/my-project/secrets/store/versions/latest"
        assert address_in(name, client) == "sqlite:///from-secret.sqlite"  # type: ignore[arg-type]
        with pytest.raises(StoreError, match="cannot be read from projects/my-project/secrets/none/versions/1"):
            address_in(f"{SECRET}projects/my-project/secrets/none/versions/1", client)  # type: ignore[arg-type]
        with pytest.raises(StoreError, match="is no secret; write gcp-secret:projects/"):
            address_in(f"{SECRET}store")
        monkeypatch.setattr("google.cloud.secretmanager_v1.SecretManagerServiceClient", lambda: client)
        assert parsed(name).database == "from-secret.sqlite"
        with pytest.raises(StoreError) as caught:
            parsed(f"{SECRET}projects/my-project/secrets/odd/versions/3")
        assert "hunter2" not in str(caught.value)


def test_a_job_carries_the_secrets_name_and_not_what_it_holds(
    desk: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in desk.environment.items():
        monkeypatch.setenv(name, value)
    desk.put("trucewatch.toml", CONFIG)
    secret = "projects/my-project/secrets/store/versions/latest"
    given = {**GIVEN, "store_secret": secret, "staging_location": "gs://desk/secret"}
    with secrets(HELD) as client:
        monkeypatch.setattr("google.cloud.secretmanager_v1.SecretManagerServiceClient", lambda: client)
        assert template.main([f"--{name}={value}" for name, value in given.items()]) == 0
    assert (tmp_path / "from-secret.sqlite").exists()  # the launcher has opened it
    (pipeline,) = [name for name in desk.names() if re.match(r"secret/.*pipeline\.pb", name)]
    job = json.dumps(json.loads(desk.get(GIVEN["template_location"].removeprefix("gs://desk/"))))
    inside = b"".join(functions(desk.get(pipeline)))
    assert f"{SECRET}{secret}".encode() in inside
    assert b"from-secret" not in inside
    assert "from-secret" not in job
    assert {"SettlePolls", "Relay"} <= graph(desk.get(pipeline))[0]


def functions(data: bytes) -> list[bytes]:
    """What the workers of a pipeline are sent to run, pickled anew without compression."""
    import cloudpickle
    from apache_beam.internal import pickler
    from apache_beam.portability.api import beam_runner_api_pb2 as api

    pipeline = api.Pipeline.FromString(data)
    payloads = [
        api.ParDoPayload.FromString(step.spec.payload).do_fn.payload
        for step in pipeline.components.transforms.values()
        if step.spec.urn == "beam:transform:pardo:v1"
    ]
    return [cloudpickle.dumps(pickler.loads(payload)) for payload in payloads]


def test_the_image_starts_the_launcher_by_the_file_that_is_copied() -> None:
    dockerfile = (ROOT / "deploy" / "docker" / "Dockerfile").read_text("utf-8")
    (started,) = re.findall(r"FLEX_TEMPLATE_PYTHON_PY_FILE=(\S+)", dockerfile)
    assert f"COPY deploy/dataflow/launch.py {started}\n" in dockerfile
