"""What Dataflow's template launcher starts: template parameters in, `trucewatch stream` out.

The launcher calls this file with `--name=value` for each template parameter, and with Beam's own flags for the job.
Parameters of the template (metadata.json) become options of the command; everything else is handed to Beam.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

SWITCH = ["^(true|false)$"]
METADATA = Path(__file__).with_name("metadata.json")


def command_line(arguments: Sequence[str], parameters: Mapping[str, bool]) -> list[str]:
    """Return the command for the launcher's arguments.

    Args:
        arguments: `--name=value` or `--name value`, as the launcher gives them.
        parameters: Names of the template's parameters, and whether they are switches.
    """
    options: list[str] = []
    flags: list[str] = []
    rest = list(arguments)
    while rest:
        name, given, value = rest.pop(0).partition("=")
        if not given and rest and not rest[0].startswith("--"):
            given, value = "=", rest.pop(0)
        key = name.removeprefix("--")
        if parameters.get(key):
            options += [f"--{key.replace('_', '-')}"] if value == "true" else []
        elif key in parameters:
            options += [f"--{key.replace('_', '-')}", value]
        elif key != "runner":
            flags.append(f"--beam={name}{given}{value}")
    return ["stream", "--runner", "DataflowRunner", *options, *flags]


def parameters_of(metadata: Path) -> dict[str, bool]:
    """Return the names of a template's parameters, and whether they are switches."""
    rows = json.loads(metadata.read_text("utf-8"))["parameters"]
    return {row["name"]: row.get("regexes") == SWITCH for row in rows}


def local_copy(path: str) -> str:
    """Return a file on this machine with what is at `path`, which may be an address such as gs://bucket/file."""
    if "://" not in path:
        return path
    from apache_beam.io.filesystem import BeamIOError
    from apache_beam.io.filesystems import FileSystems

    try:
        with FileSystems.open(path) as remote:
            content = remote.read()
    except (OSError, ValueError, BeamIOError) as error:
        sys.stderr.write(f"{path} cannot be read: {error}; check the address, and the launcher's rights to it\n")
        sys.exit(2)
    copy = Path(tempfile.mkdtemp()) / Path(path).name
    copy.write_bytes(content)
    return str(copy)


def main() -> None:
    """Start the command in this process, with the configuration fetched."""
    from pipeline.cli import app

    arguments = command_line(sys.argv[1:], parameters_of(METADATA))
    if "--config" in arguments:
        at = arguments.index("--config") + 1
        arguments[at] = local_copy(arguments[at])
    app(arguments)


if __name__ == "__main__":
    main()
