"""The words of the grammar of steps: what predicates make of a ceasefire, by how it hangs on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from transforms.detect.slot_data import only_keys, read_lexicon, words
from transforms.failures import KnowledgeError
from transforms.model import Stage

FILE = "steps.en.toml"
_STEPS = {str(stage) for stage in Stage}
_SECTIONS = {
    "object": _STEPS,
    "prepositional": _STEPS,
    "subject": _STEPS,
    "noun": _STEPS | {"itself", "asked"},
    "clause": _STEPS | {"failed", "told"},
    "marks": {
        "arrange",
        "ask",
        "begin",
        "carried_out",
        "condition",
        "consent",
        "frames",
        "holding",
        "not_yet",
        "paper",
        "past",
        "scheduled",
        "short",
        "stop",
        "strive",
        "voted",
    },
}


@dataclass(frozen=True, slots=True)
class StepWords:
    """The lexicon: for each way to hang on a predicate, what predicates make of a ceasefire; and lists by name."""

    made: Mapping[str, Mapping[str, Stage]]
    lists: Mapping[str, frozenset[str]]


@cache
def step_words() -> StepWords:
    """Return the lexicon.

    Raises:
        KnowledgeError: The data file cannot be used.
    """
    return compile_steps(read_lexicon(FILE), FILE)


def compile_steps(table: dict[str, Any], name: str) -> StepWords:
    """Return the checked lexicon of a parsed file; `name` is what errors speak of.

    Raises:
        KnowledgeError: An unknown section, step or list, or a word that one section makes two steps of.
    """
    only_keys(table, set(_SECTIONS), name)
    made: dict[str, dict[str, Stage]] = {}
    lists: dict[str, frozenset[str]] = {}
    for section, known in _SECTIONS.items():
        part = table.get(section, {})
        if not isinstance(part, dict):
            raise KnowledgeError(f"{name}: {section}: expected a table of lists of words, found {part!r}")
        only_keys(part, known, name, f"{section}: ")
        steps = made.setdefault(section, {})
        for key in part:
            listed = words(part, key, f"{name}: {section}")
            if key not in _STEPS:
                lists[key] = frozenset(listed)
                continue
            for word in listed:
                if word in steps:
                    raise KnowledgeError(f"{name}: {section}: {word!r} stands under {steps[word]} and under {key}")
                steps[word] = Stage(key)
    return StepWords(made, lists)
