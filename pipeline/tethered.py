"""Run a program that ends when the process that started it does: `tethered.py PARENT_ID PROGRAM ARGUMENT...`.

Run as a file that becomes the program, so that nothing has to run between fork and exec in a parent full of threads. On
Linux the kernel keeps the promise, even where the parent is killed; elsewhere the program is only started. The kernel
looks at the thread that started the program: it must live for as long as the program is needed. The command's main
thread does.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask for the parent's death to be ours, and become the program."""
    parent, *command = sys.argv[1:]
    with contextlib.suppress(OSError, AttributeError):  # not Linux
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != int(parent):
            sys.exit("the process that wanted this program is gone")
    os.execv(command[0], command)  # noqa: S606 - the command is the parent's own


if __name__ == "__main__":
    main()
