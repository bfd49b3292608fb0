"""The configuration that `trucewatch init` writes: settings with their defaults said, then the starter list."""

from __future__ import annotations

from pipeline.feeds.starter import starter_text

_HEAD = """\
# trucewatch.toml: what is read, and where alerts go. Every key is explained in docs/configuration.md.

store = "sqlite:///trucewatch.sqlite"       # or postgresql+psycopg://user@host/database
# source = "https://monitor.example/trucewatch"  # names this deployment in its alerts

[fetch]
# contact = "mailto:you@example.org"        # told to the outlets' servers, so that they can complain

[[sink]]
kind = "jsonl"
path = "alerts.jsonl"

[[sink]]
kind = "atom"
path = "alerts.atom"

"""


def starter_config() -> str:
    """Return a configuration that can be run as it is."""
    return _HEAD + starter_text()
