"""What detect hands on in a stream: an article with all that it tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from transforms.failures import Failure
from transforms.model import Article, Mention


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One article, read.

    Attributes:
        group: Whose poll found it.
        due: The tick of that poll.
        article: The article.
        mentions: What it tells.
        failures: Why it could not be read, empty if it could.
    """

    group: str
    due: datetime
    article: Article
    mentions: tuple[Mention, ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def countries(self) -> tuple[str, ...]:
        """Countries it tells of, sorted: each decides on its own mentions."""
        return tuple(sorted({mention.country for mention in self.mentions}))
