"""Fixtures of ingest: worker processes shared by the tests, and the feed corpus unpacked beside them."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from transforms.ingest.parser_pool import ParserPool
from transforms.ingest.settings import FetchSettings


@pytest.fixture(scope="session")
def parsers() -> Iterator[ParserPool]:
    """Workers with the limits that are the default."""
    with ParserPool(FetchSettings()) as pool:
        yield pool


@pytest.fixture(scope="session")
def corpus(shared_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus of real and hostile feeds, unpacked for this session."""
    archive = shared_dir / "feeds-corpus" / "feeds-corpus.tar.gz"
    if not archive.is_file():
        pytest.skip("no feed corpus in the measuring material")
    folder = tmp_path_factory.mktemp("corpus")
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    return folder
