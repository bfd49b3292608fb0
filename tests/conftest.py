"""Fixtures for all tests; those that need the measuring material beside the checkout skip where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("search", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def shared_folder() -> Path | None:
    """Return the folder of measuring material beside the checkout, if it is there."""
    folder = Path(os.environ.get("TRUCEWATCH_SHARED", ROOT.parent / "shared"))
    return folder if (folder / "gold").is_dir() else None


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The measuring material (labelled news, replay feeds, feed corpus)."""
    folder = shared_folder()
    if folder is None:
        pytest.skip("no measuring material beside the checkout (../shared or TRUCEWATCH_SHARED)")
    return folder
