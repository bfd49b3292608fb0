"""Beam options: the runner is always named, never left to DirectRunner's switch."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from transforms.failures import ConfigError

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

DEFAULT_RUNNER = "FnApiRunner"
PRISM = "pipeline.prism.TetheredPrismRunner"  # Beam's own leaves Prism behind where the command is killed
# What a user types, and what Beam calls it. DirectRunner is Beam's own switch between local runners.
RUNNERS = {
    "fnapi": "FnApiRunner",
    "direct": "DirectRunner",
    "prism": "PrismRunner",
    "flink": "FlinkRunner",
    "dataflow": "DataflowRunner",
    "portable": "PortableRunner",
}


def runner_name(typed: str) -> str:
    """Return Beam's name for a runner as a user types it ("fnapi", "FnApiRunner", "fnapirunner").

    Raises:
        ConfigError: If no such runner is known.
    """
    short = typed.strip().lower().removesuffix("runner")
    if short not in RUNNERS:
        raise ConfigError(f"unknown runner {typed!r}; choose one of {', '.join(RUNNERS.values())}")
    return RUNNERS[short]


def beam_options(runner: str = DEFAULT_RUNNER, extra: Sequence[str] = ()) -> PipelineOptions:
    """Return Beam's options for a run; `extra` are flags that the runner itself understands.

    Workers import trucewatch by name, so nothing of the main session is pickled.
    """
    from apache_beam.options.pipeline_options import PipelineOptions

    # What a run raises is told once, by the command; Beam would print the traceback of every attempt.
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    name = runner_name(runner)
    name = PRISM if name == RUNNERS["prism"] else name
    return PipelineOptions([f"--runner={name}", "--no_save_main_session", *extra])
