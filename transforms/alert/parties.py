"""What is known of parties beyond their ids: whom they act as part of, and whether they bear arms."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from transforms.detect.slot_data import read_lexicon
from transforms.failures import KnowledgeError

FILE = "alert/kinship.toml"
LEXICON = "parties.toml"
_WORDS = ("vague", "jihadists", "everybody", "unarmed", "fighting_abroad")
_PEACEFUL_KINDS = ("organisation", "person")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """Kinship of parties.

    Attributes:
        part_of: Party id to the bodies that it acts as part of, nearest first.
        vague: Ids that say no more than that somebody is armed.
        jihadists: General words for those whom many ceasefires leave out.
        everybody: Ids that mean every side.
        unarmed: Ids of those who bear no arms.
        mediators: Foreign states that do not fight in these wars.
        abroad: Foreign states and bodies that do.
        named: All ids that detect can give.
        unnamed: Ids of the ledger that detect cannot give yet.
    """

    part_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    vague: frozenset[str] = frozenset()
    jihadists: frozenset[str] = frozenset()
    everybody: frozenset[str] = frozenset()
    unarmed: frozenset[str] = frozenset()
    mediators: frozenset[str] = frozenset()
    abroad: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    unnamed: frozenset[str] = frozenset()

    def lineage(self, party: str) -> tuple[str, ...]:
        """Return `party` and the bodies that it acts as part of, nearest first."""
        found = [party]
        for body in found:
            found.extend(wider for wider in self.part_of.get(body, ()) if wider not in found)
        return tuple(found)

    def armed(self, party: str) -> bool:
        """Return whether `party` is a body that bears arms in these wars."""
        return party not in self.unarmed and party not in self.mediators


@cache
def known_ranks() -> Ranks:
    """Return the kinship that ships with the package, over detect's lexicon of parties.

    Raises:
        KnowledgeError: The data file cannot be used.
    """
    text = (resources.files("transforms.alert") / "kinship.toml").read_text(encoding="utf-8")
    return parse_ranks(text, read_lexicon(LEXICON))


def parse_ranks(text: str, lexicon: Mapping[str, Any], file: str = FILE) -> Ranks:
    """Return the kinship written in `text`; its ids must be in `lexicon` or listed as unnamed."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(f"{file}: not valid TOML: {error}") from error
    if unknown := set(tables) - {"part_of", "words", "unnamed"}:
        raise KnowledgeError(f"{file}: unknown table [{sorted(unknown)[0]}]")
    parties = lexicon.get("party", [])
    heads = {head["id"] for head in lexicon.get("head", []) if head.get("id")}
    named = frozenset({party["id"] for party in parties} | heads)
    unnamed = frozenset(tables.get("unnamed", {}))
    if both := sorted(named & unnamed):
        raise KnowledgeError(f"{file}: [unnamed] {both[0]}: the lexicon names it now; take it out of the list")
    words = {key: frozenset(tables.get("words", {}).get(key, ())) for key in _WORDS}
    if strange := set(tables.get("words", {})) - set(_WORDS):
        raise KnowledgeError(f"{file}: [words] unknown key {sorted(strange)[0]!r}; known are {', '.join(_WORDS)}")
    part_of = {member: tuple(bodies) for member, bodies in tables.get("part_of", {}).items()}
    used = {*part_of, *(body for bodies in part_of.values() for body in bodies)}.union(*words.values())
    if missing := sorted(used - named - unnamed):
        raise KnowledgeError(f"{file}: {missing[0]!r} is no party of lexicon/{LEXICON}; correct it or add it there")
    abroad = words["fighting_abroad"]
    return Ranks(
        part_of=part_of,
        vague=words["vague"],
        jihadists=words["jihadists"],
        everybody=words["everybody"],
        unarmed=words["unarmed"] | {party["id"] for party in parties if party.get("kind") in _PEACEFUL_KINDS},
        mediators=frozenset(
            party["id"]
            for party in parties
            if party.get("kind") == "state" and party.get("country") not in ("SY", "LY") and party["id"] not in abroad
        ),
        abroad=abroad,
        named=named,
        unnamed=unnamed,
    )
