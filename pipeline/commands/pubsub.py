"""Commands for Google Cloud Pub/Sub and its emulator: setup, subscribe."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.running import JsonOption
from pipeline.console import command, err, out, write_json

app = typer.Typer(no_args_is_help=True, help="Topics and subscribers on Google Cloud Pub/Sub or its emulator.")

ProjectOption = Annotated[
    str,
    typer.Option("--project", envvar="GOOGLE_CLOUD_PROJECT", help="Google Cloud project (or GOOGLE_CLOUD_PROJECT)."),
]


@app.command()
@command
def setup(
    project: ProjectOption,
    topic: Annotated[
        str, typer.Option("--topic", help="The topic; names of all else begin with it.")
    ] = "trucewatch-alerts",
    examples: Annotated[bool, typer.Option(help="Example subscriptions too.")] = True,
    json: JsonOption = False,
) -> None:
    """Create topic, schema, dead-letter topic and example subscriptions; what is there already stays.

    Example: trucewatch pubsub setup --project my-project
    """
    from pipeline.pubsub import setup as set_up

    steps = set_up(project, topic, examples=examples)
    for step in steps:
        if json:
            write_json(step)
        else:
            out.print(f"{step.done}: {step.resource}", markup=False, highlight=False)


@app.command()
@command
def subscribe(
    subscription: Annotated[str, typer.Argument(help="Name of the subscription.")],
    project: ProjectOption,
    file: Annotated[
        Path | None, typer.Option("--file", help="Append to this file, each alert once over restarts.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="End after so many alerts.")] = None,
    idle: Annotated[float | None, typer.Option("--idle", help="End after so many seconds without any.")] = None,
    json: JsonOption = False,
) -> None:
    """Show alerts as they come, each once; acknowledge each after it is out.

    Example: trucewatch pubsub subscribe trucewatch-alerts-all --project my-project
    """
    from pipeline.pubsub import FileOutput, LiveOutput, StreamOutput
    from pipeline.pubsub import subscribe as read

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    output = FileOutput(file) if file else StreamOutput(sys.stdout) if json else LiveOutput(out)
    report = read(project, subscription, output, limit=limit, idle_s=idle, stop=stop)
    err.print(f"{report.told} told, {report.repeated} repeated, {report.unreadable} unreadable")
