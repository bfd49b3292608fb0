"""How long to wait for a worker process: by the clock, but not by a clock that ran while the worker could not.

A feed is parsed in some 20 ms. When a machine is so busy, or its disk so slow, that a worker is not let run for long,
the feed is not to blame, and giving it up would leave its items unread until the next poll; a replay may have none.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

LONGEST_S = 60.0  # then it is given up, whoever is to blame
_HARDLY = 1 / 8  # of the time on the clock; what is to be stopped, a parse without end, takes most of a processor


class Patience:
    """A time on the clock, given again as often as the process that is waited for was hardly let run in it."""

    def __init__(self, seconds: float, of: int | None = None) -> None:
        """Start to wait `seconds` for the process `of`; without one they are given once."""
        self._seconds = seconds
        self._pid = of
        now = time.monotonic()
        self._end = now + seconds
        self._last = now + LONGEST_S
        self._spent = _processor_s(of)

    def left(self) -> float:
        """Return the seconds left, 0 when they are over."""
        return max(0.0, self._end - time.monotonic())

    def renewed(self) -> bool:
        """Give the time again, if it is over and the process had little of the processor in it."""
        now, before = time.monotonic(), self._spent
        if now < self._end:
            return True
        self._spent = _processor_s(self._pid)
        if before is None or self._spent is None or now >= self._last:
            return False
        if self._spent - before >= _HARDLY * self._seconds:
            return False
        self._end = now + self._seconds
        return True


def _processor_s(pid: int | None) -> float | None:
    """Return the processor seconds that a process has taken so far, None where the system does not tell."""
    if pid is None:
        return None
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, ValueError):
        return None
