"""Command lines in deployment files, held against the real command line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import typer.main

from pipeline.cli import app

_ROOT: Any = typer.main.get_command(app)


def checked(words: Sequence[str]) -> list[str]:
    """Parse `words` (without the program's name) as trucewatch would, and return what is wrong."""
    context = _ROOT.make_context("trucewatch", [], resilient_parsing=True)
    command: Any = _ROOT
    rest = list(words)
    while hasattr(command, "commands"):
        if not rest or rest[0] not in command.commands:
            return [f"no such command: {' '.join(words)}"]
        command = command.commands[rest.pop(0)]
    try:
        command.make_context(command.name, rest, parent=context)
    except Exception as error:  # noqa: BLE001 - click's errors, told as text
        return [f"{' '.join(words)}: {error}"]
    return []


def of_entrypoint(arguments: Sequence[str]) -> list[str]:
    """Return trucewatch's words from a container's arguments."""
    words = list(arguments)
    if words and words[0] == "trucewatch-on-bucket":
        return words[2:]
    return words[1:] if words and words[0] == "trucewatch" else words


def in_shell(text: str) -> list[list[str]]:
    """Return the trucewatch commands of a shell text or a Markdown page's code, words split as a shell does."""
    import shlex

    joined = re.sub(r"\$\([^)]*\)", "X", re.sub(r"\\\n\s*", " ", text))
    found = []
    for line in joined.splitlines():
        start = r"\s" if line.startswith("docker run") else r"(?:^\s*|bin/|&& |; |-- )"
        for match in re.finditer(start + r"trucewatch ([a-z\"'-][^|;&#>)]*)", line):
            try:
                words = shlex.split(match[1].rstrip("'`"))
            except ValueError:
                words = match[1].split()
            if words:
                found.append(words)
    return found


def gcloud_commands(text: str) -> list[list[str]]:
    """Return the gcloud commands of a shell text or a Markdown page's code."""
    import shlex

    joined = re.sub(r"\s+#.*", "", re.sub(r"\\\n\s*", " ", text))
    found = re.findall(r"^\s*(?:cd \S+ && )?gcloud ([^;&|#`\n]+)", joined, flags=re.M)
    return [shlex.split(words) for words in found]


def gcloud_problems(words: Sequence[str], tree: dict[str, Any]) -> list[str]:
    """Return what gcloud's own tree of commands does not know in `words`."""
    flags, node, rest = set(tree["flags"]), tree, list(words)
    while rest and rest[0] in node.get("commands", {}):
        node = node["commands"][rest.pop(0)]
        flags |= set(node.get("flags", {}))
    if node.get("commands"):
        return [f"no such command: gcloud {' '.join(words)}"]
    return [
        f"{' '.join(words)}: no {word}" for word in rest if word[:2] == "--" and word.partition("=")[0] not in flags
    ]
