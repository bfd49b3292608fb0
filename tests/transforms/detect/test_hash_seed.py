"""What is found does not depend on the seed of Python's hashes, which is another in every process."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT

NAMES = ["bombings", "bombing", "bomb", "bombard", "bombed", "bomber"]
PROGRAM = f"""
from transforms.detect.lexicons import PhraseMatcher
names = {NAMES}
print(PhraseMatcher([((name,), name) for name in names]).find([tuple(names)]))
"""


def found(seed: str) -> str:
    """What a process with that seed finds of one word that is known under six keys."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
    )  # fmt: skip
    return done.stdout


def test_the_order_of_matches_is_that_of_the_keys() -> None:
    told = {found(seed) for seed in ("0", "1", "7", "42")}
    assert told == {str([(0, 1, name) for name in NAMES]) + "\n"}
