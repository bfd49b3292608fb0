"""Engines that a job can be handed to: what each needs beforehand, checked while a sentence can help."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.options import PRISM, runner_name
from transforms.failures import ConfigError, EngineError

BEAM_VERSION = "2.77.0"
BUNDLES = "apache_beam.runners.direct.direct_runner.BundleBasedDirectRunner"
# What a user types, and what Beam calls it. The others of `trucewatch run` lose the output of an endless source.
STREAM_RUNNERS = {
    "prism": PRISM,
    "flink": "FlinkRunner",
    "dataflow": "DataflowRunner",
    "portable": "PortableRunner",
    "direct": BUNDLES,
}
_HERE = ("localhost", "127.0.0.1", "::1", "[local]", "[auto]")


def stream_runner(typed: str) -> str:
    """Return the short name of an engine as a user types it ("prism", "PrismRunner", "prismrunner").

    Raises:
        ConfigError: If a stream cannot run on it.
    """
    short = typed.strip().lower().removesuffix("runner")
    if short not in STREAM_RUNNERS:
        raise ConfigError(
            f"unknown runner {typed!r} for a stream; choose one of {', '.join(STREAM_RUNNERS)}"
            " (or `trucewatch watch`, which needs none of them)"
        )
    return short


def run_flags(runner: str, flags: Sequence[str], store: str, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the flags for a bounded run on `runner`, as typed; Beam's local runners need none.

    Raises:
        ConfigError: Something is missing or cannot work; says what to do.
        EngineError: The cluster does not answer; it may later.
    """
    short = runner_name(runner).removesuffix("Runner").lower()
    if short not in STREAM_RUNNERS or short == "direct":
        return list(flags)
    return engine_flags(short, flags, store, environment=environment, streaming=False)


def engine_flags(
    runner: str,
    flags: Sequence[str],
    store: str,
    *,
    prism: Path | None = None,
    environment: Mapping[str, str],
    streaming: bool = True,
) -> list[str]:
    """Return the flags with which Beam starts `runner`, what was left out filled in.

    Args:
        runner: Short name.
        flags: As given by the user; they come before ours.
        store: URL of the store, "" for none.
        prism: The Prism binary, where one is named.
        environment: Where `TRUCEWATCH_PRISM` and `TRUCEWATCH_FLINK_JAR` are looked up.
        streaming: Whether the job is a stream.

    Raises:
        ConfigError: Something is missing or cannot work; says what to do.
        EngineError: The cluster does not answer; it may later.
    """
    given = _given(flags)
    made = ["--streaming"] if streaming and "streaming" not in given else []
    if runner == "prism":
        made += [] if "prism_location" in given else [f"--prism_location={prism_binary(prism, environment)}"]
        made += [] if "prism_log_level" in given else ["--prism_log_level=error"]
        # It splits slow bundles, and then runs one key twice at once, or ends the job before all timers have fired.
        made.append("--experiments=prism_disable_sdf_split")
    elif runner == "flink":
        made += _flink(given, environment, streaming)
    elif runner == "dataflow":
        made += _dataflow(given)
    elif runner == "portable" and "job_endpoint" not in given:
        raise ConfigError("the portable runner needs `--beam=--job_endpoint=HOST:PORT`, the address of a job server")
    _reachable(runner, given, store)
    return [*flags, *made]


def prism_binary(named: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the Prism binary: the one named, `TRUCEWATCH_PRISM`, one beside Python, or one on the path.

    Raises:
        ConfigError: There is none, or the one that is named is no program.
    """
    chosen = named or (Path(environment["TRUCEWATCH_PRISM"]) if environment.get("TRUCEWATCH_PRISM") else None)
    if chosen is not None:
        if not (chosen.is_file() and os.access(chosen, os.X_OK)):
            raise ConfigError(f"{chosen} is no program: `--prism` and TRUCEWATCH_PRISM name the Prism binary")
        return chosen
    beside = Path(sys.executable).parent / "prism"
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("prism", path=environment.get("PATH"))
    if found is None:
        raise ConfigError(
            "no Prism binary: `make prism` builds it where Go is installed, or `go install"
            f" github.com/apache/beam/sdks/v2/go/cmd/prism@v{BEAM_VERSION}`; `--prism FILE` names one;"
            " `trucewatch watch` does without"
        )
    return Path(found)


def _given(flags: Sequence[str]) -> dict[str, str]:
    """Return the flags by name; a flag and its value may be one word or two."""
    found: dict[str, str] = {}
    words = [word for flag in flags for word in flag.split(maxsplit=1)]
    for n, word in enumerate(words):
        if not word.startswith("--"):
            continue
        name, equals, value = word.removeprefix("--").partition("=")
        follows = words[n + 1] if n + 1 < len(words) and not words[n + 1].startswith("--") else ""
        found[name] = value if equals else follows
    return found


def _flink(given: Mapping[str, str], environment: Mapping[str, str], streaming: bool) -> list[str]:
    made = []
    if "flink_job_server_jar" not in given:
        jar = environment.get("TRUCEWATCH_FLINK_JAR", "")
        if not jar:
            raise ConfigError(
                "Flink needs Beam's job server: get org.apache.beam:beam-runners-flink-2.2-job-server:"
                f"{BEAM_VERSION} from Maven Central and name the file in TRUCEWATCH_FLINK_JAR or with"
                " `--beam=--flink_job_server_jar=FILE`"
            )
        made.append(f"--flink_job_server_jar={jar}")
    jar = given.get("flink_job_server_jar") or environment.get("TRUCEWATCH_FLINK_JAR", "")
    if "://" not in jar and not Path(jar).is_file():
        raise ConfigError(f"{jar}: no such file; it should be the jar of Beam's job server for Flink")
    if shutil.which(given.get("job_server_java_launcher", "java"), path=environment.get("PATH")) is None:
        raise ConfigError("Flink's job server needs Java, and there is no `java` on the path")
    master = given.get("flink_master", "[local]")
    if master not in ("[local]", "[auto]"):
        _answers("the Flink cluster", master, 8081)
    if streaming and "checkpointing_interval" not in given:
        made.append("--checkpointing_interval=30000")  # without checkpoints a lost worker loses its state
    return made


def _dataflow(given: Mapping[str, str]) -> list[str]:
    # Workers of Beam's own image lack trucewatch, and would say so one by one, minutes later.
    needed = ("project", "region", "temp_location", "sdk_container_image")
    missing = [f"--{name}" for name in needed if not given.get(name)]
    if missing:
        raise ConfigError(f"Dataflow needs {', '.join(missing)}: give each as `--beam=--NAME=VALUE`")
    if not given["temp_location"].startswith("gs://"):
        raise ConfigError(f"--temp_location={given['temp_location']}: must be a folder of a bucket, gs://BUCKET/FOLDER")
    try:
        import google.auth
        import google.auth.exceptions
    except ImportError:
        raise ConfigError('Dataflow needs the extra packages for Google Cloud: pip install "trucewatch[gcp]"') from None
    # The image holds trucewatch and Beam: nothing is staged, and nothing is installed when workers start.
    made = [] if "sdk_location" in given else ["--sdk_location=container"]
    if "no_auth" in given or "dry_run" in given:
        return made
    try:
        google.auth.default()
    except google.auth.exceptions.DefaultCredentialsError:
        raise ConfigError(
            "no credentials for Google Cloud: `gcloud auth application-default login`, or name a key file in"
            " GOOGLE_APPLICATION_CREDENTIALS"
        ) from None
    return made


def _reachable(runner: str, given: Mapping[str, str], store: str) -> None:
    """Refuse a store in a file for workers that are not on this machine."""
    master = given.get("flink_master", "[local]")
    host = _host_port(master, 0)[0] if runner == "flink" else ""
    away = runner == "dataflow" or (runner == "flink" and host not in _HERE)
    if away and store.startswith("sqlite"):
        raise ConfigError(
            "the workers are on other machines and cannot reach a store in an SQLite file: give a PostgreSQL URL"
            " (`--store` or TRUCEWATCH_STORE), or `--no-store`"
        )
    if runner == "portable":
        _answers("the job server", given["job_endpoint"], 8099)


def _answers(what: str, address: str, default_port: int) -> None:
    host, port = _host_port(address, default_port)
    try:
        socket.create_connection((host, port), timeout=5).close()
    except (OSError, ValueError, OverflowError) as error:
        raise EngineError(f"{what} at {address} does not answer ({error}); is it running?") from error


def _host_port(address: str, default_port: int) -> tuple[str, int]:
    if address in ("[local]", "[auto]"):
        return address, default_port
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        return parts.hostname or address, parts.port or default_port
    except ValueError:
        raise ConfigError(f"{address!r} is no address; write HOST:PORT") from None
