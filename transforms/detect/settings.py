"""What can be set of the detect stage."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectSettings:
    """Settings of the detect stage; the defaults are those that quality was measured with.

    Attributes:
        max_chars: Most characters read of one article for events (title and summary first, then text); the rest is
            left unread, so that no text costs more than two seconds.
        max_signature_chars: Most characters that the signature for wire copies is taken over.
        batch_size: Articles parsed together.
        languages: Two-letter codes of the languages that are read; articles in others pass the stage without events.
        keep_denied: Whether denials leave the stage as mentions (they change what is known of an event and never raise
            an alert by themselves). Negated, hypothetical, future and background acts never do; `explain` shows them.
    """

    max_chars: int = 20_000
    max_signature_chars: int = 100_000
    batch_size: int = 16
    languages: tuple[str, ...] = ("en", "ar", "fr", "tr", "ru")
    keep_denied: bool = True
