"""Kubernetes manifests: built as kubectl builds them where it is present, and held against the rules of the house."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.config import load_config
from tests.conftest import ROOT
from tests.deploy.commands import checked, of_entrypoint

FOLDER = ROOT / "deploy" / "kubernetes"
APPLIED = ("overlays/watch-sqlite", "overlays/scheduled-postgres", "overlays/stream-flink")
POD_AT = {
    "Deployment": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}


def documents(path: Path) -> list[dict[str, Any]]:
    return [row for row in yaml.safe_load_all(path.read_text("utf-8")) if row]


def resolved(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every object that a kustomization reaches, before patches; a file that is missing fails."""
    (kustomization,) = documents(folder / "kustomization.yaml")
    known = {
        "apiVersion",
        "kind",
        "namespace",
        "resources",
        "images",
        "secretGenerator",
        "patches",
        "labels",
        "generatorOptions",
    }
    assert set(kustomization) <= known, f"{folder}: a key that this test does not know"
    for name in kustomization["resources"]:
        path = (folder / name).resolve()
        assert path.exists(), path
        if path.is_dir():
            yield from resolved(path)
        else:
            for row in documents(path):
                yield path, row
    for patch in kustomization.get("patches", []):
        assert (folder / patch["path"]).exists(), patch
    for generator in kustomization.get("secretGenerator", []):
        for name in generator["files"]:
            assert (folder / name).exists(), name


OBJECTS = [(path, row) for folder in APPLIED for path, row in resolved(FOLDER / folder)]
PODS = {f"{path.relative_to(FOLDER)}: {row['kind']}": row for path, row in OBJECTS if row["kind"] in POD_AT}


def pod_of(row: dict[str, Any]) -> dict[str, Any]:
    for key in POD_AT[row["kind"]]:
        row = row[key]
    return row


def test_every_manifest_is_reached_and_every_object_has_its_parts() -> None:
    reached = {path for path, _ in OBJECTS}
    patches = {FOLDER / "overlays/watch-sqlite/store-on-volume.yaml",
               FOLDER / "overlays/scheduled-postgres/store-in-database.yaml",
               FOLDER / "overlays/stream-flink/job-image.yaml"}  # fmt: skip
    written = {path for path in FOLDER.rglob("*.yaml") if path.name != "kustomization.yaml"}
    assert written - patches == reached
    for path, row in OBJECTS:
        assert {"apiVersion", "kind", "metadata"} <= set(row), path
        assert row["metadata"]["name"].startswith("trucewatch"), path


@pytest.mark.parametrize("row", PODS.values(), ids=PODS)
def test_pods_have_few_rights(row: dict[str, Any]) -> None:
    spec = pod_of(row)["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        rights = container["securityContext"]
        assert rights["readOnlyRootFilesystem"] is True
        assert rights["allowPrivilegeEscalation"] is False
        assert rights["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]
    mounts = {mount["name"] for c in spec["containers"] for mount in c["volumeMounts"]}
    mounts |= {mount["name"] for c in spec.get("initContainers", []) for mount in c.get("volumeMounts", [])}
    assert mounts == {volume["name"] for volume in spec["volumes"]}


@pytest.mark.parametrize("row", PODS.values(), ids=PODS)
def test_containers_and_probes_name_commands_that_exist(row: dict[str, Any]) -> None:
    for container in pod_of(row)["spec"]["containers"]:
        words = of_entrypoint(container.get("args", []))
        assert words
        assert checked(words) == []
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            if command := container.get(probe, {}).get("exec", {}).get("command"):
                assert command[0] == "trucewatch"
                assert checked(command[1:]) == []


def test_scheduled_runs_do_not_overlap_and_are_not_repeated() -> None:
    (job,) = [row for _, row in OBJECTS if row["kind"] == "CronJob"]
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert job["spec"]["jobTemplate"]["spec"]["backoffLimit"] == 0
    (container,) = pod_of(job)["spec"]["containers"]
    assert "--partial-ok" in container["args"]


def test_one_store_has_one_process() -> None:
    (watch,) = [row for _, row in OBJECTS if row["kind"] == "Deployment"]
    assert watch["spec"]["replicas"] == 1
    assert watch["spec"]["strategy"] == {"type": "Recreate"}
    (container,) = pod_of(watch)["spec"]["containers"]
    port = str(container["ports"][0]["containerPort"])
    assert port in container["args"]
    assert container["livenessProbe"]["exec"]["command"][1] == "healthcheck"


@pytest.mark.parametrize("folder", ["base", "flink"])
def test_nothing_may_reach_private_networks_or_the_metadata_server(folder: str) -> None:
    (policy,) = [row for path, row in set_of("NetworkPolicy") if path.parent.name == folder]
    assert set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    blocks = [to["ipBlock"] for rule in policy["spec"]["egress"] for to in rule["to"] if "ipBlock" in to]
    public = [block for block in blocks if not block["cidr"].endswith("/32")]
    left_out = {net for block in public for net in block["except"]}
    assert {"10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10"} <= left_out


def test_flink_keeps_its_state_and_its_pods_have_few_rights() -> None:
    (job,) = [row for _, row in OBJECTS if row["kind"] == "FlinkDeployment"]
    spec, settings = job["spec"], job["spec"]["flinkConfiguration"]
    assert spec["job"]["upgradeMode"] == "savepoint"
    assert spec["job"]["allowNonRestoredState"] is False
    assert {f"execution.checkpointing.{name}" for name in ("interval", "dir", "savepoint-dir")} <= set(settings)
    assert settings["high-availability.type"] == "kubernetes"
    slots = int(settings["taskmanager.numberOfTaskSlots"]) * spec["taskManager"]["replicas"]
    assert slots >= spec["job"]["parallelism"]
    pod, beside = spec["podTemplate"]["spec"], spec["taskManager"]["podTemplate"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (workers,) = beside["containers"]
    assert workers["args"] == ["--worker_pool"]
    assert workers["securityContext"]["readOnlyRootFilesystem"] is True
    for container in (*pod["containers"], workers):
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    for one in (pod, beside):
        mounts = {mount["name"] for c in one["containers"] for mount in c["volumeMounts"]}
        assert mounts == {volume["name"] for volume in one["volumes"]}


def set_of(kind: str) -> list[tuple[Path, dict[str, Any]]]:
    found = {(str(path), row["metadata"]["name"]): (path, row) for path, row in OBJECTS if row["kind"] == kind}
    return list(found.values())


@pytest.mark.parametrize("path", sorted(ROOT.glob("deploy/**/trucewatch.toml")), ids=lambda p: p.parent.name)
def test_example_configurations_can_be_read(path: Path) -> None:
    config = load_config(path, environment={})
    assert config.feeds
    assert config.sinks


@pytest.mark.parametrize("folder", APPLIED)
def test_kubectl_builds_it(folder: str, tmp_path: Path) -> None:
    tool = shutil.which("kustomize") or shutil.which("kubectl")
    if tool is None:
        pytest.skip("neither kubectl nor kustomize here")
    words = [tool, "build"] if tool.endswith("kustomize") else [tool, "kustomize"]
    made = subprocess.run([*words, FOLDER / folder], capture_output=True, text=True, check=True, timeout=60).stdout
    rows = [row for row in yaml.safe_load_all(made) if row]
    made_kinds = {"Secret"} if "secretGenerator" in documents(FOLDER / folder / "kustomization.yaml")[0] else set()
    assert {row["kind"] for row in rows} == {row["kind"] for _, row in resolved(FOLDER / folder)} | made_kinds
    assert all(row["metadata"].get("namespace") == "trucewatch" for row in rows if row["kind"] != "Namespace")
    secrets = {row["metadata"]["name"] for row in rows if row["kind"] == "Secret"}
    for row in rows:
        if row["kind"] in POD_AT:
            spec = pod_of(row)["spec"]
            assert all(c["image"] != "trucewatch" for c in spec["containers"])
            used = {v["secret"]["secretName"] for v in spec["volumes"] if "secret" in v}
            assert used <= secrets
            volumes = [set(volume) - {"name"} for volume in spec["volumes"]]
            assert all(len(kinds) == 1 for kinds in volumes), "a volume of two kinds"
    validator = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    for row in rows:
        if row["kind"] == "FlinkDeployment":
            assert row["spec"]["image"] != "trucewatch-flink"
            beside = row["spec"]["taskManager"]["podTemplate"]["spec"]["containers"]
            assert all(container["image"] != "trucewatch" for container in beside)
            for template in (row["spec"]["podTemplate"], row["spec"]["taskManager"]["podTemplate"]):
                pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, **template}
                validator.validate(pod, "1.33", strict=True)
        else:
            validator.validate(row, "1.33", strict=True)
