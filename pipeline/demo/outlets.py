"""The demonstration's outlets as data, and a configuration that reads them from a base URL."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOutlet:
    """One invented outlet.

    Attributes:
        file: Name of its feed, both below `feeds/` and on the server.
        name: The outlet's name.
        dialect: rss 2.0, rss 1.0, atom or json feed.
        language: Two-letter code.
        country: Two-letter code.
        owner: Who is said to own it.
        state_affiliated: Whether a state is said to own it.
    """

    file: str
    name: str
    dialect: str
    language: str
    country: str
    owner: str
    state_affiliated: bool

    @property
    def feed(self) -> str:
        """Name of the feed in a configuration: the file's name without its ending."""
        return self.file.rpartition(".")[0]


def demo_folder() -> Traversable:
    """Return the folder with `feeds/`, demo.toml and expected.toml, inside the installed package."""
    return files("pipeline.demo")


@cache
def _listing() -> tuple[tuple[DemoOutlet, ...], tuple[datetime, ...]]:
    data = tomllib.loads((demo_folder() / "demo.toml").read_text("utf-8"))
    return tuple(DemoOutlet(**row) for row in data["outlet"]), tuple(data["steps"])


def demo_outlets() -> tuple[DemoOutlet, ...]:
    """Return the outlets of the demonstration."""
    return _listing()[0]


def demo_steps() -> tuple[datetime, ...]:
    """Return the clocks (UTC) of the demonstration's runs, in order; the last shows everything."""
    return _listing()[1]


def demo_config(base_url: str) -> str:
    """Return a trucewatch.toml that reads the demonstration's feeds from `base_url`."""
    lines = ["[fetch]", "allow_private_networks = true", ""]
    for outlet in demo_outlets():
        lines += [
            "[[feed]]",
            f"name = {json.dumps(outlet.feed)}",
            f"url = {json.dumps(base_url.rstrip('/') + '/' + outlet.file)}",
            f"outlet = {json.dumps(outlet.name)}",
            f"language = {json.dumps(outlet.language)}",
            f"country = {json.dumps(outlet.country)}",
            f"owner = {json.dumps(outlet.owner)}",
            f"state_affiliated = {json.dumps(outlet.state_affiliated)}",
            "",
        ]
    return "\n".join(lines)
