"""The command line: parse, call, print. Each group of commands is a module of `pipeline.commands`."""

from __future__ import annotations

import sys

import typer

from pipeline.commands import delivery, detecting, feeds, health, pubsub, running, stored, streaming
from pipeline.console import leave

app = typer.Typer(
    name="trucewatch",
    help="Watches news feeds for ceasefires in Syria and Libya and for their breaches, and tells each of them once.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 ok, 1 failed, 2 wrong usage or configuration, 3 partial (some feeds failed), 75 try later.",
)
running.register(app)
streaming.register(app)
detecting.register(app)
stored.register(app)
delivery.register(app)
health.register(app)
app.add_typer(feeds.app, name="feeds")
app.add_typer(pubsub.app, name="pubsub")


def main() -> None:
    """Run the command line."""
    try:
        app()
    except SystemExit as leaving:
        if sys.argv[1:2] == ["stream"]:
            leave(leaving.code)
        raise


if __name__ == "__main__":
    main()
