"""Terraform files: they parse, refer only to what is declared, and give no broad rights."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import hcl2
import pytest
import yaml

from tests.conftest import ROOT
from tests.deploy.commands import checked, of_entrypoint

FOLDER = ROOT / "deploy" / "terraform"
FILES = sorted(FOLDER.glob("*.tf"))
TEXT = "\n".join(re.sub(r"(?m)(^|\s)#.*$", "", path.read_text("utf-8")) for path in FILES)


def blocks(kind: str) -> set[str]:
    return {f"{a}.{b}" for a, b in re.findall(rf'^{kind} "([\w-]+)" "([\w-]+)"', TEXT, flags=re.M)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_file_is_hcl(path: Path) -> None:
    with path.open(encoding="utf-8") as file:
        assert hcl2.load(file)


def test_the_example_of_variables_is_complete() -> None:
    with (FOLDER / "terraform.tfvars.example").open(encoding="utf-8") as file:
        given = {key for key in hcl2.load(file) if not key.startswith("__")}
    declared = set(re.findall(r'^variable "(\w+)"', TEXT, flags=re.M))
    parts = re.split(r'^variable "', TEXT, flags=re.M)[1:]
    required = {part.split('"')[0] for part in parts if not re.search(r"^  default ", part.split("\n}")[0], flags=re.M)}
    assert required <= given <= declared


def test_whatever_is_referred_to_is_declared() -> None:
    variables = set(re.findall(r'^variable "(\w+)"', TEXT, flags=re.M))
    assert set(re.findall(r"\bvar\.(\w+)", TEXT)) == variables
    local_blocks = re.findall(r"^locals \{\n(.*?)^\}", TEXT, flags=re.M | re.S)
    declared = {name for block in local_blocks for name in re.findall(r"^  (\w+)\s*=", block, flags=re.M)}
    assert set(re.findall(r"\blocal\.(\w+)", TEXT)) == declared
    resources = blocks("resource")
    used = set(re.findall(r"(?<![\w.\"])((?:google|random)_\w+\.\w+)", TEXT))
    assert used <= resources
    assert set(re.findall(r"\bdata\.(\w+\.\w+)", TEXT)) == blocks("data")
    assert set(re.findall(r"\bephemeral\.(\w+\.\w+)", TEXT)) == blocks("ephemeral")


def test_rights_are_given_one_by_one() -> None:
    roles = set(re.findall(r'role\s*=\s*"([^"]+)"', TEXT))
    assert roles
    assert not roles & {"roles/owner", "roles/editor", "roles/viewer"}
    assert not [role for role in roles if role.endswith(("secretmanager.admin", "pubsub.admin", "run.admin"))]
    assert "google_project_iam_binding" not in TEXT
    assert "google_project_iam_policy" not in TEXT
    whole_project = re.findall(r'resource "google_project_iam_member".*?role\s*=\s*"([^"]+)"', TEXT, flags=re.S)
    assert set(whole_project) == {"roles/cloudsql.client", "roles/dataflow.worker"}


def test_no_secret_is_kept_in_the_state() -> None:
    assert not re.findall(r"^\s*(?:secret_data|password)\s*=", TEXT, flags=re.M)
    assert 'resource "random_password"' not in TEXT


def test_failed_and_silent_runs_are_told() -> None:
    policies = {name.split(".")[1] for name in blocks("resource") if name.startswith("google_monitoring_alert_policy")}
    assert policies == {"failed", "silent", "dead_letters", "stream"}
    assert "condition_absent" in TEXT


def test_jobs_name_commands_that_exist() -> None:
    (run,) = re.findall(r"^  run = \[(.*?)\]", TEXT, flags=re.M)
    words = [word.strip().strip('"') for word in run.split(",")]
    assert checked(words) == []
    assert of_entrypoint(["trucewatch-on-bucket", "/mnt/state", *words]) == words
    job = yaml.safe_load((ROOT / "deploy/cloud-run/job.yaml").read_text("utf-8"))
    (container,) = job["spec"]["template"]["spec"]["template"]["spec"]["containers"]
    assert container["args"] == words
    assert job["spec"]["template"]["spec"]["template"]["spec"]["maxRetries"] == 0


def test_the_image_is_built_from_the_dockerfile() -> None:
    build = yaml.safe_load((ROOT / "deploy/cloud-run/cloudbuild.yaml").read_text("utf-8"))
    for step in build["steps"]:
        at = step["args"].index("-f") + 1
        assert (ROOT / step["args"][at]).exists()
    assert {step["args"][step["args"].index("-t") + 1] for step in build["steps"]} == set(build["images"])


FORMATTERS = {
    "terraform": ["fmt", "-check", "-diff"],
    "tofu": ["fmt", "-check", "-diff"],
    "hclfmt": ["-check", "-require-no-change"],
}


def test_the_files_have_the_form_that_terraform_gives_them(tmp_path: Path) -> None:
    tools = [tool for tool in FORMATTERS if shutil.which(tool)]
    if not tools:
        pytest.skip(f"none of {', '.join(FORMATTERS)} here; .ci/tools builds the last")
    (tmp_path / "rc").write_text("")
    environment = {**os.environ, "TF_CLI_CONFIG_FILE": str(tmp_path / "rc"), "CHECKPOINT_DISABLE": "1"}
    for path in FILES:
        words = [tools[0], *FORMATTERS[tools[0]], str(path)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60, env=environment)
        assert done.returncode == 0, f"{path.name}: {done.stdout[:2000]} {done.stderr}"
