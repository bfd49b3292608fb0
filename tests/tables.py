"""Reads the tables of named cases in tests/cases."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest


def cases(table: str) -> list[dict[str, Any]]:
    """Return the cases of tests/cases/<table>.toml; each has a `name` and a `why`."""
    path = Path(__file__).parent / "cases" / f"{table}.toml"
    rows: list[dict[str, Any]] = tomllib.loads(path.read_text("utf-8"))["case"]
    lacking = [row.get("name", "?") for row in rows if not row.get("name") or not row.get("why")]
    assert not lacking, f"{path.name}: cases without name or why: {lacking}"
    return rows


def as_params(rows: list[dict[str, Any]]) -> list[Any]:
    """Return the cases as parameters named by `name` and `why`; one with `open` must still fail, for that reason."""
    return [
        pytest.param(
            row,
            id=f"{row['name']}: {row['why']}",
            marks=[pytest.mark.xfail(strict=True, reason=row["open"])] if "open" in row else [],
        )
        for row in rows
    ]
