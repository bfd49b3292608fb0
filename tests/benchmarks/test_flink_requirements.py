"""What is installed beside PyFlink holds all that the project needs to read and tell news there."""

from __future__ import annotations

import re
import tomllib

from benchmarks.flink.environment import REQUIREMENTS
from tests.conftest import ROOT

NOT_THERE = {"apache-beam"}  # PyFlink asks for a Beam of its own


def bare(requirement: str) -> str:
    """Return the name of a requirement, spelled as registries compare names."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s<>=!~\[;]", requirement, maxsplit=1)[0]).lower()


def test_every_dependency_is_installed_beside_pyflink() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    installed = {bare(line) for line in REQUIREMENTS.read_text("utf-8").splitlines() if line.strip()}
    assert {bare(one) for one in project["dependencies"]} - NOT_THERE <= installed
