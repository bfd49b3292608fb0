"""Copies of one agency text, and outlets that speak with one voice: how many independent outlets tell an event."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from operator import eq

from transforms.model import Mention


def similarity(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Return the estimated share of common shingles of two texts, from their signatures; 0 where either has none."""
    if not one or len(one) != len(other):
        return 0.0
    if one == other:
        return 1.0
    same: int = sum(map(eq, one, other))
    return same / len(one)


def are_copies(one: tuple[int, ...], other: tuple[int, ...], least: float) -> bool:
    """Whether `similarity` is `least` or more; where it is 0, as it mostly is, half of the signatures tells so."""
    if not one or len(one) != len(other):
        return least <= 0.0
    enough = len(one) - int(least * len(one)) + 1
    if least > 0.0 and not any(map(eq, one[:enough], other)):
        return False
    return similarity(one, other) >= least


@lru_cache(maxsize=4096)
def _voice(owner: str, outlet: str) -> str:
    """Return who speaks: the owner for outlets that a state directs, else the outlet."""
    return f"owner:{owner.casefold()}" if owner else f"outlet:{outlet.casefold()}"


def independent_outlets(mentions: Sequence[Mention], copy_similarity: float) -> int:
    """Return how many independent outlets tell `mentions`.

    Outlets that run copies of one text count once together, and so do state-affiliated outlets of one owner. An outlet
    that also tells the event in words of its own still counts once with those whose text it has copied: that errs on
    the side of fewer sources.
    """
    if len(mentions) == 1:
        return 1
    spoken = [(_voice(one.owner if one.state_affiliated else "", one.outlet), one.signature) for one in mentions]
    voices = {voice: voice for voice, _ in spoken}

    def root(voice: str) -> str:
        while voices[voice] != voice:
            voice = voices[voice]
        return voice

    if len(voices) == 1:
        return 1
    texts = dict.fromkeys(one for one in spoken if one[1])
    seen: list[tuple[str, tuple[int, ...]]] = []
    for voice, signature in texts:
        for other_voice, other in seen:
            ours, theirs = root(voice), root(other_voice)
            if ours != theirs and are_copies(signature, other, copy_similarity):
                voices[max(ours, theirs)] = min(ours, theirs)
        seen.append((voice, signature))
    return len({root(voice) for voice in voices})
