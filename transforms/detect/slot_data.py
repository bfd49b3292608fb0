"""Reading the data files of the slot finders: TOML tables that say in which file and where they are wrong."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

from transforms.detect.folding import fold_text
from transforms.failures import KnowledgeError

LANGUAGES = ("en", "ar", "fr", "tr", "ru")


def parse_toml(text: str, name: str) -> dict[str, Any]:
    """Return the tables of `text`; `name` is the file that errors speak of."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(f"{name}: {error}; mend the TOML there") from error


@cache
def read_lexicon(name: str) -> dict[str, Any]:
    """Return the tables of the lexicon file `name`, {} where the package has none of that name."""
    file = resources.files("transforms.detect") / "lexicon" / name
    if not file.is_file():
        return {}
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise KnowledgeError(f"{name}: byte {error.start} is not UTF-8; save the file as UTF-8") from error
    return parse_toml(text, name)


def words(table: dict[str, Any], key: str, name: str) -> tuple[str, ...]:
    """Return the folded words of list `key`; an absent list is empty, one that is no list of words is an error."""
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
        raise KnowledgeError(f"{name}: {key}: expected a list of words, found {value!r}")
    return tuple(fold_text(one.strip()) for one in value)


@cache
def word_lists(name: str, keys: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """Return the lists of a lexicon file that is nothing but lists of words, each by its key; absent ones are empty.

    Raises:
        KnowledgeError: The file cannot be used, or has a key that is not in `keys`.
    """
    table = read_lexicon(name)
    only_keys(table, set(keys), name)
    return {key: frozenset(words(table, key, name)) for key in keys}


def numbers(table: dict[str, Any], key: str, name: str) -> dict[str, int]:
    """Return the table `key` of folded words and whole numbers."""
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise KnowledgeError(f"{name}: {key}: expected a table of words and numbers, found {value!r}")
    for word, number in value.items():
        if not isinstance(number, int) or isinstance(number, bool):
            raise KnowledgeError(f"{name}: {key}.{word}: expected a whole number, found {number!r}")
    return {fold_text(word): number for word, number in value.items()}


def only_keys(table: dict[str, Any], known: set[str], name: str, where: str = "") -> None:
    """Raise for a key that nothing reads: most often a slip of the pen."""
    for key in table:
        if key not in known:
            raise KnowledgeError(f"{name}: {where}unknown key {key!r}; known are {', '.join(sorted(known))}")
