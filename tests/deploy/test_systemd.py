"""Units of systemd: sections, hardening, and commands that exist; systemd's own check where it is present."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.deploy.commands import checked, in_shell

FOLDER = ROOT / "deploy" / "systemd"
SERVICES = sorted(FOLDER.glob("*.service"))
TIMERS = sorted(FOLDER.glob("*.timer"))
PROGRAM = "/opt/trucewatch/bin/trucewatch"


def entries(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in path.read_text("utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_services_start_commands_that_exist(path: Path) -> None:
    (line,) = entries(path)["ExecStart"]
    words = shlex.split(line)
    commands = [words[1:]] if words[0] == PROGRAM else in_shell(words[-1].replace("$$", "$"))
    assert commands
    assert [problem for command in commands for problem in checked(command)] == []


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_services_have_few_rights(path: Path) -> None:
    given = entries(path)
    for key, value in {
        "DynamicUser": "yes", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes",
        "PrivateTmp": "yes", "CapabilityBoundingSet": "", "StateDirectory": "trucewatch",
    }.items():  # fmt: skip
        assert given[key] == [value], key
    assert given["Environment"] == ["TRUCEWATCH_STORE=sqlite:////var/lib/trucewatch/trucewatch.sqlite"]


def test_partial_and_busy_runs_are_no_failures() -> None:
    assert entries(FOLDER / "trucewatch.service")["SuccessExitStatus"] == ["3 75"]


def test_each_timer_has_its_service() -> None:
    assert {path.stem for path in TIMERS} == {path.stem for path in SERVICES}
    for path in TIMERS:
        assert entries(path)["WantedBy"] == ["timers.target"]


def test_systemd_finds_the_units_well_formed(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd here")
    for path in (*SERVICES, *TIMERS):  # verify wants the program to be there
        (tmp_path / path.name).write_text(path.read_text("utf-8").replace(PROGRAM, "/bin/true"))
    words = ["systemd-analyze", "verify", "--man=no", *sorted(tmp_path.iterdir())]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    if "Failed to" in done.stderr and str(tmp_path) not in done.stderr:
        pytest.skip(f"systemd-analyze cannot work here: {done.stderr.strip()[:200]}")
    told = [line for line in done.stderr.splitlines() if "trucewatch" in line]
    assert told == []
    assert done.returncode == 0
