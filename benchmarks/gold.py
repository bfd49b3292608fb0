"""Score `trucewatch detect` against labelled news: `python -m benchmarks.gold`.

The shipped model has learned from these items too; what it does on items it has not seen is printed by
`python -m benchmarks.detection.cross_validate`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.machine import ROOT, machine, shared_folder


def main() -> None:
    gold = shared_folder() / "gold"
    print(machine())
    for name in ("dev", "train"):
        with tempfile.TemporaryDirectory() as folder:
            events = Path(folder) / "events.jsonl"
            with (gold / f"{name}_items.jsonl").open("rb") as items, events.open("wb") as out:
                subprocess.run(
                    [sys.executable, "-m", "pipeline.cli", "detect"], stdin=items, stdout=out, check=True, cwd=ROOT
                )
            print(f"\n--- {name}: {gold.name}/{name}_labels.jsonl", flush=True)
            subprocess.run(
                [sys.executable, gold / "score.py", gold / f"{name}_labels.jsonl", events], check=True, cwd=ROOT
            )


if __name__ == "__main__":
    main()
