"""The pages on deploying and operating: commands that exist, files that are there, and the table of metrics."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from pipeline.observe.metrics import METRICS
from tests.conftest import ROOT
from tests.deploy.commands import checked, gcloud_commands, gcloud_problems, in_shell
from tests.deploy.loading import load

PAGES = {name: (ROOT / "docs" / name).read_text("utf-8") for name in ("deploying.md", "operations.md")}


def code(page: str) -> str:
    blocks = re.findall(r"```sh\n(.*?)```", page, flags=re.S)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", page, flags=re.S))])


@pytest.mark.parametrize("name", PAGES)
def test_commands_exist_with_their_options(name: str) -> None:
    commands = in_shell(code(PAGES[name]))
    assert len(commands) >= 5
    assert [problem for words in commands for problem in checked(words)] == []


def test_commands_of_gcloud_exist_with_their_options() -> None:
    """By the tree of all its commands that gcloud keeps for completion in the shell."""
    program = shutil.which("gcloud")
    if program is None:
        pytest.skip("no gcloud here")
    path = Path(program).resolve().parents[1] / "data" / "cli" / "gcloud_completions.py"
    if not path.exists():
        pytest.skip("this gcloud keeps no tree of its commands")
    tree = load(path).STATIC_COMPLETION_CLI_TREE
    assert gcloud_problems(["run", "jobs", "lst"], tree)
    assert gcloud_problems(["dataflow", "jobs", "drain", "ID", "--regoin", "x"], tree)
    texts = [code(page) for page in PAGES.values()]
    texts += [(ROOT / "deploy" / "cloud-run" / name).read_text("utf-8") for name in ("job.yaml", "cloudbuild.yaml")]
    commands = [words for text in texts for words in gcloud_commands(text.replace("#   gcloud", "gcloud"))]
    assert len(commands) >= 12
    assert [problem for words in commands for problem in gcloud_problems(words, tree)] == []


@pytest.mark.parametrize("name", PAGES)
def test_files_and_links_are_there(name: str) -> None:
    page = PAGES[name]
    for path in re.findall(r"(?<![\w/])deploy/[\w./-]+\w", page):
        if path != "deploy/trucewatch":  # kubectl's name of the Deployment
            assert (ROOT / path).exists(), path
    for target in re.findall(r"\]\(([^)]+)\)", page):
        file, _, anchor = target.partition("#")
        text = PAGES[name] if not file else (ROOT / "docs" / file).read_text("utf-8") if file in PAGES else ""
        assert not file or "://" in target or (ROOT / "docs" / file).exists(), target
        anchors = {
            re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)$", text, re.M)
        }
        assert not anchor or anchor in anchors, target


def test_the_table_of_metrics_is_current() -> None:
    table = PAGES["operations.md"].partition("<!-- metrics:")[2].partition("<!-- end of metrics -->")[0]
    rows = [
        f"| `{m.prometheus_name}` | {m.kind.value} | {', '.join(f'`{label}`' for label in m.labels)} | {m.help} |"
        for m in METRICS
    ]
    assert [line for line in table.splitlines() if line.startswith("| `")] == rows
