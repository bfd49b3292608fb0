"""The documentation is true: generated pages are current, and the README's commands, links and codes exist."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
import typer.main

from pipeline.cli import app

ROOT = Path(__file__).resolve().parents[2]


def generator():
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def all_commands() -> dict[str, object]:
    module = generator()
    return {path.removeprefix("trucewatch "): c for path, c in module._walk("trucewatch", typer.main.get_command(app))}


@pytest.mark.parametrize("name", ["configuration.md", "alerts.md", "commands.md"])
def test_a_generated_page_is_current(name: str) -> None:
    path = ROOT / "docs" / name
    assert path.read_text("utf-8") == generator().pages()[path], "run: python docs/generate.py"


@pytest.mark.parametrize("path", sorted(all_commands()))
def test_every_command_says_what_it_does_with_an_example(path: str) -> None:
    assert "Example: trucewatch" in all_commands()[path].help
    assert all(getattr(option, "help", "") for option in all_commands()[path].params if option.name != "help")


def test_every_setting_and_alert_field_is_explained() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| *(.*?) *\|$", generator().configuration_page(), re.MULTILINE)
    assert [key for key, meaning in rows if not meaning] == []


def test_the_readme_names_only_commands_and_files_that_exist() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    known = set(all_commands()) | {path.split()[0] for path in all_commands()}
    assert {name for name in re.findall(r"trucewatch ([a-z][a-z-]+)", text) if name not in known} <= {"reads", "run"}
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / link).exists(), link
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"^make ([a-z]+)", text, re.MULTILINE)) <= targets
