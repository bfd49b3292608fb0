"""Results on stdout, everything else on stderr; errors as sentences with the exit code that scripts rely on."""

from __future__ import annotations

import atexit
import functools
import logging
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar

import msgspec
import typer
from rich.console import Console

from transforms.failures import ConfigError, EngineError, StateError, StoreBusyError, TrucewatchError

OK, FAILED, USAGE, PARTIAL, TRY_LATER = 0, 1, 2, 3, 75

P = ParamSpec("P")
R = TypeVar("R")

out = Console(soft_wrap=True)
log = logging.getLogger("trucewatch")
err = Console(stderr=True, soft_wrap=True)  # a sentence stays one line for whoever greps it


def write_line(text: str) -> None:
    """Print one line of results, as it is."""
    sys.stdout.write(text + "\n")


def write_json(value: Any) -> None:
    """Print `value` as one line of JSON."""
    write_line(msgspec.json.encode(value).decode())


def fail(message: str, code: int = FAILED) -> NoReturn:
    """End the command with `message` on stderr and exit code `code`."""
    if err.quiet:
        log.error(message)
    else:
        err.print(f"trucewatch: {message}", style="red", markup=False, highlight=False)
    raise typer.Exit(code)


def command(function: Callable[P, R]) -> Callable[P, R]:
    """Turn trucewatch's own errors into a sentence and an exit code; a closed pipe or Ctrl-C ends quietly."""

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except (ConfigError, StateError) as error:
            fail(str(error), USAGE)
        except (StoreBusyError, EngineError) as error:
            fail(str(error), TRY_LATER)
        except TrucewatchError as error:
            fail(str(error), FAILED)
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        except BrokenPipeError:
            # Whoever read our results has left; a second flush at exit must not complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(OK) from None
        finally:
            err.quiet = False

    return guarded


def leave(code: object) -> NoReturn:
    """End the process with `code`, its exit handlers run, without waiting for the threads of engines and of gRPC.

    A worker that ran in this process can hold up the interpreter's end for good.
    """
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else FAILED)


def clock_of(as_of: str | None) -> datetime:
    """Return the run's clock: `as_of` as ISO 8601 (UTC unless it says otherwise; a bare day is its end), else now.

    Raises:
        ConfigError: If `as_of` is no time.
    """
    if as_of is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(as_of.strip())
    except ValueError:
        raise ConfigError(
            f"--as-of {as_of!r} is no time; write for instance 2016-10-07T18:00:00Z or 2016-10-07"
        ) from None
    if len(as_of.strip()) <= len("2016-10-07"):
        moment = datetime.combine(moment.date(), time(23, 59, 59))
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def config_path(given: Path | None) -> Path:
    """Return the configuration file to use: the one given, `TRUCEWATCH_CONFIG`, or trucewatch.toml here."""
    return given or Path(os.environ.get("TRUCEWATCH_CONFIG", "trucewatch.toml"))


def log_as_json() -> None:
    """Send log records to stderr, one JSON object a line, and nothing else there."""
    from pipeline.observe.logs import log_as_json as begin

    begin()
    err.quiet = True


def say(text: str) -> None:
    """Tell of what is going on, on stderr: as a line, or as a record where the log is JSON."""
    if err.quiet:
        log.info(text)
    else:
        err.print(text, highlight=False, markup=False)


def warn(warning: str) -> None:
    """Tell of something that needs a look, on stderr: as a sentence, or as a record where the log is JSON."""
    if err.quiet:
        log.warning(warning)
    else:
        err.print(f"warning: {warning}", style="yellow", highlight=False, markup=False)
