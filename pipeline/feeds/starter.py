"""Read the starter list of feeds, and write it as the table of docs/feeds.md."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

LANGUAGE_NAMES = {"ar": "Arabic", "en": "English", "fr": "French", "ru": "Russian", "tr": "Turkish"}

_INTRODUCTION = """# Feeds to start from

{count} feeds of {outlets} outlets that cover Syria and Libya, generated from `pipeline/feeds/starter.toml`
(`python -m pipeline.feeds.starter` writes this page). The list was not checked over a network: `trucewatch feeds check`
tells which feeds answer, which are stale, which fail and why. To use one, copy its `[[feed]]` table into your
`trucewatch.toml`.

"State" says that a state owns, pays for or directs the outlet, whether or not it interferes with what is written.

| feed | outlet | language | country | owner | state | address |
|---|---|---|---|---|---|---|
"""


def starter_text() -> str:
    """Return the starter list as it is shipped, comments included."""
    return (files("pipeline.feeds") / "starter.toml").read_text("utf-8")


def starter_feeds() -> list[dict[str, Any]]:
    """Return the `[[feed]]` tables of the starter list, in its order."""
    feeds: list[dict[str, Any]] = tomllib.loads(starter_text())["feed"]
    return feeds


def feeds_page(feeds: Sequence[dict[str, Any]]) -> str:
    """Return docs/feeds.md for `feeds`."""
    rows = [
        "| {name} | {outlet} | {language} | {country} | {owner} | {state} | [{host}]({url}) |".format(
            **feed | {"language": LANGUAGE_NAMES[feed["language"]]},
            state="yes" if feed["state_affiliated"] else "no",
            host=urlsplit(feed["url"]).hostname,
        )
        for feed in feeds
    ]
    outlets = len({feed["outlet"] for feed in feeds})
    return _INTRODUCTION.format(count=len(feeds), outlets=outlets) + "\n".join(rows) + "\n"


if __name__ == "__main__":
    from pathlib import Path

    Path("docs/feeds.md").write_text(feeds_page(starter_feeds()), encoding="utf-8")
