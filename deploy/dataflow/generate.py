"""Write metadata.json, the Flex Template's form, from the options of `trucewatch stream` (--check: is it current?)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import typer.main

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pipeline.cli import app

FOLDER = Path(__file__).resolve().parent
COMMAND = "stream"
# Options that make no sense on Dataflow, or that the launcher sets itself.
LEFT_OUT = frozenset(
    {"help", "runner", "beam", "json", "alerts", "store", "as_of", "metrics_port", "partial_ok", "wait"}
)
# What a value must look like; the whole of it, as Dataflow compares.
SHAPES = {
    "config": r"^gs:\/\/[^\n\r]+\.toml$",
    "every": r"^[0-9]+ ?(s|sec|seconds?|m|min|minutes?|h|hours?)$",
    "subscription": r"^projects\/[^\n\r\/]+\/subscriptions\/[^\n\r\/]+$",
    "topic": r"^projects\/[^\n\r\/]+\/topics\/[^\n\r\/]+$",
    "project": r"^[a-z][a-z0-9.:-]{4,62}$",
}
KINDS = {"config": "GCS_READ_FILE", "subscription": "PUBSUB_SUBSCRIPTION", "topic": "PUBSUB_TOPIC"}
HELP = {
    "config": "The configuration: a trucewatch.toml on Cloud Storage. Secrets in it come from the environment or files."
}


def parameter(option: Any) -> dict[str, Any]:
    """Return one field of the form."""
    name = str(option.name)
    row: dict[str, Any] = {
        "name": name,
        "label": name.replace("_", " ").capitalize(),
        "helpText": HELP.get(name) or option.help or "",
        "isOptional": not option.required and name != "config",
        "paramType": KINDS.get(name, "TEXT"),
    }
    if getattr(option, "is_flag", False):
        row["regexes"] = ["^(true|false)$"]
    elif name in SHAPES:
        row["regexes"] = [SHAPES[name]]
    if option.default not in (None, "", False, ()) and name != "config" and not callable(option.default):
        row["defaultValue"] = str(option.default).lower() if option.default is True else str(option.default)
    return row


def metadata() -> dict[str, Any]:
    """Return the template's metadata."""
    command: Any = typer.main.get_command(app)
    stream = command.commands[COMMAND]
    options = [option for option in stream.params if option.name not in LEFT_OUT]
    return {
        "name": "trucewatch",
        "description": "Tells of ceasefires in Syria and Libya and of their breaches from news feeds, each once.",
        "streaming": True,
        "supportsAtLeastOnce": False,
        "supportsExactlyOnce": True,
        "parameters": sorted((parameter(option) for option in options), key=lambda row: row["isOptional"]),
    }


def main() -> int:
    """Write the file, or check it."""
    path = FOLDER / "metadata.json"
    fresh = json.dumps(metadata(), indent=2, ensure_ascii=False) + "\n"
    if "--check" in sys.argv[1:]:
        return int(not path.exists() or path.read_text("utf-8") != fresh)
    path.write_text(fresh, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
