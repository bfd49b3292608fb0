"""Reading this stage's data files: errors name the file, the place in it and the reason."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

from transforms.failures import KnowledgeError


def parse_toml(text: str, name: str) -> dict[str, Any]:
    """Return the tables of `text`; `name` is the file that errors speak of."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(f"{name}: {error}; mend the TOML there") from error


def read_toml(name: str) -> dict[str, Any]:
    """Return the tables of the file `name` in `transforms/deduplicate/knowledge`."""
    try:
        text = (resources.files("transforms.deduplicate") / "knowledge" / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KnowledgeError(f"{name}: cannot be read as UTF-8 text ({error})") from error
    return parse_toml(text, name)


def word_list(value: object, where: str) -> tuple[str, ...]:
    """Return `value` as a list of words; `where` is file and key for errors."""
    if not isinstance(value, list) or not value or not all(isinstance(one, str) and one.strip() for one in value):
        raise KnowledgeError(f"{where}: expected a list of words, found {value!r}")
    return tuple(one.strip() for one in value)
