"""What can be set about how mentions become events."""

from __future__ import annotations

from dataclasses import dataclass

from transforms.deduplicate.weights import Weights


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSettings:
    """Settings of the deduplicate stage.

    Attributes:
        horizon_days: An event closes this many days after its last mention; a closed one takes no more mentions.
        copy_similarity: From this share of common shingles on, two texts are copies of one.
        weights: What agreement and contradiction count for; None takes the project's own (`knowledge/weights.toml`).
    """

    horizon_days: float = 10.0
    copy_similarity: float = 0.45
    weights: Weights | None = None
