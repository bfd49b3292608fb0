"""Write the reference pages from the code, so that they cannot go stale: `python docs/generate.py`.

`tests/pipeline/test_docs.py` fails when a page is not what this would write.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, get_type_hints

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.cli import app
from pipeline.config import DEFAULT_STORE
from pipeline.observe.settings import MetricsSettings
from transforms.alert.settings import AlertPolicy
from transforms.deduplicate.settings import ClusterSettings
from transforms.detect.settings import DetectSettings
from transforms.ingest.feed import Feed
from transforms.ingest.settings import FetchSettings
from transforms.model import Alert, AlertEvidence, Codes, DateSpan, Party, Place, Toll, TollFigure
from transforms.sinks.settings import KINDS

FOLDER = Path(__file__).resolve().parent


def attributes(cls: type) -> dict[str, str]:
    """Return the meaning of each attribute, from the Google-style docstrings of the class and those it builds on."""
    found: dict[str, str] = {}
    for each in reversed(cls.__mro__[:-1]):
        found |= _own_attributes(each)
    return found


def _own_attributes(cls: type) -> dict[str, str]:
    doc = inspect.cleandoc(cls.__doc__ or "")
    section = doc.partition("Attributes:\n")[2]
    found: dict[str, str] = {}
    names: list[str] = []
    for line in section.splitlines():
        head = re.match(r"    (\w+(?:, \w+)*): (.*)", line)
        if head:
            names = head[1].split(", ")
            found |= dict.fromkeys(names, head[2])
        elif names and line.startswith("        "):
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
        elif line.strip():
            names = []
    return found


def shown(value: Any) -> str:
    """Return a default as one writes it in TOML."""
    if value is dataclasses.MISSING:
        return "required"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, timedelta):
        return f"`{int(value.total_seconds() // 60)} min`"
    if isinstance(value, tuple):
        return "`[" + ", ".join(f'"{v}"' if isinstance(v, str) else str(v) for v in value) + "]`"
    if isinstance(value, str):
        return f'`"{value}"`'
    return "" if value is None else f"`{value}`"


def kind_of(hint: Any) -> str:
    """Return a type in words."""
    text = hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")
    names = {"str": "text", "bool": "true or false", "int": "whole number", "float": "number", "timedelta": "duration"}
    text = re.sub(r"(?:\w+\.)+(\w+)", r"\1", text)
    text = re.sub(r"tuple\[(.*?), \.\.\.\]", r"list of \1", text)
    for name, word in names.items():
        text = re.sub(rf"\b{name}\b", word, text)
    return text.replace("|", "or").replace("list of text", "list of texts")


def keys(cls: type, leave_out: tuple[str, ...] = ()) -> str:
    """Return the table of a settings class's keys."""
    meanings = attributes(cls)
    hints = get_type_hints(cls)
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for field in dataclasses.fields(cls):
        if field.name in leave_out:
            continue
        default = field.default
        if default is dataclasses.MISSING and field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        meaning = meanings.get(field.name, "").replace("|", "\\|")
        kind = kind_of(hints[field.name]).replace("|", "\\|")
        rows.append(f"| `{field.name}` | {kind} | {shown(default)} | {meaning} |")
    return "\n".join(rows)


def configuration_page() -> str:
    """Return docs/configuration.md."""
    parts = [
        "# Configuration",
        "Written by `docs/generate.py` from the settings classes. The file is `trucewatch.toml`, or what `--config` or the",
        "environment variable `TRUCEWATCH_CONFIG` names. An unknown key is an error that names the nearest known one.",
        'Durations are seconds, or a number and a unit: `"15 min"`, `"48 h"`, `"10 d"`. Any text may be taken from',
        'elsewhere: `{ env = "NAME" }` from the environment, `{ file = "/run/secrets/x" }` from a file.',
        "",
        "## Top level",
        "",
        "| key | default | meaning |",
        "|---|---|---|",
        f'| `store` | `"{DEFAULT_STORE}"` | URL of the store; `TRUCEWATCH_STORE` in the environment wins. |',
        '| `source` | `"urn:trucewatch:local"` | URI that names this deployment in its alerts; `TRUCEWATCH_SOURCE` wins. |',
        "| `opml` | none | An OPML file, or a list of them, whose feeds are read too; paths are relative to this file. |",
    ]
    sections: list[tuple[str, type, tuple[str, ...]]] = [
        ("`[[feed]]`: a feed to read", Feed, ()),
        ("`[fetch]`: manners and limits of fetching and parsing", FetchSettings, ()),
        ("`[detect]`: what is read of an article", DetectSettings, ()),
        ("`[deduplicate]`: when mentions are one event", ClusterSettings, ("weights",)),
        ("`[alert]`: what subscribers are told", AlertPolicy, ()),
        ("`[metrics]`: what operators see", MetricsSettings, ()),
    ]
    sections += [(f'`[[sink]] kind = "{kind}"`', cls, ()) for kind, cls in KINDS.items()]
    for title, cls, leave_out in sections:
        first = inspect.cleandoc(cls.__doc__ or "").partition("\n\nAttributes:")[0]
        parts += ["", f"## {title}", "", first, "", keys(cls, leave_out)]
    return "\n".join(parts) + "\n"


def alerts_page() -> str:
    """Return docs/alerts.md."""
    parts = [
        "# Alerts",
        "Written by `docs/generate.py` from the records. An alert is the `data` of a CloudEvent 1.0 in JSON, at most 64 KiB:",
        "`id` is `<event_id>.<revision>` (the same id is the same alert, retries reuse it), `source` names the deployment,",
        "`type` is `org.trucewatch.{ceasefire|violation|hostility}.{new|updated|retracted}.v1`, `subject` is",
        "`<country>/<P-code>/<event_id>`, `time` is when the event happened. The JSON Schema is",
        "`deploy/schema/alert.schema.json`. Never depend on the order of alerts: `revision` says which is the later one.",
    ]
    for cls in (Alert, Place, Party, DateSpan, Toll, TollFigure, AlertEvidence, Codes):
        first = inspect.cleandoc(cls.__doc__ or "").partition("\n\nAttributes:")[0]
        rows = ["| field | type | meaning |", "|---|---|---|"]
        meanings, hints = attributes(cls), get_type_hints(cls)
        for field in dataclasses.fields(cls):
            kind = kind_of(hints[field.name]).replace("|", "\\|")
            rows.append(f"| `{field.name}` | {kind} | {meanings.get(field.name, '').replace('|', '/')} |")
        parts += ["", f"## {cls.__name__}", "", first, "", *rows]
    return "\n".join(parts) + "\n"


def commands_page() -> str:
    """Return docs/commands.md."""
    import typer.main

    root = typer.main.get_command(app)
    parts = [
        "# Commands",
        "Written by `docs/generate.py` from the command line itself. Results go to stdout, everything else to stderr.",
        "Exit codes: 0 ok, 1 failed, 2 wrong usage or configuration, 3 partial (some feeds failed), 75 try later.",
    ]
    for path, command in _walk("trucewatch", root):
        text = inspect.cleandoc(command.help or "")
        summary, _, example = text.partition("Example:")
        parts += ["", f"## `{path}`", "", summary.strip()]
        if example.strip():
            parts += ["", "```sh", example.strip(), "```"]
        options = [p for p in command.params if p.name != "help"]
        if options:
            parts += ["", "| option | meaning |", "|---|---|"]
            for option in options:
                names = ", ".join(f"`{n}`" for n in (*option.opts, *option.secondary_opts)) or f"`{option.name}`"
                meaning = (getattr(option, "help", "") or "").replace("|", "/")
                parts.append(f"| {names} | {meaning} |")
    return "\n".join(parts) + "\n"


def _walk(path: str, command: Any) -> list[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        return [(path, command)]
    return [row for name, child in children.items() for row in _walk(f"{path} {name}", child)]


def pages() -> dict[Path, str]:
    """Return every generated page, by path."""
    return {
        FOLDER / "configuration.md": configuration_page(),
        FOLDER / "alerts.md": alerts_page(),
        FOLDER / "commands.md": commands_page(),
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, "utf-8")
