"""Prism, started so that it does not outlive the command: Beam stops it only where Python ends in good order."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from apache_beam.options.pipeline_options import DebugOptions, PipelineOptions
from apache_beam.runners.portability.job_server import JobServer, StopOnExitJobServer
from apache_beam.runners.portability.prism_runner import PrismJobServer, PrismRunner
from apache_beam.utils.shared import Shared

from pipeline import tethered


class TetheredPrismRunner(PrismRunner):
    """Beam's runner for Prism; a Prism whose command was killed is ended by the kernel."""

    # Not Beam's own, behind which may be a Prism that its DirectRunner wanted: not tied, or not to be had at all.
    shared_handle = Shared()

    def default_job_server(self, options: PipelineOptions) -> JobServer:
        """Return a Prism that is shared by the pipelines of this process that live at one time, as Beam has it."""

        def started() -> JobServer:
            return StopOnExitJobServer(_TetheredPrism(options))

        if options.view_as(DebugOptions).lookup_experiment("disable_prism_server_singleton"):
            return started()
        return self.shared_handle.acquire(started)


class _TetheredPrism(PrismJobServer):
    def subprocess_cmd_and_endpoint(self) -> tuple[list[Any], str]:
        """Put before Prism's command what ties it to this process."""
        command, endpoint = super().subprocess_cmd_and_endpoint()
        program = str(Path(str(command[0])).absolute())
        tied = [sys.executable, "-I", "-S", str(Path(tethered.__file__)), str(os.getpid()), program]
        return [*tied, *command[1:]], endpoint
