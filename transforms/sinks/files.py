"""Files that are whole or not there: atomic replacement, with the disk told to keep it."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from transforms.failures import SinkError

_FINAL_ERRORS = {
    errno.EACCES: "this user may not write there",
    errno.EPERM: "this user may not write there",
    errno.EROFS: "the file system is read-only",
    errno.EISDIR: "it is a directory",
    errno.ENOTDIR: "a part of its path is a file",
}
_PASSING_ERRORS = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "the disk quota is used up; free some space",
    errno.EFBIG: "the file would exceed the size that this process may write",
    errno.EIO: "the disk reports an error",
}


def file_error(path: Path, error: OSError) -> SinkError:
    """Return the sink error for `error` at `path`, saying what to do; every one is worth another try once mended."""
    reason = {**_FINAL_ERRORS, **_PASSING_ERRORS}.get(error.errno or 0, error.strerror or str(error))
    return SinkError(f"cannot write {path}: {reason}; what is undelivered stays in the outbox for the next run")


def sync_directory(directory: Path) -> None:
    """Make a new or renamed entry of `directory` durable, where the system lets a directory be synced."""
    with contextlib.suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_atomically(path: Path, data: bytes, *, sync_name: bool = True) -> None:
    """Replace `path` by `data` in one step: a reader sees the old file or the new one, never a part.

    Args:
        path: The file.
        data: All that is to be in it.
        sync_name: Make the file's name durable too; a caller that writes many calls `sync_directory` once after them.

    Raises:
        SinkError: The disk is full, the directory is read-only or not there to be made.
    """
    # One fixed name beside the file, so that what a killed process left behind is replaced and does not pile up.
    draft = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            raise
        if sync_name:
            sync_directory(path.parent)
    except OSError as error:
        raise file_error(path, error) from error
