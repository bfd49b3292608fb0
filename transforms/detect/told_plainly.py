"""Acts that English words tell plainly, however little the judgement makes of the rest of the item."""

from __future__ import annotations

from transforms.detect.slot_data import word_lists
from transforms.detect.view import View

FILE = "told_plainly.en.toml"
_KEYS = ("done", "forces")


def is_told_plainly(view: View) -> bool:
    """Return whether an act is told with a known side that did it: "the attacks carried out by the army"."""
    candidate, tokens = view.candidate, view.reading.words
    if candidate.family != "armed" or tokens[candidate.head].pos != "NOUN":
        return False
    lists = word_lists(FILE, _KEYS)
    done, forces = lists["done"], lists["forces"]
    inside = range(candidate.last, candidate.sentence.last)
    clauses = [
        i for i in inside
        if tokens[i].head == candidate.head and (tokens[i].dep, tokens[i].tag) == ("acl", "VBN")
        and tokens[i].lemma in done
    ]  # fmt: skip
    agents = [i for i in inside if tokens[i].head in clauses and tokens[i].dep == "agent"]
    named = [tokens[i] for i in inside if tokens[i].head in agents and tokens[i].dep == "pobj"]
    return any(
        party.start < word.end and word.start < party.end and party.kind in forces
        for word in named
        for party in view.facts.parties
    )
