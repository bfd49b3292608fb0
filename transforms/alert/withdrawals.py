"""Which mentions of an event still stand: an outlet may take its own report back; a party's denial does not."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources

from transforms.failures import KnowledgeError
from transforms.model import Event, Mention, Realis

FILE = "alert/withdrawals.toml"
REAL = (Realis.ASSERTED, Realis.ALLEGED)
DENIALS = (Realis.DENIED, Realis.NEGATED)
_WORD = re.compile(r"\w+")


@cache
def load_withdrawals() -> dict[str, tuple[frozenset[str], ...]]:
    """Return, by language, the sets of words by which an outlet takes its own report back.

    Raises:
        KnowledgeError: The data file cannot be used.
    """
    return parse_withdrawals((resources.files("transforms.alert") / "withdrawals.toml").read_text(encoding="utf-8"))


def parse_withdrawals(text: str, file: str = FILE) -> dict[str, tuple[frozenset[str], ...]]:
    """Return the sets of words written in `text`."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(f"{file}: not valid TOML: {error}") from error
    found: dict[str, tuple[frozenset[str], ...]] = {}
    for lang, entries in tables.items():
        if not isinstance(entries, list) or not all(isinstance(e, list) and e for e in entries):
            raise KnowledgeError(f"{file}: {lang}: must be a list of lists of words")
        found[lang] = tuple(frozenset(str(word).casefold() for word in entry) for entry in entries)
    return found


def takes_back(mention: Mention) -> bool:
    """Return whether `mention` is its outlet's own word that the act did not happen."""
    if mention.realis not in DENIALS or mention.alleged_by:
        return False
    if mention.realis is Realis.NEGATED:
        return True
    words = {word.casefold() for word in (*mention.wording, *_WORD.findall(mention.evidence.quote))}
    return any(entry <= words for entry in load_withdrawals().get(mention.lang, ()))


def standing_mentions(event: Event) -> tuple[Mention, ...]:
    """Return the mentions that tell `event` as real and that their outlet has not taken back since."""
    taken_back: dict[str, tuple[object, ...]] = {}
    for mention in event.mentions:
        if takes_back(mention):
            taken_back[mention.outlet] = max(taken_back.get(mention.outlet, ()), _moment(mention))
    return tuple(m for m in event.mentions if m.realis in REAL and not _moment(m) < taken_back.get(m.outlet, ()))


def denials(event: Event) -> tuple[str, ...]:
    """Return who denies `event`: the party named, else the outlet that says so."""
    return tuple(sorted({m.alleged_by or m.outlet for m in event.mentions if m.realis in DENIALS}))


def _moment(mention: Mention) -> tuple[object, ...]:
    return mention.published, mention.fetched
