"""The launcher of the Dataflow Flex Template: parameters in, a job handed over. It never waits for the job.

`PARAMETERS` is the one list of what the template takes: the launcher checks by it, and `deploy/dataflow/generate.py`
writes `metadata.json` from it. Whatever else is given are flags for Beam, such as the launcher's own program adds.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import threading
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, NoReturn

from pipeline.config import Config, config_of
from transforms.failures import ConfigError, EngineError, StoreBusyError, TrucewatchError
from transforms.sinks.settings import CapSettings, FileSettings, PubSubSettings, SinkSettings, TableSettings

NAME = "trucewatch stream"
DESCRIPTION = (
    "Reads news feeds without end and tells of ceasefires in Syria and Libya and of their breaches, each once."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of the template.

    Attributes:
        name: Its name, as `gcloud dataflow flex-template run --parameters NAME=VALUE` takes it.
        label: A few words, shown beside its field.
        help: What it does.
        pattern: Regular expression that the whole value must match.
        example: A value that has the right form.
        kind: Dataflow's word for what the value is.
        default: What holds where it is left out; None for a parameter that must be given.
        for_beam: Whether it is Beam's own option of the same name, checked here and passed on.
    """

    name: str
    label: str
    help: str
    pattern: str
    example: str
    kind: Literal["TEXT", "GCS_READ_FILE", "PUBSUB_SUBSCRIPTION"] = "TEXT"
    default: str | None = ""
    for_beam: bool = False


PARAMETERS = (
    Parameter(
        name="config_file",
        label="Configuration",
        help="Your trucewatch.toml on a bucket: feeds, settings, and sinks that need no secrets and write no files.",
        pattern=r"gs://[a-z0-9][a-z0-9._-]+[a-z0-9]/.+\.toml",
        example="gs://my-bucket/trucewatch.toml",
        kind="GCS_READ_FILE",
        default=None,
    ),
    Parameter(
        name="sdk_container_image",
        label="Image of the workers",
        help="The image that the template names too, so that launcher and workers are of one version.",
        pattern=r"[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+(:[A-Za-z0-9_][A-Za-z0-9._-]*)?(@sha256:[0-9a-f]{64})?",
        example="europe-west1-docker.pkg.dev/my-project/trucewatch/trucewatch:0.1.0",
        default=None,
        for_beam=True,
    ),
    Parameter(
        name="store_secret",
        label="Secret with the store's address",
        help=(
            "Version of a Secret Manager secret that holds the URL of a PostgreSQL store. Workers read it themselves, "
            "so that the password is in no job graph. Without it all state is kept in Dataflow, and alerts go straight "
            "to Pub/Sub."
        ),
        pattern=r"projects/[a-z0-9:.-]+/secrets/[A-Za-z0-9_-]{1,255}/versions/([0-9]+|latest)",
        example="projects/my-project/secrets/trucewatch-store/versions/latest",
    ),
    Parameter(
        name="from_pubsub",
        label="Subscription to read articles from",
        help="Articles that others publish, in the place of feeds. Without it the feeds of the configuration are read.",
        pattern=r"projects/[a-z0-9:.-]+/subscriptions/[A-Za-z][A-Za-z0-9._~+%-]{2,254}",
        example="projects/my-project/subscriptions/articles",
        kind="PUBSUB_SUBSCRIPTION",
    ),
    Parameter(
        name="every",
        label="Time between two ticks",
        help="How often the stream looks which feeds are due; each feed keeps its own interval.",
        pattern=r"[0-9]+ ?(s|sec|seconds?|m|min|minutes?|h|hours?)",
        example="1 min",
        default="1 min",
    ),
)


def metadata() -> dict[str, object]:
    """Return the template's `metadata.json`."""
    return {
        "name": NAME,
        "description": DESCRIPTION,
        "streaming": True,
        "supportsExactlyOnce": True,
        "supportsAtLeastOnce": False,
        "parameters": [
            {
                "name": each.name,
                "label": each.label,
                "helpText": f"{each.help} Such as: {each.example}",
                "paramType": each.kind,
                "isOptional": each.default is not None,
                "regexes": [f"^{each.pattern}$" if each.default is None else f"^({each.pattern})?$"],
            }
            for each in PARAMETERS
        ],
    }


def parameters_of(arguments: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return the template's parameters by name, and the flags that are left for Beam.

    Raises:
        ConfigError: One is missing or has the wrong form.
    """
    parser = _Parser(add_help=False, allow_abbrev=False)
    for each in PARAMETERS:
        parser.add_argument(f"--{each.name}", default=each.default)
    found, rest = parser.parse_known_args(list(arguments))
    values: dict[str, str] = {}
    for each in PARAMETERS:
        value = (getattr(found, each.name) or "").strip() or each.default
        if value is None:
            raise ConfigError(f"the parameter {each.name} is missing; give it as {each.name}={each.example}")
        if value and not re.fullmatch(each.pattern, value):
            raise ConfigError(f"the parameter {each.name} has the wrong form: {value!r}; write such as {each.example}")
        values[each.name] = value
    return values, [*rest, *(f"--{each.name}={values[each.name]}" for each in PARAMETERS if each.for_beam)]


def launch(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Hand the stream that `arguments` describe to Dataflow, and return.

    Raises:
        ConfigError: Something cannot work; says what to do.
        TrucewatchError: The store cannot be opened, or Dataflow does not take the job.
    """
    from pipeline.commands.streaming import schedule_of
    from pipeline.engines import engine_flags
    from pipeline.store.secrets import SECRET
    from pipeline.store.store import Store
    from pipeline.stream_run import StreamJob, run_stream

    values, flags = parameters_of(arguments)
    store = f"{SECRET}{values['store_secret']}" if values["store_secret"] else ""
    schedule = schedule_of(values["every"], None, None)
    flags = engine_flags("dataflow", flags, store, environment=environment)
    config = config_at(values["config_file"], environment)
    check(config, has_store=bool(store), reads_feeds=not values["from_pubsub"])
    job = StreamJob(
        config=config, schedule=schedule, runner="dataflow", flags=flags, subscription=values["from_pubsub"]
    )
    run_stream(job, Store.open(store) if store else None, threading.Event(), detach=True)


def config_at(path: str, environment: Mapping[str, str]) -> Config:
    """Return the configuration on a bucket.

    Raises:
        ConfigError: It is not there or cannot be used.
    """
    from apache_beam.io.filesystem import BeamIOError
    from apache_beam.io.filesystems import FileSystems

    try:
        with FileSystems.open(path) as file:
            text = file.read().decode("utf-8")
    except (BeamIOError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise ConfigError(f"{path} cannot be read by the launcher's service account: {reason}") from error
    except Exception as error:  # what the client of Cloud Storage raises has no common base of ours
        raise ConfigError(f"{path} cannot be read by the launcher's service account: {str(error)[:200]}") from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    from pathlib import Path

    return config_of(table, base=Path(), name=PurePosixPath(path).name, environment=environment)


def check(config: Config, *, has_store: bool, reads_feeds: bool) -> None:
    """Refuse what would be lost on workers that come and go.

    Raises:
        ConfigError: No feeds, or sinks that write to a worker's own disk, or that need a store where there is none.
    """
    if reads_feeds and not config.feeds:
        raise ConfigError("the configuration has no feeds: add a [[feed]], or give the parameter from_pubsub")
    for sink in config.sinks:
        if _writes_here(sink):
            raise ConfigError(f'sink "{sink.name}" writes to the worker\'s own disk, which is lost with it: remove it')
        if not has_store and not isinstance(sink, PubSubSettings):
            raise ConfigError(f'sink "{sink.name}" needs a store: give the parameter store_secret, or remove it')
    if not has_store and not config.sinks:
        raise ConfigError('without a store alerts go straight to Pub/Sub: add a [[sink]] with kind = "pubsub"')


def _writes_here(sink: SinkSettings) -> bool:
    return isinstance(sink, FileSettings | CapSettings | TableSettings)


class _Parser(argparse.ArgumentParser):
    """Tells of errors as the rest of trucewatch does."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"the template's parameters cannot be read: {message}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Launch, and return the exit code: 0, 1 failed, 2 wrong parameters or configuration, 75 try later."""
    try:
        launch(sys.argv[1:] if arguments is None else arguments, os.environ)
    except TrucewatchError as error:
        sys.stderr.write(f"trucewatch: {error}\n")
        return 2 if isinstance(error, ConfigError) else 75 if isinstance(error, EngineError | StoreBusyError) else 1
    sys.stderr.write("trucewatch: the job was handed over\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
