"""Trigger and cue lexicons: data files, validated when loaded, matched over words.

How a language is added, as data: write `lexicon/triggers.<code>.toml` with

- `language = "<code>"`;
- `[[trigger]]` tables: `id` (unique in the file; use the ids of the English file where the meaning is the same, the
  judgement knows them), `family` (`ceasefire` or `armed`), `forms` (runs of words), and optionally `means` (armed) or
  `stage` (ceasefire) as hints, `weak` and `needs_context` (see the English file);
- `[cues]`: lists of forms under the names that the English file uses (`call`, `agree`, `negation`, ...). Names are
  shared: the judgement weighs `cue.call` alike in every language.

In languages without a parser forms are entries of `terms.py`: `word*` is any ending, `a|b` a choice, `~` up to three
words between, `?word` one that may be missing. In English they are plain runs of words.

English forms are runs of words, each matched by spelling or lemma. In the other languages a form is an entry with
endings, choices and gaps (`terms.py` tells the signs). Both are folded when loaded, so write as a newspaper does.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Generic, TypeVar

from transforms.detect.terms import parse_entry
from transforms.failures import KnowledgeError
from transforms.model import Means, Stage

Payload = TypeVar("Payload")
_TRIGGER_KEYS = {"id", "family", "forms", "means", "stage", "weak", "needs_context", "not_before"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A group of words that open a candidate event of one family.

    Attributes:
        id: Unique in its language; shared between languages where the meaning is.
        family: "ceasefire" or "armed".
        forms: The runs of words, as written in the file.
        means: Hint for armed acts, "" if none.
        stage: Hint for steps of a ceasefire, "" if none.
        weak: Opens a candidate only where its sentence has no stronger trigger of the family.
        needs_context: Opens a candidate only where the item has a plain ceasefire word.
        not_before: Lemmas that make another thing of it where they follow ("ceasefire line").
    """

    id: str
    family: str
    forms: tuple[str, ...]
    means: str = ""
    stage: str = ""
    weak: bool = False
    needs_context: bool = False
    not_before: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """All triggers and cues of one language."""

    language: str
    triggers: tuple[Trigger, ...]
    cues: tuple[tuple[str, tuple[str, ...]], ...]


def parse_lexicon(raw: str, name: str) -> Lexicon:
    """Return the lexicon written in `raw`.

    Args:
        raw: TOML text.
        name: File name for error messages.

    Raises:
        KnowledgeError: Bad syntax, an unknown key, family, stage or means, a duplicate id or an empty form.
    """
    try:
        data = tomllib.loads(raw)
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(f"{name}: not valid TOML: {error}") from error
    if unknown := set(data) - {"language", "trigger", "cues"}:
        raise KnowledgeError(f"{name}: unknown key {sorted(unknown)[0]!r}; known: language, trigger, cues")
    language = data.get("language")
    if not isinstance(language, str) or not language:
        raise KnowledgeError(f"{name}: `language` is missing")
    entries = language != "en"  # entries with endings, choices and gaps (`terms.py`), where there is no lemmatiser
    triggers: dict[str, Trigger] = {}
    for number, table in enumerate(data.get("trigger", []), start=1):
        trigger = _trigger(table, f"{name}: [[trigger]] number {number}", entries)
        if trigger.id in triggers:
            raise KnowledgeError(f"{name}: [[trigger]] number {number}: duplicate id {trigger.id!r}")
        triggers[trigger.id] = trigger
    cues = data.get("cues", {})
    if not isinstance(cues, dict):
        raise KnowledgeError(f"{name}: `cues` must be a table of lists")
    if language != "en":
        _check_entries(name, triggers.values(), cues)
    return Lexicon(
        language=language,
        triggers=tuple(triggers.values()),
        cues=tuple((cue, _forms(forms, f"{name}: [cues] {cue}", entries)) for cue, forms in cues.items()),
    )


def _check_entries(name: str, triggers: Iterable[Trigger], cues: dict[str, Any]) -> None:
    """Raise for an entry that the matcher of unparsed languages cannot read."""
    groups: list[tuple[str, Iterable[object]]] = [(f"[[trigger]] {trigger.id}", trigger.forms) for trigger in triggers]
    groups += [(f"[cues] {cue}", forms) for cue, forms in cues.items() if isinstance(forms, list)]
    for where, forms in groups:
        for form in forms:
            try:
                parse_entry(str(form))
            except ValueError as error:
                raise KnowledgeError(f"{name}: {where}: {error}") from error


def _trigger(table: dict[str, Any], where: str, entries: bool) -> Trigger:
    if unknown := set(table) - _TRIGGER_KEYS:
        raise KnowledgeError(f"{where}: unknown key {sorted(unknown)[0]!r}; known: {', '.join(sorted(_TRIGGER_KEYS))}")
    identity, family = table.get("id"), table.get("family")
    if not isinstance(identity, str) or not identity:
        raise KnowledgeError(f"{where}: `id` is missing")
    where = f"{where} ({identity})"
    if family not in ("ceasefire", "armed"):
        raise KnowledgeError(f"{where}: family {family!r} is neither 'ceasefire' nor 'armed'")
    means, stage = table.get("means", ""), table.get("stage", "")
    if means and (family != "armed" or means not in set(Means)):
        raise KnowledgeError(f"{where}: unknown means {means!r}; known: {', '.join(Means)}")
    if stage and (family != "ceasefire" or stage not in set(Stage)):
        raise KnowledgeError(f"{where}: unknown stage {stage!r}; known: {', '.join(Stage)}")
    return Trigger(
        id=identity,
        family=family,
        forms=_forms(table.get("forms"), where, entries),
        means=means,
        stage=stage,
        weak=bool(table.get("weak", False)),
        needs_context=bool(table.get("needs_context", False)),
        not_before=frozenset(_forms(table["not_before"], where, entries)) if "not_before" in table else frozenset(),
    )


def _forms(forms: object, where: str, entries: bool) -> tuple[str, ...]:
    if not isinstance(forms, list) or not forms:
        raise KnowledgeError(f"{where}: needs a list of forms")
    for form in forms:
        if not isinstance(form, str) or not form.strip():
            raise KnowledgeError(f"{where}: empty form, or not a text: {form!r}")
        if entries:
            try:
                parse_entry(form)
            except ValueError as error:
                raise KnowledgeError(f"{where}: {error}") from error
    return tuple(dict.fromkeys(forms))


@cache
def load_lexicon(language: str) -> Lexicon:
    """Return the lexicon shipped for `language`.

    Raises:
        KnowledgeError: There is none, or it cannot be used.
    """
    name = f"triggers.{language}.toml"
    file = resources.files("transforms.detect.lexicon") / name
    if not file.is_file():
        raise KnowledgeError(f"lexicon/{name}: no lexicon for language {language!r}")
    lexicon = parse_lexicon(file.read_text("utf-8"), f"lexicon/{name}")
    if lexicon.language != language:
        raise KnowledgeError(f"lexicon/{name}: says language {lexicon.language!r}")
    return lexicon


class PhraseMatcher(Generic[Payload]):
    """Finds runs of words; each word of the text may be known under several keys (spelling, norm, lemma)."""

    def __init__(self, phrases: Iterable[tuple[Sequence[str], Payload]]) -> None:
        """Build from `(words, payload)` pairs."""
        self._root: dict[str, Any] = {}
        for words, payload in phrases:
            node = self._root
            for word in words:
                node = node.setdefault(word, {})
            node.setdefault("\0", []).append(payload)

    def find(self, words: Sequence[tuple[str, ...]]) -> list[tuple[int, int, Payload]]:
        """Return `(first, last + 1, payload)` of every match, shorter ones inside longer ones too."""
        found: list[tuple[int, int, Payload]] = []
        for first in range(len(words)):
            nodes = [self._root]
            for at in range(first, len(words)):
                # In the order of the keys, the spelling first: of a set, it would change from run to run.
                nodes = [node[key] for node in nodes for key in words[at] if key in node]
                if not nodes:
                    break
                seen: list[Payload] = []
                for node in nodes:
                    for payload in node.get("\0", ()):
                        if payload not in seen:
                            seen.append(payload)
                            found.append((first, at + 1, payload))
        return found


def words_of_form(form: str, normalise: Callable[[str], str]) -> list[str]:
    """Return the normalised words of a lexicon form."""
    return normalise(form).replace("-", " ").split()
