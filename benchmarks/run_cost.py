"""What one run costs as a whole process, start-up included: `python -m benchmarks.run_cost`.

A run over the 18 replay feeds with a week of news to read, then one with nothing new (all feeds answer 304).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import ROOT, machine, shared_folder
from benchmarks.replay import config_toml, days, replay_server


def cost_of(command: list[str]) -> tuple[float, float, float]:
    """Return wall seconds, CPU seconds and peak memory in MB (largest process) of a command."""
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"{command} exited with {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    shared = shared_folder()
    print(machine())
    with tempfile.TemporaryDirectory() as name, replay_server(shared) as server:
        folder = Path(name)
        (folder / "trucewatch.toml").write_text(config_toml(server, store=f"sqlite:///{folder}/store.sqlite"), "utf-8")
        moment = days(shared)[-1]
        server.move_clock(moment)
        command = [sys.executable, "-m", "pipeline.cli", "run", "--config", str(folder / "trucewatch.toml")]
        command += ["--as-of", moment.isoformat()]
        for label in ("145 new items", "nothing new"):
            wall, cpu, memory = cost_of(command)
            print(f"18 feeds, {label}: {wall:.1f} s, {cpu:.1f} s CPU, peak memory {memory:.0f} MB")


if __name__ == "__main__":
    main()
