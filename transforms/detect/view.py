"""One candidate among all that was read of its article: what rules and features look at."""

from __future__ import annotations

from dataclasses import dataclass

from transforms.detect.candidates import Candidate, Found
from transforms.detect.facts import Facts
from transforms.detect.reading import Reading

Features = dict[str, float]
"""Named features and their values."""


@dataclass(frozen=True, slots=True)
class View:
    """One candidate among all that was read of its article."""

    reading: Reading
    found: Found
    facts: Facts
    candidate: Candidate
