"""The image, as far as it goes without a Docker engine: its steps, in an empty folder and a fresh environment."""

from __future__ import annotations

import json
import os
import shutil
import site
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest

from pipeline.store.store import Store
from tests.conftest import ROOT
from tests.deploy.loading import load

DOCKER = ROOT / "deploy" / "docker"
context = load(DOCKER / "context.py")


@pytest.fixture(scope="module")
def built() -> Iterator[Path]:
    """The build context alone, installed into a fresh environment; dependencies are lent by the tests' own."""
    folder = Path(tempfile.mkdtemp(prefix="trucewatch-image-"))
    folder.chmod(0o755)  # another user is to run what is in it
    try:
        yield made_in(folder)
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    """The build context alone, with nothing installed from it."""
    context.copy_context(ROOT, tmp_path / "build")
    return tmp_path


def made_in(folder: Path) -> Path:
    context.copy_context(ROOT, folder / "build")
    # What `python -m venv` makes, without pip, which the tests' environment lends too.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True, timeout=120)
    python = folder / "venv" / "bin" / "python"
    (packages,) = (folder / "venv" / "lib").glob("python3*/site-packages")
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--no-index",
         "--no-build-isolation", "--target", packages, str(folder / "build")],
        check=True, timeout=240, env={**os.environ, "PIP_FIND_LINKS": ""},
    )  # fmt: skip
    lent = [path for path in site.getsitepackages() if (Path(path) / "apache_beam").exists()]
    (packages / "zz_lent.pth").write_text("\n".join(lent) + "\n")
    script = folder / "venv" / "bin" / "trucewatch"
    script.write_text(f'#!/bin/sh\nexec {python} -P -m pipeline.cli "$@"\n')
    script.chmod(0o755)
    return folder


def run(built: Path, *words: str, **more: object) -> subprocess.CompletedProcess[str]:
    path = f"{built / 'venv' / 'bin'}:{built / 'build' / 'deploy' / 'docker'}:/usr/bin:/bin"
    environment = {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/nonexistent", **more.pop("env", {})}  # type: ignore[dict-item]
    entrypoint = str(built / "build" / "deploy" / "docker" / "entrypoint")
    return subprocess.run(
        [entrypoint, *words], env=environment, capture_output=True, text=True, timeout=200, check=False, **more
    )  # type: ignore[call-overload]


def test_the_context_holds_what_the_image_needs_and_nothing_else(sent: Path) -> None:
    files = {path.relative_to(sent / "build").as_posix() for path in (sent / "build").rglob("*") if path.is_file()}
    tops = {path.split("/")[0] for path in files}
    assert tops <= {"pipeline", "transforms", "deploy", "pyproject.toml", "README.md", "LICENSE"}
    assert not [path for path in files if path.endswith((".pyc", ".sqlite", ".env"))]
    assert {
        "pipeline/cli.py",
        "transforms/detect/lexicon/triggers.en.toml",
        "pipeline/store/migrations/env.py",
    } <= files


def test_every_copy_of_the_dockerfile_is_in_the_context() -> None:
    patterns = context.patterns_of((DOCKER / "Dockerfile.dockerignore").read_text())
    for step in context.instructions((DOCKER / "Dockerfile").read_text()):
        if step.word in ("COPY", "ADD") and "--from=" not in step.text:
            *sources, _target = [word for word in step.text.split() if not word.startswith("--")]
            for source in sources:
                assert (ROOT / source).exists(), source
                inside = f"{source}/cli.py" if source == "pipeline" else source
                assert not context.ignored(inside, patterns), source


@pytest.mark.parametrize(
    ("path", "out"),
    [("pipeline/cli.py", False), ("pipeline/__pycache__/cli.pyc", True), (".env", True), ("tests/conftest.py", True),
     ("deploy/terraform/main.tf", True), ("trucewatch.sqlite", True), ("deploy/docker/entrypoint", False)],
)  # fmt: skip
def test_the_context_is_a_list_of_what_may_come_in(path: str, out: bool) -> None:
    patterns = context.patterns_of((DOCKER / "Dockerfile.dockerignore").read_text())
    assert context.ignored(path, patterns) is out


def test_the_last_stage_is_a_plain_user_that_starts_the_entrypoint() -> None:
    steps = context.instructions((DOCKER / "Dockerfile").read_text())
    runtime = {step.word: step.text for step in steps if step.stage == "runtime"}
    assert steps[-1].stage == "runtime"
    assert runtime["USER"] == "${RUN_AS}:${RUN_AS}"
    assert "ARG RUN_AS=65532\n" in (DOCKER / "Dockerfile").read_text().partition("FROM ")[0]
    assert json.loads(runtime["ENTRYPOINT"])[-1] == "/usr/local/bin/entrypoint"
    environment = " ".join(step.text for step in steps if step.word == "ENV")
    assert "TRUCEWATCH_STORE=sqlite:////data/trucewatch.sqlite" in environment


def test_beam_is_of_one_version_everywhere() -> None:
    dockerfile = (DOCKER / "Dockerfile").read_text()
    lock = (DOCKER / "requirements.lock").read_text()
    assert f"ARG BEAM={version('apache-beam')}" in dockerfile
    assert f"\napache-beam=={version('apache-beam')} " in lock


def test_the_lock_has_every_dependency_by_hash_and_no_address() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lock = (DOCKER / "requirements.lock").read_text()
    wanted = list(project["dependencies"])
    for extra in ("gcp", "postgres", "web", "metrics"):
        wanted += project["optional-dependencies"][extra]
    locked = {line.split("==")[0].split("[")[0].strip() for line in lock.splitlines() if "==" in line[:80]}
    for requirement in wanted:
        name = requirement.split(";")[0]
        for mark in "[><=~!":
            name = name.split(mark)[0]
        assert name.strip().lower() in locked, requirement
    blocks = [block for block in lock.split("\n") if block and not block.startswith((" ", "#"))]
    assert all(block.endswith("\\") for block in blocks)
    assert lock.count("--hash=sha256:") >= len(blocks)
    assert "://" not in lock


def test_the_environment_is_enough_to_detect_with_its_model(built: Path, tmp_path: Path) -> None:
    item = {
        "id": "1", "published": "2016-10-03T09:00:00Z", "outlet": "The Orontes Courier",
        "title": "Shelling hits Saraqib hours after truce begins", "summary": "Three were killed, medics said.",
    }  # fmt: skip
    result = run(built, "detect", input=json.dumps(item) + "\n", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["events"][0]["country"] == "SY"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_it_runs_as_a_plain_user_where_only_its_data_can_be_written(built: Path) -> None:
    interpreter = (built / "venv" / "bin" / "python").resolve()
    for folder in (built, *interpreter.parents, ROOT, *ROOT.parents):
        if folder.stat().st_mode & 0o005 != 0o005:
            pytest.skip(f"another user cannot enter {folder}")
    data = built / "data"
    data.mkdir()
    shutil.chown(data, 65532, 65532)
    (data / "trucewatch.toml").write_text('[metrics]\nprometheus_file = "t.prom"\n')
    environment = {"TRUCEWATCH_CONFIG": f"{data}/trucewatch.toml", "TRUCEWATCH_STORE": f"sqlite:///{data}/store.sqlite"}
    result = run(built, "run", env=environment, cwd="/", user=65532, group=65532, extra_groups=[])
    assert result.returncode == 0, result.stderr
    assert {"store.sqlite", "t.prom"} <= {path.name for path in data.iterdir()}
    health = run(built, "healthcheck", env=environment, cwd="/", user=65532, group=65532, extra_groups=[])
    assert (health.returncode, health.stdout[:3]) == (0, "ok:"), health.stderr


def test_the_entrypoint_tells_workers_from_commands(sent: Path, tmp_path: Path) -> None:
    boot = tmp_path / "boot"
    boot.write_text('#!/bin/sh\necho "boot $*"\n')
    boot.chmod(0o755)
    for words in (["--worker_pool"], ["--id=1-1", "--logging_endpoint=localhost:1", "--artifact_endpoint=x"]):
        assert run(sent, *words, env={"BEAM_BOOT": str(boot)}).stdout.split() == ["boot", *words]
    assert run(sent, "/bin/echo", "as", "it is").stdout == "as it is\n"  # so Dataflow names its launcher
    fake = tmp_path / "trucewatch"
    fake.write_text('#!/bin/sh\necho "trucewatch $*"\n')
    fake.chmod(0o755)
    path = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    assert run(sent, env=path).stdout == "trucewatch --help\n"
    assert run(sent, "trucewatch", "run", env=path).stdout == "trucewatch run\n"
    assert run(sent, "run", "--json", env=path).stdout == "trucewatch run --json\n"


def test_a_store_on_a_bucket_goes_on_from_the_run_before(built: Path, tmp_path: Path) -> None:
    bucket, config = tmp_path / "bucket", tmp_path / "trucewatch.toml"
    bucket.mkdir()
    with Store.open(f"sqlite:///{bucket}/trucewatch.sqlite") as store:
        store.add_summary("before", "{}", datetime(2016, 10, 3, tzinfo=UTC))
    words = ("trucewatch-on-bucket", str(bucket), "run", "--config", str(config))
    assert run(built, *words).returncode == 2  # no configuration: its exit code, and the store as it was
    config.write_text("")
    result = run(built, *words)
    assert result.returncode == 0, result.stderr
    assert [path.name for path in bucket.iterdir()] == ["trucewatch.sqlite"]
    with Store.open(f"sqlite:///{bucket}/trucewatch.sqlite") as store:
        assert [row.run_id == "before" for row in store.run_rows()] == [False, True]


@pytest.mark.parametrize("script", ["entrypoint", "trucewatch-on-bucket", "rehearse.sh"])
def test_scripts_pass_shellcheck(script: str) -> None:
    tool = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if tool is None:
        pytest.skip("no shellcheck here")
    subprocess.run([tool, DOCKER / script], check=True, timeout=60)
    assert os.access(DOCKER / script, os.X_OK)


@pytest.mark.parametrize("folder", [DOCKER, ROOT / "deploy" / "flink"], ids=lambda folder: folder.name)
def test_the_dockerfile_passes_hadolint(folder: Path) -> None:
    tool = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if tool is None:
        pytest.skip("no hadolint here")
    subprocess.run([tool, "--failure-threshold", "info", folder / "Dockerfile"], check=True, timeout=60)
